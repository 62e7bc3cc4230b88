//! The keys.

use super::{Key, Object, Origin, Type};

const fn key(name: &'static str, kind: Type, doc: &'static str) -> Key {
    Key { name, kind, doc, origin: Origin::Upstream }
}

const fn ours(name: &'static str, kind: Type, doc: &'static str) -> Key {
    Key { name, kind, doc, origin: Origin::Ours }
}

const fn internal(name: &'static str, kind: Type) -> Key {
    Key { name, kind, doc: "Of no use in a file.", origin: Origin::Internal }
}

/// The keys of a project.
pub(crate) static PROJECT: Object = Object {
    what: "a project",
    keys: &[
        key("version", Type::Any, "Ignored."),
        key("name", Type::Text, "The name of the project."),
        key("processes", Type::Map(&Type::Object(&PROCESS)), "The processes."),
        key("environment", Type::Environment, "Variables of all processes: a list of `K=V`."),
        key(
            "env_cmds",
            Type::Map(&Type::Text),
            "Variables of all processes whose values are what a command line prints.",
        ),
        key("vars", Type::Map(&Type::Any), "Values for templates."),
        key("shell", Type::Object(&SHELL), "What runs command lines."),
        key("is_strict", Type::Bool, "Mistakes in the files are errors."),
        key("disable_env_expansion", Type::Bool, "Leave `${}` and `$$` alone."),
        key("is_tui_disabled", Type::Bool, "Show no terminal UI."),
        key("ordered_shutdown", Type::Bool, "Stop a process after those that depend on it."),
        key("extends", Type::Text, "A file that this one adds to."),
        key("log_level", Type::Text, "How much the manager says in its own log."),
        key(
            "log_location",
            Type::Text,
            "The file for the output of all processes that have none of their own.",
        ),
        key("log_configuration", Type::Object(&LOGGING), "How that is written."),
        key(
            "log_length",
            Type::Whole(0, 100_000_000),
            "How many lines of each process are kept in memory; 1000 if nothing is said.",
        ),
        key("log_format", Type::Text, "Ignored."),
        key("mcp_server", Type::Object(&MCP_SERVER), "An MCP server."),
        internal("file_names", Type::Any),
        internal("env_file_names", Type::Any),
        internal("dot_env_vars", Type::Any),
    ],
};

