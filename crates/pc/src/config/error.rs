//! Why there is no project.

use std::path::PathBuf;

use cli::{Exit, Failure};
use composefile::LoadError;

use super::dotenv::DotenvError;
use super::problem::Placed;
use super::registry::TableError;

/// Why there is no project.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("there is no process-compose.yaml in `{}`", .0.display())]
    NoFile(PathBuf),
    #[error("cannot read the project")]
    Load(#[source] LoadError),
    #[error("cannot read the variables of `{}`", path.display())]
    EnvFile { path: PathBuf, source: std::io::Error },
    #[error("{}:{source}", path.display())]
    EnvSyntax { path: PathBuf, source: DotenvError },
    #[error("a file extends itself: {0}")]
    ExtendsItself(String),
    #[error("`{}` is extended, and named a second time", .0.display())]
    ExtendsTwice(PathBuf),
    #[error("a project has at most {0} files")]
    TooManyFiles(usize),
    #[error("cannot read the port registry")]
    Ports(#[source] TableError),
    #[error(transparent)]
    Problem(Placed),
}

impl Failure for ConfigError {
    // A project that does not load is 1, as for process-compose.
    fn exit(&self) -> Exit {
        Exit::No
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoFile(_) => {
                Some("name the file by `-f`, or write a process-compose.yaml".to_owned())
            }
            Self::ExtendsTwice(_) => Some("leave it to `extends`".to_owned()),
            Self::Problem(problem) => problem.hint.clone(),
            Self::Ports(TableError::Registry(error)) => error.hint(),
            _ => None,
        }
    }
}
