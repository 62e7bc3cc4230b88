//! What needs a real server, a real Nix or a package registry. A missing peer fails with its install command.

mod peers;
