//! Whatever a process starts, nothing is left: after a stop, after `pc` was killed, after both were.

use std::os::unix::process::ExitStatusExt as _;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use testkit::Sandbox;

use super::{assert_all_gone, events, left, prepared, wait};

/// Group members, sessions, double forks, terminals, those that ignore SIGTERM, a daemon.
const NEST: &str = "processes:
  group: {command: \"(trap '' TERM; exec sleep 611) & trap 'exit 0' TERM; touch up.group; while :; do sleep 0.1; done\", shutdown: {timeout_seconds: 1}}
  session: {command: \"setsid sleep 612 & touch up.session; wait\", shutdown: {timeout_seconds: 1}}
  double: {command: \"(setsid sh -c 'sleep 613 & sleep 614 & wait' &) ; touch up.double; sleep 615\", shutdown: {timeout_seconds: 1}}
  stubborn: {command: \"trap '' TERM HUP INT; (setsid sh -c \\\"trap '' TERM; while :; do sleep 0.1; done\\\" &); touch up.stubborn; while :; do sleep 0.1; done\", shutdown: {timeout_seconds: 1}}
  tty: {command: \"touch up.tty; sleep 616 & sleep 617\", is_tty: true, shutdown: {timeout_seconds: 1}}
  daemon: {command: \"setsid sleep 618 > /dev/null 2>&1 & touch up.daemon\", is_daemon: true, shutdown: {timeout_seconds: 1}}
  ended: {command: \"sleep 619 & touch up.ended\"}
";

fn start(sandbox: &Sandbox) -> std::process::Child {
    let child = prepared(sandbox, NEST, &["up", "-t=false", "--events", "events"]).spawn();
    for name in ["group", "session", "double", "stubborn", "tty", "daemon", "ended"] {
        wait(name, || sandbox.path(format!("up.{name}")).exists().then_some(()));
    }
    child
}

/// The number of the `pc` that works.
fn worker(sandbox: &Sandbox) -> Pid {
    let begin =
        wait("the begin", || events(sandbox).into_iter().find(|event| event["type"] == "begin"));
    Pid::from_raw(i32::try_from(begin["pid"].as_i64().unwrap()).unwrap()).unwrap()
}

#[test]
fn after_a_stop_nothing_is_left() {
    let sandbox = Sandbox::new();
    let child = start(&sandbox);
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(left(&sandbox), Vec::<String>::new());
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("session left sleep ("), "{told}");
    assert!(told.contains("in a session of its own: ending it"), "{told}");
}

#[test]
fn when_pc_is_killed_its_guardian_ends_everything() {
    let sandbox = Sandbox::new();
    let mut child = start(&sandbox);
    kill_process(worker(&sandbox), Signal::KILL).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(137));
    assert_all_gone(&sandbox, Duration::ZERO);
}

#[test]
fn when_the_guardian_is_killed_pc_stops() {
    let sandbox = Sandbox::new();
    let mut child = start(&sandbox);
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(9));
    assert_all_gone(&sandbox, Duration::from_secs(20));
}

#[test]
fn when_both_are_killed_the_next_start_cleans_up() {
    let sandbox = Sandbox::new();
    let mut child = start(&sandbox);
    let worker = worker(&sandbox);
    // Stopped first, so that neither sees the other go.
    kill_process(worker, Signal::STOP).unwrap();
    child.kill().unwrap();
    kill_process(worker, Signal::KILL).unwrap();
    child.wait().unwrap();
    std::thread::sleep(Duration::from_millis(100));
    assert!(!left(&sandbox).is_empty(), "there is nothing to clean up");
    let output =
        prepared(&sandbox, "processes: {a: {command: echo clean}}\n", &["up", "-t=false"]).output();
    assert_eq!(output.stdout, "[a\t] clean\n");
    assert!(
        output.stderr.starts_with("ended what a killed run left behind: "),
        "{}",
        output.stderr
    );
    assert_eq!(left(&sandbox), Vec::<String>::new());
    let leases = fs_err::read_dir(lease_folder(&sandbox)).unwrap().count();
    assert_eq!(leases, 0);
}

#[test]
fn a_lease_of_another_boot_or_of_a_reused_number_is_not_acted_on() {
    let sandbox = Sandbox::new();
    // Somebody else's process, whose number a dead run once had.
    let mut bystander = sandbox.run("sleep").arg("60").spawn();
    let (pid, folder) = (bystander.id(), lease_folder(&sandbox));
    let start = start_time(pid);
    prepared(&sandbox, "processes: {a: {command: 'true'}}\n", &["up", "-t=false"])
        .output()
        .code(0)
        .stdout("")
        .stderr("");
    let boot = fs_err::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let namespace = fs_err::read_link("/proc/self/ns/pid").unwrap();
    let lease = |name: &str, boot: &str, start: u64| {
        let header = serde_json::json!({"boot": boot, "namespace": namespace, "run": name});
        let entry = serde_json::json!({"pid": pid, "start": start});
        fs_err::write(folder.join(format!("{name}.lease")), format!("{header}\n{entry}\n"))
            .unwrap();
    };
    lease("otherboot", "00000000-0000-0000-0000-000000000000", start);
    lease("reused", boot.trim(), start - 1);
    fs_err::write(folder.join("torn.lease"), "{\"boot\":").unwrap();
    let output =
        prepared(&sandbox, "processes: {a: {command: echo a}}\n", &["up", "-t=false"]).output();
    output.code(0).stdout("[a\t] a\n").stderr("");
    assert!(bystander.try_wait().unwrap().is_none(), "a bystander was killed");
    assert_eq!(fs_err::read_dir(&folder).unwrap().count(), 0);
    // The same lease with the right time is acted on: the test would see it.
    lease("right", boot.trim(), start);
    let output =
        prepared(&sandbox, "processes: {a: {command: echo a}}\n", &["up", "-t=false"]).output();
    assert!(output.stderr.contains(&format!("sleep ({pid})")), "{}", output.stderr);
    assert_eq!(bystander.wait().unwrap().signal(), Some(15));
}

#[test]
fn detached_ones_can_be_kept() {
    let sandbox = Sandbox::new();
    let file = "processes: {a: {command: '(setsid sleep 620 > /dev/null 2>&1 &); sleep 0.3'}}\n";
    let output = prepared(&sandbox, file, &["up", "-t=false", "--keep-detached"]).output();
    assert!(output.stderr.contains("in a session of its own: kept"), "{}", output.stderr);
    assert_eq!(output.code, 0);
    assert_eq!(left(&sandbox), ["sleep 620 "]);
    let pid = output.stderr.split(['(', ')']).nth(1).unwrap().parse().unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
}

#[test]
fn short_lived_orphans_are_buried() {
    let sandbox = Sandbox::new();
    let file = "processes: {a: {command: 'for i in $(seq 300); do (true &); (setsid true &); done; sleep 0.2'}}\n";
    prepared(&sandbox, file, &["up", "-t=false"]).output().code(0).stdout("").stderr("");
    assert_eq!(left(&sandbox), Vec::<String>::new());
}

fn lease_folder(sandbox: &Sandbox) -> std::path::PathBuf {
    let uid = rustix::process::getuid().as_raw();
    sandbox.tmp().join(format!("likewise-pc-{uid}"))
}

fn start_time(pid: u32) -> u64 {
    let stat = fs_err::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(") ").unwrap().1.split(' ').nth(19).unwrap().parse().unwrap()
}
