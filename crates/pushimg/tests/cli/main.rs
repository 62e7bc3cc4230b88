//! The tool through its binary, against a registry in this process.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod archives;
mod auth;
mod faults;
mod layouts;
mod locations;
mod looks;
mod operands;
mod plans;
mod registry;
mod reuse;
mod verbs;

use testkit::image::SmallImage;
use testkit::registry::Registry;
use testkit::{Output, Run, Sandbox};

/// A sandbox in which `image` is the layout of a small image.
struct Bench {
    sandbox: Sandbox,
    image: SmallImage,
}

impl Bench {
    fn new() -> Self {
        // Two layers below the size from which bodies are announced, and one above.
        Self::with(&[100_000, 3_000, 10])
    }

    fn with(sizes: &[usize]) -> Self {
        let sandbox = Sandbox::new();
        let image = SmallImage::new(sizes);
        image.write_layout(&sandbox.path("image"), "latest");
        Self { sandbox, image }
    }

    fn run<const N: usize>(&self, args: [&str; N]) -> Run {
        self.sandbox.run(env!("CARGO_BIN_EXE_pushimg")).args(args)
    }

    /// Runs with one job, so that the lines on stderr have an order.
    fn push(&self, registry: &Registry) -> Output {
        self.run(["-j1", "image", &format!("{}/a/b:v1", registry.host())]).output()
    }

    /// What is on stdout after a push.
    fn digest_line(&self) -> String {
        format!("{}\n", self.image.digest())
    }
}
