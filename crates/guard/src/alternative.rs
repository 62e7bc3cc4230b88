//! What to do instead: the rule's words, with the process that does the same.

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

/// Whether a process, by its name and what it is, is looked for.
type Wanted<'a> = dyn Fn(&str, &Process) -> bool + 'a;

/// The project's processes, read when the first finding asks for them.
#[derive(Debug)]
pub(crate) struct Alternatives<'a> {
    policy: &'a Policy,
    folder: &'a Path,
    project: Option<Project>,
}

impl<'a> Alternatives<'a> {
    pub(crate) fn new(policy: &'a Policy, folder: &'a Path) -> Self {
        Self { policy, folder, project: None }
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
            let named = processes.iter().map(|process| instead.replace(PROCESS, process));
            named.collect::<Vec<_>>().join(" or ")
        };
        Alternative { processes, instead: Some(instead) }
    }

    /// The processes that run what the finding is about, or that it names.
    fn processes(&mut self, finding: &Finding) -> Vec<String> {
        let (policy, folder) = (self.policy, self.folder);
        let project = self.project.get_or_insert_with(|| load(policy, folder).unwrap_or_default());
        let judge = Judge { policy, tree: &Disk, folder };
        let is_the_same =
            |other: &Finding| other.rule == finding.rule && other.what == finding.what;
        let runs_the_same = |text: &str| {
            let text = Text { text: text.to_owned(), place: Place::START };
            judge.text(&text, None).is_ok_and(|findings| findings.iter().any(is_the_same))
        };
        let runs = |process: &Process| {
            let words = process.entrypoint.iter().map(|word| Word::of(&*word.value, Place::START));
            let vector = judge.words(&words.collect::<Vec<_>>(), None).unwrap_or_default();
            process.command.as_ref().is_some_and(|command| runs_the_same(&command.value))
                || vector.iter().any(is_the_same)
        };
        let names = |wanted: &Wanted<'_>| -> Vec<String> {
            let found =
                project.processes.iter().filter(|(name, process)| wanted(&name.value, process));
            found.map(|(name, _)| name.value.clone()).take(MAX_PROCESSES).collect()
        };
        // `npm --prefix apps/web run dev` is more likely the process `web` than another that runs the same.
        let ways: [&Wanted<'_>; 3] = [
            &|name, process| is_named(finding, name) && runs(process),
            &|_, process| runs(process),
            &|name, _| is_named(finding, name),
        ];
        ways.into_iter().map(names).find(|names| !names.is_empty()).unwrap_or_default()
    }
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
