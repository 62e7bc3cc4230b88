//! Proxies as the environment names them: one for each scheme, none for this machine itself.
//!
//! `NO_PROXY` is read as curl and Go read it: `*`, a host (which covers the names under it), `.suffix`, `host:port`, an
//! address, a network in CIDR form. Plain http goes through a proxy by `CONNECT`, like https.

use std::ffi::OsStr;
use std::net::IpAddr;

use ureq::Proxy;

use crate::Origin;

/// A proxy variable that cannot be used. Its value is not shown: it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{variable}` is not the URL of an http or https proxy")]
pub struct ProxyError {
    variable: &'static str,
}

/// Which proxy, if any, leads to a host.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    http: Option<Proxy>,
    https: Option<Proxy>,
    exempt: Vec<Exempt>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Exempt {
    All,
    Name { suffix: String, port: Option<u16> },
    Network { address: IpAddr, bits: u8 },
}

impl Proxies {
    /// Reads the values of `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, in that order.
    ///
    /// # Errors
    /// When a value is no URL of an http or https proxy.
    pub fn parse(
        http: Option<&OsStr>,
        https: Option<&OsStr>,
        exempt: Option<&OsStr>,
    ) -> Result<Self, ProxyError> {
        let exempt = exempt.map(OsStr::to_string_lossy).unwrap_or_default();
        Ok(Self {
            http: http.map(|value| proxy("HTTP_PROXY", value)).transpose()?,
            https: https.map(|value| proxy("HTTPS_PROXY", value)).transpose()?,
            exempt: exempt.split([',', ' ']).filter_map(Exempt::parse).collect(),
        })
    }

    /// The proxy that leads to `origin`; none for loopback and what `NO_PROXY` covers.
    pub(crate) fn for_origin(&self, origin: &Origin) -> Option<&Proxy> {
        let proxy = if origin.is_secure() { &self.https } else { &self.http };
        let direct = origin.is_loopback() || self.exempt.iter().any(|entry| entry.covers(origin));
        proxy.as_ref().filter(|_| !direct)
    }
}

fn proxy(variable: &'static str, value: &OsStr) -> Result<Proxy, ProxyError> {
    let proxy = value.to_str().and_then(|value| Proxy::new(value).ok());
    proxy
        .filter(|proxy| matches!(proxy.uri().scheme_str(), Some("http" | "https")))
        .ok_or(ProxyError { variable })
}

impl Exempt {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        if text.is_empty() {
            return None;
        }
        if text == "*" {
            return Some(Self::All);
        }
        if let Some((address, bits)) = network(&text) {
            return Some(Self::Network { address, bits });
        }
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) => (name, Some(port.parse().ok()?)),
            None => (text.as_str(), None),
        };
        let suffix = name.trim_start_matches('*').trim_start_matches('.').to_owned();
        Some(Self::Name { suffix, port })
    }

    fn covers(&self, origin: &Origin) -> bool {
        let host = origin.host();
        match self {
            Self::All => true,
            Self::Name { suffix, port } => {
                port.is_none_or(|port| port == origin.port())
                    && (host == suffix
                        || host.strip_suffix(suffix).is_some_and(|rest| rest.ends_with('.')))
            }
            Self::Network { address, bits } => {
                host.parse().is_ok_and(|host| same_network(host, *address, *bits))
            }
        }
    }
}

/// `10.0.0.0/8`, `::1`, `[::1]`; a bare address is a network of one.
fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse().ok()?)),
        None => (text, None),
    };
    let address: IpAddr = address.trim_matches(['[', ']']).parse().ok()?;
    let all = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.unwrap_or(all);
    (bits <= all).then_some((address, bits))
}

fn same_network(one: IpAddr, other: IpAddr, bits: u8) -> bool {
    let high = |bits: u8, width: u8, value: u128| match width - bits {
        128 => 0,
        low => value >> low,
    };
    match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => {
            high(bits, 32, u32::from(one).into()) == high(bits, 32, u32::from(other).into())
        }
        (IpAddr::V6(one), IpAddr::V6(other)) => {
            high(bits, 128, one.into()) == high(bits, 128, other.into())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Url;

    fn through(no_proxy: &str, url: &str) -> Option<String> {
        let proxies = Proxies::parse(
            Some(OsStr::new("http://plain:3128")),
            Some(OsStr::new("http://user:pw@tls:3128")),
            Some(OsStr::new(no_proxy)),
        )
        .unwrap();
        let url: Url = url.parse().unwrap();
        proxies.for_origin(url.origin()).map(|proxy| proxy.host().to_owned())
    }

    #[test]
    fn each_scheme_has_its_own() {
        assert_eq!(through("", "http://r.example/").as_deref(), Some("plain"));
        assert_eq!(through("", "https://r.example/").as_deref(), Some("tls"));
    }

    #[test]
    fn this_machine_needs_none() {
        for url in ["http://localhost:1/", "https://127.0.0.1/", "http://[::1]:5/"] {
            assert_eq!(through("", url), None, "{url}");
        }
    }

    #[test]
    fn no_proxy_exempts() {
        for (list, url) in [
            ("*", "https://r.example/"),
            ("a,r.example", "https://r.example/"),
            (" R.Example ", "https://r.example/"),
            ("example", "https://r.example/"),
            (".example", "https://r.example/"),
            ("*.example", "https://r.example/"),
            ("r.example:444", "https://r.example:444/"),
            ("10.0.0.0/8", "http://10.2.3.4/"),
            ("0.0.0.0/0", "http://10.2.3.4/"),
            ("10.2.3.4", "http://10.2.3.4:5000/"),
            ("2001:db8::/32", "http://[2001:db8::7]/"),
        ] {
            assert_eq!(through(list, url), None, "{list}");
        }
        for (list, url) in [
            ("xample", "https://r.example/"),
            ("r.example:444", "https://r.example/"),
            ("11.0.0.0/8", "http://10.2.3.4/"),
            ("10.0.0.0/33", "http://10.2.3.4/"),
            ("::/0", "http://10.2.3.4/"),
        ] {
            assert!(through(list, url).is_some(), "{list}");
        }
    }

    #[test]
    fn a_wrong_value_is_named_without_its_secret() {
        for value in ["ftp://user:secret@h/", "socks5://user:secret@h", "http://", "a b:secret"] {
            let error = Proxies::parse(None, Some(OsStr::new(value)), None).unwrap_err();
            let words = "`HTTPS_PROXY` is not the URL of an http or https proxy";
            assert_eq!(error.to_string(), words, "{value}");
        }
    }
}
