//! What the test targets of this package share: the tools on a PATH, and a scratch copy of the repository.

use std::path::{Path, PathBuf};

use testkit::Sandbox;

/// The tools, as the multicall binary knows them.
const TOOLS: [&str; 6] = ["guard", "hashfix", "ociimg", "pc", "ports", "pushimg"];

/// The repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// A sandbox with the tools on its PATH.
pub(crate) fn bed() -> Sandbox {
    let sandbox = Sandbox::new();
    for tool in TOOLS {
        sandbox.link_program(tool, env!("CARGO_BIN_EXE_likewise"));
    }
    sandbox
}

/// The files that git tracks or would track, copied into the sandbox's working directory.
pub(crate) fn copy_repository(sandbox: &Sandbox) {
    let list = duct::cmd!("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
        .dir(root())
        .read()
        .unwrap();
    for file in list.split('\0').filter(|file| !file.is_empty()) {
        let (from, to) = (root().join(file), sandbox.path(file));
        // A file that is deleted and not yet committed is still listed.
        if from.is_file() {
            fs_err::create_dir_all(to.parent().unwrap()).unwrap();
            fs_err::copy(from, to).unwrap();
        }
    }
}
