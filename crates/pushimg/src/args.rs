//! What was typed.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use cli::{Common, CommonArgs};
use oci::compress::Compression;

/// Push an image to a registry, or into an OCI layout, and print its digest
///
/// The image is a plan of `ociimg build`, an archive as `nix build` leaves it (plain, or compressed
/// by gzip, zstd, xz or bzip2), or an OCI layout. Only what the registry lacks is sent, and the tag
/// moves last. What is printed is the digest, `sha256:…`, and nothing else.
///
/// Examples:
///   ociimg build ./result | pushimg ghcr.io/org/api:v1
///   pushimg ./result ghcr.io/org/api:v1
///   gunzip -c image.tar.gz | pushimg localhost:5000/api
///   pushimg ./result oci:out:v1
///   REGISTRY=ghcr.io/org pushimg ./result api:v1
///
/// Exit codes: 0 pushed, or already there; 1 no such image (digest, inspect); 2 usage or input;
/// 3 login or permission; 4 network or registry; 5 content that is not what its digest says.
#[derive(Debug, Parser)]
#[command(
    name = "pushimg",
    version,
    verbatim_doc_comment,
    override_usage = "pushimg [OPTIONS] [SRC] REF\n       pushimg [OPTIONS] < PLAN\n       \
                      pushimg digest|inspect [OPTIONS] REF",
    disable_help_subcommand = true
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) verb: Option<Verb>,

    #[command(flatten)]
    pub(crate) push: PushArgs,

    #[command(flatten)]
    common: CommonArgs,
}

impl Common for Args {
    fn common(&self) -> &CommonArgs {
        &self.common
    }
}

/// What else it does.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Push an image; the same without a verb
    Push(PushArgs),
    /// Print the digest of an image that is there
    ///
    /// Examples:
    ///   pushimg digest ghcr.io/org/api:v1
    ///   pushimg digest oci:out:v1
    #[command(verbatim_doc_comment)]
    Digest(LookArgs),
    /// Print what an image that is there is made of, as JSON
    ///
    /// The keys are those of `skopeo inspect`.
    ///
    /// Examples:
    ///   pushimg inspect ghcr.io/org/api:v1 | jq -r .Digest
    ///   pushimg inspect --config oci:out:v1
    #[command(verbatim_doc_comment)]
    Inspect(InspectArgs),
}

impl Args {
    /// Whether arguments of a push stand in front of a verb, which would not get them.
    pub(crate) fn has_stray(&self) -> bool {
        self.verb.is_some() && self.push != PushArgs::default()
    }
}

/// The arguments of a push.
#[derive(Debug, Default, PartialEq, ClapArgs)]
pub(crate) struct PushArgs {
    /// The image: FILE, PLAN, oci:DIR[:NAME], oci-archive:FILE[:NAME], docker-archive:FILE, or `-` for stdin
    ///
    /// A lone operand is REF, and the image is read from stdin.
    #[arg(value_name = "SRC")]
    pub(crate) first: Option<OsString>,

    /// Where to: [docker://]HOST/NAME[:TAG|@DIGEST], or oci:DIR[:TAG] for a layout on disk
    ///
    /// A NAME without a HOST is put behind what `REGISTRY` holds, which may have a path. Without REF, the name in the plan
    /// or archive is taken.
    #[arg(value_name = "REF")]
    pub(crate) second: Option<OsString>,

    /// Another tag for the same image; may be given more than once
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<String>,

    /// How the layers of a plan or a docker archive are compressed: gzip (the default), zstd or none
    #[arg(long, value_name = "HOW")]
    pub(crate) compress: Option<Compression>,

    /// What kind of manifest a plan or a docker archive gets
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub(crate) format: Option<Format>,

    /// Read the `/nix/store/…` of a plan below this directory
    #[arg(long, value_name = "DIR")]
    pub(crate) store_root: Option<PathBuf>,

    /// Say which blobs would be sent, and send nothing
    #[arg(short = 'n', long)]
    pub(crate) dry_run: bool,

    /// Write the digest to a file, too
    #[arg(long, value_name = "FILE")]
    pub(crate) digest_file: Option<PathBuf>,

    /// How many blobs are sent at once; 4 by default
    #[arg(short = 'j', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) jobs: Option<u16>,

    /// Print one JSON object in place of the digest
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) login: LoginArgs,
}

/// The arguments of a look at an image.
#[derive(Debug, ClapArgs)]
pub(crate) struct LookArgs {
    /// The image: [docker://]HOST/NAME[:TAG|@DIGEST], or oci:DIR[:TAG]
    #[arg(value_name = "REF")]
    pub(crate) reference: OsString,

    #[command(flatten)]
    pub(crate) login: LoginArgs,
}

/// The arguments of `inspect`.
#[derive(Debug, ClapArgs)]
pub(crate) struct InspectArgs {
    #[command(flatten)]
    pub(crate) look: LookArgs,

    /// Print the manifest, byte for byte
    #[arg(long, conflicts_with = "config")]
    pub(crate) raw: bool,

    /// Print the config, byte for byte
    #[arg(long)]
    pub(crate) config: bool,
}

/// Who logs in, and how the registry is reached.
#[derive(Debug, Default, Clone, PartialEq, ClapArgs)]
#[command(next_help_heading = "Registry")]
pub(crate) struct LoginArgs {
    /// The user name; `REGISTRY_USER` by default
    #[arg(short = 'u', long, value_name = "USER")]
    pub(crate) username: Option<String>,

    /// Read the password from stdin
    #[arg(long, conflicts_with = "password_file")]
    pub(crate) password_stdin: bool,

    /// Read the password from a file; `REGISTRY_PASSWORD` by default
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,

    /// The one file of credentials to look in; `REGISTRY_AUTH_FILE`, then podman's and docker's files by default
    #[arg(long, value_name = "FILE")]
    pub(crate) authfile: Option<PathBuf>,

    /// Speak plain http to a registry that is not on this machine
    #[arg(long)]
    pub(crate) insecure: bool,
}

/// What kind of manifest is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// The manifest of the OCI
    Oci,
    /// Docker's manifest, schema 2
    Docker,
}
