//! Recorded answers: what Nix itself says about registries. `LIKEWISE_ORACLES` names their folder.

use std::path::{Path, PathBuf};

use testkit::Sandbox;

fn folder() -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "a test asks for its recorded answers")]
    let root = std::env::var_os("LIKEWISE_ORACLES");
    let folder = Path::new(&root.unwrap_or_default()).join("ports");
    let named = "LIKEWISE_ORACLES must name the folder of recorded answers";
    assert!(folder.is_absolute() && folder.is_dir(), "{named}: `{}` is none", folder.display());
    folder
}

#[test]
fn a_registry_has_nix_own_json() {
    let folder = folder().join("seed-registry");
    let wanted: serde_json::Value =
        serde_json::from_str(&fs_err::read_to_string(folder.join("expected.json")).unwrap())
            .unwrap();
    let sandbox = Sandbox::without_programs();
    let output = sandbox
        .run(env!("CARGO_BIN_EXE_ports"))
        .arg("--file")
        .arg(folder.join("ports.nix"))
        .args(["export", "--format", "json"])
        .output()
        .code(0);
    let found: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(found, wanted);
    output.stderr("");
}
