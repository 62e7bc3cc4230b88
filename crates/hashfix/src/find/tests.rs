//! The shapes that real Nix files have.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Found, Kind, find, may_have};
use crate::view::View;

const OLD: &str = "sha256-vu7gXhPlgnm76GAQiD7DqROCC80uwAhMrh24mXqdfG0=";

#[derive(Default)]
struct Files(BTreeMap<PathBuf, String>);

impl View for Files {
    fn read(&self, path: &Path) -> Option<Vec<u8>> {
        self.0.get(path).map(|text| text.clone().into_bytes())
    }

    fn has(&self, path: &Path) -> bool {
        self.0.contains_key(path)
    }
}

fn in_file(file: &str, text: &str) -> (Found, Files) {
    let mut files = Files::default();
    for name in [
        "yarn.lock",
        "web/yarn.lock",
        "package-lock.json",
        "Cargo.lock",
        "go.sum",
        "pnpm-lock.yaml",
    ] {
        files.0.insert(name.into(), String::new());
    }
    files.0.insert("yarn.lock.hash".into(), format!("{OLD}\n"));
    files.0.insert("empty.hash".into(), "\n".to_owned());
    files.0.insert(
        "pin.json".into(),
        format!("{{\"a\": 1,\n  \"yarnHash\": \"{OLD}\", \"x\": {{\"y\": \"\"}}}}"),
    );
    files.0.insert(file.into(), text.to_owned());
    assert!(may_have(text), "{text}");
    (find(Path::new(file), text, &files).unwrap(), files)
}

/// `lockfile file:what is replaced` of each site; what is unclear comes after a `?`.
fn seen(file: &str, text: &str) -> Vec<String> {
    let (found, files) = in_file(file, text);
    let site = |site: &super::Site| {
        let literal = &site.literal;
        let written = &files.0[&literal.file][literal.span.clone()];
        let mark = if literal.hash.is_some() { "=" } else { "~" };
        format!("{} {}{mark}{written}", site.lockfile.display(), literal.file.display())
    };
    let unclear = found.unclear.iter().map(|unclear| format!("?{}", unclear.what));
    found.sites.iter().map(site).chain(unclear).collect()
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let text = text.replace("OLD", OLD);
    let expected: Vec<String> = expected.iter().map(|line| line.replace("OLD", OLD)).collect();
    assert_eq!(seen("default.nix", &text), expected, "{text}");
}

#[test]
fn fetchers_by_their_last_name() {
    let one = &["yarn.lock default.nix=OLD"];
    check("fetchYarnDeps { yarnLock = ./yarn.lock; hash = \"OLD\"; }", one);
    check("{ pkgs }: pkgs.fetchYarnDeps { yarnLock = ./yarn.lock; sha256 = \"OLD\"; }", one);
    check("yarn-berry_4.fetchYarnBerryDeps { src = ./.; hash = \"OLD\"; }", one);
    check("pnpm_10.fetchDeps { src = ./.; hash = \"OLD\"; }", &["pnpm-lock.yaml default.nix=OLD"]);
    check(
        "(fetchPnpmDeps.override { x = 1; }) { src = ./.; hash = \"OLD\"; }",
        &["pnpm-lock.yaml default.nix=OLD"],
    );
    check("(p.fetchYarnDeps.override { x = 1; }) { src = ./.; hash = \"OLD\"; }", one);
    check(
        "buildNpmPackage { src = ./.; npmDepsHash = \"OLD\"; }",
        &["package-lock.json default.nix=OLD"],
    );
    check(
        "buildNpmPackage { src = ./.; npmDeps = fetchNpmDeps { src = ./.; hash = \"OLD\"; }; }",
        &["package-lock.json default.nix=OLD"],
    );
    check(
        "buildRustPackage (final: { src = ./.; cargoHash = \"OLD\"; })",
        &["Cargo.lock default.nix=OLD"],
    );
    check(
        "buildGoModule (args // { src = ./.; vendorHash = \"OLD\"; })",
        &["go.sum default.nix=OLD"],
    );
    check("buildGoModule { src = ./.; vendorHash = null; }", &[]);
}

#[test]
fn lockfiles_by_what_is_said() {
    let one = &["yarn.lock default.nix=OLD"];
    for lock in [
        "yarnLock = src + \"/yarn.lock\"; inherit src",
        "yarnLock = \"${src}/yarn.lock\"",
        "yarnLock = \"${self}/yarn.lock\"",
        "yarnLock = self + \"/yarn.lock\"",
        "inherit src",
        "src = lib.cleanSource ./.",
        "src = lib.fileset.toSource { root = ./.; fileset = x; }",
        "name = \"x\"",
    ] {
        check(&format!("let src = ./.; in fetchYarnDeps {{ {lock}; hash = \"OLD\"; }}"), one);
    }
    let web = &["web/yarn.lock default.nix=OLD"];
    check("fetchYarnDeps { src = ./web; hash = \"OLD\"; }", web);
    check("fetchYarnDeps { src = ./.; sourceRoot = \"source/web\"; hash = \"OLD\"; }", web);
    check(
        "mk (final: { src = ./web; deps = fetchYarnDeps { yarnLock = \"${final.src}/yarn.lock\"; hash = \"OLD\"; }; })",
        web,
    );
    check(
        "mk (final: { src = ./web; deps = fetchYarnDeps { inherit (final) src; hash = \"OLD\"; }; })",
        web,
    );
    check("{ src }: fetchYarnDeps { inherit src; hash = \"OLD\"; }", one);
    let none = "?no `yarn.lock` is found for this hash";
    check("fetchYarnDeps { yarnLock = ./gone/yarn.lock; hash = \"OLD\"; }", &[none]);
    check("fetchYarnDeps { src = ./gone; hash = \"OLD\"; }", &[none]);
    check("fetchYarnDeps { yarnLock = ../../yarn.lock; hash = \"OLD\"; }", &[none]);
    let text = format!("fetchYarnDeps {{ hash = \"{OLD}\"; }}");
    assert_eq!(seen("web/nix/a.nix", &text), [format!("web/yarn.lock web/nix/a.nix={OLD}")]);
}

