use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use fs_err as fs;
use proptest::prelude::*;

use super::*;

/// A folder, file or link as a test describes it.
#[derive(Debug, Clone)]
enum Tree {
    File { bytes: Vec<u8>, mode: u32 },
    Link(Vec<u8>),
    Folder { children: BTreeMap<Vec<u8>, Self>, mode: u32 },
}

fn file(bytes: impl AsRef<[u8]>) -> Tree {
    Tree::File { bytes: bytes.as_ref().to_vec(), mode: 0o444 }
}

fn program(bytes: impl AsRef<[u8]>) -> Tree {
    Tree::File { bytes: bytes.as_ref().to_vec(), mode: 0o555 }
}

fn link(target: impl AsRef<[u8]>) -> Tree {
    Tree::Link(target.as_ref().to_vec())
}

fn folder<'a>(children: impl IntoIterator<Item = (&'a str, Tree)>) -> Tree {
    let children = children.into_iter().map(|(name, tree)| (name.as_bytes().to_vec(), tree));
    Tree::Folder { children: children.collect(), mode: 0o555 }
}

impl Tree {
    fn write(&self, path: &Path) {
        match self {
            Self::File { bytes, mode } => {
                fs::write(path, bytes).unwrap();
                fs::set_permissions(path, std::fs::Permissions::from_mode(*mode)).unwrap();
            }
            Self::Link(target) => symlink(OsStr::from_bytes(target), path).unwrap(),
            Self::Folder { children, mode } => {
                fs::create_dir(path).unwrap();
                for (name, child) in children {
                    child.write(&path.join(OsStr::from_bytes(name)));
                }
                fs::set_permissions(path, std::fs::Permissions::from_mode(*mode)).unwrap();
            }
        }
    }

    /// The entries that a layer must have, in their order.
    fn entries(&self, name: &[u8], out: &mut Vec<Entry>) {
        let (kind, mode, bytes) = match self {
            Self::File { bytes, mode } => ('f', *mode, bytes.clone()),
            Self::Link(target) => ('l', 0o777, target.clone()),
            Self::Folder { mode, .. } => ('d', *mode, Vec::new()),
        };
        out.push((name.to_vec(), kind, mode, bytes));
        if let Self::Folder { children, .. } = self {
            for (child, tree) in children {
                let slash: &[u8] = if name.ends_with(b"/") { b"" } else { b"/" };
                tree.entries(&[name, slash, child].concat(), out);
            }
        }
    }
}

/// Name, kind, mode, and contents or target.
type Entry = (Vec<u8>, char, u32, Vec<u8>);

fn read_tar(bytes: &[u8]) -> Vec<Entry> {
    let mut out = Vec::new();
    let mut archive = tar::Archive::new(bytes);
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let header = entry.header();
        assert_eq!(header.mtime().unwrap(), 1);
        assert_eq!(header.username().unwrap(), Some("root"));
        let (kind, mode) = (header.entry_type(), header.mode().unwrap());
        let name = entry.path_bytes().into_owned();
        let target = entry.link_name_bytes().map(std::borrow::Cow::into_owned).unwrap_or_default();
        let mut contents = Vec::new();
        entry.read_to_end(&mut contents).unwrap();
        out.push(match kind {
            tar::EntryType::Regular => (name, 'f', mode, contents),
            tar::EntryType::Symlink => (name, 'l', mode, target),
            tar::EntryType::Directory => (name, 'd', mode, Vec::new()),
            other => panic!("{other:?}"),
        });
    }
    out
}

fn make(root: &Path, paths: Vec<PathRecipe>) -> Result<(Vec<u8>, Measured), LayerError> {
    let mut bytes = Vec::new();
    let measured = Arc::new(LayerRecipe::new(paths)).make(&StoreRoot::at(root), &mut |chunk| {
        bytes.extend_from_slice(chunk);
        Ok(())
    })?;
    assert_eq!(measured, Measured { diff_id: Digest::of(&bytes), size: bytes.len() as u64 });
    assert!(bytes.ends_with(&[0; 1024]));
    Ok((bytes, measured))
}

/// A store with one path in it.
fn store(tree: &Tree) -> (tempfile::TempDir, PathRecipe) {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("nix/store")).unwrap();
    tree.write(&root.path().join("nix/store/0-x"));
    (root, PathRecipe::new("/nix/store/0-x"))
}

fn names(bytes: &[u8]) -> Vec<String> {
    read_tar(bytes).into_iter().map(|e| String::from_utf8(e.0).unwrap()).collect()
}

fn parents() -> Vec<Entry> {
    ["/", "/nix", "/nix/store"].map(|n| (n.as_bytes().to_vec(), 'd', 0o755, Vec::new())).to_vec()
}

