//! `ports get`.

use cli::{Exit, Failure as _, Io};
use portreg::{Entry, PortPath, Ports, RegistryError};

use crate::args::GetArgs;
use crate::error::PortsError;
use crate::plan::{Plan, note_asked};
use crate::record::{Record, all_extensions, json};

pub(crate) fn run(plan: &Plan, args: &GetArgs, io: &mut Io) -> Result<Exit, PortsError> {
    let mut registry = plan.open(io)?;
    let offset = plan.offset(args.offset, &mut registry, io)?;
    let mut exit = Exit::Done;
    let mut found = Vec::new();
    for path in &args.paths {
        match (registry.get(path), args.default) {
            (Ok(entry), _) => found.push(Ok((offset.apply(&entry), entry))),
            (Err(RegistryError::Unknown { .. }), Some(number)) => found.push(Err((path, number))),
            (Err(error), _) => {
                let error = PortsError::from(error);
                io.error(&error);
                if exit != Exit::Trouble {
                    exit = error.exit();
                }
            }
        }
    }
    if args.json {
        let extensions = all_extensions(&mut registry);
        let record = |found: &Result<(Ports, Entry), (&PortPath, u16)>| match found {
            Ok((ports, entry)) => Record::of(entry, ports, offset.by(), extensions),
            Err((path, number)) => Record::default(path, *number),
        };
        let records: Vec<Record> = found.iter().map(record).collect();
        cli::outln!(io, "{}", json(&records)?)?;
    } else {
        for one in &found {
            match one {
                Ok((ports, _)) => cli::outln!(io, "{ports}")?,
                Err((_, number)) => cli::outln!(io, "{number}")?,
            }
        }
    }
    note_asked(&registry, io);
    Ok(exit)
}
