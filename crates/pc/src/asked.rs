//! What `up`, `run` and `ci` were asked: flags, and where there is none, the variables of process-compose.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use cli::{Env, Var};

use crate::args::{CiArgs, RunArgs, RunningArgs, ServerArgs, SlowReader, UiArgs, UpArgs};
use crate::config::Request;

/// How processes are run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// Where events are written; `-` is stdout.
    pub events: Option<PathBuf>,
    /// Whether the report of the start is printed, and whether as JSON.
    pub report: Option<ReportForm>,
    /// Leave descendants in sessions of their own alone.
    pub keep_detached: bool,
    /// Drop lines, and count them, when nobody reads fast enough; else the processes wait.
    pub drops_lines: bool,
    /// Start although a port is taken.
    pub ignores_ports: bool,
}

/// The form of the report of the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportForm {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// What the terminal UI shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ui {
    /// Whether there is one; none: if stdout is a terminal and the project does not say no.
    pub tui: Option<bool>,
    /// Start with the log alone.
    pub full_screen: bool,
    /// List no disabled processes.
    pub hide_disabled: bool,
    /// Stay when all processes have ended.
    pub keep_project: bool,
    /// Go to the background.
    pub detached: bool,
    /// Go to the background and show the terminal UI.
    pub detached_with_tui: bool,
    /// Go to the background when all processes are ready.
    pub detach_on_success: bool,
    /// Empty the log files at the start.
    pub logs_truncate: bool,
    /// Count descendants in the figures.
    pub recursive_metrics: bool,
    /// Restart nothing because a file changed.
    pub no_watch: bool,
    /// How often the screen looks.
    pub refresh: Duration,
    /// How often it looks at what costs more.
    pub slow_refresh: Duration,
    /// Sort the other way round.
    pub reverse: bool,
    /// The column to sort by.
    pub sort: String,
    /// The colours.
    pub theme: Option<String>,
    /// Files with key bindings.
    pub shortcuts: Vec<PathBuf>,
}

/// How others reach the project.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Server {
    /// The TCP address, if one was asked for.
    pub tcp: Option<(String, u16)>,
    /// The unix socket, unless there is none.
    pub unix: Option<Socket>,
    /// Others may ask and change nothing.
    pub read_only: bool,
    /// The file with the token of the TCP address.
    pub token_file: Option<PathBuf>,
    /// The file of the manager's own log.
    pub log_file: Option<PathBuf>,
    /// No colours in it.
    pub log_no_color: bool,
    /// Stop a process after those that depend on it, whatever the project says.
    pub ordered_shutdown: bool,
}

/// Where the unix socket is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Socket {
    /// Where it is for this project.
    Default,
    /// There.
    At(PathBuf),
}

/// What `up` was asked.
#[derive(Debug)]
pub struct UpAsked {
    /// Which project.
    pub(crate) request: Request,
    /// Load and check, and start nothing.
    pub dry_run: bool,
    /// How processes are run.
    pub running: Running,
    /// What the terminal UI shows.
    pub ui: Ui,
    /// How others reach the project.
    pub server: Server,
}

/// What `run` was asked.
#[derive(Debug)]
pub struct RunAsked {
    /// Which project.
    pub(crate) request: Request,
    /// The process.
    pub name: String,
    /// Arguments behind its own.
    pub args: Vec<OsString>,
    /// How processes are run.
    pub running: Running,
    /// How others reach the project.
    pub server: Server,
}

/// What `ci` was asked.
#[derive(Debug)]
pub struct CiAsked {
    /// Which project.
    pub(crate) request: Request,
    /// The command, and its arguments; empty: there is none.
    pub command: Vec<OsString>,
    /// When to give up.
    pub timeout: Option<Duration>,
    /// Where a `JUnit` report goes.
    pub junit: Option<PathBuf>,
    /// How processes are run.
    pub running: Running,
}

impl UpAsked {
    pub(crate) fn of(args: &UpArgs, env: &Env) -> Self {
        let dry_run = args.dry_run.unwrap_or(false);
        let request = Request {
            names: args.names.clone(),
            no_deps: args.no_deps.unwrap_or(false),
            is_strict: dry_run,
            takes_slot: !dry_run,
            runs_commands: !dry_run,
            ..Request::of(&args.project, env)
        };
        let (running, ui) = (Running::of(&args.run), Ui::of(&args.ui, env));
        Self { request, dry_run, running, ui, server: Server::of(&args.server, env) }
    }
}

impl RunAsked {
    pub(crate) fn of(args: &RunArgs, env: &Env) -> Self {
        let request = Request {
            names: vec![args.name.clone()],
            no_deps: args.no_deps.unwrap_or(false),
            takes_slot: true,
            runs_commands: true,
            ..Request::of(&args.project, env)
        };
        Self {
            request,
            name: args.name.clone(),
            args: args.args.clone(),
            running: Running::of(&args.run),
            server: Server::of(&args.server, env),
        }
    }
}

impl CiAsked {
    pub(crate) fn of(args: &CiArgs, env: &Env) -> Self {
        let request = Request {
            names: args.names.clone(),
            takes_slot: true,
            runs_commands: true,
            ..Request::of(&args.project, env)
        };
        Self {
            request,
            command: args.command.clone(),
            timeout: args.timeout,
            junit: args.junit.clone(),
            running: Running::of(&args.run),
        }
    }
}

impl Running {
    fn of(args: &RunningArgs) -> Self {
        let form = if args.json { ReportForm::Json } else { ReportForm::Text };
        Self {
            events: args.events.clone(),
            report: args.report.then_some(form),
            keep_detached: args.keep_detached,
            drops_lines: args.slow_reader == SlowReader::Drop,
            ignores_ports: args.ignore_ports,
        }
    }
}

