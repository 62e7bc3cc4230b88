//! The registry breaks in the ways that it is asked to.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use testkit::registry::{Act, Answer, Fault, Registry};

/// Sends one request and reads until the other side closes.
fn ask(registry: &Registry) -> std::io::Result<String> {
    let mut connection = TcpStream::connect(registry.host())?;
    connection.set_read_timeout(Some(Duration::from_millis(500)))?;
    connection.write_all(b"GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n")?;
    let mut answer = [0; 1000];
    let length = connection.read(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer[..length]).into_owned())
}

#[test]
fn faults_in_turn() {
    let registry = Registry::start();
    let acts = [
        Act::Reset,
        Act::Close,
        Act::Answer(Answer::html(502, "Bad")),
        Act::Stall(Duration::from_secs(1)),
    ];
    for act in acts {
        registry.fault(Fault::on("GET", "/v2/", act).times(1));
    }
    assert_eq!(ask(&registry).unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!(ask(&registry).unwrap(), "");
    assert!(ask(&registry).unwrap().starts_with("HTTP/1.1 502"));
    assert_eq!(ask(&registry).unwrap_err().kind(), ErrorKind::WouldBlock);
    assert!(ask(&registry).unwrap().starts_with("HTTP/1.1 200"));
}
