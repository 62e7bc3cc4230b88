//! What was typed.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use cli::{Common, CommonArgs};

use crate::config::args::ProjectArgs;
use crate::config::duration::go_duration;
use crate::spelling::boolean;

/// Run the processes of a process-compose.yaml
///
/// The files are `-f`, else `PC_CONFIG_FILES`, else the first of compose.yml, compose.yaml,
/// process-compose.yml and process-compose.yaml in this folder, with an override file beside it.
/// Started as `process-compose` it takes that program's place; there, no verb means `up`.
///
/// Examples:
///   pc up
///   pc ci db redis -- bun test
///   pc check
///
/// Exit codes: each command has its own; 1 is a project that does not load, 2 usage.
#[derive(Debug, Parser)]
#[command(
    name = "pc",
    version,
    verbatim_doc_comment,
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) verb: Verb,

    #[command(flatten)]
    common: CommonArgs,
}

impl Common for Args {
    fn common(&self) -> &CommonArgs {
        &self.common
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Up(Box<UpArgs>),
    Run(Box<RunArgs>),
    Ci(Box<CiArgs>),
    Check(CheckArgs),
    Config(ConfigArgs),
    Schema(SchemaArgs),
}

/// Run processes until they have ended or are stopped
///
/// Without names, all processes of the project that are not disabled; with names, those and what they depend
/// on. Ctrl-C stops them and says who still runs, a second one kills, a third leaves.
///
/// Examples:
///   pc up
///   pc up api db
///   pc up --events - -t=false
///
/// Exit codes: 0 done, or stopped; 1 the project does not load, or a process that must not be was skipped;
/// 2 usage; 3 a port is taken; 4 something survived the stop; N of `exit_on_failure` and `exit_on_end`.
#[derive(Debug, Default, ClapArgs)]
#[command(verbatim_doc_comment)]
pub(crate) struct UpArgs {
    /// Processes to run; by default all
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,

    /// Do not run what they depend on
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub(crate) no_deps: Option<bool>,

    /// Load and check the project, and start nothing
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub(crate) dry_run: Option<bool>,

    #[command(flatten)]
    pub(crate) project: ProjectArgs,

    #[command(flatten)]
    pub(crate) run: RunningArgs,

    #[command(flatten)]
    pub(crate) ui: UiArgs,

    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// Run one process on this terminal, and what it depends on behind it
///
/// Its dependencies run silently and are stopped when it has ended.
///
/// Examples:
///   pc run migrate
///   pc run psql -- -c 'select 1'
///
/// Exit codes: those of the process; 1 the project does not load; 2 usage; 3 a port is taken; 4 something survived
/// the stop.
#[derive(Debug, ClapArgs)]
#[command(verbatim_doc_comment)]
pub(crate) struct RunArgs {
    /// The process
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// Arguments that are put behind its own
    #[arg(last = true, value_name = "ARG", allow_hyphen_values = true)]
    pub(crate) args: Vec<OsString>,

    /// Do not run what it depends on
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub(crate) no_deps: Option<bool>,

    #[command(flatten)]
    pub(crate) project: ProjectArgs,

    #[command(flatten)]
    pub(crate) run: RunningArgs,

    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// Run processes in CI: with an end, and with an exit code that means something
///
/// With a command: waits until the processes are ready, runs it with the variables that all of them share, and
/// stops them with proof. Without: ends when those that end by themselves have ended.
///
/// Examples:
///   pc ci db redis -- bun test
///   pc ci --timeout 10m --junit report.xml
///
/// Exit codes: 0 all is well; 1 something failed, was skipped, was never ready, or survived; with a command, its own.
#[derive(Debug, ClapArgs)]
#[command(verbatim_doc_comment)]
pub(crate) struct CiArgs {
    /// Processes to run, with what they depend on; by default all
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,

    /// The command, and its arguments
    #[arg(last = true, value_name = "CMD", allow_hyphen_values = true)]
    pub(crate) command: Vec<OsString>,

    /// Give up after this time: 90s, 10m
    #[arg(long, value_name = "DURATION", value_parser = go_duration)]
    pub(crate) timeout: Option<Duration>,

    /// Write a `JUnit` report
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) project: ProjectArgs,

    #[command(flatten)]
    pub(crate) run: RunningArgs,
}

/// How processes are run.
#[derive(Debug, Clone, Default, ClapArgs)]
#[command(next_help_heading = "Running")]
pub(crate) struct RunningArgs {
    /// Write what happens as JSON, an object a line; `-` is stdout
    #[arg(long, value_name = "FILE")]
    pub(crate) events: Option<PathBuf>,

    /// Print a report of the start, at the end: what waited for what, and how long
    #[arg(long)]
    pub(crate) report: bool,

    /// Print that report as JSON
    #[arg(long, requires = "report")]
    pub(crate) json: bool,

    /// Leave descendants alone that went into sessions of their own
    #[arg(long)]
    pub(crate) keep_detached: bool,

    /// What happens when nobody reads the output fast enough
    #[arg(long, value_name = "POLICY", default_value = "block")]
    pub(crate) slow_reader: SlowReader,

    /// Start although a port is taken
    #[arg(long)]
    pub(crate) ignore_ports: bool,
}

/// What happens when nobody reads the output fast enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum SlowReader {
    /// The processes wait
    #[default]
    Block,
    /// Lines are dropped, and counted
    Drop,
}

/// What the terminal UI shows, and when `up` goes to the background.
#[derive(Debug, Clone, Default, ClapArgs)]
#[command(next_help_heading = "Terminal UI")]
pub(crate) struct UiArgs {
    /// Show the terminal UI [env: `PC_DISABLE_TUI`]
    #[arg(short = 't', long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub(crate) tui: Option<bool>,