/// Every shape of name and size that a header treats in its own way.
fn shapes() -> Tree {
    let deep = |name: &str, tree| folder([(name, tree)]);
    let split = deep(&"d".repeat(60), deep(&"e".repeat(60), folder([("f", file("split\n"))])));
    let noise: Vec<u8> =
        (0..70_001_u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[1]).collect();
    let mut shapes = folder([
        ("a.b", file("dot\n")),
        ("a", deep("b", file("inside\n"))),
        ("a-b", file("dash\n")),
        ("A", program("#!/bin/sh\n")),
        ("empty", file("")),
        ("empty-folder", folder([])),
        ("511", file([b'x'; 511])),
        ("512", file([b'x'; 512])),
        ("513", file([b'x'; 513])),
        ("noise", file(noise)),
        ("link100", link([b't'; 100])),
        ("link101", link([b't'; 101])),
        ("link-utf8", link("ü")),
        ("café", folder([("你好.txt", file("utf-8\n"))])),
        ("space name", folder([("tab\tname", file("odd\n")), ("new\nline", file("odder\n"))])),
        ("split", split),
    ]);
    if let Tree::Folder { children, .. } = &mut shapes {
        children.insert(vec![b'L'; 101], file("does not split\n"));
        children.insert(vec![b'M'; 255], file("longest\n"));
        children.insert(b"\xff\xfename".to_vec(), file("not UTF-8\n"));
    }
    shapes
}

#[test]
fn every_shape_is_read_back_as_it_was() {
    let tree = shapes();
    let (root, path) = store(&tree);
    fs::hard_link(root.path().join("nix/store/0-x/512"), root.path().join("nix/store/0-x/513h"))
        .unwrap();
    let (bytes, measured) = make(root.path(), vec![path]).unwrap();
    let mut expected = parents();
    tree.entries(b"/nix/store/0-x", &mut expected);
    let read = read_tar(&bytes);
    let hard: Vec<_> = read.iter().filter(|e| e.0.ends_with(b"/513h")).collect();
    assert_eq!((hard.len(), hard[0].3.len()), (1, 512), "a hard link is a copy");
    let rest: Vec<_> = read.iter().filter(|e| !e.0.ends_with(b"/513h")).cloned().collect();
    assert_eq!(rest, expected);
    // Pinned, after GNU tar 1.34 and Python 3.11 listed and extracted the same tree from it.
    assert_eq!(
        measured.diff_id.as_str(),
        "sha256:d05090863d9a6e807264ecdd0adde9312fb6810bf812464d6e0b3d68c80a9260"
    );
}

#[test]
fn children_are_sorted_by_the_bytes_of_their_names() {
    let tree = folder([
        ("a", folder([("b", file(""))])),
        ("a-b", file("")),
        ("a.b", file("")),
        ("B", file("")),
    ]);
    let (root, path) = store(&tree);
    let (bytes, _) = make(root.path(), vec![path]).unwrap();
    let below: Vec<_> = names(&bytes)
        .into_iter()
        .filter_map(|n| Some(n.strip_prefix("/nix/store/0-x/")?.to_owned()))
        .collect();
    assert_eq!(below, ["B", "a", "a/b", "a-b", "a.b"]);
}

#[test]
fn a_path_outside_the_store_gets_the_modes_of_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let tree = Tree::Folder {
        mode: 0o700,
        children: BTreeMap::from([
            (b"run".to_vec(), Tree::File { bytes: b"x".to_vec(), mode: 0o744 }),
            (b"set".to_vec(), Tree::File { bytes: b"x".to_vec(), mode: 0o4640 }),
        ]),
    };
    tree.write(&dir.path().join("d"));
    let source = dir.path().join("d").to_str().unwrap().to_owned();
    let modes = |to: &str| {
        let (bytes, _) = make(Path::new("/none"), vec![PathRecipe::plain(&source, to)]).unwrap();
        let text = |e: Entry| format!("{} {:o}", String::from_utf8(e.0).unwrap(), e.2);
        read_tar(&bytes).into_iter().map(text).collect::<Vec<_>>()
    };
    assert_eq!(modes("/"), ["/ 755", "/run 555", "/set 444"], "/ itself is nobody's");
    assert_eq!(
        modes("/srv/d"),
        ["/ 755", "/srv 755", "/srv/d 555", "/srv/d/run 555", "/srv/d/set 444"]
    );
}

