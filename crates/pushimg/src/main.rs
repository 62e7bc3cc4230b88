//! See the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    pushimg::main(std::env::args_os())
}
