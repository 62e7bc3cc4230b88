//! A project as the keys that would make it.

use std::time::Duration;

use super::document::Document;
use crate::config::Project;
use crate::config::model::{
    Availability, Check, LogConfiguration, LogPattern, Monitor, Probe, Process, Restart, Schedule,
    Shutdown, Trigger, Watch,
};

/// Keys that have another value than the default.
struct Keys(Vec<(String, Document)>);

impl Keys {
    fn text(&mut self, key: &str, text: &str) {
        if !text.is_empty() {
            self.put(key, Document::text(text));
        }
    }

    fn flag(&mut self, key: &str, is_set: bool) {
        if is_set {
            self.put(key, Document::Bool(true));
        }
    }

    fn count(&mut self, key: &str, number: u32) {
        if number != 0 {
            self.put(key, Document::Int(i64::from(number)));
        }
    }

    fn texts(&mut self, key: &str, texts: &[String]) {
        if !texts.is_empty() {
            self.put(key, Document::List(texts.iter().map(Document::text).collect()));
        }
    }

    fn put(&mut self, key: &str, document: Document) {
        self.0.push((key.to_owned(), document));
    }

    /// Keys of an inner block, if it has any.
    fn block(&mut self, key: &str, keys: Self) {
        if !keys.0.is_empty() {
            self.put(key, Document::Map(keys.0));
        }
    }
}

fn seconds(duration: Duration) -> Document {
    Document::number(duration.as_secs_f64())
}

fn go(duration: Duration) -> Document {
    let text = match duration.as_nanos() {
        nanos if nanos.is_multiple_of(1_000_000_000) => format!("{}s", duration.as_secs()),
        nanos if nanos.is_multiple_of(1_000_000) => format!("{}ms", duration.as_millis()),
        nanos => format!("{nanos}ns"),
    };
    Document::text(text)
}

/// The project, or only what of it runs.
pub(crate) fn document(project: &Project, only_running: bool) -> Document {
    let mut keys = Keys(Vec::new());
    keys.text("name", &project.name);
    keys.flag("is_strict", project.is_strict);
    keys.flag("is_tui_disabled", project.is_tui_disabled);
    keys.flag("ordered_shutdown", project.ordered_shutdown);
    // What is resolved must not be expanded again.
    keys.flag("disable_env_expansion", true);
    let mut shell = Keys(Vec::new());
    shell.text("shell_command", &project.shell.command);
    shell.text("shell_argument", &project.shell.argument);
    keys.block("shell", shell);
    if project.log_length != 1000 {
        keys.put(
            "log_length",
            Document::Int(i64::try_from(project.log_length).unwrap_or(i64::MAX)),
        );
    }
    if let Some(path) = &project.log_location {
        keys.text("log_location", &path.display().to_string());
    }
    keys.block("log_configuration", logging(&project.log_configuration));
    let processes =
        project.processes.iter().filter(|process| !only_running || !process.is_disabled);
    let processes = processes
        .map(|process| (process.name.clone(), Document::Map(process_keys(process, project).0)));
    keys.put("processes", Document::Map(processes.collect()));
    Document::Map(keys.0)
}

