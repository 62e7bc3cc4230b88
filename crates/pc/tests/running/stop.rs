//! Stopping: the ladder, the ranks, one, two and three signals.

use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};
use testkit::Sandbox;

use super::{events, left, prepared, wait_for};

const STUBBORN: &str = "trap '' TERM; while :; do sleep 0.1; done";

#[test]
fn a_signal_stops_and_answers_0() {
    let sandbox = Sandbox::new();
    let file = "processes: {a: {command: sleep 60}, b: {command: sleep 60}}\n";
    let child = prepared(&sandbox, file, &["up", "-t=false", "--events", "events"]).spawn();
    wait_for(&sandbox, "b", "Running");
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "stopping 2 processes; again to kill, a third time to leave\n"
    );
    assert!(left(&sandbox).is_empty());
}

#[test]
fn those_that_ignore_sigterm_are_killed_together() {
    let sandbox = Sandbox::new();
    let file = format!(
        "processes: {{p: {{command: \"{STUBBORN}\", replicas: 3, shutdown: {{timeout_seconds: 1}}}}}}\n"
    );
    let child = prepared(&sandbox, &file, &["up", "-t=false", "--events", "events"]).spawn();
    wait_for(&sandbox, "p-2", "Running");
    std::thread::sleep(std::time::Duration::from_millis(200));
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let kills = events(&sandbox);
    let times: Vec<f64> = kills
        .iter()
        .filter(|event| event["type"] == "signal" && event["signal"] == 9)
        .map(|event| event["t"].as_f64().unwrap())
        .collect();
    assert_eq!(times.len(), 3);
    // One after the other they would be seconds apart.
    assert!(times[2] - times[0] < 0.9, "{times:?}");
    assert!(left(&sandbox).is_empty());
}

#[test]
fn the_second_signal_kills() {
    let sandbox = Sandbox::new();
    let file = format!(
        "processes: {{p: {{command: \"{STUBBORN}\", shutdown: {{timeout_seconds: 100}}}}}}\n"
    );
    let child = prepared(&sandbox, &file, &["up", "-t=false", "--events", "events"]).spawn();
    wait_for(&sandbox, "p", "Running");
    std::thread::sleep(std::time::Duration::from_millis(200));
    let begin = Instant::now();
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    wait_for(&sandbox, "p", "Terminating");
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
    assert!(begin.elapsed().as_secs() < 60);
    assert!(left(&sandbox).is_empty());
}

#[test]
fn a_stop_command_is_followed_by_the_ladder() {
    // Upstream waits for ever after a command that succeeds and stops nothing.
    let sandbox = Sandbox::new();
    let file = "processes: {p: {command: sleep 60, shutdown: {command: touch asked, timeout_seconds: 1}}}\n";
    let child = prepared(&sandbox, file, &["up", "-t=false", "--events", "events"]).spawn();
    wait_for(&sandbox, "p", "Running");
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
    assert!(sandbox.path("asked").exists());
    assert!(left(&sandbox).is_empty());
}

#[test]
fn an_ordered_shutdown_goes_from_dependents_to_dependencies() {
    let sandbox = Sandbox::new();
    let process = |name: &str, rest: &str| {
        format!(
            "  {name}: {{command: \"trap 'sleep 0.2; echo {name} >> order; exit 0' TERM; echo up; while :; do sleep 0.05; done\", ready_log_line: up{rest}}}\n"
        )
    };
    let after = |name: &str| format!(", depends_on: {{{name}: {{condition: process_log_ready}}}}");
    let file = format!(
        "ordered_shutdown: true\nprocesses:\n{}{}{}",
        process("db", ""),
        process("api", &after("db")),
        process("web", &after("api"))
    );
    let child = prepared(&sandbox, &file, &["up", "-t=false", "--events", "events"]).spawn();
    super::wait("web is up", || {
        events(&sandbox)
            .into_iter()
            .find(|event| event["process"] == "web" && event["health"] == "Ready")
    });
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
    assert_eq!(sandbox.read("order"), "web\napi\ndb\n");
}

#[test]
fn a_process_on_the_terminal_answers_its_code_and_stops_the_rest() {
    let sandbox = Sandbox::new();
    let file = "processes:\n  db: {command: sleep 60}\n  \
                u: {entrypoint: [sh, -c, 'cat; echo \"$$@\"; exit 7', x], depends_on: {db: {condition: process_started}}}\n";
    prepared(&sandbox, file, &["run", "u", "--", "a", "b c"])
        .stdin("typed\n")
        .output()
        .code(7)
        .stdout("typed\na b c\n")
        .stderr("");
    assert!(left(&sandbox).is_empty());
}
