//! All tools in one binary, for the tests: it runs the one whose name it was called by, through a symlink.

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().collect();
    let name = args.first().and_then(|path| std::path::Path::new(path).file_name());
    match name.and_then(std::ffi::OsStr::to_str) {
        Some("guard") => guard::main(args),
        Some("hashfix") => hashfix::main(args),
        Some("ociimg") => ociimg::main(args),
        Some("pc" | "process-compose") => pc::main(args),
        Some("ports") => ports::main(args),
        Some("pushimg") => pushimg::main(args),
        _ => ExitCode::from(2),
    }
}
