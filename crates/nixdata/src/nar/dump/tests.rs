use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::process::Command;

use super::*;
use crate::Encoding;

fn write(path: &Path, bytes: &[u8], mode: u32) {
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn nix32(path: &Path) -> String {
    identify(path).unwrap().hash.bare(Encoding::Nix32)
}

/// The hashes are those of `nix-hash --type sha256 --base32` of Nix 2.8, 2.26 and 2.34.
#[test]
#[cfg(target_os = "linux")] // macOS has no names that are not UTF-8.
fn hashes_like_nix() {
    let dir = tempfile::tempdir().unwrap();
    let tree = dir.path().join("tree");
    fs::create_dir_all(tree.join("dir/empty")).unwrap();
    write(&tree.join("empty"), b"", 0o644);
    write(&tree.join("seven"), b"1234567", 0o644);
    write(&tree.join("eight"), b"12345678", 0o644);
    write(&tree.join("exe"), b"#!/bin/sh\n", 0o755);
    write(&tree.join("group-exe"), b"x", 0o654);
    write(&tree.join("owner-only"), b"y", 0o500);
    symlink("seven", tree.join("link")).unwrap();
    symlink("/does/not/exist", tree.join("dangling")).unwrap();
    symlink("dir", tree.join("link-dir")).unwrap();
    write(&tree.join(std::ffi::OsStr::from_bytes(b"\xff\xfe-not-utf8")), b"z", 0o644);
    write(&tree.join("dir.a"), b"sorts before dir/", 0o644);
    write(&tree.join("Dir"), b"case", 0o644);
    write(&tree.join("new\nline"), b"", 0o644);
    let big: Vec<u8> =
        (0..300_000_u32).map(|i| u8::try_from((i * 7 + i / 251) % 256).unwrap()).collect();
    write(&tree.join("big"), &big, 0o644);
    write(&tree.join("n".repeat(255)), b"long", 0o644);
    symlink("t".repeat(4000), tree.join("long-link")).unwrap();

    let id = identify(&tree).unwrap();
    assert_eq!(id.size, 307_848);
    for (path, expected) in [
        ("", "0r8p3wmq2pj9yyigrf6azla7sx1jkaql1zg7l1l7sdf5r1idr6xw"),
        ("seven", "02gsgaz27amib1glpiv5d80fzmwfw7f4wv5mz1iy68r4qr4cxlpv"),
        ("exe", "0m35wabrvlzjvv71f2xvca3vd91gh9mwvh4mm38h7yb0h9kc30v2"),
        ("link", "037xw4f12491m26v0vvi2ffb0lmhygn92x6zq9ylhj9xpjrr3g3n"),
        ("dir", "1q6yrdj0i0hvjypvj0libpxr54p3k0c01bdvwmhszzlgcrb5xzhg"),
    ] {
        let path = if path.is_empty() { tree.clone() } else { tree.join(path) };
        assert_eq!(nix32(&path), expected, "{}", path.display());
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "rustix makes no FIFO on macOS")]
fn special_files_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let error = identify(dir.path()).unwrap_err().to_string();
    let rest = "is a FIFO; a NAR holds only files, directories and symlinks";
    assert_eq!(error, format!("`{}` {rest}", fifo.display()));
    fs::remove_file(&fifo).unwrap();
    drop(UnixListener::bind(dir.path().join("socket")).unwrap());
    assert!(identify(dir.path()).unwrap_err().to_string().contains("socket` is a socket"));
    assert!(matches!(
        identify(Path::new("/dev/null")),
        Err(DumpError::Special { kind: "a character device", .. })
    ));
}

#[test]
fn what_cannot_be_read_is_named() {
    let error = identify(Path::new("/does/not/exist")).unwrap_err();
    let DumpError::Read(source) = error else { panic!("{error}") };
    assert!(source.to_string().contains("/does/not/exist"));
}

/// A writer that changes the file while its first bytes pass.
struct Meddler<'a> {
    meddle: Option<Box<dyn FnOnce() + 'a>>,
}

impl Write for Meddler<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > 1000
            && let Some(meddle) = self.meddle.take()
        {
            meddle();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_file_that_changes_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    let meddle = |change: &dyn Fn()| {
        write(&path, &vec![b'a'; 4 * BUFFER], 0o644);
        let result = dump(dir.path(), Meddler { meddle: Some(Box::new(change)) });
        let error = result.err().expect("the change is seen");
        assert_eq!(error.to_string(), format!("`{}` changed while it was read", path.display()));
    };
    let file = || fs::OpenOptions::new().write(true).open(&path).unwrap();
    meddle(&|| file().set_len(BUFFER as u64 + 1).unwrap());
    meddle(&|| file().set_len(5 * BUFFER as u64).unwrap());
    meddle(&|| {
        // The same size, so that only the time tells.
        let later = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
        file().set_modified(later).unwrap();
    });
}

#[test]
fn a_deep_tree_needs_no_stack() {
    let dir = tempfile::tempdir().unwrap();
    let mut path = dir.path().join("d");
    // As deep as the longest path that Linux takes.
    while path.as_os_str().len() < 4000 {
        path.push("d");
    }
    fs::create_dir_all(&path).unwrap();
    let thread = std::thread::Builder::new().stack_size(128 << 10);
    let root = dir.path().to_owned();
    thread.spawn(move || identify(&root).unwrap()).unwrap().join().unwrap();
}

#[test]
fn a_failing_writer_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("file"), &vec![0; 100_000], 0o644);
    let mut small = [0_u8; 1000];
    let error = dump(dir.path(), small.as_mut_slice()).err().unwrap();
    assert!(matches!(error, DumpError::Encode { source: EncodeError::Write(_), .. }));
}

#[test]
#[cfg(target_os = "linux")] // The names would be one file on macOS.
fn the_case_hack_is_undone() {
    let dir = tempfile::tempdir().unwrap();
    let (hacked, plain) = (dir.path().join("hacked"), dir.path().join("plain"));
    for tree in [&hacked, &plain] {
        fs::create_dir(tree).unwrap();
        write(&tree.join("readme"), b"2", 0o644);
    }
    write(&hacked.join("README~nix~case~hack~1"), b"1", 0o644);
    write(&plain.join("README"), b"1", 0o644);
    let undone = Dump::new(&hacked, Vec::new(), true).unwrap().run(&hacked).unwrap();
    assert_eq!(undone, dump(&plain, Vec::new()).unwrap());
    write(&hacked.join("readme~nix~case~hack~1"), b"1", 0o644);
    let error = Dump::new(&hacked, Vec::new(), true).unwrap().run(&hacked).unwrap_err();
    assert!(matches!(error, DumpError::SameName { name, .. } if name == b"readme"));
}
