//! Recorded answers: the commands of `guard/commands.json`, each to be allowed or blocked.

use std::path::PathBuf;

use serde_json::Value;
use testkit::Sandbox;

#[test]
#[expect(clippy::disallowed_methods, reason = "the environment says where the answers are")]
fn every_recorded_command_is_judged_right() {
    let root = std::env::var_os("LIKEWISE_ORACLES")
        .expect("set LIKEWISE_ORACLES to the folder of recorded answers");
    let path = PathBuf::from(root).join("guard/commands.json");
    let cases: Vec<Value> = serde_json::from_slice(&fs_err::read(&path).unwrap()).unwrap();
    let sandbox = Sandbox::new();
    let mut wrong = Vec::new();
    for case in &cases {
        let text = |key: &str| case[key].as_str().unwrap_or_else(|| panic!("no `{key}` in {case}"));
        let command = text("command");
        let expected = i32::from(text("expect") != "allow");
        let guard = || sandbox.run(env!("CARGO_BIN_EXE_guard"));
        let judged = guard().args(["command", "--", command]).output();
        let call =
            serde_json::json!({"tool_name": text("tool"), "tool_input": {"command": command}});
        let hooked = guard().arg("hook").stdin(call.to_string()).output();
        if (judged.code, hooked.code) != (expected, 2 * expected) {
            wrong.push(format!("{}: {command}", text("name")));
        }
    }
    assert!(
        !cases.is_empty() && wrong.is_empty(),
        "{} of {}: {wrong:#?}",
        wrong.len(),
        cases.len()
    );
}
