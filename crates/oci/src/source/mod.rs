//! Where an image comes from: a layout, an archive, a document; a file or a pipe, compressed or not.
//!
//! Nothing is unpacked, and of layers nothing is read but where they are and how long.

mod content;
mod decode;
mod docker;
mod error;
mod layout;
mod operand;
mod store;
mod tar;

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use content::{Blob, Content, Document, Image, Region, RegionReader, Unpacked, UnpackedLayer};
pub use decode::{Kind, Sniffed};
pub use error::SourceError;
pub(crate) use layout::index as layout_index;
pub use operand::{OperandError, split_name};
pub use store::Store;
pub use tar::TarError;
use tar::TarIndex;

use crate::plan::Plan;

/// What was named as the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `-`, or nothing.
    Stdin,
    /// A file of whatever kind, or a layout's folder.
    Path(PathBuf),
    /// `oci:DIR[:NAME]`.
    Layout {
        /// The folder.
        path: PathBuf,
        /// The image in it, if one was named.
        name: Option<String>,
    },
    /// `oci-archive:FILE[:NAME]`.
    OciArchive {
        /// The file.
        path: PathBuf,
        /// The image in it, if one was named.
        name: Option<String>,
    },
    /// `docker-archive:FILE`.
    DockerArchive(PathBuf),
}

/// What was found there.
#[derive(Debug)]
pub enum Found {
    /// An image with its manifest.
    Image(Image),
    /// An image without one.
    Unpacked(Unpacked),
    /// A JSON document, as long as a plan at most: a plan, or what others write in its place.
    Json {
        /// How the source is called in messages.
        shown: String,
        /// The document.
        bytes: Vec<u8>,
    },
}

/// Which forms are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Either, or a document.
    Any,
    Oci,
    Docker,
}

impl Source {
    /// Opens the source; `stdin` is called if it is stdin.
    ///
    /// # Errors
    /// Every [`SourceError`], and what `stdin` says.
    pub fn open<E: From<SourceError>>(
        &self,
        stdin: impl FnOnce() -> Result<Box<dyn Read + Send>, E>,
    ) -> Result<Found, E> {
        Ok(match self {
            Self::Stdin => stream("stdin", stdin()?, Form::Any, None)?,
            Self::Path(path) => file(path, Form::Any, None)?,
            Self::Layout { path, name } => {
                require(path)?;
                Found::Image(layout::image(&Store::folder(path), name.as_deref())?)
            }
            Self::OciArchive { path, name } => file(path, Form::Oci, name.as_deref())?,
            Self::DockerArchive(path) => file(path, Form::Docker, None)?,
        })
    }
}

/// A file of an archive or a layout, or without a name the file itself, and its size.
///
/// # Errors
/// If it is not there.
pub(crate) fn stored(path: &Path, member: Option<&str>) -> Result<(Content, u64), SourceError> {
    let metadata = require(path)?;
    let Some(name) = member else {
        return Ok((Content::File(path.to_owned()), metadata.len()));
    };
    let store = if metadata.is_dir() {
        Store::folder(path)
    } else {
        let file = fs_err::File::open(path).map_err(|source| SourceError::Open { source })?;
        let shown = format!("`{}`", path.display());
        let index = TarIndex::read(Arc::new(file))
            .map_err(|source| SourceError::Tar { shown: shown.clone(), source })?;
        Store::tar(&shown, index)
    };
    let missing = || SourceError::NoEntry { shown: store.shown.clone(), name: name.to_owned() };
    store.get(name)?.ok_or_else(missing)
}

fn require(path: &Path) -> Result<std::fs::Metadata, SourceError> {
    fs_err::metadata(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => SourceError::Missing { path: path.to_owned() },
        _ => SourceError::Open { source },
    })
}

