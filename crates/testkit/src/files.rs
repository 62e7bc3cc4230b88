//! A web server of files in memory: a package registry's downloads, a binary cache; with switches that make it fail.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// More than this is no head of a request.
const MAX_HEAD: u64 = 64 << 10;

/// What happens to requests for a path instead of an answer.
#[derive(Debug, Clone)]
pub enum Trouble {
    /// This status, these headers, and no body to speak of.
    Status(u16, Vec<(String, String)>),
    /// The connection ends after so many bytes of the body.
    Cut(usize),
    /// The connection ends before any answer.
    Close,
    /// 200, and a page of HTML.
    Html,
}

/// The server; it listens on a port of its own until the process ends.
#[derive(Debug)]
pub struct Files {
    address: SocketAddr,
    shared: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<String, Vec<u8>>,
    troubles: Vec<(String, usize, Trouble)>,
    requests: Vec<String>,
    authorizations: Vec<String>,
}

impl Files {
    /// A server without files: everything is a 404.
    ///
    /// # Panics
    /// When no port can be had.
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Mutex::new(State::default()));
        thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                for connection in listener.incoming().flatten() {
                    let shared = Arc::clone(&shared);
                    // A client that goes away ends its own connection only.
                    thread::spawn(move || drop(serve(&connection, &shared)));
                }
            }
        });
        Self { address, shared }
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Puts a file in, by its path from the root: `/a/-/a-1.tgz`.
    pub fn put(&self, path: &str, bytes: impl Into<Vec<u8>>) {
        self.state().files.insert(path.to_owned(), bytes.into());
    }

    /// Makes the next `times` requests for a path fail.
    pub fn trouble(&self, path: &str, times: usize, trouble: Trouble) {
        self.state().troubles.push((path.to_owned(), times, trouble));
    }

    /// The paths of all requests so far.
    pub fn requests(&self) -> Vec<String> {
        self.state().requests.clone()
    }

    /// The `Authorization` headers of all requests so far.
    pub fn authorizations(&self) -> Vec<String> {
        self.state().authorizations.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.shared)
    }
}

fn lock(shared: &Mutex<State>) -> MutexGuard<'_, State> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(connection: &TcpStream, shared: &Mutex<State>) -> io::Result<()> {
    let mut reader = BufReader::new(connection);
    let mut writer = connection;
    while let Some((path, authorization)) = read_head(&mut reader)? {
        let (file, trouble) = {
            let mut state = lock(shared);
            state.requests.push(path.clone());
            state.authorizations.extend(authorization);
            let trouble =
                state.troubles.iter_mut().find(|(at, times, _)| *at == path && *times > 0);
            let trouble = trouble.map(|(_, times, trouble)| {
                *times -= 1;
                trouble.clone()
            });
            (state.files.get(&path).cloned(), trouble)
        };
        match trouble {
            Some(Trouble::Close) => return Ok(()),
            Some(Trouble::Cut(bytes)) => {
                let body = file.unwrap_or_default();
                writer.write_all(head(200, &[], body.len()).as_bytes())?;
                return writer.write_all(&body[..bytes.min(body.len())]);
            }
            Some(Trouble::Status(status, headers)) => {
                writer.write_all(head(status, &headers, 0).as_bytes())?;
            }
            Some(Trouble::Html) => {
                let page = b"<!doctype html><title>Log in</title>";
                let kind = [("Content-Type".to_owned(), "text/html".to_owned())];
                writer.write_all(head(200, &kind, page.len()).as_bytes())?;
                writer.write_all(page)?;
            }
            None => match file {
                Some(body) => {
                    writer.write_all(head(200, &[], body.len()).as_bytes())?;
                    writer.write_all(&body)?;
                }
                None => writer.write_all(head(404, &[], 0).as_bytes())?,
            },
        }
    }
    Ok(())
}

fn head(status: u16, headers: &[(String, String)], length: usize) -> String {
    let mut head = format!("HTTP/1.1 {status} -\r\nContent-Length: {length}\r\n");
    for (name, value) in headers {
        // Writing to a string cannot fail.
        let _infallible = write!(head, "{name}: {value}\r\n");
    }
    head.push_str("\r\n");
    head
}

/// The path of the next request and its `Authorization`; none when the client has closed.
fn read_head(reader: &mut BufReader<&TcpStream>) -> io::Result<Option<(String, Option<String>)>> {
    let line = |reader: &mut BufReader<&TcpStream>| -> io::Result<String> {
        let mut line = String::new();
        reader.take(MAX_HEAD).read_line(&mut line)?;
        Ok(line)
    };
    let first = line(reader)?;
    let Some(path) = first.split_whitespace().nth(1) else { return Ok(None) };
    let mut authorization = None;
    loop {
        let header = line(reader)?;
        let Some((name, value)) = header.trim_end().split_once(':') else { break };
        if name.eq_ignore_ascii_case("authorization") {
            authorization = Some(value.trim().to_owned());
        }
    }
    Ok(Some((path.to_owned(), authorization)))
}
