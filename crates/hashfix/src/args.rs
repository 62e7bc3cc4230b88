//! What was typed.

use std::path::PathBuf;

use clap::{Args as Group, Parser, Subcommand};
use cli::{Common, CommonArgs};

use crate::recipe::Recipe;

/// Keep the fixed-output hash of a lockfile true
///
/// Finds the hashes of `fetchYarnDeps` and its kin in Nix files, computes what they should be, and with `--fix` writes it
/// there. From the lockfile and the package registry alone: no Nix, no Node, no build. Every package is verified by the
/// integrity that the lockfile has for it; what was fetched once is kept in
/// `$XDG_CACHE_HOME/hashfix`.
///
/// Exit codes: 0 fresh, or fixed · 1 stale · 2 a broken file, or a wrong flag · 3 a package cannot be had, or is not what
/// the lockfile says · 4 no recipe for such a lockfile.
///
/// Examples:
///   hashfix all
///   hashfix yarn --fix
///   hashfix hash yarn.lock
///   hashfix hash --nar out.nar Cargo.lock
#[derive(Debug, Parser)]
#[command(name = "hashfix", version, verbatim_doc_comment, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) verb: Verb,

    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

impl Common for Args {
    fn common(&self) -> &CommonArgs {
        &self.common
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Check or fix every hash that is found
    All(CheckArgs),
    /// Check or fix the hashes of `yarn.lock`
    Yarn(CheckArgs),
    /// Check or fix the hashes of `package-lock.json` and `npm-shrinkwrap.json`
    Npm(CheckArgs),
    /// Check or fix the hashes of `Cargo.lock`
    Cargo(CheckArgs),
    Hash(HashArgs),
}

/// Without `--fix`, stale hashes are told and nothing is written.
///
/// Looked at are the Nix files that git tracks, or below the working directory those that there are.
#[derive(Debug, Group)]
pub(crate) struct CheckArgs {
    /// Only hashes of, or in, these files and folders
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,

    /// Write nothing; this is what happens without a flag too
    #[arg(long, conflicts_with = "fix")]
    pub(crate) check: bool,

    /// Write the new hash in place of a stale one, and change no other byte
    #[arg(long)]
    pub(crate) fix: bool,

    /// How the output of yarn's, npm's or cargo's lockfiles is made, where the lockfile does not say it
    #[arg(long, value_name = "RECIPE")]
    pub(crate) recipe: Option<Recipe>,

    #[command(flatten)]
    pub(crate) fetch: FetchArgs,

    /// Print JSON: every hash with its place, its lockfile and what it should be
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where packages come from.
#[derive(Debug, Group)]
pub(crate) struct FetchArgs {
    /// Ask this registry instead of the public one of npm; names and hashes stay those of the lockfile
    #[arg(long, value_name = "URL")]
    pub(crate) registry: Option<String>,

    /// Fetch nothing: what is not in the cache is an error
    #[arg(long)]
    pub(crate) offline: bool,

    /// How many packages are fetched at once
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) jobs: u16,
}

/// Print the hash of a lockfile's output, `sha256-…`
///
/// The recipe follows from the lockfile. Of yarn 1 there are two where a dependency comes out of git, as nixpkgs
/// changed its file names: `yarn1` is that of nixpkgs since 2026-08, `yarn1-before-2026` the one before.
///
/// Examples:
///   hashfix hash yarn.lock
///   hashfix hash --recipe yarn1 yarn.lock
///   hashfix hash --json package-lock.json
#[derive(Debug, Group)]
#[command(verbatim_doc_comment)]
pub(crate) struct HashArgs {
    /// The lockfile; `-` reads it from stdin
    #[arg(value_name = "LOCKFILE")]
    pub(crate) lockfile: PathBuf,

    /// How the output is made, instead of what the lockfile suggests
    #[arg(long, value_name = "RECIPE")]
    pub(crate) recipe: Option<Recipe>,

    /// Write the output itself too, as a NAR; `-` writes it to stdout and the hash to stderr
    #[arg(long, value_name = "FILE")]
    pub(crate) nar: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) fetch: FetchArgs,

    /// Print JSON: hash, recipe, and what was fetched
    #[arg(long)]
    pub(crate) json: bool,
}
