//! Plans: layers that are made of files while they are pushed, and only where they are missing.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use oci::layer::{LayerRecipe, PathRecipe, StoreRoot};
use oci::plan::{Draft, DraftLayer, Plan};
use oci::{History, ImageConfig, Manifest};
use testkit::registry::{Act, Answer, Fault, Registry};
use testkit::{Run, Sandbox};

use super::Bench;

/// Where the store paths of the tests are, but for their names.
const STORE: &str = "root/nix/store/00000000000000000000000000000000";

/// A bench whose image is a plan of two layers, of two store paths.
fn bench() -> (Bench, Plan) {
    let bench = Bench::new();
    for name in ["a", "b"] {
        bench.sandbox.write(format!("{STORE}-{name}/file"), name.repeat(100_000));
    }
    let plan = plan(&bench.sandbox);
    bench.sandbox.write("plan.json", plan.to_bytes().unwrap());
    (bench, plan)
}

/// Runs with the store of the test.
fn push<const N: usize>(bench: &Bench, args: [&str; N]) -> Run {
    bench.run(args).arg("--store-root=root")
}

fn plan(sandbox: &Sandbox) -> Plan {
    let layer = |name: &str| {
        let path = format!("/{}-{name}", STORE.strip_prefix("root/").unwrap());
        let recipe = LayerRecipe::new(vec![PathRecipe::new(path)]);
        DraftLayer::new(recipe, History::default())
    };
    let draft = Draft {
        name: Some("api".parse().unwrap()),
        tag: Some("v7".to_owned()),
        annotations: BTreeMap::from([("a".to_owned(), "b".to_owned())]),
        config: ImageConfig::new("amd64", "linux", Vec::new()),
        layers: vec![layer("a"), layer("b")],
    };
    let root = StoreRoot::at(sandbox.path("root"));
    let measured = draft.measure(&root, NonZeroUsize::MIN, None, &|_| ()).unwrap();
    draft.finish(measured).unwrap()
}

#[test]
fn a_plan_from_a_pipe_goes_to_the_registry_in_the_environment() {
    let (bench, plan) = bench();
    let registry = Registry::start();
    let run = push(&bench, ["-q"]).env("REGISTRY", format!("{}/org", registry.host()));
    let out = run.stdin(plan.to_bytes().unwrap()).output().code(0);
    let (media_type, bytes) = registry.manifest("org/api", "v7").unwrap();
    assert_eq!(out.stdout, format!("{}\n", oci::Digest::of(&bytes)));
    assert_eq!(media_type, "application/vnd.oci.image.manifest.v1+json");
    let manifest = Manifest::parse(&bytes).unwrap();
    assert_eq!(manifest.annotations["a"], "b");
    assert_eq!(manifest.config.digest, oci::Digest::of(plan.config.to_bytes().unwrap()));
    let annotations = &manifest.layers[0].annotations;
    assert_eq!(
        annotations["dev.likewise.recipe-key"],
        plan.layers[0].recipe_key().unwrap().to_string()
    );
    assert_eq!(annotations["dev.likewise.diff-id"], plan.layers[0].diff_id.to_string());
    let blob = registry.blob(manifest.layers[0].digest.as_str()).unwrap();
    let mut tar = Vec::new();
    let mut decoder = flate2::read::MultiGzDecoder::new(&blob[..]);
    std::io::copy(&mut decoder, &mut tar).unwrap();
    assert_eq!(oci::Digest::of(&tar), plan.layers[0].diff_id);
}

