//! How paths become layers.

use serde_json::Value;
use testkit::Sandbox;

use crate::{build, plan};

/// Five paths: an application, two large libraries, what they share, and a file that only the application has.
const NAMES: [(&str, u64, &[usize]); 5] = [
    ("app-1.0", 3_000, &[1, 2, 4]),
    ("big-1.0", 900_000, &[3]),
    ("large-2.0", 800_000, &[3]),
    ("libc-2.40", 100_000, &[]),
    ("data-7", 50, &[]),
];

fn path(number: usize) -> String {
    format!("/nix/store/{}-{}", number.to_string().repeat(32), NAMES[number].0)
}

fn store(sandbox: &Sandbox) {
    let infos = NAMES.iter().enumerate().map(|(number, (_, size, references))| {
        sandbox.write(format!("root{}/file", path(number)), NAMES[number].0);
        let references: Vec<String> = references.iter().map(|number| path(*number)).collect();
        serde_json::json!({"path": path(number), "narSize": size, "references": references})
    });
    let infos: Vec<Value> = infos.collect();
    sandbox.write("graph.json", Value::from(infos).to_string());
}

/// The names in each layer, without their hashes.
fn layers(sandbox: &Sandbox, args: &[&str]) -> Vec<String> {
    let app = path(0);
    let store = ["--store-root", "root", "--graph", "graph.json", app.as_str()];
    let plan = plan(build(sandbox, &[&store[..], args].concat()));
    let layer = |layer: &Value| {
        let paths = layer["recipe"]["paths"].as_array().unwrap().iter();
        let name =
            |path: &Value| path["path"].as_str().unwrap().rsplit_once('/').unwrap().1.to_owned();
        let names: Vec<String> = paths
            .map(name)
            .map(|name| name.split_once('-').map_or(name.clone(), |n| n.1.to_owned()))
            .collect();
        names.join(" ")
    };
    plan["layers"].as_array().unwrap().iter().map(layer).collect()
}

#[test]
fn every_way_to_split_is_a_function_of_the_graph() {
    let sandbox = Sandbox::without_programs();
    store(&sandbox);
    let with = |args: &[&str]| layers(&sandbox, args);
    assert_eq!(with(&[]).last().unwrap(), "app-1.0");
    assert_eq!(with(&["--max-layers", "1"]).len(), 1);
    assert_eq!(with(&["--max-layers", "2"])[1], "app-1.0");
    assert_eq!(
        with(&["--layers", "auto-layer", "--max-layers", "4"]),
        ["libc-2.40", "large-2.0", "big-1.0", "app-1.0 data-7"]
    );
    assert_eq!(
        with(&["--layers", "popularity-n2c", "--max-layers", "2"]),
        ["libc-2.40", "data-7 large-2.0 big-1.0 app-1.0"]
    );
    assert_eq!(with(&["--layers", "popularity-dockertools"])[0], "libc-2.40");
    sandbox.write("pipeline", r#"[["popularity_contest"], ["limit_layers", 2]]"#);
    assert_eq!(with(&["--layers", "pipeline:pipeline"]).len(), 2);
    sandbox.write("layers", serde_json::json!([[path(3)], [path(1), path(2)]]).to_string());
    assert_eq!(
        with(&["--layers", "file:layers"]),
        ["libc-2.40", "big-1.0 large-2.0", "data-7 app-1.0"]
    );
}

#[test]
fn pins_come_first_and_what_is_excluded_is_nowhere() {
    let sandbox = Sandbox::without_programs();
    store(&sandbox);
    let with = |args: &[&str]| layers(&sandbox, args);
    let pinned =
        with(&["--pin", "libc-*,data-*", "--pin", "/nix/store/*-large-*", "--layers", "single"]);
    assert_eq!(pinned, ["libc-2.40 data-7", "large-2.0", "big-1.0 app-1.0"]);
    let left = with(&["--exclude", "data-*", "--layers", "single"]);
    assert_eq!(left, ["libc-2.40 big-1.0 large-2.0 app-1.0"]);
}

#[test]
fn rates_decide_where_sizes_do_not() {
    let sandbox = Sandbox::without_programs();
    store(&sandbox);
    sandbox.write("rates.json", r#"{"data-*": 800}"#);
    let split = layers(&sandbox, &["--rates", "rates.json", "--max-layers", "3"]);
    assert_eq!(split.len(), 3);
    assert_eq!(split[1], "data-7", "{split:?}");
}

#[test]
fn the_dialect_of_dockertools_is_for_store_paths() {
    let sandbox = Sandbox::without_programs();
    store(&sandbox);
    sandbox.write("etc/motd", "hello");
    let app = path(0);
    let plan = plan(build(
        &sandbox,
        &[
            "--store-root",
            "root",
            "--graph",
            "graph.json",
            &app,
            "etc",
            "--dialect",
            "dockertools-1",
        ],
    ));
    let dialects: Vec<&str> = plan["layers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|layer| layer["recipe"]["dialect"].as_str().unwrap())
        .collect();
    assert_eq!(dialects.last(), Some(&"n2c-1"));
    assert!(dialects[..dialects.len() - 1].iter().all(|dialect| *dialect == "dockertools-1"));
    assert!(plan["layers"][0]["size"].as_u64().unwrap().is_multiple_of(10_240));
}

#[test]
fn what_cannot_be_split_says_why() {
    let sandbox = Sandbox::without_programs();
    store(&sandbox);
    sandbox.write("list", r#"{"a": 1}"#);
    sandbox.write("bad", r#"[["flaten"]]"#);
    sandbox.write("other", serde_json::json!([["/nix/store/x"]]).to_string());
    sandbox.write("twice", serde_json::json!([[path(3), path(3)]]).to_string());
    sandbox.write("rates", r#"{"*": 1001}"#);
    let app = path(0);
    let fails = |args: &[&str], text: &str| {
        let store = ["--store-root", "root", "--graph", "graph.json", app.as_str()];
        let output = build(&sandbox, &[&store[..], args].concat()).output().code(2).stdout("");
        assert!(output.stderr.contains(text), "{}", output.stderr);
    };
    fails(&["--layers", "magic"], "it must be auto, single, per-path");
    fails(&["--layers", "file:list"], "`list` is not a JSON list of layers");
    fails(&["--layers", "file:absent"], "cannot read `absent`");
    fails(&["--layers", "pipeline:bad"], "`pipeline[0]` is `flaten`, which is no step");
    fails(
        &["--layers", "file:other"],
        "puts `/nix/store/x` into a layer, which is not in the image",
    );
    fails(&["--layers", "file:twice"], "in two places");
    fails(&["--rates", "rates"], "the rate 1001, which must be at most 1000");
    fails(&["--pin", "nothing-*"], "`nothing-*` matches no store path of the image");
    fails(&["--exclude", "x[", "--pin", "a"], "cannot read the pattern `x[`");
    fails(&["--pin", "libc-*", "--max-layers", "1"], "that makes 2 layers, but there may be 1");
    fails(&["--dialect", "n2c-9"], "`n2c-9` must be `n2c-1` or `dockertools-1`");
}

#[test]
fn a_closure_in_a_circle_is_named() {
    let sandbox = Sandbox::without_programs();
    let info =
        |at: usize, to: usize| serde_json::json!({"path": path(at), "references": [path(to)]});
    sandbox.write("graph.json", serde_json::json!([info(0, 1), info(1, 0)]).to_string());
    let app = path(0);
    let output = build(&sandbox, &["--graph", "graph.json", &app]).output().code(2);
    assert!(output.stderr.contains("refer to each other in a circle"), "{}", output.stderr);
}
