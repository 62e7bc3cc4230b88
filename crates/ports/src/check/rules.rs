//! P002 to P007: each port by itself, against the policy and against the system.

use std::collections::HashSet;

use portreg::{Entry, Part, Place, Policy, PortPath, Protocol, RegistryError, Span};

use super::duplicates::uses;
use super::system::{Service, System};
use crate::finding::{Finding, Level, Other};

/// P002 and P003: a value that is no port. None for what has no value at all, which is no finding.
pub(super) fn no_port(problem: &RegistryError) -> Option<Finding> {
    let (rule, path, place, message) = match problem {
        RegistryError::OutOfRange { path, place, number } => {
            ("P002", path, place, format!("`{path}` is {number} but must be from 1 to 65535"))
        }
        RegistryError::Backwards { path, place, from, to } => {
            ("P003", path, place, format!("the range `{path}` goes from {from} to {to}"))
        }
        RegistryError::NoPort { path, place, found } => (
            "P003",
            path,
            place,
            format!("`{path}` is {found}, not a port, a range or a list of them"),
        ),
        _ => return None,
    };
    let (path, place) = (path.clone(), place.clone());
    Some(Finding { rule, level: Level::Error, path, place, message, other: None })
}

/// P004: a number outside of the band of its group, or one that is reserved.
pub(super) fn bands(entries: &[&Entry], policy: &Policy) -> Vec<Finding> {
    let mut findings = Vec::new();
    for entry in entries {
        let finding = |message, place: &Place| Finding {
            rule: "P004",
            level: Level::Error,
            path: entry.path.clone(),
            place: entry.place.clone(),
            message,
            other: Some(Other { path: None, place: Some(place.clone()) }),
        };
        if let Some(band) = policy.band(&entry.path)
            && let Some(part) = entry.parts.iter().find(|p| !band.numbers.hold(p.from, p.to))
        {
            let (path, part, place) = (&entry.path, shown(part), &band.numbers.place);
            findings.push(finding(
                format!(
                    "`{path}` is {part}, outside of `{}`, {} ({place})",
                    band.group, band.numbers
                ),
                place,
            ));
        }
        let reserved = policy.reserved().iter().find_map(|numbers| {
            let part = entry.parts.iter().find(|part| numbers.meet(part.from, part.to))?;
            Some((numbers, part))
        });
        if let Some((numbers, part)) = reserved {
            let (path, part, place) = (&entry.path, shown(part), &numbers.place);
            let which =
                if numbers.from == numbers.to { String::new() } else { format!(" {numbers}") };
            findings.push(finding(
                format!("`{path}` is {part}, which is reserved{which} ({place})"),
                place,
            ));
        }
    }
    findings
}

/// P005 and P006: what the system keeps for itself. A number that has several names is told once.
pub(super) fn system(entries: &[&Entry], system: &System) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut told: HashSet<(&'static str, u16, Option<Span>)> = HashSet::new();
    for entry in own_first(entries, |entry| *entry) {
        for part in &entry.parts {
            let span = part.written.as_ref().map(|[from, _]| from.span);
            let mut tell = |rule, message| {
                if told.insert((rule, part.from, span)) {
                    findings.push(info(rule, entry, message, None));
                }
            };
            if part.from < system.unprivileged {
                let (path, shown, from) = (&entry.path, shown(part), &system.unprivileged_from);
                let start = system.unprivileged;
                tell(
                    "P005",
                    format!("`{path}` is {shown}, below {start} ({from}), which needs a privilege"),
                );
            }
            if is_ephemeral(part, system) {
                let (path, shown, source) = (&entry.path, shown(part), &system.ephemeral_from);
                let (from, to) = system.ephemeral;
                tell(
                    "P006",
                    format!(
                        "`{path}` is {shown}, which an outgoing connection may have: {from}-{to} ({source})"
                    ),
                );
            }
        }
    }
    findings
}