/// The keys of a process.
pub(crate) static PROCESS: Object = Object {
    what: "a process",
    keys: &[
        key("command", Type::Text, "The command line that the shell runs."),
        key(
            "entrypoint",
            Type::List(&Type::Text),
            "The program and its arguments, run without a shell.",
        ),
        internal("args", Type::List(&Type::Text)),
        key("working_dir", Type::Text, "The folder it runs in."),
        key("environment", Type::Environment, "Variables: a list of `K=V`."),
        key("env_file", Type::Text, "A file with variables."),
        key("is_dotenv_disabled", Type::Bool, "Leave the variables of `.env` out."),
        key("vars", Type::Map(&Type::Any), "Values for templates."),
        key("is_template_disabled", Type::Bool, "The command is no template."),
        key("description", Type::Text, "For people."),
        key("disabled", Type::Bool, "Not started with the others."),
        key("is_disabled", Type::Tristate, "The same, for a file that overrides another."),
        key("is_foreground", Type::Bool, "Only started by hand, on the real terminal."),
        key(
            "is_daemon",
            Type::Bool,
            "The command is a launcher: what it starts lives on after its end.",
        ),
        key("is_tty", Type::Bool, "Runs on a pseudo terminal."),
        key("is_interactive", Type::Bool, "Runs on a pseudo terminal that the terminal UI shows."),
        key("is_elevated", Type::Bool, "Runs by `sudo`."),
        key("namespace", Type::Names, "The namespace, or a list of them."),
        key("replicas", Type::Whole(0, 10_000), "How many of it run."),
        key("depends_on", Type::Map(&Type::Object(&DEPENDENCY)), "What it waits for."),
        key("availability", Type::Object(&AVAILABILITY), "What happens when it ends."),
        key(
            "success_exit_codes",
            Type::List(&Type::SoftWhole(0, 255)),
            "Codes beyond 0 that are no failure.",
        ),
        key("shutdown", Type::Object(&SHUTDOWN), "How it is stopped."),
        key(
            "ready_log_line",
            Type::Text,
            "A line of output that holds this text says that it is ready.",
        ),
        ours("ready_log_regex", Type::Text, "A line of output that matches says that it is ready."),
        ours(
            "startup_probe",
            Type::Object(&PROBE),
            "Whether it has started; the other probes wait for it.",
        ),
        key("readiness_probe", Type::Object(&PROBE), "Whether it can serve."),
        key("liveness_probe", Type::Object(&PROBE), "Whether it still lives."),
        key("log_location", Type::Text, "The file for its output."),
        key("log_configuration", Type::Object(&LOGGING), "How that is written."),
        key("truncate_log", Type::Bool, "Forget the lines in memory at every start."),
        key("disable_ansi_colors", Type::Bool, "Take colours out of what is shown."),
        key(
            "monitor_for",
            Type::OneOf(&["", "activity", "silence"]),
            "What the terminal UI marks.",
        ),
        key(
            "monitor_silence_threshold",
            Type::Duration,
            "After how long without a line; 5s if nothing is said.",
        ),
        key(
            "launch_timeout_seconds",
            Type::Seconds,
            "How long the output of a launcher is waited for; 5 if nothing is said.",
        ),
        key("schedule", Type::Object(&SCHEDULE), "When it runs."),
        key("watch", Type::Object(&WATCH), "Files whose change restarts it."),
        key("mcp", Type::Object(&MCP), "What an MCP server offers."),
        key("extends", Type::Text, "The process whose keys it takes over."),
        internal("name", Type::Text),
        internal("original_config", Type::Text),
        internal("replica_num", Type::Any),
        internal("replica_name", Type::Text),
        internal("executable", Type::Text),
    ],
};

/// The keys of `shell`.
pub(crate) static SHELL: Object = Object {
    what: "`shell`",
    keys: &[
        key("shell_command", Type::Text, "The shell that runs command lines."),
        key("shell_argument", Type::Text, "What stands before the command line, as `-c`."),
        key(
            "elevated_shell_command",
            Type::Text,
            "What an elevated process is put behind, as `sudo`.",
        ),
        key("elevated_shell_argument", Type::Text, "Its argument, as `-S`."),
    ],
};

/// The keys of `rotation`.
pub(crate) static ROTATION: Object = Object {
    what: "`rotation`",
    keys: &[
        key(
            "max_size_mb",
            Type::Whole(0, 1 << 20),
            "The size in megabytes at which a new file is begun; 0 is 100.",
        ),
        key("max_backups", Type::Whole(0, 1 << 20), "How many old files are kept; 0 is all."),
        key("max_age_days", Type::Whole(0, 1 << 20), "For how many days; 0 is for ever."),
        key("compress", Type::Bool, "Pack old files with gzip."),
        key("directory", Type::Text, "Unused."),
        key("filename", Type::Text, "Unused."),
    ],
};

/// The keys of `log_configuration`.
pub(crate) static LOGGING: Object = Object {
    what: "`log_configuration`",
    keys: &[
        key("rotation", Type::Object(&ROTATION), "When a new file is begun."),
        key("disable_json", Type::Bool, "Plain text in place of a JSON object a line."),
        key(
            "fields_order",
            Type::OnlyList(&Type::Text),
            "The order of the fields of plain text: `time`, `level`, `message`.",
        ),
        key("timestamp_format", Type::Text, "How times are written, as Go does."),
        key("no_color", Type::Bool, "Plain text without colours."),
        key("no_metadata", Type::Bool, "The message alone."),
        key("add_timestamp", Type::Bool, "Put the time in."),
        key("flush_each_line", Type::Bool, "Write every line at once."),
    ],
};

