//! What our own images have beyond nix2container's: made entries, rules, capabilities, conflicts that were decided, and
//! paths that are held to their NAR hash.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use fs_err as fs;
use oci::layer::{
    LayerError, LayerRecipe, MadeEntry, MadeKind, OnConflict, PathRecipe, Rule, StoreRoot,
    glob_to_regex,
};

fn store(files: &[(&str, &str)]) -> (tempfile::TempDir, StoreRoot) {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join("nix/store").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let root = StoreRoot::at(dir.path());
    (dir, root)
}

fn made(recipe: LayerRecipe, root: &StoreRoot) -> Result<Vec<u8>, LayerError> {
    let mut tar = Vec::new();
    Arc::new(recipe).make(root, &mut |piece| {
        tar.extend_from_slice(piece);
        Ok(())
    })?;
    Ok(tar)
}

/// Name, mode, owner and text of each entry.
fn listing(tar: &[u8]) -> Vec<String> {
    let mut archive = tar::Archive::new(tar);
    let line = |entry: Result<tar::Entry<'_, &[u8]>, _>| {
        let mut entry = entry.unwrap();
        let mut text = String::new();
        let caps = entry.pax_extensions().unwrap().map_or(0, |all| {
            all.filter(|one| one.as_ref().unwrap().key() == Ok("SCHILY.xattr.security.capability"))
                .map(|one| one.unwrap().value_bytes().len())
                .sum()
        });
        entry.read_to_string(&mut text).unwrap();
        let header = entry.header();
        let name = entry.path().unwrap().display().to_string();
        let (mode, uid, gid) =
            (header.mode().unwrap(), header.uid().unwrap(), header.gid().unwrap());
        let target = entry.link_name().unwrap().map(|to| format!(" -> {}", to.display()));
        format!(
            "{name} {mode:o} {uid}:{gid}{}{text}{}",
            if caps > 0 { format!(" caps{caps} ") } else { " ".to_owned() },
            target.unwrap_or_default()
        )
        .trim_end()
        .to_owned()
    };
    archive.entries().unwrap().map(line).collect()
}

fn path(name: &str) -> PathRecipe {
    PathRecipe::new(format!("/nix/store/{name}"))
}

fn at_root(name: &str) -> PathRecipe {
    PathRecipe { to: Some("/".to_owned()), ..path(name) }
}

#[test]
fn entries_are_made_and_rules_apply_to_names_in_the_image() {
    let (_dir, root) = store(&[("a/bin/app", "x"), ("a/etc/conf", "y")]);
    let mut recipe = LayerRecipe::new(vec![at_root("a")]);
    let dir = |to: &str, mode: &str| MadeEntry {
        kind: MadeKind::Dir,
        mode: mode.to_owned(),
        ..MadeEntry { to: to.to_owned(), ..MadeEntry::default() }
    };
    recipe.entries = vec![
        dir("/tmp", "1777"),
        MadeEntry { uid: 7, ..MadeEntry::file("/etc/passwd", b"root:x:0:0::/:\n") },
        MadeEntry {
            to: "/var/run".to_owned(),
            kind: MadeKind::Symlink,
            target: Some("/run".to_owned()),
            ..MadeEntry::default()
        },
        dir("/etc", "700"),
    ];
    let rule = |glob: &str| Rule { regex: glob_to_regex(glob).unwrap(), ..Rule::default() };
    recipe.rules = vec![
        Rule { caps: "cap_net_bind_service=ep".to_owned(), ..rule("/bin/*") },
        Rule { uid: Some(1000), gid: Some(1000), ..rule("/{var,etc/conf}") },
        Rule { mode: "0600".to_owned(), ..rule("/etc/conf") },
    ];
    let plan = serde_json::to_string(&recipe).unwrap();
    assert_eq!(serde_json::from_str::<LayerRecipe>(&plan).unwrap(), recipe);
    let tar = made(recipe, &root).unwrap();
    let mode = |name: &str| {
        use std::os::unix::fs::PermissionsExt as _;
        let path = root.path().join("nix/store/a").join(name);
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    };
    let expected = [
        "/ 755 0:0".to_owned(),
        format!("/bin {:o} 0:0", mode("bin")),
        format!("/bin/app {:o} 0:0 caps20 x", mode("bin/app")),
        "/etc 700 0:0".to_owned(),
        "/etc/conf 600 1000:1000 y".to_owned(),
        "/etc/passwd 644 7:0 root:x:0:0::/:".to_owned(),
        "/tmp 1777 0:0".to_owned(),
        "/var 755 1000:1000".to_owned(),
        "/var/run 777 0:0  -> /run".to_owned(),
    ];
    assert_eq!(listing(&tar), expected);
}

