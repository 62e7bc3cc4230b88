//! The resolved project: what the engine runs.
//!
//! Everything that a file may leave open is settled here: several files are merged, `${}` and templates are
//! expanded, replicas are processes of their own, folders are absolute, environments are whole.

use std::path::PathBuf;
use std::time::Duration;

pub use super::environment::Environment;
pub use composefile::{FileId, Source, Span};

/// A project that is ready to run.
#[derive(Debug, Clone, Default)]
pub struct Project {
    /// `name:`, else the name of the working folder.
    pub name: String,
    /// The folder that relative paths start from: where `pc` was started.
    pub folder: PathBuf,
    /// The files in the order they were merged; [`Span::file`] counts them.
    pub sources: Vec<Source>,
    /// Every process that the namespaces admit, replicas included, in the order of the files. Those that were not
    /// asked for are here too, with [`Process::is_disabled`] set.
    pub processes: Vec<Process>,
    /// What runs command lines.
    pub shell: Shell,
    /// Whether mistakes in the files are errors.
    pub is_strict: bool,
    /// Whether no terminal UI is wanted.
    pub is_tui_disabled: bool,
    /// Whether a process is stopped only when those that depend on it have ended.
    pub ordered_shutdown: bool,
    /// How much the manager says in its own log.
    pub log_level: LogLevel,
    /// The file for the output of all processes that have none of their own.
    pub log_location: Option<PathBuf>,
    /// How that file is written.
    pub log_configuration: LogConfiguration,
    /// How many lines of each process are kept in memory.
    pub log_length: usize,
    /// The MCP server that upstream would start; kept, not started.
    pub mcp_server: Option<McpServer>,
    /// What the registered ports are called and which numbers they have here.
    pub ports: Vec<(String, u16)>,
}

impl Project {
    /// The process of that name.
    pub fn process(&self, name: &str) -> Option<&Process> {
        self.processes.iter().find(|process| process.name == name)
    }

    /// `file:line:column` of a span.
    pub fn place(&self, span: Span) -> String {
        let path = self.sources.get(span.file.0).map_or(String::new(), |source| {
            let path = source.path.strip_prefix(&self.folder).unwrap_or(&source.path);
            path.display().to_string()
        });
        format!("{path}:{}:{}", span.line, span.column)
    }
}

/// What runs command lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shell {
    /// The shell, a name or a path.
    pub command: String,
    /// What stands before the command line: `-c`.
    pub argument: String,
    /// What an elevated process is put behind: `sudo`.
    pub elevated_command: String,
    /// Its argument: `-S`. Left out where nobody can type a password.
    pub elevated_argument: String,
}

impl Default for Shell {
    fn default() -> Self {
        Self {
            command: "bash".to_owned(),
            argument: "-c".to_owned(),
            elevated_command: "sudo".to_owned(),
            elevated_argument: "-S".to_owned(),
        }
    }
}

/// One process, or one replica of it.
#[derive(Debug, Clone, Default)]
pub struct Process {
    /// The name that it is shown and addressed by: `web`, `worker-1`. No two are equal.
    pub name: String,
    /// The key in the file: `worker` for `worker-1`.
    pub group: String,
    /// Which replica this is, from 0.
    pub replica: u32,
    /// How many there are.
    pub replicas: u32,
    /// Where the key is written.
    pub span: Span,
    /// For people.
    pub description: String,
    /// The program and its arguments, the shell included.
    pub argv: Vec<String>,
    /// The command line as the file has it, expanded; empty for an `entrypoint`.
    pub command: String,
    /// Where the command, or the entrypoint, is written.
    pub command_span: Span,
    /// The folder it runs in, absolute. It may not exist.
    pub working_dir: PathBuf,
    /// The whole environment that the process gets.
    pub environment: Environment,
    /// The namespaces it is in; never empty.
    pub namespaces: Vec<String>,
    /// Not started unless somebody asks for it later.
    pub is_disabled: bool,
    /// Started only by hand, on the real terminal; no part of a project's end.
    pub is_foreground: bool,
    /// The command is a launcher: what it starts lives on after its end.
    pub is_daemon: bool,
    /// Runs on a pseudo terminal.
    pub is_tty: bool,
    /// Runs on a pseudo terminal that the UI shows.
    pub is_interactive: bool,
    /// Runs behind [`Shell::elevated_command`].
    pub is_elevated: bool,
    /// What it waits for.
    pub depends_on: Vec<Dependency>,
    /// What happens when it ends.
    pub availability: Availability,
    /// Exit codes beyond 0 that are no failure.
    pub success_exit_codes: Vec<u8>,
    /// How it is stopped.
    pub shutdown: Shutdown,
    /// A line of its output that says it is ready.
    pub ready_log: Option<LogPattern>,
    /// Runs before the other two probes count: the process is still starting while it fails.
    pub startup_probe: Option<Probe>,
    /// Whether it can serve.
    pub readiness_probe: Option<Probe>,
    /// Whether it still lives.
    pub liveness_probe: Option<Probe>,
    /// Where its output goes, and how.
    pub log: LogTarget,
    /// Forget the lines in memory at every start.
    pub truncate_log: bool,
    /// Take colours out of what is shown.
    pub disable_ansi_colors: bool,
    /// What of its output the user wants to hear about.
    pub monitor: Option<Monitor>,
    /// How long the output of a launcher is waited for.
    pub launch_timeout: Duration,
    /// When it runs, if not at the start.
    pub schedule: Option<Schedule>,
    /// Files whose change restarts it.
    pub watch: Option<Watch>,
    /// What upstream's MCP server would offer; kept, and the process is disabled as there.
    pub mcp: Option<Mcp>,
    /// Ports that it uses.
    pub ports: Vec<PortUse>,
}

