//! The tool as its users see it: arguments, stdout, stderr, exit code.
#![expect(clippy::unwrap_used, reason = "a test may end where its ground fails")]

mod compat;
mod convert;
mod looks;
mod outputs;
mod spec;
mod splits;

use std::path::Path;

use fs_err as fs;
use serde_json::Value;
use testkit::{Run, Sandbox};

const APP: &str = "/nix/store/00000000000000000000000000000000-app-1.0";
const LIB: &str = "/nix/store/11111111111111111111111111111111-lib-2.0";

fn ociimg(sandbox: &Sandbox, args: &[&str]) -> Run {
    sandbox.run(env!("CARGO_BIN_EXE_ociimg")).args(args)
}

/// A build with everything that could differ between machines given.
fn build(sandbox: &Sandbox, args: &[&str]) -> Run {
    ociimg(sandbox, &["build", "--arch", "amd64"]).args(args)
}

fn plan(run: Run) -> Value {
    let output = run.output().code(0);
    let plan = serde_json::from_str(&output.stdout).unwrap();
    output.stderr("");
    plan
}

fn layers(plan: &Value) -> Vec<Vec<&str>> {
    let paths = |layer: &'_ Value| -> Vec<String> {
        let paths = layer["recipe"]["paths"].as_array().unwrap().iter();
        paths.map(|path| path["path"].as_str().unwrap().to_owned()).collect()
    };
    let layers = plan["layers"].as_array().unwrap().iter();
    layers.map(paths).map(|paths| paths.into_iter().map(|path| leak(&path)).collect()).collect()
}

/// The store path's constant, so that lists of them compare with `==`.
fn leak(path: &str) -> &'static str {
    [APP, LIB].into_iter().find(|known| *known == path).unwrap_or("other")
}

/// A store below the working directory, and a graph file that knows it.
fn store(sandbox: &Sandbox) -> Vec<String> {
    for (path, file) in [(APP, "bin/app"), (LIB, "lib/lib.so")] {
        sandbox.write(Path::new("root").join(&path[1..]).join(file), path);
    }
    let hash = |path: &str| {
        let on_disk = sandbox.path("root").join(&path[1..]);
        nixdata::nar::identify(&on_disk).unwrap().hash.sri()
    };
    let graph = serde_json::json!([
        {"path": APP, "narHash": hash(APP), "narSize": 2, "references": [LIB]},
        {"path": LIB, "narHash": hash(LIB), "narSize": 1, "references": [LIB]},
    ]);
    sandbox.write("graph.json", graph.to_string());
    ["--store-root", "root", "--graph", "graph.json"].map(str::to_owned).to_vec()
}

#[test]
fn a_directory_becomes_a_plan_without_any_nix() {
    let sandbox = Sandbox::without_programs();
    sandbox.write("My Site/index.html", "hello");
    sandbox.write("conf", "x = 1");
    let plan = plan(build(
        &sandbox,
        &[
            "My Site",
            "--copy",
            "conf:/etc/site.conf",
            "--entrypoint",
            "/bin/serve",
            "--entrypoint",
            "--fast",
            "--cmd",
            "--port",
            "--cmd",
            "80",
            "--env",
            "A=1",
            "--env",
            "B=x=y",
            "--env",
            "A=2",
            "--expose",
            "80",
            "--expose",
            "53/udp",
            "--user",
            "1000:1000",
            "--workdir",
            "/srv",
            "--volume",
            "/data",
            "--label",
            "l=v",
            "--stop-signal",
            "SIGINT",
            "--annotation",
            "org.example=yes",
        ],
    ));
    assert_eq!(plan["name"], "my-site");
    assert_eq!(plan["annotations"], serde_json::json!({"org.example": "yes"}));
    let expected = serde_json::json!({
        "User": "1000:1000",
        "ExposedPorts": {"53/udp": {}, "80/tcp": {}},
        "Env": ["A=2", "B=x=y"],
        "Entrypoint": ["/bin/serve", "--fast"],
        "Cmd": ["--port", "80"],
        "Volumes": {"/data": {}},
        "WorkingDir": "/srv",
        "Labels": {"l": "v"},
        "StopSignal": "SIGINT",
    });
    assert_eq!(plan["config"]["config"], expected);
    assert_eq!(plan["config"]["created"], "1970-01-01T00:00:01Z");
    // Pinned: what is in the files, their names and nothing else makes the digest.
    let diff_id = "sha256:680315f5742417b9b536e99606a22c862b7c75f1938a5acea98d51b3b74f4c08";
    assert_eq!(plan["layers"][0]["diff_id"], diff_id);
}

