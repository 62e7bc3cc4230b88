//! What a system keeps for itself: privileged ports, the range of outgoing connections, and the names of
//! `/etc/services`.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use fs_err as fs;
use portreg::Place;

use crate::error::PortsError;

/// No file that is read here is larger than this.
const SIZE: u64 = 8 << 20;
/// Ports below this one need a privilege, if the system does not say otherwise.
const UNPRIVILEGED: u16 = 1024;
/// The range of outgoing connections, if the system does not say: Linux's own, and that of macOS and RFC 6335.
const EPHEMERAL: (u16, u16) =
    if cfg!(target_os = "linux") { (32_768, 60_999) } else { (49_152, 65_535) };

/// A system as far as ports go.
#[derive(Debug)]
pub(crate) struct System {
    /// The first port that every user may listen on.
    pub(crate) unprivileged: u16,
    /// Where that stands.
    pub(crate) unprivileged_from: String,
    /// The ports that outgoing connections get.
    pub(crate) ephemeral: (u16, u16),
    /// Where that stands.
    pub(crate) ephemeral_from: String,
    /// Ports in that range that they do not get.
    pub(crate) reserved: Vec<(u16, u16)>,
    /// The lines of `/etc/services`.
    pub(crate) services: Vec<Service>,
}

/// A line of `/etc/services`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Service {
    pub(crate) names: Vec<String>,
    pub(crate) port: u16,
    pub(crate) protocol: String,
    pub(crate) place: Place,
}

impl System {
    /// Reads the files below `root`. One that is not there, as on macOS, leaves the default.
    pub(crate) fn read(root: &Path) -> Result<Self, PortsError> {
        let sysctl = |name: &str| root.join("proc/sys/net/ipv4").join(name);
        let start = sysctl("ip_unprivileged_port_start");
        let range = sysctl("ip_local_port_range");
        let keeps = sysctl("ip_local_reserved_ports");
        let default = "the default".to_owned();
        let (unprivileged, unprivileged_from) = match text(&start)? {
            None => (UNPRIVILEGED, default.clone()),
            Some(text) => {
                let start = number(&start, text.trim())?;
                (start, sysctl("ip_unprivileged_port_start").display().to_string())
            }
        };
        let (ephemeral, ephemeral_from) = match text(&range)? {
            None => (EPHEMERAL, default),
            Some(text) => {
                let ends: Vec<&str> = text.split_whitespace().collect();
                let [from, to] = ends[..] else { return Err(wrong(&range, text.trim())) };
                ((number(&range, from)?, number(&range, to)?), range.display().to_string())
            }
        };
        let mut reserved = Vec::new();
        for part in text(&keeps)?.unwrap_or_default().trim().split(',').filter(|p| !p.is_empty()) {
            let (from, to) = part.split_once('-').unwrap_or((part, part));
            reserved.push((number(&keeps, from)?, number(&keeps, to)?));
        }
        let file = root.join("etc/services");
        let services = services(&file, &text(&file)?.unwrap_or_default());
        Ok(Self { unprivileged, unprivileged_from, ephemeral, ephemeral_from, reserved, services })
    }
}

/// The text of a file; none if it is not there.
fn text(path: &Path) -> Result<Option<String>, PortsError> {
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(PortsError::System(error)),
    };
    let mut bytes = Vec::new();
    file.take(SIZE).read_to_end(&mut bytes).map_err(PortsError::System)?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

fn number(file: &Path, text: &str) -> Result<u16, PortsError> {
    text.trim().parse().map_err(|_| wrong(file, text))
}

fn wrong(file: &Path, text: &str) -> PortsError {
    PortsError::SystemValue { file: PathBuf::from(file), text: text.to_owned() }
}

/// `name port/protocol alias… # comment`; a line that is something else is nobody's.
fn services(file: &Path, text: &str) -> Vec<Service> {
    let line = |(index, line): (usize, &str)| {
        let words = line.split('#').next()?;
        let mut words = words.split_whitespace();
        let name = words.next()?;
        let (port, protocol) = words.next()?.split_once('/')?;
        let names = std::iter::once(name).chain(words).map(str::to_ascii_lowercase).collect();
        let line = u32::try_from(index + 1).unwrap_or(u32::MAX);
        let place = Place { file: file.to_owned(), line, column: 1 };
        Some(Service { names, port: port.parse().ok()?, protocol: protocol.to_owned(), place })
    };
    text.lines().enumerate().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_services() {
        let text =
            "# names\nredis\t6379/tcp\nhttp 80/tcp www WWW-http # web\nodd\nbad x/tcp\nno 7\n";
        let found = services(Path::new("s"), text);
        let shown: Vec<String> = found
            .iter()
            .map(|s| format!("{} {}/{} {}", s.names.join("|"), s.port, s.protocol, s.place))
            .collect();
        assert_eq!(shown, ["redis 6379/tcp s:2:1", "http|www|www-http 80/tcp s:3:1"]);
    }
}
