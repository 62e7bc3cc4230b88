//! Linux: `/proc/net` has the sockets of this network namespace, `/proc/*/fd` who has them open.
//!
//! The format: <https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html>.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use fs_err as fs;

use super::{Holder, Holders, Socket, Transport};
use crate::error::PortsError;

/// `TCP_LISTEN`, and `TCP_CLOSE`, which is what an unconnected UDP socket is in.
const LISTEN: &str = "0A";
const UNCONNECTED: &str = "07";

/// A line of `/proc/net`.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    address: IpAddr,
    port: u16,
    uid: u32,
    inode: u64,
}

pub(super) fn listening(
    proc: &Path,
    wanted: &dyn Fn(u16) -> bool,
    holders: Holders,
) -> Result<Vec<Socket>, PortsError> {
    let mut rows: Vec<(Transport, Row)> = Vec::new();
    for (name, transport, state) in [
        ("tcp", Transport::Tcp, LISTEN),
        ("tcp6", Transport::Tcp, LISTEN),
        ("udp", Transport::Udp, UNCONNECTED),
        ("udp6", Transport::Udp, UNCONNECTED),
    ] {
        let file = match fs::File::open(proc.join("net").join(name)) {
            Ok(file) => file,
            // A kernel without IPv6.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(PortsError::Sockets(error)),
        };
        for line in BufReader::new(file).lines() {
            let line = line.map_err(PortsError::Sockets)?;
            if let Some(row) = row(&line, state).filter(|row| wanted(row.port)) {
                rows.push((transport, row));
            }
        }
    }
    let mut found: HashMap<u64, Vec<Holder>> = HashMap::new();
    if holders == Holders::Find && !rows.is_empty() {
        found.extend(rows.iter().map(|(_, row)| (row.inode, Vec::new())));
        find_holders(proc, &mut found)?;
    }
    let mut sockets = Vec::with_capacity(rows.len());
    for (transport, Row { address, port, uid, inode }) in rows {
        let known = found.get(&inode).map(Vec::as_slice).unwrap_or_default();
        if known.is_empty() {
            let holder = Holder { uid: Some(uid), ..Holder::default() };
            sockets.push(Socket { port, transport, address, holder });
        }
        for holder in known {
            let holder = Holder { uid: Some(uid), ..holder.clone() };
            sockets.push(Socket { port, transport, address, holder });
        }
    }
    Ok(sockets)
}

/// `sl local rem st tx:rx tr:tm retr uid timeout inode …`, if the state is the one that is looked for.
fn row(line: &str, state: &str) -> Option<Row> {
    let mut words = line.split_ascii_whitespace().skip(1);
    let (address, port) = words.next()?.split_once(':')?;
    if words.nth(1)? != state {
        return None;
    }
    let uid = words.nth(3)?.parse().ok()?;
    let inode = words.nth(1)?.parse().ok()?;
    let port = u16::from_str_radix(port, 16).ok()?;
    Some(Row { address: parse_address(address)?, port, uid, inode })
}

/// Words of 32 bits in the byte order of the machine.
fn parse_address(hex: &str) -> Option<IpAddr> {
    let word = |index: usize| {
        let digits = hex.get(index * 8..index * 8 + 8)?;
        Some(u32::from_str_radix(digits, 16).ok()?.to_ne_bytes())
    };
    match hex.len() {
        8 => Some(Ipv4Addr::from(word(0)?).into()),
        32 => {
            let mut bytes = [0; 16];
            for (index, part) in bytes.chunks_exact_mut(4).enumerate() {
                part.copy_from_slice(&word(index)?);
            }
            Some(Ipv6Addr::from(bytes).into())
        }
        _ => None,
    }
}