#[test]
fn what_is_made_stands_in_nobodys_way() {
    let (_dir, root) = store(&[("a/etc/conf", "y")]);
    let try_entry = |entry: MadeEntry| {
        let mut recipe = LayerRecipe::new(vec![at_root("a")]);
        recipe.entries = vec![entry];
        made(recipe, &root).unwrap_err().to_string()
    };
    let text = try_entry(MadeEntry::file("/etc/conf", b""));
    assert!(text.ends_with("`/etc/conf` both make `/etc/conf`, but the second one is to be made"));
    let text = try_entry(MadeEntry::file("/etc", b""));
    assert!(text.contains("both make `/etc`"), "{text}");
    for name in ["relative", "/a/../b", "/a//b", ""] {
        let text = try_entry(MadeEntry::file(name, b""));
        assert!(text.starts_with(&format!("cannot make `{name}`: its name")), "{text}");
    }
    let mut recipe = LayerRecipe::new(Vec::new());
    recipe.entries = vec![MadeEntry::file("/a", b"1"), MadeEntry::file("/a", b"2")];
    let text = made(recipe, &root).unwrap_err().to_string();
    assert_eq!(text, "cannot make `/a`: it is there twice");
    let mut recipe = LayerRecipe::new(Vec::new());
    recipe.entries = vec![MadeEntry::file("/a", b"1"), MadeEntry::file("/a/b", b"2")];
    let text = made(recipe, &root).unwrap_err().to_string();
    assert_eq!(text, "cannot make `/a`: there are entries below it");
}

#[test]
fn conflicts_end_as_was_said() {
    let files = [
        ("a/f", "one"),
        ("a/same", "s"),
        ("a/d/x", "x"),
        ("b/f", "two"),
        ("b/same", "s"),
        ("b/d", "file"),
    ];
    let (dir, root) = store(&files);
    let result = |how: OnConflict| {
        let two = PathRecipe { on_conflict: how, ..at_root("b") };
        let tar = made(LayerRecipe::new(vec![at_root("a"), two]), &root)?;
        let names = listing(&tar).into_iter().map(|line| {
            let words: Vec<_> = line.split(' ').collect();
            [words[0], words.get(3).copied().unwrap_or_default()].join(" ").trim_end().to_owned()
        });
        Ok::<Vec<String>, LayerError>(names.collect())
    };
    let text = result(OnConflict::Error).unwrap_err().to_string();
    let at = |name: &str| dir.path().join("nix/store").join(name).display().to_string();
    assert_eq!(
        text,
        format!(
            "`{}` and `{}` both make `/d`, but one is not what the other is",
            at("a/d"),
            at("b/d")
        )
    );
    assert_eq!(result(OnConflict::First).unwrap(), ["/", "/d", "/d/x x", "/f one", "/same s"]);
    assert_eq!(result(OnConflict::Last).unwrap(), ["/", "/d file", "/f two", "/same s"]);
    assert!(result(OnConflict::MergeDirs).unwrap_err().to_string().contains("both make `/d`"));
}

/// Gives an entry the time that everything in a store has.
fn long_ago(path: &Path) {
    use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};
    let time = Timespec { tv_sec: 1, tv_nsec: 0 };
    let times = Timestamps { last_access: time, last_modification: time };
    utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
}

fn hash(path: &Path) -> String {
    nixdata::nar::identify(path).unwrap().hash.sri()
}

#[test]
fn a_path_is_held_to_its_nar_hash() {
    let files = [("a/bin/app", "x"), ("a/z", ""), ("b", "file"), ("c/f", "1"), ("d/f", "1")];
    let (dir, root) = store(&files);
    let at = |name: &str| dir.path().join("nix/store").join(name);
    std::os::unix::fs::symlink("z", at("a/link")).unwrap();
    let hashed =
        |recipe: PathRecipe, name: &str| PathRecipe { nar_hash: Some(hash(&at(name))), ..recipe };
    let recipe = || {
        LayerRecipe::new(vec![
            hashed(path("a"), "a"),
            hashed(path("b"), "b"),
            // These two are mingled, and read again.
            hashed(at_root("c"), "c"),
            hashed(at_root("d"), "d"),
        ])
    };
    made(recipe(), &root).unwrap();
    let all = ["a/bin/app", "a/bin", "a/z", "a/link", "a", "b", "c/f", "c", "d/f", "d"];
    for name in all {
        long_ago(&at(name));
    }
    for (name, file, what) in
        [("a", "a/bin/app", "y"), ("b", "b", "eli."), ("c", "c/f", "2"), ("d", "d/f", "1")]
    {
        if name == "d" {
            fs::write(at("c/f"), "1").unwrap();
        }
        let recipe = recipe();
        fs::write(at(file), what).unwrap();
        if name == "d" {
            // The same size and contents again: nothing is wrong, until there is one more.
            fs::write(at("d/more"), "").unwrap();
        }
        let error = made(recipe, &root).unwrap_err();
        let changed = if name == "d" { "d/more" } else { file };
        match &error {
            LayerError::NarHash { path, newest, .. } => {
                assert_eq!((path, newest), (&at(name), &at(changed)), "{error}");
            }
            // Of two that are mingled the contents differ first.
            LayerError::Conflict { name, .. } => assert_eq!(name, Path::new("/f")),
            _ => panic!("{error}"),
        }
    }
    let broken = PathRecipe { nar_hash: Some("sha256-?".to_owned()), ..path("b") };
    let error = made(LayerRecipe::new(vec![broken]), &root).unwrap_err();
    assert_eq!(error.to_string(), "`sha256-?` is no NAR hash");
}
