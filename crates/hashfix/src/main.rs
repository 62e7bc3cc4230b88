//! The process of `hashfix`; everything else is the library's.

use std::process::ExitCode;

fn main() -> ExitCode {
    hashfix::main(std::env::args_os())
}
