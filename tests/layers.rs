//! The layer picture of docs/architecture.md, held against `cargo metadata` and the sources.
#![expect(clippy::unwrap_used, reason = "a test may end where the workspace itself is broken")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Crates that know a format and nothing of the process around them.
const FORMATS: [&str; 5] = ["composefile", "nixdata", "nixexpr", "oci", "portreg"];

/// Libraries that only the named crates may depend on.
const RESERVED: [(&str, &[&str]); 4] =
    [("rnix", &["nixexpr"]), ("rowan", &["nixexpr"]), ("tokio", &["pc"]), ("ureq", &["transfer"])];

type Edges = BTreeMap<String, BTreeSet<String>>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The edges of the fenced `layers` block.
fn drawn() -> Edges {
    let text = fs_err::read_to_string(root().join("docs/architecture.md")).unwrap();
    let block = text.split("```layers\n").nth(1).unwrap().split("```").next().unwrap();
    let edge = |line: &str| {
        let (from, to) = line.split_once("->").unwrap();
        (from.trim().to_owned(), to.split_whitespace().map(str::to_owned).collect())
    };
    block.lines().map(edge).collect()
}

/// The packages below crates/, as cargo sees them.
fn packages() -> Vec<Value> {
    let cargo = env!("CARGO");
    let output = duct::cmd!(cargo, "metadata", "--no-deps", "--format-version=1", "--offline")
        .dir(root())
        .stdout_capture()
        .run()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages.filter(|package| package["name"] != "e2e").cloned().collect()
}

/// The dependencies of a package that are not for tests alone.
fn dependencies(package: &Value) -> BTreeSet<String> {
    let all = package["dependencies"].as_array().unwrap().iter();
    all.filter(|dependency| dependency["kind"] != "dev")
        .map(|dependency| dependency["name"].as_str().unwrap().to_owned())
        .collect()
}

fn name(package: &Value) -> &str {
    package["name"].as_str().unwrap()
}

fn is_tool(package: &Value) -> bool {
    let targets = package["targets"].as_array().unwrap().iter();
    targets.flat_map(|target| target["kind"].as_array().unwrap()).any(|kind| kind == "bin")
}

#[test]
fn the_picture_is_what_cargo_builds() {
    let packages = packages();
    let ours: BTreeSet<&str> = packages.iter().map(name).collect();
    let built: Edges = packages
        .iter()
        .map(|package| {
            let inside = dependencies(package).into_iter().filter(|d| ours.contains(d.as_str()));
            (name(package).to_owned(), inside.collect())
        })
        .collect();
    assert_eq!(drawn(), built, "left: docs/architecture.md, right: cargo metadata");
}

#[test]
fn no_tool_depends_on_a_tool() {
    let packages = packages();
    let tools: BTreeSet<&str> = packages.iter().filter(|p| is_tool(p)).map(name).collect();
    assert!(tools.contains("ports"), "found no tools: {tools:?}");
    for package in &packages {
        let taken: Vec<_> =
            dependencies(package).into_iter().filter(|d| tools.contains(d.as_str())).collect();
        assert!(taken.is_empty(), "{} depends on the tools {taken:?}", name(package));
    }
}

#[test]
fn reserved_libraries_stay_where_they_belong() {
    for package in packages() {
        let dependencies = dependencies(&package);
        for (library, owners) in RESERVED {
            let allowed = owners.contains(&name(&package));
            assert!(
                allowed || !dependencies.contains(library),
                "{} names {library}, which belongs to {owners:?}",
                name(&package)
            );
        }
        let may_parse_arguments = is_tool(&package) || name(&package) == "cli";
        assert!(may_parse_arguments || !dependencies.contains("clap"), "{}", name(&package));
        assert!(!dependencies.contains("testkit"), "{} ships the testkit", name(&package));
    }
}

#[test]
fn format_crates_do_not_touch_the_process() {
    let forbidden = ["std::process", "std::env", "env::var", "process::Command"];
    for format in FORMATS {
        for file in sources(&root().join("crates").join(format).join("src")) {
            let text = code(&file);
            for word in forbidden {
                assert!(!text.contains(word), "{} says {word}", file.display());
            }
        }
    }
}

#[test]
fn clap_is_named_only_in_args_and_lib() {
    for package in packages().iter().filter(|package| is_tool(package)) {
        for file in sources(&root().join("crates").join(name(package)).join("src")) {
            let is_part = file.parent().is_some_and(|folder| folder.ends_with("args"));
            let at_home = is_part || file.ends_with("args.rs") || file.ends_with("lib.rs");
            let text = fs_err::read_to_string(&file).unwrap();
            assert!(at_home || !text.contains("clap::"), "{} names clap", file.display());
        }
    }
}

/// A source without its comments, in which documentation may show what a caller does.
fn code(file: &Path) -> String {
    let text = fs_err::read_to_string(file).unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// All Rust files below a folder but those of unit tests.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs_err::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // Unit tests may do what the code beside them may not.
        if path.file_stem().is_some_and(|stem| stem == "tests") {
            continue;
        }
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    assert!(!found.is_empty(), "no sources in {}", folder.display());
    found
}
