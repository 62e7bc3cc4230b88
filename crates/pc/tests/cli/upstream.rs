//! The ways of process-compose: its name, its flags, its answers.

use testkit::Sandbox;

use super::in_sandbox;

fn project() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox
        .write("process-compose.yaml", "processes: {a: {command: exit 9}, b: {command: 'true'}}\n");
    sandbox.write("b.yaml", "processes: {c: {command: 'true'}}\n");
    sandbox.link_program("process-compose", env!("CARGO_BIN_EXE_pc"));
    sandbox
}

#[test]
fn a_dry_run_by_that_name_with_flags_anywhere() {
    let sandbox = project();
    let run = |args: &[&str]| sandbox.run("process-compose").args(args).output();
    let two = "Validated 2 configured processes from 2 files.\n";
    for args in [
        &["--dry-run"][..],
        &["up", "--dry-run"],
        &["--dry-run=true", "-t=false", "up"],
        &["-f=process-compose.yaml", "--dry-run", "--", "--tui=false"],
        &["-f", "process-compose.yaml", "-p", "9", "-U", "--keep-project", "up", "--dry-run"],
        &["-tD", "--dry-run"],
    ] {
        run(args).code(0).stdout(two).stderr("");
    }
    run(&["--dry-run", "a"]).code(0).stdout(two).stderr("");
    run(&["--dry-run=maybe"]).code(2).stdout("").stderr(
        "process-compose: invalid value 'maybe' for '--dry-run[=<BOOL>]': must be `true` or `false`\n\nFor more information, try '--help'.\n",
    );
}

#[test]
fn files_come_from_the_environment_too() {
    let sandbox = project();
    let run = sandbox.run(env!("CARGO_BIN_EXE_pc")).args(["config", "--json", "-q"]);
    let output = run.env("PC_CONFIG_FILES", "b.yaml").output().code(0);
    assert!(
        output.stdout.contains("\"c\"") && !output.stdout.contains("\"a\""),
        "{}",
        output.stdout
    );
    sandbox.write(".pc_env", "PC_CONFIG_FILES=b.yaml\n");
    let output = in_sandbox(&sandbox, &["config", "--json", "-q"]).code(0);
    assert!(output.stdout.contains("\"c\""), "{}", output.stdout);
}

#[test]
fn what_does_not_load_is_1() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "process-compose.yaml",
        "bogus: 1\nprocesses: {b: {command: x, depends_on: {zz: {}}}}\n",
    );
    in_sandbox(&sandbox, &["up", "-t=false"]).code(1).stdout("").stderr(
        "pc: warning: process-compose.yaml:1:1: a project has no key `bogus`\n\
         hint: write `x-bogus` for a key of your own\n\
         pc: process-compose.yaml:2:42: `b` depends on `zz`, which is no process of this project\n",
    );
    in_sandbox(&sandbox, &["up", "--dry-run"]).code(1).stdout("").stderr(
        "pc: process-compose.yaml:1:1: a project has no key `bogus`\n\
         hint: write `x-bogus` for a key of your own\n\
         pc: process-compose.yaml:2:42: `b` depends on `zz`, which is no process of this project\n",
    );
}

#[test]
fn a_shell_that_is_not_there() {
    let sandbox = project();
    let run = sandbox.run(env!("CARGO_BIN_EXE_pc")).args(["up", "--dry-run"]);
    run.env("COMPOSE_SHELL", "nosuchshell").output().code(1).stdout("").stderr(
        "pc: the shell `nosuchshell` is not there\nhint: name another by `shell:` or `COMPOSE_SHELL`\n",
    );
}
