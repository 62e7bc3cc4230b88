//! The `dockertools-1` dialect: byte for byte what dockerTools' `stream_layered_image.py` makes of store
//! paths, by way of Python's `tarfile` (3.9 and later) in its PAX format.
//!
//! `/nix/` and `/nix/store/` come first in every layer, then path after path in the order of the recipe,
//! each depth first. Directories end in a slash; times and owners are the recipe's stamp; what does not fit
//! 100 bytes of ASCII stands in a PAX header named `././@PaxHeader`; device numbers are NULs; zeros fill the
//! last record of 10,240 bytes. What has no counterpart there is refused: made entries, rules, options, and
//! paths that land elsewhere.

use std::borrow::Cow;

use super::LayerError;
use super::disk::{Child, Kind};
use super::header::{BLOCK, Header, add_record, padding, put_octal, put_text, seal};
use super::nar;
use super::recipe::{LayerRecipe, Stamp};
use super::walk::{Walk, ZEROS};

/// What a tar is padded to.
const RECORD: u64 = 10_240;

const NAME: usize = 100;
const OWNER: usize = 32;
/// What 7 octal digits hold, and what 11 do.
const LARGEST_ID: u64 = 0o777_7777;
const LARGEST_SIZE: u64 = 0o777_7777_7777;

impl Walk<'_> {
    /// Writes the whole tar.
    pub(super) fn write_dockertools(mut self) -> Result<(), LayerError> {
        check(self.recipe)?;
        for name in [&b"/nix"[..], b"/nix/store"] {
            self.name = name.to_vec();
            self.entry(None, Kind::Directory, b"", 0o755, 0)?;
        }
        for (number, path) in self.recipe.paths.iter().enumerate() {
            self.name = path.path.clone().into_bytes();
            self.source.clone_from(&self.name);
            if self.hashes[number].is_some() {
                self.nar.begin().map_err(|error| self.unhashed(number, error))?;
            }
            self.top(number)?;
            let found = self.nar.end().map_err(|error| self.unhashed(number, error))?;
            if let Some(expected) = &self.hashes[number] {
                let top = self.disk_path(number, path.path.as_bytes());
                // Where names are not text, the order was not that of a NAR: the path is read again.
                let found = match found {
                    Some(found) => found,
                    None => nar::identify(&top)?,
                };
                nar::compare(expected, &found, &top)?;
            }
        }
        self.out.write(&ZEROS)?;
        let filled = self.out.total() % RECORD;
        if filled > 0 {
            let rest = usize::try_from(RECORD - filled).unwrap_or_default();
            self.out.write(&vec![0; rest])?;
        }
        Ok(())
    }

    fn top(&mut self, number: usize) -> Result<(), LayerError> {
        let source = self.source.clone();
        let meta = self.disk.look(false, &source)?;
        let origin = super::tree::Origin { recipe: number, source };
        self.shown(&origin, &meta)?;
        if meta.kind == Kind::Directory {
            self.enter()?;
            let mut dir = self.disk.open_folder(false, &origin.source)?;
            self.folder(&mut dir, number)?;
            self.leave();
        }
        Ok(())
    }

    /// Puts the entries of a folder in Python's order, which is that of characters. A byte that is none is
    /// one between U+DC80 and U+DCFF, in front of much that its bytes would sort behind.
    pub(super) fn in_order(&mut self, children: &mut [Child]) {
        let is_text = |child: &Child| {
            child.entry_name().is_ascii() || str::from_utf8(child.entry_name()).is_ok()
        };
        if children.iter().all(is_text) {
            return;
        }
        self.nar = nar::NarCheck::default();
        children.sort_by(|a, b| characters(a.entry_name()).cmp(characters(b.entry_name())));
    }
}

/// The characters of a name as Python sees them.
fn characters(name: &[u8]) -> impl Iterator<Item = u32> {
    name.utf8_chunks().flat_map(|chunk| {
        let valid = chunk.valid().chars().map(u32::from);
        valid.chain(chunk.invalid().iter().map(|byte| 0xdc00 + u32::from(*byte)))
    })
}

fn check(recipe: &LayerRecipe) -> Result<(), LayerError> {
    let refused =
        |what: &str| Err(LayerError::Dialect { dialect: "dockertools-1", what: what.to_owned() });
    if !recipe.entries.is_empty() {
        return refused("entries that no path has");
    }
    if !recipe.rules.is_empty() {
        return refused("rules for owners and modes");
    }
    for path in &recipe.paths {
        if path.plain || path.to.is_some() || path.options.is_some() {
            return refused(&format!("the path `{}` elsewhere or changed", path.path));
        }
        super::tree::check_path(path)?;
    }
    Ok(())
}

