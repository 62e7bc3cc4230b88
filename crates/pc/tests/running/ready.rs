//! Readiness: lines, probes of every kind, notifications, thresholds.

use testkit::Sandbox;

use super::{events, pc, prepared};

fn after(command: &str, rest: &str, condition: &str) -> String {
    format!(
        "processes:\n  a: {{command: \"{command}\", {rest}}}\n  \
         b: {{command: echo b, depends_on: {{a: {{condition: {condition}}}}}, availability: {{exit_on_end: true}}}}\n"
    )
}

#[test]
fn a_line_releases_dependents() {
    let file =
        after("echo Server listening; sleep 60", "ready_log_line: listening", "process_log_ready");
    pc(&file, &["up", "-t=false"]).code(0).stdout("[a\t] Server listening\n[b\t] b\n").stderr("");
}

#[test]
fn an_exec_probe_releases_dependents() {
    let probe = "readiness_probe: {exec: {command: test -e up}, period_seconds: 60}";
    let file = after("sleep 0.2; touch up; sleep 60", probe, "process_healthy");
    pc(&file, &["up", "-t=false"]).code(0).stdout("[b\t] b\n").stderr("");
}

#[test]
fn tcp_and_http_probes_release_dependents() {
    let server = "import http.server as h; s=h.HTTPServer(('127.0.0.1',0),h.SimpleHTTPRequestHandler); open('port','w').write(str(s.server_port)); s.serve_forever()";
    for check in [
        "tcp_socket: {host: 127.0.0.1, port: PORT}",
        "http_get: {host: 127.0.0.1, port: PORT, path: /process-compose.yaml}",
    ] {
        let sandbox = Sandbox::new();
        // A port that was free a moment ago.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = server.replace(",0)", &format!(",{port})"));
        let check = check.replace("PORT", &port.to_string());
        let file = format!(
            "processes:\n  a: {{entrypoint: [python3, -c, \"{server}\"], readiness_probe: {{{check}, period_seconds: 60}}}}\n  \
             b: {{command: echo b, depends_on: {{a: {{condition: process_healthy}}}}, availability: {{exit_on_end: true}}}}\n"
        );
        let output = prepared(&sandbox, &file, &["up", "-t=false"]).output().code(0);
        assert!(output.stdout.contains("[b\t] b\n"), "{} {}", output.stdout, output.stderr);
    }
}

#[test]
fn a_failing_probe_stops_and_the_policy_decides() {
    let sandbox = Sandbox::new();
    let probe =
        "readiness_probe: {exec: {command: exit 1}, period_seconds: 1, failure_threshold: 1}";
    let file = format!(
        "processes:\n  a: {{command: sleep 60, {probe}, availability: {{restart: on_failure, max_restarts: 1}}}}\n  \
         b: {{command: echo b, depends_on: {{a: {{condition: process_healthy}}}}}}\n"
    );
    prepared(&sandbox, &file, &["up", "-t=false", "--events", "events"])
        .output()
        .code(0)
        .stdout("")
        .stderr("");
    let last = |name: &str| {
        events(&sandbox)
            .into_iter()
            .rfind(|event| event["process"] == name && event["type"] == "state")
            .unwrap()
    };
    assert_eq!(
        (last("a")["restarts"].as_i64(), last("a")["exit_code"].as_i64()),
        (Some(1), Some(1))
    );
    assert_eq!(last("b")["status"], "Skipped");
}

#[test]
fn a_probe_that_hangs_is_killed_with_all_it_started() {
    let probe = "readiness_probe: {exec: {command: 'sleep 631 & sleep 632'}, period_seconds: 1, timeout_seconds: 1, failure_threshold: 1}";
    let file = after("sleep 60", probe, "process_healthy");
    pc(&file, &["up", "-t=false"]).code(0).stdout("").stderr("");
}

#[test]
fn dependents_wait_for_the_next_ready() {
    // The first start ends before it is ready; the second one is.
    let probe = "readiness_probe: {exec: {command: test -e up}, period_seconds: 1}, availability: {restart: always}";
    let file = after("test -e once && touch up && sleep 60; touch once", probe, "process_healthy");
    pc(&file, &["up", "-t=false"]).code(0).stdout("[b\t] b\n").stderr("");
}
