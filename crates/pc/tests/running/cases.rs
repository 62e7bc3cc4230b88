//! Order, policies and codes.

use super::{events, pc, prepared};
use testkit::Sandbox;

#[test]
fn dependents_wait_and_lines_are_named() {
    pc(
        "processes:\n  a: {command: 'echo from a; echo err >&2; exit 3'}\n  \
         b: {command: echo from b, depends_on: {a: {condition: process_completed}}}\n",
        &["up", "-t=false"],
    )
    .code(0)
    .stdout("[a\t] from a\n[a\t] err\n[b\t] from b\n")
    .stderr("");
}

#[test]
fn a_process_that_cannot_start_has_failed() {
    let output = pc(
        "processes:\n  a: {entrypoint: [no-such-program]}\n  \
         b: {command: echo b, depends_on: {a: {condition: process_completed_successfully}}}\n  \
         c: {command: echo c, depends_on: {a: {condition: process_started}}}\n",
        &["up", "-t=false"],
    )
    .code(0)
    .stdout("");
    output.stderr("pc: warning: a: cannot start `no-such-program`: No such file or directory (os error 2) (process-compose.yaml:2:3)\n");
}

#[test]
fn a_child_killed_by_a_signal_is_128_and_the_signal() {
    let file =
        "processes:\n  a: {command: 'kill -9 $$$$', availability: {restart: exit_on_failure}}\n";
    pc(file, &["up", "-t=false"]).code(137).stdout("").stderr("");
}

#[test]
fn nothing_to_run_is_told() {
    pc("processes:\n  a: {command: echo a, disabled: true}\n", &["up", "-t=false"])
        .code(0)
        .stdout("")
        .stderr("pc: note: there is nothing to run: every process is disabled, or there is none\n");
}

#[test]
fn events_are_in_order_and_times_never_go_back() {
    let sandbox = Sandbox::new();
    let file = "processes:\n  a: {command: 'echo one; echo two >&2; printf three'}\n";
    prepared(&sandbox, file, &["up", "-t=false", "--events", "events"])
        .output()
        .code(0)
        .stdout("[a\t] one\n[a\t] two\n[a\t] three\n")
        .stderr("");
    let events = events(&sandbox);
    let times: Vec<f64> = events.iter().map(|event| event["t"].as_f64().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");
    let kinds: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!((kinds[0], kinds[kinds.len() - 1]), ("begin", "end"));
    let states: Vec<&str> = events.iter().filter_map(|event| event["status"].as_str()).collect();
    assert_eq!(states, ["Pending", "Running", "Completed"]);
    let mut lines: Vec<(u64, &str)> = events
        .iter()
        .filter(|event| event["type"] == "line")
        .map(|event| (event["seq"].as_u64().unwrap(), event["line"].as_str().unwrap()))
        .collect();
    assert!(lines.is_sorted());
    lines.sort_by_key(|(_, line)| *line);
    assert_eq!(lines.iter().map(|(_, line)| *line).collect::<Vec<_>>(), ["one", "three", "two"]);
}

#[test]
fn events_on_stdout_are_alone_there() {
    let output =
        pc("processes: {a: {command: echo hi}}\n", &["up", "-t=false", "--events", "-"]).code(0);
    for line in output.stdout.lines() {
        assert!(line.starts_with("{\"type\":"), "{line}");
    }
    output.stderr("");
}

#[test]
fn a_report_tells_what_was_waited_for() {
    let output = pc(
        "processes:\n  a: {command: 'true'}\n  \
         b: {command: 'true', depends_on: {a: {condition: process_completed_successfully}}}\n",
        &["ci", "--report", "--json"],
    )
    .code(0);
    let report: serde_json::Value = serde_json::from_str(output.stdout.trim()).unwrap();
    assert_eq!(report["critical_path"], serde_json::json!(["a", "b"]));
    assert_eq!(report["processes"][1]["waited_for"], "a");
}

#[test]
fn a_thousand_processes() {
    let file = "processes:\n  p: {command: 'true', replicas: 1000}\n  \
                last: {command: echo last, depends_on: {p: {condition: process_completed_successfully}}}\n";
    pc(file, &["up", "-t=false"]).code(0).stdout("[last\t] last\n").stderr("");
}

#[test]
fn a_tty_process_has_a_terminal_of_its_own() {
    let file = "processes:\n  a: {command: 'test -t 0 && test -t 1 && test -t 2 && stty size && tty > /dev/tty', is_tty: true}\n";
    let output = pc(file, &["up", "-t=false"]).code(0);
    assert!(output.stdout.starts_with("[a\t] 24 80\n[a\t] /dev/pts/"), "{}", output.stdout);
    output.stderr("");
}

#[test]
fn restarts_do_not_run_beside_what_was_left() {
    // Each start leaves a holder of the lock behind; the next one could not take it.
    let sandbox = Sandbox::new();
    let file = "processes:\n  a:\n    command: 'exec 9>lock; flock -n 9 || echo TAKEN; sleep 60 & exit 1'\n    \
                availability: {restart: on_failure, max_restarts: 2}\n";
    prepared(&sandbox, file, &["up", "-t=false"]).output().code(0).stdout("").stderr("");
}
