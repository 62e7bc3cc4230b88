//! Layouts on disk, as sources and as targets.

use std::os::unix::fs::MetadataExt as _;

use oci::{Descriptor, Digest, Index, Manifest, MediaType};
use testkit::image::SmallImage;
use testkit::registry::Registry;

use super::Bench;

#[test]
fn a_layout_is_written_and_written_again_for_nothing() {
    let bench = Bench::new();
    let out = bench.run(["-j1", "image", "oci:out:v1"]).output().code(0);
    let out = out.stdout(&bench.digest_line());
    assert!(out.stderr.ends_with("oci:out:v1: sent 4 of 4 blobs, 108.9 kB of 108.9 kB\n"));
    let index = bench.sandbox.read("out/index.json");
    assert_eq!(
        index,
        format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{}","size":{},"annotations":{{"org.opencontainers.image.ref.name":"v1"}}}}]}}"#,
            bench.image.digest(),
            bench.image.manifest.len()
        )
    );
    assert_eq!(bench.sandbox.read("out/oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#);
    let mode = fs_err::metadata(bench.sandbox.path("out/index.json")).unwrap().mode();
    assert_eq!(mode & 0o777, 0o644);
    let before = fs_err::metadata(bench.sandbox.path("out/index.json")).unwrap().ino();
    bench
        .run(["image", "oci:out:v1"])
        .output()
        .code(0)
        .stdout(&bench.digest_line())
        .stderr("oci:out:v1 is there already: nothing to send\n");
    let after = fs_err::metadata(bench.sandbox.path("out/index.json")).unwrap().ino();
    assert_eq!(before, after);
    let files = fs_err::read_dir(bench.sandbox.path("out/blobs/sha256")).unwrap().count();
    assert_eq!(files, 5, "four blobs and the manifest, and nothing temporary");
}

#[test]
fn names_in_a_layout_are_replaced_one_by_one() {
    let bench = Bench::new();
    let other = SmallImage::new(&[7]);
    other.write_layout(&bench.sandbox.path("other"), "x");
    let push = |from: &str, to: &str| {
        bench.run(["-q", from, to]).output().code(0).stderr("");
    };
    push("image", "oci:out:a");
    push("image", "oci:out:b");
    push("other", "oci:out:a");
    push("other", "oci:out");
    let index = Index::parse(bench.sandbox.read("out/index.json").as_bytes()).unwrap();
    let names: Vec<_> = index
        .manifests
        .iter()
        .map(|one| (one.annotations.values().next().unwrap().as_str(), one.digest.to_string()))
        .collect();
    let (first, second) = (bench.image.digest(), other.digest());
    let expected = [("a", second.clone()), ("b", first), ("latest", second)];
    assert_eq!(names, expected);
}

#[test]
fn an_image_is_chosen_by_its_name() {
    let bench = Bench::new();
    let other = SmallImage::new(&[7]);
    other.write_layout(&bench.sandbox.path("other"), "x");
    for (from, to) in [("image", "oci:both:a"), ("other", "oci:both:b")] {
        bench.run(["-q", from, to]).output().code(0).stderr("");
    }
    let digest = format!("{}\n", other.digest());
    bench.run(["-q", "oci:both:b", "oci:out"]).output().code(0).stdout(&digest).stderr("");
    bench.run(["oci:both", "oci:out"]).output().code(2).stdout("").stderr(
        "pushimg: `both` holds 2 images: `a`, `b`\nhint: name one of them: `oci:DIR:NAME`\n",
    );
    bench
        .run(["oci:both:c", "oci:out"])
        .output()
        .code(2)
        .stdout("")
        .stderr("pushimg: `both` holds no image named `c`, but `a`, `b`\n");
}

#[test]
fn an_index_is_pushed_behind_its_manifests() {
    let bench = Bench::new();
    let other = SmallImage::new(&[7]);
    other.write_layout(&bench.sandbox.path("image"), "x");
    let children = [&bench.image.manifest, &other.manifest];
    let children = children.map(|bytes| Descriptor::of(MediaType::OCI_MANIFEST, bytes)).to_vec();
    let index = Index::oci(children).to_bytes().unwrap();
    let digest = Digest::of(&index);
    fs_err::write(bench.sandbox.path("image").join(digest.blob_path()), &index).unwrap();
    let top = Index::oci(vec![Descriptor::of(MediaType::OCI_INDEX, &index)]);
    bench.sandbox.write("image/index.json", top.to_bytes().unwrap());
    let registry = Registry::start();
    let line = format!("{digest}\n");
    bench.push(&registry).code(0).stdout(&line).stderr("...");
    assert_eq!(registry.manifest("a/b", "v1").unwrap().1, index);
    let puts = registry.received().into_iter().filter(|one| one.method == "PUT");
    let puts: Vec<_> =
        puts.map(|one| one.path).filter(|path| path.contains("/manifests/")).collect();
    assert_eq!(
        puts,
        [
            format!("/v2/a/b/manifests/{}", bench.image.digest()),
            format!("/v2/a/b/manifests/{}", other.digest()),
            "/v2/a/b/manifests/v1".to_owned()
        ]
    );
    bench.run(["-q", "image", "oci:out"]).output().code(0).stdout(&line).stderr("");
    bench.run(["digest", "oci:out"]).output().code(0).stdout(&line).stderr("");
}

#[test]
fn foreign_layers_are_left_where_they_are() {
    let bench = Bench::new();
    let mut manifest = Manifest::parse(&bench.image.manifest).unwrap();
    let kind = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    manifest.layers[0].media_type = kind.parse().unwrap();
    let layer = bench.image.layer_digests()[0].clone();
    let image = SmallImage { manifest: manifest.to_bytes().unwrap(), ..bench.image.clone() };
    image.write_layout(&bench.sandbox.path("foreign"), "x");
    let blob = bench.sandbox.path("foreign/blobs").join(layer.replace(':', "/"));
    fs_err::remove_file(blob).unwrap();
    let run = bench.run(["foreign", "oci:out"]);
    let out = run.output().code(0).stdout(&format!("{}\n", image.digest()));
    assert!(out.stderr.ends_with("sent 3 of 3 blobs, 7.0 kB of 7.0 kB\n"), "{}", out.stderr);
}

#[test]
fn a_broken_layout_is_told() {
    let break_it = |file: &str, bytes: Option<&[u8]>, code: i32, message: &str| {
        let bench = Bench::new();
        let path = bench.sandbox.path("image").join(file);
        match bytes {
            Some(bytes) => fs_err::write(path, bytes).unwrap(),
            None => fs_err::remove_file(path).unwrap(),
        }
        let out = bench.run(["oci:image", "oci:out"]).output().code(code).stdout("");
        assert!(out.stderr.starts_with(&format!("pushimg: {message}")), "{}", out.stderr);
        assert!(!bench.sandbox.path("out").exists(), "nothing is written");
    };
    let image = Bench::new().image;
    let path = |digest: &str| format!("blobs/{}", digest.replace(':', "/"));
    let manifest = path(&image.digest());
    let layer = path(&image.layer_digests()[0]);
    break_it("index.json", None, 2, "`image` is no OCI layout: it has no `index.json`\n");
    break_it("index.json", Some(b"{"), 2, "`index.json` of `image`: cannot read the index: EOF");
    let none = br#"{"schemaVersion":2,"manifests":[]}"#;
    break_it("index.json", Some(none), 2, "`image` holds no image\n");
    break_it(&manifest, None, 2, &format!("`image` has no blob {}\n", image.digest()));
    let wrong = Digest::of("{}");
    let message =
        format!("`{manifest}` of `image` has the digest {wrong}, not {}\n", image.digest());
    break_it(&manifest, Some(b"{}"), 5, &message);
    break_it(&layer, None, 2, &format!("`image` has no blob {}\n", image.layer_digests()[0]));
    break_it(&layer, Some(b"x"), 5, &format!("`{layer}` of `image` has 1 bytes, not 101888\n"));
}

#[test]
fn a_blob_that_is_not_its_digest_is_not_written() {
    let bench = Bench::new();
    let layer = bench.image.layer_digests()[0].clone();
    let file = bench.sandbox.path("image/blobs").join(layer.replace(':', "/"));
    let mut bytes = bench.image.layers[0].clone();
    bytes[7] ^= 1;
    fs_err::write(file, &bytes).unwrap();
    let found = Digest::of(&bytes);
    let out = bench.run(["-j1", "image", "oci:out"]).output().code(5).stdout("");
    out.stderr(&format!(
        "pushimg: cannot read the blob {layer} to write it: content has the digest {found} but \
         must have {layer}\n"
    ));
    assert_eq!(fs_err::read_dir(bench.sandbox.path("out/blobs/sha256")).unwrap().count(), 0);
    assert!(!bench.sandbox.path("out/index.json").exists());
}

#[test]
fn a_folder_of_something_else_is_not_written_into() {
    let bench = Bench::new();
    bench.sandbox.write("home/letter.txt", "dear");
    bench
        .run(["image", "oci:home"])
        .output()
        .code(2)
        .stdout("")
        .stderr("pushimg: `home` is a folder with other things in it, but no OCI layout\n");
    fs_err::create_dir(bench.sandbox.path("empty")).unwrap();
    bench
        .run(["-q", "image", "oci:empty"])
        .output()
        .code(0)
        .stdout(&bench.digest_line())
        .stderr("");
    let out = bench.run(["image", "oci:/proc/self/x"]).output().code(2).stdout("");
    assert!(out.stderr.starts_with("pushimg: cannot write the layout: "), "{}", out.stderr);
}

#[test]
fn two_pushes_into_one_layout_leave_both_names() {
    let bench = Bench::new();
    let push = |name: &str| bench.run(["-q", "image", &format!("oci:out:{name}")]).spawn();
    let children: Vec<_> = (0..8).map(|n| push(&format!("v{n}"))).collect();
    for child in children {
        let out = child.wait_with_output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    }
    let index = Index::parse(bench.sandbox.read("out/index.json").as_bytes()).unwrap();
    assert_eq!(index.manifests.len(), 8);
}
