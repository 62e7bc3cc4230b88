//! What need not be made again, and what must not be believed.

use std::collections::BTreeMap;

use oci::pack::{CODEC_ANNOTATION, DIFF_ID_ANNOTATION};
use oci::{Descriptor, Digest, Manifest, MediaType};
use testkit::image::SmallImage;
use testkit::registry::Registry;
use testkit::{Output, Run};

use super::Bench;

/// A bench with the image as a docker archive.
fn bench(sizes: &[usize]) -> Bench {
    let bench = Bench::with(sizes);
    bench.sandbox.write("image.tar", bench.image.docker_archive("app:v1"));
    bench
}

fn run(bench: &Bench, registry: &Registry, args: &[&str]) -> Run {
    let reference = format!("{}/a/b:v1", registry.host());
    bench.run(["-j1", "image.tar", &reference]).args(args)
}

/// A push of a machine that has never seen anything.
#[track_caller]
fn fresh(bench: &Bench, registry: &Registry, args: &[&str]) -> Output {
    let cache = bench.sandbox.home().join(".cache");
    if cache.exists() {
        fs_err::remove_dir_all(cache).unwrap();
    }
    registry.forget_requests();
    run(bench, registry, args).output().code(0)
}

#[test]
fn a_fresh_machine_pushes_the_same_again_without_reading_a_layer() {
    let (bench, registry) = (bench(&[100_000, 3_000]), Registry::start());
    let first = fresh(&bench, &registry, &[]).stdout;
    // Were a layer read, it would be found to be something else.
    let mut archive = bench.image.docker_archive("app:v1");
    archive[512 + 700..512 + 900].fill(b'x');
    bench.sandbox.write("image.tar", archive);
    let again = fresh(&bench, &registry, &[]);
    let reference = format!("{}/a/b:v1", registry.host());
    again.stdout(&first).stderr(&format!("{reference} is there already: nothing to send\n"));
    assert_eq!(registry.body_bytes(), 0);
    assert_eq!(registry.received().len(), 3, "a look for TLS, the manifest and the config");
}

#[test]
fn one_changed_layer_is_the_only_one_that_is_made() {
    let (bench, registry) = (bench(&[100_000, 3_000]), Registry::start());
    let before = fresh(&bench, &registry, &[]).stdout;
    let other = SmallImage::new(&[100_000, 3_001]);
    let mut archive = other.docker_archive("app:v1");
    // The large layer comes first, and is not read.
    archive[512 + 700..512 + 900].fill(b'x');
    bench.sandbox.write("image.tar", archive);
    let out = fresh(&bench, &registry, &[]);
    assert_ne!(out.stdout, before);
    assert_eq!(registry.count("POST", ""), 2, "the small layer and the config");
    assert!(registry.body_bytes() < 10_000, "{}", registry.body_bytes());
}

#[test]
fn a_changed_config_is_never_lost() {
    let (bench, registry) = (bench(&[100_000]), Registry::start());
    let before = fresh(&bench, &registry, &[]).stdout;
    let text = String::from_utf8(bench.image.config.clone()).unwrap();
    let config = text.replace("A=b", "A=c").into_bytes();
    let image = SmallImage { config, ..bench.image.clone() };
    bench.sandbox.write("image.tar", image.docker_archive("app:v1"));
    let after = fresh(&bench, &registry, &[]).stdout;
    assert_ne!(before, after);
    assert_eq!(registry.count("POST", ""), 1, "the config alone");
    assert_eq!(Digest::of(&registry.manifest("a/b", "v1").unwrap().1).to_string(), after.trim());
}

/// Pushes an image whose layer is another client's: gzip of its own kind, and these annotations.
fn by_another(
    registry: &Registry,
    image: &SmallImage,
    annotations: BTreeMap<String, String>,
) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&image.layers[0]).unwrap();
    let layer = encoder.finish().unwrap();
    registry.set_blob(Digest::of(&layer).as_str(), Some(layer.clone()));
    registry.set_blob(Digest::of(&image.config).as_str(), Some(image.config.clone()));
    let described = Descriptor { annotations, ..Descriptor::of(MediaType::OCI_LAYER_GZIP, &layer) };
    let config = Descriptor::of(MediaType::OCI_CONFIG, &image.config);
    let manifest = Manifest::oci(config, vec![described]).to_bytes().unwrap();
    registry.set_manifest("a/b", "v1", MediaType::OCI_MANIFEST.as_str(), &manifest);
    manifest
}