/// Looks through the open files of all processes that may be seen for sockets with these inodes.
fn find_holders(proc: &Path, found: &mut HashMap<u64, Vec<Holder>>) -> Result<(), PortsError> {
    for process in fs::read_dir(proc).map_err(PortsError::Sockets)?.flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse::<u32>().ok())
        else {
            continue;
        };
        // A process may end meanwhile, or belong to somebody else: it is not seen then.
        let Ok(files) = fs::read_dir(process.path().join("fd")) else { continue };
        let mut command = None;
        for file in files.flatten() {
            let Ok(target) = fs::read_link(file.path()) else { continue };
            let inode = target.to_str().and_then(|target| {
                target.strip_prefix("socket:[")?.strip_suffix(']')?.parse::<u64>().ok()
            });
            let Some(holders) = inode.and_then(|inode| found.get_mut(&inode)) else { continue };
            // One process may have a socket open twice.
            if holders.iter().all(|holder| holder.pid != Some(pid)) {
                let command = command.get_or_insert_with(|| name_of(&process.path()));
                holders.push(Holder { pid: Some(pid), command: command.clone(), uid: None });
            }
        }
    }
    Ok(())
}

/// The name of a process. Its arguments may hold secrets and are left alone.
fn name_of(process: &Path) -> Option<String> {
    let bytes = fs::read(process.join("comm")).ok()?;
    let name = String::from_utf8_lossy(&bytes);
    let name = name.trim_end_matches('\n');
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn rows_of_every_kind() {
        let row = |line: &str| {
            row(line, LISTEN).map(|row| (row.address.to_string(), row.port, row.uid, row.inode))
        };
        let v4 = "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1067 1 0";
        let v6 = "  12: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A \
                  00000000:00000000 00:00000000 00000000    33        0 99 1 0";
        if cfg!(target_endian = "little") {
            assert_eq!(row(v4), Some(("127.0.0.1".to_owned(), 8080, 1000, 1067)));
            assert_eq!(row(v6), Some(("::1".to_owned(), 80, 33, 99)));
        }
        assert_eq!(row(&v4.replace(" 0A ", " 01 ")), None);
        assert_eq!(row("  sl  local_address rem_address   st tx_queue rx_queue"), None);
        assert_eq!(row(""), None);
    }

    #[test]
    fn who_has_what() {
        let proc = tempfile::tempdir().unwrap();
        let proc = proc.path();
        fs::create_dir_all(proc.join("net")).unwrap();
        let line = |inode: u32, port: &str, uid: u32| {
            format!("   0: 00000000:{port} 00000000:0000 0A 0:0 00:0 0  {uid}  0 {inode} 1 0\n")
        };
        let text = format!("  sl\n{}{}", line(7, "0050", 33), line(8, "0051", 999));
        fs::write(proc.join("net/tcp"), text).unwrap();
        for (pid, comm) in [("10", "nginx\n"), ("11", "a b\n"), ("self", "x")] {
            fs::create_dir_all(proc.join(pid).join("fd")).unwrap();
            fs::write(proc.join(pid).join("comm"), comm).unwrap();
            symlink("socket:[7]", proc.join(pid).join("fd/3")).unwrap();
            symlink("socket:[7]", proc.join(pid).join("fd/4")).unwrap();
            symlink("/dev/null", proc.join(pid).join("fd/5")).unwrap();
        }
        let shown = |wanted: &dyn Fn(u16) -> bool, holders| {
            let mut sockets = listening(proc, wanted, holders).unwrap();
            sockets.sort();
            sockets.iter().map(|s| format!("{} {}", s.endpoint(), s.holder)).collect::<Vec<_>>()
        };
        assert_eq!(
            shown(&|_| true, Holders::Find),
            [
                "0.0.0.0:80 nginx (pid 10)",
                "0.0.0.0:80 a b (pid 11)",
                "0.0.0.0:81 a process of uid 999"
            ]
        );
        assert_eq!(shown(&|port| port == 81, Holders::Find), ["0.0.0.0:81 a process of uid 999"]);
        assert_eq!(shown(&|port| port == 80, Holders::Leave), ["0.0.0.0:80 a process of uid 33"]);
        assert!(shown(&|_| false, Holders::Find).is_empty());
    }
}
