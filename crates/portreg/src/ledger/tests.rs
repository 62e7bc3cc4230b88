use std::ops::Range;

use super::*;

/// Candidates of a range, of which those fit that are no neighbours.
struct Spread(Range<Slot>);

impl Fit for Spread {
    fn candidates(&self) -> impl Iterator<Item = Slot> {
        self.0.clone()
    }

    fn fits(&self, slot: Slot, others: &[Slot]) -> bool {
        others.iter().all(|other| other.abs_diff(slot) > 1)
    }
}

struct Bed {
    folder: tempfile::TempDir,
    ledger: Ledger,
}

impl Bed {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::in_state_home(&folder.path().join("state"));
        Self { folder, ledger }
    }

    /// A worktree as git leaves it, of the repository `of`.
    fn worktree(&self, of: &str, name: &str) -> Worktree {
        let root = self.folder.path().join(name);
        let admin = self.folder.path().join(of).join("worktrees").join(name);
        for folder in [&root, &admin] {
            fs::create_dir_all(folder).unwrap();
        }
        fs::write(root.join(".git"), "").unwrap();
        fs::write(admin.join("gitdir"), root.join(".git").as_os_str().as_bytes()).unwrap();
        Worktree { root, admin }
    }

    fn remove(&self, worktree: &Worktree) {
        assert!(worktree.root.starts_with(self.folder.path()));
        fs::remove_dir_all(&worktree.root).unwrap();
        fs::remove_dir_all(&worktree.admin).unwrap();
    }

    fn allocate(&self, worktree: &Worktree, slots: Range<Slot>) -> Option<Slot> {
        self.ledger.allocate(worktree, &Spread(slots), false).unwrap()
    }

    fn text(&self) -> String {
        fs::read_to_string(self.ledger.file())
            .unwrap()
            .replace(self.folder.path().to_str().unwrap(), "")
    }
}

#[test]
fn a_slot_is_kept() {
    let bed = Bed::new();
    let (a, b, c) = (bed.worktree("r", "a"), bed.worktree("r", "b"), bed.worktree("s", "c"));
    assert_eq!(bed.ledger.slot(&a).unwrap(), None);
    assert_eq!(bed.allocate(&a, 5..9), Some(5));
    assert_eq!(bed.allocate(&b, 5..9), Some(7), "no neighbour in its repository");
    assert_eq!(bed.allocate(&c, 5..9), Some(6), "another repository has other ports");
    assert_eq!(bed.allocate(&a, 8..9), Some(5));
    assert_eq!(bed.ledger.slot(&b).unwrap(), Some(7));
    let lines = "5\t/a\t/r/worktrees/a\n6\t/c\t/s/worktrees/c\n7\t/b\t/r/worktrees/b\n";
    assert_eq!(bed.text(), format!("{HEADER}\n{lines}"));
}

#[test]
fn what_is_gone_gives_way_only_when_nothing_else_is_left() {
    let bed = Bed::new();
    let (a, b) = (bed.worktree("r", "a"), bed.worktree("r", "b"));
    assert_eq!(bed.allocate(&a, 1..4), Some(1));
    bed.remove(&a);
    assert_eq!(bed.allocate(&b, 1..4), Some(3));
    let a = bed.worktree("r", "a");
    assert_eq!(bed.allocate(&a, 1..4), Some(1), "made again, it has its slot again");
    let c = bed.worktree("r", "c");
    let before = bed.text();
    assert_eq!(bed.allocate(&c, 1..4), None, "both are there");
    assert_eq!(bed.text(), before);
    bed.remove(&a);
    assert_eq!(bed.allocate(&c, 1..4), Some(1));
    assert_eq!(bed.ledger.slot(&a).unwrap(), None);
}

#[test]
fn renewing_takes_another_one_or_changes_nothing() {
    let bed = Bed::new();
    let a = bed.worktree("r", "a");
    assert_eq!(bed.allocate(&a, 1..3), Some(1));
    let renew = |slots| bed.ledger.allocate(&a, &Spread(slots), true).unwrap();
    assert_eq!(renew(1..3), Some(2));
    assert_eq!(renew(2..3), None);
    assert_eq!(bed.ledger.slot(&a).unwrap(), Some(2));
}

#[test]
fn paths_of_any_bytes() {
    let bed = Bed::new();
    let name = OsString::from_vec(b"/a\tb\nc\\d\xff \xc3\xa9".to_vec());
    let worktree = Worktree { root: name.into(), admin: "/r/worktrees/x y".into() };
    assert_eq!(bed.allocate(&worktree, 4..5), Some(4));
    assert!(bed.text().contains("\n4\t/a\\x09b\\x0ac\\x5cd\\xff \\xc3\\xa9\t/r/worktrees/x y\n"));
    assert_eq!(bed.ledger.slot(&worktree).unwrap(), Some(4));
}

#[test]
fn what_is_no_ledger_is_refused_and_left_alone() {
    let bed = Bed::new();
    let a = bed.worktree("r", "a");
    fs::create_dir_all(bed.ledger.file().parent().unwrap()).unwrap();
    let line = |text: &str| format!("{HEADER}\n{text}\n");
    for (text, at) in [
        (String::new(), 1),
        ("# Slots of git worktrees. Format 2\n".to_owned(), 1),
        (line("x"), 2),
        (line("0\t/a\t/r/worktrees/a"), 2),
        (line("70000\t/a\t/r/worktrees/a"), 2),
        (line("1\ta\t/r/worktrees/a"), 2),
        (line("1\t/a\t/r/worktrees/a\tx"), 2),
        (line("1\t/a\\x0\t/r/worktrees/a"), 2),
        (line("1\t/a\t/r/worktrees/a\n\n2\t/a\t/r/worktrees/b"), 4),
        (line("1\t/a\t/r/worktrees/a\n1\t/b\t/r/worktrees/b"), 3),
    ] {
        fs::write(bed.ledger.file(), &text).unwrap();
        let error = bed.ledger.allocate(&a, &Spread(1..9), false).unwrap_err();
        assert!(
            matches!(error, LedgerError::Corrupt { line, .. } if line == at),
            "{text}: {error}"
        );
        assert_eq!(fs::read_to_string(bed.ledger.file()).unwrap(), text);
    }
}

#[test]
fn fifty_threads_get_fifty_slots() {
    let bed = Bed::new();
    let worktrees: Vec<Worktree> = (0..50).map(|n| bed.worktree("r", &format!("w{n}"))).collect();
    let slots: BTreeSet<Option<Slot>> = thread::scope(|scope| {
        let bed = &bed;
        let ask = |worktree| scope.spawn(move || bed.allocate(worktree, 1..200));
        let running: Vec<_> = worktrees.iter().map(ask).collect();
        running.into_iter().map(|running| running.join().unwrap()).collect()
    });
    assert_eq!(slots.len(), 50);
    for worktree in &worktrees {
        assert!(slots.contains(&bed.ledger.slot(worktree).unwrap()));
    }
}
