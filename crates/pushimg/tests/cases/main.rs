//! What registries, and what stands before them, do to a push: a test for each case, and what must come out.
//!
//! No push may succeed without the image being there, and none may hang.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod auth;
mod blobs;
mod bodies;
mod documents;
mod locations;
mod proxies;

use testkit::image::SmallImage;
use testkit::registry::{Act, Answer, Fault, Registry};
use testkit::{Output, Run, Sandbox};

/// An image, and a registry that will not behave.
struct Case {
    sandbox: Sandbox,
    image: SmallImage,
    registry: Registry,
}

impl Case {
    fn new() -> Self {
        Self::with(Registry::start())
    }

    fn with(registry: Registry) -> Self {
        Self::of(registry, &[200_000, 3_000])
    }

    fn of(registry: Registry, sizes: &[usize]) -> Self {
        let (sandbox, image) = (Sandbox::new(), SmallImage::new(sizes));
        image.write_layout(&sandbox.path("image"), "latest");
        Self { sandbox, image, registry }
    }

    fn fault(self, fault: Fault) -> Self {
        self.registry.fault(fault);
        self
    }

    fn reference(&self) -> String {
        format!("{}/a/b:v1", self.registry.host())
    }

    fn tool<const N: usize>(&self, args: [&str; N]) -> Run {
        self.sandbox.run(env!("CARGO_BIN_EXE_pushimg")).args(args)
    }

    fn push<const N: usize>(&self, args: [&str; N]) -> Output {
        let run = self.tool(["-j1", "image", &self.reference()]).args(args);
        let patient = args.iter().any(|arg| arg.starts_with("--retry-for"));
        if patient { run.output() } else { run.arg("--retry-for=20s").output() }
    }

    /// The push must succeed, and then all of the image must be there.
    #[track_caller]
    fn succeeds<const N: usize>(self, args: [&str; N]) -> Self {
        let out = self.push(args).code(0).stdout(&format!("{}\n", self.image.digest()));
        out.stderr("...");
        self.is_there();
        self
    }

    #[track_caller]
    fn is_there(&self) {
        assert_eq!(self.registry.manifest("a/b", "v1").unwrap().1, self.image.manifest);
        for (digest, bytes) in self.image.layer_digests().iter().zip(&self.image.layers) {
            assert_eq!(self.registry.blob(digest).as_ref(), Some(bytes));
        }
        assert_eq!(self.registry.open_upload_count(), 0, "an upload was left behind");
    }

    /// The push must fail with this code and say this, and no tag may move.
    #[track_caller]
    fn fails<const N: usize>(self, code: i32, words: &str, args: [&str; N]) -> Self {
        let out = self.push(args).code(code).stdout("");
        assert!(out.stderr.contains(words), "{}", out.stderr);
        assert!(self.registry.tags("a/b").is_empty(), "no tag may move");
        self
    }

    fn layer(&self) -> String {
        self.image.layer_digests()[0].clone()
    }
}

/// What a registry says that is busy.
fn busy(status: u16) -> Answer {
    Answer::error(status, "UNAVAILABLE", "later")
}

fn uploads(method: &'static str, act: Act) -> Fault {
    Fault::on(method, "/blobs/uploads/", act)
}
