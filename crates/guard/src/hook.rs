//! The pre-tool-use hook of an agent: a tool call on stdin, a refusal or silence.
//!
//! What a tool does is read from the shape of its input, as agents differ in the names of their tools: a command, a
//! file with its new content, replacements in a file, a patch. Reading a Dockerfile is no writing it, and what a tool
//! of another server does with a field called `command` is its own affair.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::allow::{Excuse, Excuses};
use crate::baseline::Baseline;
use crate::command::{Act, walk_text, walk_words};
use crate::finding::Finding;
use crate::judge::{Disk, Judge, MAX_BYTES, plain};
use crate::patch;
use crate::policy::Policy;
use crate::scan::Kind;
use crate::shell::{Place, Text, TooDeep, Word};

/// The size above which a tool call is not read.
pub(crate) const MAX_CALL_BYTES: u64 = 16 << 20;

/// So many replacements in one file are made, one after the other; nobody sends more.
const MAX_EDITS: usize = 500;

/// Tools whose fields have the names of ours and another meaning: they run no command and write no file.
const OTHER_TOOLS: [&str; 10] = [
    "Agent",
    "Glob",
    "Grep",
    "Read",
    "Skill",
    "SlashCommand",
    "Task",
    "TodoWrite",
    "WebFetch",
    "WebSearch",
];

