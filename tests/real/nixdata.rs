//! What nixdata computes is what Nix of each version computes, on trees and graphs that nobody wrote by hand.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use nixdata::nar::{Reader, dump, identify};
use nixdata::{Algorithm, Closure, Encoding, Hash, StoreDir, parse_graph};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use testkit::{RealNix, Sandbox, Suite};

/// Enough trees that each kind of node meets each other; one call of Nix hashes them all.
const TREES: usize = 150;

#[derive(Debug, Clone)]
enum Node {
    File(u32, Vec<u8>),
    Symlink(Vec<u8>),
    Directory(BTreeMap<Vec<u8>, Self>),
}

impl Node {
    fn write(&self, path: &Path) {
        match self {
            Self::File(mode, bytes) => {
                fs_err::write(path, bytes).unwrap();
                fs_err::set_permissions(path, std::fs::Permissions::from_mode(*mode)).unwrap();
            }
            Self::Symlink(target) => symlink(OsStr::from_bytes(target), path).unwrap(),
            Self::Directory(entries) => {
                fs_err::create_dir(path).unwrap();
                for (name, node) in entries {
                    node.write(&path.join(OsStr::from_bytes(name)));
                }
            }
        }
    }
}

fn trees() -> impl Strategy<Value = Node> {
    // The sizes around the padding and around the pieces that are read at once.
    let size = prop_oneof![4 => 0..20_usize, 1 => 4090..4100_usize, 1 => 65_530..65_545_usize, 1 => 131_070..131_080_usize];
    let file =
        (prop::sample::select(vec![0o644, 0o755, 0o444, 0o500, 0o654, 0o600]), size, any::<u8>())
            .prop_map(|(mode, size, byte)| Node::File(mode, vec![byte; size]));
    let target = proptest::collection::vec(1..=255_u8, 1..60).prop_map(Node::Symlink);
    prop_oneof![2 => file, 1 => target].prop_recursive(4, 30, 7, |inner| {
        let name = prop_oneof![
            // Names that sort otherwise than their paths do.
            prop::sample::select(vec!["a", "a.b", "a-b", "a0", "A", "b", " ", "a b", "..."])
                .prop_map(|name| name.as_bytes().to_vec()),
            proptest::collection::vec(
                (1..=255_u8).prop_filter("no slash", |byte| *byte != b'/'),
                1..30
            ),
        ]
        .prop_filter("a name", |name| !matches!(name.as_slice(), b"." | b".."));
        proptest::collection::btree_map(name, inner, 0..7).prop_map(Node::Directory)
    })
}

fn write_trees(sandbox: &Sandbox) -> Vec<PathBuf> {
    let mut runner = TestRunner::deterministic();
    let strategy = trees();
    (0..TREES)
        .map(|number| {
            let path = sandbox.path(format!("tree-{number}"));
            strategy.new_tree(&mut runner).unwrap().current().write(&path);
            path
        })
        .collect()
}

#[test]
fn random_trees_have_the_same_nar_hash() {
    let sandbox = Sandbox::new();
    let paths = write_trees(&sandbox);
    let names: Vec<&str> = paths.iter().map(|path| path.to_str().unwrap()).collect();
    let ours: Vec<Hash> = paths.iter().map(|path| identify(path).unwrap().hash).collect();
    for suite in Suite::ALL {
        let nix = RealNix::install(&sandbox, suite);
        let old = nix.run("nix-hash", ["--type", "sha256", "--base32"]).args(&names).output();
        let theirs: Vec<String> = old.code(0).stdout.lines().map(str::to_owned).collect();
        let nix32: Vec<String> = ours.iter().map(|hash| hash.bare(Encoding::Nix32)).collect();
        assert_eq!(theirs, nix32, "{suite:?}");
        let new = nix.run("nix", ["hash", "path"]).args(&names).output().code(0).stdout;
        let sri: Vec<String> = ours.iter().map(Hash::sri).collect();
        assert_eq!(new.lines().collect::<Vec<_>>(), sri, "{suite:?}");
    }
}

#[test]
fn nars_are_the_same_bytes_and_restore_the_same_tree() {
    let sandbox = Sandbox::new();
    for suite in Suite::ALL {
        let nix = RealNix::install(&sandbox, suite);
        let root = sandbox.path(suite.name());
        fs_err::create_dir(&root).unwrap();
        let mut runner = TestRunner::deterministic();
        for number in 0..10 {
            let (tree, back) = (root.join(format!("t{number}")), root.join(format!("r{number}")));
            trees().new_tree(&mut runner).unwrap().current().write(&tree);
            let ours = dump(&tree, Vec::new()).unwrap();
            let theirs = nix.run("nix-store", ["--dump"]).arg(&tree).output().code(0).stdout_bytes;
            assert!(ours == theirs, "{suite:?} {}", tree.display());
            assert_eq!(Reader::new(theirs.as_slice()).finish().unwrap(), ours.len() as u64);
            let restored = nix.run("nix-store", ["--restore"]).arg(&back).stdin(ours.clone());
            drop(restored.output().code(0));
            assert!(dump(&back, Vec::new()).unwrap() == ours, "{suite:?} {}", back.display());
        }
    }
}

