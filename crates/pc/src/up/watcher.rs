//! Watching files, on the threads of the notify library, which exist only where something is watched.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use super::waker::Waker;
use crate::config::model::{Project, WatchPath};

/// Folders that change all the time and mean nothing.
const EXCLUDED: [&str; 8] =
    [".git", "node_modules", ".direnv", "__pycache__", ".idea", ".vscode", ".cache", "target"];

/// Files that cannot be watched.
#[derive(Debug, thiserror::Error)]
pub(super) enum WatchError {
    #[error("cannot watch files")]
    Begin(#[source] notify::Error),
    #[error("cannot watch `{}`", .0.display())]
    Path(PathBuf, #[source] notify::Error),
    #[error("`{0}` is no pattern")]
    Pattern(String, #[source] globset::Error),
}

#[derive(Debug)]
struct Rule {
    process: usize,
    root: PathBuf,
    include: Option<GlobSet>,
    exclude: GlobSet,
    excludes_defaults: bool,
}

/// The files that processes watch.
#[derive(Debug)]
pub(super) struct Watcher {
    rules: Vec<Rule>,
    changes: Receiver<PathBuf>,
    _backend: RecommendedWatcher,
}

impl Watcher {
    /// Watches what the processes of a project ask for.
    pub(super) fn new(project: &Project, waker: &Waker) -> Result<Self, WatchError> {
        let (sender, changes) = channel();
        let waker = waker.clone();
        let handler = move |event: notify::Result<notify::Event>| {
            let Ok(event) = event else { return };
            if matches!(event.kind, EventKind::Access(_)) {
                return;
            }
            for path in event.paths {
                // The other end lives as long as the watcher.
                let _sent = sender.send(path);
            }
            waker.wake();
        };
        let mut watcher = notify::recommended_watcher(handler).map_err(WatchError::Begin)?;
        let mut rules = Vec::new();
        for (process, config) in project.processes.iter().enumerate() {
            let Some(watch) = &config.watch else { continue };
            for path in &watch.paths {
                watcher
                    .watch(&path.path, RecursiveMode::Recursive)
                    .map_err(|error| WatchError::Path(path.path.clone(), error))?;
                rules.push(rule(process, path, !watch.disable_default_excludes)?);
            }
        }
        Ok(Self { rules, changes, _backend: watcher })
    }

    /// The processes whose files changed since the last call.
    pub(super) fn changed(&mut self) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        while let Ok(path) = self.changes.try_recv() {
            let rules = self.rules.iter().filter(|rule| rule.applies(&path));
            found.extend(rules.map(|rule| rule.process));
        }
        found
    }
}

fn rule(process: usize, path: &WatchPath, excludes_defaults: bool) -> Result<Rule, WatchError> {
    let include = if path.include.is_empty() { None } else { Some(globs(&path.include)?) };
    let exclude = globs(&path.exclude)?;
    Ok(Rule { process, root: path.path.clone(), include, exclude, excludes_defaults })
}

fn globs(patterns: &[String]) -> Result<GlobSet, WatchError> {
    let error = |pattern: &String| {
        let pattern = pattern.clone();
        move |error| WatchError::Pattern(pattern, error)
    };
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        // Without a slash it is about the name alone.
        let whole = if pattern.contains('/') { pattern.clone() } else { format!("**/{pattern}") };
        let glob = GlobBuilder::new(&whole).literal_separator(true).build();
        set.add(glob.map_err(error(pattern))?);
    }
    set.build().map_err(error(&patterns.join(" ")))
}

impl Rule {
    fn applies(&self, path: &Path) -> bool {
        let Ok(relative) = path.strip_prefix(&self.root) else { return false };
        let is_excluded = self.excludes_defaults
            && relative
                .components()
                .any(|part| part.as_os_str().to_str().is_some_and(|name| EXCLUDED.contains(&name)));
        let relative = if relative.as_os_str().is_empty() {
            Path::new(path.file_name().unwrap_or_default())
        } else {
            relative
        };
        !is_excluded
            && !self.exclude.is_match(relative)
            && self.include.as_ref().is_none_or(|include| include.is_match(relative))
    }
}
