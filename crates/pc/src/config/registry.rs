//! The registered ports, with the numbers that they have in this checkout.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;
use std::rc::Rc;

use cli::{Io, Var};
use nixcmd::{Eval, Nix, NixError, Silent};
use portreg::discover::{self, DiscoverError};
use portreg::{
    Assigned, Ledger, Listing, NoNix, Offset, Options, Policy, PortPath, Ports, Registry, Template,
    did_you_mean, nearest,
};

use super::expand::PortError;
use super::request::Request;
use super::template::Value;

/// The registry of a project.
#[derive(Debug, Default)]
pub(crate) struct PortTable {
    /// The file; none when there is no registry.
    pub(crate) file: Option<PathBuf>,
    listing: Listing,
    /// Paths and their numbers, moved.
    pub(crate) numbers: BTreeMap<String, u16>,
    /// Paths and the names of their variables.
    pub(crate) variables: BTreeMap<String, String>,
    /// By how much they are moved.
    pub(crate) offset: i32,
}

/// Why the registry is of no use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TableError {
    #[error(transparent)]
    Registry(#[from] portreg::RegistryError),
    #[error(transparent)]
    Discover(#[from] DiscoverError),
    #[error(transparent)]
    Policy(#[from] portreg::PolicyError),
    #[error(transparent)]
    Offset(#[from] portreg::OffsetError),
    #[error(transparent)]
    Slot(#[from] portreg::SlotError),
    #[error("`PORTS_OFFSET` is `{0}` but must be a whole number")]
    Variable(String),
}

impl PortTable {
    /// Reads the registry with the numbers that it says; an empty table when there is none.
    pub(crate) fn read(request: &Request, io: &Io) -> Result<Self, TableError> {
        let file = match &request.ports_file {
            Some(file) => file.clone(),
            None => match discover::find(io.env.cwd()) {
                Ok(file) => file,
                Err(DiscoverError::Nowhere { .. }) => return Ok(Self::default()),
                Err(error) => return Err(error.into()),
            },
        };
        let file = io.env.cwd().join(file);
        let nix = Nix::on_path(io.env.path_var(), io.env.cwd());
        let ask = move |expression: &str| ask(&nix, expression);
        let options = Options { nix: Some(Box::new(ask)), ..Options::default() };
        let listing = Registry::open(&file, options)?.list()?;
        let mut table = Self { file: Some(file), listing, ..Self::default() };
        table.number(&Offset::default());
        Ok(table)
    }

    /// The offset that this checkout has.
    pub(crate) fn own_offset(&self, request: &Request, io: &Io) -> Result<Offset, TableError> {
        let Some(file) = &self.file else { return Ok(Offset::default()) };
        let policy = Policy::beside(file)?;
        let said = match (request.offset, io.env.get(Var::PortsOffset)) {
            (Some(by), _) => Some(by),
            (None, Some(text)) => {
                let text = text.to_string_lossy().into_owned();
                Some(text.trim().parse().map_err(|_| TableError::Variable(text))?)
            }
            (None, None) => None,
        };
        if let Some(by) = said {
            return Ok(Offset::new(by, policy, &self.listing)?);
        }
        if !request.takes_slot {
            return Ok(Offset::default());
        }
        let ledger = io.env.state_home().map(|state| Ledger::in_state_home(&state));
        let assigned = match Assigned::of(io.env.cwd(), ledger.as_ref(), policy, &self.listing) {
            // Outside of a checkout nothing moves.
            Err(portreg::SlotError::Checkout(_)) => return Ok(Offset::default()),
            other => other?,
        };
        if assigned.is_new {
            let (slot, by) = (assigned.slot, assigned.offset.by());
            io.note(format_args!("this worktree has slot {slot} from now on: its offset is {by}"));
        }
        Ok(assigned.offset)
    }

    /// Gives every path its number.
    pub(crate) fn number(&mut self, offset: &Offset) {
        self.offset = offset.by();
        self.numbers.clear();
        self.variables.clear();
        let template = Template::default();
        for entry in &self.listing.entries {
            let moved = offset.apply(entry);
            let mut add = |path: &PortPath, number: u16| {
                self.numbers.insert(path.to_string(), number);
                self.variables.insert(path.to_string(), template.name("", path));
            };
            match (&moved, &entry.ends) {
                (Ports::One(number), _) => add(&entry.path, *number),
                (Ports::Range(from, to), Some([first, last])) => {
                    add(first, *from);
                    add(last, *to);
                }
                // A list has no one number.
                _ => {}
            }
        }
    }

    /// The path whose number, before it is moved, this is.
    pub(crate) fn registered(&self, number: u16) -> Option<String> {
        let found = self.listing.entries.iter().find(|entry| entry.ports.contains(number));
        found.map(|entry| entry.path.to_string())
    }

    /// The number of a path.
    pub(crate) fn get(&self, path: &str) -> Result<u16, PortError> {
        let parsed: Result<PortPath, _> = path.parse();
        let name = parsed.as_ref().map_or_else(|_| path.to_owned(), ToString::to_string);
        if let Some(number) = self.numbers.get(&name) {
            return Ok(*number);
        }
        let Some(file) = &self.file else {
            return Err(PortError {
                what: format!("there is no port registry that could hold `{path}`"),
                hint: Some(
                    "write lib/ports.nix, or name the file by `--ports-file` or `PORTS_FILE`"
                        .into(),
                ),
            });
        };
        let known: Vec<PortPath> =
            self.listing.entries.iter().map(|entry| entry.path.clone()).collect();
        let hint = parsed.ok().and_then(|path| did_you_mean(&nearest(&path, &known)));
        Err(PortError { what: format!("no port `{path}` in `{}`", file.display()), hint })
    }

    /// Everything as nested maps, for templates.
    pub(crate) fn nested(&self) -> Value {
        let mut root = Tree::default();
        for (path, number) in &self.numbers {
            let Ok(path) = path.parse::<PortPath>() else { continue };
            let mut tree = &mut root;
            for name in path.names() {
                tree = tree.inside.entry(name.clone()).or_default();
            }
            tree.number = Some(*number);
        }
        root.value()
    }
}

#[derive(Default)]
struct Tree {
    number: Option<u16>,
    inside: BTreeMap<String, Self>,
}

impl Tree {
    fn value(&self) -> Value {
        match self.number {
            Some(number) if self.inside.is_empty() => Value::Int(i64::from(number)),
            _ => Value::Map(Rc::new(
                self.inside.iter().map(|(name, tree)| (name.clone(), tree.value())).collect(),
            )),
        }
    }
}

/// What Nix said, without the expression it was asked.
#[derive(Debug, thiserror::Error)]
#[error("nix-instantiate {ending}\n{stderr}")]
struct NixSays {
    ending: String,
    stderr: String,
}

fn ask(nix: &Nix, expression: &str) -> Result<String, Box<dyn Error + Send + Sync>> {
    match nix.eval(&Eval::expression(expression), &mut Silent) {
        Ok(value) => Ok(value.to_string()),
        Err(NixError::NotFound { .. }) => Err(NoNix.into()),
        Err(NixError::Failed { ending, stderr, .. }) => {
            let lines: Vec<&str> = stderr.trim_end().lines().collect();
            let start = lines.iter().rposition(|line| line.trim_start().starts_with("error:"));
            let stderr = lines[start.unwrap_or(0)..].join("\n");
            Err(NixSays { ending, stderr }.into())
        }
        Err(other) => Err(other.into()),
    }
}
