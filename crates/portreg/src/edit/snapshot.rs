//! The whole value of a file, to be compared with the one after an edit.

use std::collections::BTreeMap;
use std::path::Path;

use nixexpr::EvalError;

use crate::error::RegistryError;
use crate::tree::{Node, Raw, Tree};

/// Sets and lists inside each other.
const DEPTH: usize = 32;
/// Values of one file.
const COUNT: usize = 100_000;

/// A value and everything in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Snapshot {
    Number(i64),
    Plain(String),
    List(Vec<Self>),
    Set(BTreeMap<String, Self>),
    /// It has no value; the reason without its place, which an edit moves.
    Failed(String),
}

/// One value that is not the same.
#[derive(Debug)]
pub(super) struct Difference<'a> {
    pub(super) path: Vec<String>,
    old: Option<&'a Snapshot>,
    new: Option<&'a Snapshot>,
}

impl Snapshot {
    pub(super) fn take(tree: &mut Tree, file: &Path) -> Result<Self, RegistryError> {
        let root = tree.root();
        let mut count = 0;
        take(tree, root, 0, &mut count).ok_or_else(|| RegistryError::TooMany {
            file: file.to_owned(),
            what: "values, or values inside each other,",
            limit: if count > COUNT { COUNT } else { DEPTH },
        })
    }

    /// What is not the same, a few at most: one is too many already.
    pub(super) fn differences<'a>(&'a self, new: &'a Self) -> Vec<Difference<'a>> {
        let mut found = Vec::new();
        compare(Some(self), Some(new), &mut Vec::new(), &mut found);
        found
    }

    /// Whether it is groups inside each other, each with one name only, down to what satisfies `is_it`.
    fn leads_to(&self, names: &[String], is_it: impl Fn(&Self) -> bool) -> bool {
        let mut here = self;
        for name in names {
            match here {
                Self::Set(members) if members.len() == 1 => match members.get(name) {
                    Some(member) => here = member,
                    None => return false,
                },
                _ => return false,
            }
        }
        is_it(here)
    }
}

/// None where there is too much.
fn take(tree: &mut Tree, node: Node, depth: usize, count: &mut usize) -> Option<Snapshot> {
    *count += 1;
    if depth > DEPTH || *count > COUNT {
        return None;
    }
    Some(match tree.raw(node) {
        Ok(Raw::Number(number)) => Snapshot::Number(number),
        Ok(Raw::Plain(text)) => Snapshot::Plain(text),
        Ok(Raw::List(items)) => {
            let items = items.into_iter().map(|item| take(tree, item, depth + 1, count));
            Snapshot::List(items.collect::<Option<_>>()?)
        }
        Ok(Raw::Set(members)) => {
            let members = members.into_iter().map(|(name, member)| {
                Some((name.to_string(), take(tree, member, depth + 1, count)?))
            });
            Snapshot::Set(members.collect::<Option<_>>()?)
        }
        Err(error) => Snapshot::Failed(reason(&error)),
    })
}

fn reason(error: &EvalError) -> String {
    match error {
        EvalError::Syntax { what, .. }
        | EvalError::Evaluation { what, .. }
        | EvalError::Refused { what, .. }
        | EvalError::Limit { what, .. } => what.clone(),
        EvalError::Read(_) | EvalError::TooLarge { .. } => error.to_string(),
    }
}

fn compare<'a>(
    old: Option<&'a Snapshot>,
    new: Option<&'a Snapshot>,
    path: &mut Vec<String>,
    found: &mut Vec<Difference<'a>>,
) {
    if old == new || found.len() > 2 {
        return;
    }
    let (Some(Snapshot::Set(a)), Some(Snapshot::Set(b))) = (old, new) else {
        found.push(Difference { path: path.clone(), old, new });
        return;
    };
    let added = b.keys().filter(|name| !a.contains_key(*name));
    for name in a.keys().chain(added) {
        path.push(name.clone());
        compare(a.get(name), b.get(name), path, found);
        path.pop();
    }
}

impl Difference<'_> {
    /// Whether it is the new number at `names`, with the groups around it that were not there.
    pub(super) fn adds(&self, names: &[String], number: i64) -> bool {
        let is_it = |new: &Snapshot| *new == Snapshot::Number(number);
        self.old.is_none()
            && names
                .strip_prefix(&self.path[..])
                .is_some_and(|rest| self.new.is_some_and(|new| new.leads_to(rest, is_it)))
    }

    /// Whether it is another number at `names`, or inside the port that is there.
    pub(super) fn sets(&self, names: &[String], number: i64) -> bool {
        matches!(self.old, Some(Snapshot::Number(_)))
            && self.new == Some(&Snapshot::Number(number))
            && self.path.starts_with(names)
    }

    /// Whether what was at `names` is gone, with the groups around it that had nothing else.
    pub(super) fn removes(&self, names: &[String]) -> bool {
        self.new.is_none()
            && names
                .strip_prefix(&self.path[..])
                .is_some_and(|rest| self.old.is_some_and(|old| old.leads_to(rest, |_| true)))
    }
}
