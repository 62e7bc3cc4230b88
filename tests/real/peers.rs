//! The peers themselves start: what the other tests here stand on.

use testkit::{Sandbox, Server};

#[test]
fn docker_registry_starts_open_and_locked() {
    let sandbox = Sandbox::new();
    let curl = |server: &Server, login: &[&str]| {
        let url = format!("http://{}/v2/", server.address());
        let code = sandbox.run("curl").args(["-s", "-o", "/dev/null", "-w", "%{http_code}"]);
        code.args(login).arg(url).output().code(0).stdout
    };
    let open = Server::docker_registry(&sandbox, None);
    assert_eq!(curl(&open, &[]), "200");
    let locked = Server::docker_registry(&sandbox, Some(("alice", "s3cret:pa ss")));
    assert_eq!(curl(&locked, &[]), "401");
    assert_eq!(curl(&locked, &["-u", "alice:s3cret:pa ss"]), "200");
}
