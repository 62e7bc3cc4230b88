//! `ports next`, and the numbers that are free.

use cli::{Exit, Io};
use portreg::{Listing, Policy, PortPath, RegistryError, nearest};

use crate::args::{NextArgs, PickRule};
use crate::error::PortsError;
use crate::live::Bound;
use crate::plan::{Plan, note_asked};

/// Where a port goes that has neither group nor range: behind the privileged ones, below those that Linux and every
/// other system take for outgoing connections.
const USUAL: (u16, u16) = (1024, 32_767);

pub(crate) fn run(plan: &Plan, args: &NextArgs, io: &mut Io) -> Result<Exit, PortsError> {
    let mut registry = plan.open(io)?;
    let policy = plan.policy()?;
    let listing = registry.list()?;
    note_asked(&registry, io);
    let file = registry.file().display().to_string();
    let free = Free::of(&listing, &policy)?;
    let room = match (args.range, &args.group) {
        (Some((from, to)), _) => Room { from, to, behind: free.highest(from, to) },
        (None, Some(group)) => free
            .room(group, &listing, &policy)
            .ok_or_else(|| unknown_group(group, &listing, file))?,
        (None, None) => free.usual(),
    };
    let bound = if args.live { Some(Bound::read()?) } else { None };
    let mut found = Vec::new();
    for port in free.pick(&room, args.policy) {
        if found.len() == usize::from(args.count) {
            break;
        }
        let is_bound = match &bound {
            Some(bound) => bound.holds(port)?,
            None => false,
        };
        if !is_bound {
            found.push(port);
        }
    }
    if found.len() < usize::from(args.count) {
        return Err(PortsError::NoneFree(room.none(found.len(), args.count, args.policy)));
    }
    for port in found {
        cli::outln!(io, "{port}")?;
    }
    Ok(Exit::Done)
}

fn unknown_group(group: &PortPath, listing: &Listing, file: String) -> PortsError {
    let mut groups: Vec<PortPath> =
        listing.entries.iter().map(|entry| entry.path.parent()).collect();
    groups.retain(|group| !group.names().is_empty());
    groups.sort();
    groups.dedup();
    PortsError::UnknownGroup { group: group.clone(), file, near: nearest(group, &groups) }
}

/// Which numbers are taken by the registry, or reserved.
#[derive(Debug)]
pub(crate) struct Free {
    registered: Vec<bool>,
    reserved: Vec<bool>,
}

/// Numbers to pick from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    from: u16,
    to: u16,
    /// The highest number that is taken there.
    behind: Option<u16>,
}

/// That too few numbers are free.
#[derive(Debug)]
pub(crate) struct NoneFree {
    found: usize,
    count: u16,
    from: u32,
    to: u16,
    pub(crate) rule: PickRule,
}

impl std::fmt::Display for NoneFree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.count {
            1 => f.write_str("no number is free: ")?,
            count => write!(f, "{count} numbers are not free: ")?,
        }
        if self.from > u32::from(self.to) {
            return write!(f, "nothing is behind {}", self.to);
        }
        write!(f, "{} to {} has {}", self.from, self.to, self.found)
    }
}

impl Room {
    /// That there are fewer than were asked for.
    pub(crate) fn none(self, found: usize, count: u16, rule: PickRule) -> NoneFree {
        NoneFree { found, count, from: self.start(rule), to: self.to, rule }
    }

    /// The first number that a rule looks at.
    fn start(self, rule: PickRule) -> u32 {
        match (rule, self.behind) {
            (PickRule::Last, Some(highest)) => u32::from(highest) + 1,
            _ => u32::from(self.from),
        }
    }
}

impl Free {
    /// Reads a registry. An entry without a value may be any number, so nothing is known to be free then.
    pub(crate) fn of(listing: &Listing, policy: &Policy) -> Result<Self, PortsError> {
        let unknown = |problem: &&RegistryError| {
            !matches!(problem, RegistryError::OutOfRange { .. } | RegistryError::Backwards { .. })
        };
        if let Some(problem) = listing.problems.iter().find(unknown) {
            return Err(PortsError::NotWhole(problem.to_string()));
        }
        let mut registered = vec![false; 1 << 16];
        let mut reserved = registered.clone();
        for part in listing.entries.iter().flat_map(|entry| &entry.parts) {
            registered[usize::from(part.from)..=usize::from(part.to)].fill(true);
        }
        for numbers in policy.reserved() {
            reserved[usize::from(numbers.from)..=usize::from(numbers.to)].fill(true);
        }
        Ok(Self { registered, reserved })
    }

    fn is_registered(&self, port: u16) -> bool {
        self.registered.get(usize::from(port)).copied().unwrap_or(true)
    }

    /// Whether nothing has the number.
    pub(crate) fn holds(&self, port: u16) -> bool {
        !self.is_registered(port) && !self.reserved.get(usize::from(port)).copied().unwrap_or(true)
    }

    /// The highest registered number from the first to the last.
    fn highest(&self, from: u16, to: u16) -> Option<u16> {
        (from..=to).rev().find(|port| self.is_registered(*port))
    }

    /// The numbers for a port that has no group of its own.
    pub(crate) fn usual(&self) -> Room {
        let (from, to) = USUAL;
        Room { from, to, behind: self.highest(from, to) }
    }

    /// The numbers of a group: its band, else what is around its ports. None for a group without either.
    pub(crate) fn room(
        &self,
        group: &PortPath,
        listing: &Listing,
        policy: &Policy,
    ) -> Option<Room> {
        if let Some(band) = policy.band(group) {
            let (from, to) = (band.numbers.from, band.numbers.to);
            return Some(Room { from, to, behind: self.highest(from, to) });
        }
        let inside = listing.entries.iter().filter(|entry| entry.path.parent().is_in(group));
        let parts: Vec<_> = inside.flat_map(|entry| &entry.parts).collect();
        let from = parts.iter().map(|part| part.from).min()?;
        let behind = parts.iter().map(|part| part.to).max();
        Some(Room { from, to: u16::MAX, behind })
    }

    /// The free numbers of the room in the order in which they are taken.
    pub(crate) fn pick(&self, room: &Room, rule: PickRule) -> impl Iterator<Item = u16> {
        let numbers = room.start(rule)..=u32::from(room.to);
        numbers.filter_map(|port| u16::try_from(port).ok()).filter(|port| self.holds(*port))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_port_of_all_has_none_behind_it() {
        let free = Free { registered: vec![false; 1 << 16], reserved: vec![false; 1 << 16] };
        let room = Room { from: 65_534, to: 65_535, behind: Some(65_535) };
        assert_eq!(free.pick(&room, PickRule::Last).count(), 0);
        assert_eq!(free.pick(&room, PickRule::Gap).collect::<Vec<_>>(), [65_534, 65_535]);
    }
}
