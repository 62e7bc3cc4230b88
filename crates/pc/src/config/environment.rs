//! The environment of a process: names and values, each once.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::sync::Arc;

/// A whole environment. Most of it is the same for all processes and is shared.
///
/// `Debug` prints names only: values may be secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment {
    shared: Arc<BTreeMap<OsString, OsString>>,
    own: BTreeMap<OsString, OsString>,
}

impl Environment {
    /// An environment on top of one that others have, too.
    pub fn over(shared: &Arc<BTreeMap<OsString, OsString>>) -> Self {
        Self { shared: Arc::clone(shared), own: BTreeMap::new() }
    }

    /// Sets a variable, whatever it was.
    pub fn set(&mut self, name: impl Into<OsString>, value: impl Into<OsString>) {
        self.own.insert(name.into(), value.into());
    }

    /// Sets a variable unless it has a value.
    pub fn set_default(&mut self, name: &str, value: impl Into<OsString>) {
        if self.get(name).is_none() {
            self.set(name, value);
        }
    }

    /// The value of a variable.
    pub fn get(&self, name: impl AsRef<OsStr>) -> Option<&OsStr> {
        let name = name.as_ref();
        self.own.get(name).or_else(|| self.shared.get(name)).map(OsString::as_os_str)
    }

    /// Every variable, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        let shared = self.shared.iter().filter(|(name, _)| !self.own.contains_key(*name));
        let mut all: Vec<_> = shared
            .chain(&self.own)
            .map(|(name, value)| (name.as_os_str(), value.as_os_str()))
            .collect();
        all.sort_unstable();
        all.into_iter()
    }

    /// The variables that only this process has, or has with another value.
    pub fn own(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.own.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_values_hide_shared_ones() {
        let shared = Arc::new(BTreeMap::from([("A".into(), "1".into()), ("B".into(), "2".into())]));
        let mut environment = Environment::over(&shared);
        environment.set("B", "3");
        environment.set_default("A", "no");
        environment.set_default("C", "4");
        let all: Vec<_> =
            environment.iter().map(|(n, v)| format!("{}={}", n.display(), v.display())).collect();
        assert_eq!(all, ["A=1", "B=3", "C=4"]);
        assert!(!format!("{environment:?}").contains('3'));
    }
}
