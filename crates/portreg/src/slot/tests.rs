use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::{PortPath, Ports};

fn listing(ports: &[Ports]) -> Listing {
    let entry = |(index, ports): (usize, &Ports)| Entry {
        path: format!("p{index}").parse::<PortPath>().unwrap(),
        ports: ports.clone(),
        ends: None,
        protocol: None,
        place: None,
        description: None,
        written: None,
        parts: Vec::new(),
    };
    Listing { entries: ports.iter().enumerate().map(entry).collect(), ..Listing::default() }
}

fn room_of(step: u16, first: Slot, ports: &[Ports]) -> Room {
    let listing = listing(ports);
    let all = PortSet::of(&listing.entries);
    Room { step, first, moving: all.clone(), all }
}

#[test]
fn candidates_are_all_slots_once() {
    for (step, first) in [(10, 1), (10, 2000), (10, 700), (1, 5), (10_000, 1), (7, 33)] {
        let mut slots: Vec<Slot> = room_of(step, first, &[]).candidates().collect();
        assert_eq!(slots[0], first);
        slots.sort_unstable();
        let all: Vec<Slot> = (1..=u16::MAX / step).collect();
        assert_eq!(slots, all, "{step}");
    }
}

#[test]
fn the_preferred_slot_is_a_function_of_the_path() {
    assert_eq!(preferred(&PathBuf::from("/home/a/one"), 2000), 1721);
    assert_eq!(preferred(&PathBuf::from("/home/a/two"), 2000), 1428);
    assert_eq!(preferred(&PathBuf::from("/x"), 0), 1);
}

#[test]
fn what_fits() {
    let room = room_of(10, 1, &[Ports::One(3000), Ports::One(3010), Ports::Range(65_000, 65_009)]);
    assert!(!room.fits(1, &[]), "3000 would be 3010");
    assert!(room.fits(2, &[]));
    assert!(!room.fits(3, &[2]), "3000 would be where 3010 of the other one is");
    assert!(room.fits(4, &[2]));
    assert!(room.fits(52, &[]) && !room.fits(53, &[]), "65009 ends at 65535");
}

proptest! {
    /// The sets of bits say what plain numbers say.
    #[test]
    fn sets_agree_with_numbers(
        ports in prop::collection::vec((1_u16..1000, 0_u16..70), 1..6),
        by in 0_u16..1500,
    ) {
        let ports: Vec<Ports> = ports.iter().map(|(from, length)| Ports::Range(*from, from + length)).collect();
        let set = PortSet::of(&listing(&ports).entries);
        let numbers: Vec<u32> = ports.iter().flat_map(Ports::parts).flat_map(|(from, to)| u32::from(from)..=u32::from(to)).collect();
        let meets = numbers.iter().any(|number| numbers.contains(&(number + u32::from(by))));
        prop_assert_eq!(set.meets(&set, by), meets);
        let stays = |by: u16| numbers.iter().all(|number| number + u32::from(by) <= 65_535);
        prop_assert_eq!(set.stays_in_range(65_535 - 900 - by / 10), stays(65_535 - 900 - by / 10));
        for number in 0..1100 {
            prop_assert_eq!(set.contains(number), numbers.contains(&u32::from(number)));
        }
    }
}
