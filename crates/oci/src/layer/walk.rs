//! Writing the entries of a tree, in the order of the dialect: depth first, children by the bytes of
//! their names.

use std::path::PathBuf;

use nixdata::Hash;
use nixdata::nar::{EncodeError, Encoder};
use regex::bytes::Regex;

use super::LayerError;
use super::chunks::ChunkWriter;
use super::disk::{self, Disk, Kind, Meta};
use super::entry::{mode, owner_name, ruled};
use super::header::{Header, padding};
use super::made::{CheckedEntry, MadeEntry};
use super::nar::{self, NarCheck};
use super::recipe::{LayerRecipe, OnConflict, PathRecipe, Perm};
use super::rewrite::compile;
use super::rule::{CompiledRule, Rule, octal_mode};
use super::tree::{DEEPEST, Node, Origin, display};

pub(super) const ZEROS: [u8; 1024] = [0; 1024];

/// The place that an entry is taken from.
struct Picked<'o> {
    origin: &'o Origin,
    meta: Meta,
}

/// Writes one layer.
pub(super) struct Walk<'a> {
    pub(super) recipe: &'a LayerRecipe,
    pub(super) disk: Disk,
    pub(super) perms: Vec<Vec<(Regex, Option<u32>, &'a Perm)>>,
    pub(super) rules: Vec<CompiledRule>,
    pub(super) made: Vec<CheckedEntry>,
    /// The NAR hash that each path must have.
    pub(super) hashes: Vec<Option<Hash>>,
    /// Takes the NAR hash of the path that is being written, if that is one piece of the layer.
    pub(super) nar: NarCheck,
    pub(super) out: &'a mut ChunkWriter,
    /// The header being written; one buffer for all.
    pub(super) header: Vec<u8>,
    /// The name of the entry being written.
    pub(super) name: Vec<u8>,
    /// The source of the entry being written.
    pub(super) source: Vec<u8>,
    depth: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        recipe: &'a LayerRecipe,
        disk: Disk,
        out: &'a mut ChunkWriter,
    ) -> Result<Self, LayerError> {
        let perms = recipe.paths.iter().map(|path| path.perms().iter().map(compile_perm).collect());
        let perms = perms.collect::<Result<_, _>>()?;
        let rules = recipe.rules.iter().map(Rule::compiled).collect::<Result<_, _>>()?;
        let made = recipe.entries.iter().map(MadeEntry::checked).collect::<Result<_, _>>()?;
        let hashes = recipe.paths.iter().map(nar_hash).collect::<Result<_, _>>()?;
        Ok(Self {
            recipe,
            disk,
            perms,
            rules,
            made,
            hashes,
            nar: NarCheck::default(),
            out,
            header: Vec::new(),
            name: Vec::new(),
            source: Vec::new(),
            depth: 0,
        })
    }

    /// Writes the whole tar.
    pub(super) fn write(mut self) -> Result<(), LayerError> {
        let root = Node::of(self.recipe, &self.disk)?;
        for (name, node) in root.children {
            self.name.clear();
            self.name.extend_from_slice(if name.is_empty() { b"/" } else { &name });
            self.node(node)?;
        }
        self.out.write(&ZEROS)?;
        // Those that were mingled with others are read again.
        for (number, expected) in self.hashes.iter().enumerate() {
            let Some(expected) = expected else { continue };
            let path = self.disk_path(number, self.recipe.paths[number].path.as_bytes());
            nar::compare(expected, &nar::identify(&path)?, &path)?;
        }
        Ok(())
    }

    fn node(&mut self, mut node: Node) -> Result<(), LayerError> {
        self.enter()?;
        let whole = self.whole_path(&node);
        if let Some(number) = whole {
            self.nar.begin().map_err(|error| self.unhashed(number, error))?;
        }
        let shown = std::mem::take(&mut node.shown);
        let picked = self.pick(&shown)?;
        match (&picked, node.made) {
            (_, Some(made)) => self.made(made, &node, picked.as_ref())?,
            (Some(Picked { origin, meta }), None) => {
                if meta.kind != Kind::Directory {
                    self.nothing_below(origin, &mut node)?;
                }
                self.source.clone_from(&origin.source);
                self.shown(origin, meta)?;
            }
            (None, None) => {
                self.piece(whole.unwrap_or_default(), Encoder::directory)?;
                self.entry(None, Kind::Directory, b"", 0o755, 0)?;
            }
        }
        match (&node.contents[..], node.children.is_empty()) {
            ([only], true) => {
                let plain = self.recipe.paths[only.recipe].plain;
                let mut dir = self.disk.open_folder(plain, &only.source)?;
                self.source.clone_from(&only.source);
                self.folder(&mut dir, only.recipe)?;
            }
            _ => self.merged(node)?,
        }
        if let Some(number) = whole {
            self.compare(number)?;
        }
        self.leave();
        Ok(())
    }

    /// The number of the path that this is all of, and nothing else, if its NAR hash is wanted.
    fn whole_path(&self, node: &Node) -> Option<usize> {
        let mut origins = node.shown.iter().chain(&node.contents);
        let number = origins.next()?.recipe;
        let is_top = |origin: &Origin| {
            origin.recipe == number && origin.source == self.recipe.paths[number].path.as_bytes()
        };
        let is_alone = node.shown.len() < 2
            && node.contents.len() < 2
            && node.shown.iter().chain(&node.contents).all(is_top)
            && node.children.is_empty()
            && node.made.is_none();
        (is_alone && self.hashes[number].is_some()).then_some(number)
    }

    fn compare(&mut self, number: usize) -> Result<(), LayerError> {
        let found = self.nar.end().map_err(|error| self.unhashed(number, error))?;
        if let (Some(expected), Some(found)) = (self.hashes[number].take(), found) {
            let path = self.disk_path(number, self.recipe.paths[number].path.as_bytes());
            nar::compare(&expected, &found, &path)?;
        }
        Ok(())
    }

    /// Writes an entry that the recipe makes.
    fn made(
        &mut self,
        number: usize,
        node: &Node,
        picked: Option<&Picked<'_>>,
    ) -> Result<(), LayerError> {
        let made = &self.made[number];
        let is_folder = made.kind == Kind::Directory;
        let other = picked.filter(|picked| !is_folder || picked.meta.kind != Kind::Directory);
        let below = node.contents.first().filter(|_| !is_folder);
        if let Some(origin) = other.map(|picked| picked.origin).or(below) {
            return Err(LayerError::Conflict {
                name: display(&self.name),
                first: self.disk_path(origin.recipe, &origin.source),
                second: display(&self.name),
                what: "the second one is to be made",
            });
        }
        if !is_folder && !node.children.is_empty() {
            let to = self.recipe.entries[number].to.clone();
            return Err(LayerError::Made { to, what: "there are entries below it" });
        }
        let target = if made.kind == Kind::Symlink { &made.bytes[..] } else { b"" };
        let size = if made.kind == Kind::File { made.bytes.len() as u64 } else { 0 };
        let header = Header {
            name: &self.name,
            kind: made.kind,
            target,
            mode: made.mode,
            uid: made.uid,
            gid: made.gid,
            uname: owner_name(made.uid),
            gname: owner_name(made.gid),
            size,
            caps: None,
        };
        let header = ruled(header, &self.rules);
        header.encode(&mut self.header);
        self.out.write(&self.header)?;
        if size > 0 {
            self.out.write(&made.bytes)?;
            self.out.write(&ZEROS[..padding(size)])?;
        }
        Ok(())
    }

    /// What is no directory has nothing below it, unless that was said to give way.
    fn nothing_below(&self, origin: &Origin, node: &mut Node) -> Result<(), LayerError> {
        let gives_way = |below: &Origin| {
            let policy = |number: usize| self.recipe.paths[number].on_conflict;
            matches!(policy(origin.recipe.max(below.recipe)), OnConflict::First | OnConflict::Last)
        };
        node.contents.retain(|below| !gives_way(below));
        let child = || node.children.values().find_map(|child| child.shown.first());
        match node.contents.first().or_else(child) {
            None => Ok(()),
            Some(below) => Err(LayerError::Conflict {
                name: display(&self.name),
                first: self.disk_path(origin.recipe, &origin.source),
                second: self.disk_path(below.recipe, &below.source),
                what: "one is not a directory",
            }),
        }
    }

    /// Writes what is below a name that several places put something into.
    fn merged(&mut self, mut node: Node) -> Result<(), LayerError> {
        for folder in &node.contents {
            let plain = self.recipe.paths[folder.recipe].plain;
            for child in self.disk.list(plain, &folder.source)? {
                let source = [&folder.source, &b"/"[..], child.name.to_bytes()].concat();
                let origin = Origin { recipe: folder.recipe, source };
                let below = node.children.entry(child.entry_name().to_vec()).or_default();
                if child.kind == Kind::Directory {
                    below.contents.push(origin.clone());
                }
                below.shown.push(origin);
            }
        }
        let length = self.name.len();
        for (name, child) in node.children {
            self.push_name(&name);
            self.node(child)?;
            self.name.truncate(length);
        }
        Ok(())
    }

    /// The place that an entry is taken from: the last one, if they agree, or if they were told what to do.
    fn pick<'o>(&self, origins: &'o [Origin]) -> Result<Option<Picked<'o>>, LayerError> {
        let mut picked: Option<Picked<'o>> = None;
        for origin in origins {
            let meta = self.disk.look(self.is_plain(origin), &origin.source)?;
            let new = Picked { origin, meta };
            let Some(old) = &picked else {
                picked = Some(new);
                continue;
            };
            let Some(what) = self.difference(old, &new)? else {
                picked = Some(new);
                continue;
            };
            let are_folders = [old.meta.kind, new.meta.kind] == [Kind::Directory; 2];
            match self.recipe.paths[origin.recipe].on_conflict {
                OnConflict::First => {}
                OnConflict::Last => picked = Some(new),
                OnConflict::MergeDirs if are_folders => picked = Some(new),
                OnConflict::Error | OnConflict::MergeDirs => {
                    return Err(LayerError::Conflict {
                        name: display(&self.name),
                        first: self.disk_path(old.origin.recipe, &old.origin.source),
                        second: self.disk_path(origin.recipe, &origin.source),
                        what,
                    });
                }
            }
        }
        Ok(picked)
    }

    /// In which way two places of one name make it differently.
    fn difference(
        &self,
        old: &Picked<'_>,
        new: &Picked<'_>,
    ) -> Result<Option<&'static str>, LayerError> {
        let perms = |it: &Picked<'_>| self.recipe.paths[it.origin.recipe].perms();
        let mode = |it: &Picked<'_>| mode(self.is_plain(it.origin), &it.meta);
        let place = |it: &Picked<'_>| (self.is_plain(it.origin), it.origin.source.clone());
        Ok(if old.meta.kind != new.meta.kind {
            Some("one is not what the other is")
        } else if mode(old) != mode(new) {
            Some("they have other modes")
        } else if old.meta.size != new.meta.size {
            Some("they have other sizes")
        } else if perms(old) != perms(new) {
            Some("they have other permission rules")
        } else if self.must_be_same(old.origin, new.origin) {
            let ((one_plain, one), (two_plain, two)) = (place(old), place(new));
            let is_same = self.disk.is_same(old.meta.kind, (one_plain, &one), (two_plain, &two))?;
            (!is_same).then_some("they hold other contents")
        } else {
            None
        })
    }

    /// Whether two files of one name must hold the same. nix2container takes the later one unseen, and so
    /// do its recipes here; those that say `to` are ours.
    fn must_be_same(&self, one: &Origin, two: &Origin) -> bool {
        [one, two].iter().any(|origin| self.recipe.paths[origin.recipe].to.is_some())
    }

    pub(super) fn is_plain(&self, origin: &Origin) -> bool {
        self.recipe.paths[origin.recipe].plain
    }

    pub(super) fn push_name(&mut self, name: &[u8]) {
        if !self.name.ends_with(b"/") {
            self.name.push(b'/');
        }
        self.name.extend_from_slice(name);
    }

    pub(super) fn enter(&mut self) -> Result<(), LayerError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(LayerError::Depth { path: display(&self.name) });
        }
        Ok(())
    }

    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    pub(super) fn disk_path(&self, recipe: usize, source: &[u8]) -> PathBuf {
        self.disk.path(self.recipe.paths[recipe].plain, source)
    }

    pub(super) fn read_error(
        &self,
        what: &'static str,
        recipe: usize,
        e: rustix::io::Errno,
    ) -> LayerError {
        disk::read_error(what, self.disk_path(recipe, &self.source), e)
    }

    pub(super) fn changed(&self, recipe: usize) -> LayerError {
        LayerError::Changed { path: self.disk_path(recipe, &self.source) }
    }

    pub(super) fn unhashed(&self, recipe: usize, error: EncodeError) -> LayerError {
        let path = self.disk_path(recipe, self.recipe.paths[recipe].path.as_bytes());
        LayerError::Nar { path, source: error.into() }
    }
}

fn compile_perm(perm: &Perm) -> Result<(Regex, Option<u32>, &Perm), LayerError> {
    Ok((compile(&perm.regex)?, octal_mode(&perm.mode)?, perm))
}

/// The hash that a path of the store must have, if that is known.
fn nar_hash(path: &PathRecipe) -> Result<Option<Hash>, LayerError> {
    let Some(text) = path.nar_hash.as_ref().filter(|_| !path.plain) else { return Ok(None) };
    let hash = Hash::parse_with(text, nixdata::Algorithm::Sha256);
    hash.map(Some).map_err(|source| LayerError::Hash { text: text.clone(), source })
}
