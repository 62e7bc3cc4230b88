//! guard.toml: found, followed, and refused when it is not understood.

use testkit::Sandbox;

use crate::{guard, verdicts};

const OWN: &str = "[[rule]]\nid = 'make-deploy'\ncommand = ['make', 'deploy']\nlevel = 'warn'\nmessage = 'the pipeline deploys'\n";

#[test]
fn the_default_is_printed_and_is_what_holds() {
    let sandbox = Sandbox::new();
    let printed = guard(&sandbox, ["default"]).output().code(0);
    sandbox.write("guard.toml", &printed.stdout);
    for text in ["docker build .", "npm run dev", "touch Dockerfile", "echo"] {
        let with_file = guard(&sandbox, ["command", "--", text]).output();
        let elsewhere = guard(&sandbox, ["command", "--", text]).dir(sandbox.home()).output();
        assert_eq!(
            (with_file.code, &with_file.stdout),
            (elsewhere.code, &elsewhere.stdout),
            "{text}"
        );
    }
}

#[test]
fn a_file_of_ones_own_is_the_whole_policy() {
    let sandbox = Sandbox::new();
    sandbox.write("guard.toml", OWN);
    guard(&sandbox, ["command", "--", "make -C x deploy; make deploy; docker build ."])
        .output()
        .code(0)
        .stdout("1:19: warn make-deploy: `make deploy`: the pipeline deploys\n")
        .stderr("");
}

#[test]
fn extending_keeps_the_built_in_rules() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "guard.toml",
        format!("extends = 'default'\n{OWN}[[rule]]\nid = 'dev-server'\nlevel = 'warn'\n[[rule]]\nid = 'docker-build'\nlevel = 'off'\n"),
    );
    let run = |text: &str| {
        let output = guard(&sandbox, ["command", "--", text]).output();
        (output.code, verdicts(&output.stdout))
    };
    assert_eq!(run("npm run dev; docker build ."), (0, vec!["warn dev-server".to_owned()]));
    assert_eq!(run("touch Dockerfile"), (1, vec!["deny dockerfile".to_owned()]));
    assert_eq!(run("make deploy"), (0, vec!["warn make-deploy".to_owned()]));
}

#[test]
fn it_is_looked_for_up_to_the_root_of_the_repository() {
    let sandbox = Sandbox::new();
    sandbox.write("guard.toml", OWN);
    sandbox.write("a/b/x", "");
    sandbox.write("repo/c/x", "");
    sandbox.write("repo/.git", "gitdir: elsewhere\n");
    let code = |folder: &str| {
        guard(&sandbox, ["command", "--", "docker build ."]).dir(sandbox.path(folder)).output().code
    };
    assert_eq!(code("a/b"), 0);
    assert_eq!(code("repo/c"), 1);
    let named =
        guard(&sandbox, ["--config", "../../guard.toml", "command", "--", "docker build ."]);
    assert_eq!(named.dir(sandbox.path("repo/c")).output().code, 0);
}

#[test]
fn a_mistake_is_shown_with_its_place() {
    let sandbox = Sandbox::new();
    let path =
        sandbox.write("guard.toml", "extends = 'default'\n[[rule]]\nid = 'x'\nfile = ['y']\n");
    guard(&sandbox, ["command", "--", "true"]).output().code(2).stdout("").stderr(&format!(
        "guard: {}:4:1: unknown key `file`\nhint: did you mean `files`?\n",
        path.display()
    ));
    sandbox.write("guard.toml", "exclude = ['x']\n");
    guard(&sandbox, ["files", "x"]).output().code(2).stdout("").stderr(&format!(
        "guard: {}:1:1: there is no rule in it\nhint: to keep the built-in ones, say `extends = \"default\"`\n",
        path.display()
    ));
    let missing = guard(&sandbox, ["--config", "no.toml", "command", "--", "true"]).output();
    assert_eq!((missing.code, missing.stderr.contains("no.toml")), (2, true), "{}", missing.stderr);
}

#[test]
fn exceptions_and_exclusions() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "guard.toml",
        "extends = 'default'\nexclude = ['legacy/**']\n[[rule]]\nid = 'dockerfile'\nexcept = ['deploy/Dockerfile', 'ci.Dockerfile']\n",
    );
    let code = |file: &str| {
        let text = format!("touch {file}");
        guard(&sandbox, ["command", "--", &text]).output().code
    };
    for file in [
        "deploy/Dockerfile",
        "./deploy/Dockerfile",
        "x/../deploy/Dockerfile",
        "a/ci.Dockerfile",
        "legacy/a/Dockerfile",
    ] {
        assert_eq!(code(file), 0, "{file}");
    }
    for file in ["Dockerfile", "a/deploy/Dockerfile", "legacy.Dockerfile"] {
        assert_eq!(code(file), 1, "{file}");
    }
}
