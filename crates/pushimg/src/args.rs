//! What was typed.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

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
/// Exit codes: 0 pushed, or already there; 1 no (no such image, `--check`); 2 usage or input;
/// 3 login or permission; 4 network or registry; 5 content that is not what its digest says.
#[derive(Debug, Parser)]
#[command(
    name = "pushimg",
    version,
    verbatim_doc_comment,
    override_usage = "pushimg [OPTIONS] [SRC] REF\n       pushimg [OPTIONS] < PLAN\n       \
                      pushimg copy|index|digest|inspect|list-tags|delete|login|logout [OPTIONS] …",
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
    /// Copy an image, all its platforms, byte for byte
    ///
    /// Within a registry, blobs are mounted and not moved.
    ///
    /// Examples:
    ///   pushimg copy ghcr.io/org/api:v1 ghcr.io/org/api:stable
    ///   pushimg copy docker.io/library/alpine oci:alpine
    #[command(verbatim_doc_comment)]
    Copy(CopyArgs),
    /// Push several images, and one index of them: an image for several platforms
    ///
    /// Examples:
    ///   pushimg index ghcr.io/org/api:v1 amd64.tar arm64.tar
    #[command(verbatim_doc_comment)]
    Index(IndexArgs),
    /// Print the tags of a repository, one a line
    ListTags(LookArgs),
    /// Take an image away, with all its tags
    ///
    /// The blobs go when the registry collects its garbage.
    Delete(LookArgs),
    /// Keep a login for a registry, where podman, skopeo and docker look for it
    ///
    /// Examples:
    ///   echo "$TOKEN" | pushimg login ghcr.io -u me --password-stdin
    #[command(verbatim_doc_comment)]
    Login(HostArgs),
    /// Forget a login
    Logout(HostArgs),
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

    /// Another image to push in the same run; blobs that both have are sent once. May be given more than once
    #[arg(long, num_args = 2, value_names = ["SRC", "REF"])]
    pub(crate) also: Vec<OsString>,

    /// Say which blobs would be sent, and send nothing
    #[arg(short = 'n', long)]
    pub(crate) dry_run: bool,

    /// Send nothing, and exit with 1 unless everything is there already
    #[arg(long)]
    pub(crate) check: bool,

    /// Write the digest to a file, too
    #[arg(long, value_name = "FILE")]
    pub(crate) digest_file: Option<PathBuf>,

    /// Print one JSON object in place of the digest
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) packing: PackingArgs,

    #[command(flatten)]
    pub(crate) sending: SendingArgs,

    #[command(flatten)]
    pub(crate) login: LoginArgs,
}

/// How an image that has no manifest gets one.
#[derive(Debug, Default, Clone, PartialEq, ClapArgs)]
#[command(next_help_heading = "Plans and docker archives")]
pub(crate) struct PackingArgs {
    /// How the layers are compressed: gzip (the default), zstd or none
    #[arg(long, value_name = "HOW")]
    pub(crate) compress: Option<Compression>,

    /// What kind of manifest is made
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub(crate) format: Option<Format>,

    /// Leave the annotations out by which layers are found again
    #[arg(long)]
    pub(crate) no_annotations: bool,

    /// Which layers of the image that has the tag now are taken over, not made: those that we would make to the byte
    /// (the default), or any of the same content, and then the digest depends on what was there
    #[arg(long, value_name = "WHICH", value_enum)]
    pub(crate) reuse: Option<Reuse>,

    /// Believe what the annotations of the image that has the tag now say of its layers
    #[arg(long)]
    pub(crate) trust_registry: bool,

    /// Send layers while they are compressed, and keep none on disk; what breaks off cannot be tried again
    #[arg(long)]
    pub(crate) no_spool: bool,

    /// Read the `/nix/store/…` of a plan below this directory
    #[arg(long, value_name = "DIR")]
    pub(crate) store_root: Option<PathBuf>,
}

/// How blobs are sent.
#[derive(Debug, Default, Clone, PartialEq, ClapArgs)]
pub(crate) struct SendingArgs {
    /// How many blobs are sent at once; 4 by default
    #[arg(short = 'j', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) jobs: Option<u16>,

    /// Send blobs in parts of this size (`16M`), for what stands before a registry and limits requests
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(crate) chunk_size: Option<u64>,

    /// Send layers, too, that are to be fetched from elsewhere
    #[arg(long)]
    pub(crate) foreign: bool,

