//! Answers of other programs, from the folder that `LIKEWISE_ORACLES` names.

use std::path::PathBuf;

#[expect(clippy::expect_used, clippy::disallowed_methods, reason = "a test pass of its own")]
fn folder() -> PathBuf {
    let root = std::env::var_os("LIKEWISE_ORACLES")
        .expect("set LIKEWISE_ORACLES to the folder of recorded answers");
    let folder = PathBuf::from(root).join("ociimg");
    assert!(folder.is_dir(), "{} is not there", folder.display());
    folder
}

mod dockertools;
mod image_spec;
mod layering;
mod n2c;
mod repush;
