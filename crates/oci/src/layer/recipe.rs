//! Recipes: what a layer is made of. A recipe is small, and the same recipe makes the same bytes on every
//! machine that has the same paths.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::made::MadeEntry;
use super::rule::Rule;
use crate::{Digest, to_go_json};

/// How a layer is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerRecipe {
    /// By which rules entries become a tar.
    pub dialect: Dialect,
    /// What is in it. Of two paths that make the same entry, the later one is taken.
    pub paths: Vec<PathRecipe>,
    /// What is in it besides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<MadeEntry>,
    /// Other owners, modes and capabilities. Every rule that matches is applied, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
    /// Time and owner of every entry, for dialects that leave them open.
    #[serde(default, skip_serializing_if = "Stamp::is_default")]
    pub stamp: Stamp,
}

/// Time and owner of the entries of a layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stamp {
    /// The time, in seconds since the epoch.
    pub mtime: u64,
    /// The owner's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
    /// The owner's name.
    pub uname: String,
    /// The group's name.
    pub gname: String,
}

impl Default for Stamp {
    /// Root, one second after the epoch.
    fn default() -> Self {
        Self { mtime: 1, uid: 0, gid: 0, uname: "root".to_owned(), gname: "root".to_owned() }
    }
}

impl Stamp {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// The rules by which entries become a tar. A rule never changes: a new one is a new dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Dialect {
    /// Byte for byte what nix2container writes.
    #[serde(rename = "n2c-1")]
    N2c1,
    /// Byte for byte what dockerTools' `stream_layered_image.py` writes.
    #[serde(rename = "dockertools-1")]
    Dockertools1,
}

/// A dialect that is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` must be `n2c-1` or `dockertools-1`")]
pub struct DialectError(String);

impl FromStr for Dialect {
    type Err = DialectError;

    fn from_str(text: &str) -> Result<Self, DialectError> {
        match text {
            "n2c-1" => Ok(Self::N2c1),
            "dockertools-1" => Ok(Self::Dockertools1),
            _ => Err(DialectError(text.to_owned())),
        }
    }
}

/// One path of a layer, with everything below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PathRecipe {
    /// Where it is read, absolute.
    pub path: String,
    /// Where it lands, if not at `path`. Of a directory that lands at `/`, only the contents do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Whether it is outside the store: the mode of each entry is then what the store would make of it
    /// (0555 for directories and what the owner may execute, else 0444).
    #[serde(default, skip_serializing_if = "is_false")]
    pub plain: bool,
    /// The hash of its contents as a NAR, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nar_hash: Option<String>,
    /// What becomes of an entry that an earlier path makes as well, but differently.
    #[serde(default, skip_serializing_if = "OnConflict::is_error")]
    pub on_conflict: OnConflict,
    /// What is changed on the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<PathOptions>,
}

/// What becomes of an entry that two paths make, and not the same way. The later path's word counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnConflict {
    /// The layer is not made.
    #[default]
    Error,
    /// The earlier path's entry is taken.
    First,
    /// The later path's entry is taken.
    Last,
    /// Of directories with other modes the later one is taken; anything else is an error.
    MergeDirs,
}

impl OnConflict {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
    fn is_error(&self) -> bool {
        *self == Self::Error
    }
}

/// What is changed on the way from a path to its entries.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PathOptions {
    /// Other names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rewrite: Option<Rewrite>,
    /// Other owners and modes. Every rule that matches is applied, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub perms: Vec<Perm>,
}

/// Replaces every match of `regex` in the absolute path of an entry by `repl`, in Go's syntax (`$1`,
/// `${name}`). An entry whose name becomes empty is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rewrite {
    /// What is looked for.
    pub regex: String,
    /// What takes its place.
    pub repl: String,
}

/// Owner and mode of the entries whose source path `regex` matches somewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Perm {
    /// What is looked for in the absolute source path.
    pub regex: String,
    /// The mode in octal digits; empty keeps it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub mode: String,
    /// The owner's number: set by every rule that matches, so leaving it out means 0.
    #[serde(default)]
    pub uid: u32,
    /// The group's number, likewise.
    #[serde(default)]
    pub gid: u32,
    /// The owner's name; empty keeps it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub uname: String,
    /// The group's name; empty keeps it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub gname: String,
}