/// A call that cannot be judged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error("stdin is not JSON")]
    Json(#[source] serde_json::Error),
    #[error("the tool call is no JSON object")]
    NoObject,
    #[error("the tool call has no `{0}`")]
    Missing(&'static str),
    #[error("`{key}` is not {expected}")]
    Type { key: &'static str, expected: &'static str },
    #[error("failed to judge the command")]
    TooDeep(#[from] TooDeep),
}

/// A tool call.
#[derive(Debug, PartialEq)]
pub(crate) struct Call {
    tool: String,
    input: Map<String, Value>,
    folder: Option<PathBuf>,
}

/// One file that a call writes.
#[derive(Debug, Default, PartialEq, Eq)]
struct Write {
    path: PathBuf,
    /// The file it was before, when it is moved.
    from: Option<PathBuf>,
    change: Change,
}

/// How a file is changed.
#[derive(Debug, Default, PartialEq, Eq)]
enum Change {
    /// In a way that is not looked into.
    #[default]
    Unknown,
    /// Its whole content is replaced.
    Content(String),
    /// Texts in it are replaced, one after the other; the flag says each time or once.
    Edits(Vec<(String, String, bool)>),
}

impl Call {
    /// Reads a tool call.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, CallError> {
        // Some shells begin what they pipe with a byte order mark.
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let value: Value = serde_json::from_slice(bytes).map_err(CallError::Json)?;
        let Value::Object(mut call) = value else { return Err(CallError::NoObject) };
        let tool = match call.remove("tool_name") {
            Some(Value::String(tool)) => tool,
            Some(_) => return Err(CallError::Type { key: "tool_name", expected: "a string" }),
            None => return Err(CallError::Missing("tool_name")),
        };
        let input = match call.remove("tool_input") {
            Some(Value::Object(input)) => input,
            // Some agents send a patch as nothing but text.
            Some(Value::String(text)) => {
                [("input".to_owned(), Value::String(text))].into_iter().collect()
            }
            Some(_) => return Err(CallError::Type { key: "tool_input", expected: "an object" }),
            None => return Err(CallError::Missing("tool_input")),
        };
        let folder = call.get("cwd").and_then(Value::as_str).map(PathBuf::from);
        Ok(Self { tool, input, folder: folder.filter(|folder| folder.is_absolute()) })
    }

    /// The folder that the agent works in.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// What is against the rules in this call, what the baseline tolerates left out.
    pub(crate) fn judge(
        &self,
        policy: &Policy,
        folder: &Path,
        baseline: &Baseline,
    ) -> Result<Vec<Finding>, CallError> {
        // A tool of another server has its own meaning of every field.
        if self.tool.starts_with("mcp__") || OTHER_TOOLS.contains(&self.tool.as_str()) {
            return Ok(Vec::new());
        }
        let judge = Judge { policy, tree: &Disk, folder };
        let (mut findings, mut writes) = self.command(&judge)?;
        // A file that may be there may be changed, by whichever way.
        findings.retain(|finding| {
            finding.of_target(policy).is_none_or(|file| !is_tolerated(&file, policy, baseline))
        });
        writes.extend(self.writes()?);
        // A file that is tolerated may be changed. A command in it was compared with those that it has.
        let (mut files, commands): (Vec<Finding>, Vec<Finding>) = writes
            .iter()
            .flat_map(|write| write.judge(&judge))
            .partition(|finding| finding.place.is_none());
        baseline.keep_new(&mut files, policy);
        findings.extend(files.into_iter().chain(commands));
        // One sentence about each thing is enough.
        let mut seen = BTreeSet::new();
        findings.retain(|finding| seen.insert((finding.rule, finding.what.clone())));
        Ok(findings)
    }

    /// The command of a tool that runs one, a text or an argument vector, and the patches that it applies.
    fn command(&self, judge: &Judge<'_>) -> Result<(Vec<Finding>, Vec<Write>), CallError> {
        if patch::is_applied_by(&self.tool) {
            return Ok(Default::default());
        }
        let value = match self.input.get("command").or_else(|| self.input.get("cmd")) {
            Some(value) => value,
            None if self.tool == "Bash" => return Err(CallError::Missing("command")),
            None => return Ok(Default::default()),
        };
        let mut writes = Vec::new();
        let mut see = |act: Act<'_>| match act {
            Act::Feeds(program, text) if patch::is_applied_by(program.base_name()) => {
                writes.extend(patch::parse(&text.text).into_iter().map(Write::of));
            }
            Act::Runs([program, patch, ..]) if patch::is_applied_by(program.base_name()) => {
                writes.extend(patch::parse(&patch.text).into_iter().map(Write::of));
            }
            _ => {}
        };
        let findings = match value {
            Value::String(text) => {
                let text = Text { text: text.clone(), place: Place::START };
                walk_text(&text, judge.folder, &mut see)?;
                judge.text(&text, None)?
            }
            Value::Array(words) => {
                let words = words.iter().map(|word| Some(Word::of(word.as_str()?, Place::START)));
                let words: Vec<Word> = words
                    .collect::<Option<_>>()
                    .ok_or(CallError::Type { key: "command", expected: "a list of strings" })?;
                walk_words(&words, judge.folder, &mut see)?;
                judge.words(&words, None)?
            }
            _ => return Err(CallError::Type { key: "command", expected: "a string" }),
        };
        Ok((findings, writes))
    }

    /// The files that the call writes.
    fn writes(&self) -> Result<Vec<Write>, CallError> {
        if let Some(patch) = self.patch() {
            return Ok(patch::parse(patch).into_iter().map(Write::of).collect());
        }
        let names = ["file_path", "notebook_path", "path", "filePath"];
        let path = names.iter().find_map(|name| self.input.get(*name));
        let is_writer =
            matches!(self.tool.as_str(), "Write" | "Edit" | "MultiEdit" | "NotebookEdit");
        let path = match path {
            Some(Value::String(path)) => PathBuf::from(path),
            Some(_) => return Err(CallError::Type { key: "file_path", expected: "a string" }),
            None if is_writer => return Err(CallError::Missing("file_path")),
            None => return Ok(Vec::new()),
        };
        let change = match self.change() {
            // A content of the wrong type says nothing; the path alone may be refused.
            Err(_) | Ok(None) if is_writer => Change::Unknown,
            Err(error) => return Err(error),
            Ok(Some(change)) => change,
            Ok(None) => return Ok(Vec::new()),
        };
        Ok(vec![Write { path, from: None, change }])
    }

    /// The patch of a tool that applies one, under whichever name.
    fn patch(&self) -> Option<&str> {
        if !patch::is_applied_by(&self.tool) {
            return None;
        }
        let names = ["input", "patch", "command", "cmd", "content"];
        names.iter().find_map(|name| match self.input.get(*name)? {
            Value::String(text) => Some(text.as_str()),
            Value::Array(words) => words.last()?.as_str(),
            _ => None,
        })
    }

    /// What becomes of the file that the call names.
    fn change(&self) -> Result<Option<Change>, CallError> {
        let text = |map: &Map<String, Value>, names: &[&str]| -> Option<String> {
            names.iter().find_map(|name| map.get(*name)?.as_str().map(str::to_owned))
        };
        let edit = |map: &Map<String, Value>| {
            let new =
                text(map, &["new_string", "new_str", "newString", "new_text", "insert_text"])?;
            let old = text(map, &["old_string", "old_str", "oldString", "old_text"]);
            let all = map.get("replace_all").and_then(Value::as_bool).unwrap_or(false);
            Some((old.unwrap_or_default(), new, all))
        };
        for key in ["content", "new_string"] {
            if self.input.get(key).is_some_and(|value| !value.is_string()) {
                return Err(CallError::Type { key, expected: "a string" });
            }
        }
        if let Some(content) = text(&self.input, &["content", "contents", "file_text"]) {
            return Ok(Some(Change::Content(content)));
        }
        if let Some(edits) = self.input.get("edits") {
            let Value::Array(edits) = edits else {
                return Err(CallError::Type { key: "edits", expected: "a list" });
            };
            let edits = edits.iter().filter_map(Value::as_object).filter_map(edit);
            return Ok(Some(Change::Edits(edits.collect())));
        }
        if let Some(edit) = edit(&self.input) {
            return Ok(Some(Change::Edits(vec![edit])));
        }
        Ok(self.input.contains_key("new_source").then_some(Change::Unknown))
    }
}

