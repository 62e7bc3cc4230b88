//! `who`, `next --live` and `check --live` beside real listeners.

use std::net::{Ipv6Addr, SocketAddrV6, TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;

use rustix::net::{
    AddressFamily, SocketFlags, SocketType, bind, getsockname, listen, socket_with, sockopt,
};
use testkit::Sandbox;

use super::ports;

/// A socket that listens while it lives.
#[derive(Debug)]
struct Listener {
    port: u16,
    protocol: &'static str,
    address: &'static str,
    _socket: Socket,
}

#[derive(Debug)]
#[expect(dead_code, reason = "they listen while they live")]
enum Socket {
    Tcp(TcpListener),
    Udp(UdpSocket),
    Raw(OwnedFd),
}

fn tcp(address: &'static str) -> Listener {
    let socket = TcpListener::bind((address, 0)).unwrap();
    let port = socket.local_addr().unwrap().port();
    Listener { port, protocol: "tcp", address, _socket: Socket::Tcp(socket) }
}

fn udp(address: &'static str) -> Listener {
    let socket = UdpSocket::bind((address, 0)).unwrap();
    let port = socket.local_addr().unwrap().port();
    Listener { port, protocol: "udp", address, _socket: Socket::Udp(socket) }
}

/// A listener on all addresses of IPv6 and none of IPv4.
fn v6_only() -> Listener {
    let family = AddressFamily::INET6;
    // A program that is run must not have it, too.
    let fd = socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
    sockopt::set_ipv6_v6only(&fd, true).unwrap();
    bind(&fd, &SocketAddrV6::new(Ipv6Addr::UNSPECIFIED, 0, 0, 0)).unwrap();
    listen(&fd, 1).unwrap();
    let port = SocketAddrV6::try_from(getsockname(&fd).unwrap()).unwrap().port();
    Listener { port, protocol: "tcp", address: "::", _socket: Socket::Raw(fd) }
}

fn listeners() -> Vec<Listener> {
    let tcp = ["0.0.0.0", "127.0.0.1", "::1", "127.0.0.2"].map(tcp);
    let udp = ["0.0.0.0", "127.0.0.1", "::1"].map(udp);
    tcp.into_iter().chain(udp).chain([v6_only()]).collect()
}

/// The name of this process, as the system shortens it.
fn command() -> String {
    fs_err::read_to_string("/proc/self/comm").unwrap().trim_end().to_owned()
}

/// The lines about this process. Another test may be starting a program just now: until that is another program, it has
/// the same sockets.
fn own_lines(stdout: &str) -> Vec<&str> {
    let pid = std::process::id().to_string();
    let is_own = |line: &&str| line.split(|c: char| !c.is_ascii_digit()).any(|word| word == pid);
    stdout.lines().filter(is_own).collect()
}

#[test]
fn every_listener_is_found() {
    let sandbox = Sandbox::without_programs();
    let (pid, command) = (std::process::id(), command());
    for Listener { port, protocol, address, _socket } in listeners() {
        let wanted = format!("{port}  {protocol}  {address}  {pid}  {command}");
        let number = port.to_string();
        sandbox.write("ports.nix", format!("{{ web = {port}; }}"));
        for target in [&*number, "web"] {
            let output = ports(&sandbox, &["who", target]).code(0);
            assert_eq!(own_lines(&output.stdout), [&*wanted], "{}", output.stdout);
            output.stderr("");
        }
    }
}

#[test]
fn every_listener_is_avoided() {
    let sandbox = Sandbox::without_programs();
    sandbox.write("ports.nix", "{ }");
    for Listener { port, protocol, address, _socket } in listeners() {
        let range = format!("{port}-{port}");
        ports(&sandbox, &["next", "--range", &range])
            .code(0)
            .stdout(&format!("{port}\n"))
            .stderr("");
        let output = ports(&sandbox, &["next", "--live", "--range", &range]).code(1).stdout("");
        assert!(output.stderr.starts_with("ports: no number is free"), "{protocol} {address}");
    }
}

#[test]
fn every_listener_is_reported() {
    let sandbox = Sandbox::without_programs();
    let (pid, command) = (std::process::id(), command());
    for Listener { port, protocol, address, _socket } in listeners() {
        sandbox.write("ports.nix", format!("rec {{ web = {port}; also = web; free = 1; }}"));
        let shown = if address.contains(':') { format!("[{address}]") } else { address.to_owned() };
        let args = ["check", "--system", "none", "--live"];
        let output = ports(&sandbox, &args).code(1);
        let errors: Vec<&str> =
            output.stdout.lines().filter(|line| line.contains(" error ")).collect();
        let [error] = errors[..] else { panic!("{}", output.stdout) };
        let start = format!("ports.nix:1:7: error live: `web`, {port}, is in use by ");
        assert!(error.starts_with(&start), "{error}");
        assert!(error.contains(&format!("{command} (pid {pid})")), "{error}");
        assert!(error.ends_with(&format!(" on {shown}:{port}/{protocol}")), "{error}");
        output.stderr("");
        let output = ports(&sandbox, &[&args[..], &["--expect", "used"]].concat()).code(1);
        let errors: Vec<&str> =
            output.stdout.lines().filter(|line| line.contains(" error ")).collect();
        assert_eq!(errors, ["ports.nix:1:32: error live: nothing listens on `free`, 1"], "{port}");
        output.stderr("");
    }
}

#[test]
fn protocols_are_told_apart() {
    let sandbox = Sandbox::without_programs();
    let socket = udp("127.0.0.1");
    let port = socket.port;
    sandbox.write(
        "ports.nix",
        format!(
            "rec {{ a-tcp = {port}; b-udp = a-tcp; c = {{ port = a-tcp; protocol = \"both\"; }}; }}"
        ),
    );
    ports(&sandbox, &["who", "a-tcp"])
        .code(1)
        .stdout("")
        .stderr(&format!("ports: nothing listens on `a-tcp`, {port}\n"));
    let output = ports(&sandbox, &["who", "b-udp"]).code(0);
    assert!(output.stdout.starts_with(&format!("{port}  udp  127.0.0.1  ")), "{}", output.stdout);
    let args = ["check", "--system", "none", "--live", "--expect", "used"];
    let output = ports(&sandbox, &args).code(1);
    assert!(output.stdout.contains(&format!("`a-tcp`, {port}\n")), "{}", output.stdout);
    assert!(!output.stdout.contains("nothing listens on `b-udp`"), "{}", output.stdout);
    assert!(output.stdout.contains(&format!("`c`, {port}/tcp\n")), "{}", output.stdout);
}

#[test]
fn connections_are_no_listeners() {
    let sandbox = Sandbox::without_programs();
    let server = tcp("127.0.0.1");
    let stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let port = stream.local_addr().unwrap().port().to_string();
    ports(&sandbox, &["who", &port])
        .code(1)
        .stdout("")
        .stderr(&format!("ports: nothing listens on {port}\n"));
    ports(&sandbox, &["who", "--json", &port])
        .code(1)
        .stdout("[]\n")
        .stderr(&format!("ports: nothing listens on {port}\n"));
}

#[test]
fn as_json() {
    let sandbox = Sandbox::without_programs();
    let socket = tcp("127.0.0.1");
    let (pid, command, port) = (std::process::id(), command(), socket.port);
    let uid = rustix::process::geteuid().as_raw();
    let wanted = serde_json::json!({
        "port": port, "protocol": "tcp", "address": "127.0.0.1", "pid": pid, "command": command, "uid": uid
    });
    let output = ports(&sandbox, &["who", "--json", &port.to_string()]).code(0);
    let records: Vec<serde_json::Value> = serde_json::from_str(&output.stdout).unwrap();
    assert!(records.contains(&wanted), "{}", output.stdout);
    output.stderr("");
    sandbox.write("ports.nix", format!("{{ a-tcp = {port}; }}"));
    let args = ["check", "--live", "--expect", "used", "--format", "json"];
    let output = ports(&sandbox, &args).code(0);
    let report: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let [state] = &report["live"].as_array().unwrap()[..] else { panic!("{report}") };
    assert_eq!(
        (&state["path"], &state["port"], &state["state"]),
        (&"a-tcp".into(), &port.into(), &"used".into())
    );
    assert!(state["sockets"].as_array().unwrap().contains(&wanted), "{report}");
    output.stderr("");
}

#[test]
fn numbers_of_this_checkout() {
    let sandbox = Sandbox::without_programs();
    let socket = tcp("127.0.0.1");
    let base = socket.port - 100;
    sandbox.write("ports.nix", format!("{{ web = {base}; }}"));
    let run = |args: &[&str]| {
        sandbox.run(env!("CARGO_BIN_EXE_ports")).env("PORTS_OFFSET", "100").args(args).output()
    };
    let output = run(&["who", "web"]).code(0);
    assert!(output.stdout.starts_with(&socket.port.to_string()), "{}", output.stdout);
    let output = run(&["check", "--system", "none", "--live"]).code(1);
    assert!(
        output.stdout.contains(&format!("`web`, {}, is in use", socket.port)),
        "{}",
        output.stdout
    );
}

#[test]
fn who_without_a_registry_and_with_an_unknown_path() {
    let sandbox = Sandbox::without_programs();
    let output = ports(&sandbox, &["who", "web"]).code(2).stdout("");
    assert!(output.stderr.contains("no port registry"), "{}", output.stderr);
    for number in ["0", "65536", "99999999999"] {
        let output = ports(&sandbox, &["who", number]).code(2).stdout("");
        assert!(output.stderr.contains("a port is from 1 to 65535"), "{}", output.stderr);
    }
    sandbox.write("ports.nix", "{ web = 80; }");
    ports(&sandbox, &["who", "wbe"])
        .code(1)
        .stdout("")
        .stderr("ports: no port `wbe` in `ports.nix`\nhint: did you mean `web`?\n");
}