/// Entries that write their numbers before those that only name them.
pub(super) fn own_first<T>(items: &[T], entry: impl Fn(&T) -> &Entry) -> Vec<&T> {
    let (mut own, named): (Vec<&T>, Vec<&T>) =
        items.iter().partition(|item| writes_itself(entry(item)));
    own.extend(named);
    own
}

/// Whether the number stands where the entry is defined.
fn writes_itself(entry: &Entry) -> bool {
    let written = entry.parts.first().and_then(|part| part.written.as_ref());
    match (&entry.place, written) {
        (Some(place), Some([from, _])) => {
            place.file == from.place.file
                && place.line == from.place.line
                && place.column <= from.place.column
        }
        _ => false,
    }
}

/// Whether a number of the part is one that outgoing connections get.
fn is_ephemeral(part: &Part, system: &System) -> bool {
    let (from, to) = (part.from.max(system.ephemeral.0), part.to.min(system.ephemeral.1));
    let reserved = |port: u16| system.reserved.iter().any(|(a, b)| (*a..=*b).contains(&port));
    from <= to && (from..=to).any(|port| !reserved(port))
}

/// P007: a name that `/etc/services` has with another number.
pub(super) fn services(entries: &[&Entry], system: &System) -> Vec<Finding> {
    let mut findings = Vec::new();
    for entry in entries {
        let [part] = &entry.parts[..] else { continue };
        if part.from != part.to {
            continue;
        }
        let names = names(&entry.path);
        let known: Vec<&Service> = system
            .services
            .iter()
            .filter(|service| service.names.iter().any(|name| names.contains(name)))
            .filter(|service| match &*service.protocol {
                "tcp" => uses(entry, Protocol::Tcp),
                "udp" => uses(entry, Protocol::Udp),
                _ => false,
            })
            .collect();
        if let Some(service) = known.first()
            && known.iter().all(|service| service.port != part.from)
        {
            let message = format!(
                "`{}` is {}, but `{}` is {}/{} ({})",
                entry.path,
                part.from,
                service.names.iter().find(|name| names.contains(name)).map_or("", String::as_str),
                service.port,
                service.protocol,
                service.place
            );
            findings.push(info("P007", entry, message, Some(&service.place)));
        }
    }
    findings
}

/// The names under which a service may be known: `httpAlt` and `http_alt_tcp` are `http-alt`.
fn names(path: &PortPath) -> Vec<String> {
    let leaf = path.leaf();
    let mut kebab = String::new();
    let mut lower_before = false;
    for c in leaf.chars() {
        if c.is_ascii_uppercase() && lower_before {
            kebab.push('-');
        }
        lower_before = c.is_ascii_lowercase() || c.is_ascii_digit();
        kebab.push(if c == '_' { '-' } else { c.to_ascii_lowercase() });
    }
    let bare = ["-tcp", "-udp"].iter().find_map(|end| kebab.strip_suffix(end)).map(str::to_owned);
    [Some(leaf.to_ascii_lowercase()), bare, Some(kebab)].into_iter().flatten().collect()
}

fn info(rule: &'static str, entry: &Entry, message: String, other: Option<&Place>) -> Finding {
    Finding {
        rule,
        level: Level::Info,
        path: entry.path.clone(),
        place: entry.place.clone(),
        message,
        other: other.map(|place| Other { path: None, place: Some(place.clone()) }),
    }
}

fn shown(part: &Part) -> String {
    if part.from == part.to { part.from.to_string() } else { format!("{}-{}", part.from, part.to) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_services() {
        let names = |text: &str| names(&text.parse().unwrap());
        assert!(names("a.httpAlt").contains(&"http-alt".to_owned()));
        assert!(names("a.http_alt_tcp").contains(&"http-alt".to_owned()));
        assert!(names("dnsUdp").contains(&"dns".to_owned()));
        assert!(names("SSH").contains(&"ssh".to_owned()));
    }
}
