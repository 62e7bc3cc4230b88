//! The files of a project: found, read, expanded, and put in the order in which they are merged.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use cli::Io;
use composefile::{FileId, Kind, Node, Scalar, Source, Span, Spanned, read_tree};
use fs_err as fs;

use super::dotenv;
use super::error::ConfigError;
use super::expand::{ExpandError, Expanded, PortError, Values, expand};
use super::problem::{Level, Problem};
use super::registry::PortTable;
use super::request::Request;
use super::schema::{self, Type};
use super::tree::View;

/// The most files of a project.
const MAX_FILES: usize = 100;

/// The variables that expansion knows, in their order: `.env`, then the environment.
pub(crate) struct Variables<'a> {
    pub(crate) dotenv: &'a BTreeMap<String, String>,
    pub(crate) io: &'a Io,
    pub(crate) ports: &'a PortTable,
}

impl Values for Variables<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        let own = self.dotenv.get(name).cloned();
        own.or_else(|| self.io.env.named(name).map(|value| value.to_string_lossy().into_owned()))
    }

    fn port(&self, path: &str, has_default: bool) -> Result<Option<u16>, PortError> {
        match self.ports.get(path) {
            Ok(number) => Ok(Some(number)),
            Err(_) if has_default => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// One file that was read.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) tree: Node,
    /// The `${}` of its text.
    pub(crate) expanded: Expanded,
}

/// All files, in the order in which they are merged.
#[derive(Debug, Default)]
pub(crate) struct Files {
    pub(crate) sources: Vec<Source>,
    pub(crate) read: Vec<File>,
    pub(crate) problems: Vec<Problem>,
    /// Files that are merged, by their real path.
    seen: Vec<PathBuf>,
}

/// The paths of the project's files.
pub(crate) fn find(request: &Request, io: &Io) -> Result<Vec<PathBuf>, ConfigError> {
    let folder = io.env.cwd();
    if !request.files.is_empty() {
        return Ok(request.files.clone());
    }
    let found = composefile::find(folder).ok_or_else(|| ConfigError::NoFile(folder.to_owned()))?;
    let relative = |path: &Path| path.strip_prefix(folder).unwrap_or(path).to_owned();
    Ok(found.files().map(relative).collect())
}

/// Reads the files with variables.
pub(crate) fn dotenv(request: &Request, io: &Io) -> Result<BTreeMap<String, String>, ConfigError> {
    let mut known = BTreeMap::new();
    if !request.reads_dotenv {
        return Ok(known);
    }
    let default = [PathBuf::from(".env")];
    let is_default = request.env_files.is_empty();
    let paths = if is_default { &default[..] } else { &request.env_files };
    for path in paths {
        match read_variables(&io.env.cwd().join(path), path, &mut known) {
            Err(ConfigError::EnvFile { source, .. })
                if source.kind() == std::io::ErrorKind::NotFound =>
            {
                if !is_default {
                    io.warn(format_args!("there is no `{}`", path.display()));
                }
            }
            other => other?,
        }
    }
    Ok(known)
}

/// Reads one file with variables on top of those that are known.
pub(crate) fn read_variables(
    path: &Path,
    named: &Path,
    known: &mut BTreeMap<String, String>,
) -> Result<(), ConfigError> {
    let failed = |source| ConfigError::EnvFile { path: named.to_owned(), source };
    if fs::metadata(path).map_err(failed)?.is_dir() {
        // `.env` is a folder in some projects, of a Python environment.
        return Ok(());
    }
    let source = Source::read(path).map_err(|error| match error {
        composefile::LoadError::Read(source) => failed(source),
        other => ConfigError::Load(other),
    })?;
    dotenv::read(&source.text, known)
        .map_err(|source| ConfigError::EnvSyntax { path: named.to_owned(), source })
}

impl Files {
    /// Reads a file, and before it what it extends.
    pub(crate) fn add(
        &mut self,
        path: &Path,
        values: &Variables<'_>,
        stack: &mut Vec<PathBuf>,
    ) -> Result<(), ConfigError> {
        let absolute = values.io.env.cwd().join(path);
        let real = fs::canonicalize(&absolute).unwrap_or_else(|_| normal(&absolute));
        if let Some(at) = stack.iter().position(|open| *open == real) {
            let mut circle: Vec<String> =
                stack[at..].iter().map(|path| path.display().to_string()).collect();
            circle.push(real.display().to_string());
            return Err(ConfigError::ExtendsItself(circle.join(" -> ")));
        }
        if self.seen.contains(&real) && !stack.is_empty() {
            return Err(ConfigError::ExtendsTwice(path.to_owned()));
        }
        if self.sources.len() >= MAX_FILES {
            return Err(ConfigError::TooManyFiles(MAX_FILES));
        }
        let mut source = Source::read(&absolute).map_err(ConfigError::Load)?;
        path.clone_into(&mut source.path);
        if source.text.starts_with('\u{feff}') {
            source.text.remove(0);
        }
        let id = FileId(self.sources.len());
        let parsed = parse(&source, id, values);
        self.sources.push(source);
        let mut file = match parsed {
            Ok(file) => file,
            Err(problem) => {
                self.problems.push(*problem);
                return Ok(());
            }
        };
        self.hazards(&file, id);
        if !matches!(file.tree.kind, Kind::Mapping(_)) && !file.tree.is_null() {
            let what = format!("a project is a mapping, not {}", file.tree.what());
            self.problems.push(Problem::new(Level::Error, "type", file.tree.span, what));
            return Ok(());
        }
        schema::check(&file.tree, &Type::Object(&schema::PROJECT), "", &mut self.problems);
        lift(&mut file.tree, &mut self.problems);
        if let Some(parent) = take(&mut file.tree, "extends") {
            let Kind::Scalar(Scalar { text, .. }) = &parent.kind else { return Ok(()) };
            if !text.is_empty() {
                let folder = path.parent().unwrap_or(Path::new(""));
                let parent_path = folder.join(text);
                stack.push(real.clone());
                let first = self.read.len();
                self.add(&parent_path, values, stack)?;
                stack.pop();
                let base = normal(&values.io.env.cwd().join(&parent_path));
                let base = base.parent().unwrap_or(Path::new("/")).to_owned();
                // Its own parents have theirs already.
                if let Some(last) = self.read[first..].last_mut() {
                    set_working_dirs(&mut last.tree, &base);
                }
            }
        }
        self.seen.push(real);
        self.read.push(file);
        Ok(())
    }

    /// What of the `${}` will surprise.
    fn hazards(&mut self, file: &File, id: FileId) {
        let source = &self.sources[id.0];
        let lines = Lines::of(&source.text);
        for range in &file.expanded.left {
            let what = &source.text[range.clone()];
            let message =
                format!("`{what}` is left to the shell: it is no form that is expanded here");
            let problem = Problem::new(
                Level::Hint,
                "expansion",
                lines.span(id, range.start, range.end),
                message,
            );
            self.problems
                .push(problem.with_hint(format!("write `${what}` to say that you mean it")));
        }
        for range in &file.expanded.misleading {
            let what = &source.text[range.clone()];
            let message = format!("`{what}` is `${{V:-…}}` here, not what a shell makes of it");
            let problem = Problem::new(
                Level::Hint,
                "expansion",
                lines.span(id, range.start, range.end),
                message,
            );
            self.problems
                .push(problem.with_hint(format!("write `${what}` to leave it to the shell")));
        }
    }
}

/// Expands and parses a file. Text in which expansion is switched off is taken as it is.
fn parse(source: &Source, id: FileId, values: &Variables<'_>) -> Result<File, Box<Problem>> {
    let lines = Lines::of(&source.text);
    let plain = || read_tree(&source.text, id);
    let is_off = |tree: &Node| View(Some(tree)).get("disable_env_expansion").boolean();
    let expanded = match expand(&source.text, values) {
        Ok(expanded) => expanded,
        Err(error) => {
            // Where nothing is expanded, nothing can be wrong with it.
            if let Ok(tree) = plain()
                && is_off(&tree.root)
            {
                return Ok(File { tree: tree.root, expanded: Expanded::default() });
            }
            return Err(Box::new(expansion_problem(&error, &lines, id)));
        }
    };
    let syntax =
        |line: u32, column: u32, message: &str, lines: &Lines<'_>, from: Option<&Expanded>| {
            let span = match from {
                Some(expanded) => {
                    let offset = Lines::of(&expanded.text).offset(line, column);
                    lines.span(id, expanded.original(offset), expanded.original(offset))
                }
                None => Span { file: id, line, column, ..Span::default() },
            };
            Box::new(Problem::new(Level::Error, "yaml", span, message))
        };
    match read_tree(&expanded.text, id) {
        Ok(tree) if is_off(&tree.root) => {
            let tree = plain()
                .map_err(|error| syntax(error.line, error.column, &error.message, &lines, None))?;
            Ok(File { tree: tree.root, expanded: Expanded::default() })
        }
        Ok(mut tree) => {
            if !expanded.pieces.is_empty() {
                relocate(&mut tree.root, &expanded, &lines);
            }
            Ok(File { tree: tree.root, expanded })
        }
        Err(error) => {
            if let Ok(tree) = plain()
                && is_off(&tree.root)
            {
                return Ok(File { tree: tree.root, expanded: Expanded::default() });
            }
            let problem = syntax(error.line, error.column, &error.message, &lines, Some(&expanded));
            Err(if error.line > 0 && braces_at(&source.text, problem.span) {
                Box::new(problem.with_hint("put a value that begins with `{{` in quotes"))
            } else {
                problem
            })
        }
    }
}

