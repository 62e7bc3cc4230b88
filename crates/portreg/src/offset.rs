//! One offset for all ports of a checkout, so that several run side by side.

use nixexpr::Place;

use crate::entry::{Entry, Ports};
use crate::policy::Policy;
use crate::port_set::PortSet;
use crate::{Listing, PortPath};

/// What is added to the numbers that move. It is checked against the whole registry before it is used.
#[derive(Debug, Clone, Default)]
pub struct Offset {
    by: i32,
    policy: Policy,
}

/// An offset that cannot be.
#[derive(Debug, thiserror::Error)]
pub enum OffsetError {
    /// A number leaves the ports.
    #[error(
        "the offset {by} moves `{path}` from {number} to {moved}, which is not from 1 to 65535"
    )]
    Leaves {
        /// The offset.
        by: i32,
        /// The port.
        path: PortPath,
        /// Its number.
        number: u16,
        /// Where it would go.
        moved: i64,
    },
    /// A number lands on one of the registry.
    #[error("the offset {by} moves `{path}` from {number} to {moved}, which is `{other}`{}", at(place.as_ref()))]
    Taken {
        /// The offset.
        by: i32,
        /// The port.
        path: PortPath,
        /// Its number.
        number: u16,
        /// Where it would go.
        moved: i64,
        /// The port that is there.
        other: PortPath,
        /// Where that one is defined.
        place: Option<Place>,
    },
}

fn at(place: Option<&Place>) -> String {
    place.map_or_else(String::new, |place| format!(" ({place})"))
}

impl Offset {
    /// Checks an offset: every number that moves must stay a port and meet no number of the registry, as the checkout
    /// without an offset uses those.
    ///
    /// # Errors
    /// When it does not.
    pub fn new(by: i32, policy: Policy, listing: &Listing) -> Result<Self, OffsetError> {
        let offset = Self { by, policy };
        if by == 0 {
            return Ok(offset);
        }
        let taken = PortSet::of(&listing.entries);
        for entry in listing.entries.iter().filter(|entry| offset.policy.moves(&entry.path)) {
            for (from, to) in entry.ports.parts() {
                for number in from..=to {
                    offset.check(entry, number, &taken, listing)?;
                }
            }
        }
        Ok(offset)
    }

    fn check(
        &self,
        entry: &Entry,
        number: u16,
        taken: &PortSet,
        listing: &Listing,
    ) -> Result<(), OffsetError> {
        let (by, path) = (self.by, entry.path.clone());
        let moved = i64::from(number) + i64::from(by);
        let Ok(port) = u16::try_from(moved) else {
            return Err(OffsetError::Leaves { by, path, number, moved });
        };
        if port == 0 {
            return Err(OffsetError::Leaves { by, path, number, moved });
        }
        if !taken.contains(port) {
            return Ok(());
        }
        let other = listing.entries.iter().find(|other| other.ports.contains(port));
        let (other, place) =
            other.map_or((path.clone(), None), |other| (other.path.clone(), other.place.clone()));
        Err(OffsetError::Taken { by, path, number, moved, other, place })
    }

    /// The number itself.
    pub fn by(&self) -> i32 {
        self.by
    }

    /// The numbers of an entry in this checkout.
    pub fn apply(&self, entry: &Entry) -> Ports {
        if self.by == 0 || !self.policy.moves(&entry.path) {
            return entry.ports.clone();
        }
        self.moved(&entry.ports)
    }

    fn moved(&self, ports: &Ports) -> Ports {
        // What was checked does not wrap around.
        let moved = |port: u16| u16::try_from(i64::from(port) + i64::from(self.by)).unwrap_or(port);
        match ports {
            Ports::One(port) => Ports::One(moved(*port)),
            Ports::Range(from, to) => Ports::Range(moved(*from), moved(*to)),
            Ports::Many(all) => Ports::Many(all.iter().map(|ports| self.moved(ports)).collect()),
        }
    }
}
