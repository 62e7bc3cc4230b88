//! One entry of a registry: a port, a range, or a list of them.

use std::fmt;

use nixexpr::{Place, Written};

use crate::PortPath;

/// The numbers of an entry, each from 1 to 65535.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ports {
    /// One port.
    One(u16),
    /// All ports from the first to the second.
    Range(u16, u16),
    /// Several.
    Many(Vec<Self>),
}

impl Ports {
    /// Whether the number is one of them.
    pub fn contains(&self, number: u16) -> bool {
        match self {
            Self::One(port) => *port == number,
            Self::Range(from, to) => (*from..=*to).contains(&number),
            Self::Many(all) => all.iter().any(|ports| ports.contains(number)),
        }
    }

    /// The single ports and ranges.
    pub fn parts(&self) -> Vec<(u16, u16)> {
        match self {
            Self::One(port) => vec![(*port, *port)],
            Self::Range(from, to) => vec![(*from, *to)],
            Self::Many(all) => all.iter().flat_map(Self::parts).collect(),
        }
    }

    /// The lowest number.
    pub fn lowest(&self) -> u16 {
        self.parts().iter().map(|(from, _)| *from).min().unwrap_or(0)
    }
}

impl fmt::Display for Ports {
    /// One number, `from-to`, or several of these with blanks between them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(port) => write!(f, "{port}"),
            Self::Range(from, to) => write!(f, "{from}-{to}"),
            Self::Many(all) => {
                for (index, ports) in all.iter().enumerate() {
                    let blank = if index > 0 { " " } else { "" };
                    write!(f, "{blank}{ports}")?;
                }
                Ok(())
            }
        }
    }
}

/// A transport protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// TCP only.
    Tcp,
    /// UDP only.
    Udp,
    /// Both, said so.
    Both,
}

impl Protocol {
    /// Reads `tcp`, `udp`, or both.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        match &*text.to_ascii_lowercase() {
            "tcp" => Some(Self::Tcp),
            "udp" => Some(Self::Udp),
            "both" | "tcp/udp" | "udp/tcp" | "tcp+udp" | "tcpudp" => Some(Self::Both),
            _ => None,
        }
    }

    /// The protocol that a name ends with: `wsdd-udp`, `factorio_udp`, `quicUdp`.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [("udp", "Udp", Self::Udp), ("tcp", "Tcp", Self::Tcp)].into_iter().find_map(
            |(lower, camel, protocol)| {
                let base = name.strip_suffix(lower).or_else(|| {
                    let upper = lower.to_ascii_uppercase();
                    name.strip_suffix(upper.as_str())
                });
                let separated =
                    base.is_some_and(|base| base.ends_with(['-', '_']) || base.is_empty());
                (separated || name.ends_with(camel)).then_some(protocol)
            },
        )
    }

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Both => "both",
        }
    }
}

/// A number of an entry, or a range of them, and what wrote it.
#[derive(Debug, Clone)]
pub struct Part {
    /// The first number.
    pub from: u16,
    /// The last number: the first one, if it is one number.
    pub to: u16,
    /// Where the first and the last number were written, if the registry was read natively.
    pub written: Option<[Written; 2]>,
}

impl Part {
    /// Whether two parts are one under two names: the same literals, or one end of a range.
    pub fn is_alias(&self, other: &Self) -> bool {
        let (Some([a, b]), Some([c, d])) = (&self.written, &other.written) else { return false };
        match (self.from == self.to, other.from == other.to) {
            (true, true) => a.is_same(c),
            (true, false) => a.is_same(c) || a.is_same(d),
            (false, true) => a.is_same(c) || b.is_same(c),
            (false, false) => a.is_same(c) && b.is_same(d),
        }
    }

    /// Whether they have a number in common.
    pub fn meets(&self, other: &Self) -> bool {
        self.from <= other.to && other.from <= self.to
    }
}

/// An entry.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its path from the registry's root.
    pub path: PortPath,
    /// Its numbers.
    pub ports: Ports,
    /// Of a range, the paths of its first and its last number.
    pub ends: Option<[PortPath; 2]>,
    /// Its protocol, if the registry says one.
    pub protocol: Option<Protocol>,
    /// Where it is defined, if the registry was read natively.
    pub place: Option<Place>,
    /// The comment behind it.
    pub description: Option<String>,
    /// Where its number was written: two entries with one literal are one port under two names.
    pub written: Option<Written>,
    /// Its single numbers and ranges.
    pub parts: Vec<Part>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_in_names() {
        for (name, protocol) in [
            ("wsdd-udp", Some(Protocol::Udp)),
            ("factorio_udp", Some(Protocol::Udp)),
            ("quicUdp", Some(Protocol::Udp)),
            ("DNS_UDP", Some(Protocol::Udp)),
            ("dns-tcp", Some(Protocol::Tcp)),
            ("udp", Some(Protocol::Udp)),
            ("notudp", None),
            ("http", None),
        ] {
            assert_eq!(Protocol::from_name(name), protocol, "{name}");
        }
    }

    #[test]
    fn numbers_in_ranges_and_lists() {
        let ports = Ports::Many(vec![Ports::One(22), Ports::Range(80, 90)]);
        assert!(ports.contains(22) && ports.contains(85) && !ports.contains(91));
        assert_eq!(ports.to_string(), "22 80-90");
        assert_eq!(ports.lowest(), 22);
    }
}
