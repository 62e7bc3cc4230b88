//! `guard`: says no to Dockerfiles, docker-compose and unmanaged dev servers.

use std::process::ExitCode;

fn main() -> ExitCode {
    guard::main(std::env::args_os())
}
