//! `ports export`.

mod documents;
mod services;
mod variables;

use std::path::Path;

use cli::{Exit, Io};
use portreg::{Entry, Glob, Offset, Ports, Registry, Template};

use crate::args::{ExportArgs, Format};
use crate::error::PortsError;
use crate::plan::{Plan, note_asked};

/// An entry with its numbers in this checkout.
#[derive(Debug)]
struct Item {
    entry: Entry,
    ports: Ports,
}

/// Which ports are written, and how their variables are named.
#[derive(Debug)]
pub(crate) struct Names<'a> {
    pub(crate) only: Option<&'a Glob>,
    pub(crate) prefix: Option<&'a str>,
    pub(crate) template: Option<&'a Template>,
}

pub(crate) fn run(plan: &Plan, args: &ExportArgs, io: &mut Io) -> Result<Exit, PortsError> {
    refuse_names(args)?;
    let names = Names {
        only: args.only.as_ref(),
        prefix: args.prefix.as_deref(),
        template: args.template.as_ref(),
    };
    let mut registry = plan.open(io)?;
    let offset = plan.offset(args.offset, &mut registry, io)?;
    let Some(items) = items(&mut registry, &offset, names.only, io)? else {
        return Ok(Exit::Trouble);
    };
    let text = write(args.format, &names, &items, registry.file(), offset.by())?;
    io.out.print(format_args!("{text}"))?;
    Ok(Exit::Done)
}

/// The variables of all ports, with their values; none when an entry is no port, which is told then.
pub(crate) fn variables(
    registry: &mut Registry<'_>,
    offset: &Offset,
    names: &Names<'_>,
    io: &Io,
) -> Result<Option<Vec<(String, String)>>, PortsError> {
    let items = items(registry, offset, names.only, io)?;
    items.map(|items| variables::values(&items, names)).transpose()
}

fn items(
    registry: &mut Registry<'_>,
    offset: &Offset,
    only: Option<&Glob>,
    io: &Io,
) -> Result<Option<Vec<Item>>, PortsError> {
    let listing = registry.list()?;
    note_asked(registry, io);
    if !listing.problems.is_empty() {
        // Half a set of variables is worse than none for whoever evaluates them.
        for problem in listing.problems {
            io.error(&PortsError::from(problem));
        }
        return Ok(None);
    }
    let wanted = |entry: &Entry| only.is_none_or(|only| only.matches(&entry.path));
    let items = listing
        .entries
        .into_iter()
        .filter(|entry| wanted(entry))
        .map(|entry| Item { ports: offset.apply(&entry), entry })
        .collect();
    Ok(Some(items))
}

fn write(
    format: Format,
    names: &Names<'_>,
    items: &[Item],
    file: &Path,
    offset: i32,
) -> Result<String, PortsError> {
    let style = match format {
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
    let mut text = variables::write(items, names, style)?;
    if format == Format::Direnv {
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
