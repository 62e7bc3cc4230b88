//! What stands between us and the registry: proxies that answer for it, and servers of another age.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

use testkit::registry::{Act, Answer, Auth, Fault, Received, Registry};

use super::{Case, uploads};

/// A proxy that leads every `CONNECT` for a host with port 80 to one address, and refuses all others.
fn proxy(to: String) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let to = to.clone();
            thread::spawn(move || drop(tunnel(&connection, &to)));
        }
    });
    port
}

fn tunnel(client: &TcpStream, to: &str) -> io::Result<()> {
    let mut reader = BufReader::new(client);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head)? != 0 {}
    let mut writer = client;
    if !head.starts_with("CONNECT registry.example:80 ") {
        return writer.write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
    }
    let server = TcpStream::connect(to)?;
    writer.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    let (mut from_server, mut to_client) = (server.try_clone()?, client.try_clone()?);
    let back = thread::spawn(move || {
        let _ended = io::copy(&mut from_server, &mut to_client);
        let _closed = to_client.shutdown(Shutdown::Both);
    });
    let _ended = io::copy(&mut reader, &mut &server);
    let _closed = server.shutdown(Shutdown::Both);
    drop(back.join());
    Ok(())
}

#[test]
fn case_07_a_port_that_is_written_in_the_reference_alone() {
    let case = Case::with(Registry::with_auth(Auth::basic("alice", "s3cret")));
    let host = case.registry.host();
    // The registry knows nothing of its port.
    let without = move |answer: &mut Answer| {
        let location = answer.get("Location").unwrap_or_default();
        let location = location.replace(&host, "registry.example");
        answer.set("Location", location);
    };
    case.registry.fault(uploads("POST", Act::edit(without)));
    let through = format!("http://127.0.0.1:{}", proxy(case.registry.host()));
    let run = case.tool(["--insecure", "-j1", "image", "registry.example:80/a/b:v1"]);
    let run = run.env("REGISTRY_USER", "alice").env("REGISTRY_PASSWORD", "s3cret");
    let run = run.env("HTTP_PROXY", &through).env("HTTPS_PROXY", &through);
    run.output().code(0).stdout(&format!("{}\n", case.image.digest())).stderr("...");
    case.is_there();
    let puts = case.registry.received().into_iter().filter(|one| one.method == "PUT");
    assert!(puts.into_iter().all(|one| one.authorization.is_some()), "the login is kept");
}

#[test]
fn a_proxy_that_says_continue_by_itself_and_unauthorized_behind() {
    let case = Case::of(Registry::start(), &[6_000_000]);
    let challenge = "Basic realm=\"x\"";
    let denied = Answer::error(401, "UNAUTHORIZED", "no").header("WWW-Authenticate", challenge);
    // Once: the body is sent again with the login.
    case.registry.fault(uploads("PUT", Act::AnswerBehind(denied.clone())).times(1));
    let run = case.tool(["-j1", "--retry-for=20s", "image", &case.reference()]);
    let run = run.env("REGISTRY_USER", "alice").env("REGISTRY_PASSWORD", "s3cret");
    run.output().code(0).stdout(&format!("{}\n", case.image.digest())).stderr("...");
    case.is_there();
    // Always: it is no login that helps.
    let case = Case::of(Registry::start(), &[6_000_000]);
    case.registry.fault(uploads("PUT", Act::AnswerBehind(denied)));
    case.fails(3, "wants a login", []);
}

#[test]
fn a_registry_that_never_says_continue() {
    let case = Case::of(Registry::start(), &[200_000, 190_000, 180_000]);
    case.registry.never_continue();
    let case = case.succeeds([]);
    let asked = case.registry.received().iter().filter(|one| one.expects()).count();
    assert_eq!(asked, 1, "it is asked once");
}

#[test]
fn a_registry_that_has_no_expectations() {
    let failed = Answer::new(417);
    let case = Case::of(Registry::start(), &[200_000, 190_000]);
    let case = case.fault(uploads("PUT", Act::AnswerEarly(failed)).when(Received::expects));
    let case = case.succeeds([]);
    let asked = case.registry.received().iter().filter(|one| one.expects()).count();
    assert_eq!(asked, 1, "it is asked once");
}

#[test]
fn a_server_of_http_1_0() {
    let case = Case::new();
    for method in ["GET", "HEAD", "POST", "PUT"] {
        case.registry.fault(Fault::on(method, "", Act::Old));
    }
    case.succeeds([]);
}

#[test]
fn answers_that_are_no_http() {
    for raw in ["", "\0\0\0", "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 OK\r\n\r\n", "HTTP/1.1 201"] {
        let case = Case::new();
        let raw = Act::Raw(raw.as_bytes().to_vec());
        case.fault(uploads("PUT", raw)).fails(4, "no answer", ["--retry-for=0s"]);
    }
    let endless = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "y".repeat(1 << 20));
    let case = Case::new().fault(Fault::on("GET", "/manifests/", Act::Raw(endless.into_bytes())));
    case.fails(4, "no answer", ["--retry-for=0s"]);
}
