//! `ports export`.

mod documents;
mod services;
mod variables;

use std::path::Path;

use cli::{Exit, Io};
use portreg::{Entry, Ports};

use crate::args::{ExportArgs, Format};
use crate::error::PortsError;
use crate::plan::{Plan, note_asked};

/// An entry with its numbers in this checkout.
#[derive(Debug)]
struct Item {
    entry: Entry,
    ports: Ports,
}

pub(crate) fn run(plan: &Plan, args: &ExportArgs, io: &mut Io) -> Result<Exit, PortsError> {
    refuse_names(args)?;
    let mut registry = plan.open(io)?;
    let offset = plan.offset(args.offset, &mut registry, io)?;
    let listing = registry.list()?;
    note_asked(&registry, io);
    if !listing.problems.is_empty() {
        // Half a set of variables is worse than none for whoever evaluates them.
        for problem in listing.problems {
            io.error(&PortsError::from(problem));
        }
        return Ok(Exit::Trouble);
    }
    let wanted = |entry: &Entry| args.only.as_ref().is_none_or(|only| only.matches(&entry.path));
    let items: Vec<Item> = listing
        .entries
        .into_iter()
        .filter(|entry| wanted(entry))
        .map(|entry| Item { ports: offset.apply(&entry), entry })
        .collect();
    let text = write(args, &items, registry.file(), offset.by())?;
    io.out.print(format_args!("{text}"))?;
    Ok(Exit::Done)
}

fn write(
    args: &ExportArgs,
    items: &[Item],
    file: &Path,
    offset: i32,
) -> Result<String, PortsError> {
    let style = match args.format {
        Format::Json => return documents::json(items),
        Format::Toml => return Ok(documents::toml(items)),
        Format::Nix => return Ok(documents::nix(items)),
        Format::Services => return services::write(items),
        Format::Env => variables::Style::Env,
        Format::Dotenv => variables::Style::Dotenv,
        Format::Shell | Format::Direnv => variables::Style::Shell,
        Format::Fish => variables::Style::Fish,
        Format::Just => variables::Style::Just,
    };
    let template = args.template.clone().unwrap_or_default();
    let prefix = args.prefix.as_deref().unwrap_or("");
    let mut text = variables::write(items, &template, prefix, style)?;
    if args.format == Format::Direnv {
        text.push_str(&variables::direnv(file, offset));
    }
    Ok(text)
}

/// Refuses flags about the names of variables where there are none.
fn refuse_names(args: &ExportArgs) -> Result<(), PortsError> {
    let has_variables = match args.format {
        Format::Json | Format::Toml | Format::Nix | Format::Services => false,
        Format::Env
        | Format::Dotenv
        | Format::Shell
        | Format::Fish
        | Format::Direnv
        | Format::Just => true,
    };
    let flags = [("--prefix", args.prefix.is_some()), ("--template", args.template.is_some())];
    match flags.into_iter().find(|(_, given)| *given && !has_variables) {
        None => Ok(()),
        Some((flag, _)) => Err(PortsError::NoVariables { flag, format: args.format.name() }),
    }
}
