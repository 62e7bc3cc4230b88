//! `ports who`.

use cli::{Exit, Io};
use portreg::Ports;
use serde::Serialize;

use crate::args::{Target, WhoArgs};
use crate::error::PortsError;
use crate::plan::{Plan, note_asked};
use crate::sockets::{Holders, Socket, listening};
use crate::table::table;

/// A socket as JSON. Fields are only ever added.
#[derive(Debug, Serialize)]
pub(crate) struct SocketRecord {
    port: u16,
    protocol: &'static str,
    address: String,
    pid: Option<u32>,
    command: Option<String>,
    uid: Option<u32>,
}

impl SocketRecord {
    pub(crate) fn of(socket: &Socket) -> Self {
        Self {
            port: socket.port,
            protocol: socket.transport.name(),
            address: socket.address.to_string(),
            pid: socket.holder.pid,
            command: socket.holder.command.clone(),
            uid: socket.holder.uid,
        }
    }
}

/// `plan` is called if a registry is needed at all.
pub(crate) fn run(
    plan: impl FnOnce(&Io) -> Result<Plan, PortsError>,
    args: &WhoArgs,
    io: &mut Io,
) -> Result<Exit, PortsError> {
    let (ports, protocol, words) = match &args.target {
        Target::Number(number) => (Ports::One(*number), None, number.to_string()),
        Target::Path(path) => {
            let plan = plan(io)?;
            let mut registry = plan.open(io)?;
            let entry = registry.get(path)?;
            let ports = plan.offset(None, &mut registry, io)?.apply(&entry);
            note_asked(&registry, io);
            let words = format!("`{path}`, {ports}");
            (ports, entry.protocol, words)
        }
    };
    let mut sockets = listening(&|port| ports.contains(port), Holders::Find)?;
    sockets.retain(|socket| socket.transport.is_of(protocol));
    if args.json {
        let records: Vec<SocketRecord> = sockets.iter().map(SocketRecord::of).collect();
        let text = serde_json::to_string_pretty(&records).map_err(PortsError::Json)?;
        cli::outln!(io, "{text}")?;
    } else {
        for line in table(sockets.iter().map(row).collect()) {
            cli::outln!(io, "{line}")?;
        }
    }
    if sockets.is_empty() {
        return Err(PortsError::NobodyListens(words));
    }
    Ok(Exit::Done)
}

fn row(socket: &Socket) -> Vec<String> {
    let holder = &socket.holder;
    let user = || holder.uid.map_or_else(|| "-".to_owned(), |uid| format!("uid {uid}"));
    vec![
        socket.port.to_string(),
        socket.transport.name().to_owned(),
        socket.address.to_string(),
        holder.pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string()),
        holder.command.clone().unwrap_or_else(user),
    ]
}
