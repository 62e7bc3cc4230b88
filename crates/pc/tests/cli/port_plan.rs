//! Ports before the start: from the registry, and free.

use std::net::{Ipv4Addr, TcpListener};

use testkit::Sandbox;

use super::in_sandbox;

const REGISTRY: &str = "{ databases = { redis = 6379; }; web.api = 3000; ssh = 22; }\n";

fn project(file: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("lib/ports.nix", REGISTRY);
    sandbox.write("process-compose.yaml", file);
    sandbox
}

#[test]
fn registered_numbers_are_offered_in_three_ways() {
    let sandbox = project(
        "processes:\n  r: {command: 'redis-server --port ${ports.databases.redis}'}\n  a: {command: 'serve {{ .ports.web.api }}'}\n  e: {command: 'serve $WEB_API_PORT'}\n",
    );
    let shown = |args: &[&str]| {
        let args = [&["config", "--json"], args].concat();
        let output = in_sandbox(&sandbox, &args).code(0);
        let value: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
        let of = |name: &str, key: &str| value["processes"][name][key].to_string();
        [
            of("r", "command"),
            of("a", "command"),
            of("r", "x-ports"),
            of("a", "x-ports"),
            of("e", "x-ports"),
        ]
        .join(" ")
    };
    assert_eq!(
        shown(&[]),
        r#""redis-server --port 6379" "serve 3000" ["databases.redis"] ["web.api"] ["web.api"]"#
    );
    assert_eq!(
        shown(&["--offset", "1000"]),
        r#""redis-server --port 7379" "serve 4000" ["databases.redis"] ["web.api"] ["web.api"]"#
    );
}

#[test]
fn what_is_not_registered_is_an_error_at_its_place() {
    let sandbox = project(
        "processes:\n  a: {command: 'x ${ports.web.apo} {{ .ports.no }} ${ports.none:-1}'}\n",
    );
    in_sandbox(&sandbox, &["check"]).code(1).stdout(&format!(
        "process-compose.yaml:2:19: expansion: no port `web.apo` in `{}/lib/ports.nix`; did you mean `web.api`?\n",
        sandbox.work().display()
    )).stderr("");
}

#[test]
fn numbers_that_are_written_out_keep_a_checkout_where_it_is() {
    let sandbox = project(
        "processes:\n  r: {command: 'redis-server --port ${ports.databases.redis}'}\n  a:\n    command: serve\n    environment: ['PORT=3000', 'DB=redis://localhost:6380/0']\n  off: {command: 'serve --port 9999', disabled: true}\n",
    );
    let output = in_sandbox(&sandbox, &["config", "--json", "--offset", "1000"]).code(0);
    assert!(output.stdout.contains("--port 6379"), "{}", output.stdout);
    output.stderr(
        "pc: note: process-compose.yaml:5:25: port 3000 of `a` is not from the registry, so nothing moves in this worktree\n",
    );
    in_sandbox(&sandbox, &["check"]).code(1).stdout(
        "process-compose.yaml:5:25: literal-port: `a` listens on 3000, which is `web.api` in `lib/ports.nix`; write `${ports.web.api}`\n\
         process-compose.yaml:5:54: unknown-port: `a` connects to 6380, which `lib/ports.nix` does not know; register it, and write `${ports.…}`\n\
         process-compose.yaml:6:32: unknown-port: `off` listens on 9999, which `lib/ports.nix` does not know; register it, and write `${ports.…}`\n",
    ).stderr("");
}

#[test]
fn a_port_that_is_taken_is_3_and_its_holder_is_named() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let sandbox = Sandbox::new();
    sandbox.write("lib/ports.nix", format!("{{ web.api = {port}; }}\n"));
    sandbox.write(
        "process-compose.yaml",
        "processes:\n  api: {command: 'true ${ports.web.api}'}\n  client: {command: 'true http://localhost:${ports.web.api}/'}\n",
    );
    let pid = std::process::id();
    in_sandbox(&sandbox, &["up", "-t=false"]).code(3).stdout("").stderr(&format!(
        "pc: process-compose.yaml:2:24: port {port} (`web.api`) of `api` is taken by pid {pid}, `[..]`, in [..]\n\
         hint: stop it first; `--ignore-ports` starts all the same\n"
    ));
}

/// A registry with the ports of a whole fleet stops nobody who does not use them.
#[test]
fn a_registry_that_is_broken_matters_only_to_who_uses_it() {
    let sandbox = project("processes: {a: {command: 'true'}}\n");
    sandbox.write("lib/ports.nix", "{ a = ; }\n");
    let output = in_sandbox(&sandbox, &["config", "--json"]).code(0);
    assert!(output.stderr.contains("the port registry is of no use"), "{}", output.stderr);
}
