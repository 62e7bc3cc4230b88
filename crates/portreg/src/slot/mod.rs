//! The offset of a checkout: the slot of its worktree, times a step.
//!
//! Which slot a worktree prefers is a function of its path alone. It gets that one or the next that fits: every port
//! that moves stays a port, meets none of the registry, and none of another worktree of the same repository.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::checkout::{Checkout, CheckoutError, Worktree};
use crate::ledger::{Fit, Ledger, LedgerError, Slot};
use crate::offset::{Offset, OffsetError};
use crate::policy::Policy;
use crate::port_set::PortSet;
use crate::{Entry, Listing};

/// Offsets up to here are tried first: with them, most ports stay below those that systems give to clients.
const NEAR: u16 = 20_000;

/// A checkout, its slot and its offset.
#[derive(Debug)]
pub struct Assigned {
    /// The checkout.
    pub checkout: Checkout,
    /// Its slot.
    pub slot: Slot,
    /// What that moves.
    pub offset: Offset,
    /// Whether the worktree had no slot before.
    pub is_new: bool,
}

/// A checkout without an offset.
#[derive(Debug, thiserror::Error)]
pub enum SlotError {
    /// It is not clear which checkout it is.
    #[error(transparent)]
    Checkout(#[from] CheckoutError),
    /// The ledger cannot be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// There is no folder for the ledger.
    #[error(
        "a linked worktree needs a folder for its slot, and neither `XDG_STATE_HOME` nor `HOME` is set"
    )]
    NoHome,
    /// The slot does not go with the registry any more.
    #[error("the slot {slot} of this worktree does not fit the registry")]
    NoLongerFits {
        /// The slot.
        slot: Slot,
        /// Why.
        #[source]
        source: OffsetError,
    },
    /// None goes with the registry.
    #[error("no slot is left for this worktree: {tried} were tried, {step} apart")]
    NoneLeft {
        /// How many slots there are.
        tried: u16,
        /// How far their offsets are apart.
        step: u16,
    },
}

impl Assigned {
    /// Finds the slot of the checkout around a folder, and gives one to a linked worktree that has none.
    ///
    /// # Errors
    /// When the checkout or the ledger cannot be read or written, and when no slot fits.
    pub fn of(
        folder: &Path,
        ledger: Option<&Ledger>,
        policy: Policy,
        listing: &Listing,
    ) -> Result<Self, SlotError> {
        Self::find(folder, ledger, policy, listing, false)
    }

    /// Gives a linked worktree another slot than it has.
    ///
    /// # Errors
    /// As [`Assigned::of`]; the worktree keeps its slot then.
    pub fn renewed(
        folder: &Path,
        ledger: Option<&Ledger>,
        policy: Policy,
        listing: &Listing,
    ) -> Result<Self, SlotError> {
        Self::find(folder, ledger, policy, listing, true)
    }

    fn find(
        folder: &Path,
        ledger: Option<&Ledger>,
        policy: Policy,
        listing: &Listing,
        renew: bool,
    ) -> Result<Self, SlotError> {
        let checkout = Checkout::around(folder)?;
        let Checkout::Linked(worktree) = &checkout else {
            return Ok(Self { checkout, slot: 0, offset: Offset::default(), is_new: false });
        };
        let ledger = ledger.ok_or(SlotError::NoHome)?;
        let step = policy.step();
        let (slot, is_new) = match ledger.slot(worktree)? {
            Some(slot) if !renew => (slot, false),
            _ => (room(worktree, &policy, listing).allocate(worktree, ledger, renew)?, true),
        };
        let by = i32::from(slot) * i32::from(step);
        let offset = Offset::new(by, policy, listing)
            .map_err(|source| SlotError::NoLongerFits { slot, source })?;
        Ok(Self { checkout, slot, offset, is_new })
    }
}

fn room(worktree: &Worktree, policy: &Policy, listing: &Listing) -> Room {
    let moves = |entry: &&Entry| policy.moves(&entry.path);
    let step = policy.step();
    Room {
        step,
        first: preferred(worktree.root(), NEAR / step),
        all: PortSet::of(&listing.entries),
        moving: PortSet::of(listing.entries.iter().filter(moves)),
    }
}

/// The slot that a path prefers, from 1 to `count`: its FNV-1a hash.
fn preferred(root: &Path, count: u16) -> Slot {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for &byte in root.as_os_str().as_bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    }
    // The low bits of FNV-1a are its weakest.
    let hash = hash ^ (hash >> 32);
    u16::try_from(hash % u64::from(count.max(1))).unwrap_or(0) + 1
}

/// What a slot has to fit into.
struct Room {
    step: u16,
    first: Slot,
    all: PortSet,
    moving: PortSet,
}

impl Room {
    fn allocate(
        &self,
        worktree: &Worktree,
        ledger: &Ledger,
        renew: bool,
    ) -> Result<Slot, SlotError> {
        let slot = ledger.allocate(worktree, self, renew)?;
        slot.ok_or(SlotError::NoneLeft { tried: u16::MAX / self.step, step: self.step })
    }
}

impl Fit for Room {
    fn candidates(&self) -> impl Iterator<Item = Slot> {
        let near = (NEAR / self.step).max(1);
        let far = near + 1..=u16::MAX / self.step;
        (self.first..=near).chain(1..self.first).chain(far)
    }

    fn fits(&self, slot: Slot, others: &[Slot]) -> bool {
        let Some(by) = slot.checked_mul(self.step) else { return false };
        let apart = |other: Slot| other.saturating_mul(self.step).abs_diff(by);
        self.moving.stays_in_range(by)
            && !self.moving.meets(&self.all, by)
            && others.iter().all(|&other| !self.moving.meets(&self.moving, apart(other)))
    }
}

#[cfg(test)]
mod tests;
