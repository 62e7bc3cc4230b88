//! Before anything starts: is every port free that the processes listen on, and who has those that are not.

mod sockets;

use std::collections::BTreeMap;
use std::fmt;

use cli::{Exit, Failure};

use crate::config::Project;
use crate::config::model::PortUse;
use sockets::{Holder, holders, taken};

/// Ports that somebody else has.
#[derive(Debug)]
pub(crate) struct TakenPorts(Vec<Taken>);

/// One of them.
#[derive(Debug)]
struct Taken {
    number: u16,
    registered: Option<String>,
    process: String,
    place: String,
    holder: Option<Holder>,
}

/// Looks at the ports of the processes that will run. A port that one only connects to may well be taken.
///
/// # Errors
/// [`TakenPorts`], with their holders.
pub(crate) fn check(project: &Project) -> Result<(), TakenPorts> {
    let mut wanted: BTreeMap<u16, (&str, &PortUse)> = BTreeMap::new();
    for process in &project.processes {
        if process.is_disabled || process.is_foreground || process.schedule.is_some() {
            continue;
        }
        for port in process.ports.iter().filter(|port| port.is_served) {
            wanted.entry(port.number).or_insert((&process.name, port));
        }
    }
    let numbers: Vec<u16> = wanted.keys().copied().collect();
    let taken = taken(&numbers);
    if taken.is_empty() {
        return Ok(());
    }
    let mut holders = holders(&taken);
    let all =
        wanted.iter().filter(|(number, _)| taken.iter().any(|socket| socket.port == **number));
    let all = all.map(|(&number, (process, port))| Taken {
        number,
        registered: port.registered.clone(),
        process: (*process).to_owned(),
        place: project.place(port.span),
        holder: holders.remove(&number),
    });
    Err(TakenPorts(all.collect()))
}

impl fmt::Display for TakenPorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, taken) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            let Taken { number, registered, process, place, holder } = taken;
            write!(f, "{place}: port {number}")?;
            if let Some(path) = registered {
                write!(f, " (`{path}`)")?;
            }
            write!(f, " of `{process}` is taken")?;
            if let Some(holder) = holder {
                write!(f, " by {holder}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for TakenPorts {}

impl Failure for TakenPorts {
    fn exit(&self) -> Exit {
        Exit::Own(3)
    }

    fn hint(&self) -> Option<String> {
        let number = self.0.first()?.number;
        let first = if self.0.iter().any(|taken| taken.holder.is_none()) {
            format!("`sudo ports who {number}` names who has it")
        } else {
            "stop it first".to_owned()
        };
        Some(format!("{first}; `--ignore-ports` starts all the same"))
    }
}
