//! `digest` and `inspect`.

use testkit::registry::{Act, Answer, Fault, Registry};

use super::Bench;

/// An image in a registry and in a layout.
fn pushed() -> (Bench, Registry, [String; 2]) {
    let (bench, registry) = (Bench::new(), Registry::start());
    let places = [format!("{}/a/b:v1", registry.host()), "oci:out:v1".to_owned()];
    for place in &places {
        bench.run(["-q", "image", place]).output().code(0).stderr("");
    }
    (bench, registry, places)
}

#[test]
fn the_digest_is_that_of_the_bytes() {
    let (bench, registry, places) = pushed();
    for place in &places {
        bench.run(["digest", place]).output().code(0).stdout(&bench.digest_line()).stderr("");
    }
    let by_digest = format!("{}/a/b@{}", registry.host(), bench.image.digest());
    bench.run(["digest", &by_digest]).output().code(0).stdout(&bench.digest_line()).stderr("");
}

#[test]
fn an_image_that_is_not_there_is_a_no() {
    let (bench, registry, _) = pushed();
    for place in [format!("{}/a/b:v2", registry.host()), "oci:out:v2".to_owned()] {
        for verb in ["digest", "inspect"] {
            let out = bench.run([verb, &place]).output().code(1).stdout("");
            out.stderr(&format!("pushimg: there is no image `{place}`\n"));
        }
    }
}

#[test]
fn raw_and_config_are_the_bytes() {
    let (bench, _registry, places) = pushed();
    for place in &places {
        let out = bench.run(["inspect", "--raw", place]).output().code(0);
        assert_eq!(out.stdout_bytes, bench.image.manifest);
        let out = bench.run(["inspect", "--config", place]).output().code(0);
        assert_eq!(out.stdout_bytes, bench.image.config);
    }
}

#[test]
fn what_is_said_has_the_keys_of_skopeo() {
    let (bench, registry, places) = pushed();
    let layers = bench.image.layer_digests();
    let sizes: Vec<_> = bench.image.layers.iter().map(Vec::len).collect();
    for (place, name) in places.iter().zip([format!("{}/a/b", registry.host()), "oci:out".into()]) {
        let out = bench.run(["inspect", place]).output().code(0);
        let said: serde_json::Value = serde_json::from_str(&out.stdout).unwrap();
        let data = |at: usize| {
            serde_json::json!({
                "MIMEType": "application/vnd.oci.image.layer.v1.tar",
                "Digest": layers[at],
                "Size": sizes[at],
                "Annotations": null
            })
        };
        assert_eq!(
            said,
            serde_json::json!({
                "Name": name,
                "Digest": bench.image.digest(),
                "RepoTags": ["v1"],
                "DockerVersion": "",
                "Labels": null,
                "Architecture": "amd64",
                "Os": "linux",
                "Layers": layers,
                "LayersData": [data(0), data(1), data(2)],
                "Env": ["A=b"]
            })
        );
    }
}

#[test]
fn a_blob_that_is_not_its_digest_is_an_error() {
    let (bench, registry, places) = pushed();
    let mut config = bench.image.config.clone();
    let digest = oci::Digest::of(&config);
    config[3] ^= 1;
    let found = oci::Digest::of(&config);
    registry.set_blob(digest.as_str(), Some(config.clone()));
    bench.run(["inspect", &places[0]]).output().code(5).stdout("").stderr(&format!(
        "pushimg: GET http://{}/v2/a/b/blobs/{digest}: the content is not what its digest says: \
         content has the digest {found} but must have {digest}\n",
        registry.host()
    ));
    fs_err::write(bench.sandbox.path("out").join(digest.blob_path()), config).unwrap();
    bench.run(["inspect", &places[1]]).output().code(5).stdout("").stderr(&format!(
        "pushimg: `{}` of `out` has the digest {found}, not {digest}\n",
        digest.blob_path()
    ));
}

#[test]
fn a_registry_that_gives_another_image_is_found_out() {
    let (bench, registry, _) = pushed();
    let by_digest = format!("{}/a/b@{}", registry.host(), bench.image.digest());
    let act = Act::edit(|answer| answer.body = b"{}".to_vec());
    registry.fault(Fault::on("GET", "/manifests/", act));
    bench.run(["digest", &by_digest]).output().code(5).stdout("").stderr(&format!(
        "pushimg: the image is {}, but the reference says {}\n",
        oci::Digest::of("{}"),
        bench.image.digest()
    ));
}

#[test]
fn a_manifest_without_an_end_is_cut() {
    let (bench, registry, places) = pushed();
    let long = Answer::new(200).body(vec![b' '; (4 << 20) + 1]);
    registry.fault(Fault::on("GET", "/manifests/", Act::Answer(long)));
    bench.run(["digest", &places[0]]).output().code(4).stdout("").stderr(&format!(
        "pushimg: GET http://{}/v2/a/b/manifests/v1: 200 OK with more than 4194304 bytes\n",
        registry.host()
    ));
}
