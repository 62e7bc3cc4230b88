//! HTTP/1.1, as much of it as a registry needs: one thread a connection, kept open.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::Duration;

use super::{Act, Answer, Shared, protocol};

/// More than this is no head of a request.
const MAX_HEAD: u64 = 64 << 10;

/// One request, as a test sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Received {
    /// The method.
    pub method: String,
    /// The path, without its query.
    pub path: String,
    /// The query, byte for byte; empty without one.
    pub query: String,
    /// The `Authorization` header.
    pub authorization: Option<String>,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// The `Accept` header.
    pub accept: Option<String>,
    /// All headers, with their names in lower case.
    pub headers: Vec<(String, String)>,
    /// How many bytes of its body came in so far.
    pub body_bytes: u64,
}

impl Received {
    /// A header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether it waits for a `100 Continue` before it sends its body.
    pub fn expects(&self) -> bool {
        self.header("expect").is_some()
    }

    /// Whether it is ranged: a part of an upload.
    pub fn is_ranged(&self) -> bool {
        self.header("content-range").is_some()
    }
}

/// A request and what its body needs to be read.
struct Head {
    request: Received,
    length: u64,
    chunked: bool,
    expects: bool,
}

/// What to do with a connection after a request.
enum Next {
    Keep(Answer),
    SayAndClose(Answer),
    SayOldAndClose(Answer),
    Close,
    Reset,
}

pub(super) fn serve(connection: &TcpStream, shared: &Shared) -> io::Result<()> {
    let mut reader = BufReader::new(connection);
    while let Some(head) = read_head(&mut reader)? {
        let is_head = head.request.method == "HEAD";
        let (mut writer, place) = (connection, record(shared, &head.request));
        match answer(&mut reader, &head, shared, place)? {
            Next::Keep(answer) => answer.write_to(&mut writer, is_head)?,
            Next::SayAndClose(answer) => return answer.write_to(&mut writer, is_head),
            Next::SayOldAndClose(answer) => {
                let mut said = Vec::new();
                answer.write_to(&mut said, is_head)?;
                said[..8].copy_from_slice(b"HTTP/1.0");
                return writer.write_all(&said);
            }
            Next::Close => return Ok(()),
            Next::Reset => {
                // Closing now throws away what is not sent and tells the other side so.
                rustix::net::sockopt::set_socket_linger(connection, Some(Duration::ZERO))?;
                return Ok(());
            }
        }
    }
    Ok(())
}

fn record(shared: &Shared, request: &Received) -> usize {
    let mut state = shared.state();
    state.received.push(request.clone());
    state.received.len() - 1
}

fn answer(
    reader: &mut BufReader<&TcpStream>,
    head: &Head,
    shared: &Shared,
    place: usize,
) -> io::Result<Next> {
    if head.request.path == "/token" {
        let body = read_body(reader, head, shared, place)?;
        let act = shared.state().fault_for(&head.request);
        if let Some(Act::Answer(answer)) = act {
            return Ok(Next::Keep(answer));
        }
        return Ok(Next::Keep(shared.auth.give_token(
            &head.request,
            &body,
            &mut shared.state().tokens,
        )));
    }
    let denied = {
        let mut state = shared.state();
        let host = state.address.to_string();
        let open = state.open_uploads && head.request.path.contains("/blobs/uploads/u");
        if open { None } else { shared.auth.check(&head.request, &host, &mut state.tokens) }
    };
    if let Some(denied) = denied {
        // Like real ones: whoever may not come in need not send a body.
        if head.expects {
            return Ok(Next::SayAndClose(denied));
        }
        read_body(reader, head, shared, place)?;
        return Ok(Next::Keep(denied));
    }
    let act = shared.state().fault_for(&head.request);
    match act {
        Some(Act::Answer(answer)) => {
            read_body(reader, head, shared, place)?;
            return Ok(Next::Keep(answer));
        }
        Some(Act::AnswerEarly(answer)) => return Ok(Next::SayAndClose(answer)),
        Some(Act::Close) => return Ok(Next::Close),
        Some(Act::AnswerBehind(answer)) => {
            go_on(reader, head, shared)?;
            return Ok(Next::SayAndClose(answer));
        }
        Some(Act::Raw(bytes)) => {
            read_body(reader, head, shared, place)?;
            reader.get_mut().write_all(&bytes)?;
            return Ok(Next::Close);
        }
        Some(Act::Old) => {
            let body = read_body(reader, head, shared, place)?;
            let said = protocol::answer(&head.request, &body, &mut shared.state());
            return Ok(Next::SayOldAndClose(said));
        }
        Some(Act::CutBody(bytes)) => {
            read_part(reader, head, shared, place, bytes)?;
            return Ok(Next::Close);
        }
        Some(Act::KeepPart(bytes)) => {
            let part = read_part(reader, head, shared, place, bytes)?;
            shared.state().keep(&head.request, &part);
            return Ok(Next::Reset);
        }
        Some(Act::KeepPartAnd(bytes, answer)) => {
            let part = read_part(reader, head, shared, place, bytes)?;
            shared.state().keep(&head.request, &part);
            return Ok(Next::SayAndClose(answer));
        }
        Some(Act::Reset) => return Ok(Next::Reset),
        Some(Act::ResetBody(bytes)) => {
            read_part(reader, head, shared, place, bytes)?;
            return Ok(Next::Reset);
        }
        Some(Act::HalfClose(bytes)) => {
            read_part(reader, head, shared, place, bytes)?;
            reader.get_mut().shutdown(Shutdown::Write)?;
            io::copy(reader, &mut io::sink())?;
            return Ok(Next::Close);
        }
        Some(Act::Stall(time)) => thread::sleep(time),
        Some(Act::LoseAnswer | Act::Edit(_)) | None => {}
    }
    let body = read_body(reader, head, shared, place)?;
    let mut said = protocol::answer(&head.request, &body, &mut shared.state());
    match act {
        Some(Act::LoseAnswer) => {
            shared.state().stay(&head.request);
            return Ok(Next::Close);
        }
        Some(Act::Edit(edit)) => edit(&mut said),
        _ => {}
    }
    Ok(Next::Keep(said))
}

