//! Sockets that listen on this machine, and who has them.
//!
//! Linux tells in `/proc`; where there is none, as on macOS, `lsof` is asked.

mod lsof;
mod procfs;

use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use portreg::Protocol;

use crate::error::PortsError;

/// A socket that listens: a TCP socket in that state, or a UDP socket that is bound and not connected.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Socket {
    pub(crate) port: u16,
    pub(crate) transport: Transport,
    pub(crate) address: IpAddr,
    pub(crate) holder: Holder,
}

/// The protocol of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Transport {
    Tcp,
    Udp,
}

/// Who has a socket. A process of another user can often not be seen, only the user.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Holder {
    pub(crate) pid: Option<u32>,
    pub(crate) command: Option<String>,
    pub(crate) uid: Option<u32>,
}

impl Transport {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }

    /// Whether a port with this protocol may mean the socket; one without a protocol may mean any.
    pub(crate) fn is_of(self, protocol: Option<Protocol>) -> bool {
        match protocol {
            None | Some(Protocol::Both) => true,
            Some(Protocol::Tcp) => self == Self::Tcp,
            Some(Protocol::Udp) => self == Self::Udp,
        }
    }
}

impl Socket {
    /// The address with the port: `0.0.0.0:80`, `[::]:80`.
    pub(crate) fn endpoint(&self) -> SocketAddr {
        SocketAddr::new(self.address, self.port)
    }
}

impl std::fmt::Display for Holder {
    /// `nginx (pid 812)`, or what is known of it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.pid, &self.command, self.uid) {
            (Some(pid), Some(command), _) => write!(f, "{command} (pid {pid})"),
            (Some(pid), None, _) => write!(f, "pid {pid}"),
            (None, _, Some(uid)) => write!(f, "a process of uid {uid}"),
            (None, _, None) => f.write_str("a process that cannot be seen"),
        }
    }
}

/// Whether the processes are looked for: that takes a look at every file that is open on the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holders {
    Find,
    Leave,
}

/// The sockets that listen on the ports that are wanted, sorted: one for each process that has it.
pub(crate) fn listening(
    wanted: &dyn Fn(u16) -> bool,
    holders: Holders,
) -> Result<Vec<Socket>, PortsError> {
    let proc = Path::new("/proc");
    let mut sockets = if proc.join("net/tcp").exists() {
        procfs::listening(proc, wanted, holders)?
    } else {
        lsof::listening(wanted)?
    };
    sockets.sort();
    sockets.dedup();
    Ok(sockets)
}