#[test]
fn permissions_are_set_by_every_rule_that_matches() {
    let (root, mut path) =
        store(&folder([("home", folder([("u", program("x"))])), ("l", link("x"))]));
    let perm = |regex: &str, mode: &str, uid, uname: &str| {
        let (regex, mode, uname) = (regex.to_owned(), mode.to_owned(), uname.to_owned());
        Perm { regex, mode, uid, uname, ..Perm::default() }
    };
    let perms = vec![
        perm("/home", "0700", 7, "seven"),
        perm("/home/u$", "", 8, ""),
        perm("/l$", "4755", 0, ""),
    ];
    path.options = Some(PathOptions { rewrite: None, perms });
    let (bytes, _) = make(root.path(), vec![path.clone()]).unwrap();
    let mut archive = tar::Archive::new(&bytes[..]);
    let mut found = Vec::new();
    for entry in archive.entries().unwrap() {
        let entry = entry.unwrap();
        let header = entry.header();
        let (name, uname) = (entry.path().unwrap(), header.username().unwrap().unwrap());
        found.push(format!(
            "{} {:o} {} {uname}",
            name.display(),
            header.mode().unwrap(),
            header.uid().unwrap()
        ));
    }
    assert_eq!(
        found[3..],
        [
            "/nix/store/0-x 555 0 root",
            "/nix/store/0-x/home 700 7 seven",
            "/nix/store/0-x/home/u 700 8 seven",
            "/nix/store/0-x/l 4755 0 root",
        ]
    );
    for bad in ["8", "0o700", "10000", "-1", "+7"] {
        path.options = Some(PathOptions { rewrite: None, perms: vec![perm("x", bad, 0, "")] });
        assert!(
            matches!(make(root.path(), vec![path.clone()]), Err(LayerError::Mode { .. })),
            "{bad}"
        );
    }
}

#[test]
fn rewrites_move_and_merge() {
    let root = tempfile::tempdir().unwrap();
    let store = root.path().join("nix/store");
    fs::create_dir_all(&store).unwrap();
    folder([("bin", folder([("a", program("a"))])), ("etc", folder([("x", file("one"))]))])
        .write(&store.join("a"));
    folder([("bin", folder([("b", program("b"))])), ("etc", folder([("x", file("two"))]))])
        .write(&store.join("b"));
    let moved = |name: &str, regex: &str, repl: &str| {
        let rewrite = Some(Rewrite { regex: regex.to_owned(), repl: repl.to_owned() });
        let options = Some(PathOptions { rewrite, perms: Vec::new() });
        PathRecipe { options, ..PathRecipe::new(format!("/nix/store/{name}")) }
    };
    let (bytes, _) =
        make(root.path(), vec![moved("a", "^/nix/store/a", ""), moved("b", "^/nix/store/b", "")])
            .unwrap();
    let read = read_tar(&bytes);
    let names: Vec<_> = read.iter().map(|e| String::from_utf8_lossy(&e.0)).collect();
    assert_eq!(names, ["/", "/bin", "/bin/a", "/bin/b", "/etc", "/etc/x"]);
    assert_eq!(read[5].3, b"two", "the later one is taken");
    // The same by a pattern that has to look at every name, and back again.
    let (each, _) = make(
        root.path(),
        vec![moved("a", "^/nix/store/(a|zzz)", ""), moved("b", "^/nix/store/[b]", "")],
    )
    .unwrap();
    assert_eq!(each, bytes);
    let (sbin, _) = make(root.path(), vec![moved("a", "/bin(/|$)", "/sbin$1")]).unwrap();
    assert!(self::names(&sbin).contains(&"/nix/store/a/sbin/a".to_owned()));
    let relative = make(root.path(), vec![moved("a", "^/nix/store/", "")]).unwrap().0;
    assert_eq!(self::names(&relative)[..2], ["a".to_owned(), "a/bin".to_owned()]);
    let up = make(root.path(), vec![moved("a", "^/nix/store/a", "/../x")]);
    assert!(matches!(up, Err(LayerError::Name { .. })));
}

#[test]
fn what_two_paths_disagree_on_is_named() {
    let root = tempfile::tempdir().unwrap();
    let store = root.path().join("nix/store");
    fs::create_dir_all(&store).unwrap();
    folder([("x", file("one"))]).write(&store.join("a"));
    for (other, what) in [
        (folder([("x", file("three"))]), "they have other sizes"),
        (folder([("x", program("two"))]), "they have other modes"),
        (folder([("x", link("two"))]), "one is not what the other is"),
        (folder([("x", folder([]))]), "one is not what the other is"),
        (folder([("x", file("two"))]), "they hold other contents"),
    ] {
        let path = store.join("b");
        other.write(&path);
        let to = |name: &str| PathRecipe {
            to: Some("/".to_owned()),
            ..PathRecipe::new(format!("/nix/store/{name}"))
        };
        let error = make(root.path(), vec![to("a"), to("b")]).unwrap_err().to_string();
        assert!(
            error.contains("store/a/x") && error.contains("store/b/x") && error.ends_with(what),
            "{error}"
        );
        fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        fs::remove_dir_all(&path).unwrap();
    }
    folder([]).write(&store.join("c"));
    let below = PathRecipe { to: Some("/x/y".to_owned()), ..PathRecipe::new("/nix/store/c") };
    let to = PathRecipe { to: Some("/".to_owned()), ..PathRecipe::new("/nix/store/a") };
    assert!(matches!(make(root.path(), vec![to, below]), Err(LayerError::Conflict { .. })));
}