#[test]
fn the_same_files_make_the_same_layers_under_any_umask() {
    let (one, two) = (Sandbox::without_programs(), Sandbox::without_programs());
    one.write("app/run", "#!/bin/sh\n");
    two.write("app/run", "#!/bin/sh\n");
    let mode = |path: &str, mode: u32| {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(two.path(path), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode("app/run", 0o600);
    mode("app", 0o700);
    let one = plan(build(&one, &["app"]));
    let two = plan(build(&two, &["app"]));
    assert_eq!(one["layers"][0]["diff_id"], two["layers"][0]["diff_id"]);
    assert_eq!(one["layers"][0]["recipe_key"], two["layers"][0]["recipe_key"]);
    assert_eq!(one["tag"], two["tag"]);
}

#[test]
fn store_paths_bring_their_closure_dependencies_first() {
    let sandbox = Sandbox::without_programs();
    let store = store(&sandbox);
    let store: Vec<&str> = store.iter().map(String::as_str).collect();
    let with = |more: &[&str]| plan(build(&sandbox, &store).args(more));

    let by_default = with(&[APP]);
    assert_eq!(by_default["name"], "app");
    assert_eq!(layers(&by_default), [[LIB], [APP]]);
    assert_eq!(layers(&with(&[APP, "--layers", "single"])), [[LIB, APP]]);
    assert_eq!(layers(&with(&[APP, LIB, "--layers", "roots-last"])), [[LIB, APP]]);
    assert_eq!(layers(&with(&[APP, "--layers", "per-path"])), [[LIB], [APP]]);
    assert_eq!(layers(&with(&[APP, "--layers", "per-path", "--max-layers", "1"])), [[LIB, APP]]);

    let at_root = with(&["--copy-to-root", APP]);
    assert_eq!(at_root["layers"][1]["recipe"]["paths"][0]["to"], "/");
}

#[test]
fn a_result_link_is_built_when_nothing_is_named() {
    let sandbox = Sandbox::without_programs();
    let store = store(&sandbox);
    let store: Vec<&str> = store.iter().map(String::as_str).collect();
    build(&sandbox, &store).output().code(2).stdout("").stderr(
        "ociimg: no PATH was given, and there is no `./result`\n\
         hint: run `nix build` first, or name what belongs into the image\n",
    );
    std::os::unix::fs::symlink(APP, sandbox.path("result")).unwrap();
    assert_eq!(layers(&plan(build(&sandbox, &store))), [[LIB], [APP]]);
}

#[test]
fn a_config_file_is_the_base_and_unknown_keys_survive() {
    let sandbox = Sandbox::without_programs();
    sandbox.write("app/run", "");
    let config = r#"{"entrypoint": ["/a"], "Cmd": ["x"], "Healthcheck": {"Test": ["NONE"]}, "Env": ["A=1"]}"#;
    sandbox.write("config.json", config);
    let args = ["app", "--config", "config.json", "--cmd", "y", "--env", "A=2"];
    let expected = serde_json::json!({
        "Env": ["A=2"], "Entrypoint": ["/a"], "Cmd": ["y"], "Healthcheck": {"Test": ["NONE"]},
    });
    assert_eq!(plan(build(&sandbox, &args))["config"]["config"], expected);

    sandbox.write("config.json", r#"{"Cmd": "x"}"#);
    build(&sandbox, &args).output().code(2).stdout("").stderr(
        "ociimg: cannot understand the config `config.json`: invalid type: string \"x\", expected a sequence\n",
    );
}

#[test]
fn closures_come_from_nix_where_no_graph_is_given() {
    let sandbox = Sandbox::new();
    sandbox.program(
        "nix",
        &format!(r#"echo '[{{"path":"{APP}","references":[]}}]'; [ "${{5}}" = "{APP}" ] || echo "$@" >&2"#),
    );
    sandbox.write(Path::new("root").join(&APP[1..]).join("bin/app"), "x");
    let plan = build(&sandbox, &[APP, "--store-root", "root", "-v"]).output().code(0);
    assert!(plan.stderr.starts_with("$ nix "), "{}", plan.stderr);
    let without = Sandbox::without_programs();
    build(&without, &[APP]).output().code(2).stdout("").stderr(
        "ociimg: cannot find the closure: [..]`nix`[..]\n\
         hint: install Nix, or give the closure by `--graph FILE`; directories outside the store need neither\n",
    );
}

#[test]
fn what_cannot_be_built_is_named() {
    let sandbox = Sandbox::without_programs();
    let store = store(&sandbox);
    let store: Vec<&str> = store.iter().map(String::as_str).collect();
    let fails = |args: &[&str], stderr: &str| {
        build(&sandbox, args).output().code(2).stdout("").stderr(stderr);
    };
    fails(&["gone"], "ociimg: cannot look at `gone`: [..]No such file or directory[..]\n");

    let absent = "/nix/store/22222222222222222222222222222222-absent";
    fails(
        &[store.as_slice(), &[absent]].concat(),
        "ociimg: the graph `graph.json` does not hold `/nix/store/22222222222222222222222222222222-absent`\n\
         hint: make the graph with this path as a root, or leave `--graph` out to ask nix\n",
    );

    fs::remove_dir_all(sandbox.path("root").join(&LIB[1..])).unwrap();
    fails(
        &[store.as_slice(), &[APP]].concat(),
        &format!(
            "ociimg: store path `{}{LIB}` is not on this machine\n\
             hint: build it first, or run this where the store has it\n",
            sandbox.path("root").display()
        ),
    );

    sandbox.write("tree/file", "");
    mkfifo(&sandbox.path("tree/pipe"));
    fails(
        &["tree"],
        "ociimg: `[..]tree/pipe` is a FIFO, which an image cannot hold\n\
         hint: remove it, or leave its directory out\n",
    );

    sandbox.write("bad.json", "{\"a\": ");
    fails(&["--graph", "bad.json", APP], "ociimg: cannot understand the graph `bad.json`: [..]\n");
    fails(
        &["--copy-to-root", "tree"],
        "ociimg: `tree` is not in a store, so it has no closure to bring along\n\
         hint: use `--copy SRC:/` for a directory outside the store\n",
    );
    fails(
        &["--copy", &format!("{APP}:/app")],
        &format!(
            "ociimg: `{APP}` is in a store\n\
             hint: name it as PATH or by `--copy-to-root`, so that its closure comes along\n"
        ),
    );
    fs::remove_file(sandbox.path("tree/pipe")).unwrap();
    fails(
        &["tree", "--name", "Upper"],
        "ociimg: the image cannot be named `Upper`: [..]\nhint: give another one by `--name` and `--tag`\n",
    );
    fails(
        &["tree", "--name", "a:b"],
        "ociimg: the name `a:b` holds a tag or a digest\n\
         hint: give the tag by `--tag`; a digest follows from the image\n",
    );
}

#[test]
fn operands_that_want_the_same_name_must_agree() {
    let sandbox = Sandbox::without_programs();
    sandbox.write("one/etc/conf", "same");
    sandbox.write("two/etc/conf", "same");
    sandbox.write("two/bin/run", "");
    assert_eq!(plan(build(&sandbox, &["one", "two"]))["layers"].as_array().unwrap().len(), 1);
    sandbox.write("two/etc/conf", "else");
    build(&sandbox, &["one", "two"]).output().code(2).stdout("").stderr(
        "ociimg: `[..]/one/etc/conf` and `[..]/two/etc/conf` both make `/etc/conf`, but they hold other contents\n",
    );
}

#[test]
fn usage_errors_say_what_is_wanted() {
    let sandbox = Sandbox::without_programs();
    for (args, words) in [
        (["build", "--env", "X"], "it must be NAME=VALUE"),
        (["build", "--expose", "0"], "it must be 1 to 65535"),
        (["build", "--copy", "a:b"], "it must be SRC:DEST"),
        (["build", "--created", "now"], "is not a time like"),
        (["build", "--max-layers", "0"], "0 is not in 1..=127"),
    ] {
        let output = ociimg(&sandbox, &args).output().code(2).stdout("");
        assert!(output.stderr.contains(words), "{args:?}: {}", output.stderr);
    }
    let help = ociimg(&sandbox, &["build", "--help"]).output().code(0);
    assert!(help.stdout.contains("Usage: ociimg build"), "{}", help.stdout);
    help.stderr("");
}

#[test]
fn a_closed_or_full_stdout_is_what_it_is() {
    let sandbox = Sandbox::new();
    sandbox.write("app/run", "");
    let binary = env!("CARGO_BIN_EXE_ociimg");
    let closed = format!("{binary} build app | true; echo ${{PIPESTATUS[0]}}");
    sandbox.bash(&closed).output().code(0).stdout("0\n").stderr("");
    sandbox
        .bash(&format!("{binary} build app > /dev/full"))
        .output()
        .code(2)
        .stdout("")
        .stderr("ociimg: failed to write to stdout: No space left on device (os error 28)\n");
}

fn mkfifo(path: &Path) {
    rustix::fs::mknodat(
        rustix::fs::CWD,
        path,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
}
