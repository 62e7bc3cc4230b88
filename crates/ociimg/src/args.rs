//! What was typed.

use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use cli::{Common, CommonArgs};

use crate::compat::CompatArgs;

/// Turn store paths and files into a reproducible OCI image
///
/// Examples:
///   ociimg build ./result --entrypoint /bin/api | pushimg ghcr.io/org/api:v1
///   ociimg build --format docker-archive ./result | docker load
///   ociimg build ./site --entrypoint /bin/serve -o oci:out
///
/// Exit codes: 0 done, or the same; 1 differs, or is not there; 2 usage, input, or
/// output that could not be written.
#[derive(Debug, Parser)]
#[command(
    name = "ociimg",
    version,
    verbatim_doc_comment,
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) verb: Verb,

    #[command(flatten)]
    common: CommonArgs,
}

impl Common for Args {
    fn common(&self) -> &CommonArgs {
        &self.common
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Build an image and print its plan, or write it as an archive or a layout
    ///
    /// A PATH in the store brings its closure, each path at its own name. A
    /// directory outside the store is laid out at `/`, a file at `/NAME`; their
    /// modes become what the store would make of them. Without any PATH,
    /// `./result` is built.
    ///
    /// What goes to stdout is a plan, a few KB of JSON that `pushimg` turns into
    /// blobs, unless `--format` or `-o` asks for more.
    ///
    /// Examples:
    ///   ociimg build $(nix build --print-out-paths .#api) --entrypoint /bin/api
    ///   ociimg build --copy-to-root ./result --env PORT=3000 --expose 3000 --cmd /bin/api
    ///   ociimg build ./result -o image.tar
    #[command(verbatim_doc_comment)]
    Build(Box<BuildArgs>),

    /// Print how paths become layers, and what a push will send
    ///
    /// Takes what `build` takes. With `--against` it says which blobs `pushimg` will
    /// send to where that image is, and which paths are to blame. A manifest is
    /// what `pushimg inspect --raw REF` prints.
    ///
    /// Examples:
    ///   ociimg plan ./result
    ///   pushimg inspect --raw ghcr.io/org/api:v1 | ociimg plan ./result --against -
    ///   ociimg plan ./result --against old.tar --json
    #[command(verbatim_doc_comment)]
    Plan(Box<PlanArgs>),

    /// Print what an image is: digest, platform, config
    Inspect(InspectArgs),

    /// Print the layers of an image, with the store paths in each
    Layers(InspectArgs),

    /// Print the shortest chain of references to a path
    ///
    /// Exit code 1: it is not in the image.
    ///
    /// Examples:
    ///   ociimg why openssl ./result
    #[command(verbatim_doc_comment)]
    Why(Box<WhyArgs>),

    /// Print what differs between two images: config, packages, files
    ///
    /// Exit code 1: something does.
    #[command(verbatim_doc_comment)]
    Diff(DiffArgs),

    /// Recompute the layers of an image, from the store or from its blobs
    ///
    /// Exit code 1: a layer is not what the image says; the store path and the file
    /// are named where they can be told.
    #[command(verbatim_doc_comment)]
    Verify(VerifyArgs),

    /// Write an image in another form
    ///
    /// IMAGE is a plan, nix2container's image.json, dockerTools' conf.json, an
    /// archive or a layout; the form is found by looking. Made layers stay made
    /// layers in a plan, and are made for an archive or a layout.
    ///
    /// Examples:
    ///   ociimg convert image.json | pushimg ghcr.io/org/api:v1
    ///   ociimg convert conf.json --format nix2container -o image.json
    ///   ociimg convert image.tar -o oci:out
    #[command(verbatim_doc_comment)]
    Convert(Box<ConvertArgs>),

    /// Stand in for nix2container's program or dockerTools' stream script
    ///
    /// The arguments, files and bytes are theirs. Called by the name
    /// `nix2container` or `stream_layered_image`, the program does so by itself.
    ///
    /// Examples:
    ///   ociimg compat nix2container layers-from-reproducible-storepaths out.json graph.json
    ///   ociimg compat stream-layered-image conf.json | docker load
    #[command(verbatim_doc_comment)]
    Compat(CompatArgs),
}

/// The arguments of `build`.
#[derive(Debug, ClapArgs)]
pub(crate) struct BuildArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,

    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// The arguments of `plan`.
#[derive(Debug, ClapArgs)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,

