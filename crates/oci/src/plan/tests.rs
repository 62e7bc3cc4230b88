use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};

use fs_err as fs;
use serde_json::{Value, json};

use super::*;
use crate::layer::LayerRecipe;
use crate::layer::{LayerError, PathRecipe, StoreRoot};
use crate::{Digest, History};

fn draft(layers: Vec<LayerRecipe>) -> Draft {
    Draft {
        name: Some("ghcr.io/org/api".parse().unwrap()),
        tag: None,
        annotations: BTreeMap::from([("a".to_owned(), "<b>".to_owned())]),
        config: ImageConfig::new("amd64", "linux", Vec::new()),
        layers: layers
            .into_iter()
            .map(|recipe| DraftLayer::new(recipe, History::default()))
            .collect(),
    }
}

fn store() -> (tempfile::TempDir, StoreRoot) {
    let dir = tempfile::tempdir().unwrap();
    for name in ["a", "b", "c"] {
        fs::create_dir_all(dir.path().join("nix/store").join(name)).unwrap();
        fs::write(dir.path().join("nix/store").join(name).join("f"), name).unwrap();
    }
    let root = StoreRoot::at(dir.path());
    (dir, root)
}

fn plan() -> (tempfile::TempDir, Plan) {
    let (dir, root) = store();
    let layer = |name: &str| LayerRecipe::new(vec![PathRecipe::new(format!("/nix/store/{name}"))]);
    let draft = draft(vec![layer("a"), layer("b"), layer("c")]);
    let bytes = AtomicU64::new(0);
    let add = |n| {
        bytes.fetch_add(n, Ordering::Relaxed);
    };
    let measured = draft.measure(&root, NonZeroUsize::new(2).unwrap(), None, &add).unwrap();
    assert_eq!(bytes.into_inner(), measured.iter().map(|m| m.size).sum::<u64>());
    let alone = draft.measure(&root, NonZeroUsize::MIN, None, &|_| ()).unwrap();
    assert_eq!(alone, measured);
    (dir, draft.finish(measured).unwrap())
}

fn changed(plan: &Plan, change: impl FnOnce(&mut Value)) -> PlanError {
    let mut value = serde_json::to_value(plan).unwrap();
    change(&mut value);
    Plan::parse(value.to_string().as_bytes()).unwrap_err()
}

#[test]
fn a_plan_is_read_back_as_it_was() {
    let (_dir, plan) = plan();
    let bytes = plan.to_bytes().unwrap();
    assert!(bytes.starts_with(b"{\n  \"ociimg_plan\": 1,\n"));
    assert_eq!(Plan::parse(&bytes).unwrap(), plan);
    assert_eq!(plan.config.rootfs.diff_ids.len(), 3);
    let config = Digest::of(plan.config.to_bytes().unwrap());
    assert_eq!(plan.tag, config.encoded()[..32], "the tag says what is in the image");
    assert_eq!(plan.reference().unwrap().to_string(), format!("ghcr.io/org/api:{}", plan.tag));
}

#[test]
fn what_is_wrong_is_named() {
    let (_dir, plan) = plan();
    let message = |error: &PlanError| {
        let source = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
        format!("{error}: {source}")
    };
    let error = changed(&plan, |v| v["layers"][1]["recipe"]["paths"][0]["narhash"] = json!("x"));
    let text = message(&error);
    assert!(
        text.starts_with(
            "plan cannot be read at `layers[1].recipe.paths[0].narhash`: unknown field"
        ),
        "{text}"
    );
    let error = changed(&plan, |v| v["layers"][0]["recipe"]["dialect"] = json!("n2c-2"));
    assert!(message(&error).contains("layers[0].recipe.dialect"), "{error}");
    let error = changed(&plan, |v| v["layers"][2]["size"] = json!(-1));
    assert!(message(&error).contains("layers[2].size"), "{error}");
    assert!(matches!(changed(&plan, |v| v["ociimg_plan"] = json!(2)), PlanError::Version(2)));
    assert!(matches!(changed(&plan, |v| v["tag"] = json!("a b")), PlanError::Tag { .. }));
    assert!(matches!(changed(&plan, |v| v["name"] = json!("a:b")), PlanError::Name(_)));
    assert!(matches!(
        changed(&plan, |v| v["config"]["config"]["Env"] = json!(["x"])),
        PlanError::Config { .. }
    ));
    let other = Digest::of("x").to_string();
    assert!(matches!(
        changed(&plan, |v| v["layers"][0]["diff_id"] = json!(other)),
        PlanError::DiffIds
    ));
    let error =
        changed(&plan, |v| v["layers"][1]["recipe"]["paths"][0]["path"] = json!("/nix/store/z"));
    assert!(matches!(error, PlanError::Key { layer: 1 }));
    assert!(matches!(Plan::parse(b"{}").unwrap_err(), PlanError::NotAPlan));
    assert!(matches!(Plan::parse(b"{\"ociimg_plan\":").unwrap_err(), PlanError::Syntax { .. }));
    assert!(matches!(Plan::parse(br#"{"ociimg_plan":"1"}"#).unwrap_err(), PlanError::Field { .. }));
    assert!(matches!(
        Plan::parse("[".repeat(9999).as_bytes()).unwrap_err(),
        PlanError::Syntax { .. }
    ));
}

#[test]
fn the_lowest_layer_that_cannot_be_made_is_reported() {
    let (_dir, root) = store();
    let layer = |name: &str| LayerRecipe::new(vec![PathRecipe::new(format!("/nix/store/{name}"))]);
    let draft = draft(vec![layer("a"), layer("x"), layer("y"), layer("b")]);
    let error = draft.measure(&root, NonZeroUsize::new(4).unwrap(), None, &|_| ()).unwrap_err();
    assert!(matches!(&error, LayerError::Missing { path } if path.ends_with("x")), "{error}");
}
