//! The hash is that of the output, which is written here by hand.

use nixdata::nar::identify;

use crate::{Bed, integrity};

#[test]
fn yarn_1_is_a_flat_folder_and_the_lockfile() {
    let bed = Bed::new();
    let lock = format!(
        "# yarn lockfile v1\r\n\n{}{}",
        bed.yarn("zeta", b"z"),
        bed.yarn("alpha", "7".repeat(100_000).as_bytes())
    );
    bed.sandbox.write("yarn.lock", &lock);
    bed.sandbox.write("out/yarn.lock", &lock);
    bed.sandbox.write("out/zeta___zeta_1.0.0.tgz", "z");
    bed.sandbox.write("out/alpha___alpha_1.0.0.tgz", "7".repeat(100_000));
    let id = identify(&bed.sandbox.path("out")).unwrap();

    let sri = format!("{}\n", id.hash.sri());
    bed.hashfix(["hash", "yarn.lock"]).output().code(0).stdout(&sri).stderr("");
    let fetched = bed.registry.requests().len();
    assert_eq!(fetched, 2);

    // A second time nothing is asked, and the output can be had as a NAR.
    let args = ["hash", "--offline", "--json", "--nar", "out.nar", "yarn.lock"];
    let json = format!(
        "{{\"hash\":\"{}\",\"recipe\":\"yarn1\",\"nar_size\":{},\"packages\":2,\"downloads\":0,\"downloaded_bytes\":0}}\n",
        id.hash.sri(),
        id.size
    );
    bed.hashfix(args).output().code(0).stdout(&json).stderr("");
    assert_eq!(bed.registry.requests().len(), fetched);
    let mut nar = Vec::new();
    nixdata::nar::dump(&bed.sandbox.path("out"), &mut nar).unwrap();
    assert_eq!(fs_err::read(bed.sandbox.path("out.nar")).unwrap(), nar);
    let piped = bed.hashfix(["hash", "--nar", "-", "-"]).stdin(lock).output().code(0);
    assert_eq!(piped.stdout_bytes, nar);
    assert_eq!(piped.stderr, sri);
}

#[test]
fn npm_is_a_cache_of_its_own_form() {
    let bed = Bed::new();
    bed.registry.put("/a.tgz", "archive");
    let url = "https://npm.example.com/a.tgz";
    let hash = integrity(b"archive");
    let lock = format!(
        "{{\"lockfileVersion\": 3, \"packages\": {{\"node_modules/a\": {{\"resolved\": \"{url}\", \"integrity\": \"{hash}\"}}}}}}"
    );
    bed.sandbox.write("package-lock.json", &lock);
    bed.sandbox.write("out/package-lock.json", &lock);
    // `printf archive | sha512sum`, and the place of its URL by sha256sum of the key.
    bed.sandbox.write(
        format!("out/_cacache/content-v2/sha512/{}", fanned(&hex(&sha512(b"archive")))),
        "archive",
    );
    let key = format!("make-fetch-happen:request-cache:{url}");
    let json = format!(
        "{{\"key\":\"{key}\",\"integrity\":\"{hash}\",\"time\":0,\"size\":7,\"metadata\":{{\"url\":\"{url}\",\"options\":{{\"compress\":true}}}}}}"
    );
    let index = fanned(&hex(&sha256(key.as_bytes())));
    bed.sandbox.write(
        format!("out/_cacache/index-v5/{index}"),
        format!("{}\t{json}", hex(&sha1(json.as_bytes()))),
    );
    let id = identify(&bed.sandbox.path("out")).unwrap();
    let output = bed.hashfix(["hash", "package-lock.json"]).output();
    output.code(0).stdout(&format!("{}\n", id.hash.sri())).stderr("");
}

#[test]
fn a_git_dependency_is_the_archive_that_gnu_tar_makes() {
    let bed = Bed::new();
    let long = "d".repeat(70);
    bed.sandbox.write("source/file", "text\n");
    bed.sandbox.write(format!("source/{long}/{long}"), "deep\n");
    bed.sandbox.write("source/a.b", "sorted before a/\n");
    bed.sandbox.write("source/a/b", "");
    bed.sandbox.program("tool", "exit 0");
    let script = format!(
        "set -eu; umask 022; cd source; git init -q .; printf '#!/bin/sh\\n' > run; chmod +x run; ln -s file link; ln -s {long}{long} {long}.link
         git config user.name A; git config user.email a@example.invalid; git add -A; git commit -qm 1; git rev-parse HEAD"
    );
    let rev = bed.sandbox.bash(&script).output().code(0).stdout;
    let rev = rev.trim();
    let lock = format!(
        "# yarn lockfile v1\n\n\"tool@git+https://git.example.com/tool\":\n  version \"1.0.0\"\n  \
         resolved \"git+https://git.example.com/tool#{rev}\"\n"
    );
    bed.sandbox.write("yarn.lock", &lock);
    bed.sandbox.write("out/yarn.lock", &lock);
    let tar = format!(
        "set -eu; umask 022; git clone -q source clone; rm -rf clone/.git; tar --owner=0 --group=0 --numeric-owner --format=gnu \
         --sort=name --mtime=@1 --mode u+w -C clone -cf out/tool-{rev} .; rm out/.npmrc 2>/dev/null || :"
    );
    drop(bed.sandbox.bash(&tar).output().code(0));
    let id = identify(&bed.sandbox.path("out")).unwrap();

    let source = bed.sandbox.path("source");
    let config =
        format!("[url \"{}\"]\n  insteadOf = https://git.example.com/tool\n", source.display());
    fs_err::write(bed.sandbox.home().join(".gitconfig"), config).unwrap();
    let unsaid = bed.hashfix(["hash", "yarn.lock"]).output();
    unsaid.code(2).stdout("").stderr(
        "hashfix: yarn.lock: the hash of a git dependency (`tool 1.0.0`) depends on the revision of nixpkgs\n\
         hint: say which: `--recipe yarn1` for nixpkgs since 2026-08, `--recipe yarn1-before-2026` before\n",
    );
    let output = bed.hashfix(["hash", "--recipe", "yarn1", "yarn.lock"]).output();
    output.code(0).stdout(&format!("{}\n", id.hash.sri())).stderr("");
    drop(bed.sandbox.bash(&format!("mv out/tool-{rev} out/tool")).output().code(0));
    let id = identify(&bed.sandbox.path("out")).unwrap();
    let output = bed.hashfix(["hash", "--recipe", "yarn1-before-2026", "yarn.lock"]).output();
    output.code(0).stdout(&format!("{}\n", id.hash.sri())).stderr("");
}

fn fanned(hex: &str) -> String {
    format!("{}/{}/{}", &hex[..2], &hex[2..4], &hex[4..])
}

fn hex(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}

fn sha512(bytes: &[u8]) -> Vec<u8> {
    use sha2::Digest as _;
    sha2::Sha512::digest(bytes).to_vec()
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).to_vec()
}

fn sha1(bytes: &[u8]) -> Vec<u8> {
    use sha1::Digest as _;
    sha1::Sha1::digest(bytes).to_vec()
}
