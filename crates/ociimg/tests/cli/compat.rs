//! Standing in for nix2container's program and dockerTools' script.

use std::os::unix::fs::symlink;

use fs_err as fs;
use serde_json::{Value, json};
use testkit::Sandbox;

use crate::{APP, LIB, ociimg, store};

fn n2c(sandbox: &Sandbox, args: &[&str]) -> testkit::Run {
    let before = ["compat", "nix2container", "--store-root", "root"];
    ociimg(sandbox, &[&before[..], args].concat())
}

fn document(sandbox: &Sandbox, name: &str) -> (String, Value) {
    let text = fs::read_to_string(sandbox.path(name)).unwrap();
    let value = serde_json::from_str(&text).unwrap();
    (text, value)
}

#[test]
fn a_job_of_nix2container_runs_from_graph_to_image() {
    let sandbox = Sandbox::without_programs();
    store(&sandbox);
    let layers =
        ["layers-from-reproducible-storepaths", "layers.json", "graph.json", "--max-layers", "2"];
    n2c(&sandbox, &layers).output().code(0).stdout("").stderr("");
    let (text, layers) = document(&sandbox, "layers.json");
    assert!(
        text.starts_with("[\n\t{\n\t\t\"digest\": \"sha256:") && text.ends_with("\n]"),
        "{text}"
    );
    assert_eq!(layers[0]["paths"][0]["path"], LIB);
    assert_eq!(layers[1]["paths"][0]["path"], APP);
    sandbox.write("config.json", r#"{"entrypoint": ["/bin/app"], "Healthcheck": {}}"#);
    let image =
        ["image", "image.json", "config.json", "layers.json", "layers.json", "--arch", "amd64"];
    n2c(&sandbox, &image).output().code(0).stdout("").stderr("");
    let (text, image) = document(&sandbox, "image.json");
    assert_eq!(image["layers"].as_array().unwrap().len(), 2, "each layer once");
    assert_eq!(image["created"], "0001-01-01T00:00:00Z");
    assert!(!text.contains("Healthcheck"), "as there");
    let above = ["layers-from-reproducible-storepaths", "above.json", "graph.json", "layers.json"];
    n2c(&sandbox, &above).output().code(0).stdout("").stderr("");
    assert_eq!(document(&sandbox, "above.json").0, "null", "everything is below already");
}

#[test]
fn layers_that_are_not_reproducible_are_written_down() {
    let sandbox = Sandbox::without_programs();
    store(&sandbox);
    fs::create_dir(sandbox.path("tars")).unwrap();
    let args = ["layers-from-non-reproducible-storepaths", "layers.json", "graph.json"];
    n2c(&sandbox, &[&args[..], &["--tar-directory", "tars"]].concat()).output().code(0).stderr("");
    let (_, layers) = document(&sandbox, "layers.json");
    let tar = layers[0]["layer-path"].as_str().unwrap();
    let bytes = fs::read(sandbox.path(tar)).unwrap();
    assert_eq!(layers[0]["digest"], oci::Digest::of(bytes).to_string());
}

#[test]
fn the_name_of_the_program_is_enough() {
    let sandbox = Sandbox::without_programs();
    store(&sandbox);
    symlink(env!("CARGO_BIN_EXE_ociimg"), sandbox.path("nix2container")).unwrap();
    let run = sandbox.run(sandbox.path("nix2container"));
    let output = run.args(["layers-from-reproducible-storepaths"]).output().code(2).stdout("");
    assert!(output.stderr.contains("<OUTPUT>"), "{}", output.stderr);
    symlink(env!("CARGO_BIN_EXE_ociimg"), sandbox.path("stream_layered_image")).unwrap();
    let run = sandbox.run(sandbox.path("stream_layered_image")).args(["absent.json"]);
    let output = run.output().code(2).stdout("");
    assert!(output.stderr.contains("cannot read `absent.json`"), "{}", output.stderr);
}

#[test]
fn a_conf_becomes_an_archive_that_docker_reads() {
    let sandbox = Sandbox::without_programs();
    store(&sandbox);
    let custom = "root/nix/store/22222222222222222222222222222222-custom";
    sandbox.write(format!("{custom}/layer.tar"), "\0".repeat(1024));
    sandbox.write(format!("{custom}/checksum"), oci::Digest::of([0; 1024]).encoded());
    let conf = json!({
        "architecture": "amd64", "config": {"Healthcheck": {"Test": ["NONE"]}}, "os": "linux",
        "store_dir": "/nix/store", "from_image": null, "store_layers": [[LIB], [APP]],
        "customisation_layer": &custom[4..], "repo_tag": "x:1", "created": "1970-01-01T00:00:01Z",
        "mtime": "1970-01-01T00:00:01Z", "uid": "0", "gid": "0", "uname": "root", "gname": "root",
    });
    sandbox.write("conf.json", conf.to_string());
    let stream = ["compat", "stream-layered-image", "--store-root", "root", "conf.json"];
    let run = |more: &[&str]| {
        let output = ociimg(&sandbox, &[&stream[..], more].concat()).output().code(0);
        assert_eq!(output.stderr, "");
        output.stdout_bytes
    };
    let archive = run(&[]);
    assert!(archive.len().is_multiple_of(10_240));
    assert!(archive.windows(11).any(|window| window == b"Healthcheck"));
    let renamed = run(&["--repo_tag", "other:2"]);
    assert!(renamed.windows(7).any(|window| window == b"other:2"));
}

#[test]
fn what_cannot_be_used_is_named_and_nothing_is_left_behind() {
    let sandbox = Sandbox::without_programs();
    store(&sandbox);
    sandbox.write("text", "text");
    sandbox.write(
        "circle",
        json!([{"path": "/a", "references": ["/b"]}, {"path": "/b", "references": ["/a"]}])
            .to_string(),
    );
    sandbox.write("absent", json!([{"path": "/nix/store/absent", "references": []}]).to_string());
    let verb = "layers-from-reproducible-storepaths";
    for (args, text) in [
        (vec![verb, "out.json", "text"], "`text`: this is not a closure's graph"),
        (vec![verb, "out.json", "circle"], "in a circle: /a -> /b -> /a"),
        (vec![verb, "out.json", "absent"], "is not on this machine"),
        (vec![verb, "out.json", "graph.json", "text"], "this is not a list of layers"),
        (vec![verb, "no/out.json", "graph.json"], "cannot write"),
        (vec!["image", "out.json", "text", "text"], "this is not a"),
        (vec!["image-from-dir", "out.json", "root"], "cannot read the image"),
        (vec!["image-from-manifest", "out.json", "text", "text"], "this is not a map of blobs"),
    ] {
        let output = n2c(&sandbox, &args).output().code(2).stdout("");
        assert!(output.stderr.contains(text), "{args:?}: {}", output.stderr);
        assert!(!sandbox.path("out.json").exists(), "{args:?}");
    }
}
