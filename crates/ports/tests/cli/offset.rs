//! `--offset` and `PORTS_OFFSET`.

use testkit::Sandbox;

use super::ports;

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::without_programs();
    sandbox.write("lib/ports.nix", "{ ssh = 22; dev = { api = 3000; web = 3001; }; }");
    sandbox.write("lib/ports.toml", "[offset]\nkeep = [\"ssh\"]\n");
    sandbox
}

fn with_variable(sandbox: &Sandbox, value: &str, args: &[&str]) -> testkit::Output {
    sandbox.run(env!("CARGO_BIN_EXE_ports")).env("PORTS_OFFSET", value).args(args).output()
}

#[test]
fn the_variable_reaches_get_and_export() {
    let sandbox = sandbox();
    with_variable(&sandbox, "100", &["get", "dev.api", "ssh"])
        .code(0)
        .stdout("3100\n22\n")
        .stderr("");
    with_variable(&sandbox, "100", &["export", "--format", "env"])
        .code(0)
        .stdout("DEV_API_PORT=3100\nDEV_WEB_PORT=3101\nSSH_PORT=22\n")
        .stderr("");
    with_variable(&sandbox, "", &["get", "dev.api"]).code(0).stdout("3000\n").stderr("");
    with_variable(&sandbox, "0", &["get", "dev.api"]).code(0).stdout("3000\n").stderr("");
}

#[test]
fn the_registry_itself_does_not_move() {
    let sandbox = sandbox();
    with_variable(&sandbox, "100", &["name", "3000"]).code(0).stdout("dev.api\n").stderr("");
    let output = with_variable(&sandbox, "100", &["list", "--group", "dev"]).code(0);
    assert!(output.stdout.starts_with("3000  dev.api"), "{}", output.stdout);
}

#[test]
fn the_flag_goes_before_the_variable() {
    let sandbox = sandbox();
    with_variable(&sandbox, "100", &["get", "--offset", "200", "dev.api"])
        .code(0)
        .stdout("3200\n")
        .stderr("");
    with_variable(&sandbox, "100", &["get", "--offset", "0", "dev.api"])
        .code(0)
        .stdout("3000\n")
        .stderr("");
    ports(&sandbox, &["get", "--offset", "-1000", "dev.api"]).code(0).stdout("2000\n").stderr("");
}

#[test]
fn direnv_passes_it_on() {
    ports(&sandbox(), &["export", "--format", "direnv", "--offset", "100"])
        .code(0)
        .stdout(
            "export DEV_API_PORT=3100\nexport DEV_WEB_PORT=3101\nexport SSH_PORT=22\n\
             export PORTS_OFFSET=100\nwatch_file lib/ports.nix\nwatch_file lib/ports.toml\n",
        )
        .stderr("");
}

#[test]
fn json_tells_it() {
    let output = ports(&sandbox(), &["get", "--json", "--offset", "5", "dev.api"]).code(0);
    assert!(output.stdout.contains("\"port\": 3005,\n    \"offset\": 5,"), "{}", output.stdout);
    let output = ports(&sandbox(), &["get", "--json", "--offset", "5", "ssh"]).code(0);
    assert!(!output.stdout.contains("offset"), "{}", output.stdout);
}

#[test]
fn an_offset_that_cannot_be() {
    let sandbox = sandbox();
    let hint = "hint: choose another offset, or name in ports.toml what does not move: `[offset]`, \
                `keep = […]`\n";
    ports(&sandbox, &["get", "--offset", "1", "ssh"]).code(2).stdout("").stderr(&format!(
        "ports: the offset 1 moves `dev.api` from 3000 to 3001, which is `dev.web` \
         (lib/ports.nix:1:33)\n{hint}"
    ));
    ports(&sandbox, &["get", "--offset", "62535", "ssh"]).code(2).stdout("").stderr(&format!(
        "ports: the offset 62535 moves `dev.web` from 3001 to 65536, which is not from 1 to 65535\n{hint}"
    ));
    with_variable(&sandbox, "auto", &["get", "ssh"])
        .code(2)
        .stdout("")
        .stderr("ports: `PORTS_OFFSET` is `auto` but must be a whole number\n");
    sandbox.write("lib/ports.toml", "[offset]\nmvoe = []\n");
    ports(&sandbox, &["get", "--offset", "1", "ssh"])
        .code(2)
        .stdout("")
        .stderr("ports: lib/ports.toml:2:1: `offset` has no `mvoe`\n");
}
