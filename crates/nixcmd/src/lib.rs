//! The only code that spawns nix: typed requests, parsed replies.
//!
//! A request works by what the nix at hand can do, never by its version: where the newer command
//! line is switched off or says no, the older programs (`nix-store`) are asked. The floor is Nix
//! 2.8. Each command is told to an [`Observer`] before it runs, so that the caller can print
//! `$ nix …`; what nix wrote to stderr is part of the error when it fails. Credentials in URLs are
//! blanked in both.
//!
//! ```no_run
//! use std::path::Path;
//! use nixcmd::Nix;
//!
//! let nix = Nix::on_path(Some("/usr/bin".as_ref()), Path::new("/"));
//! let mut echo = |line: &str| eprintln!("$ {line}");
//! let closure = nix.closure(&["./result"], &mut echo)?;
//! let ports = nix.eval(&nixcmd::Eval::file("lib/ports.nix").attr("ports"), &mut echo)?;
//! # Ok::<(), nixcmd::NixError>(())
//! ```

mod closure;
mod command;
mod error;
mod eval;
mod nix;
mod redact;
mod root;

pub use error::NixError;
pub use eval::Eval;
pub use nix::{Nix, Observer, Silent};
pub use root::resolve_root;
