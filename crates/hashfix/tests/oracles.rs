//! Hashes that real projects committed, computed again from their lockfiles and the package registries.
#![expect(clippy::unwrap_used, reason = "a test ends where its ground fails")]
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "the environment says where the answers are"
)]

use std::path::{Path, PathBuf};

use testkit::Sandbox;

/// The hosts that the recorded lockfiles do not spell.
const HOSTS: [(&str, &str); 2] = [
    ("@NPM@", concat!("registry.", "npmjs", ".org")),
    ("@YARN@", concat!("registry.", "yarnpkg", ".com")),
];

fn oracles() -> PathBuf {
    let folder = std::env::var_os("LIKEWISE_ORACLES")
        .expect("set LIKEWISE_ORACLES to the folder of recorded answers");
    Path::new(&folder).join("hashfix")
}

/// The lockfile of a case as its project has it.
fn lockfile(case: &str, name: &str) -> Vec<u8> {
    let text = fs_err::read_to_string(oracles().join(case).join(name)).unwrap();
    HOSTS.iter().fold(text, |text, (mark, host)| text.replace(mark, host)).into_bytes()
}

#[track_caller]
fn check(case: &str, name: &str) {
    let sandbox = Sandbox::new();
    sandbox.write(name, lockfile(case, name));
    let expected = fs_err::read_to_string(oracles().join(case).join("expected.txt")).unwrap();
    let hashfix = sandbox.run(env!("CARGO_BIN_EXE_hashfix")).args(["hash", name]);
    let certificates = std::env::var_os("SSL_CERT_FILE").unwrap_or_default();
    let output = hashfix.env("SSL_CERT_FILE", certificates).output();
    output.code(0).stdout(&format!("{}\n", expected.trim())).stderr("");
}

macro_rules! cases {
    ($($test:ident: $case:literal $lockfile:literal,)*) => {
        $(#[test] fn $test() { check($case, $lockfile); })*
    };
}

cases! {
    yarn1_ghost_cli: "yarn1-ghost-cli-1.26.1" "yarn.lock",
    yarn1_invoiceplane: "yarn1-invoiceplane-v1.6.2" "yarn.lock",
    yarn1_local_files: "yarn1-nixpkgs-test-file" "yarn.lock",
    yarn1_one_package: "yarn1-nixpkgs-test-simple" "yarn.lock",
    yarn1_ihp: "stale-ihp-1" "yarn.lock",
    npm_claude_code: "npm-llmagents-claude-code-20251210" "package-lock.json",
    npm_openspec: "npm-llmagents-openspec-20251210" "package-lock.json",
    npm_empty_cache: "npm-protobuf-es-1.2.1" "package-lock.json",
    npm_emdash: "stale-emdash-1" "package-lock.json",
    cargo_agent_browser: "cargo-agent-browser-0.14.0" "Cargo.lock",
}

/// A hash that was stale in a real project becomes what a person wrote there later, and no other byte changes.
#[track_caller]
fn mend(case: &str, lockfiles: &[&str]) {
    let sandbox = Sandbox::new();
    for name in lockfiles {
        sandbox.write(name, lockfile(case, name));
    }
    sandbox.write("before.nix", lockfile(case, "before.nix"));
    let certificates = std::env::var_os("SSL_CERT_FILE").unwrap_or_default();
    let hashfix = |args: [&'static str; 2]| {
        let run = sandbox.run(env!("CARGO_BIN_EXE_hashfix")).args(args);
        run.env("SSL_CERT_FILE", &certificates).output()
    };
    drop(hashfix(["all", "--check"]).code(1));
    assert_eq!(sandbox.read("before.nix").into_bytes(), lockfile(case, "before.nix"));
    hashfix(["all", "--fix"]).code(0).stdout("before.nix:[..]: fixed: [..]\n").stderr("");
    assert_eq!(sandbox.read("before.nix").into_bytes(), lockfile(case, "after.nix"));
    hashfix(["all", "--check"]).code(0).stdout("").stderr("");
}

#[test]
fn stale_ihp() {
    mend("stale-ihp-1", &["yarn.lock", "Guide.yarn.lock"]);
}

#[test]
fn stale_emdash() {
    mend("stale-emdash-1", &["package-lock.json"]);
}
