//! Imports and other files.

#![expect(clippy::unwrap_used, reason = "a helper of tests may fail loudly")]

use std::os::unix::fs::symlink;
use std::path::Path;

use fs_err as fs;
use nixexpr::{EvalError, Evaluator, Limits};
use tempfile::TempDir;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn evaluate(path: &Path) -> Result<String, EvalError> {
    let mut nix = Evaluator::new(Limits::default());
    let root = nix.file(path)?;
    nix.json(root)
}

/// What the failure says, with the folder left out.
fn words(folder: &TempDir, path: &str) -> String {
    let error = evaluate(&folder.path().join(path)).unwrap_err();
    let mut words = error.to_string();
    if let Some(source) = std::error::Error::source(&error) {
        words = format!("{words}: {source}");
    }
    words.replace(&format!("{}/", folder.path().display()), "")
}

#[test]
fn files_and_folders_are_imported() {
    let folder = folder(&[
        ("lib/ports.nix", "{ a = import ../shared/x.nix; b = (import ../shared).y; }"),
        ("shared/x.nix", "let d = import ./.; in d.y + 1"),
        ("shared/default.nix", "{ y = 1; data = builtins.fromJSON (builtins.readFile ./d.json); }"),
        ("shared/d.json", "{\"z\": 3}"),
    ]);
    assert_eq!(evaluate(&folder.path().join("lib/ports.nix")).unwrap(), r#"{"a":2,"b":1}"#);
    assert_eq!(evaluate(&folder.path().join("shared")).unwrap(), r#"{"data":{"z":3},"y":1}"#);
}

#[test]
fn a_link_is_what_it_points_to() {
    let folder = folder(&[("real/a.nix", "import ./b.nix"), ("real/b.nix", "7")]);
    symlink("real/a.nix", folder.path().join("link.nix")).unwrap();
    assert_eq!(evaluate(&folder.path().join("link.nix")).unwrap(), "7");
    symlink("loop.nix", folder.path().join("loop.nix")).unwrap();
    assert!(words(&folder, "loop.nix").contains("too many symbolic links"));
}

#[test]
fn a_file_that_imports_itself_is_an_error() {
    let folder = folder(&[
        ("a.nix", "import ./b.nix"),
        ("b.nix", "1 + import ./a.nix"),
        ("lazy.nix", "{ x = 1; y = (import ./lazy.nix).x; }"),
    ]);
    assert_eq!(words(&folder, "a.nix"), "b.nix:1:5: `a.nix` imports itself");
    assert_eq!(evaluate(&folder.path().join("lazy.nix")).unwrap(), r#"{"x":1,"y":1}"#);
}

#[test]
fn imports_are_bounded() {
    let names: Vec<(String, String)> =
        (0..200).map(|n| (format!("{n}.nix"), format!("1 + import ./{}.nix", n + 1))).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|(name, text)| (&**name, &**text)).collect();
    let folder = folder(&files);
    assert_eq!(words(&folder, "0.nix"), "64.nix:1:5: too many files import each other");
}

#[test]
fn what_cannot_be_read() {
    let folder = folder(&[
        ("missing.nix", "{ a = import ./nope.nix; }"),
        ("text.nix", "import \"./a.nix\""),
        ("path.nix", "{ p = ./a.nix; }"),
    ]);
    assert!(words(&folder, "missing.nix").starts_with("missing.nix:1:7: cannot read: "));
    assert!(words(&folder, "gone.nix").starts_with("cannot read: "));
    assert_eq!(
        words(&folder, "text.nix"),
        "text.nix:1:1: a file named by a string, which is not evaluated natively"
    );
    assert_eq!(words(&folder, "path.nix"), "path.nix:1:7: a path, which is not evaluated natively");
    fs::write(folder.path().join("bytes.nix"), b"{ a = 1; # caf\xe9\n}").unwrap();
    assert_eq!(
        words(&folder, "bytes.nix"),
        "bytes.nix:1:15: text that is not UTF-8, which is not evaluated natively"
    );
}

#[test]
fn a_huge_file_is_not_read() {
    let folder = folder(&[]);
    let path = folder.path().join("big.nix");
    fs::File::create(&path).unwrap().set_len(10 << 20).unwrap();
    let words = words(&folder, "big.nix");
    assert_eq!(words, "`big.nix` has 10485760 bytes, but at most 8388608 are read");
}
