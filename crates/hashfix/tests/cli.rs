//! `hashfix` through its binary, beside a registry in this process.
#![expect(clippy::unwrap_used, reason = "a test ends where its ground fails")]

#[path = "cli/check.rs"]
mod check;
#[path = "cli/faults.rs"]
mod faults;
#[path = "cli/hash.rs"]
mod hash;

use base64::Engine as _;
use sha2::{Digest as _, Sha512};
use testkit::files::Files;
use testkit::{Run, Sandbox};

/// A sandbox whose npm asks a registry in this process for everything.
struct Bed {
    sandbox: Sandbox,
    registry: Files,
}

impl Bed {
    fn new() -> Self {
        let (sandbox, registry) = (Sandbox::new(), Files::start());
        let url = registry.url();
        let npmrc = format!("registry={url}\nreplace-registry-host=always\n");
        fs_err::write(sandbox.home().join(".npmrc"), npmrc).unwrap();
        Self { sandbox, registry }
    }

    fn hashfix<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Run {
        self.sandbox.run(env!("CARGO_BIN_EXE_hashfix")).args(args)
    }

    /// Puts a package on the registry, and gives its entry in a `yarn.lock`.
    fn yarn(&self, name: &str, content: &[u8]) -> String {
        self.registry.put(&format!("/{name}/-/{name}-1.0.0.tgz"), content);
        format!(
            "{name}@^1.0.0:\n  version \"1.0.0\"\n  resolved \"https://npm.example.com/{name}/-/{name}-1.0.0.tgz#{}\"\n  \
             integrity {}\n\n",
            "0".repeat(40),
            integrity(content)
        )
    }
}

fn integrity(content: &[u8]) -> String {
    format!("sha512-{}", base64::prelude::BASE64_STANDARD.encode(Sha512::digest(content)))
}
