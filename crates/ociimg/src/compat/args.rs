//! The command lines of the programs that `compat` stands in for.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

/// The arguments of `compat`.
#[derive(Debug, ClapArgs)]
pub(crate) struct CompatArgs {
    #[command(subcommand)]
    pub(crate) peer: Peer,
}

/// A program that is stood in for.
#[derive(Debug, Subcommand)]
pub(crate) enum Peer {
    /// nix2container's program: the same verbs, flags and files
    Nix2container(N2cArgs),
    /// dockerTools' script: a docker-archive of a conf.json on stdout
    #[command(visible_alias = "stream_layered_image", alias = "stream_layered_image.py")]
    StreamLayeredImage(StreamArgs),
}

/// The arguments of nix2container.
#[derive(Debug, ClapArgs)]
pub(crate) struct N2cArgs {
    /// Say more
    #[arg(short, long, global = true)]
    pub(crate) debug: bool,

    /// Read `/nix/store/…` below this directory
    #[arg(long, value_name = "DIR", default_value = "/", global = true, hide = true)]
    pub(crate) store_root: PathBuf,

    #[command(subcommand)]
    pub(crate) verb: N2cVerb,
}

/// The verbs of nix2container.
#[derive(Debug, Subcommand)]
pub(crate) enum N2cVerb {
    /// Write a layers.json of store paths
    LayersFromReproducibleStorepaths(LayersArgs),
    /// Write a layers.json of store paths, and the tars of its layers
    LayersFromNonReproducibleStorepaths(TarLayersArgs),
    /// Write an image.json of a config and layers
    Image(ImageJsonArgs),
    /// Write an image.json of a directory that skopeo's `dir:` transport filled
    ImageFromDir {
        /// The file to write
        output: PathBuf,
        /// The directory
        directory: String,
    },
    /// Write an image.json of a manifest and a map of blobs
    ImageFromManifest {
        /// The file to write
        output: PathBuf,
        /// The manifest
        manifest: PathBuf,
        /// A JSON object of digests (without `sha256:`) and files
        blobs: PathBuf,
    },
}

/// The arguments of the verbs that make layers.
#[derive(Debug, ClapArgs)]
pub(crate) struct LayersArgs {
    /// The file to write
    pub(crate) output: PathBuf,
    /// The closure, as exportReferencesGraph gives it to structured attributes
    pub(crate) graph: PathBuf,
    /// Layers below, whose paths are left out
    pub(crate) parents: Vec<PathBuf>,
    /// A path that is left out
    #[arg(long, value_name = "PATH", default_value = "", hide_default_value = true)]
    pub(crate) ignore: String,
    /// A JSON list of path, regex and repl
    #[arg(long, value_name = "FILE")]
    pub(crate) rewrites: Option<PathBuf>,
    /// A JSON list of path, regex, mode, uid, gid, uname and gname
    #[arg(long, value_name = "FILE")]
    pub(crate) perms: Option<PathBuf>,
    /// What the config says of each layer
    #[arg(long, value_name = "FILE")]
    pub(crate) history: Option<PathBuf>,
    /// How many layers there may be; 0 and less mean any number
    #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true)]
    pub(crate) max_layers: i64,
}

/// The same with a place for tars.
#[derive(Debug, ClapArgs)]
pub(crate) struct TarLayersArgs {
    #[command(flatten)]
    pub(crate) layers: LayersArgs,
    /// Where the tars go
    #[arg(long, value_name = "DIR", default_value = "", hide_default_value = true)]
    pub(crate) tar_directory: String,
}

/// The arguments of `image`.
#[derive(Debug, ClapArgs)]
pub(crate) struct ImageJsonArgs {
    /// The file to write
    pub(crate) output: PathBuf,
    /// The config
    pub(crate) config: PathBuf,
    /// The layers, lowest first
    #[arg(required = true)]
    pub(crate) layers: Vec<PathBuf>,
    /// The image.json of a base image
    #[arg(long, value_name = "FILE")]
    pub(crate) from_image: Option<PathBuf>,
    /// The processor, as Go names it; by default this machine's
    #[arg(long, value_name = "GOARCH")]
    pub(crate) arch: Option<String>,
    /// When the image was made, by RFC 3339
    #[arg(long, value_name = "TIME", default_value = "0001-01-01T00:00:00Z")]
    pub(crate) created: oci::Timestamp,
}

/// The arguments of dockerTools' script.
#[derive(Debug, ClapArgs)]
pub(crate) struct StreamArgs {
    /// The conf.json; `-` for stdin
    pub(crate) conf: PathBuf,
    /// Another name with its tag
    #[arg(short = 't', long = "repo_tag", alias = "repo-tag", value_name = "NAME:TAG")]
    pub(crate) repo_tag: Option<String>,
    /// Read `/nix/store/…` below this directory
    #[arg(long, value_name = "DIR", default_value = "/", hide = true)]
    pub(crate) store_root: PathBuf,
}
