//! Whether a number is in use on this machine.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};

use crate::error::PortsError;
use crate::sockets::{Holders, listening};

/// Numbers that something on this machine has.
#[derive(Debug)]
pub(crate) struct Bound {
    listed: Vec<bool>,
}

impl Bound {
    /// Reads what listens now.
    pub(crate) fn read() -> Result<Self, PortsError> {
        let mut listed = vec![false; 1 << 16];
        for socket in listening(&|_| true, Holders::Leave)? {
            listed[usize::from(socket.port)] = true;
        }
        Ok(Self { listed })
    }

    /// Whether a number is listed, or cannot be bound.
    ///
    /// Every address of IPv4 is tried at once by 0.0.0.0. `[::1]` stands for those of IPv6: a listener on `[::]` meets
    /// it, and one that is bound to `[::]` only is not met by 0.0.0.0. Listeners on other addresses of IPv6 are listed.
    pub(crate) fn holds(&self, port: u16) -> Result<bool, PortsError> {
        if self.listed.get(usize::from(port)).copied().unwrap_or(true) {
            return Ok(true);
        }
        let addresses: [SocketAddr; 3] = [
            (Ipv4Addr::UNSPECIFIED, port).into(),
            // Elsewhere than on Linux a listener there does not keep 0.0.0.0 from being bound.
            (Ipv4Addr::LOCALHOST, port).into(),
            (Ipv6Addr::LOCALHOST, port).into(),
        ];
        for address in addresses {
            let tcp = is_taken(TcpListener::bind(address).map(drop));
            let udp = is_taken(UdpSocket::bind(address).map(drop));
            for taken in [tcp, udp] {
                if taken.map_err(|source| PortsError::Bind { address, source })? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

fn is_taken(bound: io::Result<()>) -> io::Result<bool> {
    match bound {
        Ok(()) => Ok(false),
        Err(error) => match error.kind() {
            ErrorKind::AddrInUse => Ok(true),
            // A privileged port: what is listed has to do. A machine without IPv6 has nobody there.
            ErrorKind::PermissionDenied | ErrorKind::AddrNotAvailable | ErrorKind::Unsupported => {
                Ok(false)
            }
            _ if error.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error()) => {
                Ok(false)
            }
            _ => Err(error),
        },
    }
}
