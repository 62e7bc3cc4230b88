//! `ports env`.

use std::os::unix::process::CommandExt as _;

use cli::{Exit, Io, Var};

use crate::args::EnvArgs;
use crate::error::PortsError;
use crate::export::{Names, variables};
use crate::plan::Plan;

pub(crate) fn run(plan: &Plan, args: &EnvArgs, io: &mut Io) -> Result<Exit, PortsError> {
    let mut registry = plan.open(io)?;
    let names = Names {
        only: args.only.as_ref(),
        prefix: args.prefix.as_deref(),
        template: args.template.as_ref(),
    };
    let offset = plan.offset(Some(args.offset), &mut registry, io)?;
    let Some(variables) = variables(&mut registry, &offset, &names, io)? else {
        return Ok(Exit::Trouble);
    };
    let Some((program, rest)) = args.command.split_first() else { return Ok(Exit::Trouble) };
    // What was noted has to be seen before the program speaks.
    io.out.finish()?;
    #[expect(clippy::disallowed_methods, reason = "the program takes the place of this one")]
    let error = std::process::Command::new(program)
        .args(rest)
        .envs(variables)
        .env(Var::PortsOffset.name(), offset.by().to_string())
        .exec();
    Err(PortsError::Run { command: program.clone(), source: error })
}