impl LayerRecipe {
    /// A recipe in today's dialect.
    pub fn new(paths: Vec<PathRecipe>) -> Self {
        Self {
            dialect: Dialect::N2c1,
            paths,
            entries: Vec::new(),
            rules: Vec::new(),
            stamp: Stamp::default(),
        }
    }

    /// A name for the layer that this recipe makes: the digest of the recipe without what differs from
    /// machine to machine.
    ///
    /// Where a path outside the store is read is no part of it, so the layer's `diff_id` must stand for
    /// its contents.
    ///
    /// # Errors
    /// Never; the signature is serde's.
    pub fn key(&self, diff_id: &Digest) -> Result<Digest, serde_json::Error> {
        #[derive(Serialize)]
        struct Canonical<'a> {
            dialect: Dialect,
            paths: Vec<PathRecipe>,
            #[serde(skip_serializing_if = "<[_]>::is_empty")]
            entries: &'a [MadeEntry],
            #[serde(skip_serializing_if = "<[_]>::is_empty")]
            rules: &'a [Rule],
            #[serde(skip_serializing_if = "Stamp::is_default")]
            stamp: &'a Stamp,
            #[serde(skip_serializing_if = "Option::is_none")]
            diff_id: Option<&'a Digest>,
        }
        let mut paths = self.paths.clone();
        for path in paths.iter_mut().filter(|path| path.plain) {
            path.path.clear();
        }
        let needs_contents = paths.iter().any(|path| path.plain && path.nar_hash.is_none());
        let diff_id = needs_contents.then_some(diff_id);
        let (dialect, entries, rules) = (self.dialect, &self.entries[..], &self.rules[..]);
        let stamp = &self.stamp;
        to_go_json(&Canonical { dialect, paths, entries, rules, stamp, diff_id }).map(Digest::of)
    }
}

impl LayerRecipe {
    /// The key, if it stands for the contents by itself: of every path the NAR hash is known.
    pub(crate) fn own_key(&self) -> Option<Digest> {
        let is_known = |path: &PathRecipe| !path.plain && path.nar_hash.is_some();
        if !self.paths.iter().all(is_known) {
            return None;
        }
        self.key(&Digest::of("")).ok()
    }
}

impl PathRecipe {
    /// A path of the store, at its own name.
    pub fn new(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            to: None,
            plain: false,
            nar_hash: None,
            on_conflict: OnConflict::Error,
            options: None,
        }
    }

    /// A path outside the store, placed at `to`.
    pub fn plain(path: impl Into<String>, to: impl Into<String>) -> Self {
        Self { to: Some(to.into()), plain: true, ..Self::new(path) }
    }

    pub(crate) fn rewrite(&self) -> Option<&Rewrite> {
        self.options.as_ref()?.rewrite.as_ref().filter(|rewrite| !rewrite.regex.is_empty())
    }

    pub(crate) fn perms(&self) -> &[Perm] {
        self.options.as_ref().map_or(&[], |options| &options.perms)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_same_wherever_a_plain_path_is_read() {
        let diff_id = Digest::of("contents");
        let key = |path: &str, to: &str, diff_id: &Digest| {
            LayerRecipe::new(vec![PathRecipe::plain(path, to)]).key(diff_id).unwrap()
        };
        assert_eq!(key("/home/a/dir", "/", &diff_id), key("/tmp/dir", "/", &diff_id));
        assert_ne!(key("/tmp/dir", "/", &diff_id), key("/tmp/dir", "/srv", &diff_id));
        assert_ne!(key("/tmp/dir", "/", &diff_id), key("/tmp/dir", "/", &Digest::of("other")));
    }

    #[test]
    fn a_key_of_store_paths_needs_no_contents() {
        let recipe = LayerRecipe::new(vec![PathRecipe::new("/nix/store/x")]);
        assert_eq!(recipe.key(&Digest::of("a")).unwrap(), recipe.key(&Digest::of("b")).unwrap());
        // Pinned: a key that changes makes every layer look new.
        assert_eq!(
            recipe.key(&Digest::of("")).unwrap(),
            Digest::of(r#"{"dialect":"n2c-1","paths":[{"path":"/nix/store/x"}]}"#)
        );
    }
}
