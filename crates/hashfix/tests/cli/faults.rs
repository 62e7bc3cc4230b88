//! What goes wrong, and what is said about it.

use testkit::files::Trouble;

use crate::{Bed, integrity};

#[test]
fn a_package_that_is_not_what_the_lockfile_says_is_refused() {
    let bed = Bed::new();
    let lock = bed.yarn("a", b"right");
    bed.registry.put("/a/-/a-1.0.0.tgz", "wrong");
    bed.sandbox.write("yarn.lock", format!("# yarn lockfile v1\n{lock}"));
    let output = bed.hashfix(["hash", "yarn.lock"]).output().code(3).stdout("");
    let said = &output.stderr;
    assert!(said.starts_with("hashfix: `a 1.0.0` from http://127.0.0.1:"), "{said}");
    assert!(said.contains("its digest is sha512:"), "{said}");
    assert_eq!(bed.registry.requests().len(), 1, "what came whole is not asked for again");
}

#[test]
fn a_missing_package_is_named() {
    let bed = Bed::new();
    let lock = bed.yarn("a", b"a").replace("/a-1.0.0.tgz", "/gone.tgz");
    bed.sandbox.write("yarn.lock", format!("# yarn lockfile v1\n{lock}"));
    let output = bed.hashfix(["hash", "yarn.lock"]).output().code(3).stdout("");
    let said = &output.stderr;
    let url = bed.registry.url();
    assert_eq!(
        *said,
        format!(
            "hashfix: `a 1.0.0` ({}): GET {url}/a/-/gone.tgz: 404 Not Found\n",
            integrity(b"a")
        )
    );
    let offline = bed.hashfix(["hash", "--offline", "yarn.lock"]).output();
    offline.code(3).stdout("").stderr(
        "hashfix: 1 of 1 packages are not in the cache (`a 1.0.0` is the first)\n\
         hint: run it once without `--offline`\n",
    );
}

#[test]
fn what_may_pass_is_tried_again() {
    let bed = Bed::new();
    let path = "/a/-/a-1.0.0.tgz";
    let lock = bed.yarn("a", &[1; 5000]);
    bed.sandbox.write("yarn.lock", format!("# yarn lockfile v1\n{lock}"));
    for trouble in [Trouble::Close, Trouble::Cut(100), Trouble::Status(503, Vec::new())] {
        bed.registry.trouble(path, 1, trouble);
    }
    bed.hashfix(["hash", "yarn.lock"]).output().code(0).stderr("");
    assert_eq!(bed.registry.requests().len(), 4);
}

#[test]
fn a_login_page_is_no_package() {
    let bed = Bed::new();
    let lock = bed.yarn("a", b"a");
    bed.sandbox.write("yarn.lock", format!("# yarn lockfile v1\n{lock}"));
    bed.registry.trouble("/a/-/a-1.0.0.tgz", 1, Trouble::Html);
    drop(bed.hashfix(["hash", "yarn.lock"]).output().code(3).stdout(""));
    // Nothing of it was kept.
    drop(bed.hashfix(["hash", "yarn.lock"]).output().code(0));
}

#[test]
fn a_token_goes_to_its_own_registry_and_nowhere_else() {
    let bed = Bed::new();
    let lock = bed.yarn("a", b"a");
    bed.sandbox.write("yarn.lock", format!("# yarn lockfile v1\n{lock}"));
    let url = bed.registry.url();
    let host = url.strip_prefix("http:").unwrap();
    let npmrc =
        format!("registry={url}\nreplace-registry-host=always\n{host}/:_authToken=${{TOKEN}}\n");
    bed.sandbox.write(".npmrc", npmrc);
    let output = bed.hashfix(["hash", "-vv", "yarn.lock"]).env("TOKEN", "s3cret").output().code(0);
    assert!(!output.stderr.contains("s3cret"));
    assert_eq!(bed.registry.authorizations(), ["Bearer s3cret"]);
}

#[test]
fn a_broken_lockfile_is_named_with_its_line() {
    let bed = Bed::new();
    for (name, text, code, said) in [
        (
            "yarn.lock",
            &b"# yarn lockfile v1\na@1:\n<<<<<<< HEAD\n"[..],
            2,
            "yarn.lock:3: a merge is not settled here",
        ),
        ("yarn.lock", b"# yarn lockfile v1\n\xff\n", 2, "yarn.lock:2: it is not UTF-8"),
        (
            "yarn.lock",
            b"# yarn lockfile v1\na@1:\n  version \"1\"\n",
            2,
            "yarn.lock:2: `a 1` has no `resolved`",
        ),
        (
            "package-lock.json",
            b"{\n",
            2,
            "package-lock.json:2: EOF while parsing an object at line 2 column 0",
        ),
        (
            "Cargo.lock",
            b"\n[[package]]\nname = 1\n",
            2,
            "Cargo.lock:3: invalid type: integer `1`, expected a string",
        ),
        ("notes.txt", b"", 4, "notes.txt: it is not a lockfile of a known format"),
    ] {
        bed.sandbox.write(name, text);
        let output = bed.hashfix(["hash", name]).output();
        output.code(code).stdout("").stderr(&format!("hashfix: {said}\n"));
    }
    assert!(bed.registry.requests().is_empty());
}

#[test]
fn a_lockfile_of_20_000_entries_is_read_at_once() {
    let bed = Bed::new();
    let hash = integrity(b"x");
    let entry =
        |n| format!("p{n}@1:\n  version \"1\"\n  resolved \"file:x\"\n  integrity {hash}\n\n");
    let lock: Vec<String> =
        ["# yarn lockfile v1\n".to_owned()].into_iter().chain((0..20_000).map(entry)).collect();
    let lock = lock.concat();
    bed.sandbox.write("yarn.lock", &lock);
    drop(bed.hashfix(["hash", "yarn.lock"]).output().code(0));
}
