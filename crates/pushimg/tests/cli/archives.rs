//! Archives: plain and compressed, from files and pipes, and broken in all the ways that archives break.

use std::io::Write as _;

use testkit::image::{SmallImage, tar};
use testkit::registry::Registry;

use super::Bench;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut out = liblzma::write::XzEncoder::new(Vec::new(), 0);
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut out = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

/// Every form of an archive of the image.
fn forms(archive: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let (first, second) = archive.split_at(archive.len() / 2);
    vec![
        ("plain", archive.to_vec()),
        ("gzip", gzip(archive)),
        ("gzip in two members", [gzip(first), gzip(second)].concat()),
        ("zstd", zstd(archive)),
        ("zstd in two frames", [zstd(first), zstd(second)].concat()),
        ("xz", xz(archive)),
        ("bzip2", bzip2(archive)),
    ]
}

#[test]
fn every_compression_is_read_from_files_and_pipes() {
    let bench = Bench::new();
    for (form, bytes) in forms(&bench.image.oci_archive("latest")) {
        let file = bench.sandbox.write("archive", &bytes);
        for source in ["archive", "oci-archive:archive", "-"] {
            let registry = Registry::start();
            let reference = format!("{}/a/b:v1", registry.host());
            let run = bench.run(["-q", source, &reference]).stdin(bytes.clone());
            let out = run.output();
            assert_eq!(out.code, 0, "{form} from {source}: {}", out.stderr);
            out.stdout(&bench.digest_line()).stderr("");
            assert_eq!(registry.manifest("a/b", "v1").unwrap().1, bench.image.manifest);
        }
        fs_err::remove_file(file).unwrap();
    }
    assert_eq!(fs_err::read_dir(bench.sandbox.tmp()).unwrap().count(), 0);
}

#[test]
fn a_tar_may_be_written_by_gnu_tar() {
    let bench = Bench::new();
    for options in ["--format=gnu", "--format=pax", "--format=v7", "--format=ustar"] {
        let script = format!("tar -C image {options} -cf ../image.tar . && mv ../image.tar .");
        bench.sandbox.bash(&script).output().code(0).stderr("");
        bench
            .run(["-q", "image.tar", "oci:out"])
            .output()
            .code(0)
            .stdout(&bench.digest_line())
            .stderr("");
    }
}

