//! What a push sends, and what it does not.

use testkit::registry::{Act, Answer, Fault, Registry};

use super::Bench;

#[test]
fn a_push_sends_everything_once_and_prints_the_digest() {
    let (bench, registry) = (Bench::new(), Registry::start());
    let layers = bench.image.layer_digests();
    let config = oci::Digest::of(&bench.image.config);
    bench.push(&registry).code(0).stdout(&bench.digest_line()).stderr(&format!(
        "sent {} (101.9 kB)\nsent {} (4.6 kB)\nsent {} (2.0 kB)\nsent {config} ({} B)\n\
             {}/a/b:v1: sent 4 of 4 blobs, {} of {}\n",
        layers[0],
        layers[1],
        layers[2],
        bench.image.config.len(),
        registry.host(),
        "108.9 kB",
        "108.9 kB",
    ));
    let (media_type, manifest) = registry.manifest("a/b", "v1").unwrap();
    assert_eq!(media_type, "application/vnd.oci.image.manifest.v1+json");
    assert_eq!(manifest, bench.image.manifest);
    for (digest, bytes) in layers.iter().zip(&bench.image.layers) {
        assert_eq!(&registry.blob(digest).unwrap(), bytes);
    }
    assert_eq!(registry.count("POST", "/blobs/uploads/"), 4);
    assert_eq!(registry.count("PUT", "/blobs/uploads/"), 4);
    let sent = bench.image.blob_bytes() + bench.image.manifest.len() as u64;
    assert_eq!(registry.body_bytes(), sent);
    let last = registry.received().into_iter().rfind(|one| one.method == "PUT").unwrap();
    assert_eq!(last.path, "/v2/a/b/manifests/v1", "the tag is written last");
}

#[test]
fn the_second_push_sends_nothing() {
    let (bench, registry) = (Bench::new(), Registry::start());
    bench.push(&registry).code(0).stdout(&bench.digest_line()).stderr("...");
    registry.forget_requests();
    bench
        .push(&registry)
        .code(0)
        .stdout(&bench.digest_line())
        .stderr(&format!("{}/a/b:v1 is there already: nothing to send\n", registry.host()));
    assert_eq!(registry.body_bytes(), 0);
    assert_eq!(registry.count("PUT", "") + registry.count("POST", ""), 0);
    assert_eq!(registry.count("GET", "/manifests/"), 1);
}

#[test]
fn a_changed_layer_costs_that_layer() {
    let (bench, registry) = (Bench::new(), Registry::start());
    bench.push(&registry).code(0).stdout(&bench.digest_line()).stderr("...");
    registry.forget_requests();
    let other = Bench::with(&[100_000, 3_000, 11]);
    other.push(&registry).code(0).stdout(&other.digest_line()).stderr(&format!(
        "sent {} (2.0 kB)\nsent {} ({} B)\n{}/a/b:v1: sent 2 of 4 blobs, 2.4 kB of 108.9 kB\n",
        other.image.layer_digests()[2],
        oci::Digest::of(&other.image.config),
        other.image.config.len(),
        registry.host()
    ));
    assert_eq!(registry.tags("a/b"), ["v1"]);
}

#[test]
fn every_tag_is_written_and_each_once() {
    let (bench, registry) = (Bench::new(), Registry::start());
    let reference = format!("docker://{}/a/b", registry.host());
    let args = ["image", &reference, "--tag", "v1", "--tag=v2", "--tag", "v1", "-q"];
    bench.run(args).output().code(0).stdout(&bench.digest_line()).stderr("");
    assert_eq!(registry.tags("a/b"), ["latest", "v1", "v2"]);
    assert_eq!(registry.count("PUT", "/manifests/"), 3);
    registry.forget_requests();
    let args = ["image", &reference, "--tag", "v3"];
    bench.run(args).output().code(0).stdout(&bench.digest_line()).stderr("...");
    assert_eq!(registry.count("PUT", "/manifests/"), 1, "only what has moved");
}

#[test]
fn a_reference_with_a_digest_is_held_to_it() {
    let (bench, registry) = (Bench::new(), Registry::start());
    let good = format!("{}/a/b@{}", registry.host(), bench.image.digest());
    bench.run(["image", &good, "-q"]).output().code(0).stdout(&bench.digest_line()).stderr("");
    assert!(registry.tags("a/b").is_empty());
    let other = oci::Digest::of("other");
    let bad = format!("{}/a/b@{other}", registry.host());
    registry.forget_requests();
    bench.run(["image", &bad]).output().code(5).stdout("").stderr(&format!(
        "pushimg: the image is {}, but the reference says {other}\n",
        bench.image.digest()
    ));
    assert_eq!(registry.received().len(), 1, "the look for TLS alone");
}

