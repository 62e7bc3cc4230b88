//! Files read and merged into one project.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::{Document, FileId, ParseError, Process, Spanned, parse};

/// The size above which a file is not read: the largest seen in the wild is a hundredth of it.
pub const MAX_BYTES: u64 = 4 << 20;

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The path as it was given.
    pub path: PathBuf,
    /// What it holds: spans count bytes of it.
    pub text: String,
}

/// What several files say together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Project {
    /// The files, in the order they were given; [`FileId`] counts them.
    pub sources: Vec<Source>,
    /// The processes, in the order they were first named.
    pub processes: Vec<(Spanned<String>, Process)>,
    /// Variables whose values are what a command prints.
    pub env_cmds: Vec<(Spanned<String>, Spanned<String>)>,
}

/// A project that could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file could not be read; the error names it.
    #[error("failed to read a process-compose file")]
    Read(#[source] io::Error),
    /// The file is too big.
    #[error("`{}` is larger than {MAX_BYTES} bytes", path.display())]
    TooBig {
        /// The file.
        path: PathBuf,
    },
    /// The file is not what it should be.
    #[error("`{}` is not a process-compose file", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and where.
        #[source]
        source: ParseError,
    },
}

impl Source {
    /// Reads one file, up to [`MAX_BYTES`]. Bytes that are not UTF-8 become U+FFFD.
    ///
    /// # Errors
    /// [`LoadError::Read`] and [`LoadError::TooBig`].
    pub fn read(path: &Path) -> Result<Self, LoadError> {
        let file = fs_err::File::open(path).map_err(LoadError::Read)?;
        let mut bytes = Vec::new();
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(LoadError::Read)?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(LoadError::TooBig { path: path.to_owned() });
        }
        let text = String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        Ok(Self { path: path.to_owned(), text })
    }
}

impl Project {
    /// Reads files and merges them from left to right.
    ///
    /// # Errors
    /// [`LoadError`], for the first file that does not load.
    pub fn load<'a>(paths: impl IntoIterator<Item = &'a Path>) -> Result<Self, LoadError> {
        let mut project = Self::default();
        for path in paths {
            let source = Source::read(path)?;
            let document = parse(&source.text, FileId(project.sources.len()))
                .map_err(|source| LoadError::Parse { path: path.to_owned(), source })?;
            project.sources.push(source);
            project.merge(document);
        }
        Ok(project)
    }

    /// Merges one more document over what is there.
    fn merge(&mut self, document: Document) {
        for (name, process) in document.processes {
            match self.processes.iter_mut().find(|(known, _)| known.value == name.value) {
                Some((_, known)) => known.merge(process),
                None => self.processes.push((name, process)),
            }
        }
        for (name, command) in document.env_cmds {
            match self.env_cmds.iter_mut().find(|(known, _)| known.value == name.value) {
                Some((_, known)) => *known = command,
                None => self.env_cmds.push((name, command)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(texts: &[&str]) -> Result<Project, LoadError> {
        let folder = tempfile::tempdir().unwrap();
        let paths: Vec<_> = (0..texts.len()).map(|n| folder.path().join(n.to_string())).collect();
        for (path, text) in paths.iter().zip(texts) {
            fs_err::write(path, text).unwrap();
        }
        Project::load(paths.iter().map(PathBuf::as_path))
    }

    #[test]
    fn later_values_win_lists_grow_and_empty_ones_say_nothing() {
        let project = load(&[
            "env_cmds: {A: date, B: id}\nprocesses:\n  a: {command: one, entrypoint: [x]}\n  b: {command: two}\n",
            "env_cmds: {A: uname}\nprocesses:\n  b: {command: ''}\n  a: {command: three, entrypoint: [y]}\n  c:\n",
        ])
        .unwrap();
        let names: Vec<_> = project.processes.iter().map(|(name, _)| name.value.as_str()).collect();
        assert_eq!(names, ["a", "b", "c"]);
        let [(_, a), (_, b), (_, c)] = project.processes.as_slice() else { panic!() };
        let a_command = a.command.as_ref().unwrap();
        assert_eq!((a_command.value.as_str(), a_command.span.file), ("three", FileId(1)));
        assert_eq!(
            a.entrypoint.iter().map(|word| word.value.as_str()).collect::<Vec<_>>(),
            ["x", "y"]
        );
        assert_eq!(b.command.as_ref().unwrap().value, "two");
        assert_eq!(c, &Process::default());
        assert_eq!(project.env_cmds[0].1.value, "uname");
    }

    #[test]
    fn an_error_names_the_file_and_the_place() {
        let error = load(&["processes: {}\n", "processes:\n  a:\n    command: [x]\n"]).unwrap_err();
        let LoadError::Parse { path, source } = error else { panic!() };
        assert!(path.ends_with("1"));
        assert_eq!((source.line, source.column), (3, 14));
    }

    #[test]
    fn a_file_beyond_the_limit_is_not_read() {
        let text = "#".repeat(usize::try_from(MAX_BYTES).unwrap() + 1);
        assert!(matches!(load(&[&text]), Err(LoadError::TooBig { .. })));
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = Project::load([Path::new("/no/such/file.yaml")]).unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains("/no/such/file.yaml"), "{cause}");
    }
}
