//! Hashes in Nix files, checked and mended.

use crate::{Bed, integrity};

const STALE: &str = "sha256-vu7gXhPlgnm76GAQiD7DqROCC80uwAhMrh24mXqdfG0=";

impl Bed {
    /// A `yarn.lock` of one package below a folder, and its hash.
    fn lock(&self, folder: &str, name: &str) -> String {
        let lock = format!("# yarn lockfile v1\n\n{}", self.yarn(name, name.as_bytes()));
        let path = format!("{folder}yarn.lock");
        self.sandbox.write(&path, lock);
        self.hash(&path)
    }

    fn hash(&self, path: &str) -> String {
        let output = self.hashfix(["hash", path]).output().code(0);
        output.stdout.trim().to_owned()
    }
}

#[test]
fn a_stale_hash_is_told_with_its_place_and_mended() {
    let bed = Bed::new();
    let new = bed.lock("", "a");
    let text = |hash: &str| {
        format!(
            "# {STALE}\r\nfetchYarnDeps {{\r\n  src = ./.;\r\n  hash = \"{hash}\"; # {STALE}\r\n}}"
        )
    };
    bed.sandbox.write("nix/a.nix", text(STALE).replace("./.", "../."));
    let said =
        |state: &str| format!("nix/a.nix:4:11: {state}: yarn.lock (yarn1): {STALE} -> {new}\n");
    let hint = "hint: `hashfix yarn --fix` writes what is new\n";
    bed.hashfix(["yarn"]).output().code(1).stdout(&said("stale")).stderr(hint);
    bed.hashfix(["npm"])
        .output()
        .code(0)
        .stdout("")
        .stderr("hashfix: note: no hash of a lockfile is found here\n");
    let below = bed.hashfix(["yarn", "--check", "--json", "nix"]).output().code(1);
    assert_eq!(
        below.stdout,
        format!(
            "[{{\"file\":\"nix/a.nix\",\"line\":4,\"column\":11,\"lockfile\":\"yarn.lock\",\"state\":\"stale\",\
             \"recipe\":\"yarn1\",\"old\":\"{STALE}\",\"new\":\"{new}\"}}]\n"
        )
    );
    assert_eq!(bed.sandbox.read("nix/a.nix"), text(STALE).replace("./.", "../."));
    bed.hashfix(["yarn", "--fix"]).output().code(0).stdout(&said("fixed")).stderr("");
    assert_eq!(bed.sandbox.read("nix/a.nix"), text(&new).replace("./.", "../."));
    bed.hashfix(["all"]).output().code(0).stdout("").stderr("");
    let unpadded = text(new.trim_end_matches('=')).replace("./.", "../.");
    bed.sandbox.write("nix/a.nix", unpadded);
    bed.hashfix(["all"]).output().code(0).stdout("").stderr("");
}

#[test]
fn six_stale_hashes_are_mended_in_one_run() {
    let bed = Bed::new();
    let (a, b) = (bed.lock("a/", "a"), bed.lock("b/", "b"));
    let lock = "{\"lockfileVersion\": 3, \"packages\": {}}\n";
    bed.sandbox.write("c/package-lock.json", lock);
    bed.sandbox.write("d/Cargo.lock", "version = 4\n");
    let (c, d) = (bed.hash("c/package-lock.json"), bed.hash("d/Cargo.lock"));
    let flake = |hashes: [&str; 4]| {
        let [a, b, c, d] = hashes;
        format!(
            "{{ self }}: [\n (fetchYarnDeps {{ yarnLock = self + \"/a/yarn.lock\"; hash = {a}; }})\n \
             (fetchYarnDeps {{ yarnLock = ./b/yarn.lock; sha256 = {b}; }})\n \
             (buildNpmPackage {{ src = ./c; npmDepsHash = {c}; }})\n \
             (buildRustPackage {{ src = ./d; cargoHash = {d}; }}) ]\n"
        )
    };
    let quoted = |hash: &str| format!("\"{hash}\"");
    bed.sandbox.write("flake.nix", flake([&quoted(STALE), &quoted(STALE), "lib.fakeHash", "''''"]));
    bed.sandbox.write("a/default.nix", "fetchYarnDeps { hash = lib.fileContents ./hash; }\n");
    bed.sandbox.write("a/hash", format!("{STALE}\n"));
    let pin = |hash: &str| format!("{{\n  \"version\": \"{STALE}\", \"yarnHash\" : \"{hash}\"}}");
    bed.sandbox.write(
        "b/default.nix",
        "let p = lib.importJSON ./pin.json; in fetchYarnDeps { hash = p.yarnHash; }\n",
    );
    bed.sandbox.write("b/pin.json", pin(STALE));
    let output = bed.hashfix(["all", "--fix"]).output().code(0);
    assert_eq!(output.stdout.matches(": fixed: ").count(), 6, "{}", output.stdout);
    let blocks = format!("''{d}''");
    assert_eq!(
        bed.sandbox.read("flake.nix"),
        flake([&quoted(&a), &quoted(&b), &quoted(&c), &blocks])
    );
    assert_eq!(bed.sandbox.read("a/hash"), format!("{a}\n"));
    assert_eq!(bed.sandbox.read("b/pin.json"), pin(&b));
    bed.hashfix(["all"]).output().code(0).stdout("").stderr("");
}

