//! A set of port numbers, one bit each.

use crate::Entry;

const BITS: usize = u64::BITS as usize;

/// Numbers from 0 to 65535.
#[derive(Debug, Clone)]
pub(crate) struct PortSet(Vec<u64>);

impl PortSet {
    /// All numbers of some entries.
    pub(crate) fn of<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Self {
        let mut words = vec![0; (1 << 16) / BITS];
        for (from, to) in entries.into_iter().flat_map(|entry| entry.ports.parts()) {
            for number in usize::from(from)..=usize::from(to) {
                words[number / BITS] |= 1 << (number % BITS);
            }
        }
        Self(words)
    }

    pub(crate) fn contains(&self, number: u16) -> bool {
        let number = usize::from(number);
        self.0[number / BITS] >> (number % BITS) & 1 == 1
    }

    /// Whether all of them are still at most 65535 when `by` is added.
    pub(crate) fn stays_in_range(&self, by: u16) -> bool {
        let highest = self.0.iter().rposition(|word| *word != 0).map(|index| {
            let bit = BITS - 1 - self.0[index].leading_zeros() as usize;
            index * BITS + bit
        });
        highest.is_none_or(|highest| highest + usize::from(by) < 1 << 16)
    }

    /// Whether one of them is in `others` when `by` is added.
    pub(crate) fn meets(&self, others: &Self, by: u16) -> bool {
        let (words, bits) = (usize::from(by) / BITS, usize::from(by) % BITS);
        (words..self.0.len()).any(|index| {
            let low = self.0[index - words] << bits;
            let carried = match (index - words).checked_sub(1) {
                Some(below) if bits > 0 => self.0[below] >> (BITS - bits),
                _ => 0,
            };
            (low | carried) & others.0[index] != 0
        })
    }
}
