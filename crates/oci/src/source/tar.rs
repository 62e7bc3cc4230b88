//! The files in a tar, by name: where each begins and how long it is. Nothing is unpacked.
//!
//! [POSIX ustar and pax](https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html), and GNU's long names.
//! Refused: wrong checksums, files that end early, sparse files, two different files of one name, more entries and longer names
//! than an image's archive has.

use fs_err::os::unix::fs::FileExt as _;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use super::Region;

const BLOCK: u64 = 512;
type Block = [u8; 512];
/// An archive of an image has a handful for each layer.
const MAX_ENTRIES: usize = 100_000;
/// Names and pax records are held in memory.
const MAX_EXTRA: u64 = 1 << 20;
/// How many bytes of two files are compared at once.
const COMPARED: usize = 64 << 10;
/// A chain of links that is longer is a loop.
const MAX_LINKS: usize = 8;

/// Why a file is not a tar that we read.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the fields are named in the message of each variant")]
pub enum TarError {
    /// The file system said no.
    #[error("cannot read it")]
    Read(#[from] io::Error),
    /// Other bytes.
    #[error("at byte {at} there is no tar header")]
    Header { at: u64 },
    /// It is cut off.
    #[error("`{name}` ends early: the archive has {size} bytes, and it should end at byte {end}")]
    Truncated { name: String, end: u64, size: u64 },
    /// Which one is meant cannot be told.
    #[error("it holds two different files named `{name}`")]
    Twice { name: String },
    /// A file with holes.
    #[error("`{name}` is a sparse file")]
    Sparse { name: String },
    /// A name that would fill memory.
    #[error(
        "at byte {at} there is a name or header of {size} bytes, but it must be at most 1048576"
    )]
    Extra { at: u64, size: u64 },
    /// A list that would fill memory.
    #[error("it has more than 100000 entries")]
    TooMany,
}

/// The files of a tar.
#[derive(Debug)]
pub(super) struct TarIndex {
    file: Arc<fs_err::File>,
    entries: BTreeMap<String, Entry>,
}

#[derive(Debug, PartialEq, Eq)]
enum Entry {
    File { offset: u64, size: u64 },
    Link(String),
}

impl TarIndex {
    /// Reads the headers of a file.
    pub(super) fn read(file: Arc<fs_err::File>) -> Result<Self, TarError> {
        let size = file.metadata()?.len();
        let mut walk = Walk { file: &file, size, at: 0, name: None, link: None, length: None };
        let mut entries = BTreeMap::new();
        let mut count = 0;
        while let Some((name, entry)) = walk.next()? {
            count += 1;
            if count > MAX_ENTRIES {
                return Err(TarError::TooMany);
            }
            let Some(entry) = entry else { continue };
            let name = normal(&name);
            match entries.get(&name) {
                None => drop(entries.insert(name, entry)),
                Some(first) if same(&file, first, &entry)? => {}
                Some(_) => return Err(TarError::Twice { name }),
            }
        }
        Ok(Self { file, entries })
    }

    /// A file by its name, through links.
    pub(super) fn get(&self, name: &str) -> Option<Region> {
        let mut name = normal(name);
        for _ in 0..MAX_LINKS {
            match self.entries.get(&name)? {
                Entry::File { offset, size } => {
                    let file = Arc::clone(&self.file);
                    return Some(Region { file, offset: *offset, size: *size });
                }
                Entry::Link(target) => name.clone_from(target),
            }
        }
        None
    }
}

/// Whether two entries of one name are the same: some writers repeat a layer that an image has twice.
fn same(file: &Arc<fs_err::File>, first: &Entry, second: &Entry) -> io::Result<bool> {
    let (Entry::File { offset, size }, Entry::File { offset: other, size: other_size }) =
        (first, second)
    else {
        return Ok(first == second);
    };
    let mut left = *size;
    if left != *other_size {
        return Ok(false);
    }
    let (mut one, mut two) = (vec![0; COMPARED], vec![0; COMPARED]);
    while left > 0 {
        let at = size - left;
        let part = COMPARED.min(usize::try_from(left).unwrap_or(COMPARED));
        file.read_exact_at(&mut one[..part], offset + at)?;
        file.read_exact_at(&mut two[..part], other + at)?;
        if one[..part] != two[..part] {
            return Ok(false);
        }
        left -= part as u64;
    }
    Ok(true)
}

struct Walk<'a> {
    file: &'a fs_err::File,
    size: u64,
    at: u64,
    /// What an extended header says about the next entry.
    name: Option<String>,
    link: Option<String>,
    length: Option<u64>,
}

