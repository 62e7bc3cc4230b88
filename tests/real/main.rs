//! What needs a real server, a real Nix or a package registry. A missing peer fails with its install command.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail like tests")]

#[path = "../support/mod.rs"]
mod support;

mod chain;
mod evaluation;
mod flake;
mod guard;
mod nixcmd;
mod nixdata;
mod peers;
mod recipes;
mod registry;
mod services;
