//! `ports add`, `ports set` and `ports rm`.

mod file;

use cli::{Exit, Io};
use portreg::{Change, Edited, Listing, Place, Policy, PortPath};

use crate::args::{AddArgs, Choice, PickRule, RmArgs, SetArgs};
use crate::check::conflicts;
use crate::error::PortsError;
use crate::next::Free;
use crate::plan::{Plan, note_asked};

pub(crate) fn add(plan: &Plan, args: &AddArgs, io: &mut Io) -> Result<Exit, PortsError> {
    let _lock = file::lock(plan.file(), args.dry_run)?;
    let (policy, listing) = known(plan, io)?;
    let number = match args.port {
        Choice::Number(number) => number,
        Choice::Auto => free(&args.path.parent(), &policy, &listing)?,
    };
    let change = Change::Add { path: &args.path, number, comment: args.comment.as_deref() };
    let edited = edit(plan, &change)?;
    finish(edited, &change, Some((&policy, listing)), args.dry_run, io)
}

pub(crate) fn set(plan: &Plan, args: &SetArgs, io: &mut Io) -> Result<Exit, PortsError> {
    let _lock = file::lock(plan.file(), args.dry_run)?;
    let (policy, listing) = known(plan, io)?;
    let change = Change::Set { path: &args.path, number: args.port, follow: args.follow };
    let edited = edit(plan, &change)?;
    finish(edited, &change, Some((&policy, listing)), args.dry_run, io)
}

pub(crate) fn rm(plan: &Plan, args: &RmArgs, io: &mut Io) -> Result<Exit, PortsError> {
    let _lock = file::lock(plan.file(), args.dry_run)?;
    let change = Change::Remove { path: &args.path };
    let edited = edit(plan, &change)?;
    finish(edited, &change, None, args.dry_run, io)
}

/// What the registry holds now, by whoever can evaluate it.
fn known(plan: &Plan, io: &Io) -> Result<(Policy, Listing), PortsError> {
    let mut registry = plan.open(io)?;
    let listing = registry.list()?;
    note_asked(&registry, io);
    Ok((plan.policy()?, listing))
}

/// The number that `ports next` gives for the group.
fn free(group: &PortPath, policy: &Policy, listing: &Listing) -> Result<u16, PortsError> {
    let free = Free::of(listing, policy)?;
    let room = free.room(group, listing, policy).unwrap_or_else(|| free.usual());
    let last = free.pick(&room, PickRule::Last).next();
    last.or_else(|| free.pick(&room, PickRule::Gap).next())
        .ok_or_else(|| PortsError::NoneFree(room.none(0, 1, PickRule::Gap)))
}

fn edit(plan: &Plan, change: &Change<'_>) -> Result<Edited, PortsError> {
    Ok(plan.open_native()?.edit(change)?)
}

/// Refuses an edit that a check would refuse, then writes it, or shows it.
fn finish(
    mut edited: Edited,
    change: &Change<'_>,
    known: Option<(&Policy, Listing)>,
    dry_run: bool,
    io: &mut Io,
) -> Result<Exit, PortsError> {
    let path = change.path();
    if let Some((policy, known)) = known {
        let after = edited.registry.list()?.entries;
        if let Some(conflict) = conflicts(after, known.entries, path, policy).into_iter().next() {
            return Err(PortsError::Conflict(conflict.message));
        }
    }
    if dry_run {
        let diff = file::diff(&edited);
        io.out.print(format_args!("{diff}"))?;
        return Ok(Exit::Done);
    }
    let changes = edited.before != edited.after;
    if changes {
        file::write(&edited)?;
    }
    let place = |place: &Place| format!("{}:{}", place.file.display(), place.line);
    let said = match change {
        Change::Add { number, .. } => {
            let site = edited.registry.get(path).ok().and_then(|entry| entry.place);
            let at = place(site.as_ref().unwrap_or(&edited.place));
            cli::outln!(io, "{number}")?;
            format!("{at}: added `{path}`")
        }
        Change::Set { number, .. } => {
            cli::outln!(io, "{number}")?;
            let how = if changes { "is now" } else { "was already" };
            format!("{}: `{path}` {how} {number}", place(&edited.place))
        }
        Change::Remove { .. } => format!("{}: removed `{path}`", place(&edited.place)),
    };
    // The number is there before the words about it, where both go to one place.
    io.out.finish()?;
    io.status(said);
    Ok(Exit::Done)
}