#[test]
fn what_is_no_archive_is_told() {
    let bench = Bench::new();
    let archive = bench.image.oci_archive("latest");
    let half = archive.len() / 2;
    let gz = gzip(&archive);
    let mut flipped = gz.clone();
    let at = flipped.len() - 6;
    flipped[at] ^= 1;
    let other = tar([("readme", b"hello".as_slice())]);
    let mut bad_header = archive.clone();
    bad_header[3] ^= 1;
    let mut sparse = tar([("index.json", b"{}".as_slice())]);
    sparse[156] = b'S';
    refresh_checksum(&mut sparse);
    let mut endless = tar([("x", b"".as_slice())]);
    endless[124..136].copy_from_slice(b"77777777777\0");
    refresh_checksum(&mut endless);
    let mut long_name = tar([("x", b"".as_slice())]);
    long_name[156] = b'L';
    long_name[124..136].copy_from_slice(b"00004000001\0");
    refresh_checksum(&mut long_name);
    long_name.resize(3 << 20, 0);
    let twice = tar([("index.json", b"{}".as_slice()), ("./index.json", b"[]".as_slice())]);
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (
            vec![],
            "stdin is empty\nhint: the program in front of the pipe printed nothing: look at what it says\n",
        ),
        (
            b"hello".to_vec(),
            "stdin is neither an image plan nor an archive\n\
             hint: `ociimg build` prints a plan; `nix build` of an image leaves an archive\n",
        ),
        (
            gzip(b""),
            "stdin is compressed by gzip, and what is in it is neither an image plan nor an archive\n",
        ),
        (
            gzip(&gz),
            "stdin is compressed by gzip, and what is in it is neither an image plan nor an archive\n",
        ),
        (gz[..gz.len() / 2].to_vec(), "cannot decode the gzip data of stdin: "),
        (flipped, "cannot decode the gzip data of stdin: "),
        (zstd(&archive)[..9000].to_vec(), "cannot decode the zstd data of stdin: "),
        (xz(&archive)[..9000].to_vec(), "cannot decode the xz data of stdin: "),
        (bzip2(&archive)[..9000].to_vec(), "cannot decode the bzip2 data of stdin: "),
        (archive[..half].to_vec(), "stdin is no tar archive: `blobs/sha256/"),
        (bad_header, "stdin is no tar archive: at byte 0 there is no tar header\n"),
        (archive[..700].to_vec(), "stdin is no tar archive: at byte 1024 there is no tar header\n"),
        (
            other,
            "stdin is a tar, but holds no image: neither `index.json` nor `manifest.json` is in it\n",
        ),
        (sparse, "stdin is no tar archive: `index.json` is a sparse file\n"),
        (
            endless,
            "stdin is no tar archive: `x` ends early: the archive has 1536 bytes, and it should end at byte 8589935103\n",
        ),
        (
            long_name,
            "stdin is no tar archive: at byte 512 there is a name or header of 1048577 bytes, but it must be at most 1048576\n",
        ),
        (twice, "stdin is no tar archive: it holds two different files named `index.json`\n"),
    ];
    for (bytes, message) in cases {
        let out = bench.run(["-", "oci:out"]).stdin(bytes).output().code(2).stdout("");
        assert!(
            out.stderr.starts_with(&format!("pushimg: {message}")),
            "{message}\n{}",
            out.stderr
        );
        if message.ends_with('\n') {
            assert_eq!(out.stderr, format!("pushimg: {message}"));
        }
    }
    assert!(!bench.sandbox.path("out").exists());
}