#[test]
fn every_version_tells_the_same_closure() {
    let sandbox = Sandbox::new();
    let oldest = RealNix::install(&sandbox, Suite::Bookworm);
    let root = oldest.build_graph(25);
    let read = |text: &str| Closure::new(parse_graph(text.as_bytes(), None).unwrap()).unwrap();
    let expected = read(&oldest.ok("nix", ["path-info", "--json", "-r", &root]));
    assert_eq!(expected.len(), 25);
    assert_eq!(expected.roots(), [expected.index_of(&root).unwrap()]);
    assert!(expected.paths().iter().any(|info| info.references.contains(&info.path)));
    // The hashes in the store's database are those of the files.
    for info in expected.paths() {
        let id = identify(info.path.as_path()).unwrap();
        assert_eq!((Some(id.hash), Some(id.size)), (info.nar_hash, info.nar_size), "{}", info.path);
    }
    for suite in Suite::ALL {
        let nix = RealNix::install(&sandbox, suite);
        let told = read(&nix.ok("nix", ["path-info", "--json", "-r", &root]));
        assert_eq!(told, expected, "{suite:?}");
        let sizes =
            read(&nix.ok("nix", ["path-info", "--json", "-r", "-s", "-S", "--sigs", &root]));
        assert_eq!(sizes, expected, "{suite:?}");
        for format in ["1", "2"] {
            let format =
                nix.run("nix", ["path-info", "--json", "--json-format", format, "-r", &root]);
            let format = format.output();
            // A version without formats says so.
            if format.code == 0 {
                assert_eq!(read(&format.stdout), expected, "{suite:?}");
            }
        }
        let members: Vec<&str> = expected.paths().iter().map(|info| info.path.as_str()).collect();
        let dumped = nix.run("nix-store", ["--dump-db"]).args(&members).output().code(0).stdout;
        assert_eq!(read(&dumped), expected, "{suite:?}");
    }
}

#[test]
fn hashes_convert_as_nix_converts_them() {
    let sandbox = Sandbox::new();
    let algorithms = [Algorithm::Md5, Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512];
    for suite in Suite::ALL {
        let nix = RealNix::install(&sandbox, suite);
        for algorithm in algorithms {
            let name = algorithm.name();
            let hashes: Vec<Hash> = (0..20_u8)
                .map(|seed| {
                    let bytes = [Hash::sha256_of(&[seed]), Hash::sha256_of(&[seed, 1])];
                    let bytes = bytes.map(|hash| hash.digest().to_vec()).concat();
                    Hash::new(algorithm, &bytes[..algorithm.digest_len()]).unwrap()
                })
                .collect();
            let convert = |to: &str, from: Encoding| {
                let digests = hashes.iter().map(|hash| hash.bare(from));
                nix.run("nix-hash", ["--type", name, to]).args(digests).output().code(0).stdout
            };
            let spelled = |to: Encoding| -> String {
                hashes.iter().map(|hash| hash.bare(to) + "\n").collect()
            };
            assert_eq!(convert("--to-base32", Encoding::Base16), spelled(Encoding::Nix32));
            assert_eq!(convert("--to-base16", Encoding::Nix32), spelled(Encoding::Base16));
            assert_eq!(convert("--to-base16", Encoding::Base64), spelled(Encoding::Base16));
        }
    }
}

#[test]
fn store_path_names_are_those_of_nix() {
    let sandbox = Sandbox::new();
    let nix = RealNix::install(&sandbox, Suite::Forky);
    let long = "x".repeat(211);
    let longer = "x".repeat(212);
    let names = [
        "a",
        "A+b-c._?=9",
        "...",
        ".a",
        "..a",
        ".git",
        "-",
        "-.",
        "a-.",
        ".",
        "..",
        ".-a",
        "..-a",
        "",
        "a b",
        "a~",
        "ä",
        "a@b",
        "a,b",
        "a!",
        &long,
        &longer,
    ];
    for name in names {
        let expression = format!("builtins.toFile \"{name}\" \"\"");
        let theirs =
            nix.run("nix-instantiate", ["--eval", "--store", "dummy://", "-E", &expression]);
        let ours = StoreDir::default().path(&format!("{}-{name}", "0".repeat(32)));
        assert_eq!(theirs.output().code == 0, ours.is_ok(), "`{name}`: {ours:?}");
    }
}
