//! `pc config`: what files come to.

use testkit::Sandbox;

use super::{in_sandbox, pc};

/// What `pc config --json` says of one process, as lines of `key value`.
fn shown(sandbox: &Sandbox, args: &[&str], pointer: &str) -> String {
    let output = in_sandbox(sandbox, &[&["config", "--json"], args].concat()).code(0);
    let value: Result<serde_json::Value, _> = serde_json::from_str(&output.stdout);
    let value = value.unwrap_or_default();
    value.pointer(pointer).unwrap_or(&serde_json::Value::Null).to_string()
}

fn one(file: &str, pointer: &str) -> String {
    let sandbox = Sandbox::new();
    sandbox.write("process-compose.yaml", file);
    shown(&sandbox, &[], pointer)
}

#[test]
fn files_are_merged_from_left_to_right() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "a.yaml",
        "environment: [G=1, 'URL=http://x/?a=b']\nprocesses:\n  p:\n    command: one\n    environment: ['DSN=p://h/d?m=1', E=]\n    namespace: [x]\n    success_exit_codes: [1]\n    disabled: true\n  q: {entrypoint: [a]}\n",
    );
    sandbox.write(
        "b.yaml",
        "environment: [G=2]\nprocesses:\n  p:\n    environment: [A=2]\n    namespace: y\n    success_exit_codes: [2]\n    disabled: false\n    is_disabled: false\n  q: {entrypoint: [b]}\n  r: {command: three}\n",
    );
    let args = ["-f", "a.yaml", "-f", "b.yaml"];
    let p = |key: &str| shown(&sandbox, &args, &format!("/processes/p/{key}"));
    assert_eq!(p("command"), "\"one\"");
    assert_eq!(p("environment"), r#"["A=2","DSN=p://h/d?m=1","E="]"#);
    assert_eq!(p("namespace"), r#"["y"]"#);
    assert_eq!(p("success_exit_codes"), "[1,2]");
    assert_eq!(p("disabled"), "null");
    assert_eq!(shown(&sandbox, &args, "/processes/q/entrypoint"), r#"["a","b"]"#);
    assert_eq!(shown(&sandbox, &args, "/processes/r/command"), "\"three\"");
}

#[test]
fn an_override_file_is_found() {
    let sandbox = Sandbox::new();
    sandbox.write("process-compose.yml", "processes: {p: {command: one}}\n");
    sandbox.write("process-compose.override.yaml", "processes: {p: {command: two}}\n");
    assert_eq!(shown(&sandbox, &[], "/processes/p/command"), "\"two\"");
    sandbox.write("compose.yml", "processes: {p: {command: zero}}\n");
    assert_eq!(shown(&sandbox, &[], "/processes/p/command"), "\"two\"");
    sandbox.write("compose.override.yml", "processes: {p: {description: d}}\n");
    assert_eq!(shown(&sandbox, &[], "/processes/p/command"), "\"zero\"");
}

#[test]
fn a_file_extends_another_whose_processes_work_in_its_folder() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "base/c.yaml",
        "processes: {p: {command: one}, q: {command: q, working_dir: sub}}\n",
    );
    sandbox.write("process-compose.yaml", "extends: base/c.yaml\nprocesses: {p: {command: two}}\n");
    let work = sandbox.work().display().to_string();
    assert_eq!(shown(&sandbox, &[], "/processes/p/command"), "\"two\"");
    assert_eq!(shown(&sandbox, &[], "/processes/p/working_dir"), format!("\"{work}/base\""));
    assert_eq!(shown(&sandbox, &[], "/processes/q/working_dir"), format!("\"{work}/base/sub\""));
}

