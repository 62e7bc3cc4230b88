//! The same image in other forms.

use fs_err as fs;
use serde_json::{Value, json};
use testkit::Sandbox;

use crate::{APP, LIB, build, ociimg, store};

const CUSTOM: &str = "/nix/store/22222222222222222222222222222222-custom";

fn convert(sandbox: &Sandbox, args: &[&str]) -> Value {
    let output = ociimg(sandbox, &[&["convert", "--store-root", "root"], args].concat());
    let output = output.output().code(0);
    assert_eq!(output.stderr, "");
    serde_json::from_str(&output.stdout).unwrap()
}

fn write(sandbox: &Sandbox, args: &[&str]) {
    let output = ociimg(sandbox, &[&["convert", "--store-root", "root"], args].concat());
    output.output().code(0).stderr("");
}

fn diff_ids(document: &Value) -> Vec<String> {
    let layers = document["layers"].as_array().unwrap().iter();
    layers
        .map(|layer| {
            layer.get("diff_id").or(layer.get("diff_ids")).unwrap().as_str().unwrap().to_owned()
        })
        .collect()
}

#[test]
fn a_plan_goes_to_nix2container_and_back() {
    let sandbox = Sandbox::without_programs();
    let graph = store(&sandbox);
    sandbox.write("config.json", r#"{"Healthcheck": {"Test": ["NONE"]}}"#);
    let args: Vec<&str> =
        graph.iter().map(String::as_str).chain([APP, "--config", "config.json"]).collect();
    let plan = crate::plan(build(&sandbox, &args));
    sandbox.write("plan.json", plan.to_string());
    let direct =
        build(&sandbox, &[&args[..], &["--format", "nix2container"]].concat()).output().code(0);
    let image = convert(&sandbox, &["plan.json", "--format", "nix2container"]);
    assert_eq!(serde_json::from_str::<Value>(&direct.stdout).unwrap(), image);
    assert!(direct.stdout.starts_with("{\n\t\"version\": 1,\n\t\"image-config\": {"));
    assert_eq!(image["image-config"]["Healthcheck"]["Test"][0], "NONE", "unknown keys survive");
    assert_eq!(diff_ids(&image), diff_ids(&plan));
    sandbox.write("image.json", image.to_string());
    let back = convert(&sandbox, &["image.json", "--name", "x", "--tag", "1"]);
    assert_eq!(diff_ids(&back), diff_ids(&plan));
    assert_eq!(back["config"]["config"], plan["config"]["config"]);
    assert_eq!(back["config"]["history"], plan["config"]["history"]);
}

#[test]
fn a_conf_of_dockertools_becomes_each_of_the_others() {
    let sandbox = Sandbox::without_programs();
    store(&sandbox);
    sandbox.write(format!("root{CUSTOM}/layer.tar"), "\0".repeat(1024));
    sandbox.write(format!("root{CUSTOM}/checksum"), oci::Digest::of([0; 1024]).encoded());
    let conf = json!({
        "architecture": "amd64", "config": {"Cmd": ["x"], "OnBuild": ["y"]}, "os": "linux",
        "store_dir": "/nix/store", "from_image": null, "store_layers": [[LIB], [APP]],
        "customisation_layer": CUSTOM, "repo_tag": "x:1", "created": "1970-01-01T00:00:01+00:00",
        "mtime": "1970-01-01T00:00:01Z", "uid": "0", "gid": "0", "uname": "root", "gname": "root",
    });
    sandbox.write("conf.json", conf.to_string());
    let plan = convert(&sandbox, &["conf.json"]);
    assert_eq!((&plan["name"], &plan["tag"]), (&json!("x"), &json!("1")));
    assert_eq!(plan["layers"][0]["recipe"]["dialect"], "dockertools-1");
    assert_eq!(plan["config"]["config"]["OnBuild"], json!(["y"]));
    let stream =
        ociimg(&sandbox, &["compat", "stream-layered-image", "--store-root", "root", "conf.json"]);
    sandbox.write("stream.tar", stream.output().code(0).stdout_bytes);
    let of_stream = convert(&sandbox, &["stream.tar"]);
    assert_eq!(diff_ids(&of_stream), diff_ids(&plan), "the archive has the same layers");
    let image = convert(&sandbox, &["conf.json", "--format", "nix2container"]);
    assert_ne!(diff_ids(&image)[0], diff_ids(&plan)[0], "by nix2container's rules");
    assert!(image["layers"][2]["layer-path"].as_str().unwrap().ends_with("-custom/layer.tar"));
}

#[test]
fn archives_and_layouts_keep_their_layers() {
    let sandbox = Sandbox::without_programs();
    let graph = store(&sandbox);
    let args: Vec<&str> = graph.iter().map(String::as_str).chain([APP, "--tag", "1"]).collect();
    let plan = crate::plan(build(&sandbox, &args));
    let archive = build(&sandbox, &[&args[..], &["-o", "image.tar"]].concat()).output().code(0);
    assert_eq!(archive.stderr, "");
    write(&sandbox, &["image.tar", "-o", "oci:layout"]);
    for from in ["image.tar", "oci:layout"] {
        let back = convert(&sandbox, &[from]);
        assert_eq!(diff_ids(&back), diff_ids(&plan), "{from}");
        assert_eq!(back["config"], plan["config"], "{from}");
    }
    let image = convert(&sandbox, &["oci:layout", "--format", "nix2container"]);
    let blob = image["layers"][0]["layer-path"].as_str().unwrap();
    assert_eq!(image["layers"][0]["digest"], oci::Digest::of(fs::read(blob).unwrap()).to_string());
    let inside = ociimg(&sandbox, &["convert", "image.tar", "--format", "nix2container"]);
    let inside = inside.output().code(2).stdout("");
    assert!(
        inside.stderr.contains("nix2container has no word for a layer inside of"),
        "{}",
        inside.stderr
    );
}

#[test]
fn what_has_no_word_there_is_refused() {
    let sandbox = Sandbox::without_programs();
    sandbox.write("site/index.html", "hello");
    let output =
        build(&sandbox, &["site", "--format", "nix2container"]).output().code(2).stdout("");
    assert!(output.stderr.contains("which is outside the store"), "{}", output.stderr);
    sandbox.write("text", "text");
    sandbox.write("other.json", "{}");
    for (file, text) in [
        ("text", "is neither an image plan nor an archive"),
        ("other.json", "not an image plan"),
        ("absent", "absent"),
    ] {
        let output = ociimg(&sandbox, &["convert", file]).output().code(2).stdout("");
        assert!(output.stderr.contains(text), "{}", output.stderr);
    }
}