/// The keys of `mcp_server`.
pub(crate) static MCP_SERVER: Object = Object {
    what: "`mcp_server`",
    keys: &[
        key("host", Type::Text, "Where it listens."),
        key("port", Type::Whole(0, 65535), "The port."),
        key("transport", Type::OneOf(&["sse", "stdio"]), "How it talks."),
        key("timeout", Type::Duration, "How long a call may take."),
        key("expose_control_tools", Type::Bool, "Whether the project itself may be controlled."),
        key("trusted_hosts", Type::List(&Type::Text), "Hosts that may call."),
    ],
};

/// The keys of `exec`.
pub(crate) static EXEC: Object = Object {
    what: "`exec`",
    keys: &[
        key(
            "command",
            Type::Text,
            "A command line, run by the shell, whose success is the answer.",
        ),
        key("working_dir", Type::Text, "The folder it runs in; by default that of the process."),
    ],
};

/// The keys of `http_get`.
pub(crate) static HTTP: Object = Object {
    what: "`http_get`",
    keys: &[
        key("host", Type::Text, "The host; 127.0.0.1 if nothing is said."),
        key("scheme", Type::OneOf(&["http", "https", "HTTP", "HTTPS"]), "`http` or `https`."),
        key("path", Type::Text, "The path; `/` if nothing is said."),
        key("port", Type::Text, "The port."),
        key("headers", Type::Map(&Type::Text), "More headers."),
        key(
            "status_code",
            Type::Whole(0, 999),
            "The status that is a yes; 200 if nothing is said.",
        ),
        internal("num_port", Type::Whole(0, 65535)),
    ],
};

/// The keys of `tcp_socket`.
pub(crate) static TCP: Object = Object {
    what: "`tcp_socket`",
    keys: &[
        ours("host", Type::Text, "The host; 127.0.0.1 if nothing is said."),
        ours("port", Type::Text, "The port."),
    ],
};

/// The keys of a probe.
pub(crate) static PROBE: Object = Object {
    what: "a probe",
    keys: &[
        key("exec", Type::Object(&EXEC), "A command is the question."),
        key("http_get", Type::Object(&HTTP), "A GET is the question."),
        ours("tcp_socket", Type::Object(&TCP), "A connection is the question."),
        ours("log_line", Type::Text, "A line of output that holds this text is the answer."),
        ours("log_regex", Type::Text, "A line of output that matches is the answer."),
        ours(
            "notify",
            Type::OneOf(&["socket", "fd"]),
            "The process says so itself: by `sd_notify`, or by a line feed on a descriptor.",
        ),
        ours("notify_fd", Type::Whole(3, 255), "That descriptor; 3 if nothing is said."),
        key("initial_delay_seconds", Type::Seconds, "The pause before the first question."),
        key(
            "period_seconds",
            Type::Seconds,
            "From one question to the next; 10 if nothing is said.",
        ),
        key(
            "timeout_seconds",
            Type::Seconds,
            "After which a question has failed; 1 if nothing is said.",
        ),
        key(
            "success_threshold",
            Type::Whole(i64::MIN, u32::MAX as i64),
            "How many in a row say yes.",
        ),
        key(
            "failure_threshold",
            Type::Whole(i64::MIN, u32::MAX as i64),
            "How many in a row say no; 3 if nothing is said.",
        ),
        ours(
            "adaptive",
            Type::Bool,
            "May be asked faster than `period_seconds` until the first yes; true if nothing is said.",
        ),
    ],
};

/// The keys of `shutdown`.
pub(crate) static SHUTDOWN: Object = Object {
    what: "`shutdown`",
    keys: &[
        key("command", Type::Text, "A command line that stops the process, run by the shell."),
        key(
            "timeout_seconds",
            Type::Seconds,
            "How long a stop may take before everything is killed; 10 if nothing is said.",
        ),
        key("signal", Type::Whole(i64::MIN, i64::MAX), "The first signal; 15 if nothing is said."),
        key("parent_only", Type::Bool, "Send it to the leader alone."),
        key("send_keys", Type::Text, "Keys that stop a process on a terminal."),
        ours(
            "keep",
            Type::List(&Type::Text),
            "Names of descendants that may live on in sessions of their own.",
        ),
    ],
};