#[test]
fn the_same_plan_again_reads_no_layer() {
    let (bench, _) = bench();
    let registry = Registry::start();
    let reference = format!("{}/api:v1", registry.host());
    let first = push(&bench, ["-q", "plan.json", &reference]).output().code(0);
    registry.forget_requests();
    // Nothing is left to make layers of, and nothing has to be made.
    fs_err::remove_dir_all(bench.sandbox.path("root/nix/store")).unwrap();
    bench
        .run(["plan.json", &reference])
        .output()
        .code(0)
        .stdout(&first.stdout)
        .stderr(&format!("{reference} is there already: nothing to send\n"));
    assert_eq!(registry.body_bytes(), 0);
    // Another registry has none of it.
    let other = Registry::start();
    let reference = format!("{}/api:v1", other.host());
    push(&bench, ["-qj1", "plan.json", &reference]).output().code(2).stdout("").stderr(
        "pushimg: cannot make `layers[0]` of `plan.json`: store path `root/nix/store/00000000000000000000000000000000-a` is not on this machine\n\
         hint: a plan is pushed where its store paths are; elsewhere use `ociimg build -o image.tar`\n",
    );
    assert_eq!(other.body_bytes(), 0);
}

#[test]
fn only_what_is_missing_is_made() {
    let (bench, _) = bench();
    let registry = Registry::start();
    let reference = format!("{}/api:v1", registry.host());
    let first = push(&bench, ["-q", "plan.json", &reference]).output().code(0);
    let manifest = Manifest::parse(&registry.manifest("api", "v1").unwrap().1).unwrap();
    let (kept, lost) = (&manifest.layers[0].digest, &manifest.layers[1].digest);
    registry.set_blob(lost.as_str(), None);
    registry.fault(Fault::on(
        "GET",
        "/manifests/",
        Act::Answer(Answer::error(404, "MANIFEST_UNKNOWN", "gone")),
    ));
    fs_err::remove_dir_all(bench.sandbox.path(format!("{STORE}-a"))).unwrap();
    registry.forget_requests();
    push(&bench, ["-q", "plan.json", &reference]).output().code(0).stdout(&first.stdout).stderr("");
    assert_eq!(registry.count("POST", ""), 1);
    assert!(registry.blob(kept.as_str()).is_some() && registry.blob(lost.as_str()).is_some());
}

#[test]
fn a_cache_that_lies_is_found_out_and_corrected() {
    let (bench, plan) = bench();
    let registry = Registry::start();
    let entry = bench.sandbox.home().join(".cache/likewise/layers/gzip-6-libdeflate-1");
    let entry = entry.join(plan.layers[0].diff_id.encoded());
    fs_err::create_dir_all(entry.parent().unwrap()).unwrap();
    let (lie, diff_id) = (oci::Digest::of("lie"), &plan.layers[0].diff_id);
    let seal = oci::Digest::of(format!("gzip-6-libdeflate-1 {diff_id} {lie} 7"));
    fs_err::write(&entry, format!("{lie} 7 {}\n", seal.encoded())).unwrap();
    let reference = format!("{}/api:v1", registry.host());
    let out = push(&bench, ["-qj1", "plan.json", &reference]).output().code(2).stdout("");
    let start =
        "pushimg: `layers[0]` of `plan.json` is not the blob that the cache said it would be: ";
    assert!(out.stderr.starts_with(start), "{}", out.stderr);
    assert!(out.stderr.ends_with("hint: the wrong entry is gone now: push again\n"));
    assert!(registry.tags("api").is_empty());
    push(&bench, ["-q", "plan.json", &reference]).output().code(0).stderr("");
    assert_eq!(registry.tags("api"), ["v1"]);
    // One that has the form of an entry and is not ours is not looked at.
    fs_err::write(&entry, format!("{lie} 7\n")).unwrap();
    let reference = format!("{}/again:v1", registry.host());
    push(&bench, ["-q", "plan.json", &reference]).output().code(0).stderr("");
}

#[test]
fn a_store_path_that_changed_is_not_pushed() {
    let (bench, plan) = bench();
    bench.sandbox.write(format!("{STORE}-b/file"), "changed");
    let changed = self::plan(&bench.sandbox);
    push(&bench, ["-q", "plan.json", "oci:out"]).output().code(5).stdout("").stderr(&format!(
        "pushimg: `layers[1]` of `plan.json` has the digest {}, not {}\n\
         hint: what the layer is made of has changed: build the image again\n",
        changed.layers[1].diff_id, plan.layers[1].diff_id
    ));
}

