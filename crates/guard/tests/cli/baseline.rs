//! The baseline: what is there is tolerated, what is new is refused.

use std::os::unix::fs::PermissionsExt as _;

use testkit::Sandbox;

use crate::guard;

const KEPT: &str = "\
# Findings that guard tolerates until someone ends them; new ones are refused.
# Written by `guard baseline --write`: run it again when it gets shorter.

[[tolerated]]
file = \"Dockerfile\"
rule = \"dockerfile\"
text = \"Dockerfile\"

[[tolerated]]
file = \"a.sh\"
rule = \"docker-build\"
text = \"\"\"docker build -t 'x\"y' .\"\"\"
count = 2
";

fn repository() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("Dockerfile", "FROM x\n");
    sandbox
        .write("a.sh", "docker build -t \"'x\\\"y'\" .\ntrue\n  docker build -t \"'x\\\"y'\" .\n");
    sandbox.git().commit_all("all");
    sandbox
}

#[test]
fn it_is_printed_or_written() {
    let sandbox = repository();
    guard(&sandbox, ["baseline"]).output().code(0).stdout(KEPT).stderr("");
    assert!(!sandbox.path("guard-baseline.toml").exists());
    guard(&sandbox, ["baseline", "--write"])
        .output()
        .code(0)
        .stdout("")
        .stderr("guard-baseline.toml: 3 findings tolerated\n");
    assert_eq!(sandbox.read("guard-baseline.toml"), KEPT);
    let mode = fs_err::metadata(sandbox.path("guard-baseline.toml")).unwrap().permissions().mode();
    assert_eq!(mode & 0o444, 0o444);
    guard(&sandbox, ["files", "--all"]).output().code(0).stdout("").stderr("");
    // What is tolerated stays in it.
    guard(&sandbox, ["baseline"]).output().code(0).stdout(KEPT).stderr("");
}

#[test]
fn lines_may_move_and_no_more_may_come() {
    let sandbox = repository();
    drop(guard(&sandbox, ["baseline", "--write"]).output().code(0));
    let line = "docker build -t \"'x\\\"y'\" .\n";
    sandbox.write("a.sh", format!("\n\n{line}if true; then {line}fi\n"));
    guard(&sandbox, ["files", "a.sh"]).output().code(0).stdout("").stderr("");
    sandbox.write("a.sh", line.repeat(3));
    let output = guard(&sandbox, ["files", "a.sh"]).output().code(1);
    assert!(output.stdout.starts_with("a.sh:3:1: deny docker-build: "), "{}", output.stdout);
    sandbox.write("b.sh", line);
    assert_eq!(guard(&sandbox, ["files", "b.sh"]).output().code, 1);
}

#[test]
fn what_is_gone_is_told() {
    let sandbox = repository();
    drop(guard(&sandbox, ["baseline", "--write"]).output().code(0));
    sandbox.write("a.sh", "docker build -t \"'x\\\"y'\" .\n");
    guard(&sandbox, ["files", "--all"])
        .output()
        .code(0)
        .stdout("")
        .stderr("guard: note: 1 of 3 tolerated findings are gone: run `guard baseline --write`\n");
}

#[test]
fn it_is_written_only_when_everything_was_judged() {
    let sandbox = repository();
    sandbox.write("package.json", "{");
    sandbox.git().commit_all("broken");
    let output = guard(&sandbox, ["baseline", "--write"]).output().code(2);
    assert!(
        output.stderr.contains("failed to judge 1 of the files: the baseline is not written"),
        "{}",
        output.stderr
    );
    assert!(!sandbox.path("guard-baseline.toml").exists());
}

#[test]
fn one_that_is_broken_is_an_error() {
    let sandbox = repository();
    let path = sandbox.write("guard-baseline.toml", "[[tolerated]]\nfile = 'x'\nrul = 'y'\n");
    guard(&sandbox, ["files", "a.sh"]).output().code(2).stdout("").stderr(&format!(
        "guard: `{}` is no baseline: 3:1: unknown field `rul`, expected one of `file`, `rule`, `text`, `count`\n",
        path.display()
    ));
}
