//! Changes of a file that leave every other byte as it was.

use std::io::{self, Write as _};
use std::ops::Range;
use std::path::Path;

use tempfile::NamedTempFile;

/// A part of a file, and what takes its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edit {
    pub(crate) span: Range<usize>,
    pub(crate) text: String,
}

/// The bytes with all changes made, which must not overlap.
pub(crate) fn apply(bytes: &[u8], edits: &[Edit]) -> Vec<u8> {
    let mut edits: Vec<&Edit> = edits.iter().collect();
    edits.sort_by_key(|edit| edit.span.start);
    let mut after = Vec::with_capacity(bytes.len());
    let mut done = 0;
    for Edit { span, text } in edits {
        after.extend_from_slice(&bytes[done..span.start]);
        after.extend_from_slice(text.as_bytes());
        done = span.end;
    }
    after.extend_from_slice(&bytes[done..]);
    after
}

/// Replaces a file at once, or not at all; false if it is no longer as it was read.
pub(crate) fn replace(path: &Path, before: &[u8], after: &[u8]) -> io::Result<bool> {
    // A link stays one, and what it leads to is changed.
    let path = fs_err::canonicalize(path)?;
    let mut file = NamedTempFile::with_prefix_in(".hashfix-", path.parent().unwrap_or(&path))?;
    file.write_all(after)?;
    file.as_file().sync_all()?;
    let permissions = fs_err::metadata(&path)?.permissions();
    fs_err::set_permissions(file.path(), permissions)?;
    if fs_err::read(&path)? != before {
        return Ok(false);
    }
    file.persist(&path)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::find::find;
    use crate::view::Disk;

    const OLD: &str = "sha256-vu7gXhPlgnm76GAQiD7DqROCC80uwAhMrh24mXqdfG0=";
    const NEW: &str = "sha256-Jy1GtEUMemtPmfIPBYMKOl1W8kWfGM51vzkY481qV+8=";

    proptest! {
        #[test]
        fn all_bytes_around_a_hash_stay(
            noise in prop::collection::vec("[ \ta-z\"'{};é=]{0,20}", 3),
            end in prop::sample::select(vec!["\n", "\r\n", ""]),
            written in prop::sample::select(vec![OLD, "", "0", "lib.fakeHash"]),
            quote in prop::sample::select(vec!["\"", "''"]),
        ) {
            let folder = tempfile::tempdir().unwrap();
            fs_err::write(folder.path().join("yarn.lock"), "").unwrap();
            let is_name = written.starts_with("lib");
            let old = if is_name { written.to_owned() } else { format!("{quote}{written}{quote}") };
            let line = if end.is_empty() { "\n" } else { end };
            let [a, b, c] = noise.as_slice() else { unreachable!() };
            let before = format!("# {a} {OLD}{line}[ \"{OLD}\" (f.fetchYarnDeps {{ hash =# {b}{line}  ");
            let after = format!("; }}) ]{line}# {c}{end}");
            let text = format!("{before}{old}{after}");
            let disk = Disk { root: folder.path() };
            let found = find(Path::new("a.nix"), &text, &disk).unwrap();
            prop_assert_eq!(found.sites.len(), 1);
            let literal = &found.sites[0].literal;
            let new = if literal.quoted { format!("\"{NEW}\"") } else { NEW.to_owned() };
            let edit = Edit { span: literal.span.clone(), text: new };
            let expected = if is_name { format!("{before}\"{NEW}\"{after}") } else { format!("{before}{quote}{NEW}{quote}{after}") };
            prop_assert_eq!(String::from_utf8(apply(text.as_bytes(), &[edit])).unwrap(), expected);
        }
    }

    #[test]
    fn a_file_that_changed_meanwhile_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs_err::write(&path, "theirs").unwrap();
        assert!(!replace(&path, b"read", b"ours").unwrap());
        assert_eq!(fs_err::read(&path).unwrap(), b"theirs");
        assert_eq!(fs_err::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_and_its_mode_stay() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("a"), folder.path().join("b"));
        fs_err::write(&path, "old").unwrap();
        fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("a", &link).unwrap();
        assert!(replace(&link, b"old", b"new").unwrap());
        assert!(fs_err::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs_err::read(&path).unwrap(), b"new");
        assert_eq!(fs_err::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    }
}
