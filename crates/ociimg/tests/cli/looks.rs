//! The verbs that look: plan --against, inspect, layers, why, diff, verify.

use super::*;

const TOOL: &str = "/nix/store/2123456789abcdfghijklmnpqrsvwxyz-tool-1.5";

/// What is on stdout of a run that ends like this and says nothing else.
fn text(output: testkit::Output, code: i32) -> String {
    let output = output.code(code);
    let text = output.stdout.clone();
    output.stderr("");
    text
}

fn ociimg(sandbox: &Sandbox, args: &[&str]) -> Run {
    sandbox.run(env!("CARGO_BIN_EXE_ociimg")).args(args)
}

/// A store with an application, its library and a tool that the library needs.
fn chain(sandbox: &Sandbox) -> Vec<String> {
    let mut args = store(sandbox);
    sandbox.write(Path::new("root").join(&TOOL[1..]).join("bin/tool"), "tool");
    let hash = |path: &str| {
        nixdata::nar::identify(&sandbox.path("root").join(&path[1..])).unwrap().hash.sri()
    };
    let graph = serde_json::json!([
        {"path": APP, "narHash": hash(APP), "narSize": 300, "references": [LIB]},
        {"path": LIB, "narHash": hash(LIB), "narSize": 100_200, "references": [LIB, TOOL]},
        {"path": TOOL, "narHash": hash(TOOL), "narSize": 100, "references": []},
    ]);
    sandbox.write("graph.json", graph.to_string());
    args.push(APP.to_owned());
    args
}

fn built(sandbox: &Sandbox, extra: &[&str]) {
    let args = chain(sandbox);
    let run = ociimg(sandbox, &["build"]).args(&args).args(extra);
    run.output().code(0).stderr("");
}

#[test]
fn why_prints_the_shortest_chain() {
    let sandbox = Sandbox::without_programs();
    let args = chain(&sandbox);
    for wanted in [TOOL, "tool", "tool-1.5", &format!("{TOOL}/bin/tool")] {
        let run = ociimg(&sandbox, &["why", wanted]).args(&args);
        run.output().code(0).stdout(&format!("{APP}\n  {LIB}\n    {TOOL}\n")).stderr("");
    }
    let run = ociimg(&sandbox, &["why", "app", "--json"]).args(&args);
    let found: Value = serde_json::from_str(&run.output().code(0).stdout).unwrap();
    assert_eq!(found, serde_json::json!([{"path": APP, "chain": [APP], "nar_size": 300}]));
    let run = ociimg(&sandbox, &["why", "openssl"]).args(&args);
    run.output().code(1).stdout("").stderr("`openssl` is not in the image\n");
}

#[test]
fn images_are_inspected_in_every_form() {
    let sandbox = Sandbox::without_programs();
    let config = ["--arch", "amd64", "--name", "api", "--tag", "v1", "--entrypoint", "/bin/app"];
    built(&sandbox, &[&config[..], &["-o", "x.tar"]].concat());
    built(&sandbox, &[&config[..], &["-o", "oci:out"]].concat());
    built(&sandbox, &[&config[..], &["-o", "plan.json"]].concat());
    built(&sandbox, &[&config[..], &["--format", "docker-archive", "-o", "docker.tar"]].concat());
    let json = |image: &str| -> Value {
        let run = ociimg(&sandbox, &["inspect", "--json", "--store-root", "root", image]);
        serde_json::from_str(&run.output().code(0).stdout).unwrap()
    };
    let archive = json("x.tar");
    assert_eq!(archive["platform"], "linux/amd64");
    assert_eq!(archive["config"]["Entrypoint"], serde_json::json!(["/bin/app"]));
    assert_eq!(json("oci:out")["digest"], archive["digest"]);
    for other in ["plan.json", "docker.tar"] {
        assert_eq!(json(other)["config_digest"], archive["config_digest"], "{other}");
    }
    let shown = text(ociimg(&sandbox, &["inspect", "x.tar"]).output(), 0);
    assert!(shown.contains("platform     linux/amd64\n"), "{shown}");
    assert!(shown.contains("Entrypoint   [\"/bin/app\"]\n"), "{shown}");
    let layers = |image: &str| {
        let run = ociimg(&sandbox, &["layers", "--store-root", "root", "--json", image]);
        let all: Value = serde_json::from_str(&run.output().code(0).stdout).unwrap();
        let all = all.as_array().unwrap().iter();
        all.map(|layer| (layer["diff_id"].clone(), layer["paths"].clone())).collect::<Vec<_>>()
    };
    let from_archive = layers("x.tar");
    assert_eq!(from_archive, layers("plan.json"));
    let all = serde_json::to_string(&from_archive.iter().map(|it| &it.1).collect::<Vec<_>>());
    assert!([APP, LIB, TOOL].iter().all(|path| all.as_ref().unwrap().contains(path)));
    // The same from stdin.
    let plan = fs::read(sandbox.path("plan.json")).unwrap();
    let run = ociimg(&sandbox, &["inspect", "-"]).stdin(plan);
    run.output().code(0).stderr("");
    sandbox.write("other.json", "{}");
    for (args, message) in [
        (vec!["inspect", "other.json"], "is JSON, but neither an image plan nor a manifest"),
        (vec!["inspect", "gone.tar"], "there is nothing at"),
        (vec!["inspect", "docker://x"], "images are not read from `docker:`"),
        (vec!["diff", "-", "-"], "stdin can be read once only"),
    ] {
        let output = ociimg(&sandbox, &args).output().code(2);
        assert!(output.stderr.contains(message), "{}", output.stderr);
    }
}

