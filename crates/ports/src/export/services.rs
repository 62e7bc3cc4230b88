//! Lines of `/etc/services`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use portreg::{PortPath, Ports, Protocol, service_name};

use super::Item;
use crate::error::PortsError;

/// `name  port/protocol  # description`. The file has no ranges and no lists: a range is a comment, and the ports of
/// a list are named by their own entries.
pub(super) fn write(items: &[Item]) -> Result<String, PortsError> {
    let mut names: BTreeMap<String, PortPath> = BTreeMap::new();
    let mut lines: Vec<(String, String, &str)> = Vec::new();
    for item in items {
        let path = &item.entry.path;
        let name = service_name(path);
        if let Some(first) = names.insert(name.clone(), path.clone()) {
            return Err(PortsError::OneName { name, first, second: path.clone() });
        }
        let name = match item.ports {
            Ports::One(_) => name,
            Ports::Range(..) => format!("# {name}"),
            Ports::Many(_) => continue,
        };
        // TCP, unless the registry says otherwise: a service that answers nothing on UDP is not named there.
        let protocols: &[&str] = match item.entry.protocol {
            None | Some(Protocol::Tcp) => &["tcp"],
            Some(Protocol::Udp) => &["udp"],
            Some(Protocol::Both) => &["tcp", "udp"],
        };
        let description = item.entry.description.as_deref().unwrap_or("");
        for protocol in protocols {
            lines.push((name.clone(), format!("{}/{protocol}", item.ports), description));
        }
    }
    let width = lines.iter().map(|(name, ..)| name.len()).max().unwrap_or(0);
    let port_width = lines.iter().map(|(_, port, _)| port.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (name, port, description) in lines {
        let described = !description.is_empty();
        if described {
            let line = format!("{name:width$}  {port:port_width$}  # {}", cli::escape(description));
            writeln!(text, "{line}").unwrap_or_default();
        } else {
            writeln!(text, "{name:width$}  {port}").unwrap_or_default();
        }
    }
    Ok(text)
}
