//! Archives and layouts: what is written, where, and what is left when it fails.

use std::io::Read as _;

use fs_err as fs;
use oci::{Digest, ImageConfig, Index, Manifest};
use serde_json::Value;
use testkit::Sandbox;

use super::{build, mkfifo, plan};

const SITE: [&str; 5] = ["site", "--name", "org/site", "--tag", "v1"];

fn site() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("site/index.html", "hello ".repeat(1000));
    sandbox
}

/// Builds with `args` and gives the line on stdout.
fn digest(sandbox: &Sandbox, args: &[&str]) -> Digest {
    let output = build(sandbox, &[&SITE, args].concat()).output().code(0);
    let digest = output.stdout.strip_suffix('\n').unwrap().parse().unwrap();
    output.stderr("");
    digest
}

struct Archive(Vec<(String, Vec<u8>)>);

impl Archive {
    fn read(bytes: &[u8]) -> Self {
        let mut archive = tar::Archive::new(bytes);
        let members = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            (entry.path().unwrap().to_str().unwrap().to_owned(), bytes)
        });
        Self(members.collect())
    }

    fn get(&self, name: &str) -> &[u8] {
        &self.0.iter().find(|(found, _)| found == name).unwrap().1
    }

    fn manifest(&self) -> (Digest, Manifest, ImageConfig) {
        let index = Index::parse(self.get("index.json")).unwrap();
        let digest = index.manifests[0].digest.clone();
        let manifest = Manifest::parse(self.get(&digest.blob_path())).unwrap();
        let config = ImageConfig::parse(self.get(&manifest.config.digest.blob_path())).unwrap();
        (digest, manifest, config)
    }
}

#[test]
fn a_file_a_pipe_and_a_layout_hold_the_same_image() {
    let sandbox = site();
    for compress in ["gzip", "zstd", "none"] {
        let with = |args: [&'static str; 2]| ["--compress", compress, args[0], args[1]];
        let digest = digest(&sandbox, &with(["-o", "x.tar"]));
        let bytes = fs::read(sandbox.path("x.tar")).unwrap();
        let piped = build(&sandbox, &[&SITE[..], &with(["--format", "oci-archive"])].concat());
        let piped = piped.output().code(0);
        assert_eq!(piped.stdout_bytes, bytes);
        piped.stderr("");
        assert_eq!(self::digest(&sandbox, &with(["-o", "oci:out"])), digest);
        let archive = Archive::read(&bytes);
        let (found, manifest, config) = archive.manifest();
        assert_eq!(found, digest);
        let plan = plan(build(&sandbox, &SITE));
        assert_eq!(serde_json::to_value(&config).unwrap(), plan["config"]);
        let annotations = &manifest.layers[0].annotations;
        assert_eq!(annotations["dev.likewise.diff-id"], plan["layers"][0]["diff_id"]);
        assert_eq!(annotations["dev.likewise.recipe-key"], plan["layers"][0]["recipe_key"]);
        let docker: Value = serde_json::from_slice(archive.get("manifest.json")).unwrap();
        assert_eq!(docker[0]["RepoTags"], serde_json::json!(["org/site:v1"]));
    }
}

#[test]
fn a_docker_archive_has_plain_layers() {
    let sandbox = site();
    digest(&sandbox, &["--format", "docker-archive", "-o", "image"]);
    let (_, manifest, config) = Archive::read(&fs::read(sandbox.path("image")).unwrap()).manifest();
    assert_eq!(manifest.layers[0].digest, config.rootfs.diff_ids[0]);
}

#[test]
fn a_layout_holds_images_by_name() {
    let sandbox = site();
    let one = digest(&sandbox, &["-o", "oci:out"]);
    sandbox.write("site/more", "");
    let two = digest(&sandbox, &["-o", "oci:out:two"]);
    let index = Index::parse(&fs::read(sandbox.path("out/index.json")).unwrap()).unwrap();
    let name = |d: &oci::Descriptor| d.annotations["org.opencontainers.image.ref.name"].clone();
    let found: Vec<_> = index.manifests.iter().map(|d| (name(d), d.digest.clone())).collect();
    assert_eq!(found, [("v1".to_owned(), one), ("two".to_owned(), two)]);
}

#[test]
fn the_users_mask_changes_the_file_and_not_its_bytes() {
    let sandbox = site();
    let binary = env!("CARGO_BIN_EXE_ociimg");
    let script = format!(
        "umask 022; {binary} build site -o a.tar; umask 077; chmod -R go= site; {binary} build site -o b.tar; \
         stat -c %a a.tar b.tar; cmp a.tar b.tar"
    );
    let output = sandbox.bash(&script).output().code(0);
    let lines: Vec<_> = output.stdout.lines().collect();
    assert_eq!(lines[0], lines[1]);
    assert_eq!(lines[2..], ["644", "600"]);
    output.stderr("");
}

#[test]
fn a_file_is_written_whole_or_not_at_all() {
    let sandbox = site();
    sandbox.write("old.tar", "old");
    mkfifo(&sandbox.path("site/pipe"));
    for output in ["old.tar", "new.tar", "plan.json", "oci:out"] {
        let output = build(&sandbox, &["site", "-o", output]).output().code(2).stdout("");
        output.stderr(
            "ociimg: `[..]/site/pipe` is a FIFO, which an image cannot hold\n\
             hint: remove it, or leave its directory out\n",
        );
    }
    assert_eq!(sandbox.read("old.tar"), "old");
    let mut left: Vec<_> = fs::read_dir(sandbox.work())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["old.tar", "out", "site"]);
    assert!(!sandbox.path("out/index.json").exists());
}