fn file(path: &Path, form: Form, name: Option<&str>) -> Result<Found, SourceError> {
    let shown = format!("`{}`", path.display());
    let metadata = require(path)?;
    if metadata.is_dir() {
        if !path.join("index.json").exists() {
            return Err(SourceError::Folder { path: path.to_owned() });
        }
        return Ok(Found::Image(layout::image(&Store::folder(path), name)?));
    }
    let file = fs_err::File::open(path).map_err(|source| SourceError::Open { source })?;
    if !metadata.is_file() {
        return stream(&shown, file, form, name);
    }
    let sniffed =
        Sniffed::new(&file).map_err(|source| SourceError::Read { shown: shown.clone(), source })?;
    if sniffed.kind == Kind::Tar {
        drop(sniffed);
        return tar(&shown, Arc::new(file), form, name);
    }
    sniffed_stream(&shown, sniffed, form, name)
}

fn stream(
    shown: &str,
    from: impl Read,
    form: Form,
    name: Option<&str>,
) -> Result<Found, SourceError> {
    let sniffed = Sniffed::new(from)
        .map_err(|source| SourceError::Read { shown: shown.to_owned(), source })?;
    sniffed_stream(shown, sniffed, form, name)
}

fn sniffed_stream(
    shown: &str,
    sniffed: Sniffed<'_>,
    form: Form,
    name: Option<&str>,
) -> Result<Found, SourceError> {
    let shown_owned = || shown.to_owned();
    let compressor = sniffed.kind.compressor();
    let fail = |source| match compressor {
        Some(compressor) => SourceError::Decode { shown: shown_owned(), compressor, source },
        None => SourceError::Read { shown: shown_owned(), source },
    };
    let mut inner = sniffed.decoded().map_err(fail)?;
    if inner.kind == Kind::Json && form == Form::Any {
        let mut bytes = Vec::new();
        // One byte more than a plan may have: whoever parses it says so.
        let mut limited = inner.stream.by_ref().take(Plan::LIMIT as u64 + 1);
        limited.read_to_end(&mut bytes).map_err(fail)?;
        return Ok(Found::Json { shown: shown_owned(), bytes });
    }
    match (inner.kind, compressor) {
        (Kind::Tar, _) => {
            let file = spool(shown, &mut inner.stream, fail)?;
            tar(shown, Arc::new(file), form, name)
        }
        (Kind::Empty, None) => Err(SourceError::Empty { shown: shown_owned() }),
        (_, Some(compressor)) => Err(SourceError::Inside { shown: shown_owned(), compressor }),
        _ => Err(SourceError::Unknown { shown: shown_owned() }),
    }
}

/// Puts a stream into a temporary file that has no name: whatever happens to us, it is gone afterwards.
fn spool(
    shown: &str,
    from: &mut dyn Read,
    fail: impl Fn(io::Error) -> SourceError,
) -> Result<fs_err::File, SourceError> {
    let unwritten = |source| SourceError::Spool { shown: shown.to_owned(), source };
    let file = tempfile::tempfile().map_err(unwritten)?;
    let mut file = fs_err::File::from_parts(file, "the temporary file");
    let mut buffer = vec![0; 128 << 10];
    loop {
        let got = match from.read(&mut buffer) {
            Ok(0) => return Ok(file),
            Ok(got) => got,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(fail(error)),
        };
        io::Write::write_all(&mut file, &buffer[..got]).map_err(unwritten)?;
    }
}

fn tar(
    shown: &str,
    file: Arc<fs_err::File>,
    form: Form,
    name: Option<&str>,
) -> Result<Found, SourceError> {
    let index = TarIndex::read(file)
        .map_err(|source| SourceError::Tar { shown: shown.to_owned(), source })?;
    let store = Store::tar(shown, index);
    if form == Form::Oci || (form == Form::Any && store.get("index.json")?.is_some()) {
        return Ok(Found::Image(layout::image(&store, name)?));
    }
    match docker::image(&store)? {
        Some(image) => Ok(Found::Unpacked(image)),
        None if form == Form::Docker => {
            Err(SourceError::NotADockerArchive { shown: shown.to_owned() })
        }
        None => Err(SourceError::NotAnImage { shown: shown.to_owned() }),
    }
}