#[test]
fn a_diff_names_config_packages_and_files() {
    let sandbox = Sandbox::without_programs();
    built(&sandbox, &["--arch", "amd64", "--env", "A=1", "-o", "a.tar"]);
    built(&sandbox, &["--arch", "amd64", "--env", "A=1", "-o", "plan.json"]);
    let diff = |args: &[&str]| {
        ociimg(&sandbox, &[&["diff", "--store-root", "root"], args].concat()).output()
    };
    diff(&["a.tar", "plan.json"]).code(0).stdout("").stderr("");
    // A new version of the tool; a file outside the store; another mode.
    let newer = TOOL.replace("2123", "3123").replace("1.5", "1.6");
    let to = sandbox.path("root").join(&newer[1..]);
    fs::rename(sandbox.path("root").join(&TOOL[1..]), to).unwrap();
    let graph = fs::read_to_string(sandbox.path("graph.json")).unwrap().replace(TOOL, &newer);
    sandbox.write("graph.json", graph);
    sandbox.write("site/etc/motd", "hi");
    let args = ["--store-root", "root", "--graph", "graph.json", APP, "site", "--arch", "amd64"];
    let run = ociimg(&sandbox, &["build", "-o", "b.tar", "--env", "A=2"]).args(args);
    run.output().code(0).stderr("");
    let expected_packages = "package ~ tool 1.5 -> 1.6\n";
    diff(&["a.tar", "b.tar", "--packages"]).code(1).stdout(expected_packages).stderr("");
    let found = text(diff(&["a.tar", "b.tar"]), 1);
    assert!(
        found.starts_with(
            "config Env: [\"A=1\"] -> [\"A=2\"]\npackage ~ tool 1.5 -> 1.6\n\
             file + /etc\nfile + /etc/motd\n"
        ),
        "{found}"
    );
    assert!(found.contains(&format!("file - {TOOL}/bin/tool\n")), "{found}");
    let files = diff(&["a.tar", "b.tar", "--files", "--json"]).code(1).stdout;
    let files: Value = serde_json::from_str(&files).unwrap();
    assert_eq!(files["files"][1]["path"], "/etc/motd");
    assert_eq!(files["files"][1]["b"]["size"], 2);
}

#[test]
fn verify_names_the_path_and_the_file() {
    let sandbox = Sandbox::without_programs();
    built(&sandbox, &["-o", "a.tar", "--layers", "per-path"]);
    built(&sandbox, &["-o", "plan.json", "--layers", "per-path"]);
    let verify = |args: &[&str]| {
        ociimg(&sandbox, &[&["verify", "--store-root", "root"], args].concat()).output()
    };
    let good = text(verify(&["a.tar"]), 0);
    assert_eq!(good.matches(" same\n").count(), 3, "{good}");
    assert_eq!(verify(&["plan.json", "--against", "a.tar"]).code(0).stdout, good);
    // Somebody writes into the store.
    sandbox.write(Path::new("root").join(&LIB[1..]).join("lib/lib.so"), "other");
    let bad = text(verify(&["plan.json"]), 1);
    assert!(bad.contains(" differs\n") && bad.contains("has the NAR hash"), "{bad}");
    assert!(bad.contains("lib/lib.so`\n"), "{bad}");
    let bad = verify(&["plan.json", "--against", "a.tar", "--json"]).code(1).stdout;
    let bad: Value = serde_json::from_str(&bad).unwrap();
    let lines = bad["layers"].to_string();
    assert!(lines.contains(&format!("{LIB}: `lib/lib.so`: size")), "{lines}");
    // A layer of the archive is broken.
    let mut bytes = fs::read(sandbox.path("a.tar")).unwrap();
    let at = bytes.windows(3).position(|w| w == [0x1f, 0x8b, 8]).unwrap();
    bytes[at + 9] ^= 1;
    sandbox.write("broken.tar", bytes);
    let bad = verify(&["broken.tar"]).code(1).stdout;
    assert!(bad.contains("the blob has the digest"), "{bad}");
}

#[test]
fn a_plan_says_what_a_push_sends() {
    let sandbox = Sandbox::without_programs();
    built(&sandbox, &["--arch", "amd64", "-o", "a.tar", "--layers", "per-path"]);
    built(&sandbox, &["--arch", "amd64", "-o", "plan.json", "--layers", "per-path"]);
    let plan = |extra: &[&str]| {
        let args = ["plan", "--arch", "amd64", "--layers", "per-path"];
        ociimg(&sandbox, &args).args(chain(&sandbox)).args(extra).output()
    };
    let split = text(plan(&[]), 0);
    assert_eq!(split.lines().count(), 6, "{split}");
    for image in ["a.tar", "plan.json"] {
        let same = text(plan(&["--against", image]), 0);
        assert!(same.ends_with("this push sends 0 B in 0 blobs\n"), "{same}");
    }
    sandbox.write(Path::new("root").join(&LIB[1..]).join("lib/more"), vec![7; 100_000]);
    let json: Value =
        serde_json::from_str(&plan(&["--against", "a.tar", "--json"]).stdout).unwrap();
    let sends: Vec<_> = json["layers"].as_array().unwrap().iter().map(|l| &l["sends"]).collect();
    assert_eq!(sends, [false, true, false]);
    assert_eq!(json["push"]["blobs"], 2, "the layer and the config");
    assert_eq!(json["push"]["costliest"]["path"], LIB);
    let found = text(plan(&["--against", "plan.json"]), 0);
    assert!(found.contains("; lib alone costs "), "{found}");
}