#[test]
fn a_missing_store_path_is_named() {
    let (bench, _) = bench();
    let path = bench.sandbox.path(format!("{STORE}-b"));
    fs_err::remove_dir_all(&path).unwrap();
    push(&bench, ["-q", "plan.json", "oci:out"]).output().code(2).stdout("").stderr(
        "pushimg: cannot make `layers[1]` of `plan.json`: store path `root/nix/store/00000000000000000000000000000000-b` is not on this machine\n\
         hint: a plan is pushed where its store paths are; elsewhere use `ociimg build -o image.tar`\n",
    );
    assert!(!bench.sandbox.path("out/index.json").exists());
}

#[test]
fn what_is_no_plan_is_told() {
    let (bench, plan) = bench();
    let text = String::from_utf8(plan.to_bytes().unwrap()).unwrap();
    for (plan, message) in [
        ("{}".to_owned(), "document has no `ociimg_plan`, so it is not an image plan\n"),
        ("{".to_owned(), "plan is not JSON: EOF"),
        (text.replace("\"ociimg_plan\": 1", "\"ociimg_plan\": 9"), "plan has version 9"),
        (text[..text.len() / 2].to_owned(), "plan is not JSON: EOF"),
        (
            text.replacen("\"size\"", "\"sise\"", 1),
            "plan cannot be read at `layers[0].sise`: unknown field",
        ),
    ] {
        let out = push(&bench, ["-", "oci:out"]).stdin(plan).output().code(2).stdout("");
        let start = format!("pushimg: stdin holds no plan: {message}");
        assert!(out.stderr.starts_with(&start), "{}", out.stderr);
    }
}

#[test]
fn a_plan_may_be_compressed() {
    let (bench, _) = bench();
    let script = format!(
        "gzip -c plan.json | {} --store-root=root -q oci:out",
        env!("CARGO_BIN_EXE_pushimg")
    );
    let gzip = bench.sandbox.bash(&script).output().code(0);
    push(&bench, ["-q", "plan.json", "oci:out"]).output().code(0).stdout(&gzip.stdout).stderr("");
}

#[test]
fn no_home_is_no_reason_to_fail() {
    let (bench, _) = bench();
    let with = push(&bench, ["-q", "plan.json", "oci:out"]).output().code(0);
    for home in ["", "/proc/nowhere"] {
        let run = push(&bench, ["-q", "plan.json", "oci:out"]).env("HOME", home);
        run.output().code(0).stdout(&with.stdout).stderr("");
    }
}

#[test]
fn layers_of_the_same_bytes_are_made_and_sent_once() {
    let bench = Bench::new();
    let registry = Registry::start();
    let layer = testkit::image::tar([("x", b"y".repeat(9000).as_slice())]);
    let image = testkit::image::SmallImage::of(vec![layer.clone(), layer.clone(), layer]);
    let reference = format!("{}/a/b:v1", registry.host());
    let run = bench.run(["-qj4", &reference]).stdin(image.docker_archive(""));
    run.output().code(0).stderr("");
    assert_eq!(registry.count("POST", ""), 2, "one layer and the config");
    let manifest = Manifest::parse(&registry.manifest("a/b", "v1").unwrap().1).unwrap();
    assert_eq!(manifest.layers.len(), 3);
}

#[test]
fn a_digest_that_is_asked_for_is_known_before_anything_is_sent() {
    let (bench, _) = bench();
    let registry = Registry::start();
    let other = oci::Digest::of("other");
    let reference = format!("{}/api@{other}", registry.host());
    let out = push(&bench, ["plan.json", &reference]).output().code(5).stdout("");
    assert!(out.stderr.contains(&format!("but the reference says {other}")), "{}", out.stderr);
    assert_eq!(registry.body_bytes(), 0);
    let reference = format!("{}/api:v1", registry.host());
    push(&bench, ["-n", "plan.json", &reference]).output().code(0).stderr("...");
    assert_eq!(registry.body_bytes(), 0);
}
