//! What is in the layers: the entries of their tars, one by one or as the tree that a container sees.

use std::collections::BTreeMap;
use std::io::{self, Read};

use oci::{Digest, Hasher, HashingReader};
use serde::Serialize;

use super::{LookError, Subject};

/// More than any image has.
const MOST: usize = 4_000_000;
const CAPABILITY: &str = "SCHILY.xattr.security.capability";

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Entry {
    /// `file`, `dir`, `symlink`, or what else a tar holds.
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) mode: u32,
    pub(crate) uid: u64,
    pub(crate) gid: u64,
    pub(crate) size: u64,
    /// The digest of what is in a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) digest: Option<Digest>,
    /// Where a link leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<String>,
    /// The file's capabilities, as the kernel has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) capabilities: Option<String>,
}

impl Entry {
    /// In which ways another entry differs.
    pub(crate) fn differences(&self, other: &Self) -> Vec<String> {
        let mut out = Vec::new();
        let mut differ = |what: &str, one: &dyn ToString, two: &dyn ToString| {
            let (one, two) = (one.to_string(), two.to_string());
            if one != two {
                out.push(format!("{what} {one} -> {two}"));
            }
        };
        differ("type", &self.kind, &other.kind);
        differ("mode", &format!("{:04o}", self.mode), &format!("{:04o}", other.mode));
        differ(
            "owner",
            &format!("{}:{}", self.uid, self.gid),
            &format!("{}:{}", other.uid, other.gid),
        );
        differ("size", &self.size, &other.size);
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
        differ("target", &text(&self.target), &text(&other.target));
        differ("capabilities", &text(&self.capabilities), &text(&other.capabilities));
        if self.digest != other.digest && self.size == other.size {
            out.push("contents".to_owned());
        }
        out
    }
}

/// The entries of one layer, as its tar has them.
pub(crate) fn of_layer(
    subject: &Subject,
    number: usize,
    each: &mut dyn FnMut(Vec<u8>, Entry) -> Result<(), LookError>,
) -> Result<(), LookError> {
    let unread = |source| subject.unread(number, source);
    let mut archive = tar::Archive::new(HashingReader::new(subject.tar(number)?));
    for (count, entry) in archive.entries().map_err(unread)?.enumerate() {
        if count > MOST {
            return Err(LookError::TooMany { shown: subject.shown.clone() });
        }
        let (name, entry) = read(entry.map_err(unread)?).map_err(unread)?;
        each(name, entry)?;
    }
    // The tar may end before the stream: what made it is heard to its end.
    let mut rest = archive.into_inner();
    io::copy(&mut rest, &mut io::sink()).map_err(unread)?;
    let found = rest.finish().0;
    match &subject.layers[number].diff_id {
        Some(expected) if *expected != found => {
            let shown = subject.shown.clone();
            Err(LookError::Changed { shown, number: number + 1 })
        }
        _ => Ok(()),
    }
}

fn read(mut entry: tar::Entry<'_, impl Read>) -> io::Result<(Vec<u8>, Entry)> {
    let name = clean(&entry.path_bytes());
    let header = entry.header();
    let kind = match header.entry_type() {
        tar::EntryType::Regular | tar::EntryType::Continuous => "file",
        tar::EntryType::Directory => "dir",
        tar::EntryType::Symlink => "symlink",
        tar::EntryType::Link => "hardlink",
        tar::EntryType::Char | tar::EntryType::Block => "device",
        tar::EntryType::Fifo => "fifo",
        _ => "other",
    };
    let (mode, uid, gid) = (header.mode()? & 0o7777, header.uid()?, header.gid()?);
    let target = entry.link_name_bytes().map(|name| String::from_utf8_lossy(&name).into_owned());
    let target = target.filter(|_| matches!(kind, "symlink" | "hardlink"));
    let mut capabilities = None;
    if let Some(records) = entry.pax_extensions()? {
        for record in records {
            let record = record?;
            if record.key() == Ok(CAPABILITY) {
                let hex = record.value_bytes().iter().map(|byte| format!("{byte:02x}"));
                capabilities = Some(hex.collect());
            }
        }
    }
    let size = if kind == "file" { entry.size() } else { 0 };
    let digest = if kind == "file" { Some(digest(&mut entry)?) } else { None };
    Ok((name, Entry { kind, mode, uid, gid, size, digest, target, capabilities }))
}

fn digest(from: &mut impl Read) -> io::Result<Digest> {
    let mut hasher = Hasher::default();
    let mut buffer = vec![0; 64 << 10];
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok(hasher.finish()),
            size => hasher.update(&buffer[..size]),
        }
    }
}

/// A name without what writers put around it: `./a/b/` and `/a/b` are `a/b`, and the root is empty.
fn clean(name: &[u8]) -> Vec<u8> {
    let parts = name.split(|b| *b == b'/').filter(|part| !part.is_empty() && *part != b".");
    parts.collect::<Vec<_>>().join(&b'/')
}

/// What a container sees: the layers on top of each other, with their whiteouts.
pub(crate) fn tree(subject: &Subject) -> Result<BTreeMap<Vec<u8>, Entry>, LookError> {
    let mut tree: BTreeMap<Vec<u8>, Entry> = BTreeMap::new();
    for number in 0..subject.layers.len() {
        let mut layer = BTreeMap::new();
        of_layer(subject, number, &mut |name, entry| {
            let slash = name.iter().rposition(|b| *b == b'/').map_or(0, |at| at + 1);
            let (folder, base) = name.split_at(slash);
            if base == b".wh..wh..opq" {
                remove(&mut tree, folder, true);
            } else if let Some(hidden) = base.strip_prefix(b".wh.") {
                remove(&mut tree, &[folder, hidden].concat(), false);
            } else {
                layer.insert(name, entry);
            }
            if layer.len() + tree.len() > MOST {
                return Err(LookError::TooMany { shown: subject.shown.clone() });
            }
            Ok(())
        })?;
        for (name, entry) in layer {
            let is_folder = entry.kind == "dir";
            let old = tree.insert(name.clone(), entry);
            // What takes the place of a directory takes that of all below it.
            if !is_folder && old.is_some_and(|old| old.kind == "dir") {
                remove(&mut tree, &[&name[..], b"/"].concat(), true);
            }
        }
    }
    follow_hard_links(&mut tree);
    Ok(tree)
}

/// Removes an entry with all below it, or all below a directory.
fn remove(tree: &mut BTreeMap<Vec<u8>, Entry>, name: &[u8], only_below: bool) {
    let prefix = if only_below { name.to_vec() } else { [name, b"/"].concat() };
    let below: Vec<_> = tree
        .range(prefix.clone()..)
        .take_while(|(own, _)| own.starts_with(&prefix))
        .map(|(own, _)| own.clone())
        .collect();
    for own in below {
        tree.remove(&own);
    }
    if !only_below {
        tree.remove(name);
    }
}

/// A hard link is the file that it leads to.
fn follow_hard_links(tree: &mut BTreeMap<Vec<u8>, Entry>) {
    let links: Vec<_> = tree.iter().filter(|(_, entry)| entry.kind == "hardlink").collect();
    let found: Vec<_> = links
        .into_iter()
        .filter_map(|(name, entry)| {
            let file = tree.get(&clean(entry.target.as_ref()?.as_bytes()))?;
            (file.kind == "file").then(|| (name.clone(), file.clone()))
        })
        .collect();
    tree.extend(found);
}
