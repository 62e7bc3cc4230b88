//! What was typed.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use cli::{Common, CommonArgs};

/// Say no to Dockerfiles, docker-compose and unmanaged dev servers
///
/// The rules are in guard.toml, looked for in the working folder and above it up to the root of the repository;
/// without one, the rules that `guard default` prints hold.
///
/// Exit codes: 0 clean, or only warnings · 1 refused · 2 could not judge. `guard hook` has its own.
///
/// Examples:
///   guard command -- 'cd web && npm run dev'
///   guard files --staged
///   guard files --all --format github
///   guard hook < tool-call.json
///   guard default > guard.toml
#[derive(Debug, Parser)]
#[command(name = "guard", version, verbatim_doc_comment, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) what: What,

    /// The policy to use instead of the one that is found
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

impl Common for Arguments {
    fn common(&self) -> &CommonArgs {
        &self.common
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum What {
    Command(CommandArgs),
    Files(FilesArgs),
    Hook(HookArgs),
    Baseline(BaselineArgs),
    Default(DefaultArgs),
}

/// Judge a command line
///
/// It is read as a shell reads it: what stands in quotes, comments and here-documents is text, what stands behind
/// sudo, env, xargs, `bash -c`, `$( )` and their like is a command. Nothing is run.
///
/// Examples:
///   guard command -- 'docker build .'
///   echo 'npm run dev' | guard command
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct CommandArgs {
    /// The shell text; several are joined by spaces; stdin when there is none
    #[arg(value_name = "TEXT", trailing_var_arg = true)]
    pub(crate) text: Vec<String>,

    /// How findings are written
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(crate) format: Format,
}

/// Judge files, and the commands in them
///
/// A file is judged by its name, and by the commands in it where its kind has some: process-compose files,
/// package.json, workflows, justfiles, Makefiles, shell scripts and .envrc. Markdown is never looked into. A line
/// `# guard:allow RULE reason` excuses what stands on it or below it.
///
/// Examples:
///   guard files --staged
///   guard files --all --format github
///   guard files deploy/build.sh
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    arg_required_else_help = true,
    group = ArgGroup::new("selection").required(true)
)]
pub(crate) struct FilesArgs {
    /// The files, as they are on disk
    #[arg(value_name = "PATH", group = "selection")]
    pub(crate) paths: Vec<PathBuf>,

    /// What the next commit changes, as the index holds it; what it deletes passes
    #[arg(long, group = "selection")]
    pub(crate) staged: bool,

    /// Every file that git knows
    #[arg(long, group = "selection")]
    pub(crate) all: bool,

    /// How findings are written
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(crate) format: Format,
}

/// Judge an agent's tool call, given as JSON on stdin
///
/// This is a pre-tool-use hook: `tool_name` and `tool_input` are read. A refusal is exit code 2 with the reason and the
/// alternative on stderr. Anything else is exit code 0 and no output, so that the agent asks its user as ever.
///
/// Exit codes: 0 pass · 2 refused · 1 could not judge, which stops nothing (2 with `--fail closed`).
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct HookArgs {
    /// What a call that cannot be judged meets: `open` lets it pass, `closed` refuses it
    #[arg(long, value_name = "HOW", default_value = "open")]
    pub(crate) fail: Fail,
}

/// Tolerate what is there today
///
/// Prints the findings in all files as a baseline, or writes it to the file that the policy names
/// (guard-baseline.toml beside it). `guard files` and `guard hook` then refuse only what is new.
///
/// Examples:
///   guard baseline
///   guard baseline --write
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct BaselineArgs {
    /// Write the file instead of printing it
    #[arg(long)]
    pub(crate) write: bool,
}

/// Print the rules that hold without a guard.toml
///
/// Examples:
///   guard default > guard.toml
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct DefaultArgs {}

/// How findings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A line each
    Human,
    /// One JSON value
    Json,
    /// Annotations of GitHub Actions
    Github,
}

/// What a hook does with what it cannot judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Fail {
    /// Exit code 1: the call goes on
    Open,
    /// Exit code 2: the call is refused
    Closed,
}
