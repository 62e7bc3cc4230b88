//! `ports check --live`: which numbers are in use on this machine, and whether they are meant to be.

use std::collections::BTreeMap;

use portreg::{Entry, Ports, Protocol};
use serde::Serialize;

use super::rules::own_first;
use crate::args::Expect;
use crate::error::PortsError;
use crate::finding::{Finding, Level};
use crate::record::Numbers;
use crate::sockets::{Holders, Socket, Transport, listening};
use crate::who::SocketRecord;

/// How many processes of one socket are named.
const NAMED: usize = 3;

/// What listens on the ports of a registry.
#[derive(Debug)]
pub(super) struct Live<'a> {
    entries: Vec<(&'a Entry, Ports)>,
    sockets: Vec<Socket>,
}

/// The state of an entry as JSON. Fields are only ever added.
#[derive(Debug, Serialize)]
pub(super) struct State {
    path: String,
    #[serde(flatten)]
    ports: Numbers,
    protocol: Option<&'static str>,
    #[serde(rename = "state")]
    is: &'static str,
    sockets: Vec<SocketRecord>,
}

impl<'a> Live<'a> {
    /// Looks at the machine; `entries` come with their numbers in this checkout.
    pub(super) fn look(entries: Vec<(&'a Entry, Ports)>) -> Result<Self, PortsError> {
        let mut wanted = vec![false; 1 << 16];
        for (from, to) in entries.iter().flat_map(|(_, ports)| ports.parts()) {
            wanted[usize::from(from)..=usize::from(to)].fill(true);
        }
        let is_wanted = |port: u16| wanted.get(usize::from(port)).copied().unwrap_or(false);
        Ok(Self { entries, sockets: listening(&is_wanted, Holders::Find)? })
    }

    fn sockets_of(&self, entry: &Entry, (from, to): (u16, u16)) -> impl Iterator<Item = &Socket> {
        let start = self.sockets.partition_point(|socket| socket.port < from);
        let protocol = entry.protocol;
        self.sockets
            .get(start..)
            .unwrap_or_default()
            .iter()
            .take_while(move |socket| socket.port <= to)
            .filter(move |socket| socket.transport.is_of(protocol))
    }

    pub(super) fn states(&self) -> Vec<State> {
        let state = |(entry, ports): &(&Entry, Ports)| {
            let sockets: Vec<SocketRecord> = ports
                .parts()
                .into_iter()
                .flat_map(|part| self.sockets_of(entry, part))
                .map(SocketRecord::of)
                .collect();
            State {
                path: entry.path.to_string(),
                ports: Numbers::of(ports),
                protocol: entry.protocol.map(Protocol::name),
                is: if sockets.is_empty() { "free" } else { "used" },
                sockets,
            }
        };
        self.entries.iter().map(state).collect()
    }

    /// The ports that are not as they should be.
    pub(super) fn findings(&self, expect: Expect) -> Vec<Finding> {
        match expect {
            Expect::Free => self.used(),
            Expect::Used => self.unused(),
        }
    }

    /// What is in use: each socket once, told of the port that writes the number.
    fn used(&self) -> Vec<Finding> {
        let mut told: BTreeMap<(u16, Transport, String), Finding> = BTreeMap::new();
        for (entry, ports) in own_first(&self.entries, |(entry, _)| *entry) {
            for part in ports.parts() {
                let mut holders: BTreeMap<_, Vec<String>> = BTreeMap::new();
                for socket in self.sockets_of(entry, part) {
                    let key = (socket.port, socket.transport, socket.endpoint().to_string());
                    holders.entry(key).or_default().push(socket.holder.to_string());
                }
                for (key, holders) in holders {
                    told.entry(key).or_insert_with_key(|(port, transport, address)| {
                        let (path, transport) = (&entry.path, transport.name());
                        let holders = shown(&holders);
                        let message = format!(
                            "`{path}`, {port}, is in use by {holders} on {address}/{transport}"
                        );
                        finding(entry, message)
                    });
                }
            }
        }
        told.into_values().collect()
    }

    /// What nobody listens on. Of a range one number is enough; a port for both protocols has to have both.
    fn unused(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (entry, ports) in &self.entries {
            for part in ports.parts() {
                let found: Vec<Transport> =
                    self.sockets_of(entry, part).map(|socket| socket.transport).collect();
                let shown = if part.0 == part.1 {
                    part.0.to_string()
                } else {
                    format!("{}-{}", part.0, part.1)
                };
                let path = &entry.path;
                if found.is_empty() {
                    findings.push(finding(entry, format!("nothing listens on `{path}`, {shown}")));
                } else if entry.protocol == Some(Protocol::Both) {
                    for transport in [Transport::Tcp, Transport::Udp] {
                        if !found.contains(&transport) {
                            let message = format!(
                                "nothing listens on `{path}`, {shown}/{}",
                                transport.name()
                            );
                            findings.push(finding(entry, message));
                        }
                    }
                }
            }
        }
        findings
    }
}

fn shown(holders: &[String]) -> String {
    let named = holders.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match holders.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

fn finding(entry: &Entry, message: String) -> Finding {
    Finding {
        rule: "live",
        level: Level::Error,
        path: entry.path.clone(),
        place: entry.place.clone(),
        message,
        other: None,
    }
}
