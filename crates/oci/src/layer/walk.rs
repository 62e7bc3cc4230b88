//! Writing the entries of a tree, in the order of the dialect: depth first, children by the bytes of
//! their names.

use std::ffi::CStr;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::path::PathBuf;

use regex::bytes::Regex;
use rustix::fs::Dir;

use super::LayerError;
use super::chunks::ChunkWriter;
use super::disk::{self, Disk, Kind, Meta};
use super::header::{Header, padding};
use super::recipe::{LayerRecipe, Perm};
use super::rewrite::compile;
use super::tree::{DEEPEST, Node, Origin, display};

const ZEROS: [u8; 1024] = [0; 1024];

/// Writes one layer.
pub(super) struct Walk<'a> {
    recipe: &'a LayerRecipe,
    disk: Disk,
    perms: Vec<Vec<(Regex, u32, &'a Perm)>>,
    out: &'a mut ChunkWriter,
    /// The header being written; one buffer for all.
    header: Vec<u8>,
    /// The name of the entry being written.
    name: Vec<u8>,
    /// The source of the entry being written.
    source: Vec<u8>,
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
        let (header, name, source) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { recipe, disk, perms, out, header, name, source, depth: 0 })
    }

    /// Writes the whole tar.
    pub(super) fn write(mut self) -> Result<(), LayerError> {
        let root = Node::of(self.recipe, &self.disk)?;
        for (name, node) in root.children {
            self.name.clear();
            self.name.extend_from_slice(if name.is_empty() { b"/" } else { &name });
            self.node(node)?;
        }
        self.out.write(&ZEROS)
    }

    fn node(&mut self, node: Node) -> Result<(), LayerError> {
        self.enter()?;
        match self.pick(&node.shown)? {
            None => self.entry(None, Kind::Directory, b"", 0o755, 0)?,
            Some((origin, meta)) => {
                self.source.clone_from(&origin.source);
                self.shown(origin, &meta)?;
                let below = node.contents.first().map(|below| below.source.clone()).or_else(|| {
                    node.children
                        .values()
                        .find_map(|child| Some(child.shown.first()?.source.clone()))
                });
                if let Some(below) = below.filter(|_| meta.kind != Kind::Directory) {
                    return Err(LayerError::Conflict {
                        name: display(&self.name),
                        first: self.disk_path(origin.recipe, &origin.source),
                        second: display(&below),
                        what: "one is not a directory",
                    });
                }
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
        self.leave();
        Ok(())
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

    /// The place that an entry is taken from: the last one, if they agree.
    fn pick<'o>(&self, origins: &'o [Origin]) -> Result<Option<(&'o Origin, Meta)>, LayerError> {
        let mut picked: Option<(&Origin, Meta)> = None;
        for origin in origins {
            let plain = self.is_plain(origin);
            let meta = self.disk.look(plain, &origin.source)?;
            if let Some((before, old)) = &picked {
                let perms = |origin: &Origin| self.recipe.paths[origin.recipe].perms();
                let mode = |origin: &Origin, meta| mode(self.is_plain(origin), meta);
                let what = if old.kind != meta.kind {
                    Some("one is not what the other is")
                } else if mode(before, old) != mode(origin, &meta) {
                    Some("they have other modes")
                } else if old.size != meta.size {
                    Some("they have other sizes")
                } else if perms(before) != perms(origin) {
                    Some("they have other permission rules")
                } else if self.must_be_same(before, origin)
                    && !self.disk.is_same(meta.kind, self.place(before), self.place(origin))?
                {
                    Some("they hold other contents")
                } else {
                    None
                };
                if let Some(what) = what {
                    return Err(LayerError::Conflict {
                        name: display(&self.name),
                        first: self.disk_path(before.recipe, &before.source),
                        second: self.disk_path(origin.recipe, &origin.source),
                        what,
                    });
                }
            }
            picked = Some((origin, meta));
        }
        Ok(picked)
    }

    /// Whether two files of one name must hold the same. nix2container takes the later one unseen, and so
    /// do its recipes here; those that say `to` are ours.
    fn must_be_same(&self, one: &Origin, two: &Origin) -> bool {
        [one, two].iter().any(|origin| self.recipe.paths[origin.recipe].to.is_some())
    }

    fn is_plain(&self, origin: &Origin) -> bool {
        self.recipe.paths[origin.recipe].plain
    }

    fn place<'o>(&self, origin: &'o Origin) -> (bool, &'o [u8]) {
        (self.is_plain(origin), &origin.source)
    }

    /// Writes one entry that was found by its path.
    fn shown(&mut self, origin: &Origin, meta: &Meta) -> Result<(), LayerError> {
        let plain = self.is_plain(origin);
        match meta.kind {
            Kind::Directory => {
                self.entry(Some(origin.recipe), Kind::Directory, b"", mode(plain, meta), 0)
            }
            Kind::Symlink => {
                let target = self.disk.target(plain, &origin.source)?;
                self.entry(Some(origin.recipe), Kind::Symlink, target.to_bytes(), 0o777, 0)
            }
            Kind::File => {
                let file = self.disk.open_file(plain, &origin.source)?;
                self.file(file.as_fd(), origin.recipe)
            }
        }
    }

    /// Writes what is in a folder that is the only one of its name.
    fn folder(&mut self, dir: &mut Dir, recipe: usize) -> Result<(), LayerError> {
        let children = disk::list(dir, || self.disk_path(recipe, &self.source))?;
        let here = dir.fd().map_err(|e| self.read_error("list", recipe, e))?;
        let (name, source) = (self.name.len(), self.source.len());
        for child in &children {
            self.push_name(child.entry_name());
            self.source.push(b'/');
            self.source.extend_from_slice(child.name.to_bytes());
            match child.kind {
                Kind::File => {
                    let file = disk::open_file_at(here, child.name.as_c_str())
                        .map_err(|e| self.read_error("open", recipe, e))?;
                    self.file(file.as_fd(), recipe)?;
                }
                Kind::Symlink => {
                    let target = rustix::fs::readlinkat(here, child.name.as_c_str(), Vec::new())
                        .map_err(|e| self.read_error("read the link", recipe, e))?;
                    self.entry(Some(recipe), Kind::Symlink, target.to_bytes(), 0o777, 0)?;
                }
                Kind::Directory => self.subfolder(here, &child.name, recipe)?,
            }
            self.name.truncate(name);
            self.source.truncate(source);
        }
        Ok(())
    }

    fn subfolder(
        &mut self,
        parent: BorrowedFd<'_>,
        name: &CStr,
        recipe: usize,
    ) -> Result<(), LayerError> {
        self.enter()?;
        let mut dir =
            disk::open_folder_at(parent, name).map_err(|e| self.read_error("open", recipe, e))?;
        let fd = dir.fd().map_err(|e| self.read_error("open", recipe, e))?;
        let meta = disk::meta_of(fd, || self.disk_path(recipe, &self.source))?;
        let mode = mode(self.recipe.paths[recipe].plain, &meta);
        self.entry(Some(recipe), Kind::Directory, b"", mode, 0)?;
        self.folder(&mut dir, recipe)?;
        self.leave();
        Ok(())
    }

    fn file(&mut self, file: BorrowedFd<'_>, recipe: usize) -> Result<(), LayerError> {
        let meta = disk::meta_of(file, || self.disk_path(recipe, &self.source))?;
        if meta.kind != Kind::File {
            return Err(self.changed(recipe));
        }
        let mode = mode(self.recipe.paths[recipe].plain, &meta);
        self.entry(Some(recipe), Kind::File, b"", mode, meta.size)?;
        let mut left = meta.size;
        loop {
            let room = self.out.room()?;
            // One byte more than there should be: a file that grew is found without another call.
            let wanted = usize::try_from(left + 1).unwrap_or(usize::MAX).min(room.len());
            let read = match rustix::io::read(file, &mut room[..wanted]) {
                Err(rustix::io::Errno::INTR) => continue,
                Err(errno) => return Err(self.read_error("read", recipe, errno)),
                Ok(read) => read,
            };
            if read as u64 > left || (read == 0 && left > 0) {
                return Err(self.changed(recipe));
            }
            left -= read as u64;
            self.out.advance(read);
            if left == 0 && read < wanted {
                break;
            }
        }
        let after = disk::meta_of(file, || self.disk_path(recipe, &self.source))?;
        if after != meta {
            return Err(self.changed(recipe));
        }
        self.out.write(&ZEROS[..padding(meta.size)])
    }

    /// Writes the header of an entry.
    fn entry(
        &mut self,
        recipe: Option<usize>,
        kind: Kind,
        target: &[u8],
        mode: u32,
        size: u64,
    ) -> Result<(), LayerError> {
        let (uname, gname) = ("root", "root");
        let name = &self.name[..];
        let mut header = Header { name, kind, target, mode, uid: 0, gid: 0, uname, gname, size };
        for (regex, mode, perm) in recipe.map_or(&[][..], |recipe| &self.perms[recipe]) {
            if !regex.is_match(&self.source) {
                continue;
            }
            (header.uid, header.gid) = (perm.uid, perm.gid);
            if !perm.mode.is_empty() {
                header.mode = *mode;
            }
            if !perm.uname.is_empty() {
                header.uname = &perm.uname;
            }
            if !perm.gname.is_empty() {
                header.gname = &perm.gname;
            }
        }
        header.encode(&mut self.header);
        self.out.write(&self.header)
    }

    fn push_name(&mut self, name: &[u8]) {
        if !self.name.ends_with(b"/") {
            self.name.push(b'/');
        }
        self.name.extend_from_slice(name);
    }

    fn enter(&mut self) -> Result<(), LayerError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(LayerError::Depth { path: display(&self.name) });
        }
        Ok(())
    }

    fn leave(&mut self) {
        self.depth -= 1;
    }

    fn disk_path(&self, recipe: usize, source: &[u8]) -> PathBuf {
        self.disk.path(self.recipe.paths[recipe].plain, source)
    }

    fn read_error(&self, what: &'static str, recipe: usize, e: rustix::io::Errno) -> LayerError {
        disk::read_error(what, self.disk_path(recipe, &self.source), e)
    }

    fn changed(&self, recipe: usize) -> LayerError {
        LayerError::Changed { path: self.disk_path(recipe, &self.source) }
    }
}

fn compile_perm(perm: &Perm) -> Result<(Regex, u32, &Perm), LayerError> {
    let is_octal = perm.mode.len() <= 5 && perm.mode.bytes().all(|b| (b'0'..=b'7').contains(&b));
    let mode = match u32::from_str_radix(&perm.mode, 8) {
        _ if perm.mode.is_empty() => 0,
        Ok(mode) if is_octal && mode <= 0o7777 => mode,
        _ => return Err(LayerError::Mode { mode: perm.mode.clone() }),
    };
    Ok((compile(&perm.regex)?, mode, perm))
}

/// The mode of an entry before any rule. Outside the store it is what the store would make of it.
fn mode(plain: bool, meta: &Meta) -> u32 {
    match meta.kind {
        Kind::Symlink => 0o777,
        Kind::Directory if plain => 0o555,
        Kind::File if plain && meta.mode & 0o100 != 0 => 0o555,
        Kind::File if plain => 0o444,
        Kind::File | Kind::Directory => meta.mode,
    }
}