/// The keys of `availability`.
pub(crate) static AVAILABILITY: Object = Object {
    what: "`availability`",
    keys: &[
        key(
            "restart",
            Type::OneOf(&["no", "always", "on_failure", "exit_on_failure"]),
            "Whether it starts again.",
        ),
        key("backoff_seconds", Type::Seconds, "The pause before that; 1 if nothing is said."),
        key(
            "max_restarts",
            Type::Whole(0, u32::MAX as i64),
            "How often at most; 0 is without end.",
        ),
        key("exit_on_end", Type::Bool, "Its end is the end of the project, with its code."),
        key("exit_on_skipped", Type::Bool, "The project ends with 1 when it is skipped."),
    ],
};

/// The keys of a dependency.
pub(crate) static DEPENDENCY: Object = Object {
    what: "a dependency",
    keys: &[key(
        "condition",
        Type::OneOf(&[
            "process_completed",
            "process_completed_successfully",
            "process_healthy",
            "process_started",
            "process_log_ready",
        ]),
        "What is waited for.",
    )],
};

/// The keys of `schedule`.
pub(crate) static SCHEDULE: Object = Object {
    what: "`schedule`",
    keys: &[
        key("cron", Type::Text, "Five fields: minute, hour, day, month, day of the week."),
        key("interval", Type::Duration, "So long after the run before."),
        key("timezone", Type::Text, "The zone of `cron`, as `Europe/Berlin`."),
        key("run_on_start", Type::Bool, "Once at the start, too."),
        key(
            "max_concurrent",
            Type::Whole(0, u32::MAX as i64),
            "How many runs at a time; 1 if nothing is said.",
        ),
    ],
};

/// The keys of a watched path.
pub(crate) static WATCH_PATH: Object = Object {
    what: "a watched path",
    keys: &[
        key("path", Type::Text, "A folder or file."),
        key("include", Type::List(&Type::Text), "Only what matches."),
        key("exclude", Type::List(&Type::Text), "Nothing that matches."),
    ],
};

/// The keys of `watch`.
pub(crate) static WATCH: Object = Object {
    what: "`watch`",
    keys: &[
        key("paths", Type::OnlyList(&Type::Object(&WATCH_PATH)), "What is watched."),
        key("cascade", Type::Bool, "Restart the dependents, too."),
        key(
            "debounce",
            Type::Duration,
            "How long it must be quiet after a change; 300ms if nothing is said.",
        ),
        key(
            "max_entries",
            Type::Whole(0, 1 << 24),
            "How many folders at most; 8192 if nothing is said.",
        ),
        key("buffer_size", Type::Whole(0, 1 << 30), "Only for Windows."),
        key("disable_default_excludes", Type::Bool, "Look into `.git` and the like as well."),
    ],
};

/// The keys of an argument.
pub(crate) static MCP_ARGUMENT: Object = Object {
    what: "an argument",
    keys: &[
        key("name", Type::Text, "Its name."),
        key("type", Type::OneOf(&["string", "number", "boolean", "integer"]), "Its type."),
        key("description", Type::Text, "For people."),
        key("required", Type::Bool, "Whether it must be given."),
        key("default", Type::Text, "What stands for it otherwise."),
    ],
};

/// The keys of `mcp`.
pub(crate) static MCP: Object = Object {
    what: "`mcp`",
    keys: &[
        key("type", Type::OneOf(&["tool", "resource"]), "What it is."),
        key("arguments", Type::List(&Type::Object(&MCP_ARGUMENT)), "What a caller gives."),
        key("timeout", Type::Duration, "How long a call may take."),
    ],
};
