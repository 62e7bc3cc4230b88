//! The `ociimg` program; everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    ociimg::main(std::env::args_os())
}
