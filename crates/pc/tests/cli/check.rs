//! `pc check`.

use testkit::Sandbox;

use super::{in_sandbox, pc};

#[test]
fn what_is_no_yaml_is_told_with_its_place() {
    pc("processes:\n  a: {command: x}\n  a: {command: y}\n", &["check"])
        .code(1)
        .stdout("process-compose.yaml:3:3: yaml: the key `a` is here twice\n")
        .stderr("");
    pc("processes:\n  a:\n    command: {{ .X }}\n", &["check"])
        .code(1)
        .stdout("process-compose.yaml:3:15: yaml: a key must be one word, number or text; put a value that begins with `{{` in quotes\n")
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

/// The mistakes that documents teach.
#[test]
fn common_mistakes() {
    let file = "processes:\n  api:\n    command: bun run dev\n    ready_log_line: listening\n    restart: on_failure\n    max_restarts: 3\n    depends_on:\n      db: {condition: process_healthy}\n  db:\n    command: postgres -D data\n    is_daemon: true\n    readiness_probe: {exec: {command: pg_isready}}\n  worker:\n    command: bun run worker\n    depends_on:\n      api: {condition: process_started}\n      db:\n";
    pc(file, &["check"])
        .code(1)
        .stdout(
            "process-compose.yaml:5:5: unknown-key: `restart` belongs under `availability`, and is taken as if it were there; write `availability: {restart: …}`\n\
             process-compose.yaml:6:5: unknown-key: `max_restarts` belongs under `availability`, and is taken as if it were there; write `availability: {max_restarts: …}`\n\
             process-compose.yaml:10:14: foreground-daemon: `db` is a daemon here, but `postgres` stays in the foreground; leave `is_daemon` out\n\
             process-compose.yaml:16:7: not-ready: `worker` does not wait until `api` is ready, only until it is started; write `condition: process_log_ready`\n\
             process-compose.yaml:17:7: missing-condition: `db` has no `condition`: this waits until it has ended; write `condition: process_healthy`, `process_started` or `process_completed`\n",
        )
        .stderr("");
    let allowed = [
        "check",
        "--allow",
        "unknown-key",
        "--allow",
        "foreground-daemon",
        "--allow",
        "not-ready",
        "--allow",
        "missing-condition",
    ];
    pc(file, &allowed).code(0).stdout("").stderr("");
}

#[test]
fn unknown_keys_of_every_depth() {
    let file = "x-mine: 1\nbogus: 1\nprocesses:\n  a:\n    command: x\n    x-own: {any: thing}\n    depends: {}\n    availability: {restrat: always, x-y: 1}\n    readiness_probe: {exec: {comand: y, command: z}, period: 1}\n    timeout_seconds: 3\n";
    pc(file, &["check"])
        .code(1)
        .stdout(
            "process-compose.yaml:2:1: unknown-key: a project has no key `bogus`; write `x-bogus` for a key of your own\n\
             process-compose.yaml:7:5: unknown-key: a process has no key `depends`; write `x-depends` for a key of your own\n\
             process-compose.yaml:8:20: unknown-key: `availability` has no key `restrat`; did you mean `restart`?\n\
             process-compose.yaml:9:30: unknown-key: `exec` has no key `comand`; did you mean `command`?\n\
             process-compose.yaml:9:54: unknown-key: a probe has no key `period`; write `x-period` for a key of your own\n\
             process-compose.yaml:10:5: unknown-key: a process has no key `timeout_seconds`; it belongs under `shutdown:`\n",
        )
        .stderr("");
}

#[test]
fn values_of_the_wrong_type() {
    let file = "processes:\n  a: {command: [x], replicas: -1, is_tty: maybe, namespace: {a: b}}\n  b: {command: x, availability: {restart: allways, max_restarts: many}, depends_on: [a]}\n  c: {command: x, shutdown: {signal: TERM}, environment: 5, success_exit_codes: [300]}\n  d: {command: x, watch: {debounce: 5}, schedule: {cron: '* * *'}, ready_log_regex: '('}\n";
    pc(file, &["check"])
        .code(1)
        .stdout(
            "process-compose.yaml:2:3: no-command: the process has neither `command` nor `entrypoint`; write `command:` with what it runs\n\
             process-compose.yaml:2:16: type: `processes.a.command` is a list but must be text\n\
             process-compose.yaml:2:31: value: `processes.a.replicas` is `-1` but must be a whole number from 0 to 10000\n\
             process-compose.yaml:2:43: value: `processes.a.is_tty` is `maybe` but must be `true` or `false`\n\
             process-compose.yaml:2:61: type: `processes.a.namespace` is a mapping but must be a name or a list of names\n\
             process-compose.yaml:3:43: value: `processes.b.availability.restart` is `allways` but must be `no`, `always`, `on_failure`, `exit_on_failure`; did you mean `always`?\n\
             process-compose.yaml:3:66: value: `processes.b.availability.max_restarts` is `many` but must be a whole number from 0 to 4294967295\n\
             process-compose.yaml:3:85: type: `processes.b.depends_on` is a list but must be a mapping\n\
             process-compose.yaml:4:38: value: `processes.c.shutdown.signal` is `TERM` but must be a whole number\n\
             process-compose.yaml:4:58: value: `processes.c.environment` is `5` but must be a list of `NAME=value`\n\
             process-compose.yaml:4:82: value: `processes.c.success_exit_codes` is `300` but must be a whole number from 0 to 255\n\
             process-compose.yaml:5:3: watch: `d` has `watch` without `paths`\n\
             process-compose.yaml:5:37: value: `processes.d.watch.debounce` is `5` but must be a duration such as `300ms` or `1m30s`\n\
             process-compose.yaml:5:58: cron: a cron expression has five fields, not 3\n\
             process-compose.yaml:5:85: regex: `(` is no regular expression: unclosed group\n",
        )
        .stderr("");
}

#[test]
fn dependencies_that_cannot_be() {
    let file = "processes:\n  a: {command: x, depends_on: {b: {condition: process_started}}}\n  b: {command: x, depends_on: {c: {condition: process_started}}}\n  c: {command: x, depends_on: {a: {condition: process_started}}}\n  d: {command: x, depends_on: {aa: {condition: process_started}, e: {condition: process_log_ready}, f: {condition: process_healthy}}}\n  e: {command: x, disabled: true}\n  f: {command: x, availability: {restart: always}}\n  g: {command: x, depends_on: {f: {condition: process_completed}, h: {condition: process_started}}}\n  h: {command: x, is_foreground: true}\n";
    pc(file, &["check"])
        .code(1)
        .stdout(
            "process-compose.yaml:4:32: circle: the dependencies go round in a circle: a -> b -> c -> a\n\
             process-compose.yaml:5:32: unknown-dependency: `d` depends on `aa`, which is no process of this project; did you mean `a`?\n\
             process-compose.yaml:5:66: disabled-dependency: `d` depends on `e`, which is disabled\n\
             process-compose.yaml:5:66: no-log-line: `d` waits for a line of `e`, which has no `ready_log_line`\n\
             process-compose.yaml:5:101: no-probe: `d` waits until `f` is healthy, which no probe of it tells; give `f` a `readiness_probe`\n\
             process-compose.yaml:8:32: never-ends: `g` waits for the end of `f`, which is always started again\n\
             process-compose.yaml:8:67: never-starts: `g` waits for `h`, which is only started by hand\n",
        )
        .stderr("");
}

#[test]
fn dollars_and_braces() {
    let file = "processes:\n  a: {command: 'echo ${x[@]} ${V:+y}'}\n  b: {command: 'docker inspect -f {{.State}}'}\n  c: {command: 'echo {{if}}'}\n  d:\n    command: |\n      one\n      {{bad}}\n";
    pc(file, &["check"])
        .code(1)
        .stdout(
            "process-compose.yaml:2:22: expansion: `${x[@]}` is left to the shell: it is no form that is expanded here; write `$${x[@]}` to say that you mean it\n\
             process-compose.yaml:2:30: expansion: `${V:+y}` is `${V:-…}` here, not what a shell makes of it; write `$${V:+y}` to leave it to the shell\n\
             process-compose.yaml:3:16: template-value: `{{.State}}` has no value: it becomes `<no value>`; set `State` under `vars`, or write `{{\"{{.State}}\"}}` if the program should see it\n\
             process-compose.yaml:4:16: template: the template is broken: a value is missing; write `{{\"{{\"}}` for braces that the program should see, or `is_template_disabled: true`\n\
             process-compose.yaml:8:7: template: the template is broken: there is no function `bad`; write `{{\"{{\"}}` for braces that the program should see, or `is_template_disabled: true`\n",
        )
        .stderr("");
}

#[test]
fn as_json() {
    let output = pc("processes: {a: {comand: x}}\n", &["check", "--json"]).code(1);
    let findings: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(findings[0]["id"], "no-command");
    assert_eq!((&findings[1]["line"], &findings[1]["column"]), (&1.into(), &17.into()));
    assert_eq!(findings[1]["file"], "process-compose.yaml");
}

/// The schema takes what the tool takes.
#[test]
fn the_schema_has_every_key() {
    let sandbox = Sandbox::new();
    let output = in_sandbox(&sandbox, &["schema"]).code(0);
    let schema: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let process = &schema["properties"]["processes"]["additionalProperties"]["properties"];
    for key in ["command", "depends_on", "readiness_probe", "startup_probe", "watch", "mcp"] {
        assert!(process[key]["description"].is_string(), "{key}");
    }
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(process["name"], serde_json::Value::Null);
}
