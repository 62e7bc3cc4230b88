//! `ports name`.

use cli::{Exit, Io};
use portreg::Entry;

use crate::args::NameArgs;
use crate::error::PortsError;
use crate::plan::{Plan, note_asked};
use crate::record::{Record, json};

pub(crate) fn run(plan: &Plan, args: &NameArgs, io: &mut Io) -> Result<Exit, PortsError> {
    let mut registry = plan.open(io)?;
    let listing = registry.list()?;
    note_asked(&registry, io);
    let found: Vec<&Entry> =
        listing.entries.iter().filter(|entry| entry.ports.contains(args.number)).collect();
    if args.json {
        let extensions = registry.extensions();
        let record = |entry: &&Entry| Record::of(entry, &entry.ports, 0, extensions);
        let records: Vec<Record> = found.iter().map(record).collect();
        cli::outln!(io, "{}", json(&records)?)?;
    } else {
        for entry in &found {
            cli::outln!(io, "{}", entry.path)?;
        }
    }
    let nothing = found.is_empty();
    let whole = listing.problems.is_empty();
    for problem in listing.problems {
        io.error(&PortsError::from(problem));
    }
    if !whole {
        return Ok(Exit::Trouble);
    }
    if nothing {
        let file = registry.file().display().to_string();
        return Err(PortsError::UnknownNumber { number: args.number, file });
    }
    Ok(Exit::Done)
}
