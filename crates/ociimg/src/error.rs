//! What can go wrong in a build.

use std::path::PathBuf;

use cli::{Failure, StdoutError};
use oci::layer::LayerError;
use oci::layout::LayoutError;
use oci::pack::PackError;

use crate::destination::DestinationError;
use crate::look::LookError;
use crate::split::SplitError;

/// Why an image was not built.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BuildError {
    /// Nothing was given, and there is no `./result`.
    #[error("no PATH was given, and there is no `./result`")]
    Nothing,
    /// A path that cannot be looked at.
    #[error("cannot look at `{}`", .path.display())]
    Look {
        /// The path.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A plan is JSON, so the paths in it are text.
    #[error("the path `{}` is not UTF-8, which a plan cannot hold", .0.display())]
    NotUtf8(PathBuf),
    /// `--copy-to-root` is for the store.
    #[error("`{}` is not in a store, so it has no closure to bring along", .0.display())]
    NotInStore(PathBuf),
    /// A path in the store that `--copy` would take without its closure.
    #[error("`{}` is in a store", .0.display())]
    CopyOfStorePath(PathBuf),
    /// The graph lacks what was asked for.
    #[error("the graph `{}` does not hold `{path}`", .graph.display())]
    NotInGraph {
        /// The file.
        graph: PathBuf,
        /// The store path.
        path: String,
    },
    /// A file that was named on the command line.
    #[error("cannot read `{}`", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A graph that is none.
    #[error("cannot understand the graph `{}`", .path.display())]
    Graph {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: nixdata::GraphError,
    },
    /// A graph whose paths do not fit together.
    #[error("the graph `{}` is not a closure", .path.display())]
    Closure {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: nixdata::ClosureError,
    },
    /// A config that is none.
    #[error("cannot understand the config `{}`", .path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: serde_json::Error,
    },
    /// Paths could not be split into layers.
    #[error(transparent)]
    Split(#[from] SplitError),
    /// A name or tag that no registry takes.
    #[error("the image cannot be named `{name}`")]
    Name {
        /// The name with its tag.
        name: String,
        /// Why not.
        source: oci::ReferenceError,
    },
    /// A tag where only a name belongs.
    #[error("the name `{0}` holds a tag or a digest")]
    NameHasTag(String),
    /// Nix could not say what belongs to a path.
    #[error("cannot find the closure")]
    Nix(#[from] nixcmd::NixError),
    /// Where the image goes makes no sense.
    #[error(transparent)]
    Destination(#[from] DestinationError),
    /// A layer could not be made.
    #[error(transparent)]
    Layer(#[from] LayerError),
    /// The image could not be packed.
    #[error(transparent)]
    Pack(PackError),
    /// The layout could not be written.
    #[error(transparent)]
    Layout(LayoutError),
    /// The output is in a directory that goes into the image.
    #[error("`{}` is inside `{}`, which goes into the image", .output.display(), .source_path.display())]
    OutputInside {
        /// Where the image was to be written.
        output: PathBuf,
        /// What it is made of.
        source_path: PathBuf,
    },
    /// A directory where a file was named.
    #[error("`{}` is a directory", .0.display())]
    IsFolder(PathBuf),
    /// A file that cannot be written.
    #[error("cannot write `{}`", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The file that says what the image is.
    #[error(transparent)]
    Spec(#[from] crate::spec::SpecError),
    /// Its config.
    #[error("cannot understand the config of the file")]
    SpecConfig(#[source] serde_json::Error),
    /// A base image that is gone when it is read.
    #[error("a base image cannot be read from stdin: the plan says where its layers are")]
    BaseFromStdin,
    /// A base image without blobs.
    #[error("`{}` is a plan, and cannot be a base image", .0.display())]
    BaseIsPlan(PathBuf),
    /// An image cannot be looked at.
    #[error(transparent)]
    Image(#[from] LookError),
    /// The cache's disk is full.
    #[error("cannot write the cache")]
    Cache(#[source] std::io::Error),
    /// A layer could not be compressed.
    #[error(transparent)]
    Compress(#[from] oci::compress::CompressError),
    /// An image that nix2container cannot hold.
    #[error("cannot write the image for nix2container")]
    NoN2c(#[source] Box<oci::n2c::N2cError>),
    /// An image that cannot be read.
    #[error(transparent)]
    Source(Box<oci::source::SourceError>),
    /// A plan that is none.
    #[error("cannot understand the plan `{}`", .path.display())]
    Plan {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: Box<oci::plan::PlanError>,
    },
    /// Layers of an archive are named by the file that they are in.
    #[error("an archive cannot be converted from stdin")]
    ArchiveFromStdin,
    /// Several images under one name.
    #[error("`{}` holds images for several platforms", .0.display())]
    IndexOfImages(PathBuf),
    /// A document of nix2container.
    #[error("cannot use `{}`", .path.display())]
    N2c {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: Box<oci::n2c::N2cError>,
    },
    /// A `conf.json` of dockerTools.
    #[error("cannot stream `{}`", .path.display())]
    Conf {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: Box<oci::dockertools::ConfError>,
    },
    /// Stdin was to be read, but nobody types an image.
    #[error(transparent)]
    Stdin(#[from] cli::StdinIsTerminal),
    /// A document could not be written as JSON.
    #[error("cannot write the plan as JSON")]
    Json(#[from] serde_json::Error),
    /// Stdout.
    #[error(transparent)]
    Stdout(#[from] StdoutError),
}

impl Failure for BuildError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Nothing => "run `nix build` first, or name what belongs into the image",
            Self::NotInStore(_) => "use `--copy SRC:/` for a directory outside the store",
            Self::CopyOfStorePath(_) => {
                "name it as PATH or by `--copy-to-root`, so that its closure comes along"
            }
            Self::NotInGraph { .. } => {
                "make the graph with this path as a root, or leave `--graph` out to ask nix"
            }
            Self::NameHasTag(_) => "give the tag by `--tag`; a digest follows from the image",
            Self::Name { .. } => "give another one by `--name` and `--tag`",
            Self::Nix(nixcmd::NixError::NotFound { .. }) => {
                "install Nix, or give the closure by `--graph FILE`; directories outside the store need neither"
            }
            Self::Layer(error) => return layer_hint(error),
            Self::NoN2c(source) | Self::N2c { source, .. } => crate::convert::n2c_hint(source)?,
            Self::ArchiveFromStdin => "write it to a file first, and name that",
            Self::IndexOfImages(_) => "convert each of them: `oci:DIR:NAME` names one",
            Self::Split(error) => return error.hint(),
            Self::BaseFromStdin => "write it to a file first",
            Self::BaseIsPlan(_) => "write it as an archive: `ociimg build -o base.tar`",
            Self::Image(error) => return error.hint().map(str::to_owned),
            Self::Destination(error) => error.hint(),
            Self::OutputInside { .. } => "write it somewhere else",
            Self::IsFolder(_) => "name a file, or write `oci:DIR` for a layout",
            Self::Layout(LayoutError::NotALayout { .. }) => {
                "name an empty directory, one that does not exist yet, or a layout"
            }
            Self::Pack(PackError::Blob { .. }) => {
                "blobs on their way to stdout wait in `$TMPDIR`, else in /var/tmp"
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

fn layer_hint(error: &LayerError) -> Option<String> {
    let hint = match error {
        LayerError::Missing { .. } => "build it first, or run this where the store has it",
        LayerError::Special { .. } => "remove it, or leave its directory out",
        LayerError::Changed { .. } => "run it again when nothing writes there",
        LayerError::NarHash { .. } => {
            "`nix-store --verify-path` looks at it too; `nix-store --repair-path` mends it"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

impl From<oci::source::SourceError> for BuildError {
    fn from(error: oci::source::SourceError) -> Self {
        Self::Source(Box::new(error))
    }
}

impl From<PackError> for BuildError {
    fn from(error: PackError) -> Self {
        match error {
            PackError::Layer(error) => Self::Layer(error),
            error => Self::Pack(error),
        }
    }
}

impl From<LayoutError> for BuildError {
    fn from(error: LayoutError) -> Self {
        match error {
            LayoutError::Pack(error) => error.into(),
            error => Self::Layout(error),
        }
    }
}