fn process_keys(process: &Process, project: &Project) -> Keys {
    let mut keys = Keys(Vec::new());
    keys.text("description", &process.description);
    if process.command.is_empty() {
        keys.texts("entrypoint", &process.argv);
    } else {
        keys.text("command", &process.command);
        keys.flag("is_template_disabled", process.command.contains("{{"));
    }
    if process.working_dir != project.folder {
        keys.text("working_dir", &process.working_dir.display().to_string());
    }
    let own = process
        .environment
        .own()
        .filter(|(name, _)| *name != "PC_PROC_NAME" && *name != "PC_REPLICA_NUM");
    let own: Vec<String> = own
        .map(|(name, value)| format!("{}={}", name.to_string_lossy(), value.to_string_lossy()))
        .collect();
    keys.texts("environment", &own);
    if process.namespaces != ["default"] {
        keys.texts("namespace", &process.namespaces);
    }
    keys.flag("disabled", process.is_disabled);
    keys.flag("is_foreground", process.is_foreground);
    keys.flag("is_daemon", process.is_daemon);
    keys.flag("is_tty", process.is_tty);
    keys.flag("is_interactive", process.is_interactive);
    keys.flag("is_elevated", process.is_elevated);
    let mut depends = Keys(Vec::new());
    for dependency in &process.depends_on {
        let condition = ("condition".to_owned(), Document::text(dependency.condition.name()));
        depends.put(&dependency.name, Document::Map(vec![condition]));
    }
    keys.block("depends_on", depends);
    keys.block("availability", availability(&process.availability));
    let codes: Vec<_> =
        process.success_exit_codes.iter().map(|code| Document::Int(i64::from(*code))).collect();
    if !codes.is_empty() {
        keys.put("success_exit_codes", Document::List(codes));
    }
    keys.block("shutdown", shutdown(&process.shutdown));
    pattern(&mut keys, process.ready_log.as_ref(), "ready_log_line", "ready_log_regex");
    let probes = [
        ("startup_probe", &process.startup_probe),
        ("readiness_probe", &process.readiness_probe),
        ("liveness_probe", &process.liveness_probe),
    ];
    for (name, one) in probes {
        if let Some(one) = one {
            keys.block(name, probe(one, process));
        }
    }
    if let Some(path) = &process.log.location {
        keys.text("log_location", &path.display().to_string());
    }
    keys.block("log_configuration", logging(&process.log.configuration));
    keys.flag("truncate_log", process.truncate_log);
    keys.flag("disable_ansi_colors", process.disable_ansi_colors);
    match process.monitor {
        Some(Monitor::Activity) => keys.text("monitor_for", "activity"),
        Some(Monitor::Silence(threshold)) => {
            keys.text("monitor_for", "silence");
            keys.put("monitor_silence_threshold", go(threshold));
        }
        None => {}
    }
    if process.is_daemon {
        keys.put("launch_timeout_seconds", seconds(process.launch_timeout));
    }
    if let Some(one) = &process.schedule {
        keys.block("schedule", schedule(one));
    }
    if let Some(one) = &process.watch {
        keys.block("watch", watch(one));
    }
    if let Some(mcp) = &process.mcp {
        let mut inner = Keys(Vec::new());
        inner.text("type", &mcp.kind);
        keys.block("mcp", inner);
    }
    let mut ports: Vec<String> = Vec::new();
    for port in &process.ports {
        let name = port.registered.clone().unwrap_or_else(|| port.number.to_string());
        if !ports.contains(&name) {
            ports.push(name);
        }
    }
    keys.texts("x-ports", &ports);
    keys
}

fn availability(availability: &Availability) -> Keys {
    let mut keys = Keys(Vec::new());
    keys.text(
        "restart",
        match availability.restart {
            Restart::No => "",
            Restart::Always => "always",
            Restart::OnFailure => "on_failure",
            Restart::ExitOnFailure => "exit_on_failure",
        },
    );
    if availability.backoff != Duration::from_secs(1) {
        keys.put("backoff_seconds", seconds(availability.backoff));
    }
    keys.count("max_restarts", availability.max_restarts.unwrap_or(0));
    keys.flag("exit_on_end", availability.exit_on_end);
    keys.flag("exit_on_skipped", availability.exit_on_skipped);
    keys
}

fn shutdown(shutdown: &Shutdown) -> Keys {
    let mut keys = Keys(Vec::new());
    keys.text("command", shutdown.command.as_deref().unwrap_or_default());
    if let Some(timeout) = shutdown.timeout {
        keys.put("timeout_seconds", seconds(timeout));
    }
    if shutdown.signal != 15 {
        keys.put("signal", Document::Int(i64::from(shutdown.signal)));
    }
    keys.flag("parent_only", shutdown.parent_only);
    if let Some(bytes) = &shutdown.send_keys {
        let escaped: Vec<String> = bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect();
        keys.text("send_keys", &escaped.concat());
    }
    keys.texts("keep", &shutdown.keep);
    keys
}

fn pattern(keys: &mut Keys, pattern: Option<&LogPattern>, contains: &str, matches: &str) {
    match pattern {
        Some(LogPattern::Contains(text)) => keys.text(contains, text),
        Some(LogPattern::Matches(text)) => keys.text(matches, text),
        None => {}
    }
}

