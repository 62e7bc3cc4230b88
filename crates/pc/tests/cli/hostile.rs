//! Files that mean harm, and files that are no files.

use std::fmt::Write as _;

use testkit::Sandbox;

use super::{in_sandbox, pc};

#[test]
fn bombs_are_refused_with_their_place() {
    let mut aliases = String::from("a0: &a0 [x]\n");
    for n in 1..30 {
        let row = vec![format!("*a{}", n - 1); 10].join(",");
        writeln!(aliases, "a{n}: &a{n} [{row}]").unwrap();
    }
    pc(&aliases, &["check"])
        .code(1)
        .stdout("process-compose.yaml:[..]: yaml: more than 200000 values, aliases included\n")
        .stderr("");
    let deep = format!("a: {}{}", "[".repeat(100_000), "]".repeat(100_000));
    pc(&deep, &["check"]).code(1).stdout("process-compose.yaml:1:[..]: yaml: [..]\n").stderr("");
}

#[test]
fn a_file_of_ten_megabytes_is_not_read() {
    let file = format!("# {}\n", "x".repeat(10 << 20));
    pc(&file, &["check"]).code(2).stdout("").stderr(
        "pc: cannot read the project: `[..]process-compose.yaml` is larger than 4194304 bytes\n",
    );
}

#[test]
fn files_that_cannot_be_read() {
    let sandbox = Sandbox::new();
    let work = sandbox.work().display().to_string();
    in_sandbox(&sandbox, &["check", "-f", "none.yaml"]).code(2).stdout("").stderr(&format!(
        "pc: cannot read the project: failed to read a process-compose file: failed to open file `{work}/none.yaml`: No such file or directory (os error 2)\n"
    ));
    in_sandbox(&sandbox, &["check", "-f", "."])
        .code(2)
        .stdout("")
        .stderr("pc: cannot read the project: [..]\n");
    sandbox.write("process-compose.yaml", "processes: {a: {command: x}}\n");
    sandbox.write(".env", "A='x\n");
    in_sandbox(&sandbox, &["check"])
        .code(2)
        .stdout("")
        .stderr("pc: .env:1: the quotes of `A` are not closed\n");
    sandbox.write(".env", b"\xff\xfe=\x00");
    in_sandbox(&sandbox, &["check"]).code(2).stdout("").stderr("pc: .env:1: [..]\n");
}

#[test]
fn a_thousand_processes_and_a_long_chain() {
    let mut file = String::from("processes:\n  p0: {command: x}\n");
    for n in 1..3000 {
        let before = n - 1;
        writeln!(
            file,
            "  p{n}: {{command: x, depends_on: {{p{before}: {{condition: process_started}}}}}}"
        )
        .unwrap();
    }
    pc(&file, &["check"]).code(0).stdout("").stderr("");
    pc("processes: {p: {command: x, replicas: 10000}, q: {command: x, replicas: 10000}, r: {command: x}}\n", &["check"])
        .code(1)
        .stdout("process-compose.yaml:1:81: too-many: a project has at most 20000 processes, replicas included\n")
        .stderr("");
}

#[test]
fn values_that_grow_without_end() {
    let sandbox = Sandbox::new();
    sandbox.write(".env", format!("A={}\n", "x".repeat(100_000)));
    sandbox.write(
        "process-compose.yaml",
        format!("processes: {{a: {{command: '{}'}}}}\n", "${A}".repeat(1000)),
    );
    in_sandbox(&sandbox, &["check"]).code(1).stdout(
        "process-compose.yaml:1:[..]: expansion: the variables make the file larger than 16777216 bytes\n",
    ).stderr("");
    pc(
        "processes: {a: {command: '{{range 100000}}{{range 100000}}x{{end}}{{end}}'}}\n",
        &["check"],
    )
    .code(1)
    .stdout("process-compose.yaml:1:26: template: [..]\n")
    .stderr("");
}

#[test]
fn bytes_that_are_no_text() {
    let sandbox = Sandbox::new();
    sandbox.write("process-compose.yaml", b"processes: {a: {command: '\xff\x00\x1b[31m'}}\n");
    let output = in_sandbox(&sandbox, &["check"]);
    assert!(output.code == 0 || output.code == 1, "{output:?}");
    assert!(!output.stdout.contains('\u{1b}'));
}