#[test]
fn a_link_is_followed_and_a_device_is_written() {
    let sandbox = site();
    sandbox.write("real/x.tar", "");
    std::os::unix::fs::symlink("real/x.tar", sandbox.path("x.tar")).unwrap();
    digest(&sandbox, &["-o", "x.tar"]);
    assert!(fs::symlink_metadata(sandbox.path("x.tar")).unwrap().is_symlink());
    assert!(fs::metadata(sandbox.path("real/x.tar")).unwrap().len() > 1024);
    build(&sandbox, &["site", "--format", "oci-archive", "-o", "/dev/full"])
        .output()
        .code(2)
        .stdout("")
        .stderr("ociimg: cannot write the archive: [..]No space left on device (os error 28)\n");
    build(&sandbox, &["site", "-o", "/dev/full"])
        .output()
        .code(2)
        .stdout("")
        .stderr("ociimg: cannot write `/dev/full`: [..]No space left on device (os error 28)\n");
}

#[test]
fn an_image_is_not_written_into_itself() {
    let sandbox = site();
    for output in ["site/x.tar", "oci:site/new/out", "site/plan.json"] {
        let output = build(&sandbox, &["site", "-o", output]).output().code(2).stdout("");
        output.stderr(
            "ociimg: `[..]` is inside `[..]/site`, which goes into the image\n\
             hint: write it somewhere else\n",
        );
    }
    let here = build(&sandbox, &[".", "-o", "x.tar"]).dir(sandbox.path("site")).output().code(2);
    assert!(here.stderr.contains("goes into the image"), "{}", here.stderr);
}

#[test]
fn what_cannot_be_written_is_named() {
    let sandbox = site();
    let fails = |args: &[&str], stderr: &str| {
        build(&sandbox, &[&["site"], args].concat()).output().code(2).stdout("").stderr(stderr);
    };
    sandbox.write("other/file", "");
    fails(
        &["-o", "other"],
        "ociimg: `[..]/other` is a directory\nhint: name a file, or write `oci:DIR` for a layout\n",
    );
    fails(
        &["-o", "gone/x.tar"],
        "ociimg: cannot write `[..]gone/x.tar`: [..]No such file or directory[..]\n",
    );
    fails(
        &["-o", "oci:other"],
        "ociimg: `[..]/other` is a folder with other things in it, but no OCI layout\n\
         hint: name an empty directory, one that does not exist yet, or a layout\n",
    );
    fails(
        &["--compress", "gzip"],
        "ociimg: a plan has no layers in it that `--compress` could compress\n\
         hint: give `--compress` to `pushimg`, [..]\n",
    );
    fails(
        &["-o", "x.tar.gz"],
        "ociimg: `x.tar.gz` would be an archive that is compressed as a whole\n\
         hint: name it `.tar`: its layers are compressed already, and docker and skopeo read them\n",
    );
    fails(
        &["-o", "docker-archive:x.tar"],
        "ociimg: `docker-archive:x.tar` is not a destination of this program\n\
         hint: say it by `--format oci-archive` or `--format docker-archive`, and `-o FILE`\n",
    );
    let unspooled = build(&sandbox, &["site", "--format", "oci-archive"]).env("TMPDIR", "/gone");
    let unspooled = unspooled.output().code(2);
    assert!(unspooled.stderr.starts_with("ociimg: cannot write `/gone`: "), "{}", unspooled.stderr);
}

#[test]
fn a_reader_that_leaves_ends_an_archive_quietly() {
    let sandbox = site();
    sandbox.write("site/large", vec![7; 4 << 20]);
    let binary = env!("CARGO_BIN_EXE_ociimg");
    let script = format!(
        "{binary} build site --format docker-archive | head -c 1000 | wc -c; echo ${{PIPESTATUS[0]}}"
    );
    sandbox.bash(&script).output().code(0).stdout("1000\n0\n").stderr("");
    let full = format!("{binary} build site --format docker-archive > /dev/full");
    let output = sandbox.bash(&full).output().code(2).stdout("");
    assert!(output.stderr.contains("No space left on device"), "{}", output.stderr);
}

#[test]
fn a_full_disk_leaves_nothing_half() {
    let sandbox = site();
    // More than the file system below, and not to be compressed.
    let noise: Vec<u8> =
        (0..1_u32 << 18).flat_map(|n| n.wrapping_mul(n | 1).to_le_bytes()).collect();
    sandbox.write("site/noise", noise);
    fs::create_dir(sandbox.path("small")).unwrap();
    let binary = env!("CARGO_BIN_EXE_ociimg");
    // Only root may mount; for others the shell says so, and the full device above has to do.
    let script = format!(
        "mount -t tmpfs -o size=256k tmpfs small || exit 99
         for to in small/x.tar oci:small/out; do {binary} build site -o $to; echo $?; done
         cd small; find . -type f -size +0 | sort; {binary} build ../site --format oci-archive"
    );
    let run = sandbox.run("unshare").args(["--mount", "--map-root-user", "bash", "-c", &script]);
    let output = run.env("TMPDIR", sandbox.path("small")).output();
    if output.code == 99 || output.stderr.starts_with("unshare: ") {
        return;
    }
    assert_eq!(output.code, 2, "{}", output.stderr);
    assert!(output.stdout.starts_with("2\n2\noci-layout\0"), "{}", output.stdout);
    assert!(!output.stdout.contains("x.tar"), "{}", output.stdout);
    assert!(output.stderr.ends_with("wait in `$TMPDIR`, else in /var/tmp\n"), "{}", output.stderr);
    assert_eq!(output.stderr.matches("No space left on device").count(), 3, "{}", output.stderr);
}
