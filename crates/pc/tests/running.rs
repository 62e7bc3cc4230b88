//! `pc up`, `run` and `ci` through the binary: codes, lines, events, and that nothing is left behind.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod running {
    mod cases;
    mod ci;
    mod logs;
    mod ready;
    mod stop;
    mod survivors;

    use std::path::Path;
    use std::time::{Duration, Instant};

    use serde_json::Value;
    use testkit::{Output, Run, Sandbox};

    /// Runs `pc` in a folder that has this process-compose.yaml.
    fn pc(file: &str, args: &[&str]) -> Output {
        let sandbox = Sandbox::new();
        let output = prepared(&sandbox, file, args).output();
        assert_eq!(left(&sandbox), Vec::<String>::new(), "left behind");
        output
    }

    fn prepared(sandbox: &Sandbox, file: &str, args: &[&str]) -> Run {
        sandbox.write("process-compose.yaml", file);
        sandbox.run(env!("CARGO_BIN_EXE_pc")).args(args)
    }

    /// The events that a run with `--events events` wrote, whole lines only.
    fn events(sandbox: &Sandbox) -> Vec<Value> {
        let text = fs_err::read_to_string(sandbox.path("events")).unwrap_or_default();
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Waits until an event says so.
    fn wait_for(sandbox: &Sandbox, process: &str, status: &str) -> Value {
        let is_it = |event: &Value| event["process"] == process && event["status"] == status;
        wait(&format!("{process} {status}"), || events(sandbox).into_iter().find(is_it))
    }

    fn wait<T>(what: &str, mut get: impl FnMut() -> Option<T>) -> T {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(value) = get() {
                return value;
            }
            assert!(Instant::now() < end, "waited in vain for {what}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The processes that were started in a sandbox and are still there. Its own TMPDIR marks them.
    fn left(sandbox: &Sandbox) -> Vec<String> {
        let mark = format!("TMPDIR={}", sandbox.tmp().display());
        let mut found = Vec::new();
        for entry in fs_err::read_dir("/proc").unwrap() {
            let path = entry.unwrap().path();
            let environment = fs_err::read(path.join("environ")).unwrap_or_default();
            if environment.split(|&byte| byte == 0).any(|entry| entry == mark.as_bytes())
                && !is_zombie(&path)
            {
                let words = fs_err::read(path.join("cmdline")).unwrap_or_default();
                found.push(String::from_utf8_lossy(&words).replace('\0', " "));
            }
        }
        found
    }

    fn is_zombie(path: &Path) -> bool {
        let stat = fs_err::read_to_string(path.join("stat")).unwrap_or_default();
        stat.rsplit_once(')').is_none_or(|(_, rest)| rest.starts_with(" Z"))
    }

    /// Waits until nothing of a sandbox is left.
    fn assert_all_gone(sandbox: &Sandbox, within: Duration) {
        let end = Instant::now() + within;
        while !left(sandbox).is_empty() {
            assert!(Instant::now() < end, "left behind: {:?}", left(sandbox));
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