impl Header<'_> {
    /// Writes the header blocks, of which there are one or more, into `out`.
    pub(super) fn encode_dockertools(&self, stamp: &Stamp, out: &mut Vec<u8>) {
        out.clear();
        let mut name = Cow::Borrowed(self.name);
        if self.kind == Kind::Directory && !name.ends_with(b"/") {
            name.to_mut().push(b'/');
        }
        let mut records = Records::default();
        records.text("path", &name, NAME);
        records.text("linkpath", self.target, NAME);
        records.text("uname", stamp.uname.as_bytes(), OWNER);
        records.text("gname", stamp.gname.as_bytes(), OWNER);
        let uid = records.number("uid", u64::from(stamp.uid), LARGEST_ID);
        let gid = records.number("gid", u64::from(stamp.gid), LARGEST_ID);
        let size = records.number("size", self.size, LARGEST_SIZE);
        let mtime = records.number("mtime", stamp.mtime, LARGEST_SIZE);
        let fields = Fields { mode: self.mode, uid, gid, size, mtime };
        if let Some(records) = records.finish() {
            let size = records.len() as u64;
            let fields = Fields { size, ..Fields::default() };
            out.extend_from_slice(&fields.block(b"././@PaxHeader", b'x', b"", "", ""));
            out.extend_from_slice(&records);
            out.resize(out.len() + padding(size), 0);
        }
        let kind = match self.kind {
            Kind::File => b'0',
            Kind::Symlink => b'2',
            Kind::Directory => b'5',
        };
        let block = fields.block(&name, kind, self.target, &stamp.uname, &stamp.gname);
        out.extend_from_slice(&block);
    }
}

/// A member of the archive around the layers, by `tarfile` as well.
pub(crate) fn outer_member(name: &str, size: u64, stamp: &Stamp, mode: u32) -> Vec<u8> {
    let (uname, gname) = (&stamp.uname[..], &stamp.gname[..]);
    let header = Header {
        name: name.as_bytes(),
        kind: Kind::File,
        target: b"",
        mode,
        uid: stamp.uid,
        gid: stamp.gid,
        uname,
        gname,
        size,
        caps: None,
    };
    let mut out = Vec::new();
    header.encode_dockertools(stamp, &mut out);
    out
}

/// The numbers of a header.
#[derive(Debug, Clone, Copy, Default)]
struct Fields {
    mode: u32,
    uid: u64,
    gid: u64,
    size: u64,
    mtime: u64,
}

impl Fields {
    fn block(self, name: &[u8], kind: u8, target: &[u8], uname: &str, gname: &str) -> [u8; BLOCK] {
        let mut block = [0; BLOCK];
        put_text(&mut block[..100], &replaced(name));
        put_octal(&mut block[100..108], u64::from(self.mode));
        put_octal(&mut block[108..116], self.uid);
        put_octal(&mut block[116..124], self.gid);
        put_octal(&mut block[124..136], self.size);
        put_octal(&mut block[136..148], self.mtime);
        block[156] = kind;
        put_text(&mut block[157..257], &replaced(target));
        put_text(&mut block[265..297], &replaced(uname.as_bytes()));
        put_text(&mut block[297..329], &replaced(gname.as_bytes()));
        seal(&mut block);
        block
    }
}

/// The text with a question mark for each character that is not ASCII.
fn replaced(text: &[u8]) -> Cow<'_, [u8]> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let ascii = |c: u32| u8::try_from(c).ok().filter(u8::is_ascii).unwrap_or(b'?');
    Cow::Owned(characters(text).map(ascii).collect())
}

/// What goes into the PAX header, in Python's order.
#[derive(Default)]
struct Records {
    list: Vec<(&'static str, Vec<u8>)>,
    is_binary: bool,
}

impl Records {
    fn text(&mut self, keyword: &'static str, value: &[u8], longest: usize) {
        if value.len() > longest || !value.is_ascii() {
            self.is_binary |= str::from_utf8(value).is_err();
            self.list.push((keyword, value.to_vec()));
        }
    }

    /// What the header holds: the number, or 0 where a record holds it.
    fn number(&mut self, keyword: &'static str, value: u64, largest: u64) -> u64 {
        if value <= largest {
            return value;
        }
        self.list.push((keyword, value.to_string().into_bytes()));
        0
    }

    fn finish(self) -> Option<Vec<u8>> {
        if self.list.is_empty() {
            return None;
        }
        let mut out = Vec::new();
        if self.is_binary {
            add_record(&mut out, "hdrcharset", b"BINARY");
        }
        for (keyword, value) in self.list {
            add_record(&mut out, keyword, &value);
        }
        Some(out)
    }
}