impl Write {
    fn of(change: patch::Change<'_>) -> Self {
        let hunks = change.hunks.into_iter().map(|hunk| (hunk.old, hunk.new, false));
        Self {
            path: PathBuf::from(change.path),
            from: change.from.filter(|from| *from != change.path).map(PathBuf::from),
            change: match change.from {
                Some(_) => Change::Edits(hunks.collect()),
                None => Change::Content(hunks.map(|(_, new, _)| new).collect()),
            },
        }
    }

    /// What is against the rules after the write and was not before.
    fn judge(&self, judge: &Judge<'_>) -> Vec<Finding> {
        let path = plain(&judge.folder.join(&self.path));
        let before =
            self.from.as_ref().map_or_else(|| path.clone(), |from| judge.folder.join(from));
        let old = crate::input::read(&before, MAX_BYTES).ok();
        let new = self.change.apply(old.as_deref());
        let mut findings = judge.file(&path, new.as_deref());
        if let (Some(kind), Some(new)) = (Kind::of(&path), &new)
            && !judge.policy.excludes(&path)
        {
            // What does not parse is half-written; it is judged when it is committed.
            let found = kind.judge(judge, &path, new).unwrap_or_default();
            let known = old.as_deref().and_then(|old| kind.judge(judge, &path, old).ok());
            findings.extend(added(found, known.unwrap_or_default()));
        }
        // Only what the file already says excuses it: an agent cannot excuse itself.
        let excuses = Excuses::of(old.as_deref().unwrap_or_default());
        findings.retain(|finding| {
            finding.place.is_some() || excuses.excuse(judge.policy, finding) != Excuse::Given
        });
        findings
    }
}

/// Whether a file that should not be there is tolerated: by the baseline, or by what it says itself.
fn is_tolerated(file: &Finding, policy: &Policy, baseline: &Baseline) -> bool {
    let text = file.file.as_deref().and_then(|path| crate::input::read(path, MAX_BYTES).ok());
    let excuses = Excuses::of(text.as_deref().unwrap_or_default());
    let mut left = vec![file.clone()];
    baseline.keep_new(&mut left, policy);
    left.is_empty() || excuses.excuse(policy, file) == Excuse::Given
}

/// The findings that are not among those known before; two of the same text are two.
fn added(found: Vec<Finding>, known: Vec<Finding>) -> Vec<Finding> {
    let mut counts: BTreeMap<(usize, String), usize> = BTreeMap::new();
    for finding in known {
        *counts.entry((finding.rule, finding.text)).or_default() += 1;
    }
    let is_new = |finding: &Finding| {
        let count = counts.get_mut(&(finding.rule, finding.text.clone()));
        match count.filter(|count| **count > 0) {
            Some(count) => {
                *count -= 1;
                false
            }
            None => true,
        }
    };
    found.into_iter().filter(is_new).collect()
}

impl Change {
    /// The content after the change; none when that cannot be said.
    fn apply(&self, old: Option<&str>) -> Option<String> {
        match self {
            Self::Unknown => None,
            Self::Content(content) => Some(content.clone()),
            Self::Edits(edits) => {
                let mut text = old.unwrap_or_default().to_owned();
                if edits.len() > MAX_EDITS {
                    // Each one copies the text. The new texts alone say what comes in.
                    text.extend(edits.iter().flat_map(|(_, new, _)| ["\n", new]));
                    return Some(text);
                }
                for (old, new, all) in edits {
                    let times =
                        if *all && !old.is_empty() { text.matches(&**old).count() } else { 1 };
                    let growth = times.saturating_mul(new.len());
                    if text.len().saturating_add(growth) as u64 > MAX_CALL_BYTES {
                        return None;
                    }
                    if text.contains(old.as_str()) {
                        text = text.replacen(old.as_str(), new, times);
                    } else {
                        // What is to be replaced is not there: the new text is all that is known.
                        text.extend(["\n", new]);
                    }
                }
                Some(text)
            }
        }
    }
}
