//! The environments of processes.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::Arc;

use cli::Io;

use super::environment::Environment;
use super::registry::PortTable;

/// Names that tell a process which one it is: those that `pc` itself was given are another one's.
const OWN: [&str; 2] = ["PC_PROC_NAME", "PC_REPLICA_NUM"];

/// What all processes have in common, with the variables of `.env` and without.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    with_dotenv: Arc<BTreeMap<OsString, OsString>>,
    without: Arc<BTreeMap<OsString, OsString>>,
}

impl Shared {
    /// From `.env`, over which goes the environment, the registered ports, and what the project says.
    pub(crate) fn of(
        dotenv: &BTreeMap<String, String>,
        io: &Io,
        ports: &PortTable,
        project: &[(String, String)],
    ) -> Self {
        let mut without = BTreeMap::new();
        for (name, value) in io.env.all().filter(|(name, _)| OWN.iter().all(|own| name != own)) {
            without.insert(name.to_owned(), value.to_owned());
        }
        for (path, variable) in &ports.variables {
            if let Some(number) = ports.numbers.get(path) {
                without.insert(variable.into(), number.to_string().into());
            }
        }
        for (name, value) in project {
            without.insert(name.into(), value.into());
        }
        let mut with_dotenv = without.clone();
        for (name, value) in dotenv {
            with_dotenv.entry(name.into()).or_insert_with(|| value.into());
        }
        Self { with_dotenv: Arc::new(with_dotenv), without: Arc::new(without) }
    }

    /// The start of a process's own environment.
    pub(crate) fn environment(&self, without_dotenv: bool) -> Environment {
        Environment::over(if without_dotenv { &self.without } else { &self.with_dotenv })
    }
}

/// `NAME=value` as its parts; none without a `=` or without a name.
pub(crate) fn split(item: &str) -> Option<(&str, &str)> {
    item.split_once('=').filter(|(name, _)| !name.is_empty())
}