#[test]
fn what_cannot_be_computed_hides_nothing_and_changes_nothing() {
    let bed = Bed::new();
    let new = bed.lock("a/", "a");
    bed.sandbox.write("p/pnpm-lock.yaml", "lockfileVersion: '9.0'\n");
    bed.sandbox.write("y/yarn.lock", "__metadata:\n  version: 8\n");
    bed.sandbox.write("n/package-lock.json", "{\"lockfileVersion\": 3, \"packages\": {}}\n");
    let gone = bed.yarn("gone", b"gone").replace("/gone-1.0.0.tgz", "/404.tgz");
    bed.sandbox.write("g/yarn.lock", format!("# yarn lockfile v1\n{gone}"));
    let nix = format!(
        "[ (pnpm.fetchDeps {{ src = ./p; hash = \"{STALE}\"; }})\n (fetchYarnDeps {{ src = ./y; hash = \"{STALE}\"; }})\n \
         (fetchNpmDeps {{ src = ./n; fetcherVersion = 2; hash = \"{STALE}\"; }})\n (fetchYarnDeps {{ src = ./a; hash = \"{STALE}\"; }})\n"
    );
    bed.sandbox.write("default.nix", format!("{nix} ]\n"));
    let mend = bed.hashfix(["all", "--fix"]).output().code(4);
    mend.stdout(&format!("default.nix:4:38: fixed: a/yarn.lock (yarn1): {STALE} -> {new}\n"))
        .stderr(
            "hashfix: default.nix:1:40: p/pnpm-lock.yaml: locks of pnpm are not computed yet\n\
         hashfix: default.nix:2:38: y/yarn.lock: locks of yarn 2 and later are not computed yet\n\
         hashfix: default.nix:3:57: `fetcherVersion = 2` is not computed yet, only version 1 is\n\
         hint: set the hash to `\"\"` and build it: Nix says what it got instead\n",
        );
    let before = format!("{nix} (fetchYarnDeps {{ src = ./g; hash = \"{STALE}\"; }}) ]\n");
    bed.sandbox.write("default.nix", &before);
    let output = bed.hashfix(["yarn", "--fix", "g"]).output().code(3).stdout("");
    let start =
        format!("hashfix: default.nix:5:38: `gone 1.0.0` ({}): GET http", integrity(b"gone"));
    assert!(output.stderr.starts_with(&start), "{}", output.stderr);
    assert_eq!(bed.sandbox.read("default.nix"), before);
    bed.sandbox.write("default.nix", "fetchYarnDeps {\n");
    drop(bed.hashfix(["all"]).output().code(2).stdout(""));
    let gone = bed.hashfix(["all", "gone.nix"]).output().code(2).stdout("");
    assert!(gone.stderr.starts_with("hashfix: failed to find `gone.nix`: "), "{}", gone.stderr);
}

#[test]
fn only_what_git_tracks_is_looked_at() {
    let bed = Bed::new();
    let new = bed.lock("", "a");
    let text = format!("fetchYarnDeps {{ src = ./.; hash = \"{STALE}\"; }}\n");
    bed.sandbox.write("tracked.nix", &text);
    let git = bed.sandbox.git();
    git.commit_all("first");
    bed.sandbox.write("scratch.nix", &text);
    bed.sandbox.write("below/x", "");
    let output = bed.hashfix(["yarn"]).dir(bed.sandbox.path("below")).output().code(1);
    assert_eq!(
        output.stdout,
        format!("../tracked.nix:1:36: stale: ../yarn.lock (yarn1): {STALE} -> {new}\n")
    );
    drop(bed.hashfix(["yarn", "--fix", "scratch.nix"]).output().code(0));
    assert_eq!(bed.sandbox.read("tracked.nix"), text);
    assert_eq!(bed.sandbox.read("scratch.nix"), text.replace(STALE, &new));
}

#[test]
fn calls_that_share_a_hash_must_agree() {
    let bed = Bed::new();
    drop((bed.lock("a/", "a"), bed.lock("b/", "b")));
    let text = format!(
        "let hash = \"{STALE}\"; in [ (fetchYarnDeps {{ src = ./a; inherit hash; }}) (fetchYarnDeps {{ src = ./b; inherit hash; }}) ]\n"
    );
    bed.sandbox.write("a.nix", &text);
    let output = bed.hashfix(["all", "--fix"]).output().code(2);
    assert!(output.stderr.contains("two calls share this hash, and their lockfiles differ"));
    assert_eq!(bed.sandbox.read("a.nix"), text);
}
