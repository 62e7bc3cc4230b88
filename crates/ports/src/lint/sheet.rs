//! A file and what was found in it, before the registry is asked.

use std::path::{Path, PathBuf};

use super::annotation::{Annotation, annotations};
use super::hint::{may_hold, may_hold_in_nix};
use super::kind::Kind;
use super::nix;
use super::page::Page;
use super::scan::{self, Literal};

/// A text with ports in it.
#[derive(Debug)]
pub(crate) struct Sheet {
    pub(crate) path: PathBuf,
    pub(crate) bytes: Vec<u8>,
    kind: Kind,
    /// The ports that are written out, in the order of the text.
    pub(crate) literals: Vec<Literal>,
    pub(crate) annotations: Vec<Annotation>,
}

impl Sheet {
    /// Whether a file of this name is looked at.
    pub(crate) fn is_looked_at(path: &Path) -> bool {
        Kind::of(path).is_some()
    }

    /// Looks at a text; none when there is nothing in it.
    pub(crate) fn of(path: &Path, bytes: &[u8]) -> Option<Self> {
        let kind = Kind::of(path)?;
        let is_worth_it = if kind == Kind::Nix { may_hold_in_nix } else { may_hold };
        if !is_worth_it(bytes) {
            return None;
        }
        let page = Page::new(bytes, kind);
        let tree =
            (kind == Kind::Nix).then(|| std::str::from_utf8(bytes).ok().and_then(nix::literals));
        let mut literals = tree.flatten().unwrap_or_else(|| scan::literals(&page));
        literals.sort_by_key(|literal| literal.at.start);
        let annotations = annotations(&page);
        let is_empty = literals.is_empty() && annotations.is_empty();
        (!is_empty).then(|| Self {
            path: path.to_owned(),
            bytes: bytes.to_owned(),
            kind,
            literals,
            annotations,
        })
    }

    pub(crate) fn page(&self) -> Page<'_> {
        Page::new(&self.bytes, self.kind)
    }

    pub(crate) fn is_nix(&self) -> bool {
        self.kind == Kind::Nix
    }
}
