//! Layers that dockerTools' stream script itself made.

use std::sync::Arc;

use oci::layer::{Dialect, LayerRecipe, PathRecipe, StoreRoot};

#[test]
fn layers_are_those_of_dockertools() {
    let root = tempfile::tempdir().unwrap();
    super::n2c::fixture(root.path());
    let folder = super::folder().join("dockertools");
    for (name, path) in [
        ("alpha", "00000000000000000000000000000000-alpha-1.0"),
        ("beta", "11111111111111111111111111111111-beta-2.0"),
    ] {
        let recipe = LayerRecipe {
            dialect: Dialect::Dockertools1,
            ..LayerRecipe::new(vec![PathRecipe::new(format!("/nix/store/{path}"))])
        };
        let measured = Arc::new(recipe).measure(&StoreRoot::at(root.path())).unwrap();
        let sum = fs_err::read_to_string(folder.join(format!("dt-{name}.sum"))).unwrap();
        assert_eq!(format!("{} {}", measured.diff_id, measured.size), sum.trim(), "{name}");
    }
}
