//! The client against a server that does exactly what a test says, down to the byte and the closed connection.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use transfer::{
    Bytes, CallError, Cancel, Client, Credential, Method, Request, Response, Secret, Settings,
    Source, Url,
};

/// What the server read of one request.
#[derive(Debug, Default)]
struct Seen {
    head: String,
    body: u64,
}

/// One step of a server, in order.
enum Step {
    /// Read a request's head.
    Head,
    /// Read so many bytes of its body.
    Body(u64),
    /// Write these bytes.
    Say(&'static str),
    /// Wait.
    Pause(Duration),
    /// Close, unread bytes or not, and take the next connection.
    Close,
}
use Step::{Body, Close, Head, Pause, Say};

struct Server {
    port: u16,
    thread: JoinHandle<Vec<Seen>>,
}

impl Server {
    fn run(steps: Vec<Step>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        Self { port, thread: thread::spawn(move || serve(&listener, steps)) }
    }

    fn url(&self, path: &str) -> Url {
        format!("http://127.0.0.1:{}{path}", self.port).parse().unwrap()
    }

    fn seen(self) -> Vec<Seen> {
        self.thread.join().unwrap()
    }
}

fn serve(listener: &TcpListener, steps: Vec<Step>) -> Vec<Seen> {
    let mut seen = Vec::new();
    let mut open: Option<BufReader<TcpStream>> = None;
    for step in steps {
        let connection = open.get_or_insert_with(|| BufReader::new(listener.accept().unwrap().0));
        match step {
            Head => {
                let mut one = Seen::default();
                while !one.head.ends_with("\r\n\r\n") {
                    assert_ne!(connection.read_line(&mut one.head).unwrap(), 0, "no request came");
                }
                seen.push(one);
            }
            Body(size) => {
                let got = io::copy(&mut connection.take(size), &mut io::sink()).unwrap();
                seen.last_mut().unwrap().body += got;
            }
            Say(text) => connection.get_mut().write_all(text.as_bytes()).unwrap(),
            Pause(time) => thread::sleep(time),
            Close => open = None,
        }
    }
    seen
}

fn settings() -> Settings {
    let mut settings = Settings::new("test/1");
    settings.timeouts.answer = Duration::from_millis(600);
    settings.timeouts.idle = Duration::from_millis(300);
    settings.timeouts.await_continue = Duration::from_millis(200);
    settings
}

fn client() -> Client {
    Client::new(settings())
}

fn get(client: &Client, url: Url) -> Result<Response, CallError> {
    client.send(&Request::new(Method::GET, url))
}

fn words(error: &CallError) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

#[test]
fn a_request_says_what_it_should() {
    let server = Server::run(vec![Head, Say(OK), Head, Body(3), Say(OK), Head, Say(OK)]);
    let client = client();
    let answer = get(&client, server.url("/v2/?a=%2F+b==")).unwrap();
    assert_eq!(answer.read(2).unwrap(), b"hi");
    let put = Request::new(Method::PUT, server.url("/x"))
        .header("Content-Type", "text/plain")
        .body(&Bytes(b"abc"));
    client.send(&put).unwrap().finish();
    client.send(&Request::new(Method::POST, server.url("/y"))).unwrap().finish();
    let port = server.port;
    let seen = server.seen();
    assert_eq!(
        seen[0].head,
        format!(
            "GET /v2/?a=%2F+b== HTTP/1.1\r\naccept-encoding: identity\r\n\
             user-agent: test/1\r\naccept: */*\r\nhost: 127.0.0.1:{port}\r\n\r\n"
        )
    );
    assert!(seen[1].head.contains("content-length: 3\r\n"), "{}", seen[1].head);
    assert!(!seen[1].head.contains("expect"), "{}", seen[1].head);
    assert_eq!(seen[1].body, 3);
    assert!(seen[2].head.contains("content-length: 0\r\n"), "{}", seen[2].head);
}

#[test]
fn a_large_body_is_announced_and_an_early_no_costs_nothing() {
    let no = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
    let server = Server::run(vec![Head, Say(no), Close]);
    let sent = AtomicU64::new(0);
    let watch = |bytes| {
        sent.fetch_add(bytes, Ordering::Relaxed);
    };
    let body = vec![0; 1 << 20];
    let body = Bytes(&body);
    let request = Request::new(Method::PUT, server.url("/")).body(&body).watch(&watch);
    assert_eq!(client().send(&request).unwrap().status(), 401);
    assert_eq!(sent.into_inner(), 0);
    assert!(server.seen()[0].head.contains("expect: 100-continue\r\n"));
}

#[test]
fn a_server_that_never_says_continue_is_asked_once() {
    let steps = vec![Head, Body(1 << 20), Say(OK), Head, Body(1 << 20), Say(OK)];
    let server = Server::run(steps);
    let client = client();
    let body = vec![0; 1 << 20];
    let body = Bytes(&body);
    for _ in 0..2 {
        let request = Request::new(Method::PUT, server.url("/")).body(&body);
        client.send(&request).unwrap().finish();
    }
    let seen = server.seen();
    assert!(seen[0].head.contains("expect"));
    assert!(!seen[1].head.contains("expect"));
    assert_eq!((seen[0].body, seen[1].body), (1 << 20, 1 << 20));
}

#[test]
fn a_refused_expectation_is_dropped() {
    let no = "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let server = Server::run(vec![Head, Say(no), Close, Head, Body(1 << 17), Say(OK)]);
    let body = vec![0; 1 << 17];
    let body = Bytes(&body);
    let request = Request::new(Method::PUT, server.url("/")).body(&body);
    assert_eq!(client().send(&request).unwrap().status(), 200);
    assert_eq!(server.seen()[1].body, 1 << 17);
}

#[test]
fn a_credential_stays_at_its_origin() {
    let there = Server::run(vec![Head, Say(OK)]);
    let target = there.url("/blob").to_string().replace("127.0.0.1", "localhost");
    let say =
        format!("HTTP/1.1 307 Moved\r\nLocation: {target}?sig=1\r\nContent-Length: 0\r\n\r\n");
    let here = Server::run(vec![Head, Say(say.leak())]);
    let url = here.url("/v2/");
    let credential = Credential::basic(url.origin().clone(), "me", &Secret::new("s3cret"));
    let client = client();
    let request = Request::new(Method::GET, url).credential(Some(&credential));
    let answer = client.send(&request).unwrap();
    assert_eq!(answer.url().query(), Some("sig=1"));
    assert!(here.seen()[0].head.contains("authorization: Basic bWU6czNjcmV0\r\n"));
    let seen = there.seen();
    assert!(!seen[0].head.contains("authorization"), "{}", seen[0].head);
    assert!(!format!("{credential:?}{client:?}").contains("s3cret"));
}

#[test]
fn a_redirect_is_not_followed_with_a_body() {
    let moved = "HTTP/1.1 307 Moved\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n";
    let server = Server::run(vec![Head, Body(3), Say(moved)]);
    let request = Request::new(Method::PUT, server.url("/")).body(&Bytes(b"abc"));
    assert_eq!(client().send(&request).unwrap().status(), 307);
    drop(server.seen());
}

#[test]
fn a_redirect_that_goes_nowhere_is_told() {
    let moved = "HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n";
    let server = Server::run((0..6).flat_map(|_| [Head, Say(moved)]).collect());
    let url = server.url("/");
    let error = words(&get(&client(), url).unwrap_err());
    let here = format!("http://127.0.0.1:{}", server.port);
    assert_eq!(error, format!("GET {here}/again: 302 Found, a redirect too many in a row"));
    let cases = [
        ("", format!("GET {here}/: 302 Found, a redirect without a location")),
        (
            "Location: file:///etc/passwd?secret\r\n",
            format!(
                "GET {here}/: 302 Found with the location `file:///etc/passwd`: \
                 `file` is neither `http` nor `https`"
            ),
        ),
        (
            "Location: http://registry.example/\r\n",
            "GET http://registry.example/: plain http is spoken only to this machine".to_owned(),
        ),
    ];
    for (header, expected) in cases {
        let say = format!("HTTP/1.1 302 Found\r\n{header}Content-Length: 0\r\n\r\n");
        let server = Server::run(vec![Head, Say(say.leak())]);
        let error = words(&get(&client(), server.url("/")).unwrap_err());
        let expected = expected.replace(&here, &format!("http://127.0.0.1:{}", server.port));
        assert_eq!(error, expected);
    }
}

#[test]
fn an_answer_that_says_no_is_quoted() {
    let body = r#"{"errors":[{"code":"DENIED","message":"no"}]}"#;
    let say = format!(
        "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let server = Server::run(vec![Head, Say(say.leak())]);
    let answer = get(&client(), server.url("/v2/a?token=secret")).unwrap();
    let here = format!("http://127.0.0.1:{}", server.port);
    assert_eq!(
        words(&answer.into_error()),
        format!("GET {here}/v2/a?…: 403 Forbidden: DENIED: no")
    );
}

#[test]
fn no_answer_is_told_by_its_cause() {
    let refused = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let url: Url = format!("http://127.0.0.1:{refused}/").parse().unwrap();
    let error = words(&get(&client(), url).unwrap_err());
    let start = format!("GET http://127.0.0.1:{refused}/: no answer: Connection refused");
    assert!(error.starts_with(&start), "{error}");
    for (steps, cause) in [
        (vec![Head, Close], "no answer: Peer disconnected"),
        (vec![Head, Say("SSH-2.0-OpenSSH_9\r\n\r\n")], "no answer: the answer is not HTTP: "),
        (
            vec![Head, Pause(Duration::from_secs(1))],
            "no answer: timed out while receiving: nothing came",
        ),
    ] {
        let server = Server::run(steps);
        let error = words(&get(&client(), server.url("/")).unwrap_err());
        let start = format!("GET http://127.0.0.1:{}/: {cause}", server.port);
        assert!(error.starts_with(&start), "{error}");
    }
}

#[test]
fn tls_is_not_spoken_to_a_plain_server() {
    let server = Server::run(vec![Say("HTTP/1.0 400 Bad Request\r\n\r\nplain"), Close]);
    let url: Url = format!("https://127.0.0.1:{}/", server.port).parse().unwrap();
    let error = words(&get(&client(), url).unwrap_err());
    assert!(error.contains(": no answer: TLS failed: received corrupt message"), "{error}");
}

#[test]
fn a_body_that_is_cut_is_told_with_its_place() {
    let server = Server::run(vec![Head, Say("HTTP/1.1 100 Continue\r\n\r\n"), Body(9), Close]);
    let body = vec![0; 32 << 20];
    let body = Bytes(&body);
    let request = Request::new(Method::PUT, server.url("/")).body(&body);
    let error = client().send(&request).unwrap_err();
    let CallError::BodyCut { sent, size, .. } = &error else { panic!("{error:?}") };
    assert_eq!(*size, 32 << 20);
    assert!((1..*size).contains(sent));
    assert!(error.to_string().ends_with("of 33554432 bytes of the body"), "{error}");
}

#[test]
fn an_answer_that_breaks_off_is_no_answer() {
    for (say, limit, cause) in [
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi",
            100,
            "200 OK, but the answer broke off: ",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123456789",
            8,
            "200 OK with more than 8 bytes",
        ),
    ] {
        let server = Server::run(vec![Head, Say(say), Close]);
        let answer = get(&client(), server.url("/")).unwrap();
        let error = words(&answer.read(limit).unwrap_err());
        let start = format!("GET http://127.0.0.1:{}/: {cause}", server.port);
        assert!(error.starts_with(&start), "{error}");
    }
}

/// A source that is not what it said it is.
struct Liar(u64, &'static [u8]);

impl Source for Liar {
    fn size(&self) -> u64 {
        self.0
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        if self.1.is_empty() { Err(io::Error::other("gone")) } else { Ok(Box::new(self.1)) }
    }
}

#[test]
fn a_source_is_held_to_its_word() {
    for (liar, cause) in [
        (Liar(4, b"abc"), "it ended after 3 of 4 bytes"),
        (Liar(2, b"abc"), "it has more than its 2 bytes"),
        (Liar(2, b""), "gone"),
    ] {
        // Nobody has to take the connection: it waits in the listener's queue.
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let url: Url = format!("http://127.0.0.1:{port}/").parse().unwrap();
        let error = client().send(&Request::new(Method::PUT, url).body(&liar)).unwrap_err();
        let start = format!("PUT http://127.0.0.1:{port}/: cannot read the body to send: {cause}");
        assert_eq!(words(&error), start);
    }
}

#[test]
fn a_cancelled_body_stops() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url: Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let cancel = Cancel::new();
    let watch = |_| cancel.cancel();
    let body = vec![0; 1 << 20];
    let body = Bytes(&body);
    let request = Request::new(Method::PUT, url).body(&body).cancel(&cancel).watch(&watch);
    let error = client().send(&request).unwrap_err();
    assert!(matches!(error, CallError::Cancelled { .. }), "{error:?}");
}

#[test]
fn a_proxy_is_asked_to_connect() {
    let proxy =
        Server::run(vec![Head, Say("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"), Close]);
    let address = format!("http://user:s3cret@127.0.0.1:{}", proxy.port);
    let mut settings = settings();
    settings.roots = transfer::Roots::File("tests/ca.pem".into());
    settings.proxies = transfer::Proxies::parse(None, Some(address.as_ref()), None).unwrap();
    let url: Url = "https://registry.example/v2/".parse().unwrap();
    let error = words(&get(&Client::new(settings), url).unwrap_err());
    assert!(error.contains("no answer: the proxy does not connect"), "{error}");
    assert!(!error.contains("s3cret"));
    assert!(proxy.seen()[0].head.starts_with("CONNECT registry.example:443 HTTP/1.1\r\n"));
}

#[test]
fn connections_are_used_again() {
    let count = Mutex::new(0);
    let server = Server::run((0..8).flat_map(|_| [Head, Say(OK)]).collect());
    let client = client();
    for _ in 0..8 {
        // The server takes one connection only.
        get(&client, server.url("/")).unwrap().finish();
        *count.lock().unwrap() += 1;
    }
    assert_eq!(count.into_inner().unwrap(), 8);
    assert_eq!(server.seen().len(), 8);
}
