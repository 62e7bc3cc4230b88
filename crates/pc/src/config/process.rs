//! One process: from its keys to what the engine runs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use cli::Io;
use composefile::{Kind, Node, Plain, Span};
use portreg::PortPath;

use super::ConfigError;
use super::files;
use super::keys::send_keys;
use super::logging::log_target;
use super::model::{
    Availability, Condition, Dependency, LogPattern, Mcp, McpArgument, Monitor, Process, Restart,
    Schedule, Shell, Shutdown, Trigger, Watch, WatchPath,
};
use super::probe::probe;
use super::problem::{Level, Problem};
use super::registry::PortTable;
use super::schema;
use super::template::{Value, render};
use super::tree::{View, duration};
use super::variables::{Shared, split};

/// What all processes are made with.
pub(crate) struct Maker<'a> {
    pub(crate) io: &'a Io,
    pub(crate) shell: &'a Shell,
    pub(crate) shared: &'a Shared,
    pub(crate) vars: BTreeMap<String, Value>,
    pub(crate) ports: &'a PortTable,
    pub(crate) disabled: &'a [String],
    pub(crate) problems: Vec<Problem>,
    /// Registered ports that the templates of the process at hand ask for, and where.
    pub(crate) used: Vec<(String, Span)>,
}

/// Values for templates.
pub(crate) fn values(node: View<'_>) -> BTreeMap<String, Value> {
    node.entries().iter().map(|(key, node)| (key.value.clone(), value(node))).collect()
}

fn value(node: &Node) -> Value {
    match &node.kind {
        Kind::Scalar(scalar) => match scalar.plain() {
            Plain::Null => Value::Nil,
            Plain::Bool(truth) => Value::Bool(truth),
            Plain::Integer(number) => Value::Int(number),
            Plain::Float(number) => Value::Float(number),
            Plain::Text(text) => Value::text(text),
        },
        Kind::Sequence(items) => Value::List(items.iter().map(value).collect()),
        Kind::Mapping(_) => Value::Map(Rc::new(values(View(Some(node))))),
    }
}

/// The strings of one replica.
pub(crate) struct Rendering<'m, 'a> {
    pub(crate) maker: &'m mut Maker<'a>,
    data: Value,
}

impl Rendering<'_, '_> {
    /// A text with its template filled in.
    pub(crate) fn text(&mut self, view: View<'_>) -> String {
        let Some(text) = view.text() else { return String::new() };
        self.render(text, view.span())
    }

    pub(crate) fn render(&mut self, text: &str, span: Span) -> String {
        match render(text, &self.data) {
            Ok(done) => {
                for missing in done.missing {
                    self.missing(&missing, span);
                }
                for path in done.used {
                    let [first, rest @ ..] = path.as_slice() else { continue };
                    if first == "ports" && !rest.is_empty() {
                        let path =
                            rest.iter().fold(PortPath::default(), |path, name| path.join(name));
                        self.maker.used.push((path.to_string(), span));
                    }
                }
                done.text
            }
            Err(error) => {
                let lines = text[..error.at.min(text.len())].matches('\n').count();
                let line = span.line.saturating_add(u32::try_from(lines).unwrap_or(0));
                let span = Span { line, ..span };
                let problem = Problem::new(
                    Level::Error,
                    "template",
                    span,
                    format!("the template is broken: {error}"),
                );
                let hint = "write `{{\"{{\"}}` for braces that the program should see, or `is_template_disabled: true`";
                self.maker.problems.push(problem.with_hint(hint));
                text.to_owned()
            }
        }
    }

    fn missing(&mut self, field: &str, span: Span) {
        if let Some(path) = field.strip_prefix(".ports.")
            && let Err(error) = self.maker.ports.get(path)
        {
            let problem = Problem::new(Level::Error, "port", span, error.what);
            self.maker.problems.push(Problem { hint: error.hint, ..problem });
            return;
        }
        let what = format!("`{{{{{field}}}}}` has no value: it becomes `<no value>`");
        let problem = Problem::new(Level::Hint, "template-value", span, what);
        let hint = format!(
            "set `{}` under `vars`, or write `{{{{\"{{{{{field}}}}}\"}}}}` if the program should see it",
            &field[1..]
        );
        self.maker.problems.push(problem.with_hint(hint));
    }
}

