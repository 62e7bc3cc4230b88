//! `env_cmds`: variables whose values are what a command line prints.

use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::environment::Environment;

/// How long a command line may take.
const TIMEOUT: Duration = Duration::from_secs(2);
/// How much it may print.
const MAX_BYTES: u64 = 1 << 20;

/// Runs a command line and returns what it printed, without the white space around it.
///
/// # Errors
/// Why there is no value, in words.
pub(crate) fn value(
    shell: &str,
    command: &str,
    environment: &Environment,
) -> Result<String, String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "pc runs processes; this one is over before the others start"
    )]
    let mut builder = Command::new(shell);
    builder
        .args(["-c", command])
        .env_clear()
        .envs(environment.iter())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0);
    let mut child = builder.spawn().map_err(|error| format!("cannot run `{shell}`: {error}"))?;
    let Some(stdout) = child.stdout.take() else { return Err("it has no output".to_owned()) };
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut printed = Vec::new();
        let read = stdout.take(MAX_BYTES + 1).read_to_end(&mut printed).map(|_| printed);
        // Nobody listens any more when it took too long.
        drop(sender.send(read));
    });
    let ended = wait(&mut child);
    // Whatever it left behind would hold the pipe.
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // It may be over already.
        kill_process_group(group, Signal::KILL).unwrap_or_default();
    }
    let Some(success) = ended else {
        drop(child.wait());
        return Err(format!("it took longer than {} s", TIMEOUT.as_secs()));
    };
    if !success {
        return Err("it failed".to_owned());
    }
    let printed = receiver.recv_timeout(Duration::from_millis(200));
    let Ok(Ok(printed)) = printed else { return Err("its output has no end".to_owned()) };
    if printed.len() as u64 > MAX_BYTES {
        return Err(format!("it printed more than {MAX_BYTES} bytes"));
    }
    Ok(String::from_utf8_lossy(&printed).trim().to_owned())
}

/// Whether it succeeded; none when it takes too long.
fn wait(child: &mut Child) -> Option<bool> {
    let end = Instant::now() + TIMEOUT;
    let mut pause = Duration::from_micros(200);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status.success()),
            Ok(None) if Instant::now() < end => {
                std::thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_millis(10));
            }
            _ => return None,
        }
    }
}
