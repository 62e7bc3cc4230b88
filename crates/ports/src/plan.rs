//! What will be read: the registry, how it is evaluated, and the offset of this checkout.

use std::error::Error;
use std::path::{Path, PathBuf};

use cli::{Io, Var};
use nixcmd::{Eval, Nix, NixError, Silent};
use portreg::{
    Assigned, Checkout, Ledger, Listing, NoNix, Offset, Options, Policy, PortPath, Registry, Slot,
    SlotError, Who, discover,
};

use crate::args::{Evaluator, OffsetBy, SourceArgs};
use crate::error::{NixSays, PortsError};

/// Everything that is settled before a registry is opened.
#[derive(Debug)]
pub(crate) struct Plan {
    file: PathBuf,
    root: Option<PortPath>,
    who: Who,
}

impl Plan {
    pub(crate) fn resolve(args: &SourceArgs, io: &Io) -> Result<Self, PortsError> {
        let named = args.file.clone().or_else(|| io.env.get(Var::PortsFile).map(PathBuf::from));
        let file = match named {
            Some(file) => file,
            None => discover::find(io.env.cwd())?,
        };
        let who = match args.evaluator {
            Evaluator::Auto => Who::Auto,
            Evaluator::Native => Who::Native,
            Evaluator::Nix => Who::Nix,
        };
        Ok(Self { file, root: args.root.clone(), who })
    }

    /// The policy beside the registry.
    pub(crate) fn policy(&self) -> Result<Policy, PortsError> {
        Ok(Policy::beside(&self.file)?)
    }

    /// The registry's file, as it was named.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// Opens the registry for an edit, which needs to know where things are written.
    pub(crate) fn open_native(&self) -> Result<Registry<'static>, PortsError> {
        let options = Options { root: self.root.clone(), who: Who::Native, ..Options::default() };
        Ok(Registry::open(&self.file, options)?)
    }

    /// Opens the registry.
    pub(crate) fn open(&self, io: &Io) -> Result<Registry<'static>, PortsError> {
        let nix = Nix::on_path(io.env.path_var(), io.env.cwd());
        let ask = move |expression: &str| ask(&nix, expression);
        let options = Options {
            root: self.root.clone(),
            who: self.who,
            nix: Some(Box::new(ask)),
            overlay: None,
        };
        Ok(Registry::open(&self.file, options)?)
    }

    /// The offset: what was typed, else `PORTS_OFFSET`. It is checked against the whole registry.
    pub(crate) fn offset(
        &self,
        typed: Option<OffsetBy>,
        registry: &mut Registry<'_>,
        io: &Io,
    ) -> Result<Offset, PortsError> {
        match typed {
            Some(OffsetBy::Auto) => Ok(self.here(registry, io)?.offset),
            Some(OffsetBy::Number(by)) => self.fixed(by, registry),
            None => self.fixed(variable(io)?.unwrap_or(0), registry),
        }
    }

    /// The offset of this checkout: `PORTS_OFFSET`, else that of its slot.
    pub(crate) fn here(&self, registry: &mut Registry<'_>, io: &Io) -> Result<Here, PortsError> {
        if let Some(by) = variable(io)? {
            return Ok(Here { offset: self.fixed(by, registry)?, slot: None });
        }
        self.assigned(Assigned::of, registry, io)
    }

    /// Another slot for this worktree, and its offset.
    pub(crate) fn renew(&self, registry: &mut Registry<'_>, io: &Io) -> Result<Here, PortsError> {
        if variable(io)?.is_some() {
            return Err(PortsError::NothingToRenew);
        }
        self.assigned(Assigned::renewed, registry, io)
    }

    fn assigned(
        &self,
        assign: impl Fn(&Path, Option<&Ledger>, Policy, &Listing) -> Result<Assigned, SlotError>,
        registry: &mut Registry<'_>,
        io: &Io,
    ) -> Result<Here, PortsError> {
        let policy = Policy::beside(&self.file)?;
        let ledger = io.env.state_home().map(|state| Ledger::in_state_home(&state));
        let listing = registry.list()?;
        let assigned = assign(io.env.cwd(), ledger.as_ref(), policy, &listing)?;
        if assigned.is_new {
            let (slot, by) = (assigned.slot, assigned.offset.by());
            io.note(format_args!("this worktree has slot {slot} from now on: its offset is {by}"));
        }
        let slot = Some((assigned.slot, assigned.checkout));
        Ok(Here { offset: assigned.offset, slot })
    }

    fn fixed(&self, by: i32, registry: &mut Registry<'_>) -> Result<Offset, PortsError> {
        if by == 0 {
            return Ok(Offset::default());
        }
        let listing = registry.list()?;
        Ok(Offset::new(by, Policy::beside(&self.file)?, &listing)?)
    }
}

/// The offset of this checkout.
#[derive(Debug)]
pub(crate) struct Here {
    pub(crate) offset: Offset,
    /// Its slot and the checkout; none when `PORTS_OFFSET` says the offset.
    pub(crate) slot: Option<(Slot, Checkout)>,
}

fn variable(io: &Io) -> Result<Option<i32>, PortsError> {
    let Some(text) = io.env.get(Var::PortsOffset) else { return Ok(None) };
    let text = text.to_string_lossy();
    let number = text.trim().parse();
    number.map(Some).map_err(|_| PortsError::OffsetVariable(text.into_owned()))
}

/// Says that Nix was asked, if it was.
pub(crate) fn note_asked(registry: &Registry<'_>, io: &Io) {
    if let Some(reason) = registry.asked_nix() {
        io.note(format_args!("{reason}: Nix was asked instead"));
    }
}

fn ask(nix: &Nix, expression: &str) -> Result<String, Box<dyn Error + Send + Sync>> {
    match nix.eval(&Eval::expression(expression), &mut Silent) {
        Ok(value) => Ok(value.to_string()),
        Err(NixError::NotFound { .. }) => Err(NoNix.into()),
        Err(NixError::Failed { ending, stderr, .. }) => {
            Err(NixSays { ending, stderr: last_error(&stderr) }.into())
        }
        Err(other) => Err(other.into()),
    }
}

/// Nix's own error without its trace through the question.
fn last_error(stderr: &str) -> String {
    let lines: Vec<&str> = stderr.trim_end().lines().collect();
    let start = lines.iter().rposition(|line| line.trim_start().starts_with("error:")).unwrap_or(0);
    lines[start..].join("\n")
}