impl Maker<'_> {
    /// The replicas of one process.
    pub(crate) fn processes(
        &mut self,
        name: &str,
        span: Span,
        node: &Node,
    ) -> Result<Vec<Process>, ConfigError> {
        let view = View(Some(node));
        let replicas = view.get("replicas").count().unwrap_or(1).max(1);
        let width = replicas.ilog10() as usize + 1;
        let mut all = Vec::new();
        for replica in 0..replicas {
            let full =
                if replicas > 1 { format!("{name}-{replica:0width$}") } else { name.to_owned() };
            let known = self.problems.len();
            let mut process = self.process(name, span, view, replica, replicas)?;
            process.name = full;
            // What is wrong with one replica is wrong with all.
            if replica > 0 {
                self.problems.truncate(known);
            }
            all.push(process);
        }
        Ok(all)
    }

    fn process(
        &mut self,
        name: &str,
        span: Span,
        view: View<'_>,
        replica: u32,
        replicas: u32,
    ) -> Result<Process, ConfigError> {
        let mut data = self.vars.clone();
        data.extend(values(view.get("vars")));
        data.insert("PC_REPLICA_NUM".to_owned(), Value::Int(i64::from(replica)));
        let nested = self.ports.nested();
        data.entry("ports".to_owned()).or_insert(nested);
        self.used.clear();
        let (shell, folder) = (self.shell, self.io.env.cwd().to_owned());
        let mut strings = Rendering { data: Value::Map(Rc::new(data)), maker: self };
        let working_dir = strings.text(view.get("working_dir"));
        let working_dir = files::normal(&folder.join(working_dir));
        let (argv, command, command_span) = argv(view, span, shell, &mut strings);
        let environment = environment(name, replica, view, &working_dir, &mut strings)?;
        let mut process = Process {
            group: name.to_owned(),
            replica,
            replicas,
            span,
            description: strings.text(view.get("description")),
            argv,
            command,
            command_span,
            environment,
            namespaces: namespaces(view.get("namespace")),
            is_foreground: view.get("is_foreground").boolean(),
            is_daemon: view.get("is_daemon").boolean(),
            is_tty: view.get("is_tty").boolean(),
            is_interactive: view.get("is_interactive").boolean(),
            is_elevated: view.get("is_elevated").boolean(),
            depends_on: dependencies(view.get("depends_on"), &mut strings.maker.problems),
            availability: availability(view.get("availability")),
            success_exit_codes: success_codes(view.get("success_exit_codes")),
            startup_probe: probe(view.get("startup_probe"), &working_dir, &mut strings),
            readiness_probe: probe(view.get("readiness_probe"), &working_dir, &mut strings),
            liveness_probe: probe(view.get("liveness_probe"), &working_dir, &mut strings),
            log: log_target(view, replica, replicas, &folder, &mut strings),
            truncate_log: view.get("truncate_log").boolean(),
            disable_ansi_colors: view.get("disable_ansi_colors").boolean(),
            monitor: monitor(view),
            launch_timeout: view
                .get("launch_timeout_seconds")
                .seconds()
                .map_or(Duration::from_secs(5), duration),
            watch: watch(view.get("watch"), &folder),
            mcp: mcp(view.get("mcp")),
            working_dir,
            ..Process::default()
        };
        let problems = &mut strings.maker.problems;
        process.shutdown = shutdown(view.get("shutdown"), problems);
        process.ready_log = ready_log(view, problems);
        process.schedule = schedule(view.get("schedule"), problems);
        process.is_disabled = is_disabled(name, view, self.disabled) || process.mcp.is_some();
        Ok(process)
    }
}

/// The argument vector, the command line, and where it is written.
fn argv(
    view: View<'_>,
    span: Span,
    shell: &Shell,
    strings: &mut Rendering<'_, '_>,
) -> (Vec<String>, String, Span) {
    let command = view.get("command");
    let entrypoint = view.get("entrypoint");
    if let Some(text) = command.text() {
        if entrypoint.is_there() {
            let what = "`command` and `entrypoint` are both here: `command` is run";
            let problem = Problem::new(Level::Strict, "two-commands", entrypoint.span(), what);
            strings.maker.problems.push(problem);
        }
        let text = if view.get("is_template_disabled").boolean() {
            text.to_owned()
        } else {
            strings.render(text, command.span())
        };
        let argv = vec![shell.command.clone(), shell.argument.clone(), text.clone()];
        return (argv, text, command.span());
    }
    let words = entrypoint.texts();
    if words.is_empty() {
        let is_off = is_disabled("", view, &[]);
        let level = if is_off { Level::Strict } else { Level::Error };
        let problem = Problem::new(
            level,
            "no-command",
            span,
            "the process has neither `command` nor `entrypoint`",
        );
        strings.maker.problems.push(problem.with_hint("write `command:` with what it runs"));
    }
    (words, String::new(), entrypoint.span())
}