    /// Start it with the log alone [env: `PC_TUI_FULL_SCREEN`]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub(crate) tui_fs: Option<bool>,

    /// List no disabled processes [env: `PC_HIDE_DISABLED_PROC`]
    #[arg(short = 'd', long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub(crate) hide_disabled: Option<bool>,

    /// Stay when all processes have ended
    #[arg(long, alias = "keep-tui", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub(crate) keep_project: Option<bool>,

    /// Go to the background
    #[arg(short = 'D', long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub(crate) detached: Option<bool>,

    /// Go to the background and show the terminal UI of what runs there
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub(crate) detached_with_tui: Option<bool>,

    /// Go to the background when all processes are ready
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub(crate) detach_on_success: Option<bool>,

    /// Empty the log files at the start
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub(crate) logs_truncate: Option<bool>,

    /// Count descendants in the figures of a process [env: `PC_RECURSIVE_METRICS`]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub(crate) recursive_metrics: Option<bool>,

    /// Restart nothing because a file changed [env: `PC_NO_WATCH`]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub(crate) no_watch: Option<bool>,

    /// How often the terminal UI looks [default: 1s]
    #[arg(short = 'r', long, value_name = "DURATION", value_parser = go_duration)]
    pub(crate) ref_rate: Option<Duration>,

    /// How often it looks at what costs more [default: 1s]
    #[arg(long, value_name = "DURATION", value_parser = go_duration)]
    pub(crate) slow_ref_rate: Option<Duration>,

    /// Sort the table the other way round
    #[arg(short = 'R', long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub(crate) reverse: Option<bool>,

    /// The column that the table is sorted by [default: NAME]
    #[arg(short = 'S', long, value_name = "COLUMN")]
    pub(crate) sort: Option<String>,

    /// The colours of the terminal UI
    #[arg(long, value_name = "NAME")]
    pub(crate) theme: Option<String>,

    /// A file with key bindings [env: `PC_SHORTCUTS_FILES`]
    #[arg(long, value_name = "FILE")]
    pub(crate) shortcuts: Vec<PathBuf>,
}

/// How other programs reach a project that runs.
#[derive(Debug, Clone, Default, ClapArgs)]
#[command(next_help_heading = "Server")]
pub(crate) struct ServerArgs {
    /// Listen on this TCP port, too [env: `PC_PORT_NUM`]
    #[arg(short = 'p', long, value_name = "N")]
    pub(crate) port: Option<u16>,

    /// The address of that port [env: `PC_ADDRESS`; default: localhost]
    #[arg(long, value_name = "HOST")]
    pub(crate) address: Option<String>,

    /// Listen nowhere [env: `PC_NO_SERVER`]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub(crate) no_server: Option<bool>,

    /// The unix socket [env: `PC_SOCKET_PATH`; default: one for each project]
    #[arg(short = 'u', long, value_name = "PATH")]
    pub(crate) unix_socket: Option<PathBuf>,

    /// Listen on a unix socket, as is the default
    #[arg(short = 'U', long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub(crate) use_uds: Option<bool>,

    /// Let others ask and change nothing [env: `PC_READ_ONLY`]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub(crate) read_only: Option<bool>,

    /// The file with the token that callers of the TCP port must show [env: `PC_API_TOKEN_PATH`]
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,

    /// The file of the manager's own log [env: `PC_LOG_FILE`; default: none]
    #[arg(short = 'L', long, value_name = "FILE")]
    pub(crate) log_file: Option<PathBuf>,

    /// No colours in that log [env: `PC_LOG_NO_COLOR`]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub(crate) log_no_color: Option<bool>,

    /// Stop a process after those that depend on it [env: `PC_ORDERED_SHUTDOWN`]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub(crate) ordered_shutdown: Option<bool>,
}

/// Find every mistake in the files of a project
///
/// Each is told on a line of its own, its place first, and what to write instead. Nothing is started.
///
/// Examples:
///   pc check
///   pc check -f process-compose.yaml -f ci.yaml
///
/// Exit codes: 0 nothing is wrong; 1 there are mistakes; 2 the files cannot be read.
#[derive(Debug, ClapArgs)]
#[command(verbatim_doc_comment)]
pub(crate) struct CheckArgs {
    /// Say nothing of this kind of mistake; again for more
    #[arg(long, value_name = "KIND")]
    pub(crate) allow: Vec<String>,

    /// Print a JSON array
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) project: ProjectArgs,
}

/// Print the project as it is resolved
///
/// Files are merged, `${}` and templates expanded, replicas processes of their own, and defaults left out. Of the
/// environments only what the project itself sets is shown.
///
/// Examples:
///   pc config
///   pc config --json | jq '.processes | keys'
///
/// Exit codes: 0 done; 1 the project does not load; 2 usage.
#[derive(Debug, ClapArgs)]
#[command(verbatim_doc_comment)]
pub(crate) struct ConfigArgs {
    /// Only these processes, and what they depend on
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) project: ProjectArgs,
}

/// Print the JSON schema of the files
///
/// Examples:
///   pc schema > process-compose.schema.json
///
/// Exit codes: 0 done; 2 usage.
#[derive(Debug, ClapArgs)]
#[command(verbatim_doc_comment)]
pub(crate) struct SchemaArgs {}
