//! `pc`: the processes of a process-compose.yaml.

use std::process::ExitCode;

fn main() -> ExitCode {
    pc::main(std::env::args_os())
}
