//! Which registry is read.

use testkit::Sandbox;

use super::ports;

#[test]
fn it_is_found_upward_to_the_checkout() {
    let sandbox = Sandbox::without_programs();
    sandbox.write("nix/ports.nix", "{ a = 1; }");
    sandbox.write(".git", "gitdir: elsewhere\n");
    sandbox.write("app/src/x", "");
    let root = sandbox.path("nix/ports.nix");
    sandbox
        .run(env!("CARGO_BIN_EXE_ports"))
        .dir(sandbox.path("app/src"))
        .args(["list"])
        .output()
        .code(0)
        .stdout(&format!("1  a  -  {}:1\n", root.display()))
        .stderr("");
}

#[test]
fn two_at_one_level() {
    let sandbox = Sandbox::without_programs();
    let first = sandbox.write("lib/ports.nix", "{ a = 1; }");
    let second = sandbox.write("config/ports.nix", "{ a = 2; }");
    ports(&sandbox, &["get", "a"]).code(2).stdout("").stderr(&format!(
        "ports: both `{}` and `{}` are here\nhint: name one of them by `--file` or `PORTS_FILE`\n",
        first.display(),
        second.display()
    ));
}

#[test]
fn none_at_all() {
    let sandbox = Sandbox::without_programs();
    let here = sandbox.work();
    let here = here.display();
    ports(&sandbox, &["list"]).code(2).stdout("").stderr(&format!(
        "ports: there is no port registry in `{here}` or above it, up to `{here}`\n\
         hint: write lib/ports.nix, or name the file by `--file` or `PORTS_FILE`\n"
    ));
}

#[test]
fn the_flag_the_variable_and_the_search() {
    let sandbox = Sandbox::without_programs();
    sandbox.write("ports.nix", "{ a = 1; }");
    sandbox.write("two.nix", "{ a = 2; }");
    sandbox.write("three.json", "{\"a\": \"3\"}");
    let run = |args: &[&str]| {
        sandbox.run(env!("CARGO_BIN_EXE_ports")).env("PORTS_FILE", "two.nix").args(args).output()
    };
    ports(&sandbox, &["get", "a"]).code(0).stdout("1\n").stderr("");
    run(&["get", "a"]).code(0).stdout("2\n").stderr("");
    run(&["get", "-f", "three.json", "a"]).code(0).stdout("3\n").stderr("");
}

#[test]
fn toml_and_json_have_places() {
    let sandbox = Sandbox::without_programs();
    sandbox.write("r.toml", "[db]\nredis = 6379 # cache\npg = \"5432\"\n");
    sandbox.write("r.json", "{\n  \"db\": { \"redis\": 6379 }\n}\n");
    ports(&sandbox, &["-f", "r.toml", "list"])
        .code(0)
        .stdout("5432  db.pg     -  r.toml:3\n6379  db.redis  -  r.toml:2  cache\n")
        .stderr("");
    ports(&sandbox, &["-f", "r.json", "list"])
        .code(0)
        .stdout("6379  db.redis  -  r.json:2\n")
        .stderr("");
}

#[test]
fn the_set_in_the_file() {
    let sandbox = Sandbox::without_programs();
    sandbox.write("ports.nix", "{ ports = { a = 1; }; config.\"my ports\" = { a = 2; }; }");
    ports(&sandbox, &["get", "a"]).code(0).stdout("1\n").stderr("");
    ports(&sandbox, &["--root", "config.\"my ports\"", "get", "a"])
        .code(0)
        .stdout("2\n")
        .stderr("");
    ports(&sandbox, &["--root", "config.b", "get", "a"])
        .code(2)
        .stdout("")
        .stderr("ports: `ports.nix` has no set `config.b`\n");
}

#[test]
fn what_cannot_be_read() {
    let sandbox = Sandbox::without_programs();
    let output = ports(&sandbox, &["-f", "gone.nix", "list"]).code(2).stdout("");
    assert!(output.stderr.starts_with("ports: cannot read: failed to "), "{}", output.stderr);
    assert!(output.stderr.contains("gone.nix"), "{}", output.stderr);
    sandbox.write("ports.yaml", "a: 1\n");
    ports(&sandbox, &["-f", "ports.yaml", "list"]).code(2).stdout("").stderr(
        "ports: `ports.yaml` is no registry: its name must end with .nix, .json or .toml\n",
    );
    sandbox.write("r.json", "{\n \"a\": 1,\n}");
    ports(&sandbox, &["-f", "r.json", "list"])
        .code(2)
        .stdout("")
        .stderr("ports: r.json:3:1: expected a name in quotes but found `}`\n");
    sandbox.write("list.nix", "[ 1 ]");
    ports(&sandbox, &["-f", "list.nix", "list"])
        .code(2)
        .stdout("")
        .stderr("ports: `list.nix` holds a list, but a registry is a set\n");
}