fn environment(
    name: &str,
    replica: u32,
    view: View<'_>,
    working_dir: &Path,
    strings: &mut Rendering<'_, '_>,
) -> Result<super::Environment, ConfigError> {
    let without_dotenv = view.get("is_dotenv_disabled").boolean();
    let mut environment = strings.maker.shared.environment(without_dotenv);
    environment.set_default("PC_PROC_NAME", name);
    environment.set_default("PC_REPLICA_NUM", replica.to_string());
    let file = view.get("env_file");
    if let Some(named) = file.text() {
        let mut known = BTreeMap::new();
        match files::read_variables(&working_dir.join(named), Path::new(named), &mut known) {
            Ok(()) => {}
            Err(ConfigError::EnvFile { source, .. }) => {
                let what = format!("`{named}` cannot be read: {source}");
                strings.maker.problems.push(Problem::new(
                    Level::Strict,
                    "env-file",
                    file.span(),
                    what,
                ));
            }
            Err(error) => return Err(error),
        }
        for (name, value) in known {
            environment.set(name, value);
        }
    }
    for (item, span) in view.get("environment").node().map(schema::variables).unwrap_or_default() {
        let item = strings.render(&item, span);
        match split(&item) {
            Some((name, value)) => environment.set(name, value),
            None => strings.maker.problems.push(bare_variable(&item, span)),
        }
    }
    Ok(environment)
}

pub(crate) fn bare_variable(item: &str, span: Span) -> Problem {
    let name = item.split('=').next().unwrap_or_default();
    let what = format!("`{name}` sets nothing: an item of `environment` is `NAME=value`");
    Problem::new(Level::Hint, "environment", span, what)
}

fn namespaces(view: View<'_>) -> Vec<String> {
    let names = match view.text() {
        Some(name) => vec![name.to_owned()],
        None => view.texts(),
    };
    let names: Vec<String> = names.into_iter().filter(|name| !name.is_empty()).collect();
    if names.is_empty() { vec!["default".to_owned()] } else { names }
}

fn dependencies(view: View<'_>, problems: &mut Vec<Problem>) -> Vec<Dependency> {
    let mut all = Vec::new();
    for (name, node) in view.entries() {
        let condition = View(Some(node)).get("condition");
        let condition = match condition.text() {
            Some("process_completed_successfully") => Condition::CompletedSuccessfully,
            Some("process_healthy") => Condition::Healthy,
            Some("process_started") => Condition::Started,
            Some("process_log_ready") => Condition::LogReady,
            Some(_) => Condition::Completed,
            None => {
                let what =
                    format!("`{}` has no `condition`: this waits until it has ended", name.value);
                let problem = Problem::new(Level::Hint, "missing-condition", name.span, what);
                problems.push(problem.with_hint(
                    "write `condition: process_healthy`, `process_started` or `process_completed`",
                ));
                Condition::Completed
            }
        };
        all.push(Dependency { name: name.value.clone(), condition, span: name.span });
    }
    all
}

fn availability(view: View<'_>) -> Availability {
    let restart = match view.get("restart").text() {
        Some("always") => Restart::Always,
        Some("on_failure") => Restart::OnFailure,
        Some("exit_on_failure") => Restart::ExitOnFailure,
        _ => Restart::No,
    };
    // Less than a second is only what was asked for with a fraction.
    let backoff = view.get("backoff_seconds").seconds().unwrap_or(1.0);
    Availability {
        restart,
        backoff: duration(if backoff > 0.0 { backoff } else { 1.0 }),
        max_restarts: view.get("max_restarts").count(),
        exit_on_end: view.get("exit_on_end").boolean(),
        exit_on_skipped: view.get("exit_on_skipped").boolean(),
    }
}

fn success_codes(view: View<'_>) -> Vec<u8> {
    view.texts().iter().filter_map(|code| code.parse().ok()).collect()
}

