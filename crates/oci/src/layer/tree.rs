//! What a layer will hold, before anything is read: a tree of names, each with the places it comes from.
//!
//! A store path is one leaf of this tree, however many files it has: its folders are listed when they are
//! written. Only a rewrite that has to look at every name brings every name in here.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::LayerError;
use super::disk::{self, Kind};
use super::recipe::{LayerRecipe, PathRecipe};
use super::rewrite::{Naming, replace_all};

/// Nothing nests deeper: every folder on the way down is held open.
pub(super) const DEEPEST: usize = 200;

/// One place that a name comes from.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    /// The number of the recipe's path.
    pub(super) recipe: usize,
    /// The absolute path there, as the recipe knows it (the store root is not in front).
    pub(super) source: Vec<u8>,
}

/// One name of the layer. One that is not shown is a folder nobody asked for, on the way to others.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// Where the entry itself comes from; the last one is taken.
    pub(super) shown: Vec<Origin>,
    /// Folders whose contents belong here.
    pub(super) contents: Vec<Origin>,
    /// Names that were put here one by one.
    pub(super) children: BTreeMap<Vec<u8>, Self>,
    /// The number of the entry that is made here.
    pub(super) made: Option<usize>,
}

impl Node {
    /// Builds the tree of a recipe.
    pub(super) fn of(recipe: &LayerRecipe, disk: &disk::Disk) -> Result<Self, LayerError> {
        let mut root = Self::default();
        for (number, path) in recipe.paths.iter().enumerate() {
            check_path(path)?;
            let top = Origin { recipe: number, source: path.path.clone().into_bytes() };
            let kind = disk.look(path.plain, &top.source)?.kind;
            match Naming::of(path)? {
                Naming::Prefix(name) => root.add_whole(top, kind, &name)?,
                Naming::Regex { regex, repl } => {
                    let name = |source: &[u8]| replace_all(&regex, source, &repl);
                    root.add_each(&top, kind, path.plain, disk, &name, 0)?;
                }
            }
        }
        for (number, entry) in recipe.entries.iter().enumerate() {
            let node = root.at(entry.to.as_bytes())?;
            if node.made.replace(number).is_some() {
                return Err(LayerError::Made { to: entry.to.clone(), what: "it is there twice" });
            }
        }
        Ok(root)
    }

    /// Adds a path with everything below it.
    fn add_whole(&mut self, top: Origin, kind: Kind, name: &[u8]) -> Result<(), LayerError> {
        if name.is_empty() {
            if kind == Kind::Directory {
                self.at(b"/")?.contents.push(top);
            }
            return Ok(());
        }
        let node = self.at(name)?;
        if kind == Kind::Directory {
            node.contents.push(top.clone());
        }
        node.shown.push(top);
        Ok(())
    }

    /// Adds every entry below a path by the name that `name` gives it.
    fn add_each(
        &mut self,
        origin: &Origin,
        kind: Kind,
        plain: bool,
        disk: &disk::Disk,
        name: &dyn Fn(&[u8]) -> Vec<u8>,
        depth: usize,
    ) -> Result<(), LayerError> {
        if depth > DEEPEST {
            return Err(LayerError::Depth { path: disk.path(plain, &origin.source) });
        }
        let to = name(&origin.source);
        if !to.is_empty() {
            self.at(&to)?.shown.push(origin.clone());
        }
        if kind == Kind::Directory {
            for child in disk.list(plain, &origin.source)? {
                let source = [&origin.source, &b"/"[..], child.name.to_bytes()].concat();
                let origin = Origin { recipe: origin.recipe, source };
                self.add_each(&origin, child.kind, plain, disk, name, depth + 1)?;
            }
        }
        Ok(())
    }

    /// The node of a name, made if it is not there.
    fn at(&mut self, name: &[u8]) -> Result<&mut Self, LayerError> {
        let mut node = self;
        for part in components(name)? {
            node = node.children.entry(part.to_vec()).or_default();
        }
        Ok(node)
    }
}

/// A path must be absolute, and mean what it says.
pub(super) fn check_path(path: &PathRecipe) -> Result<(), LayerError> {
    let is_clean = |part: &str| !part.is_empty() && part != "." && part != "..";
    match path.path.strip_prefix('/') {
        Some(rest) if rest.split('/').all(is_clean) => Ok(()),
        _ => Err(LayerError::Path { path: path.path.clone() }),
    }
}

/// The components of a name. That of the root folder is empty, so that `/` sorts before everything.
fn components(name: &[u8]) -> Result<Vec<&[u8]>, LayerError> {
    let wrong = || LayerError::Name { name: String::from_utf8_lossy(name).into_owned() };
    let mut parts = Vec::new();
    if name.starts_with(b"/") {
        parts.push(&b""[..]);
    }
    for part in name.split(|b| *b == b'/') {
        match part {
            b"" | b"." => {}
            b".." => return Err(wrong()),
            part => parts.push(part),
        }
    }
    if parts.is_empty() || name.contains(&0) { Err(wrong()) } else { Ok(parts) }
}

/// For messages.
pub(super) fn display(name: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt as _;
    std::ffi::OsStr::from_bytes(name).into()
}