impl Process {
    /// Whether an exit code is a success for this process.
    pub fn is_success(&self, code: i32) -> bool {
        code == 0 || self.success_exit_codes.iter().any(|&good| i32::from(good) == code)
    }
}

/// One process waits for another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// The [`Process::name`] of the other.
    pub name: String,
    /// What is waited for.
    pub condition: Condition,
    /// Where it is written.
    pub span: Span,
}

/// What a dependent waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Condition {
    /// It ended for good, however.
    #[default]
    Completed,
    /// It ended for good, with success.
    CompletedSuccessfully,
    /// A probe says that it is ready.
    Healthy,
    /// It was started.
    Started,
    /// Its ready line was printed.
    LogReady,
}

impl Condition {
    /// The name in the files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Completed => "process_completed",
            Self::CompletedSuccessfully => "process_completed_successfully",
            Self::Healthy => "process_healthy",
            Self::Started => "process_started",
            Self::LogReady => "process_log_ready",
        }
    }
}

/// What happens when a process ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Availability {
    /// Whether it starts again.
    pub restart: Restart,
    /// The pause before that.
    pub backoff: Duration,
    /// How often, at most.
    pub max_restarts: Option<u32>,
    /// Its end, of any kind, is the project's, with its code.
    pub exit_on_end: bool,
    /// The project ends with 1 when this process is skipped.
    pub exit_on_skipped: bool,
}

impl Default for Availability {
    fn default() -> Self {
        Self {
            restart: Restart::No,
            backoff: Duration::from_secs(1),
            max_restarts: None,
            exit_on_end: false,
            exit_on_skipped: false,
        }
    }
}

/// Whether a process that ended starts again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Restart {
    /// No.
    #[default]
    No,
    /// Whatever its code.
    Always,
    /// After a failure.
    OnFailure,
    /// No: a failure ends the project with its code.
    ExitOnFailure,
}

/// How a process is stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shutdown {
    /// A command line that stops it, run by the shell.
    pub command: Option<String>,
    /// How long a stop may take before everything is killed; none: the default of the engine.
    pub timeout: Option<Duration>,
    /// The first signal.
    pub signal: i32,
    /// Send it to the leader alone.
    pub parent_only: bool,
    /// Keys that stop a process on a terminal, in place of a signal.
    pub send_keys: Option<Vec<u8>>,
    /// Names of descendants that may live on in sessions of their own.
    pub keep: Vec<String>,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self {
            command: None,
            timeout: None,
            signal: 15,
            parent_only: false,
            send_keys: None,
            keep: Vec::new(),
        }
    }
}

/// What a line of output is searched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogPattern {
    /// The line holds this text.
    Contains(String),
    /// The line matches this regular expression; it was compiled once, so it is one.
    Matches(String),
}

/// A question that is asked again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The question.
    pub check: Check,
    /// The pause before the first.
    pub initial_delay: Duration,
    /// From one to the next.
    pub period: Duration,
    /// After which one has failed.
    pub timeout: Duration,
    /// How many in a row say yes.
    pub success_threshold: u32,
    /// How many in a row say no.
    pub failure_threshold: u32,
    /// May be asked faster than `period` until the first yes; failures count once a period all the same.
    pub is_adaptive: bool,
    /// Where it is written.
    pub span: Span,
}