    /// What is there already: an archive, a plan, oci:DIR[:NAME], or `-` for a manifest on stdin
    #[arg(long, value_name = "IMAGE")]
    pub(crate) against: Option<OsString>,

    /// How `pushimg` will compress
    #[arg(long, value_name = "HOW", default_value = "gzip")]
    pub(crate) compress: oci::compress::Compression,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// The arguments of `why`.
#[derive(Debug, ClapArgs)]
pub(crate) struct WhyArgs {
    /// A store path, or a package's name with or without its version
    #[arg(value_name = "WHAT")]
    pub(crate) path: OsString,

    #[command(flatten)]
    pub(crate) source: SourceArgs,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// The arguments of `inspect` and `layers`.
#[derive(Debug, ClapArgs)]
pub(crate) struct InspectArgs {
    /// An archive, a plan, oci:DIR[:NAME], or `-`
    #[arg(value_name = "IMAGE")]
    pub(crate) image: OsString,

    #[command(flatten)]
    pub(crate) look: LookArgs,
}

/// The arguments of `diff`.
#[derive(Debug, ClapArgs)]
pub(crate) struct DiffArgs {
    /// An archive, a plan, oci:DIR[:NAME], or `-`
    #[arg(value_name = "A")]
    pub(crate) a: OsString,

    /// Another one
    #[arg(value_name = "B")]
    pub(crate) b: OsString,

    /// Compare packages only
    #[arg(long, conflicts_with = "files")]
    pub(crate) packages: bool,

    /// Compare files only
    #[arg(long)]
    pub(crate) files: bool,

    #[command(flatten)]
    pub(crate) look: LookArgs,
}

/// The arguments of `verify`.
#[derive(Debug, ClapArgs)]
pub(crate) struct VerifyArgs {
    /// An archive, a plan, oci:DIR[:NAME], or `-`
    #[arg(value_name = "IMAGE")]
    pub(crate) image: OsString,

    /// Another one that must hold the same; what differs is named
    #[arg(long, value_name = "IMAGE")]
    pub(crate) against: Option<OsString>,

    #[command(flatten)]
    pub(crate) look: LookArgs,
}

/// How an image is looked at.
#[derive(Debug, ClapArgs)]
pub(crate) struct LookArgs {
    /// Which image of several, as OS/ARCH; by default this machine's
    #[arg(long, value_name = "OS/ARCH")]
    pub(crate) platform: Option<String>,

    /// Read the `/nix/store/…` of plans below this directory
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub(crate) store_root: PathBuf,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// What goes into an image, and what it says about itself.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct SourceArgs {
    /// The image as a file; without any PATH `./ociimg.toml`, if there is one
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,

    /// A base image: an archive, or oci:DIR[:NAME]
    #[arg(long, value_name = "IMAGE")]
    pub(crate) from: Option<OsString>,

    /// Store paths, links to them, directories or files
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,

    /// A store path whose contents are laid out at `/`, with its closure at its own names
    #[arg(long, value_name = "PATH")]
    pub(crate) copy_to_root: Vec<PathBuf>,

    /// A file or directory outside the store, laid out at an absolute path
    #[arg(long, value_name = "SRC:DEST")]
    pub(crate) copy: Vec<Copy>,

    /// Take closures from a file, not from nix: `nix path-info --json -r`, exportReferencesGraph, .attrs.json
    #[arg(long, value_name = "FILE")]
    pub(crate) graph: Option<PathBuf>,

    /// Read `/nix/store/…` below this directory
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub(crate) store_root: PathBuf,

    #[command(flatten)]
    pub(crate) image: ImageArgs,

    #[command(flatten)]
    pub(crate) layers: LayerArgs,
}

/// The arguments of `convert`.
#[derive(Debug, ClapArgs)]
pub(crate) struct ConvertArgs {
    /// A file, `-`, `oci:DIR[:NAME]`, `oci-archive:FILE[:NAME]` or `docker-archive:FILE`
    pub(crate) image: OsString,

    /// Another name, without a tag
    #[arg(long)]
    pub(crate) name: Option<String>,

