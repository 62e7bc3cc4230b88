//! Recorded answers: what Nix itself says about registries. `LIKEWISE_ORACLES` names their folder.

use std::path::{Path, PathBuf};

use testkit::Sandbox;

fn folder() -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "a test asks for its recorded answers")]
    let root = std::env::var_os("LIKEWISE_ORACLES");
    let folder = Path::new(&root.unwrap_or_default()).join("ports");
    let named = "LIKEWISE_ORACLES must name the folder of recorded answers";
    assert!(folder.is_absolute() && folder.is_dir(), "{named}: `{}` is none", folder.display());
    folder
}

#[test]
fn a_registry_has_nix_own_json() {
    let folder = folder().join("seed-registry");
    let wanted: serde_json::Value =
        serde_json::from_str(&fs_err::read_to_string(folder.join("expected.json")).unwrap())
            .unwrap();
    let sandbox = Sandbox::without_programs();
    let output = sandbox
        .run(env!("CARGO_BIN_EXE_ports"))
        .arg("--file")
        .arg(folder.join("ports.nix"))
        .args(["export", "--format", "json"])
        .output()
        .code(0);
    let found: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(found, wanted);
    output.stderr("");
}

#[test]
fn ports_that_are_written_out() {
    let folder = folder();
    let cases = fs_err::read_to_string(folder.join("literals.json")).unwrap();
    let cases: Vec<serde_json::Value> = serde_json::from_str(&cases).unwrap();
    assert!(cases.len() >= 30);
    for case in &cases {
        let sandbox = Sandbox::without_programs();
        let registry = fs_err::read_to_string(folder.join("seed-registry/ports.nix")).unwrap();
        sandbox.write("lib/ports.nix", registry);
        let text = |name: &str| case[name].as_str().unwrap_or_default();
        sandbox.write(text("file"), format!("{}\n", text("text")));
        let lint = |remote: &[&str]| {
            let run = sandbox.run(env!("CARGO_BIN_EXE_ports")).arg("lint").args(remote);
            let output = run.args(["--format", "json", text("file")]).output();
            let report: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
            assert_eq!((output.code == 0, &*output.stderr), (report["errors"] == 0, ""), "{case}");
            let ports =
                report["findings"].as_array().unwrap().iter().map(|one| one["port"].clone());
            serde_json::Value::Array(ports.collect())
        };
        assert_eq!(lint(&["--remote", "--quiet"]), case["expect"], "{case}");
        if !text("note").starts_with("remote host") {
            assert_eq!(lint(&["--quiet"]), case["expect"], "{case}");
        }
    }
}

/// The file of a user's document, as its own registry has it and as another one has.
#[test]
fn annotations_of_a_users_file() {
    let sandbox = Sandbox::without_programs();
    let folder = folder();
    let seed = fs_err::read_to_string(folder.join("../../seeds/001_d0d21410f7500f48.txt")).unwrap();
    let yaml = seed.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let registry = fs_err::read_to_string(folder.join("seed-registry/ports.nix")).unwrap();
    sandbox.write("process-compose.yaml", yaml);
    sandbox.write("lib/ports.nix", &registry);
    let lint = |args: &[&str]| {
        let run = sandbox.run(env!("CARGO_BIN_EXE_ports")).args(["lint", "process-compose.yaml"]);
        run.args(args).output()
    };
    lint(&[]).code(0).stdout("").stderr("");
    sandbox.write("lib/ports.nix", registry.replace("6379", "16379").replace("3000", "80"));
    let found = lint(&[]).code(1);
    assert_eq!(found.stdout.matches(" L003: ").count(), 2, "{}", found.stdout);
    lint(&["--fix-annotations"]).code(0).stderr("");
    let mended = yaml.replace("6379", "16379").replace("3000", "80");
    assert_eq!(sandbox.read("process-compose.yaml"), mended);
    lint(&[]).code(0).stdout("").stderr("");
}

#[test]
fn an_edit_changes_one_line_and_can_be_undone() {
    let text = fs_err::read_to_string(folder().join("seed-registry/ports.nix")).unwrap();
    let sandbox = Sandbox::without_programs();
    sandbox.write("ports.nix", &text);
    let run = |args: &[&str]| {
        sandbox.run(env!("CARGO_BIN_EXE_ports")).arg("-q").args(args).output().code(0)
    };
    let listing = run(&["list", "--json"]);
    let entries: Vec<serde_json::Value> = serde_json::from_str(&listing.stdout).unwrap();
    for entry in &entries {
        let (path, port) = (entry["path"].as_str().unwrap(), entry["port"].as_u64().unwrap());
        let (group, _) = path.rsplit_once('.').unwrap();
        let added = format!("{group}.added");
        let number = run(&["add", &added, "--comment", "new"]).stdout;
        let lines = format!("    added = {}; # new\n", number.trim());
        let after = sandbox.read("ports.nix");
        assert_eq!(after.replace(&lines, ""), text, "{path}");
        assert_eq!(after.len(), text.len() + lines.len(), "{path}");
        run(&["rm", &added]).stdout("").stderr("");
        assert_eq!(sandbox.read("ports.nix"), text, "{path}");
        run(&["set", path, "12345"]).stdout("12345\n").stderr("");
        assert_eq!(run(&["get", path]).stdout, "12345\n");
        run(&["set", path, &port.to_string()]).stdout(&format!("{port}\n")).stderr("");
        assert_eq!(sandbox.read("ports.nix"), text, "{path}");
    }
    assert_eq!(entries.len(), 15);
}
