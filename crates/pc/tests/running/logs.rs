//! Lines: none lost, none without bounds, no reader that holds up what it should not.

use std::io::Read as _;

use rustix::process::{Pid, Signal, kill_process};
use testkit::Sandbox;

use super::{left, pc, prepared, wait};

#[test]
fn eight_writers_lose_no_line() {
    let sandbox = Sandbox::new();
    let count = 100_000;
    let file = format!(
        "processes:\n  w:\n    command: \"seq {count}; printf last\"\n    replicas: 8\n    log_location: 'log.{{PC_REPLICA_NUM}}'\n"
    );
    let output = prepared(&sandbox, &file, &["up", "-t=false"]).output().code(0);
    assert_eq!(output.stdout.lines().count(), 8 * (count + 1));
    for writer in 0..8 {
        let text = sandbox.read(format!("log.{writer}"));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), count + 1);
        for (number, line) in lines.iter().enumerate().step_by(997) {
            let expected = format!(
                "{{\"level\":\"info\",\"process\":\"w-{writer}\",\"replica\":{writer},\"message\":\"{}\"}}",
                number + 1
            );
            assert_eq!(
                *line,
                if number == count {
                    expected.replace(&format!("{}", count + 1), "last")
                } else {
                    expected
                }
            );
        }
        assert!(lines[count].ends_with("\"message\":\"last\"}"));
    }
}

#[test]
fn one_file_for_all_and_own_files() {
    let sandbox = Sandbox::new();
    let file = "log_location: all.log\nprocesses:\n  a: {command: echo from a}\n  \
                b: {command: 'echo from b >&2', log_location: b.log, log_configuration: {disable_json: true, no_color: true}, depends_on: {a: {condition: process_completed}}}\n  \
                c: {command: echo from c, depends_on: {b: {condition: process_completed}}}\n";
    prepared(&sandbox, file, &["up", "-t=false"])
        .output()
        .code(0)
        .stdout("[a\t] from a\n[b\t] from b\n[c\t] from c\n")
        .stderr("");
    assert_eq!(
        sandbox.read("all.log"),
        "{\"level\":\"info\",\"process\":\"a\",\"replica\":0,\"message\":\"from a\"}\n\
         {\"level\":\"info\",\"process\":\"c\",\"replica\":0,\"message\":\"from c\"}\n"
    );
    assert_eq!(sandbox.read("b.log"), "ERR from b process=b replica=0\n");
}

#[test]
fn a_long_line_comes_in_parts_and_all_of_it() {
    let output = pc(
        "processes: {a: {command: \"head -c 3000000 /dev/zero | tr '\\\\0' x; echo; echo end\"}}\n",
        &["up", "-t=false"],
    )
    .code(0);
    let lines: Vec<&str> = output.stdout.lines().collect();
    assert_eq!(lines.len(), 4);
    assert_eq!(lines.iter().map(|line| line.matches('x').count()).sum::<usize>(), 3_000_000);
    assert!(lines[0].ends_with("x\u{2026}") && lines[2].ends_with('x'));
}

#[test]
fn a_reader_that_goes_away_stops_nobody() {
    let sandbox = Sandbox::new();
    let file =
        "processes: {a: {command: 'for i in $(seq 2000); do echo line $i; done; touch done'}}\n";
    let mut child = prepared(&sandbox, file, &["up", "-t=false"]).spawn();
    let mut byte = [0];
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut byte).unwrap();
    drop(stdout);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(sandbox.path("done").exists());
}

#[test]
fn a_reader_that_stands_still_holds_up_no_stop() {
    let sandbox = Sandbox::new();
    let file = "processes: {a: {command: 'yes'}}\n";
    let mut child = prepared(&sandbox, file, &["up", "-t=false", "--events", "events"]).spawn();
    super::wait_for(&sandbox, "a", "Running");
    std::thread::sleep(std::time::Duration::from_millis(300));
    wait("the end", || {
        let ended = child.try_wait().unwrap();
        if ended.is_none() {
            kill_process(Pid::from_child(&child), Signal::INT).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
        ended
    });
    assert!(left(&sandbox).is_empty());
}

#[test]
fn dropped_lines_are_counted() {
    let sandbox = Sandbox::new();
    let file = "processes: {a: {command: 'seq 3000000; touch done'}}\n";
    let mut child = prepared(&sandbox, file, &["up", "-t=false", "--slow-reader", "drop"]).spawn();
    // The process is not held up although nobody reads.
    wait("the process", || sandbox.path("done").exists().then_some(()));
    let mut stdout = String::new();
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let dropped: usize = told
        .lines()
        .filter_map(|line| {
            line.strip_prefix("pc: warning: ")?.split(' ').next()?.parse::<usize>().ok()
        })
        .sum();
    assert_eq!(dropped + stdout.lines().count(), 3_000_000, "{told}");
    assert!(dropped > 0);
}

#[test]
fn a_log_that_cannot_be_written_is_told_and_the_rest_goes_on() {
    pc("processes: {a: {command: echo hi, log_location: /dev/full}}\n", &["up", "-t=false"])
        .code(0)
        .stdout("[a\t] hi\n")
        .stderr(
            "pc: warning: cannot write the log `/dev/full`: No space left on device (os error 28)\n\
             pc: warning: 58 bytes could not be written to the log `/dev/full`\n",
        );
}
