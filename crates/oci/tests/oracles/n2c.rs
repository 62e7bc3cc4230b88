//! Layers and config blobs that nix2container itself made.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use oci::layer::{LayerRecipe, PathRecipe, StoreRoot};
use oci::plan::{Draft, DraftLayer};
use oci::{Digest, History, ImageConfig, RunConfig};
use serde_json::Value;

/// The store that the goldens were made of.
#[expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "the generator of the fixture is a Python script"
)]
pub(crate) fn fixture(root: &Path) {
    let status = Command::new("python3")
        .arg(super::folder().join("mkfixture.py"))
        .arg(root)
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
fn layers_are_those_of_nix2container() {
    let root = tempfile::tempdir().unwrap();
    fixture(root.path());
    let n2c = super::folder().join("n2c");
    for name in ["alpha", "beta", "file", "mixed"] {
        let paths = fs_err::read(n2c.join(format!("n2c-{name}.paths.json"))).unwrap();
        let paths: Vec<PathRecipe> = serde_json::from_slice(&paths).unwrap();
        let recipe = Arc::new(LayerRecipe::new(paths));
        let measured = recipe.measure(&StoreRoot::at(root.path())).unwrap();
        let sum = fs_err::read_to_string(n2c.join(format!("n2c-{name}.sum"))).unwrap();
        assert_eq!(format!("{} {} <nil>", measured.diff_id, measured.size), sum.trim(), "{name}");
    }
}

#[test]
fn a_whole_job_makes_the_config_of_nix2container() {
    let root = tempfile::tempdir().unwrap();
    fixture(root.path());
    let read = |name: &str| fs_err::read(super::folder().join("n2c").join(name)).unwrap();
    let json = |name: &str| serde_json::from_slice::<Value>(&read(name)).unwrap();
    let input = json("n2c-job1.input.json");
    let mut config = ImageConfig::new("amd64", "linux", Vec::new());
    config.created = Some(serde_json::from_value(input["Created"].clone()).unwrap());
    config.config = RunConfig::from_any_case(input["Config"].clone()).unwrap();
    // nix2container drops what it does not know.
    config.config.other.clear();
    let history: History = serde_json::from_value(input["History"].clone()).unwrap();
    let layers = json("n2c-job1.layers.json");
    let layers = layers.as_array().unwrap().iter().map(|layer| {
        let paths = serde_json::from_value(layer["paths"].clone()).unwrap();
        DraftLayer::new(LayerRecipe::new(paths), history.clone())
    });
    let layers = layers.collect();
    let draft = Draft { name: None, tag: None, annotations: BTreeMap::new(), config, layers };
    let root = StoreRoot::at(root.path());
    let measured = draft.measure(&root, std::num::NonZeroUsize::MIN, None, &|_| ()).unwrap();
    let config = draft.finish(measured).unwrap().config.to_bytes().unwrap();
    assert_eq!(config, read("n2c-job1.config-blob.json"));
    assert_eq!(
        Digest::of(&config).as_str(),
        "sha256:b366073a758d4553528b580c155df6b12ba47c2dbe34f3a6059505cc25e7de3c"
    );
}

#[test]
fn a_whole_job_makes_the_documents_of_nix2container() {
    use oci::n2c::{Image, Job, layers_to_bytes, made_layers};

    let root = tempfile::tempdir().unwrap();
    fixture(root.path());
    let read = |name: &str| fs_err::read(super::folder().join("n2c").join(name)).unwrap();
    let input: Value = serde_json::from_slice(&read("n2c-job1.input.json")).unwrap();
    let bytes = |key: &str| input[key].to_string().into_bytes();
    let job = Job {
        paths: serde_json::from_value(input["Paths"].clone()).unwrap(),
        parents: Vec::new(),
        rewrites: Job::parse_rewrites(&bytes("Rewrites")).unwrap(),
        perms: Job::parse_perms(&bytes("Perms")).unwrap(),
        ignore: input["Ignore"].as_str().unwrap().to_owned(),
        max_layers: input["MaxLayers"].as_i64().unwrap(),
        history: Job::parse_history(&bytes("History")).unwrap(),
    };
    let jobs = std::num::NonZeroUsize::MIN;
    let layers = made_layers(&job, &StoreRoot::at(root.path()), jobs, &|_| ()).unwrap();
    assert_eq!(layers_to_bytes(&layers).unwrap(), read("n2c-job1.layers.json"));
    let created = serde_json::from_value(input["Created"].clone()).unwrap();
    let arch = input["Arch"].as_str().unwrap();
    let image = Image::new(&bytes("Config"), None, layers, arch, created, true).unwrap();
    assert_eq!(image.to_bytes().unwrap(), read("n2c-job1.image.json"));
    let plan = image.draft().unwrap().finish(image.measured().unwrap()).unwrap();
    assert_eq!(plan.config.to_bytes().unwrap(), read("n2c-job1.config-blob.json"));
    assert_eq!(Image::of_plan(&plan).unwrap().to_bytes().unwrap(), read("n2c-job1.image.json"));
}
