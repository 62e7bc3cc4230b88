//! The whole way from files to a project.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cli::{Env, Io, Var};
use composefile::{Kind, Node, Source, Span, Spanned};
use fs_err as fs;

use super::ConfigError;
use super::env_cmds;
use super::files::{self, Files, Variables};
use super::inherit::inherit;
use super::logging::log_configuration;
use super::model::{LogLevel, McpServer, Process, Project, Shell};
use super::problem::{Level, Problem};
use super::process::{Maker, bare_variable, values};
use super::registry::PortTable;
use super::request::Request;
use super::schema::{self, Type};
use super::select::select;
use super::tree::View;
use super::usage;
use super::validate::validate;
use super::variables::{Shared, split};

/// The most processes, replicas included.
const MAX_PROCESSES: usize = 20_000;

/// A project, and everything that is wrong with it.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) project: Project,
    pub(crate) problems: Vec<Problem>,
    pub(crate) ports: PortTable,
}

/// Puts the variables of `.pc_env` where none are set.
pub(crate) fn with_pc_env(io: &mut Io) -> Result<(), ConfigError> {
    let mut known = BTreeMap::new();
    match files::read_variables(&io.env.cwd().join(".pc_env"), Path::new(".pc_env"), &mut known) {
        Ok(()) => {}
        Err(ConfigError::EnvFile { source, .. })
            if source.kind() == std::io::ErrorKind::NotFound =>
        {
            return Ok(());
        }
        Err(error) => return Err(error),
    }
    let vars = known.into_iter().map(|(name, value)| (name.into(), value.into()));
    io.env = io.env.with_defaults(vars);
    Ok(())
}

/// Loads a project. What is wrong in its files is in [`Loaded::problems`].
pub(crate) fn load(request: &Request, io: &Io) -> Result<Loaded, ConfigError> {
    let dotenv = files::dotenv(request, io)?;
    let mut ports = match PortTable::read(request, io) {
        Ok(ports) => ports,
        // One that nobody asked for may be broken.
        Err(error) if request.ports_file.is_none() => {
            io.warn(format_args!("the port registry is of no use: {error}"));
            PortTable::default()
        }
        Err(error) => return Err(ConfigError::Ports(error)),
    };
    let offset = ports.own_offset(request, io).map_err(ConfigError::Ports)?;
    let paths = files::find(request, io)?;
    let mut cache = BTreeMap::new();
    if offset.by() != 0 {
        ports.number(&offset);
        let loaded = read(request, io, &paths, &dotenv, ports, &mut cache)?;
        let Some((process, literal)) = usage::literal(&loaded.project) else { return Ok(loaded) };
        let place = loaded.project.place(literal.span);
        io.note(format_args!(
            "{place}: port {} of `{process}` is not from the registry, so nothing moves in this worktree",
            literal.number
        ));
        ports = loaded.ports;
        ports.number(&portreg::Offset::default());
    }
    read(request, io, &paths, &dotenv, ports, &mut cache)
}

/// What the command lines of `env_cmds` printed: they run once, even if the project is read twice.
type Printed = BTreeMap<String, Result<String, String>>;