    /// How progress is shown on stderr
    #[arg(long, value_name = "HOW", value_enum)]
    pub(crate) progress: Option<ProgressStyle>,
}

/// The arguments of `copy`.
#[derive(Debug, ClapArgs)]
pub(crate) struct CopyArgs {
    /// The image: [docker://]HOST/NAME[:TAG|@DIGEST], oci:DIR[:TAG], or an archive
    #[arg(value_name = "SRC")]
    pub(crate) source: OsString,

    /// Where to: [docker://]HOST/NAME[:TAG|@DIGEST], or oci:DIR[:TAG]
    #[arg(value_name = "DST")]
    pub(crate) target: OsString,

    /// Another tag for the same image; may be given more than once
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<String>,

    /// Say which blobs would be sent, and send nothing
    #[arg(short = 'n', long)]
    pub(crate) dry_run: bool,

    /// Write the digest to a file, too
    #[arg(long, value_name = "FILE")]
    pub(crate) digest_file: Option<PathBuf>,

    /// Print one JSON object in place of the digest
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) sending: SendingArgs,

    #[command(flatten)]
    pub(crate) login: LoginArgs,
}

/// The arguments of `index`.
#[derive(Debug, ClapArgs)]
pub(crate) struct IndexArgs {
    /// Where to: [docker://]HOST/NAME[:TAG], or oci:DIR[:TAG]
    #[arg(value_name = "REF")]
    pub(crate) target: OsString,

    /// The images, as for a push; each has to be for another platform
    #[arg(value_name = "SRC", required = true)]
    pub(crate) sources: Vec<OsString>,

    /// Another tag for the index; may be given more than once
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<String>,

    /// Say which blobs would be sent, and send nothing
    #[arg(short = 'n', long)]
    pub(crate) dry_run: bool,

    /// Write the digest to a file, too
    #[arg(long, value_name = "FILE")]
    pub(crate) digest_file: Option<PathBuf>,

    /// Print one JSON object in place of the digest
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) packing: PackingArgs,

    #[command(flatten)]
    pub(crate) sending: SendingArgs,

    #[command(flatten)]
    pub(crate) login: LoginArgs,
}

/// The arguments of `login` and `logout`.
#[derive(Debug, ClapArgs)]
pub(crate) struct HostArgs {
    /// The registry: HOST[:PORT], or HOST/NAME for a part of it
    #[arg(value_name = "HOST")]
    pub(crate) host: String,

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

    /// Take any certificate, and plain http of a registry that is not on this machine
    #[arg(long)]
    pub(crate) insecure: bool,

    /// How long what fails is tried again: `120s` by default, `0s` for not at all
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) retry_for: Option<Duration>,

    /// How long a registry may be silent: `60s` by default
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
}

/// Which layers of an older image are taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Reuse {
    /// Those that are what we would make.
    Same,
    /// Those of the same content, however compressed.
    Any,
}

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgressStyle {
    /// A line that is redrawn on a terminal, else a line now and then
    Auto,
    /// JSON, one object a line
    Json,
    /// Nothing but what is wrong
    None,
}

/// What kind of manifest is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// The manifest of the OCI
    Oci,
    /// Docker's manifest, schema 2
    Docker,
}

/// A year: more is a slip of the finger.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// `90s`, `2m`, `500ms`; a bare number is seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let wrong = || format!("`{text}` is no time: write `90s`, `2m` or `500ms`");
    let number: u64 = text[..digits].parse().map_err(|_| wrong())?;
    let time = match &text[digits..] {
        "ms" => Some(Duration::from_millis(number)),
        "" | "s" => Some(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs),
        "h" => number.checked_mul(3600).map(Duration::from_secs),
        _ => None,
    };
    time.filter(|time| *time <= LONGEST).ok_or_else(wrong)
}

/// `16M`, `16MiB`, `1G`; a bare number is bytes.
fn size(text: &str) -> Result<u64, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let wrong = || format!("`{text}` is no size: write `16M`, `512K` or `1G`");
    let number: u64 = text[..digits].parse().map_err(|_| wrong())?;
    let unit = text[digits..].trim_end_matches("iB").trim_end_matches('B');
    let shift = match unit {
        "" => 0,
        "k" | "K" => 10,
        "m" | "M" => 20,
        "g" | "G" => 30,
        _ => return Err(wrong()),
    };
    number.checked_mul(1 << shift).filter(|size| *size != 0).ok_or_else(wrong)
}