#[test]
fn what_an_image_cannot_hold_is_named() {
    let (root, path) = store(&Tree::Folder { children: BTreeMap::new(), mode: 0o755 });
    let fifo = root.path().join("nix/store/0-x/pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, 0o644.into(), 0)
        .unwrap();
    let error = make(root.path(), vec![path.clone()]).unwrap_err().to_string();
    assert_eq!(error, format!("`{}` is a FIFO, which an image cannot hold", fifo.display()));
    fs::remove_file(&fifo).unwrap();
    let socket = std::os::unix::net::UnixListener::bind(&fifo).unwrap();
    let error = make(root.path(), vec![path]).unwrap_err().to_string();
    assert!(error.ends_with("is a socket, which an image cannot hold"), "{error}");
    drop(socket);
}

#[test]
fn a_path_that_is_not_there_is_named() {
    let (root, path) = store(&file("x"));
    let gone = PathRecipe::new("/nix/store/gone");
    let error = make(root.path(), vec![path, gone]).unwrap_err().to_string();
    let expected = root.path().join("nix/store/gone");
    assert_eq!(error, format!("store path `{}` is not on this machine", expected.display()));
    for bad in ["relative", "/a/../b", "/a//b", "/", ""] {
        let error = make(root.path(), vec![PathRecipe::new(bad)]).unwrap_err();
        assert!(matches!(error, LayerError::Path { .. }), "{bad}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_is_not_as_large_as_it_says_is_an_error() {
    // These say that they hold nothing, and that they hold a page.
    for path in ["/proc/self/status", "/sys/kernel/uevent_seqnum"] {
        if !Path::new(path).exists() {
            continue;
        }
        let error = make(Path::new("/"), vec![PathRecipe::plain(path, "/x")]).unwrap_err();
        assert_eq!(error.to_string(), format!("`{path}` changed while it was read"));
    }
}

#[test]
fn nesting_has_a_limit() {
    let root = tempfile::tempdir().unwrap();
    let mut path = root.path().join("nix/store/0-x");
    for _ in 0..240 {
        path.push("d");
    }
    fs::create_dir_all(&path).unwrap();
    let error = make(root.path(), vec![PathRecipe::new("/nix/store/0-x")]).unwrap_err();
    assert!(matches!(error, LayerError::Depth { .. }), "{error}");
}

#[test]
fn many_at_once_make_the_same_bytes() {
    let (root, path) = store(&shapes());
    let recipe = Arc::new(LayerRecipe::new(vec![path]));
    let alone = Arc::clone(&recipe).measure(&StoreRoot::at(root.path())).unwrap();
    std::thread::scope(|scope| {
        let measure = || Arc::clone(&recipe).measure(&StoreRoot::at(root.path())).unwrap();
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(measure)).collect();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), alone);
        }
    });
}

fn any_name() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![Just(b'a'), Just(b'.'), Just(b'-'), Just(0xff_u8), 1_u8..=255];
    prop_oneof![
        8 => prop::collection::vec(byte.clone(), 1..12),
        1 => prop::collection::vec(byte, 95..105),
        1 => prop::collection::vec(97_u8..=122, 150..255),
    ]
    .prop_filter("a name", |n| n != b"." && n != b".." && !n.contains(&b'/') && !n.contains(&b'\n'))
}

fn any_tree() -> impl Strategy<Value = Tree> {
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..30),
        (0_usize..2000).prop_map(|n| vec![b'x'; n]),
    ];
    let leaf = prop_oneof![
        (bytes, prop_oneof![Just(0o444_u32), Just(0o555), Just(0o644), Just(0o4755)])
            .prop_map(|(bytes, mode)| Tree::File { bytes, mode }),
        prop::collection::vec(11_u8..=255, 1..120).prop_map(Tree::Link),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        let mode = prop_oneof![Just(0o555_u32), Just(0o755), Just(0o1777)];
        (prop::collection::btree_map(any_name(), inner, 0..6), mode)
            .prop_map(|(children, mode)| Tree::Folder { children, mode })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn any_tree_is_read_back_as_it_was(tree in any_tree()) {
        let (root, path) = store(&tree);
        let (bytes, _) = make(root.path(), vec![path]).unwrap();
        let mut expected = parents();
        tree.entries(b"/nix/store/0-x", &mut expected);
        prop_assert_eq!(read_tar(&bytes), expected);
    }
}
