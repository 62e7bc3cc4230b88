//! `ports offset`.

use cli::{Exit, Io};
use portreg::{Checkout, Slot};
use serde::Serialize;

use crate::args::OffsetArgs;
use crate::error::PortsError;
use crate::plan::{Here, Plan, note_asked};

/// What `--json` prints. Fields are only ever added.
#[derive(Debug, Serialize)]
struct Record {
    offset: i32,
    /// None when `PORTS_OFFSET` says the offset.
    slot: Option<Slot>,
    source: &'static str,
    checkout: Option<String>,
}

pub(crate) fn run(plan: &Plan, args: &OffsetArgs, io: &mut Io) -> Result<Exit, PortsError> {
    let mut registry = plan.open(io)?;
    let here =
        if args.renew { plan.renew(&mut registry, io)? } else { plan.here(&mut registry, io)? };
    note_asked(&registry, io);
    if args.json {
        let record = serde_json::to_string_pretty(&Record::of(&here)).map_err(PortsError::Json)?;
        cli::outln!(io, "{record}")?;
    } else {
        cli::outln!(io, "{}", here.offset.by())?;
    }
    Ok(Exit::Done)
}

impl Record {
    fn of(here: &Here) -> Self {
        let checkout = here.slot.as_ref().map(|(_, checkout)| checkout);
        let (source, root) = match checkout {
            None => ("PORTS_OFFSET", None),
            Some(Checkout::None) => ("no checkout", None),
            Some(Checkout::Primary(root)) => ("primary checkout", Some(root.as_path())),
            Some(Checkout::Linked(worktree)) => ("slot of the worktree", Some(worktree.root())),
        };
        Self {
            offset: here.offset.by(),
            slot: here.slot.as_ref().map(|(slot, _)| *slot),
            source,
            checkout: root.map(|root| root.to_string_lossy().into_owned()),
        }
    }
}
