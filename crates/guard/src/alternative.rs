//! What to do instead: the rule's words, with the process that does the same.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use composefile::{Process, Project};

use crate::finding::Finding;
use crate::judge::{Disk, Judge};
use crate::policy::Policy;
use crate::shell::{Place, Text, Word};

/// Stands in a rule for the name of a process.
const PROCESS: &str = "{process}";

/// How many processes are named when several do the same.
const MAX_PROCESSES: usize = 3;

/// What a finding is told to do instead.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Alternative {
    /// The processes that do the same.
    pub(crate) processes: Vec<String>,
    /// The words of the rule.
    pub(crate) instead: Option<String>,
}

/// The project's processes, read when the first finding asks for them.
#[derive(Debug)]
pub(crate) struct Alternatives<'a> {
    policy: &'a Policy,
    folder: &'a Path,
    project: Option<Project>,
    /// The processes that run what a rule is against, by the rule and what that is.
    same: BTreeMap<(usize, String), Vec<String>>,
}

impl<'a> Alternatives<'a> {
    pub(crate) fn new(policy: &'a Policy, folder: &'a Path) -> Self {
        Self { policy, folder, project: None, same: BTreeMap::new() }
    }

    pub(crate) fn of(&mut self, finding: &Finding) -> Alternative {
        let Some(rule) = finding.rule_of(self.policy) else { return Alternative::default() };
        let Some(instead) = &rule.instead else { return Alternative::default() };
        if !instead.contains(PROCESS) {
            return Alternative { processes: Vec::new(), instead: Some(instead.clone()) };
        }
        let processes = self.processes(finding);
        let instead = if processes.is_empty() {
            instead.replace(&format!(" {PROCESS}"), "").replace(PROCESS, "")
        } else {
            let named = processes.iter().map(|process| instead.replace(PROCESS, &quoted(process)));
            named.collect::<Vec<_>>().join(" or ")
        };
        Alternative { processes, instead: Some(instead) }
    }

    /// The processes that run what the finding is about, or that it names.
    fn processes(&mut self, finding: &Finding) -> Vec<String> {
        let (policy, folder) = (self.policy, self.folder);
        let project = self.project.get_or_insert_with(|| load(policy, folder).unwrap_or_default());
        let judge = Judge { policy, tree: &Disk, folder };
        let same = self.same.entry((finding.rule, finding.what.clone())).or_insert_with(|| {
            let processes = project.processes.iter();
            let same = processes.filter(|(_, process)| runs_the_same(&judge, process, finding));
            same.map(|(name, _)| name.value.clone()).collect()
        });
        // `npm --prefix apps/web run dev` is more likely the process `web` than another that runs the same.
        let all = || project.processes.iter().map(|(name, _)| name.value.clone());
        let named = |names: Vec<String>| -> Vec<String> {
            names.into_iter().filter(|name| is_named(finding, name)).collect()
        };
        let ways = [named(same.clone()), same.clone(), named(all().collect())];
        let mut found = ways.into_iter().find(|found| !found.is_empty()).unwrap_or_default();
        found.truncate(MAX_PROCESSES);
        found
    }
}

/// A name as a shell takes it.
fn quoted(name: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_-.@:/".contains(c);
    if name.chars().all(is_plain) {
        name.to_owned()
    } else {
        format!("'{}'", name.replace('\'', "'\\''"))
    }
}

/// Whether a process runs what a finding is about.
fn runs_the_same(judge: &Judge<'_>, process: &Process, finding: &Finding) -> bool {
    let words = process.entrypoint.iter().map(|word| Word::of(&*word.value, Place::START));
    let mut found = judge.words(&words.collect::<Vec<_>>(), None).unwrap_or_default();
    if let Some(command) = &process.command {
        let text = Text { text: command.value.clone(), place: Place::START };
        found.extend(judge.text(&text, None).unwrap_or_default());
    }
    found.iter().any(|other| other.rule == finding.rule && other.what == finding.what)
}

/// Whether a command names a process: `docker compose up -d redis`, `npm --prefix apps/web run dev`.
fn is_named(finding: &Finding, name: &str) -> bool {
    let known = |word: &str| finding.what.split(' ').any(|known| known == word);
    let words = finding.text.split([' ', '/', '=']);
    words.filter(|word| !known(word)).any(|word| word == name)
}

/// The project of the policy, else of the folder or of the nearest one above it, up to the policy's.
fn load(policy: &Policy, folder: &Path) -> Option<Project> {
    let within = folder.ancestors().take_while(|above| above.starts_with(&policy.root));
    let files = match &policy.processes {
        Some(file) => vec![file.clone()],
        None => within.map(files_in).find(|files| !files.is_empty())?,
    };
    Project::load(files.iter().map(PathBuf::as_path)).ok()
}

/// The files of a folder's project. A `compose.yaml` comes last here: it may be Docker's.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let Some(found) = composefile::find(folder) else { return Vec::new() };
    let own =
        composefile::NAMES.iter().filter(|name| composefile::is_named_for_process_compose(name));
    let own = own.map(|name| folder.join(name)).find(|path| path.is_file());
    std::iter::once(own.unwrap_or(found.file)).chain(found.override_file).collect()
}
