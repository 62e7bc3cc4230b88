//! The tool through its binary.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod agreement;
mod alternatives;
mod baseline;
mod commands;
mod files;
mod hook;
mod kinds;
mod odd_files;
mod policy;

use testkit::{Run, Sandbox};

/// Prepares a run of guard in a sandbox.
fn guard<const N: usize>(sandbox: &Sandbox, args: [&str; N]) -> Run {
    sandbox.run(env!("CARGO_BIN_EXE_guard")).args(args)
}

/// The level and the rule of each line that guard printed: `deny docker-build`.
fn verdicts(stdout: &str) -> Vec<String> {
    let words = stdout.lines().map(|line| {
        let mut words = line.split(' ').skip(1);
        let (level, rule) = (words.next().unwrap(), words.next().unwrap());
        format!("{level} {}", rule.trim_end_matches(':'))
    });
    words.collect()
}
