//! `guard`: says no to Dockerfiles, docker-compose and unmanaged dev servers.
//!
//! The rules are data ([`default.toml`](https://toml.io) is the built-in set). A command is judged by a shell lexer,
//! a file by its name and by the commands in it, an agent's tool call by both.

mod allow;
mod alternative;
mod args;
mod baseline;
mod command;
mod error;
mod files;
mod finding;
mod hook;
mod input;
mod judge;
mod patch;
mod policy;
mod report;
mod scan;
mod shell;
mod tool;

use std::cell::Cell;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

use args::Arguments;

/// The command line, for help pages and completions.
pub fn command() -> clap::Command {
    <Arguments as clap::CommandFactory>::command()
}

/// Runs the tool.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    let understood = Cell::new(false);
    let code = cli::run("guard", args.clone(), |args: Arguments, io| {
        understood.set(true);
        tool::run(&args, io)
    });
    // 2 is a refusal to an agent. A mistyped flag must not refuse everything the agent does.
    if !understood.get() && code == ExitCode::from(2) && is_open_hook(&args) {
        return ExitCode::from(1);
    }
    code
}

/// What the built-in rules refuse in a shell text, as `docker build`; none when it nests too deep to be judged.
///
/// ```
/// let refused = guard::refusals("cd web && sudo docker --context x build .");
/// assert_eq!(refused, Some(vec!["docker build".to_owned()]));
/// assert_eq!(guard::refusals("git commit -m 'docker build'"), Some(vec![]));
/// ```
pub fn refusals(text: &str) -> Option<Vec<String>> {
    let folder = Path::new("/");
    let policy = policy::Policy::built_in(folder).ok()?;
    let judge = judge::Judge { policy: &policy, tree: &judge::Disk, folder };
    let text = shell::Text { text: text.to_owned(), place: shell::Place::START };
    let findings = judge.text(&text, None).ok()?;
    Some(findings.into_iter().map(|finding| finding.what).collect())
}

/// Whether the arguments were meant for a hook that fails open.
fn is_open_hook(args: &[OsString]) -> bool {
    let is_closed = args.windows(2).any(|pair| pair[0] == "--fail" && pair[1] == "closed")
        || args.iter().any(|arg| arg == "--fail=closed");
    let mut words = args.iter().skip(1);
    while let Some(word) = words.next() {
        if word == "--config" || word == "--color" {
            words.next();
        } else if !word.as_encoded_bytes().starts_with(b"-") {
            return word == OsStr::new("hook") && !is_closed;
        }
    }
    false
}
