//! `pc check`.

use testkit::Sandbox;

use super::{in_sandbox, pc};

#[test]
fn what_is_no_yaml_is_told_with_its_place() {
    pc("processes:\n  a: {command: x}\n  a: {command: y}\n", &["check"])
        .code(1)
        .stdout("process-compose.yaml:3:3: yaml: the key `a` is here twice\n")
        .stderr("");
}

#[test]
fn a_project_that_is_not_there() {
    let sandbox = Sandbox::new();
    let work = sandbox.work().display().to_string();
    in_sandbox(&sandbox, &["check"]).code(2).stdout("").stderr(&format!(
        "pc: there is no process-compose.yaml in `{work}`\n\
         hint: name the file by `-f`, or write a process-compose.yaml\n"
    ));
}