fn refresh_checksum(archive: &mut [u8]) {
    archive[148..156].copy_from_slice(b"        ");
    let sum: u32 = archive[..512].iter().map(|byte| u32::from(*byte)).sum();
    archive[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

#[test]
fn a_window_that_asks_for_much_memory_is_refused() {
    let bench = Bench::new();
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(28).unwrap();
    encoder.write_all(&bench.image.oci_archive("latest")).unwrap();
    let bytes = encoder.finish().unwrap();
    let out = bench.run(["-", "oci:out"]).stdin(bytes).output().code(2).stdout("");
    let start = "pushimg: cannot decode the zstd data of stdin: ";
    assert!(out.stderr.starts_with(start), "{}", out.stderr);
}

#[test]
fn a_docker_archive_of_another_kind_is_told() {
    let bench = Bench::new();
    let list = |text: &str| tar([("manifest.json", text.as_bytes())]);
    let config = bench.image.config.clone();
    let with_config =
        |text: &str| tar([("manifest.json", text.as_bytes()), ("c.json", config.as_slice())]);
    for (archive, message) in [
        (list("[]"), "stdin holds no image\n"),
        (
            list("{}"),
            "`manifest.json` of stdin is not what it should be: invalid type: map, expected a sequence at line 1 column 0\n",
        ),
        (
            list(r#"[{"Config":"c.json","RepoTags":null,"Layers":[]}]"#),
            "stdin has no file `c.json`\n",
        ),
        (
            list(r#"[{"Config":"../../etc/passwd","RepoTags":null,"Layers":[]}]"#),
            "stdin has no file `../../etc/passwd`\n",
        ),
        (
            with_config(r#"[{"Config":"c.json","RepoTags":null,"Layers":["a/layer.tar"]}]"#),
            "stdin has 1 layers, but its config knows 3\n",
        ),
        (
            with_config(r#"[{"Config":"c.json","RepoTags":null,"Layers":["a","b","c"]}]"#),
            "stdin has no file `a`\n",
        ),
        (
            list(
                r#"[{"Config":"a","RepoTags":["a:1"],"Layers":[]},{"Config":"b","RepoTags":["b:1"],"Layers":[]}]"#,
            ),
            "stdin holds 2 images: `a:1`, `b:1`\nhint: name one of them: `oci:DIR:NAME`\n",
        ),
    ] {
        let run = bench.run(["-", "oci:out"]).stdin(archive);
        run.output().code(2).stdout("").stderr(&format!("pushimg: {message}"));
    }
    let oci = bench.sandbox.write("oci.tar", bench.image.oci_archive("x"));
    bench
        .run(["docker-archive:oci.tar", "oci:out"])
        .output()
        .code(2)
        .stdout("")
        .stderr("pushimg: `oci.tar` is no docker archive: it has no `manifest.json`\n");
    fs_err::write(oci, bench.image.docker_archive("x:1")).unwrap();
    bench
        .run(["oci-archive:oci.tar", "oci:out"])
        .output()
        .code(2)
        .stdout("")
        .stderr("pushimg: `oci.tar` is no OCI layout: it has no `index.json`\n");
}

#[test]
fn a_docker_archive_keeps_its_config_and_gets_a_manifest() {
    let bench = Bench::new();
    bench.sandbox.write("result", bench.image.docker_archive("api:v1"));
    let manifest = |args: &[&str], place: &str| {
        bench.run(["-q", "result", place]).args(args).output().code(0).stderr("");
        let out = bench.run(["inspect", "--raw", place]).output().code(0);
        let manifest = oci::Manifest::parse(&out.stdout_bytes).unwrap();
        manifest.validate().unwrap();
        assert_eq!(manifest.config.digest, oci::Digest::of(&bench.image.config));
        manifest
    };
    let digests = bench.image.layer_digests();
    let plain = manifest(&["--compress=none"], "oci:plain");
    assert_eq!(plain.media_type, Some(oci::MediaType::OCI_MANIFEST));
    assert!(plain.layers.iter().map(|layer| layer.digest.to_string()).eq(digests.iter().cloned()));
    let gzip = manifest(&[], "oci:gzip");
    assert_eq!(gzip.layers[0].media_type, oci::MediaType::OCI_LAYER_GZIP);
    let annotations: Vec<_> = gzip.layers[0].annotations.iter().collect();
    let codec = ("dev.likewise.codec".to_owned(), "gzip-6-libdeflate-1".to_owned());
    let diff_id = ("dev.likewise.diff-id".to_owned(), digests[0].clone());
    assert_eq!(annotations, [(&codec.0, &codec.1), (&diff_id.0, &diff_id.1)]);
    let docker = manifest(&["--format=docker"], "oci:docker");
    assert_eq!(docker.media_type, Some(oci::MediaType::DOCKER_MANIFEST));
    assert_eq!(docker.layers[0].media_type, oci::MediaType::DOCKER_LAYER_GZIP);
    assert_eq!(docker.layers[0].digest, gzip.layers[0].digest);
    assert!(docker.layers[0].annotations.is_empty());
    let run = bench.run(["result", "oci:x", "--format=docker", "--compress=zstd"]);
    run.output().code(2).stdout("").stderr(
        "pushimg: docker's manifests have no zstd layers\n\
         hint: use `--format oci`, or `--compress gzip`\n",
    );
}

#[test]
fn a_layer_that_is_not_what_the_config_says_is_not_pushed() {
    let bench = Bench::new();
    let mut image: SmallImage = bench.image.clone();
    image.layers[0][600] ^= 1;
    let (found, expected) = (oci::Digest::of(&image.layers[0]), &bench.image.layer_digests()[0]);
    let run = bench.run(["-j1", "--compress=none", "-", "oci:out"]);
    run.stdin(image.docker_archive("")).output().code(5).stdout("").stderr(&format!(
        "pushimg: cannot read the blob {expected} to write it: content has the digest {found} but \
         must have {expected}\n"
    ));
    let name = format!("{}/layer.tar", found.encoded());
    let run = bench.run(["-j1", "-", "oci:out"]).stdin(image.docker_archive(""));
    run.output().code(5).stdout("").stderr(&format!(
        "pushimg: `{name}` of stdin has the digest {found}, not {expected}\n\
         hint: what the layer is made of has changed: build the image again\n"
    ));
}

#[test]
fn layers_that_are_compressed_already_stay_as_they_are() {
    let bench = Bench::new();
    let config = bench.image.config.clone();
    let layers = &bench.image.layers;
    let (first, second) = (gzip(&layers[0]), zstd(&layers[1]));
    let list = r#"[{"Config":"c","RepoTags":null,"Layers":["a","b","d"]}]"#;
    let archive = |third: &[u8]| {
        let list = list.as_bytes();
        let files = [("a", &first[..]), ("b", &second), ("d", third), ("c", &config)];
        tar(files.into_iter().chain([("manifest.json", list)]))
    };
    bench.run(["-q", "-", "oci:out"]).stdin(archive(&layers[2])).output().code(0).stderr("");
    let out = bench.run(["inspect", "--raw", "oci:out"]).output().code(0);
    let manifest = oci::Manifest::parse(&out.stdout_bytes).unwrap();
    assert_eq!(manifest.layers[0].digest, oci::Digest::of(&first));
    assert_eq!(manifest.layers[0].media_type, oci::MediaType::OCI_LAYER_GZIP);
    assert_eq!(manifest.layers[1].digest, oci::Digest::of(&second));
    assert_eq!(manifest.layers[1].media_type, oci::MediaType::OCI_LAYER_ZSTD);
    assert_eq!(manifest.layers[2].media_type, oci::MediaType::OCI_LAYER_GZIP);
    let other = gzip(b"other");
    let run = bench.run(["-q", "-", "oci:out"]).stdin(archive(&other));
    run.output().code(5).stdout("").stderr(&format!(
        "pushimg: `d` of stdin has the digest {}, not {}\n\
         hint: what the layer is made of has changed: build the image again\n",
        oci::Digest::of("other"),
        bench.image.layer_digests()[2]
    ));
}

#[test]
fn the_hybrid_archive_of_docker_save_is_read_as_oci() {
    let bench = Bench::new();
    let mut archive = bench.image.oci_archive("latest");
    archive.truncate(archive.len() - 1024);
    archive.extend(tar([("manifest.json", b"[]".as_slice())]));
    let run = bench.run(["-q", "-", "oci:out"]).stdin(archive);
    run.output().code(0).stdout(&bench.digest_line()).stderr("");
}

#[test]
fn layers_of_a_docker_archive_are_compressed_by_a_codec_that_never_changes() {
    let bench = Bench::new();
    bench.sandbox.write("result", bench.image.docker_archive("api:v1"));
    let mut digests = Vec::new();
    for (form, bytes) in forms(&bench.image.docker_archive("api:v1")) {
        for jobs in ["-j1", "-j5"] {
            let to = format!("oci:out:{}", digests.len());
            let run = bench.run(["-q", jobs, "-", &to]).stdin(bytes.clone());
            let out = run.output();
            assert_eq!(out.code, 0, "{form}: {}", out.stderr);
            digests.push(out.stdout);
        }
    }
    digests.dedup();
    // Whoever changes one of these changes the digest of every image that was ever pushed.
    assert_eq!(
        digests,
        ["sha256:d4f754cca45bd9e903fdf2a1a9d7e2a3a783712d11b29e19e0ff1d98505d8de3\n"]
    );
    for (args, digest) in [
        (
            ["--compress=zstd", "--format=oci"],
            "sha256:dbe739fb6e90a0d37f7d57aaf4278f702dbe1a4cb66fda0aa24791718ad776bf",
        ),
        (
            ["--compress=none", "--format=oci"],
            "sha256:c1a8d6686cad8c3df9436e0abbeebaa86fdeb94c12cfb04ecf7cc0bbb77c59ed",
        ),
        (
            ["--compress=gzip", "--format=docker"],
            "sha256:2a9e26e8e9ac34a59836f00bc3f62af31f41b60beeb5363b0c8fd8a78ce6cb5c",
        ),
    ] {
        let out = bench.run(["-q", "result", "oci:other"]).args(args).output().code(0);
        assert_eq!(out.stdout, format!("{digest}\n"), "{args:?}");
    }
}
