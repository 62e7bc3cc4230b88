//! One question: does somebody accept, does a GET answer the status?

use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::{Duration, Instant};

use transfer::{Client, Method, Request, Settings, Timeouts, Url, UrlError};

/// Something to ask over the network.
#[derive(Debug)]
pub(crate) enum Question {
    /// Does somebody accept a connection?
    Tcp { host: String, port: u16 },
    /// Does a GET answer this status?
    Http { client: Box<Client>, url: Url, headers: Vec<(&'static str, String)>, status: u16 },
}

impl Question {
    /// A GET.
    pub(crate) fn http(
        url: &str,
        headers: &[(String, String)],
        status: u16,
        timeout: Duration,
    ) -> Result<Self, UrlError> {
        let url: Url = url.parse()?;
        let timeouts =
            Timeouts { connect: timeout, answer: timeout, idle: timeout, ..Timeouts::default() };
        let settings = Settings {
            plain_http: true,
            timeouts,
            jobs: 1,
            ..Settings::new(concat!("pc/", env!("CARGO_PKG_VERSION")))
        };
        // Names of headers must outlive the request; a project has a handful of them, once.
        let headers = headers
            .iter()
            .map(|(name, value)| (&*Box::leak(name.clone().into_boxed_str()), value.clone()))
            .collect();
        Ok(Self::Http { client: Box::new(Client::new(settings)), url, headers, status })
    }

    /// Asks it.
    pub(crate) fn ask(&self, timeout: Duration) -> bool {
        match self {
            Self::Tcp { host, port } => connects(host, *port, timeout),
            Self::Http { client, url, headers, status } => {
                let mut request = Request::new(Method::GET, url.clone());
                for (name, value) in headers {
                    request = request.header(name, value.clone());
                }
                let Ok(response) = client.send(&request) else { return false };
                let answered = response.status().as_u16();
                response.finish();
                answered == *status
            }
        }
    }
}

/// Whether one of a host's addresses accepts in time.
fn connects(host: &str, port: u16, timeout: Duration) -> bool {
    let end = Instant::now() + timeout;
    let Ok(addresses) = (host, port).to_socket_addrs() else { return false };
    addresses.into_iter().any(|address| {
        let left = end.saturating_duration_since(Instant::now());
        !left.is_zero() && TcpStream::connect_timeout(&address, left).is_ok()
    })
}