#[test]
fn sources_from_elsewhere_have_their_lockfile_there() {
    for src in [
        "fetchFromGitHub { owner = \"a\"; hash = \"OLD\"; }",
        "inputs.app",
        "fetchurl { url = \"x\"; }",
    ] {
        check(&format!("buildRustPackage {{ src = {src}; cargoHash = \"OLD\"; }}"), &[]);
        check(
            &format!(
                "mk (final: {{ src = {src}; deps = fetchYarnDeps {{ yarnLock = final.src + \"/yarn.lock\"; hash = \"OLD\"; }}; }})"
            ),
            &[],
        );
        check(
            &format!(
                "let src = {src}; in fetchYarnDeps {{ yarnLock = src + \"/yarn.lock\"; hash = \"OLD\"; }}"
            ),
            &[],
        );
    }
}

#[test]
fn hashes_are_followed_to_where_they_are_written() {
    let one = &["yarn.lock default.nix=OLD"];
    for (before, hash) in [
        ("", "hash = \"OLD\""),
        ("", "hash =\n  # old: sha256-x\n  \"OLD\""),
        ("h = \"OLD\";", "hash = h"),
        ("hash = \"OLD\";", "inherit hash"),
        ("p = { hash = \"OLD\"; };", "inherit (p) hash"),
        ("p.a.b = \"OLD\";", "hash = q"),
        ("p = { a.b = \"OLD\"; };", "hash = p.a.b"),
        ("p = { a = { b = \"OLD\"; }; };", "hash = p.a.b"),
        ("p = { a = { b = \"OLD\"; }; }; inherit (p) a;", "hash = a.b"),
    ] {
        let expected: &[&str] = if hash == "hash = q" {
            &["?`hash` leads to no literal in this repository"]
        } else {
            one
        };
        check(&format!("let {before} in fetchYarnDeps {{ {hash}; }}"), expected);
    }
    check("fetchYarnDeps { hash = ''OLD''; }", one);
    let filled = &["yarn.lock yarn.lock.hash=OLD"];
    check("fetchYarnDeps { hash = builtins.readFile ./yarn.lock.hash; }", filled);
    check("fetchYarnDeps { hash = lib.fileContents ./yarn.lock.hash; }", filled);
    check("fetchYarnDeps { hash = lib.fileContents ./empty.hash; }", &["yarn.lock empty.hash~"]);
    let pinned = &["yarn.lock pin.json=OLD"];
    check("let pin = lib.importJSON ./pin.json; in fetchYarnDeps { hash = pin.yarnHash; }", pinned);
    check(
        "let pin = builtins.fromJSON (builtins.readFile ./pin.json); in fetchYarnDeps { hash = pin.yarnHash; }",
        pinned,
    );
    check(
        "let pin = lib.importJSON ./pin.json; in fetchYarnDeps { hash = pin.x.y; }",
        &["yarn.lock pin.json~"],
    );
}

#[test]
fn hashes_that_are_not_known_yet() {
    for hash in [
        "\"\"",
        "\"sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"",
        "lib.fakeHash",
        "lib.fakeSha256",
        "fakeHash",
    ] {
        let inside = hash.trim_matches('"');
        check(
            &format!("fetchYarnDeps {{ hash = {hash}; }}"),
            &[&format!("yarn.lock default.nix~{inside}")],
        );
    }
}

#[test]
fn what_is_computed_is_unclear() {
    for hash in [
        "hashes.${app} or lib.fakeHash",
        "if a then \"OLD\" else \"OLD\"",
        "\"${x}\"",
        "arg",
        "pin.gone",
    ] {
        let text = format!(
            "{{ arg, hashes }}: let pin = lib.importJSON ./pin.json; in fetchYarnDeps {{ hash = {hash}; }}"
        );
        check(&text, &["?`hash` leads to no literal in this repository"]);
    }
}

#[test]
fn two_fetchers_with_one_hash_are_two_places() {
    let text = format!(
        "[ (fetchYarnDeps {{ src = ./.; hash = \"{OLD}\"; }}) (fetchYarnDeps {{ src = ./web; hash = \"{OLD}\"; }}) ]"
    );
    let (found, _) = in_file("default.nix", &text);
    let [first, second] = found.sites.as_slice() else { panic!("{found:?}") };
    assert_ne!(first.literal.span, second.literal.span);
    assert_eq!(first.kind, Kind::Yarn);
    let text = "fetchNpmDeps { src = ./.; fetcherVersion = 2; hash = \"\"; }";
    assert_eq!(in_file("a.nix", text).0.sites[0].version, Some(2));
}
