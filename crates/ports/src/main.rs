//! `ports`: the numbers of one registry, for every program.

use std::process::ExitCode;

fn main() -> ExitCode {
    ports::main(std::env::args_os())
}
