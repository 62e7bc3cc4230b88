//! Where an image comes from: a layout, an archive, a plan; a file or a pipe, compressed or not.

mod decode;
mod docker;
mod error;
mod layout;
mod plan;
mod store;
mod tar;

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) use decode::{Kind, Sniffed};
pub(crate) use error::SourceError;
pub(crate) use layout::index as layout_index;
pub(crate) use store::Store;
use tar::TarIndex;

use oci::layer::StoreRoot;

use crate::image::Image;
use crate::unpacked::Unpacked;

/// What was named as the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// `-`, or nothing.
    Stdin,
    /// A file of whatever kind, or a layout's folder.
    Path(PathBuf),
    /// `oci:DIR[:NAME]`.
    Layout { path: PathBuf, name: Option<String> },
    /// `oci-archive:FILE[:NAME]`.
    OciArchive { path: PathBuf, name: Option<String> },
    /// `docker-archive:FILE`.
    DockerArchive(PathBuf),
}

/// What was found there.
#[derive(Debug)]
pub(crate) enum Found {
    /// An image with its manifest.
    Image(Image),
    /// An image without one.
    Unpacked(Unpacked),
}

/// Which forms are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form<'a> {
    /// Either, or a plan, whose paths are below this root.
    Any(&'a StoreRoot),
    Oci,
    Docker,
}

impl Source {
    /// Opens the source; `stdin` is called if it is stdin.
    pub(crate) fn open<E: From<SourceError>>(
        &self,
        root: &StoreRoot,
        stdin: impl FnOnce() -> Result<Box<dyn Read + Send>, E>,
    ) -> Result<Found, E> {
        Ok(match self {
            Self::Stdin => stream("stdin", stdin()?, Form::Any(root), None)?,
            Self::Path(path) => file(path, Form::Any(root), None)?,
            Self::Layout { path, name } => {
                require(path)?;
                Found::Image(layout::image(&Store::folder(path), name.as_deref())?)
            }
            Self::OciArchive { path, name } => file(path, Form::Oci, name.as_deref())?,
            Self::DockerArchive(path) => file(path, Form::Docker, None)?,
        })
    }
}

fn require(path: &Path) -> Result<std::fs::Metadata, SourceError> {
    fs_err::metadata(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => SourceError::Missing { path: path.to_owned() },
        _ => SourceError::Open { source },
    })
}

fn file(path: &Path, form: Form<'_>, name: Option<&str>) -> Result<Found, SourceError> {
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
    form: Form<'_>,
    name: Option<&str>,
) -> Result<Found, SourceError> {
    let sniffed = Sniffed::new(from)
        .map_err(|source| SourceError::Read { shown: shown.to_owned(), source })?;
    sniffed_stream(shown, sniffed, form, name)
}

fn sniffed_stream(
    shown: &str,
    sniffed: Sniffed<'_>,
    form: Form<'_>,
    name: Option<&str>,
) -> Result<Found, SourceError> {
    let shown_owned = || shown.to_owned();
    let compressor = sniffed.kind.compressor();
    let fail = |source| match compressor {
        Some(compressor) => SourceError::Decode { shown: shown_owned(), compressor, source },
        None => SourceError::Read { shown: shown_owned(), source },
    };
    let mut inner = sniffed.decoded().map_err(fail)?;
    if let (Kind::Json, Form::Any(root)) = (inner.kind, form) {
        return Ok(Found::Unpacked(plan::read(shown, &mut inner.stream, root)?));
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
    form: Form<'_>,
    name: Option<&str>,
) -> Result<Found, SourceError> {
    let index = TarIndex::read(file)
        .map_err(|source| SourceError::Tar { shown: shown.to_owned(), source })?;
    let store = Store::tar(shown, index);
    if form == Form::Oci || (matches!(form, Form::Any(_)) && store.get("index.json")?.is_some()) {
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
