//! Files that are no text, and texts that are meant to be slow.

use std::time::Duration;

use testkit::Sandbox;

use crate::guard;

#[test]
fn a_large_file_that_is_no_script_may_be_committed() {
    let sandbox = Sandbox::new();
    let git = sandbox.git();
    sandbox.write("data", vec![b'x'; 5 << 20]);
    sandbox.write("Dockerfile", vec![b'x'; 5 << 20]);
    drop(git.ok(["add", "data"]));
    guard(&sandbox, ["files", "--staged"]).output().code(0).stdout("").stderr("");
    drop(git.ok(["add", "Dockerfile"]));
    for which in ["--staged", "--all"] {
        let output = guard(&sandbox, ["files", which]).output().code(1);
        assert!(output.stdout.starts_with("Dockerfile: deny dockerfile"), "{}", output.stdout);
        output.stderr("1 refused: 2 files judged\n");
    }
    // One that says it is a script is too large to be judged.
    sandbox.write("data", [&b"#!"[..], &vec![b'x'; 5 << 20]].concat());
    drop(git.ok(["add", "data"]));
    drop(guard(&sandbox, ["files", "--staged"]).output().code(2));
}

#[test]
fn a_fifo_is_not_waited_for() {
    let sandbox = Sandbox::new();
    drop(sandbox.bash("mkfifo compose.yaml && touch Dockerfile").output().code(0));
    let judged = guard(&sandbox, ["files", "compose.yaml"]).timeout(Duration::from_secs(20));
    assert_eq!(judged.output().code, 1);
    let written =
        guard(&sandbox, ["command", "touch compose.yaml"]).timeout(Duration::from_secs(20));
    assert_eq!(written.output().code, 1);
}

#[test]
fn time_is_linear() {
    let sandbox = Sandbox::new();
    let run =
        |text: String| guard(&sandbox, ["command"]).stdin(text).timeout(Duration::from_secs(20));
    // So many wrappers are not taken off, and that is said.
    for (text, code) in [("time ", 2), ("time -p -p ", 2), ("a | ", 0), ("echo x | sh | ", 0)] {
        let output = run(text.repeat(60_000)).output();
        assert_eq!(output.code, code, "{text}");
    }
    let hunks =
        format!("*** Begin Patch\n*** Update File: a.sh\n{}", "@@\n-y\n+x\n".repeat(100_000));
    let call = serde_json::json!({"tool_name": "apply_patch", "tool_input": {"input": hunks}});
    let hook = guard(&sandbox, ["hook"]).stdin(call.to_string()).timeout(Duration::from_secs(20));
    hook.output().code(0).stdout("").stderr("");
}