impl Ui {
    fn of(args: &UiArgs, env: &Env) -> Self {
        let second = Duration::from_secs(1);
        let shortcuts = match args.shortcuts.as_slice() {
            [] => env.get(Var::PcShortcutsFiles).map_or_else(Vec::new, |files| {
                files.to_string_lossy().split(',').map(PathBuf::from).collect()
            }),
            files => files.to_vec(),
        };
        // Set to nothing or `false` it switches nothing off.
        let is_off = env.get(Var::PcDisableTui).is_some_and(|value| value != "false");
        Self {
            tui: args.tui.or(is_off.then_some(false)),
            full_screen: args.tui_fs.unwrap_or(env.is_set(Var::PcTuiFullScreen)),
            hide_disabled: args.hide_disabled.unwrap_or(env.is_set(Var::PcHideDisabledProc)),
            keep_project: args.keep_project.unwrap_or(false),
            detached: args.detached.unwrap_or(false),
            detached_with_tui: args.detached_with_tui.unwrap_or(false),
            detach_on_success: args.detach_on_success.unwrap_or(false),
            logs_truncate: args.logs_truncate.unwrap_or(false),
            recursive_metrics: args
                .recursive_metrics
                .unwrap_or(env.is_set(Var::PcRecursiveMetrics)),
            no_watch: args.no_watch.unwrap_or(env.is_set(Var::PcNoWatch)),
            refresh: args.ref_rate.unwrap_or(second),
            slow_refresh: args.slow_ref_rate.unwrap_or(second),
            reverse: args.reverse.unwrap_or(false),
            sort: args.sort.clone().unwrap_or_else(|| "NAME".to_owned()),
            theme: args.theme.clone(),
            shortcuts,
        }
    }
}

impl Server {
    fn of(args: &ServerArgs, env: &Env) -> Self {
        let path = |var| env.get(var).map(PathBuf::from);
        let text = |var| env.get(var).map(|value| value.to_string_lossy().into_owned());
        let unix = args.unix_socket.clone().or_else(|| path(Var::PcSocketPath));
        let port = args.port.or_else(|| text(Var::PcPortNum).and_then(|port| port.parse().ok()));
        let host = args.address.clone().or_else(|| text(Var::PcAddress));
        let mut server = Self {
            tcp: port.map(|port| (host.unwrap_or_else(|| "localhost".to_owned()), port)),
            unix: Some(unix.map_or(Socket::Default, Socket::At)),
            read_only: args.read_only.unwrap_or(env.is_set(Var::PcReadOnly)),
            token_file: args.token_file.clone().or_else(|| path(Var::PcApiTokenPath)),
            log_file: args.log_file.clone().or_else(|| path(Var::PcLogFile)),
            log_no_color: args.log_no_color.unwrap_or(env.is_set(Var::PcLogNoColor)),
            ordered_shutdown: args.ordered_shutdown.unwrap_or(env.is_set(Var::PcOrderedShutdown)),
        };
        // A socket that is named, or asked for, is what is meant; a port in the environment is only a default.
        if args.use_uds == Some(true) || (args.unix_socket.is_some() && args.port.is_none()) {
            server.tcp = None;
        }
        if args.no_server.unwrap_or(env.is_set(Var::PcNoServer)) {
            server.tcp = None;
            server.unix = None;
        }
        server
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn up(vars: &[(&str, &str)], args: &UpArgs) -> UpAsked {
        UpAsked::of(args, &Env::of("/", vars.iter().copied()))
    }

    #[test]
    fn variables_stand_in_for_flags() {
        let asked = up(
            &[
                ("PC_CONFIG_FILES", "a.yaml, b.yaml"),
                ("PC_NAMESPACES", "x,y"),
                ("PC_DISABLE_DOTENV", "0"),
                ("PC_PORT_NUM", "9090"),
                ("PC_DISABLE_TUI", "1"),
                ("PC_DISABLED_PROCESSES", "p"),
            ],
            &UpArgs::default(),
        );
        assert_eq!(asked.request.files, [PathBuf::from("a.yaml"), PathBuf::from("b.yaml")]);
        assert_eq!(asked.request.namespaces, ["x", "y"]);
        assert_eq!(asked.request.disabled, ["p"]);
        assert!(!asked.request.reads_dotenv);
        assert_eq!(asked.ui.tui, Some(false));
        assert_eq!(asked.server.tcp, Some(("localhost".to_owned(), 9090)));
        assert_eq!(asked.server.unix, Some(Socket::Default));
    }

    #[test]
    fn flags_go_before_variables() {
        let mut args = UpArgs::default();
        args.ui.tui = Some(true);
        args.server.unix_socket = Some("/s".into());
        args.project.files = vec!["c.yaml".into()];
        let vars = [("PC_DISABLE_TUI", "1"), ("PC_PORT_NUM", "9090"), ("PC_CONFIG_FILES", "a")];
        let asked = up(&vars, &args);
        assert_eq!((asked.ui.tui, asked.server.tcp), (Some(true), None));
        assert_eq!(asked.server.unix, Some(Socket::At("/s".into())));
        assert_eq!(asked.request.files, [PathBuf::from("c.yaml")]);
    }

    #[test]
    fn off_is_off() {
        assert_eq!(up(&[("PC_DISABLE_TUI", "false")], &UpArgs::default()).ui.tui, None);
        assert_eq!(up(&[("PC_DISABLE_TUI", "")], &UpArgs::default()).ui.tui, None);
        let server = up(&[("PC_NO_SERVER", ""), ("PC_PORT_NUM", "1")], &UpArgs::default()).server;
        assert_eq!((server.tcp, server.unix), (None, None));
    }
}