    /// Another tag
    #[arg(long)]
    pub(crate) tag: Option<String>,

    /// Read `/nix/store/…` below this directory
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub(crate) store_root: PathBuf,

    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Where the image goes.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Destination")]
pub(crate) struct OutputArgs {
    /// What is written
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) format: Option<Format>,

    /// Where to: FILE, oci:DIR[:NAME], or `-` for stdout; FILE.tar means `--format oci-archive`
    #[arg(short, long, value_name = "DEST")]
    pub(crate) output: Option<OsString>,

    /// How layers are compressed: gzip, zstd or none; by default gzip, and none in a docker-archive
    #[arg(long, value_name = "HOW")]
    pub(crate) compress: Option<oci::compress::Compression>,
}

/// The forms of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// The plan, as JSON
    Plan,
    /// One tar that podman, containerd, skopeo and docker load; compressed layers
    OciArchive,
    /// The same tar with plain layers, which docker loads fastest
    DockerArchive,
    /// nix2container's image.json
    Nix2container,
}

/// What the image says about itself.
#[derive(Debug, Clone, ClapArgs)]
#[command(next_help_heading = "Image")]
pub(crate) struct ImageArgs {
    /// The name, without a tag; by default that of the first PATH
    #[arg(long)]
    pub(crate) name: Option<String>,

    /// The tag; by default a part of the config's digest
    #[arg(long)]
    pub(crate) tag: Option<String>,

    /// A JSON file with OCI config keys; unknown keys are kept, the flags below win
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// The program to run; again for each fixed argument
    #[arg(long, value_name = "ARG", allow_hyphen_values = true)]
    pub(crate) entrypoint: Vec<String>,

    /// The arguments that a user may replace; again for each
    #[arg(long, value_name = "ARG", allow_hyphen_values = true)]
    pub(crate) cmd: Vec<String>,

    /// A variable
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) env: Vec<Pair>,

    /// The user, as UID[:GID] or by name
    #[arg(long)]
    pub(crate) user: Option<String>,

    /// The directory to start in
    #[arg(long, value_name = "DIR")]
    pub(crate) workdir: Option<String>,

    /// A port, as NUMBER[/tcp|/udp]
    #[arg(long, value_name = "PORT")]
    pub(crate) expose: Vec<Port>,

    /// A directory that is kept apart
    #[arg(long, value_name = "DIR")]
    pub(crate) volume: Vec<String>,

    /// A label
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) label: Vec<Pair>,

    /// The signal that asks the program to end
    #[arg(long, value_name = "SIGNAL")]
    pub(crate) stop_signal: Option<String>,

    /// An annotation of the manifest
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) annotation: Vec<Pair>,

    /// The processor, as Go names it; by default this machine's
    #[arg(long, value_name = "GOARCH")]
    pub(crate) arch: Option<String>,

    /// The system, as Go names it; by default linux
    #[arg(long, value_name = "GOOS")]
    pub(crate) os: Option<String>,

    /// When the image was made, by RFC 3339; by default 1970-01-01T00:00:01Z
    #[arg(long, value_name = "TIME")]
    pub(crate) created: Option<oci::Timestamp>,
}

/// How paths become layers.
#[derive(Debug, Clone, ClapArgs)]
#[command(next_help_heading = "Layers")]
pub(crate) struct LayerArgs {
    /// How paths are split: auto, single, per-path, roots-last, auto-layer, popularity-n2c,
    /// popularity-dockertools, or by a file, as `pipeline:FILE` or `file:FILE`
    #[arg(long, value_name = "HOW")]
    pub(crate) layers: Option<Layering>,

    /// The most layers there may be; by default 100
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=127))]
    pub(crate) max_layers: Option<u16>,

    /// Paths that share a layer, below all others; again for each such layer, several patterns with commas
    #[arg(long, value_name = "PATTERN")]
    pub(crate) pin: Vec<String>,

    /// Paths that are left out
    #[arg(long, value_name = "PATTERN")]
    pub(crate) exclude: Vec<String>,

    /// How often paths change, for `auto`: a JSON object of patterns and changes per 1000 pushes
    #[arg(long, value_name = "FILE")]
    pub(crate) rates: Option<PathBuf>,

    /// By which rules paths become a tar: n2c-1 as nix2container does (the default),
    /// dockertools-1 as dockerTools does
    #[arg(long, value_name = "NAME")]
    pub(crate) dialect: Option<oci::layer::Dialect>,
}

