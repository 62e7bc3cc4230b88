//! Recorded answers of process-compose. `LIKEWISE_ORACLES` names their folder.
#![expect(clippy::unwrap_used, reason = "a test may end where its cases cannot be read")]

mod oracles {
    mod loading;
    mod running;

    use std::path::{Path, PathBuf};

    use serde_json::Value;

    /// The folder of the cases.
    fn folder() -> PathBuf {
        #[expect(clippy::disallowed_methods, reason = "a test asks for its recorded answers")]
        let root = std::env::var_os("LIKEWISE_ORACLES");
        let folder = Path::new(&root.unwrap_or_default()).join("pc");
        let named = "LIKEWISE_ORACLES must name the folder of recorded answers";
        assert!(folder.is_absolute() && folder.is_dir(), "{named}: `{}` is none", folder.display());
        folder
    }

    /// All cases.
    fn cases() -> Vec<Value> {
        let text = fs_err::read_to_string(folder().join("expected.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }
}
