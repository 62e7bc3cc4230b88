//! The sandbox holds what it promises.

use std::net::TcpStream;
use std::time::Duration;

use testkit::{Sandbox, Server};

#[test]
fn a_program_sees_only_the_sandbox() {
    let sandbox = Sandbox::new();
    sandbox.program("greet", "echo hello $1; echo words >&2; exit 3");
    sandbox.run("greet").arg("you").output().code(3).stdout("hello you\n").stderr("words\n");
    let env = sandbox.run("env").output().code(0);
    let mut names: Vec<&str> =
        env.stdout.lines().filter_map(|line| line.split('=').next()).collect();
    names.sort_unstable();
    assert_eq!(names, ["HOME", "LC_ALL", "PATH", "TMPDIR", "TZ"]);
}

#[test]
fn stdin_may_be_left_unread() {
    let sandbox = Sandbox::new();
    sandbox.bash("exit 0").stdin(vec![b'x'; 1 << 20]).output().code(0).stdout("").stderr("");
    sandbox
        .bash("wc -c")
        .stdin(vec![b'x'; 1 << 20])
        .output()
        .code(0)
        .stdout("1048576\n")
        .stderr("");
}

#[test]
#[should_panic(expected = "did not end within")]
fn a_hang_ends_the_test_and_the_whole_group() {
    let sandbox = Sandbox::new();
    drop(sandbox.bash("sleep 60 & sleep 60").timeout(Duration::from_millis(200)).output());
}

#[test]
#[should_panic(expected = "stdout: left")]
fn what_a_run_leaves_behind_cannot_hang_the_test() {
    let sandbox = Sandbox::new();
    let script = "echo left; sleep 60 & setsid sleep 3 &";
    drop(sandbox.bash(script).timeout(Duration::from_millis(200)).output());
}

#[test]
#[should_panic(expected = "stdout: one")]
fn a_difference_shows_everything() {
    let sandbox = Sandbox::new();
    sandbox.bash("echo one; echo two >&2").output().code(0).stdout("three\n").stderr("");
}

#[test]
fn commits_have_the_same_id_everywhere() {
    let sandbox = Sandbox::new();
    let git = sandbox.git();
    sandbox.write("a/b.txt", "content\n");
    git.commit_all("first");
    let head = git.ok(["rev-parse", "HEAD"]).stdout;
    assert_eq!(head.trim(), "1d86313041688b549b60100119eae43e4213c366");
    let linked = git.worktree("other");
    assert!(linked.join(".git").is_file());
}

#[test]
#[should_panic(expected = "this test needs `no-such-program`: apt-get install nothing")]
fn a_missing_peer_fails_with_its_install_command() {
    drop(testkit::require("no-such-program", "apt-get install nothing"));
}

#[test]
fn a_server_answers_until_it_is_dropped() {
    let sandbox = Sandbox::new();
    let script = "import http.server, sys; \
                  http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), \
                  http.server.SimpleHTTPRequestHandler).serve_forever()";
    let server = Server::start(&sandbox, "python3", |address| {
        sandbox.run("python3").args(["-c", script, &address.port().to_string()])
    });
    let address = server.address();
    assert!(TcpStream::connect(address).is_ok());
    drop(server);
    assert!(TcpStream::connect(address).is_err());
}

#[test]
#[should_panic(expected = "true did not come up in 5 tries")]
fn a_server_that_ends_at_once_ends_the_test() {
    let sandbox = Sandbox::new();
    drop(Server::start(&sandbox, "true", |_| sandbox.run("true")));
}