impl Walk<'_> {
    /// The next entry; `None` in its place for what is neither a file nor a link.
    fn next(&mut self) -> Result<Option<(String, Option<Entry>)>, TarError> {
        loop {
            let at = self.at;
            let mut block: Block = [0; 512];
            // Some writers leave the two empty blocks at the end out.
            if at == self.size && at != 0 {
                return Ok(None);
            }
            if at + BLOCK > self.size {
                return Err(TarError::Header { at });
            }
            self.file.read_exact_at(&mut block, at)?;
            if block.iter().all(|byte| *byte == 0) {
                return if at == 0 { Err(TarError::Header { at }) } else { Ok(None) };
            }
            let header = Header::parse(&block).ok_or(TarError::Header { at })?;
            let length = self.length.take().filter(|_| !header.is_extra()).unwrap_or(header.size);
            let data = at + BLOCK;
            let name = if header.is_extra() { String::new() } else { self.take_name(&header) };
            let end = data.checked_add(length).filter(|end| *end <= self.size);
            let Some(end) = end else {
                let end = data.saturating_add(length);
                return Err(TarError::Truncated { name, end, size: self.size });
            };
            self.at = end.next_multiple_of(BLOCK);
            match header.kind {
                b'L' => self.name = Some(text(&self.extra(data, length)?)),
                b'K' => self.link = Some(text(&self.extra(data, length)?)),
                b'x' => self.extended(&self.extra(data, length)?),
                b'g' => {}
                b'S' => return Err(TarError::Sparse { name }),
                0 | b'0' | b'7' => {
                    return Ok(Some((name, Some(Entry::File { offset: data, size: length }))));
                }
                b'1' | b'2' => {
                    let target = self.link.take().unwrap_or(header.link);
                    let base = if header.kind == b'2' { name.as_str() } else { "" };
                    let target = beside(base, &target);
                    return Ok(Some((name, Some(Entry::Link(target)))));
                }
                _ => {
                    self.link = None;
                    return Ok(Some((name, None)));
                }
            }
        }
    }

    fn take_name(&mut self, header: &Header) -> String {
        self.name.take().unwrap_or_else(|| header.name.clone())
    }

    fn extra(&self, at: u64, size: u64) -> Result<Vec<u8>, TarError> {
        if size > MAX_EXTRA {
            return Err(TarError::Extra { at, size });
        }
        let mut bytes = vec![0; usize::try_from(size).unwrap_or(usize::MAX)];
        self.file.read_exact_at(&mut bytes, at)?;
        Ok(bytes)
    }

    /// Records of a pax header: `LENGTH KEY=VALUE\n`.
    fn extended(&mut self, mut rest: &[u8]) {
        while let Some(blank) = rest.iter().position(|byte| *byte == b' ') {
            let length = std::str::from_utf8(&rest[..blank]).ok().and_then(|n| n.parse().ok());
            let Some(length) = length.filter(|n| (blank + 2..=rest.len()).contains(n)) else {
                return;
            };
            let record = text(&rest[blank + 1..length - 1]);
            rest = &rest[length..];
            match record.split_once('=') {
                Some(("path", value)) => self.name = Some(value.to_owned()),
                Some(("linkpath", value)) => self.link = Some(value.to_owned()),
                Some(("size", value)) => self.length = value.parse().ok(),
                _ => {}
            }
        }
    }
}

struct Header {
    name: String,
    link: String,
    size: u64,
    kind: u8,
}

impl Header {
    fn parse(block: &Block) -> Option<Self> {
        let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
        let field: u64 = block[148..156].iter().map(|byte| u64::from(*byte)).sum();
        // The checksum is computed with blanks in its own place.
        if octal(&block[148..156])? != sum - field + 8 * u64::from(b' ') {
            return None;
        }
        let name = text(&block[..100]);
        let prefix =
            if &block[257..263] == b"ustar\0" { text(&block[345..500]) } else { String::new() };
        let name = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        Some(Self {
            name,
            link: text(&block[157..257]),
            size: number(&block[124..136])?,
            kind: block[156],
        })
    }

    /// Whether it says something about the entry behind it.
    fn is_extra(&self) -> bool {
        matches!(self.kind, b'L' | b'K' | b'x' | b'g')
    }
}

/// Text up to the first NUL. Names that are not UTF-8 are none that an image's archive asks for.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

fn octal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?.trim_matches(['\0', ' ']);
    if text.is_empty() { Some(0) } else { u64::from_str_radix(text, 8).ok() }
}

/// Octal, or GNU's big-endian binary with its first bit set.
fn number(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 == 0 {
        return octal(field);
    }
    let (high, low) = field.split_at(field.len() - 8);
    if high[0] != 0x80 || high[1..].iter().any(|byte| *byte != 0) {
        return None;
    }
    low.try_into().ok().map(u64::from_be_bytes)
}

