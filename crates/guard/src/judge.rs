//! The judge: what a text, an argument vector or a file is, held against the rules.

use std::path::{Path, PathBuf};

use crate::command::{Act, matched, walk_text, walk_words};
use crate::finding::{Finding, shown};
use crate::patch;
use crate::policy::{Globs, Policy, Rule};
use crate::shell::{Place, Text, TooDeep, Word};

/// The files around a file: of the working tree, or of the index.
pub(crate) trait Tree {
    /// Whether a file that fits stands in the same folder.
    fn has_beside(&self, path: &Path, globs: &Globs) -> bool;
    /// What a file holds, when that is known.
    fn text_of(&self, path: &Path) -> Option<String>;
}

/// The files on disk.
#[derive(Debug)]
pub(crate) struct Disk;

/// The size above which a file is not looked into.
pub(crate) const MAX_BYTES: u64 = 4 << 20;

impl Tree for Disk {
    fn has_beside(&self, path: &Path, globs: &Globs) -> bool {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let entries = fs_err::read_dir(folder.unwrap_or_else(|| Path::new(".")));
        // A folder that cannot be listed has nothing to show.
        entries.is_ok_and(|mut entries| {
            entries
                .any(|entry| entry.is_ok_and(|entry| globs.matches(Path::new(&entry.file_name()))))
        })
    }

    fn text_of(&self, path: &Path) -> Option<String> {
        crate::input::read(path, MAX_BYTES).ok()
    }
}

/// Rules, and the files to hold them against.
#[derive(Clone, Copy)]
pub(crate) struct Judge<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) tree: &'a dyn Tree,
    /// The folder that relative paths in commands begin at.
    pub(crate) folder: &'a Path,
}

impl Judge<'_> {
    /// What is against the rules in a shell text; `file` is the file that it stands in.
    pub(crate) fn text(&self, text: &Text, file: Option<&Path>) -> Result<Vec<Finding>, TooDeep> {
        let mut findings = Vec::new();
        walk_text(text, self.folder, &mut |act| self.act(&act, file, &mut findings))?;
        Ok(findings)
    }

    /// What is against the rules in an argument vector.
    pub(crate) fn words(
        &self,
        words: &[Word],
        file: Option<&Path>,
    ) -> Result<Vec<Finding>, TooDeep> {
        let mut findings = Vec::new();
        walk_words(words, self.folder, &mut |act| self.act(&act, file, &mut findings))?;
        Ok(findings)
    }

    /// The rules against a file being where it is.
    ///
    /// `text` is what the file will hold, where that is known better than by looking.
    pub(crate) fn file(&self, path: &Path, text: Option<&str>) -> Vec<Finding> {
        if self.policy.excludes(path) {
            return Vec::new();
        }
        let relative = self.policy.relative(path);
        let rules = self.policy.rules.iter().enumerate();
        let against = rules.filter(|(_, rule)| {
            rule.files.matches(relative)
                && !rule.except.matches(relative)
                && (rule.beside.is_empty()
                    || (self.tree.has_beside(path, &rule.beside) && !self.is_compose(path, text)))
        });
        let name =
            path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        against
            .map(|(number, _)| Finding {
                rule: number,
                file: Some(path.to_owned()),
                place: None,
                what: name.clone(),
                text: relative.to_string_lossy().into_owned(),
                target: None,
            })
            .collect()
    }

    /// What is against the rules in an action of a workflow.
    pub(crate) fn uses(&self, action: &str, place: Place, file: &Path) -> Vec<Finding> {
        let name = action.split('@').next().unwrap_or(action);
        let is_against = |rule: &Rule| {
            rule.uses.iter().any(|uses| uses.eq_ignore_ascii_case(name))
                && self.holds_in(rule, Some(file))
        };
        let rules = self.policy.rules.iter().enumerate();
        rules
            .filter(|(_, rule)| is_against(rule))
            .map(|(number, _)| Finding {
                rule: number,
                file: Some(file.to_owned()),
                place: Some(place),
                what: name.to_owned(),
                text: shown(&format!("uses: {name}")),
                target: None,
            })
            .collect()
    }

    /// Whether a rule holds for the commands in a file.
    fn holds_in(&self, rule: &Rule, file: Option<&Path>) -> bool {
        file.is_none_or(|file| !rule.except.matches(self.policy.relative(file)))
    }

    fn act(&self, act: &Act<'_>, file: Option<&Path>, findings: &mut Vec<Finding>) {
        match act {
            Act::Runs(words) => self.command(words, file, findings),
            Act::Writes(word) => self.target(&word.text, word.place, file, findings),
            Act::Feeds(program, text) if patch::is_applied_by(program.base_name()) => {
                for change in patch::parse(&text.text) {
                    self.target(change.path, text.place, file, findings);
                }
            }
            Act::Feeds(..) => {}
        }
    }

    fn command(&self, words: &[Word], file: Option<&Path>, findings: &mut Vec<Finding>) {
        let Some(program) = words.first() else { return };
        let name = program.base_name();
        for (number, rule) in self.policy.rules.iter().enumerate() {
            let mut about = rule.commands.iter().filter(|pattern| pattern.is_about(name));
            let Some(hit) = about.find_map(|pattern| matched(pattern, words)) else {
                continue;
            };
            // Asked last: file patterns cost more than words, and few commands come this far.
            if !self.holds_in(rule, file) {
                continue;
            }
            let arguments = words.iter().skip(1).map(|word| word.text.as_str());
            let text = std::iter::once(name).chain(arguments).collect::<Vec<_>>().join(" ");
            findings.push(Finding {
                rule: number,
                file: file.map(Path::to_owned),
                place: Some(program.place),
                what: hit.join(" "),
                text: shown(&text),
                target: None,
            });
        }
    }

    /// A file that a command writes.
    fn target(&self, name: &str, place: Place, file: Option<&Path>, findings: &mut Vec<Finding>) {
        let path = plain(&self.folder.join(name));
        for finding in self.file(&path, None) {
            findings.push(Finding {
                file: file.map(Path::to_owned),
                place: Some(place),
                text: shown(&format!("writes {name}")),
                target: Some(path.clone()),
                ..finding
            });
        }
    }

    /// Whether a `compose.yaml` is process-compose's own, and not Docker's.
    fn is_compose(&self, path: &Path, text: Option<&str>) -> bool {
        let read;
        let text = match text {
            Some(text) => text,
            None => match self.tree.text_of(path) {
                Some(text) => {
                    read = text;
                    &read
                }
                None => return false,
            },
        };
        let document = composefile::parse(text, composefile::FileId(0));
        document.is_ok_and(|document| document.has_processes)
    }
}

/// A path without `.` and, where that is safe to say, without `..`.
pub(crate) fn plain(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    plain
}
