//! Layers and config blobs that nix2container itself made.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use oci::layer::{LayerRecipe, PathRecipe, StoreRoot};

/// The store that the goldens were made of.
#[expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "the generator of the fixture is a Python script"
)]
fn fixture(root: &Path) {
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