fn braces_at(text: &str, span: Option<Span>) -> bool {
    let line = span.and_then(|span| text.lines().nth(span.line.checked_sub(1)? as usize));
    line.is_some_and(|line| line.contains(": {{"))
}

fn expansion_problem(error: &ExpandError, lines: &Lines<'_>, id: FileId) -> Problem {
    let span = lines.span(id, error.at, error.at);
    let problem = Problem::new(Level::Error, "expansion", span, error.what.clone());
    match &error.hint {
        Some(hint) => problem.with_hint(hint.clone()),
        None => problem,
    }
}

/// The lines of a text.
pub(crate) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1));
        Self { text, starts: starts.collect() }
    }

    pub(crate) fn span(&self, file: FileId, start: usize, end: usize) -> Span {
        let line = self.starts.partition_point(|&at| at <= start).max(1);
        let before = self.text.get(self.starts[line - 1]..start).unwrap_or_default();
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Span { file, start, end, line: number(line), column: number(before.chars().count() + 1) }
    }

    fn offset(&self, line: u32, column: u32) -> usize {
        let Some(start) = self.starts.get(line.saturating_sub(1) as usize) else {
            return self.text.len();
        };
        let rest = &self.text[*start..];
        let skipped = rest.char_indices().nth(column.saturating_sub(1) as usize);
        start + skipped.map_or(rest.len(), |(at, _)| at)
    }
}

