//! `pc config`: the resolved project.

mod document;
mod project;

use cli::{Exit, Io};

use crate::args::ConfigArgs;
use crate::config::{Request, with_pc_env};
use crate::error::PcError;

pub(crate) fn run(args: &ConfigArgs, io: &mut Io) -> Result<Exit, PcError> {
    with_pc_env(io)?;
    let request = Request {
        names: args.names.clone(),
        runs_commands: true,
        ..Request::of(&args.project, &io.env)
    };
    let loaded = crate::project::loaded(&request, io)?;
    let document = project::document(&loaded.project, !args.names.is_empty());
    let text = if args.json { document.to_json() } else { document.to_yaml() };
    cli::outln!(io, "{}", text.trim_end())?;
    Ok(Exit::Done)
}