fn probe(probe: &Probe, process: &Process) -> Keys {
    let mut keys = Keys(Vec::new());
    let mut inner = Keys(Vec::new());
    match &probe.check {
        Check::Exec { command, working_dir } => {
            inner.text("command", command);
            if *working_dir != process.working_dir {
                inner.text("working_dir", &working_dir.display().to_string());
            }
            keys.block("exec", inner);
        }
        Check::Http { host, scheme, path, port, headers, status } => {
            inner.text("host", host);
            inner.text("scheme", scheme);
            inner.text("path", path);
            inner.count("port", u32::from(port.unwrap_or(0)));
            let headers = headers.iter().map(|(name, value)| (name.clone(), Document::text(value)));
            inner.block("headers", Keys(headers.collect()));
            inner.count("status_code", u32::from(*status));
            keys.block("http_get", inner);
        }
        Check::Tcp { host, port } => {
            inner.text("host", host);
            inner.count("port", u32::from(*port));
            keys.block("tcp_socket", inner);
        }
        Check::Log(line) => pattern(&mut keys, Some(line), "log_line", "log_regex"),
        Check::NotifySocket => keys.text("notify", "socket"),
        Check::NotifyFd(fd) => {
            keys.text("notify", "fd");
            keys.put("notify_fd", Document::Int(i64::from(*fd)));
        }
    }
    if !probe.initial_delay.is_zero() {
        keys.put("initial_delay_seconds", seconds(probe.initial_delay));
    }
    keys.put("period_seconds", seconds(probe.period));
    keys.put("timeout_seconds", seconds(probe.timeout));
    keys.count("success_threshold", probe.success_threshold);
    keys.count("failure_threshold", probe.failure_threshold);
    if !probe.is_adaptive {
        keys.put("adaptive", Document::Bool(false));
    }
    keys
}

fn logging(configuration: &LogConfiguration) -> Keys {
    let mut keys = Keys(Vec::new());
    if let Some(rotation) = &configuration.rotation {
        let mut inner = Keys(Vec::new());
        inner.count("max_size_mb", rotation.max_size_mb);
        inner.count("max_backups", rotation.max_backups);
        inner.count("max_age_days", rotation.max_age_days);
        inner.flag("compress", rotation.compress);
        keys.block("rotation", inner);
    }
    keys.flag("disable_json", configuration.disable_json);
    keys.texts("fields_order", &configuration.fields_order);
    keys.text("timestamp_format", &configuration.timestamp_format);
    keys.flag("no_color", configuration.no_color);
    keys.flag("no_metadata", configuration.no_metadata);
    keys.flag("add_timestamp", configuration.add_timestamp);
    keys.flag("flush_each_line", configuration.flush_each_line);
    keys
}

fn schedule(schedule: &Schedule) -> Keys {
    let mut keys = Keys(Vec::new());
    match &schedule.trigger {
        Trigger::Cron(cron) => keys.text("cron", &cron.to_string()),
        Trigger::Interval(interval) => keys.put("interval", go(*interval)),
    }
    keys.text("timezone", schedule.timezone.as_deref().unwrap_or_default());
    keys.flag("run_on_start", schedule.run_on_start);
    if schedule.max_concurrent != 1 {
        keys.count("max_concurrent", schedule.max_concurrent);
    }
    keys
}

fn watch(watch: &Watch) -> Keys {
    let mut keys = Keys(Vec::new());
    let path = |one: &crate::config::model::WatchPath| {
        let mut inner = Keys(Vec::new());
        inner.text("path", &one.path.display().to_string());
        inner.texts("include", &one.include);
        inner.texts("exclude", &one.exclude);
        Document::Map(inner.0)
    };
    keys.put("paths", Document::List(watch.paths.iter().map(path).collect()));
    keys.flag("cascade", watch.cascade);
    keys.put("debounce", go(watch.debounce));
    keys.count("max_entries", u32::try_from(watch.max_entries).unwrap_or(u32::MAX));
    keys.flag("disable_default_excludes", watch.disable_default_excludes);
    keys
}