fn read(
    request: &Request,
    io: &Io,
    paths: &[PathBuf],
    dotenv: &BTreeMap<String, String>,
    ports: PortTable,
    printed: &mut Printed,
) -> Result<Loaded, ConfigError> {
    let mut files = Files::default();
    let variables = Variables { dotenv, io, ports: &ports };
    for path in paths {
        files.add(path, &variables, &mut Vec::new())?;
    }
    let Files { sources, read: parsed, mut problems, .. } = files;
    let mut lost = Vec::new();
    let mut tree = Node::default();
    let mut pieces = Vec::new();
    for file in parsed {
        let id = file.tree.span.file;
        pieces.push((id, file.expanded));
        schema::merge(&mut tree, file.tree, &Type::Object(&schema::PROJECT), &mut lost);
    }
    if let Some(processes) = processes_of(&mut tree) {
        inherit(processes, &mut problems, &mut lost);
    }
    problems
        .extend(lost.into_iter().map(|(later, earlier)| overridden(later, earlier, &sources, io)));
    let view = View(Some(&tree));
    let mut project = basics(view, request, io, sources, &mut problems);
    let environment = global_environment(view, request, io, dotenv, &ports, &mut problems, printed);
    let shared = Shared::of(dotenv, io, &ports, &environment);
    let shell = project.shell.clone();
    let mut maker = Maker {
        io,
        shell: &shell,
        shared: &shared,
        vars: values(view.get("vars")),
        ports: &ports,
        disabled: &request.disabled,
        problems,
        used: Vec::new(),
    };
    for (name, node) in view.get("processes").entries() {
        let mut replicas = maker.processes(&name.value, name.span, node)?;
        let used = usage::of(node, &replicas, &pieces, &maker.used, &ports, &project.sources);
        for process in &mut replicas {
            process.ports.clone_from(&used);
        }
        project.processes.extend(replicas);
        if project.processes.len() > MAX_PROCESSES {
            let what =
                format!("a project has at most {MAX_PROCESSES} processes, replicas included");
            maker.problems.push(Problem::new(Level::Error, "too-many", name.span, what));
            break;
        }
    }
    let mut problems = maker.problems;
    same_names(&project.processes, &mut problems);
    validate(&project.processes, &mut problems);
    problems.extend(select(&mut project.processes, request));
    project.ports = ports.numbers.iter().map(|(path, number)| (path.clone(), *number)).collect();
    // What a process runs may be in what it extends.
    if problems.iter().any(|problem| problem.id == "extends") {
        problems.retain(|problem| problem.id != "no-command");
    }
    // By place; what is said twice about one place is said once.
    problems.sort_by_key(|problem| problem.span.map(|span| (span.file, span.line, span.column)));
    problems.dedup();
    Ok(Loaded { project, problems, ports })
}

fn processes_of(tree: &mut Node) -> Option<&mut Vec<(Spanned<String>, Node)>> {
    let Kind::Mapping(entries) = &mut tree.kind else { return None };
    let (_, processes) = entries.iter_mut().find(|(key, _)| key.value == "processes")?;
    match &mut processes.kind {
        Kind::Mapping(processes) => Some(processes),
        _ => None,
    }
}

fn overridden(later: Span, earlier: Span, sources: &[Source], io: &Io) -> Problem {
    let place = super::problem::place(earlier, sources, io.env.cwd()).unwrap_or_default();
    let what = format!("this says nothing over {place}: false, 0 and empty values do not override");
    Problem::new(Level::Hint, "override", later, what)
        .with_hint("for `disabled: false` write `is_disabled: false`; leave others out where they are not wanted")
}

/// A replica may have the name of another process: `a-0` beside `a` with replicas.
fn same_names(processes: &[Process], problems: &mut Vec<Problem>) {
    let mut known: BTreeMap<&str, &Process> = BTreeMap::new();
    for process in processes {
        if let Some(other) = known.insert(&process.name, process) {
            let what = format!(
                "both `{}` and `{}` make a process `{}`",
                other.group, process.group, process.name
            );
            problems.push(Problem::new(Level::Error, "same-name", process.span, what));
        }
    }
}

/// Everything of a project but its processes.
fn basics(
    view: View<'_>,
    request: &Request,
    io: &Io,
    sources: Vec<Source>,
    problems: &mut Vec<Problem>,
) -> Project {
    let folder = io.env.cwd().to_owned();
    let log_location =
        view.get("log_location").text().map(|path| files::normal(&folder.join(path)));
    let own_name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
    let lines = view.get("log_length").count().unwrap_or(1000);
    Project {
        name: view.get("name").text().map_or_else(|| own_name.unwrap_or_default(), str::to_owned),
        sources,
        processes: Vec::new(),
        shell: shell(view.get("shell"), request, io, problems),
        is_strict: request.is_strict || view.get("is_strict").boolean(),
        is_tui_disabled: view.get("is_tui_disabled").boolean(),
        ordered_shutdown: view.get("ordered_shutdown").boolean(),
        log_level: log_level(view.get("log_level"), request, problems),
        log_location,
        log_configuration: log_configuration(view.get("log_configuration")),
        log_length: usize::try_from(lines).unwrap_or(1000),
        mcp_server: mcp_server(view.get("mcp_server"), problems),
        ports: Vec::new(),
        folder,
    }
}

