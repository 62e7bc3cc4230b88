//! Probes.

use std::path::Path;
use std::time::Duration;

use composefile::Span;

use super::files::normal;
use super::model::{Check, LogPattern, Probe};
use super::problem::{Level, Problem};
use super::process::Rendering;
use super::tree::{View, duration};

/// Reads a probe; none when it asks nothing.
pub(crate) fn probe(
    view: View<'_>,
    working_dir: &Path,
    strings: &mut Rendering<'_, '_>,
) -> Option<Probe> {
    view.node()?;
    let check = check(view, working_dir, strings)?;
    let at_least = |key: &str, default: f64, least: f64| {
        let seconds = view.get(key).seconds().unwrap_or(default);
        // A whole number below the least is taken for it; a fraction was meant.
        duration(if seconds <= 0.0 { least } else { seconds })
    };
    let threshold = |key: &str, default: i64| {
        let number = view.get(key).whole().unwrap_or(default).max(1);
        u32::try_from(number).unwrap_or(u32::MAX)
    };
    let adaptive = view.get("adaptive");
    Some(Probe {
        check,
        initial_delay: view.get("initial_delay_seconds").seconds().map_or(Duration::ZERO, duration),
        period: at_least("period_seconds", 10.0, 1.0),
        timeout: at_least("timeout_seconds", 1.0, 1.0),
        success_threshold: threshold("success_threshold", 1),
        failure_threshold: threshold("failure_threshold", 3),
        is_adaptive: !adaptive.is_there() || adaptive.boolean(),
        span: view.span(),
    })
}

fn check(view: View<'_>, working_dir: &Path, strings: &mut Rendering<'_, '_>) -> Option<Check> {
    let kinds = ["exec", "http_get", "tcp_socket", "log_line", "log_regex", "notify"];
    let given: Vec<&str> = kinds.into_iter().filter(|kind| view.get(kind).is_there()).collect();
    if let [first, second, ..] = given.as_slice() {
        let what = format!("a probe asks one question: `{first}` is asked, not `{second}`");
        let problem = Problem::new(Level::Strict, "probe", view.get(second).span(), what);
        strings.maker.problems.push(problem);
    }
    match given.first() {
        Some(&"exec") => exec(view.get("exec"), working_dir, strings),
        Some(&"http_get") => Some(http(view.get("http_get"), strings)),
        Some(&"tcp_socket") => tcp(view.get("tcp_socket"), strings),
        Some(&"log_line") => Some(Check::Log(LogPattern::Contains(view.get("log_line").string()))),
        Some(&"log_regex") => {
            let pattern = view.get("log_regex");
            regex(&pattern.string(), pattern.span(), &mut strings.maker.problems).map(Check::Log)
        }
        Some(_) if view.get("notify").text() == Some("socket") => Some(Check::NotifySocket),
        Some(_) => {
            let fd = view.get("notify_fd").whole().and_then(|fd| i32::try_from(fd).ok());
            Some(Check::NotifyFd(fd.unwrap_or(3)))
        }
        None => {
            let what = "the probe asks nothing, so it never answers";
            let problem = Problem::new(Level::Strict, "probe", view.span(), what);
            strings
                .maker
                .problems
                .push(problem.with_hint("write `exec`, `http_get` or `tcp_socket`"));
            None
        }
    }
}

fn exec(view: View<'_>, working_dir: &Path, strings: &mut Rendering<'_, '_>) -> Option<Check> {
    let command = strings.text(view.get("command"));
    if command.is_empty() {
        let problem =
            Problem::new(Level::Strict, "probe", view.span(), "the probe has no `command`");
        strings.maker.problems.push(problem);
        return None;
    }
    let folder = strings.maker.io.env.cwd().to_owned();
    let working_dir = match view.get("working_dir").text() {
        Some(own) => normal(&folder.join(own)),
        None => working_dir.to_owned(),
    };
    Some(Check::Exec { command, working_dir })
}

fn http(view: View<'_>, strings: &mut Rendering<'_, '_>) -> Check {
    let or = |text: String, default: &str| if text.is_empty() { default.to_owned() } else { text };
    let host = or(strings.text(view.get("host")), "127.0.0.1");
    let scheme = or(strings.text(view.get("scheme")), "http").to_ascii_lowercase();
    let path = or(strings.text(view.get("path")), "/");
    let port = port(view.get("port"), strings);
    let headers = view.get("headers").entries().iter();
    let headers =
        headers.map(|(name, node)| (name.value.clone(), View(Some(node)).string())).collect();
    let status = view.get("status_code").whole().filter(|code| (1..400).contains(code));
    let status = status.and_then(|code| u16::try_from(code).ok()).unwrap_or(200);
    Check::Http { host, scheme, path, port, headers, status }
}

fn tcp(view: View<'_>, strings: &mut Rendering<'_, '_>) -> Option<Check> {
    let host = strings.text(view.get("host"));
    let host = if host.is_empty() { "127.0.0.1".to_owned() } else { host };
    let Some(port) = port(view.get("port"), strings) else {
        if !view.get("port").is_there() {
            let problem =
                Problem::new(Level::Error, "probe", view.span(), "`tcp_socket` has no `port`");
            strings.maker.problems.push(problem);
        }
        return None;
    };
    Some(Check::Tcp { host, port })
}

/// A port; one that is none is as good as not there, and told.
fn port(view: View<'_>, strings: &mut Rendering<'_, '_>) -> Option<u16> {
    let text = strings.text(view);
    if text.is_empty() {
        return None;
    }
    let number = text.trim().parse().ok().filter(|port: &u16| *port > 0);
    if number.is_none() {
        let what = format!("`port` is `{text}` but must be a number from 1 to 65535");
        strings.maker.problems.push(Problem::new(Level::Strict, "probe", view.span(), what));
    }
    number
}

/// A regular expression that is one.
pub(crate) fn regex(pattern: &str, span: Span, problems: &mut Vec<Problem>) -> Option<LogPattern> {
    match regex::bytes::Regex::new(pattern) {
        Ok(_) => Some(LogPattern::Matches(pattern.to_owned())),
        Err(error) => {
            let error = error.to_string();
            let reason =
                error.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            let what = format!("`{pattern}` is no regular expression: {reason}");
            problems.push(Problem::new(Level::Error, "regex", span, what));
            None
        }
    }
}
