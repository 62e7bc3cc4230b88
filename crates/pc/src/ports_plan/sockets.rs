//! Sockets that listen, and the processes that hold them: from `/proc` where there is one, else by trying.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};
use std::path::{Path, PathBuf};

use fs_err as fs;

/// A socket that listens on a port that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Socket {
    pub(super) port: u16,
    /// Its number in `/proc`; none where it was only tried.
    inode: Option<u64>,
}

/// Who holds a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Holder {
    pid: u32,
    command: String,
    /// The checkout that it works in, else its folder.
    folder: Option<PathBuf>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pid {}, `{}`", self.pid, self.command)?;
        match &self.folder {
            Some(folder) => write!(f, ", in {}", folder.display()),
            None => Ok(()),
        }
    }
}

/// The listening sockets on any of these ports, IPv4 and IPv6.
pub(super) fn taken(ports: &[u16]) -> Vec<Socket> {
    if ports.is_empty() {
        return Vec::new();
    }
    let tables = ["/proc/self/net/tcp", "/proc/self/net/tcp6"].map(fs::read_to_string);
    // Without IPv6 there is no second table.
    if let [Ok(four), six] = &tables {
        let lines = four.lines().chain(six.iter().flat_map(|table| table.lines()));
        return lines.filter_map(listening).filter(|socket| ports.contains(&socket.port)).collect();
    }
    let is_taken = |port: u16| {
        let in_use = |result: std::io::Result<TcpListener>| {
            result.is_err_and(|error| error.kind() == std::io::ErrorKind::AddrInUse)
        };
        in_use(TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)))
            || in_use(TcpListener::bind((Ipv4Addr::LOCALHOST, port)))
            || in_use(TcpListener::bind((Ipv6Addr::LOCALHOST, port)))
    };
    ports.iter().filter(|port| is_taken(**port)).map(|&port| Socket { port, inode: None }).collect()
}

/// One line of the kernel's table, if it is a socket that listens.
fn listening(line: &str) -> Option<Socket> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (local, state, inode) = (words.get(1)?, words.get(3)?, words.get(9)?);
    if *state != "0A" {
        return None;
    }
    let port = u16::from_str_radix(local.rsplit(':').next()?, 16).ok()?;
    Some(Socket { port, inode: inode.parse().ok() })
}

/// The holders that can be seen; those of other users cannot.
pub(super) fn holders(sockets: &[Socket]) -> BTreeMap<u16, Holder> {
    let wanted: BTreeMap<String, u16> = sockets
        .iter()
        .filter_map(|socket| Some((format!("socket:[{}]", socket.inode?), socket.port)))
        .collect();
    let mut holders = BTreeMap::new();
    let Ok(processes) = fs::read_dir("/proc") else { return holders };
    let mut pids: Vec<u32> =
        processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    // The first of a family: a worker has the socket of its parent.
    pids.sort_unstable();
    for pid in pids {
        let Ok(files) = fs::read_dir(format!("/proc/{pid}/fd")) else { continue };
        for file in files.filter_map(Result::ok) {
            let Ok(target) = fs::read_link(file.path()) else { continue };
            let Some(port) = target.to_str().and_then(|target| wanted.get(target)) else {
                continue;
            };
            holders.entry(*port).or_insert_with(|| holder(pid));
        }
        if holders.len() == sockets.len() {
            break;
        }
    }
    holders
}

fn holder(pid: u32) -> Holder {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words: Vec<String> = line
        .split(|&byte| byte == 0)
        .filter(|word| !word.is_empty())
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect();
    let command: String = words.join(" ").chars().take(100).collect();
    let folder = fs::read_link(format!("/proc/{pid}/cwd")).ok();
    Holder { pid, command, folder: folder.map(|folder| checkout(&folder).unwrap_or(folder)) }
}

/// The checkout around a folder.
fn checkout(folder: &Path) -> Option<PathBuf> {
    let is_root = |folder: &&Path| fs::symlink_metadata(folder.join(OsStr::new(".git"))).is_ok();
    folder.ancestors().find(is_root).map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_kernel() {
        let line = "   0: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000   109        0 22971 1 0 100 0 0 10 0";
        assert_eq!(listening(line), Some(Socket { port: 5432, inode: Some(22971) }));
        assert_eq!(listening(&line.replace(" 0A ", " 01 ")), None);
        assert_eq!(listening("  sl  local_address rem_address   st"), None);
    }

    #[test]
    fn a_listener_of_our_own_is_found() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let sockets = taken(&[port]);
        assert_eq!(sockets.iter().map(|socket| socket.port).collect::<Vec<_>>(), [port]);
        if sockets[0].inode.is_some() {
            assert_eq!(holders(&sockets)[&port].pid, std::process::id());
        }
        drop(listener);
        assert_eq!(taken(&[port]), []);
    }
}
