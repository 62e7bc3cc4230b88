//! Elsewhere: `lsof`, in the form that it writes for programs (`-F`).

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Holder, Socket, Transport};
use crate::error::PortsError;

/// Where macOS has it, which is not on every PATH.
const USUAL: [&str; 2] = ["lsof", "/usr/sbin/lsof"];

pub(super) fn listening(wanted: &dyn Fn(u16) -> bool) -> Result<Vec<Socket>, PortsError> {
    let mut answer = Err(io::Error::from(ErrorKind::NotFound));
    for program in USUAL {
        answer = ask(program);
        if !answer.as_ref().is_err_and(|error| error.kind() == ErrorKind::NotFound) {
            break;
        }
    }
    let text = answer.map_err(PortsError::Lsof)?;
    Ok(parse(&text).into_iter().filter(|socket| wanted(socket.port)).collect())
}

fn ask(program: &str) -> io::Result<String> {
    let args = ["-nP", "-iTCP", "-sTCP:LISTEN", "-iUDP", "-FpcuPtn"];
    // It ends with 1 where it finds nothing, and warns about what it may not see.
    let output = duct::cmd(program, args).stderr_null().stdout_capture().unchecked().run()?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A field a line: `p` process, `c` command, `u` user; then for each file `t` family, `P` protocol, `n` addresses.
fn parse(text: &str) -> Vec<Socket> {
    let mut sockets = Vec::new();
    let mut holder = Holder::default();
    let (mut is_v6, mut transport) = (false, None);
    for line in text.lines() {
        let mut chars = line.chars();
        let field = chars.next();
        let value = chars.as_str();
        match field {
            Some('p') => holder = Holder { pid: value.parse().ok(), ..Holder::default() },
            Some('c') => holder.command = Some(value.to_owned()),
            Some('u') => holder.uid = value.parse().ok(),
            Some('f') => (is_v6, transport) = (false, None),
            Some('t') => is_v6 = value == "IPv6",
            Some('P') => {
                transport = match value {
                    "TCP" => Some(Transport::Tcp),
                    "UDP" => Some(Transport::Udp),
                    _ => None,
                }
            }
            Some('n') => {
                if let (Some(transport), Some((address, port))) =
                    (transport, endpoint(value, is_v6))
                {
                    sockets.push(Socket { port, transport, address, holder: holder.clone() });
                }
            }
            _ => {}
        }
    }
    sockets
}

/// `127.0.0.1:80`, `[::1]:80`, `*:80`; a socket that is connected (`->`) or has no port listens to nobody.
fn endpoint(name: &str, is_v6: bool) -> Option<(IpAddr, u16)> {
    if name.contains("->") {
        return None;
    }
    let (address, port) = name.rsplit_once(':')?;
    let address = match address.trim_start_matches('[').trim_end_matches(']') {
        "*" if is_v6 => Ipv6Addr::UNSPECIFIED.into(),
        "*" => Ipv4Addr::UNSPECIFIED.into(),
        // A zone is of no use here: `fe80::1%lo0`.
        address => address.split('%').next()?.parse().ok()?,
    };
    Some((address, port.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_processes_and_files() {
        let text = "p501\ncnode\nu1000\nf21\ntIPv6\nPTCP\nn*:3000\nf22\ntIPv4\nPTCP\nn127.0.0.1:9229\n\
                    p77\ncmDNSResponder\nu65\nf8\ntIPv4\nPUDP\nn*:5353\nf9\ntIPv4\nPUDP\nn*:*\n\
                    f10\ntIPv4\nPUDP\nn10.0.0.2:5000->10.0.0.1:53\nf11\ntIPv6\nPTCP\nn[fe80::1%lo0]:80\n";
        let shown: Vec<String> = parse(text)
            .iter()
            .map(|s| format!("{} {} {}", s.transport.name(), s.endpoint(), s.holder))
            .collect();
        assert_eq!(
            shown,
            [
                "tcp [::]:3000 node (pid 501)",
                "tcp 127.0.0.1:9229 node (pid 501)",
                "udp 0.0.0.0:5353 mDNSResponder (pid 77)",
                "tcp [fe80::1]:80 mDNSResponder (pid 77)",
            ]
        );
        assert!(parse("").is_empty() && parse("n\n\np\nnx").is_empty());
    }
}