fn shutdown(view: View<'_>, problems: &mut Vec<Problem>) -> Shutdown {
    let signal = view.get("signal").whole().and_then(|number| i32::try_from(number).ok());
    let keys = view.get("send_keys");
    let send_keys = keys.text().and_then(|text| match send_keys(text) {
        Ok(keys) => Some(keys),
        Err(what) => {
            problems.push(Problem::new(Level::Error, "send-keys", keys.span(), what));
            None
        }
    });
    Shutdown {
        command: view.get("command").text().map(str::to_owned),
        timeout: view.get("timeout_seconds").seconds().filter(|s| *s > 0.0).map(duration),
        signal: signal.filter(|signal| (1..=31).contains(signal)).unwrap_or(15),
        parent_only: view.get("parent_only").boolean(),
        send_keys,
        keep: view.get("keep").texts(),
    }
}

fn ready_log(view: View<'_>, problems: &mut Vec<Problem>) -> Option<LogPattern> {
    let regex = view.get("ready_log_regex");
    if let Some(pattern) = regex.text() {
        return super::probe::regex(pattern, regex.span(), problems);
    }
    view.get("ready_log_line").text().map(|line| LogPattern::Contains(line.to_owned()))
}

fn is_disabled(name: &str, view: View<'_>, disabled: &[String]) -> bool {
    let own = match view.get("is_disabled").text() {
        Some("true") => true,
        Some("false") => false,
        Some(_) if view.get("is_disabled").boolean() => true,
        _ => view.get("disabled").boolean(),
    };
    own || disabled.iter().any(|disabled| disabled == name)
}

fn monitor(view: View<'_>) -> Option<Monitor> {
    match view.get("monitor_for").text()? {
        "activity" => Some(Monitor::Activity),
        "silence" => {
            let threshold = view.get("monitor_silence_threshold").duration();
            Some(Monitor::Silence(threshold.unwrap_or(Duration::from_secs(5))))
        }
        _ => None,
    }
}

fn schedule(view: View<'_>, problems: &mut Vec<Problem>) -> Option<Schedule> {
    view.node()?;
    let cron = view.get("cron");
    let trigger = match (cron.text(), view.get("interval").duration()) {
        (Some(text), _) => match text.parse() {
            Ok(cron) => Trigger::Cron(cron),
            Err(error) => {
                problems.push(Problem::new(Level::Error, "cron", cron.span(), format!("{error}")));
                return None;
            }
        },
        (None, Some(interval)) => Trigger::Interval(interval),
        (None, None) => {
            let what = "a schedule needs `cron` or `interval`";
            problems.push(Problem::new(Level::Error, "cron", view.span(), what));
            return None;
        }
    };
    Some(Schedule {
        trigger,
        timezone: view.get("timezone").text().map(str::to_owned),
        run_on_start: view.get("run_on_start").boolean(),
        max_concurrent: view.get("max_concurrent").count().unwrap_or(1),
    })
}

fn watch(view: View<'_>, folder: &Path) -> Option<Watch> {
    view.node()?;
    let path = |node: &Node| {
        let view = View(Some(node));
        let path: PathBuf = files::normal(&folder.join(view.get("path").string()));
        WatchPath {
            path,
            include: view.get("include").texts(),
            exclude: view.get("exclude").texts(),
        }
    };
    let entries = view.get("max_entries").count().and_then(|count| usize::try_from(count).ok());
    Some(Watch {
        paths: view.get("paths").items().iter().map(path).collect(),
        cascade: view.get("cascade").boolean(),
        debounce: view.get("debounce").duration().unwrap_or(Duration::from_millis(300)),
        max_entries: entries.unwrap_or(8192),
        disable_default_excludes: view.get("disable_default_excludes").boolean(),
    })
}

fn mcp(view: View<'_>) -> Option<Mcp> {
    view.node()?;
    let argument = |node: &Node| {
        let view = View(Some(node));
        McpArgument {
            name: view.get("name").string(),
            kind: view.get("type").string(),
            description: view.get("description").string(),
            required: view.get("required").boolean(),
            default: view.get("default").text().map(str::to_owned),
        }
    };
    Some(Mcp {
        kind: view.get("type").string(),
        arguments: view.get("arguments").items().iter().map(argument).collect(),
        timeout: view.get("timeout").duration(),
    })
}