#[test]
fn what_others_pushed_changes_no_digest_unless_asked() {
    let bench = bench(&[100_000]);
    let ours = fresh(&bench, &Registry::start(), &[]).stdout;
    let registry = Registry::start();
    let theirs = by_another(&registry, &bench.image, BTreeMap::new());
    assert_eq!(fresh(&bench, &registry, &[]).stdout, ours);
    // Asked for, an image with the same config is the same image.
    let registry = Registry::start();
    by_another(&registry, &bench.image, BTreeMap::new());
    let out = fresh(&bench, &registry, &["--reuse=any"]);
    assert_eq!(out.stdout, format!("{}\n", Digest::of(&theirs)));
    assert_eq!(registry.body_bytes(), 0);
    // And with another config, their layer is taken over.
    let text = String::from_utf8(bench.image.config.clone()).unwrap();
    let config = text.replace("A=b", "A=c").into_bytes();
    let image = SmallImage { config, ..bench.image.clone() };
    bench.sandbox.write("image.tar", image.docker_archive("app:v1"));
    let out = fresh(&bench, &registry, &["--reuse=any"]);
    assert_ne!(out.stdout, ours);
    assert_eq!(registry.count("POST", ""), 1, "the config alone");
}

#[test]
fn a_poisoned_annotation_is_not_believed() {
    let bench = bench(&[100_000]);
    let ours = fresh(&bench, &Registry::start(), &[]).stdout;
    // Somebody's layer says that it is ours, made by our codec; its own config says that it is not.
    let evil = SmallImage::new(&[5_000]);
    let claims = BTreeMap::from([
        (DIFF_ID_ANNOTATION.to_owned(), bench.image.layer_digests()[0].clone()),
        (CODEC_ANNOTATION.to_owned(), oci::compress::Compression::Gzip.codec().to_owned()),
    ]);
    let registry = Registry::start();
    by_another(&registry, &evil, claims.clone());
    assert_eq!(fresh(&bench, &registry, &[]).stdout, ours);
    // Who says so believes it.
    let registry = Registry::start();
    by_another(&registry, &evil, claims);
    let out = fresh(&bench, &registry, &["--trust-registry"]);
    assert_ne!(out.stdout, ours);
}

#[test]
fn the_digests_of_three_archives_are_pinned() {
    let digests = [
        (&[0_usize][..], "--compress=gzip"),
        (&[100_000, 3_000, 10], "--compress=gzip"),
        (&[1_200_000, 40], "--compress=zstd"),
    ]
    .map(|(sizes, compress)| {
        let (bench, registry) = (bench(sizes), Registry::start());
        let one = fresh(&bench, &registry, &[compress]).stdout;
        let reference = format!("{}/c:v1", registry.host());
        let two = bench.run(["-q", "-j8", "image.tar", &reference, compress]).output().code(0);
        assert_eq!(two.stdout, one);
        one.trim().to_owned()
    });
    assert_eq!(digests, PINNED);
}

/// These move for no reason but a new codec, which has a new name.
const PINNED: [&str; 3] = [
    "sha256:d80c676f297294eaec200d28d5dd4aa1ac500181d08ff150053b5a0542aa8fca",
    "sha256:d4f754cca45bd9e903fdf2a1a9d7e2a3a783712d11b29e19e0ff1d98505d8de3",
    "sha256:8a1a5e59438a19445f524ebafb6b33e2446bed1d6ed76966867cee0f3dfde3ee",
];

#[test]
fn nothing_is_spooled_when_asked() {
    let (bench, registry) = (bench(&[300_000, 3_000]), Registry::start());
    let spooled = fresh(&bench, &registry, &[]).stdout;
    let registry = Registry::start();
    let streamed = fresh(&bench, &registry, &["--no-spool"]);
    assert_eq!(streamed.stdout, spooled);
    assert_eq!(registry.count("PATCH", ""), 2);
    assert_eq!(registry.open_upload_count(), 0);
    assert!(registry.received().iter().all(|one| one.header("content-range").is_none()));
}

#[test]
fn a_layer_that_is_another_one_is_not_pushed_when_nothing_is_spooled() {
    let (bench, registry) = (bench(&[300_000]), Registry::start());
    let mut archive = bench.image.docker_archive("app:v1");
    archive[512 + 700..512 + 900].fill(b'x');
    bench.sandbox.write("image.tar", archive);
    let out = run(&bench, &registry, &["--no-spool"]).output().code(5).stdout("");
    assert!(out.stderr.contains("has the digest"), "{}", out.stderr);
    assert!(registry.tags("a/b").is_empty());
    assert_eq!(registry.open_upload_count(), 0);
}

#[test]
fn annotations_are_left_out_when_asked() {
    let (bench, registry) = (bench(&[3_000]), Registry::start());
    fresh(&bench, &registry, &["--no-annotations"]).stderr("...");
    let manifest = Manifest::parse(&registry.manifest("a/b", "v1").unwrap().1).unwrap();
    assert!(manifest.layers[0].annotations.is_empty());
}