/// Reads the first bytes of a body.
fn read_part(
    reader: &mut BufReader<&TcpStream>,
    head: &Head,
    shared: &Shared,
    place: usize,
    bytes: u64,
) -> io::Result<Vec<u8>> {
    go_on(reader, head, shared)?;
    let bytes = bytes.min(head.length);
    let mut part = vec![0; usize::try_from(bytes).unwrap_or(usize::MAX)];
    reader.read_exact(&mut part)?;
    shared.state().received[place].body_bytes = bytes;
    Ok(part)
}

/// Tells a client that waits with its body to send it.
fn go_on(reader: &mut BufReader<&TcpStream>, head: &Head, shared: &Shared) -> io::Result<()> {
    if head.expects && !shared.state().never_continues {
        reader.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    Ok(())
}

fn read_body(
    reader: &mut BufReader<&TcpStream>,
    head: &Head,
    shared: &Shared,
    place: usize,
) -> io::Result<Vec<u8>> {
    go_on(reader, head, shared)?;
    let mut body = Vec::new();
    let mut take = |reader: &mut BufReader<&TcpStream>, size: u64| -> io::Result<()> {
        let got = reader.take(size).read_to_end(&mut body)? as u64;
        shared.state().received[place].body_bytes += got;
        if got == size { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    };
    if !head.chunked {
        take(reader, head.length)?;
        return Ok(body);
    }
    loop {
        let size = line(reader)?;
        let size = u64::from_str_radix(size.trim(), 16).map_err(io::Error::other)?;
        take(reader, size)?;
        line(reader)?;
        if size == 0 {
            return Ok(body);
        }
    }
}

fn line(reader: &mut BufReader<&TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    reader.take(MAX_HEAD).read_line(&mut line)?;
    Ok(line)
}

/// Reads a request's head; none when the client has closed.
fn read_head(reader: &mut BufReader<&TcpStream>) -> io::Result<Option<Head>> {
    let first = line(reader)?;
    let mut words = first.split_whitespace();
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return Ok(None) };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut head = Head {
        request: Received {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            ..Received::default()
        },
        length: 0,
        chunked: false,
        expects: false,
    };
    loop {
        let header = line(reader)?;
        let Some((name, value)) = header.trim_end().split_once(':') else { break };
        let value = value.trim();
        let text = || Some(value.to_owned());
        head.request.headers.push((name.to_ascii_lowercase(), value.to_owned()));
        match name.to_ascii_lowercase().as_str() {
            "authorization" => head.request.authorization = text(),
            "content-type" => head.request.content_type = text(),
            "accept" => head.request.accept = text(),
            "content-length" => head.length = value.parse().map_err(io::Error::other)?,
            "transfer-encoding" => head.chunked = value.eq_ignore_ascii_case("chunked"),
            "expect" => head.expects = value.eq_ignore_ascii_case("100-continue"),
            _ => {}
        }
    }
    Ok(Some(head))
}