impl LayerArgs {
    pub(crate) fn layers(&self) -> &Layering {
        self.layers.as_ref().unwrap_or(&Layering::Auto)
    }

    pub(crate) fn max_layers(&self) -> usize {
        usize::from(self.max_layers.unwrap_or(100))
    }

    pub(crate) fn dialect(&self) -> oci::layer::Dialect {
        self.dialect.unwrap_or(oci::layer::Dialect::N2c1)
    }
}

/// Ways to split paths into layers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Layering {
    /// What a push is predicted to send decides.
    Auto,
    /// Everything in one layer.
    Single,
    /// Each path in a layer of its own, dependencies first; past the maximum the smallest share one.
    PerPath,
    /// What the given paths depend on in one layer, the given paths in a last one.
    RootsLast,
    /// As dockerTools does today.
    AutoLayer,
    /// As nix2container does.
    PopularityN2c,
    /// As dockerTools did.
    PopularityDockertools,
    /// By dockerTools' `layeringPipeline`.
    Pipeline(PathBuf),
    /// As a file says: a JSON list of lists of store paths.
    File(PathBuf),
}

impl FromStr for Layering {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const NAMES: &str = "auto, single, per-path, roots-last, auto-layer, popularity-n2c, \
                             popularity-dockertools, pipeline:FILE or file:FILE";
        if let Some((kind, file)) = text.split_once(':')
            && !file.is_empty()
        {
            match kind {
                "pipeline" => return Ok(Self::Pipeline(file.into())),
                "file" => return Ok(Self::File(file.into())),
                _ => {}
            }
        }
        Ok(match text {
            "auto" => Self::Auto,
            "single" => Self::Single,
            "per-path" => Self::PerPath,
            "roots-last" => Self::RootsLast,
            "auto-layer" => Self::AutoLayer,
            "popularity-n2c" => Self::PopularityN2c,
            "popularity-dockertools" => Self::PopularityDockertools,
            _ => return Err(format!("it must be {NAMES}")),
        })
    }
}

/// `NAME=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl FromStr for Pair {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => {
                Ok(Self { name: name.to_owned(), value: value.to_owned() })
            }
            _ => Err("it must be NAME=VALUE"),
        }
    }
}

/// `8080`, `8080/tcp` or `53/udp`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Port(pub(crate) String);

impl FromStr for Port {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (number, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
        let valid = number.bytes().all(|byte| byte.is_ascii_digit())
            && number.parse::<u16>().is_ok_and(|number| number > 0)
            && ["tcp", "udp", "sctp"].contains(&protocol);
        if valid {
            Ok(Self(format!("{number}/{protocol}")))
        } else {
            Err("it must be 1 to 65535, with /tcp, /udp or /sctp behind it or nothing")
        }
    }
}

/// `SRC:DEST`, split at the last `:/`, since DEST is absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Copy {
    pub(crate) source: PathBuf,
    pub(crate) to: String,
}

impl FromStr for Copy {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.rfind(":/") {
            Some(colon) if colon > 0 => {
                Ok(Self { source: text[..colon].into(), to: text[colon + 1..].to_owned() })
            }
            _ => Err("it must be SRC:DEST, where DEST is an absolute path"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_normalised_and_bounded() {
        let port = |text: &str| text.parse::<Port>().map(|Port(port)| port);
        assert_eq!(port("8080").unwrap(), "8080/tcp");
        assert_eq!(port("53/udp").unwrap(), "53/udp");
        for bad in ["0", "65536", "+1", "", "80/", "80/http", "a"] {
            assert!(port(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_copy_is_split_where_its_destination_begins() {
        let copy: Copy = "a:/b:/etc/c".parse().unwrap();
        assert_eq!((copy.source, copy.to), ("a:/b".into(), "/etc/c".to_owned()));
        assert!("a".parse::<Copy>().is_err() && ":/b".parse::<Copy>().is_err());
        assert!("a:b".parse::<Copy>().is_err());
    }
}
