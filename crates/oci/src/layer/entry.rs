//! Writing single entries: what a header says of them, and their contents.

use std::ffi::CStr;
use std::os::fd::{AsFd as _, BorrowedFd};

use nixdata::nar::{Digester, EncodeError, Encoder};
use rustix::fs::Dir;

use super::LayerError;
use super::disk::{self, Kind, Meta};
use super::header::{Header, padding};
use super::recipe::Dialect;
use super::rule::CompiledRule;
use super::tree::Origin;
use super::walk::{Walk, ZEROS};

impl Walk<'_> {
    /// Writes one entry that was found by its path.
    pub(super) fn shown(&mut self, origin: &Origin, meta: &Meta) -> Result<(), LayerError> {
        let plain = self.is_plain(origin);
        match meta.kind {
            Kind::Directory => {
                self.piece(origin.recipe, Encoder::directory)?;
                self.entry(Some(origin.recipe), Kind::Directory, b"", mode(plain, meta), 0)
            }
            Kind::Symlink => {
                let target = self.disk.target(plain, &origin.source)?;
                self.piece(origin.recipe, |nar| nar.symlink(target.to_bytes()))?;
                self.entry(Some(origin.recipe), Kind::Symlink, target.to_bytes(), 0o777, 0)
            }
            Kind::File => {
                let file = self.disk.open_file(plain, &origin.source)?;
                self.file(file.as_fd(), origin.recipe)
            }
        }
    }

    /// Writes what is in a folder that is the only one of its name.
    pub(super) fn folder(&mut self, dir: &mut Dir, recipe: usize) -> Result<(), LayerError> {
        let mut children = disk::list(dir, || self.disk_path(recipe, &self.source))?;
        if self.recipe.dialect == Dialect::Dockertools1 {
            self.in_order(&mut children);
        }
        let here = dir.fd().map_err(|e| self.read_error("list", recipe, e))?;
        let (name, source) = (self.name.len(), self.source.len());
        for child in &children {
            self.piece(recipe, |nar| nar.entry(child.entry_name()))?;
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
                    self.piece(recipe, |nar| nar.symlink(target.to_bytes()))?;
                    self.entry(Some(recipe), Kind::Symlink, target.to_bytes(), 0o777, 0)?;
                }
                Kind::Directory => self.subfolder(here, &child.name, recipe)?,
            }
            self.name.truncate(name);
            self.source.truncate(source);
        }
        self.piece(recipe, Encoder::end_directory)
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
        self.piece(recipe, Encoder::directory)?;
        self.entry(Some(recipe), Kind::Directory, b"", mode, 0)?;
        self.folder(&mut dir, recipe)?;
        self.leave();
        Ok(())
    }

    pub(super) fn file(&mut self, file: BorrowedFd<'_>, recipe: usize) -> Result<(), LayerError> {
        let meta = disk::meta_of(file, || self.disk_path(recipe, &self.source))?;
        if meta.kind != Kind::File {
            return Err(self.changed(recipe));
        }
        let mode = mode(self.recipe.paths[recipe].plain, &meta);
        self.piece(recipe, |nar| nar.file(meta.mode & 0o100 != 0, meta.size))?;
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
            let taken = self.nar.piece(|nar| nar.contents(&room[..read]));
            self.out.advance(read);
            taken.map_err(|error| self.unhashed(recipe, error))?;
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
    pub(super) fn entry(
        &mut self,
        recipe: Option<usize>,
        kind: Kind,
        target: &[u8],
        mode: u32,
        size: u64,
    ) -> Result<(), LayerError> {
        let (uid, gid, uname, gname, caps) = (0, 0, "root", "root", None);
        let name = &self.name[..];
        let mut header = Header { name, kind, target, mode, uid, gid, uname, gname, size, caps };
        for (regex, mode, perm) in recipe.map_or(&[][..], |recipe| &self.perms[recipe]) {
            if !regex.is_match(&self.source) {
                continue;
            }
            (header.uid, header.gid) = (perm.uid, perm.gid);
            if let Some(mode) = mode {
                header.mode = *mode;
            }
            if !perm.uname.is_empty() {
                header.uname = &perm.uname;
            }
            if !perm.gname.is_empty() {
                header.gname = &perm.gname;
            }
        }
        match self.recipe.dialect {
            Dialect::N2c1 => ruled(header, &self.rules).encode(&mut self.header),
            Dialect::Dockertools1 => {
                header.encode_dockertools(&self.recipe.stamp, &mut self.header);
            }
        }
        self.out.write(&self.header)
    }

    /// Passes a piece on to whoever takes the NAR hash of the path, if that is done.
    pub(super) fn piece(
        &mut self,
        recipe: usize,
        piece: impl FnOnce(&mut Encoder<Digester>) -> Result<(), EncodeError>,
    ) -> Result<(), LayerError> {
        self.nar.piece(piece).map_err(|error| self.unhashed(recipe, error))
    }
}

/// The header with all rules that match applied.
pub(super) fn ruled<'h>(mut header: Header<'h>, rules: &[CompiledRule]) -> Header<'h> {
    for rule in rules.iter().filter(|rule| rule.regex.is_match(header.name)) {
        if let Some(uid) = rule.uid {
            (header.uid, header.uname) = (uid, owner_name(uid));
        }
        if let Some(gid) = rule.gid {
            (header.gid, header.gname) = (gid, owner_name(gid));
        }
        if let Some(mode) = rule.mode.filter(|_| header.kind != Kind::Symlink) {
            header.mode = mode;
        }
        if let Some(caps) = rule.caps.filter(|_| header.kind == Kind::File) {
            header.caps = Some(caps.attribute());
        }
    }
    header
}

/// The name beside a number: a reader that prefers names must not make root the owner.
pub(super) fn owner_name(id: u32) -> &'static str {
    if id == 0 { "root" } else { "" }
}

/// The mode of an entry before any rule. Outside the store it is what the store would make of it.
pub(super) fn mode(plain: bool, meta: &Meta) -> u32 {
    match meta.kind {
        Kind::Symlink => 0o777,
        Kind::Directory if plain => 0o555,
        Kind::File if plain && meta.mode & 0o100 != 0 => 0o555,
        Kind::File if plain => 0o444,
        Kind::File | Kind::Directory => meta.mode,
    }
}