#[test]
fn a_dry_run_says_what_it_would_send() {
    let (bench, registry) = (Bench::new(), Registry::start());
    let layer = bench.image.layers[0].clone();
    registry.set_blob(&bench.image.layer_digests()[0], Some(layer));
    let reference = format!("{}/a/b:v1", registry.host());
    let args = ["-nj1", "image", &reference, "--digest-file", "digest"];
    bench.run(args).output().code(0).stdout(&bench.digest_line()).stderr(&format!(
        "would send {} (4.6 kB)\nwould send {} (2.0 kB)\nwould send {} ({} B)\n\
         {reference}: would send 3 of 4 blobs, 7.0 kB of 108.9 kB\n",
        bench.image.layer_digests()[1],
        bench.image.layer_digests()[2],
        oci::Digest::of(&bench.image.config),
        bench.image.config.len(),
    ));
    assert_eq!(registry.body_bytes(), 0);
    assert_eq!(registry.count("PUT", "") + registry.count("POST", ""), 0);
    assert!(!bench.sandbox.path("digest").exists());
}

#[test]
fn json_and_the_digest_file_say_the_same() {
    let (bench, registry) = (Bench::new(), Registry::start());
    let reference = format!("{}/a/b:v1", registry.host());
    let args = ["image", &reference, "--json", "--digest-file", "digest", "-q"];
    let (digest, bytes) = (bench.image.digest(), bench.image.blob_bytes());
    bench.run(args).output().code(0).stderr("");
    assert_eq!(bench.sandbox.read("digest"), bench.digest_line());
    let again = bench.run(["image", &reference, "--json", "-q"]).output().code(0);
    let said: serde_json::Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!(
        said,
        serde_json::json!({
            "digest": digest,
            "reference": reference,
            "tags": ["v1"],
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "unchanged": true,
            "dryRun": false,
            "blobs": {"count": 4, "bytes": bytes},
            "sent": {"count": 0, "bytes": 0}
        })
    );
}

#[test]
fn blobs_of_one_digest_are_sent_once() {
    let registry = Registry::start();
    let layer = testkit::image::tar([("x", b"y".as_slice())]);
    let image = testkit::image::SmallImage::of(vec![layer.clone(), layer]);
    let bench = Bench { sandbox: testkit::Sandbox::new(), image };
    bench.image.write_layout(&bench.sandbox.path("image"), "latest");
    bench.push(&registry).code(0).stdout(&bench.digest_line()).stderr("...");
    assert_eq!(registry.count("POST", ""), 2, "one layer and the config");
}

#[test]
fn many_jobs_and_one_make_the_same() {
    for jobs in ["-j1", "-j3", "-j64"] {
        let registry = Registry::start();
        let bench = Bench::with(&[70_000, 80_000, 90_000, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        let reference = format!("{}/a/b:v1", registry.host());
        let out = bench.run([jobs, "image", &reference, "-q"]).output();
        out.code(0).stdout(&bench.digest_line()).stderr("");
        assert_eq!(registry.manifest("a/b", "v1").unwrap().1, bench.image.manifest);
    }
}

#[test]
fn a_blob_that_only_seems_to_be_there_is_told() {
    let (bench, registry) = (Bench::new(), Registry::start());
    let size = bench.image.layers[0].len().to_string();
    let lie = Answer::new(200).header("Content-Length", size);
    let layer = bench.image.layer_digests()[0].clone();
    registry.fault(Fault::on("HEAD", layer, Act::Answer(lie)));
    let host = registry.host();
    bench.push(&registry).code(4).stdout("").stderr(&format!(
        "...\npushimg: PUT http://{host}/v2/a/b/manifests/v1: 400 Bad Request: \
         MANIFEST_BLOB_UNKNOWN: blob unknown to registry\n"
    ));
    assert!(registry.tags("a/b").is_empty());
}

#[test]
fn a_blob_of_another_size_is_not_taken_for_ours() {
    let (bench, registry) = (Bench::new(), Registry::start());
    let lie = Answer::new(200).header("Content-Length", "7");
    let layer = bench.image.layer_digests()[0].clone();
    registry.fault(Fault::on("HEAD", layer.clone(), Act::Answer(lie)));
    bench.push(&registry).code(0).stdout(&bench.digest_line()).stderr("...");
    assert!(registry.blob(&layer).is_some());
}
