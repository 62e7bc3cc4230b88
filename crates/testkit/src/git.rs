//! A git repository whose commits have the same ids on every machine.

use std::path::PathBuf;

use crate::{Output, Run, Sandbox};

/// The repository in the working directory of a sandbox.
#[derive(Debug)]
pub struct Git<'s> {
    sandbox: &'s Sandbox,
}

impl<'s> Git<'s> {
    pub(crate) fn init(sandbox: &'s Sandbox) -> Self {
        let git = Self { sandbox };
        git.ok(["init", "--quiet", "--initial-branch=main"]);
        git
    }

    /// Prepares a git command with a fixed identity and fixed dates.
    pub fn run<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Run {
        let date = "2020-01-01T00:00:00Z";
        self.sandbox
            .run("git")
            .args(args)
            .env("GIT_AUTHOR_NAME", "A")
            .env("GIT_AUTHOR_EMAIL", "a@example.invalid")
            .env("GIT_AUTHOR_DATE", date)
            .env("GIT_COMMITTER_NAME", "A")
            .env("GIT_COMMITTER_EMAIL", "a@example.invalid")
            .env("GIT_COMMITTER_DATE", date)
            .env("GIT_CONFIG_NOSYSTEM", "1")
    }

    /// Runs a git command that must succeed.
    #[track_caller]
    pub fn ok<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Output {
        self.run(args).output().code(0)
    }

    /// Commits everything that is in the working directory.
    #[track_caller]
    pub fn commit_all(&self, message: &str) {
        drop(self.ok(["add", "--all"]));
        drop(self.ok(["commit", "--quiet", "--message", message]));
    }

    /// Adds a linked worktree beside the working directory, on a branch of its name.
    #[track_caller]
    pub fn worktree(&self, name: &str) -> PathBuf {
        let path = self.sandbox.root().join(name);
        let text = path.to_string_lossy().into_owned();
        drop(self.ok(["worktree", "add", "--quiet", "-b", name, &text]));
        path
    }
}
