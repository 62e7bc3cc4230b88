//! What will be read: the registry, how it is evaluated, and the offset of this checkout.

use std::error::Error;
use std::path::PathBuf;

use cli::{Io, Var};
use nixcmd::{Eval, Nix, NixError, Silent};
use portreg::{NoNix, Offset, Options, Policy, PortPath, Registry, Who, discover};

use crate::args::{Evaluator, SourceArgs};
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

    /// Opens the registry.
    pub(crate) fn open(&self, io: &Io) -> Result<Registry<'static>, PortsError> {
        let nix = Nix::on_path(io.env.path_var(), io.env.cwd());
        let ask = move |expression: &str| ask(&nix, expression);
        let options = Options { root: self.root.clone(), who: self.who, nix: Some(Box::new(ask)) };
        Ok(Registry::open(&self.file, options)?)
    }

    /// The offset: what was typed, else `PORTS_OFFSET`. It is checked against the whole registry.
    pub(crate) fn offset(
        &self,
        typed: Option<i32>,
        registry: &mut Registry<'_>,
        io: &Io,
    ) -> Result<Offset, PortsError> {
        let by = match (typed, io.env.get(Var::PortsOffset)) {
            (Some(by), _) => by,
            (None, Some(text)) => {
                let text = text.to_string_lossy();
                text.trim().parse().map_err(|_| PortsError::OffsetVariable(text.into_owned()))?
            }
            (None, None) => 0,
        };
        if by == 0 {
            return Ok(Offset::default());
        }
        let listing = registry.list()?;
        Ok(Offset::new(by, Policy::beside(&self.file)?, &listing)?)
    }
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
