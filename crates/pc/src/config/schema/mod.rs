//! The format: every key with its type, as data. Checking, merging and `pc schema` all go by it.

mod check;
mod keys;
mod merge;

pub(crate) use check::{check, nearest, seconds, whole};
pub(crate) use keys::{PROCESS, PROJECT};
pub(crate) use merge::{merge, variables};

/// What a value must be.
#[derive(Debug)]
pub(crate) enum Type {
    /// Text; every scalar is.
    Text,
    /// A boolean, the words of YAML 1.1 included.
    Bool,
    /// `is_disabled`: text that says `true` or `false`, or a boolean.
    Tristate,
    /// A whole number.
    Whole(i64, i64),
    /// A whole number that only strict projects insist on.
    SoftWhole(i64, i64),
    /// Seconds, with fractions or not.
    Seconds,
    /// A duration as Go writes it.
    Duration,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Text, or a list of texts; a later one takes the place of an earlier one.
    Names,
    /// A list; a later one is appended.
    List(&'static Self),
    /// A list; a later one takes the place of an earlier one.
    OnlyList(&'static Self),
    /// Names and values.
    Map(&'static Self),
    /// Known keys.
    Object(&'static Object),
    /// `K=V`, in a list or as a mapping; merged by name.
    Environment,
    /// Anything.
    Any,
}

/// Known keys.
#[derive(Debug)]
pub(crate) struct Object {
    /// What has them, for messages: `a process`.
    pub(crate) what: &'static str,
    /// The keys.
    pub(crate) keys: &'static [Key],
}

/// One key.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) kind: Type,
    /// What it means, for `pc schema`.
    pub(crate) doc: &'static str,
    /// Whose it is.
    pub(crate) origin: Origin,
}

/// Whose a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// process-compose has it.
    Upstream,
    /// process-compose has it for itself; it is accepted and means nothing.
    Internal,
    /// Only `pc` has it.
    Ours,
}

impl Object {
    pub(crate) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}
