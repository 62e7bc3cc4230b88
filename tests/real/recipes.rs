//! Every recipe of the justfile, run by real `just` in a scratch copy of the repository.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use testkit::{Output, Sandbox, require};

use crate::support;

/// A scratch copy that builds into the target folder of this test run, so that dependencies are there already.
struct Checkout(Sandbox);

impl Checkout {
    fn new() -> Self {
        require("just", "pip install rust-just");
        let sandbox = Sandbox::new();
        support::copy_repository(&sandbox);
        drop(sandbox.git().ok(["add", "--all"]));
        Self(sandbox)
    }

    /// Runs one recipe, which must succeed.
    #[track_caller]
    fn just(&self, recipe: &str) -> Output {
        let cargo = Path::new(env!("CARGO")).parent().unwrap();
        let tools = require("just", "pip install rust-just");
        let path = format!(
            "{}:{}:/usr/local/bin:/usr/bin:/bin",
            cargo.display(),
            tools.parent().unwrap().display()
        );
        let target = Path::new(env!("CARGO_BIN_EXE_likewise")).ancestors().nth(2).unwrap();
        let mut run = self.0.bash(&format!("just {recipe}")).env("PATH", path);
        for home in ["CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"] {
            if let Some(value) = inherited(home) {
                run = run.env(home, value);
            }
        }
        run.env("CARGO_TARGET_DIR", target).timeout(Duration::from_secs(900)).output().code(0)
    }
}

#[test]
fn no_recipe_is_untested() {
    let here = include_str!("recipes.rs");
    let checkout = Checkout::new();
    for recipe in checkout.just("--summary").stdout.split_whitespace() {
        assert!(here.contains(&format!(".just(\"{recipe}")), "{recipe}");
    }
}

#[test]
fn the_default_recipe_lists_the_others() {
    let checkout = Checkout::new();
    let list = checkout.just("default").stdout;
    assert!(list.starts_with("Available recipes:\n") && list.contains("demo "), "{list}");
}

#[test]
fn test_and_bench_call_the_files() {
    let checkout = Checkout::new();
    // What the two files do is tested by running them; here it counts that the recipes reach them with their arguments.
    checkout.0.write("tests/run", "echo run \"$@\"");
    drop(
        checkout.0.bash("chmod +x tests/run && mkdir -p bench && rm -rf bench/*").output().code(0),
    );
    checkout.0.write("bench/one", "echo one");
    checkout.0.write("bench/two", "echo two");
    drop(checkout.0.bash("chmod +x bench/one bench/two").output().code(0));
    checkout.just("test --full").stdout("run --full\n").stderr("./tests/run --full\n");
    assert_eq!(checkout.just("bench two").stdout, "two\n");
    assert_eq!(checkout.just("bench").stdout, "one\ntwo\n");
}

#[test]
fn images_are_built_and_pushed() {
    let checkout = Checkout::new();
    let plan = checkout.just("image examples").stdout;
    assert!(plan.starts_with("{\n  \"ociimg_plan\": 1,"), "{plan}");
    let digest = checkout.just("push oci:out:v1 examples").stdout;
    assert!(digest.starts_with("sha256:"), "{digest}");
    assert!(checkout.0.path("out/oci-layout").is_file());
}

#[test]
fn fix_leaves_a_tree_that_check_accepts() {
    let checkout = Checkout::new();
    let file = "crates/cli/src/exit.rs";
    let clean = checkout.0.read(file);
    checkout.0.write(file, clean.replace("    ", "  "));
    drop(checkout.just("fix"));
    assert_eq!(checkout.0.read(file), clean);
    drop(checkout.just("check"));
}

#[test]
fn a_hash_is_filled_in() {
    let checkout = Checkout::new();
    let lock = "# yarn lockfile v1\n\n\"lib@file:lib\":\n  version \"1.0.0\"\n";
    checkout.0.write("app/yarn.lock", lock);
    let nix =
        "{ fetchYarnDeps, lib }: fetchYarnDeps { yarnLock = ./yarn.lock; hash = lib.fakeHash; }\n";
    checkout.0.write("app/default.nix", nix);
    drop(checkout.just("update-yarn-hash app/default.nix"));
    let mended = checkout.0.read("app/default.nix");
    assert!(mended.contains("hash = \"sha256-"), "{mended}");
}

#[test]
fn the_engine_is_simulated() {
    let checkout = Checkout::new();
    let shown = checkout.just("simulate 5000").stdout;
    assert!(shown.contains("5000 schedules: "), "{shown}");
}

#[test]
fn the_demo_runs_and_leaves_an_image() {
    let checkout = Checkout::new();
    let shown = checkout.just("demo").stdout;
    assert!(shown.contains("$ ports get development.api"), "{shown}");
    let digest = checkout.0.read("target/demo/digest");
    assert_eq!(checkout.0.read("target/demo/digest.again"), digest);
    // The image is whole: unpacked and run by others, it answers for itself.
    for tool in ["umoci", "runc"] {
        require(tool, &format!("apt-get install {tool}"));
    }
    let run = "umoci unpack --image target/demo/layout:v1 bundle >&2 \
               && sed -i 's/\"terminal\": true/\"terminal\": false/; s/\"\\/bin\\/ports\"/&, \"get\", \"development.api\"/' bundle/config.json \
               && runc --root \"$TMPDIR/runc\" run --bundle bundle likewise-demo-$$";
    let output = checkout.0.bash(run).output().code(0);
    assert_eq!(output.stdout, "3000\n");
}

/// A variable of the environment that the tests themselves run in.
#[expect(
    clippy::disallowed_methods,
    reason = "where cargo keeps its things is not for a test to guess"
)]
fn inherited(name: &str) -> Option<OsString> {
    std::env::var_os(name).or_else(|| {
        let below_home = match name {
            "CARGO_HOME" => ".cargo",
            "RUSTUP_HOME" => ".rustup",
            _ => return None,
        };
        Some(Path::new(&std::env::var_os("HOME")?).join(below_home).into())
    })
}
