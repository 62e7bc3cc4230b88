//! `pc ci`: an end, and a code that means something.

use testkit::Sandbox;

use super::{left, pc, prepared};

const SERVICE: &str = "  db: {command: 'sleep 0.1; touch up; echo db is up; sleep 60', environment: [\"DB=here\"], readiness_probe: {exec: {command: test -e up}}}\n";

#[test]
fn a_command_runs_when_all_is_ready_and_answers_its_code() {
    let sandbox = Sandbox::new();
    let file = format!("processes:\n{SERVICE}");
    prepared(
        &sandbox,
        &file,
        &["ci", "db", "--", "sh", "-c", "test -e up && echo DB=$DB $PC_PROC_NAME; exit 5"],
    )
    .output()
    .code(5)
    .stdout("DB=here\n")
    .stderr("");
    assert!(left(&sandbox).is_empty());
}

#[test]
fn a_command_that_is_not_there_is_127() {
    let file = format!("processes:\n{SERVICE}");
    let output = pc(&file, &["ci", "--", "no-such-program"]).code(127).stdout("");
    output.stderr("pc: warning: no-such-program: cannot start `no-such-program`: No such file or directory (os error 2)\n");
}

#[test]
fn without_a_command_it_ends_when_the_tasks_have() {
    let file = format!(
        "processes:\n{SERVICE}  task: {{command: echo task, depends_on: {{db: {{condition: process_healthy}}}}}}\n"
    );
    pc(&file, &["ci"]).code(0).stdout("[db\t] db is up\n[task\t] task\n").stderr("");
}

#[test]
fn a_failure_is_told_with_its_last_lines() {
    let sandbox = Sandbox::new();
    let file = "processes:\n  a: {command: 'echo because; exit 3'}\n  b: {command: echo b, depends_on: {a: {condition: process_completed_successfully}}}\n";
    prepared(&sandbox, file, &["ci", "--junit", "junit.xml"])
        .output()
        .code(1)
        .stdout("[a\t] because\n")
        .stderr(
            "pc: warning: a: failed with exit code 3\n  because\n\
             pc: warning: b: skipped: what it depends on failed\n",
        );
    let report = sandbox.read("junit.xml");
    assert!(report.contains("tests=\"2\" failures=\"2\""), "{report}");
}

#[test]
fn what_is_never_ready_ends_with_its_time() {
    let file = "processes:\n  a: {command: 'echo waiting; sleep 60', ready_log_line: never}\n";
    pc(file, &["ci", "--timeout", "500ms", "--", "true"])
        .code(1)
        .stdout("")
        .stderr("pc: warning: a: not done when the time was over: Running\n  waiting\n");
}
