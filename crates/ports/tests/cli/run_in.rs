//! `ports env`.

use testkit::Sandbox;

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write(
        "lib/ports.nix",
        "{ ssh = 22; dev = { api = 3000; web = { from = 4000; to = 4001; }; }; }",
    );
    sandbox.write("lib/ports.toml", "[offset]\nkeep = [\"ssh\"]\n");
    sandbox.link_program("ports", env!("CARGO_BIN_EXE_ports"));
    sandbox
}

#[test]
fn a_program_gets_the_ports_and_the_offset() {
    let sandbox = sandbox();
    let show = "env | grep -E '_PORT=|^PORTS_|^KEEP' | sort; ports get dev.api";
    sandbox
        .run("ports")
        .env("KEEP", "this")
        .args(["env", "--offset", "100", "--", "sh", "-c", show])
        .output()
        .code(0)
        .stdout(
            "DEV_API_PORT=3100\nDEV_WEB_FROM_PORT=4100\nDEV_WEB_TO_PORT=4101\nKEEP=this\n\
             PORTS_OFFSET=100\nSSH_PORT=22\n3100\n",
        )
        .stderr("");
    // Outside of a linked worktree nothing moves, and what is below is told so.
    sandbox
        .run("ports")
        .args(["env", "--only", "dev.api", "--prefix", "X_", "--template", "{NAME}", "--", "env"])
        .output()
        .code(0)
        .stdout("...\nPORTS_OFFSET=0\n...\nX_API=3000\n")
        .stderr("");
    sandbox
        .run("ports")
        .env("PORTS_OFFSET", "200")
        .args(["env", "--", "ports", "get", "dev.api"])
        .output()
        .code(0)
        .stdout("3200\n")
        .stderr("");
}

#[test]
fn the_code_is_the_programs_own() {
    let sandbox = sandbox();
    let code = |args: &[&str]| sandbox.run("ports").arg("env").arg("--").args(args).output();
    code(&["sh", "-c", "cat; exit 7"]).code(7).stdout("").stderr("");
    code(&["sh", "-c", "kill -TERM $$"]).code(128 + 15).stdout("").stderr("");
    let missing = code(&["no-such-program"]).code(127).stdout("");
    missing.stderr("ports: cannot run `no-such-program`: No such file or directory (os error 2)\n");
    let folder = code(&["./lib"]).code(126).stdout("");
    folder.stderr("ports: cannot run `./lib`: Permission denied (os error 13)\n");
}

#[test]
fn nothing_runs_with_half_of_the_ports() {
    let sandbox = sandbox();
    sandbox.write("lib/ports.nix", "{ api = 3000; web = 70000; }");
    sandbox
        .run("ports")
        .args(["env", "--", "touch", "ran"])
        .output()
        .code(2)
        .stdout("")
        .stderr("ports: lib/ports.nix:1:15: `web` is 70000 but must be from 1 to 65535\n");
    assert!(!sandbox.path("ran").exists());
    let output = sandbox.run("ports").arg("env").output().code(2).stdout("");
    assert!(output.stderr.contains("CMD"), "{}", output.stderr);
}