/// Moves the places of an expanded text to the text as it was written.
fn relocate(node: &mut Node, expanded: &Expanded, lines: &Lines<'_>) {
    let moved = |span: Span| {
        let (start, end) = (expanded.original(span.start), expanded.original(span.end));
        lines.span(span.file, start, end.max(start))
    };
    node.span = moved(node.span);
    match &mut node.kind {
        Kind::Scalar(_) => {}
        Kind::Sequence(items) => items.iter_mut().for_each(|item| relocate(item, expanded, lines)),
        Kind::Mapping(entries) => {
            for (key, value) in entries {
                key.span = moved(key.span);
                relocate(value, expanded, lines);
            }
        }
    }
}

/// `restart:` and its like directly under a process go where they were meant to be.
fn lift(tree: &mut Node, problems: &mut [Problem]) {
    const LIFTED: [&str; 3] = ["restart", "max_restarts", "backoff_seconds"];
    let Kind::Mapping(keys) = &mut tree.kind else { return };
    let Some((_, processes)) = keys.iter_mut().find(|(key, _)| key.value == "processes") else {
        return;
    };
    let Kind::Mapping(processes) = &mut processes.kind else { return };
    for (_, process) in processes {
        for name in LIFTED {
            let Some((key, value)) = take_entry(process, name) else { continue };
            if let Some(problem) = problems
                .iter_mut()
                .find(|problem| problem.id == "unknown-key" && problem.span == Some(key.span))
            {
                problem.message = format!(
                    "`{name}` belongs under `availability`, and is taken as if it were there"
                );
                problem.hint = Some(format!("write `availability: {{{name}: …}}`"));
            }
            let span = key.span;
            let Kind::Mapping(entries) = &mut process.kind else { continue };
            let at = entries
                .iter()
                .position(|(key, _)| key.value == "availability")
                .unwrap_or_else(|| {
                    let key = Spanned { value: "availability".to_owned(), span };
                    entries.push((key, Node { kind: Kind::Mapping(Vec::new()), span }));
                    entries.len() - 1
                });
            if entries[at].1.is_null() {
                entries[at].1.kind = Kind::Mapping(Vec::new());
            }
            if let Kind::Mapping(known) = &mut entries[at].1.kind
                && !known.iter().any(|(key, _)| key.value == name)
            {
                known.push((key, value));
            }
        }
    }
}

fn take(node: &mut Node, name: &str) -> Option<Node> {
    take_entry(node, name).map(|(_, value)| value)
}

pub(crate) fn take_entry(node: &mut Node, name: &str) -> Option<(Spanned<String>, Node)> {
    let Kind::Mapping(entries) = &mut node.kind else { return None };
    let at = entries.iter().position(|(key, _)| key.value == name)?;
    Some(entries.remove(at))
}

/// The processes of a file that is extended work in its folder.
fn set_working_dirs(tree: &mut Node, folder: &Path) {
    let Kind::Mapping(keys) = &mut tree.kind else { return };
    let Some((_, processes)) = keys.iter_mut().find(|(key, _)| key.value == "processes") else {
        return;
    };
    let Kind::Mapping(processes) = &mut processes.kind else { return };
    for (name, process) in processes {
        if process.is_null() {
            process.kind = Kind::Mapping(Vec::new());
        }
        let Kind::Mapping(entries) = &mut process.kind else { continue };
        let known = entries.iter_mut().find(|(key, _)| key.value == "working_dir");
        match known {
            Some((_, Node { kind: Kind::Scalar(scalar), .. })) if !scalar.text.is_empty() => {
                scalar.text = folder.join(&scalar.text).display().to_string();
            }
            _ => {
                let key = Spanned { value: "working_dir".to_owned(), span: name.span };
                let text = folder.display().to_string();
                let kind = Kind::Scalar(Scalar { text, is_text: true });
                entries.push((key, Node { kind, span: name.span }));
            }
        }
    }
}

/// A path without `.` and `..`, as far as it goes without looking at the disk.
pub(crate) fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}
