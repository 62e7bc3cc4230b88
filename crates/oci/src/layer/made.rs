//! Made entries: files, directories and links that come from the recipe itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::LayerError;
use super::header::Kind;
use super::rule::octal_mode;

/// An entry that no path brings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MadeEntry {
    /// Its absolute name.
    pub to: String,
    /// What it is.
    #[serde(rename = "type", default)]
    pub kind: MadeKind,
    /// The mode in octal digits; empty for 755 of a directory and 644 of a file.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub mode: String,
    /// The owner's number.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub uid: u32,
    /// The group's number.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub gid: u32,
    /// What is in a file, if that is text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What is in a file, in base 64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
    /// Where a link leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

/// What a made entry is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MadeKind {
    /// A directory; what others put there stays.
    Dir,
    /// A file.
    #[default]
    File,
    /// A symlink.
    Symlink,
}

/// A made entry that is ready to be written.
#[derive(Debug)]
pub(super) struct CheckedEntry {
    pub(super) kind: Kind,
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// The contents of a file, or the target of a link.
    pub(super) bytes: Vec<u8>,
}

impl MadeEntry {
    /// A file of these bytes.
    pub fn file(to: impl Into<String>, bytes: &[u8]) -> Self {
        let (text, base64) = match str::from_utf8(bytes) {
            Ok(text) => (Some(text.to_owned()), None),
            Err(_) => (None, Some(STANDARD.encode(bytes))),
        };
        Self { to: to.into(), text, base64, ..Self::default() }
    }

    /// Looks for what cannot be used.
    ///
    /// # Errors
    /// If the name or the mode cannot be used, or the kind has no such contents.
    pub fn check(&self) -> Result<(), LayerError> {
        self.checked().map(drop)
    }

    pub(super) fn checked(&self) -> Result<CheckedEntry, LayerError> {
        let wrong = |what| LayerError::Made { to: self.to.clone(), what };
        let is_clean = |part: &str| !part.is_empty() && part != "." && part != "..";
        let mut parts = self.to.strip_prefix('/').unwrap_or_default().split('/');
        if self.to.contains('\0') || (self.to != "/" && !parts.all(is_clean)) {
            return Err(wrong("its name must be absolute, without `.`, `..` or empty components"));
        }
        let (kind, mode, bytes) = match (self.kind, &self.text, &self.base64, &self.target) {
            (MadeKind::Dir, None, None, None) => (Kind::Directory, 0o755, Vec::new()),
            (MadeKind::Dir, ..) => return Err(wrong("a directory has no contents of its own")),
            (MadeKind::File, _, _, Some(_)) => return Err(wrong("a file leads nowhere")),
            (MadeKind::File, Some(_), Some(_), _) => {
                return Err(wrong("its contents are there twice"));
            }
            (MadeKind::File, Some(text), ..) => (Kind::File, 0o644, text.clone().into_bytes()),
            (MadeKind::File, None, Some(base64), _) => {
                let bytes = STANDARD.decode(base64);
                (Kind::File, 0o644, bytes.map_err(|_| wrong("its contents are not base 64"))?)
            }
            (MadeKind::File, None, None, None) => (Kind::File, 0o644, Vec::new()),
            (MadeKind::Symlink, None, None, Some(target)) if is_target(target) => {
                (Kind::Symlink, 0o777, target.clone().into_bytes())
            }
            (MadeKind::Symlink, ..) => return Err(wrong("a symlink needs a target, and no more")),
        };
        if self.to == "/" && kind != Kind::Directory {
            return Err(wrong("it must be a directory"));
        }
        let mode = match octal_mode(&self.mode)? {
            Some(_) if kind == Kind::Symlink => return Err(wrong("a symlink has no mode")),
            Some(mode) => mode,
            None => mode,
        };
        Ok(CheckedEntry { kind, mode, uid: self.uid, gid: self.gid, bytes })
    }
}

fn is_target(target: &str) -> bool {
    !target.is_empty() && !target.contains('\0')
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
fn is_zero(value: &u32) -> bool {
    *value == 0
}