/// `./a//b` as `a/b`; what leads out of the archive stays as it is, and is never asked for.
fn normal(name: &str) -> String {
    let parts = name.split('/').filter(|part| !part.is_empty() && *part != ".");
    parts.collect::<Vec<_>>().join("/")
}

/// A link's target, which is relative to the folder of the link.
fn beside(link: &str, target: &str) -> String {
    let mut parts: Vec<&str> = link.split('/').collect();
    parts.pop();
    if target.starts_with('/') {
        parts.clear();
    }
    for part in target.split('/') {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    normal(&parts.join("/"))
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use proptest::prelude::*;

    use super::*;

    fn tar<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
        let mut out = Vec::new();
        for (name, bytes) in files {
            let size = bytes.len() as u64;
            out.extend_from_slice(&crate::layer::header::archive_member(name, size));
            out.extend_from_slice(bytes);
            out.resize(out.len().next_multiple_of(512), 0);
        }
        out.resize(out.len() + 1024, 0);
        out
    }

    fn index(bytes: &[u8]) -> Result<TarIndex, TarError> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        TarIndex::read(Arc::new(fs_err::File::from_parts(file, "test.tar")))
    }

    fn content(index: &TarIndex, name: &str) -> Option<String> {
        let mut text = String::new();
        index.get(name)?.reader().read_to_string(&mut text).unwrap();
        Some(text)
    }

    /// A tar whose entries are of this kind; each has a target if it is a link.
    fn entry(kind: u8, name: &str, target: &str, bytes: &[u8]) -> Vec<u8> {
        let mut out = tar([(name, bytes)]);
        out.truncate(out.len() - 1024);
        out[156] = kind;
        out[157..157 + target.len()].copy_from_slice(target.as_bytes());
        out[148..156].copy_from_slice(b"        ");
        let sum: u32 = out[..512].iter().map(|byte| u32::from(*byte)).sum();
        out[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        out
    }

    #[test]
    fn files_are_found_by_their_plain_names() {
        let index = index(&tar([("./a//b", b"one".as_slice()), ("c", b"")])).unwrap();
        assert_eq!(content(&index, "a/b").unwrap(), "one");
        assert_eq!(content(&index, "./a/b").unwrap(), "one");
        assert_eq!(content(&index, "c").unwrap(), "");
        assert!(index.get("a").is_none() && index.get("../c").is_none());
    }

    #[test]
    fn links_lead_to_files_and_loops_lead_nowhere() {
        let archive = [
            entry(b'0', "x/layer.tar", "", b"layer"),
            entry(b'2', "y/layer.tar", "../x/layer.tar", b""),
            entry(b'1', "z", "y/layer.tar", b""),
            entry(b'2', "loop", "loop", b""),
            entry(b'2', "out", "../../etc/passwd", b""),
            entry(b'5', "x/", "", b""),
        ];
        let index = index(&archive.concat()).unwrap();
        assert_eq!(content(&index, "y/layer.tar").unwrap(), "layer");
        assert_eq!(content(&index, "z").unwrap(), "layer");
        assert!(index.get("loop").is_none() && index.get("out").is_none());
    }

    #[test]
    fn long_names_come_from_either_kind_of_header() {
        let long = "n".repeat(150);
        let record = format!("{} path={long}\n", 150 + 10);
        let archive = [
            entry(b'x', "pax", "", record.as_bytes()),
            entry(b'0', "short", "", b"pax"),
            entry(b'L', "././@LongLink", "", format!("{long}2\0").as_bytes()),
            entry(b'0', "short", "", b"gnu"),
        ];
        let index = index(&archive.concat()).unwrap();
        assert_eq!(content(&index, &long).unwrap(), "pax");
        assert_eq!(content(&index, &format!("{long}2")).unwrap(), "gnu");
        assert!(index.get("short").is_none());
    }

    proptest! {
        /// Whatever the bytes, what is found lies inside the file.
        #[test]
        fn nothing_panics(changes in prop::collection::vec((0_usize..4096, any::<u8>()), 0..6), cut in 0_usize..5000) {
            let mut bytes = [
                entry(b'x', "pax", "", b"13 size=3\n"),
                entry(b'0', "a", "", b"abc"),
                entry(b'L', "l", "", b"name\0"),
                entry(b'2', "b", "a", b""),
            ].concat();
            for (at, byte) in changes {
                let end = bytes.len();
                bytes[at % end] = byte;
            }
            bytes.truncate(cut);
            if let Ok(index) = index(&bytes) {
                for name in index.entries.keys() {
                    if let Some(region) = index.get(name) {
                        prop_assert!(region.offset + region.size <= bytes.len() as u64);
                    }
                }
            }
        }
    }
}
