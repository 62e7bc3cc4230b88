//! The policy: rules as data, from `guard.toml` or built in.

mod globs;
mod rule;
mod settings;

use std::path::{Path, PathBuf};

pub(crate) use globs::Globs;
pub(crate) use rule::{Level, Pattern, Rule};
pub(crate) use settings::Mistake;

/// The rules that hold without a `guard.toml`, as `guard default` prints them.
pub(crate) const DEFAULT: &str = include_str!("default.toml");

/// The name of the file that is looked for.
const FILE_NAME: &str = "guard.toml";

/// The size above which a policy is not read.
const MAX_BYTES: u64 = 1 << 20;

/// What is refused, and where that holds.
#[derive(Debug)]
pub(crate) struct Policy {
    /// The folder that paths in the policy are relative to.
    pub(crate) root: PathBuf,
    /// Files that are not looked at.
    pub(crate) exclude: Globs,
    /// The rules, `off` ones left out.
    pub(crate) rules: Vec<Rule>,
    /// The findings that are tolerated.
    pub(crate) baseline: PathBuf,
    /// Where the processes are declared, when it is not the usual place.
    pub(crate) processes: Option<PathBuf>,
}

/// A policy that cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PolicyError {
    /// It cannot be read; the error names it.
    #[error("failed to read the policy")]
    Read(#[source] crate::input::ReadError),
    /// It says something that is not understood.
    #[error("{}:{line}:{column}: {}", path.display(), mistake.message)]
    Mistake { path: PathBuf, line: usize, column: usize, mistake: Mistake },
}

impl PolicyError {
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Read(_) => None,
            Self::Mistake { mistake, .. } => mistake.hint.clone(),
        }
    }
}

impl Policy {
    /// The policy of a folder: the file given, else the nearest `guard.toml` up to the root of the repository,
    /// else the built-in one.
    pub(crate) fn find(folder: &Path, file: Option<&Path>) -> Result<Self, PolicyError> {
        if let Some(file) = file {
            let file = folder.join(file);
            let root = file.parent().unwrap_or(folder).to_owned();
            return Self::read(&file, root);
        }
        for above in folder.ancestors() {
            let file = above.join(FILE_NAME);
            if file.is_file() {
                return Self::read(&file, above.to_owned());
            }
            // A file in a linked worktree, a folder elsewhere.
            if above.join(".git").exists() {
                return Self::built_in(above);
            }
        }
        Self::built_in(folder)
    }

    /// The policy where there is no file.
    pub(crate) fn built_in(root: &Path) -> Result<Self, PolicyError> {
        Self::parse(DEFAULT, Path::new("the built-in policy"), root.to_owned())
    }

    fn read(file: &Path, root: PathBuf) -> Result<Self, PolicyError> {
        let text = crate::input::read(file, MAX_BYTES).map_err(PolicyError::Read)?;
        Self::parse(&text, file, root)
    }

    fn parse(text: &str, file: &Path, root: PathBuf) -> Result<Self, PolicyError> {
        settings::parse(text, root).map_err(|mistake| {
            let (line, column) = crate::input::line_and_column(text, mistake.at);
            PolicyError::Mistake { path: file.to_owned(), line, column, mistake }
        })
    }

    /// The path as patterns see it: from the policy's folder, when it is below that.
    pub(crate) fn relative<'a>(&self, path: &'a Path) -> &'a Path {
        path.strip_prefix(&self.root).unwrap_or(path)
    }

    /// Whether the policy does not look at a file at all.
    pub(crate) fn excludes(&self, path: &Path) -> bool {
        self.exclude.matches(self.relative(path))
    }
}
