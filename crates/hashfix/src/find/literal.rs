//! Literals outside of Nix: a hash in a file of its own, and one in a JSON document.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::value::RawValue;

use super::Literal;
use crate::view::View;

/// Hashes that say "not known yet".
pub(super) fn known(text: &str) -> Option<String> {
    let digest = text.split_once(['-', ':']).map_or(text, |(_, digest)| digest);
    let is_only = |digit: char| digest.trim_end_matches('=').chars().all(|c| c == digit);
    let is_fake = digest.is_empty() || is_only('A') || is_only('0');
    (!is_fake).then(|| text.to_owned())
}

/// Whether a name of nixpkgs' `lib` is such a hash.
pub(super) fn is_fake_name(name: &str) -> bool {
    matches!(name, "fakeHash" | "fakeSha256" | "fakeSha512")
}

/// A file that holds a hash and nothing else.
pub(super) fn whole(file: PathBuf, view: &dyn View) -> Option<Literal> {
    let text = view.text(&file)?;
    let trimmed = text.trim();
    let start = text.len() - text.trim_start().len();
    // Of blanks alone, the hash goes before them.
    let start = if trimmed.is_empty() { 0 } else { start };
    Some(Literal { file, span: start..start + trimmed.len(), hash: known(trimmed), quoted: false })
}

/// A string in a JSON file, by the names that lead to it.
pub(super) fn member(file: PathBuf, path: &[String], view: &dyn View) -> Option<Literal> {
    let text = view.text(&file)?;
    let mut value: &str = text.trim_start_matches('\u{feff}');
    for name in path {
        let object: BTreeMap<String, &RawValue> = serde_json::from_str(value).ok()?;
        value = object.get(name)?.get();
    }
    let hash: String = serde_json::from_str(value).ok()?;
    // `RawValue` borrows, so the value stands in the text.
    let start = value.as_ptr().addr() - text.as_ptr().addr() + 1;
    let span = start..start + value.len() - 2;
    Some(Literal { file, span, hash: known(&hash), quoted: false })
}