#[test]
fn files_that_extend_in_a_circle_or_twice() {
    let sandbox = Sandbox::new();
    sandbox.write("a.yaml", "extends: b.yaml\n");
    sandbox.write("b.yaml", "extends: a.yaml\n");
    let work = sandbox.work().display().to_string();
    in_sandbox(&sandbox, &["config", "-f", "a.yaml"]).code(1).stdout("").stderr(&format!(
        "pc: a file extends itself: {work}/a.yaml -> {work}/b.yaml -> {work}/a.yaml\n"
    ));
    sandbox.write("c.yaml", "processes: {p: {command: x}}\n");
    sandbox.write("d.yaml", "extends: c.yaml\n");
    in_sandbox(&sandbox, &["config", "-f", "c.yaml", "-f", "d.yaml"])
        .code(1)
        .stdout("")
        .stderr("pc: `c.yaml` is extended, and named a second time\nhint: leave it to `extends`\n");
    sandbox.write("e.yaml", "extends: none.yaml\n");
    in_sandbox(&sandbox, &["config", "-f", "e.yaml"]).code(1).stdout("").stderr(&format!(
        "pc: cannot read the project: failed to read a process-compose file: failed to open file `{work}/none.yaml`: No such file or directory (os error 2)\n"
    ));
}

#[test]
fn processes_extend_others() {
    let file = "processes:\n  base: {command: one, environment: [A=1, B=1], availability: {restart: always}}\n  mid: {extends: base, environment: [A=2]}\n  top: {extends: mid, command: two}\n";
    assert_eq!(one(file, "/processes/top/command"), "\"two\"");
    assert_eq!(one(file, "/processes/top/environment"), r#"["A=2","B=1"]"#);
    assert_eq!(one(file, "/processes/top/availability/restart"), "\"always\"");
    let circle = "processes: {a: {extends: b}, b: {extends: a}, c: {extends: d}}\n";
    pc(circle, &["config"]).code(1).stdout("").stderr(
        "pc: process-compose.yaml:1:43: a process extends itself: a -> b -> a\n\
         pc: process-compose.yaml:1:60: `c` extends `d`, which is no process of this project\n\
         hint: did you mean `a`?\n",
    );
}

#[test]
fn variables_come_from_dotenv_then_from_the_environment() {
    let sandbox = Sandbox::new();
    sandbox.write(".env", "A=dot\nB=dot\n");
    sandbox.write("other.env", "A=other\n");
    sandbox.write(
        "process-compose.yaml",
        "processes: {p: {command: 'x ${A} ${HOME_NONE:-d} $A $$A'}}\n",
    );
    let command = |args: &[&str]| shown(&sandbox, args, "/processes/p/command");
    assert_eq!(command(&[]), "\"x dot d $A $A\"");
    assert_eq!(command(&["-e", "other.env"]), "\"x other d $A $A\"");
    assert_eq!(command(&["--disable-dotenv"]), "\"x  d $A $A\"");
    assert_eq!(command(&["--disable-dotenv=false"]), "\"x dot d $A $A\"");
}

#[test]
fn expansion_can_be_switched_off() {
    let file = "disable_env_expansion: true\nprocesses: {p: {command: 'echo ${A[1]} $$ ${'}}\n";
    assert_eq!(one(file, "/processes/p/command"), "\"echo ${A[1]} $$ ${\"");
}

#[test]
fn commands_give_variables() {
    let file = "env_cmds: {WHO: 'echo  me', BAD: 'exit 1', SLOW: 'sleep 60'}\nprocesses: {p: {command: x}}\n";
    let output = pc(file, &["config"]).code(0);
    let stderr = &output.stderr;
    assert!(stderr.contains("`BAD` is not set: `exit 1`: it failed"), "{stderr}");
    assert!(stderr.contains("`SLOW` is not set: `sleep 60`: it took longer than 2 s"), "{stderr}");
}

#[test]
fn templates_know_vars_and_replicas() {
    let file = "vars: {G: gv, N: 5}\nprocesses:\n  p:\n    replicas: 2\n    vars: {L: lv}\n    command: 'x {{.G}} {{.L}} {{.PC_REPLICA_NUM}} {{printf \"%03d\" .N}}'\n    log_location: 'l-{PC_REPLICA_NUM}'\n";
    assert_eq!(one(file, "/processes/p-1/command"), "\"x gv lv 1 005\"");
    let raw = "processes: {p: {command: 'docker inspect -f \"{{.State}}\"', is_template_disabled: true}}\n";
    assert_eq!(one(raw, "/processes/p/command"), "\"docker inspect -f \\\"{{.State}}\\\"\"");
}

#[test]
fn names_and_namespaces_select() {
    let file = "processes:\n  a: {command: a, namespace: x, depends_on: {b: {condition: process_started}}}\n  b: {command: b, namespace: y}\n  c: {command: c, disabled: true}\n";
    let sandbox = Sandbox::new();
    sandbox.write("process-compose.yaml", file);
    let keys = |args: &[&str]| {
        let output = in_sandbox(&sandbox, &[&["config", "--json", "-q"], args].concat()).code(0);
        let value: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
        value["processes"].as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(keys(&["a"]), "a b");
    assert_eq!(keys(&["c"]), "c");
    assert_eq!(keys(&["-n", "x"]), "a");
    assert_eq!(keys(&["-n", "x", "-n", "y"]), "a b");
    in_sandbox(&sandbox, &["config", "aa"])
        .code(1)
        .stdout("")
        .stderr("pc: there is no process `aa`\nhint: did you mean `a`?\n");
}

#[test]
fn every_key_is_kept() {
    let file = "processes:\n  p:\n    command: x\n    description: d\n    working_dir: /tmp\n    is_daemon: yes\n    is_tty: on\n    is_foreground: y\n    is_interactive: true\n    is_elevated: True\n    truncate_log: true\n    disable_ansi_colors: true\n    launch_timeout_seconds: 2\n    monitor_for: silence\n    monitor_silence_threshold: 1m30s\n    log_location: l\n    log_configuration: {rotation: {max_size_mb: 1, max_backups: 2, max_age_days: 3, compress: true}, disable_json: true, fields_order: [message], timestamp_format: '15:04', no_color: true, no_metadata: true, add_timestamp: true, flush_each_line: true}\n    availability: {restart: on_failure, backoff_seconds: 0.5, max_restarts: 3, exit_on_end: true, exit_on_skipped: true}\n    shutdown: {command: stop, timeout_seconds: 1.5, signal: 2, parent_only: yes, send_keys: 'q\\n', keep: [ssh-agent]}\n    startup_probe: {log_regex: 'up|ready'}\n    readiness_probe: {http_get: {host: localhost, scheme: https, path: /h, port: 8080, headers: {X: y}, status_code: 204}, initial_delay_seconds: 1, period_seconds: 0.2, timeout_seconds: 3, success_threshold: 2, failure_threshold: 9, adaptive: false}\n    liveness_probe: {tcp_socket: {port: 5432}}\n    schedule: {interval: 90s, run_on_start: true, max_concurrent: 2, timezone: UTC}\n    watch: {paths: [{path: src, include: ['*.rs'], exclude: [t]}], cascade: true, debounce: 1s, max_entries: 5, disable_default_excludes: true}\n";
    let sandbox = Sandbox::new();
    sandbox.write("process-compose.yaml", file);
    let first = in_sandbox(&sandbox, &["config", "-q"]).code(0).stdout;
    // What is shown is a project, and the same one.
    sandbox.write("again.yaml", &first);
    let again = in_sandbox(&sandbox, &["config", "-q", "-f", "again.yaml"]).code(0).stdout;
    assert_eq!(first, again);
    for key in [
        "is_daemon: true",
        "is_tty: true",
        "period_seconds: 0.2",
        "backoff_seconds: 0.5",
        "interval: \"90s\"",
        "log_regex: \"up|ready\"",
        "signal: 2",
        "debounce: \"1s\"",
        "max_age_days: 3",
        "status_code: 204",
    ] {
        assert!(first.contains(key), "{key}: {first}");
    }
}