/// How a probe asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// A command line, run by the shell, succeeds.
    Exec {
        /// The command line.
        command: String,
        /// The folder it runs in, absolute.
        working_dir: PathBuf,
    },
    /// A GET is answered with the status.
    Http {
        /// The host, a name or an address.
        host: String,
        /// `http` or `https`.
        scheme: String,
        /// The path with its query.
        path: String,
        /// The port; none: the scheme's own.
        port: Option<u16>,
        /// More headers.
        headers: Vec<(String, String)>,
        /// The status that is a yes.
        status: u16,
    },
    /// Somebody accepts a connection.
    Tcp {
        /// The host, a name or an address.
        host: String,
        /// The port.
        port: u16,
    },
    /// A line of output.
    Log(LogPattern),
    /// `READY=1` on the socket that `NOTIFY_SOCKET` names (`sd_notify`).
    NotifySocket,
    /// A line feed on this file descriptor of the process.
    NotifyFd(i32),
}

/// Where output goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogTarget {
    /// The file, absolute, the replica's own; none: the project's, if it has one.
    pub location: Option<PathBuf>,
    /// How it is written.
    pub configuration: LogConfiguration,
}

/// How a log file is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogConfiguration {
    /// Whether the process, or the project, says anything of this at all.
    pub is_given: bool,
    /// When a new file is begun.
    pub rotation: Option<Rotation>,
    /// Plain text in place of a JSON object a line.
    pub disable_json: bool,
    /// The order of the fields of plain text; empty: time, level, message.
    pub fields_order: Vec<String>,
    /// How times are written, as Go does; empty: RFC 3339.
    pub timestamp_format: String,
    /// Plain text without colours.
    pub no_color: bool,
    /// The message alone.
    pub no_metadata: bool,
    /// Put the time in.
    pub add_timestamp: bool,
    /// Write every line at once.
    pub flush_each_line: bool,
}

/// When a log file is put aside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rotation {
    /// At this size in megabytes; 0 means 100.
    pub max_size_mb: u32,
    /// How many old ones are kept; 0 means all.
    pub max_backups: u32,
    /// For how many days; 0 means for ever.
    pub max_age_days: u32,
    /// Whether old ones are packed with gzip.
    pub compress: bool,
}

/// How much the manager says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
#[expect(missing_docs, reason = "the names say it")]
pub enum LogLevel {
    Trace,
    Debug,
    #[default]
    Info,
    Warn,
    Error,
    Fatal,
    Panic,
}

/// What of the output the user wants to hear about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Monitor {
    /// Any line.
    Activity,
    /// No line for so long.
    Silence(Duration),
}

/// When a process runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// At which times.
    pub trigger: Trigger,
    /// The zone of a cron expression, as the IANA names it; none: the machine's.
    pub timezone: Option<String>,
    /// Once at the start, too.
    pub run_on_start: bool,
    /// How many runs at a time.
    pub max_concurrent: u32,
}

/// At which times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger {
    /// At the minutes that a cron expression names.
    Cron(super::cron::Cron),
    /// So long after the one before.
    Interval(Duration),
}

/// Files whose change restarts a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    /// Folders and files.
    pub paths: Vec<WatchPath>,
    /// Restart the dependents, too.
    pub cascade: bool,
    /// How long it must be quiet after a change.
    pub debounce: Duration,
    /// How many folders are watched at most.
    pub max_entries: usize,
    /// Look into `.git`, `node_modules` and the like as well.
    pub disable_default_excludes: bool,
}

/// One place that is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchPath {
    /// The folder or file, absolute.
    pub path: PathBuf,
    /// Only names, or with a slash relative paths, that match; empty: all.
    pub include: Vec<String>,
    /// None that match.
    pub exclude: Vec<String>,
}

/// A process as a tool or resource of upstream's MCP server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mcp {
    /// `tool` or `resource`.
    pub kind: String,
    /// What a caller gives.
    pub arguments: Vec<McpArgument>,
    /// How long a call may take.
    pub timeout: Option<Duration>,
}

/// One argument of an MCP tool.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct McpArgument {
    /// Its name.
    pub name: String,
    /// `string`, `number`, `boolean` or `integer`.
    pub kind: String,
    /// For people.
    pub description: String,
    /// Whether it must be given.
    pub required: bool,
    /// What stands for it otherwise.
    pub default: Option<String>,
}

/// Upstream's MCP server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct McpServer {
    /// Where it listens.
    pub host: String,
    /// The port.
    pub port: u16,
    /// `sse` or `stdio`.
    pub transport: String,
    /// How long a call may take.
    pub timeout: Option<Duration>,
    /// Whether the project itself may be controlled.
    pub expose_control_tools: bool,
    /// Hosts that may call.
    pub trusted_hosts: Vec<String>,
}

/// A port that a process uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortUse {
    /// The number, the offset of the checkout included.
    pub number: u16,
    /// The path in the registry, if it is from there.
    pub registered: Option<String>,
    /// What shows it: `${ports.web}`, `readiness_probe`, `command`.
    pub source: String,
    /// Where that is written.
    pub span: Span,
    /// Whether the process listens on it; else it connects to it.
    pub is_served: bool,
}