fn shell(view: View<'_>, request: &Request, io: &Io, problems: &mut Vec<Problem>) -> Shell {
    let mut shell = Shell::default();
    let (command, argument) = (view.get("shell_command"), view.get("shell_argument"));
    if let Some(own) = &request.shell {
        shell.command.clone_from(own);
    }
    match (command.text(), argument.text()) {
        (Some(command), Some(argument)) => {
            command.clone_into(&mut shell.command);
            argument.clone_into(&mut shell.argument);
        }
        (None, None) => {}
        _ => {
            let what = "`shell` needs both `shell_command` and `shell_argument`";
            problems.push(Problem::new(Level::Error, "shell", view.span(), what));
        }
    }
    if let Some(own) = view.get("elevated_shell_command").text() {
        own.clone_into(&mut shell.elevated_command);
    }
    if view.get("elevated_shell_argument").is_there() {
        shell.elevated_argument = view.get("elevated_shell_argument").string();
    }
    if !is_program(&shell.command, &io.env) {
        let what = format!("the shell `{}` is not there", shell.command);
        let problem = match command.node() {
            Some(node) => Problem::new(Level::Error, "shell", node.span, what),
            None => Problem::of_project(Level::Error, "shell", what),
        };
        problems.push(problem.with_hint("name another by `shell:` or `COMPOSE_SHELL`"));
    }
    shell
}

/// Whether a program is on PATH, or where it is said to be.
fn is_program(name: &str, env: &Env) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    let is_there = |path: &Path| {
        fs::metadata(path)
            .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
    };
    if name.contains('/') {
        return is_there(&env.cwd().join(name));
    }
    let path = env.get(Var::Path).unwrap_or_default();
    std::env::split_paths(path).any(|folder| is_there(&env.cwd().join(folder).join(name)))
}

fn log_level(view: View<'_>, request: &Request, problems: &mut Vec<Problem>) -> LogLevel {
    let text = request.log_level.clone().unwrap_or_else(|| view.string());
    match text.to_ascii_lowercase().as_str() {
        "trace" => LogLevel::Trace,
        "debug" => LogLevel::Debug,
        "" | "info" => LogLevel::Info,
        "warn" => LogLevel::Warn,
        "error" => LogLevel::Error,
        "fatal" => LogLevel::Fatal,
        "panic" => LogLevel::Panic,
        other => {
            let what = format!(
                "`log_level` is `{other}` but must be trace, debug, info, warn, error, fatal or panic"
            );
            let problem = match view.node() {
                Some(node) => Problem::new(Level::Strict, "value", node.span, what),
                None => Problem::of_project(Level::Strict, "value", what),
            };
            problems.push(problem);
            LogLevel::Info
        }
    }
}

fn mcp_server(view: View<'_>, problems: &mut Vec<Problem>) -> Option<McpServer> {
    view.node()?;
    let port = view.get("port").whole().and_then(|port| u16::try_from(port).ok()).unwrap_or(0);
    let transport = view.get("transport").text().unwrap_or("sse").to_owned();
    let host = view.get("host").string();
    if transport == "sse" && (host.is_empty() || port == 0) {
        let what = "`mcp_server` needs `host` and `port`";
        problems.push(Problem::new(Level::Strict, "mcp", view.span(), what));
    }
    Some(McpServer {
        host,
        port,
        transport,
        timeout: view.get("timeout").duration(),
        expose_control_tools: view.get("expose_control_tools").boolean(),
        trusted_hosts: view.get("trusted_hosts").texts(),
    })
}

/// `environment` of the project, and what `env_cmds` print.
fn global_environment(
    view: View<'_>,
    request: &Request,
    io: &Io,
    dotenv: &BTreeMap<String, String>,
    ports: &PortTable,
    problems: &mut Vec<Problem>,
    printed: &mut Printed,
) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for (item, span) in view.get("environment").node().map(schema::variables).unwrap_or_default() {
        match split(&item) {
            Some((name, value)) => all.push((name.to_owned(), value.to_owned())),
            None => problems.push(bare_variable(&item, span)),
        }
    }
    if !request.runs_commands {
        return all;
    }
    let commands = view.get("env_cmds");
    let shared = commands.entries().first().map(|_| Shared::of(dotenv, io, ports, &[]));
    let shell = request.shell.as_deref().unwrap_or("bash");
    for (name, node) in commands.entries() {
        let (Some(command), Some(shared)) = (View(Some(node)).text(), &shared) else { continue };
        let result = printed
            .entry(command.to_owned())
            .or_insert_with(|| env_cmds::value(shell, command, &shared.environment(false)));
        match result {
            Ok(value) => all.push((name.value.clone(), value.clone())),
            Err(reason) => {
                let what = format!("`{}` is not set: `{command}`: {reason}", name.value);
                problems.push(Problem::new(Level::Warning, "env-cmd", node.span, what));
            }
        }
    }
    all
}
