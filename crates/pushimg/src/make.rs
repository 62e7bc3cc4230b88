//! Making blobs of layers: compressing a tar into a temporary file that has no name.

use std::io::{self, BufReader, Write};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use cli::Exit;
use oci::compress::{CompressError, Compressed, Compression, Making, compress};
use oci::layer::LayerError;
use oci::source::Region;
use oci::{Digest, MismatchError};
use transfer::Cancel;

use crate::known::Known;
use crate::unpacked::{Layer, Tar};

/// Why a blob cannot be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MakeError {
    #[error("cannot make `{name}` of {shown}")]
    Layer { shown: String, name: String, source: Box<LayerError> },
    #[error("cannot read `{name}` of {shown}")]
    Read { shown: String, name: String, source: io::Error },
    #[error("cannot write a temporary file for {shown}")]
    Spool { shown: String, source: io::Error },
    #[error("cannot compress `{name}` of {shown}")]
    Compress { shown: String, name: String, source: CompressError },
    #[error("`{name}` of {shown} has the digest {found}, not {expected}")]
    Digest { shown: String, name: String, expected: Digest, found: Digest },
    #[error("`{name}` of {shown} is not the blob that the cache said it would be")]
    Stale { shown: String, name: String, source: MismatchError },
}

impl MakeError {
    /// 5 for content that is not what its digest says, 2 for the rest.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Digest { .. } => Exit::Own(5),
            _ => Exit::Trouble,
        }
    }

    /// What to do next.
    pub(crate) fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Layer { source, .. } if matches!(**source, LayerError::Missing { .. }) => {
                "a plan is pushed where its store paths are; elsewhere use `ociimg build -o image.tar`"
            }
            Self::Digest { .. } => "what the layer is made of has changed: build the image again",
            Self::Spool { .. } => "point `TMPDIR` at a place with room for the whole image",
            Self::Stale { .. } => "the wrong entry is gone now: push again",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

/// Compresses layers, one at a time with all processors.
#[derive(Debug)]
pub(crate) struct Maker {
    pub(crate) shown: String,
    pub(crate) with: Compression,
    pub(crate) known: Known,
    /// Stops the making.
    cancel: Cancel,
    turn: Mutex<()>,
}

impl Maker {
    pub(crate) fn new(shown: &str, with: Compression, known: Known, cancel: Cancel) -> Self {
        Self { shown: shown.to_owned(), with, known, cancel, turn: Mutex::new(()) }
    }

    /// Makes the blob of a layer, and holds the layer to its digest.
    pub(crate) fn make(&self, layer: &Layer) -> Result<(Compressed, Region), MakeError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let unwritten = |source| MakeError::Spool { shown: self.shown.clone(), source };
        let file = tempfile::tempfile().map_err(unwritten)?;
        let mut file = fs_err::File::from_parts(file, "the temporary file");
        let made = self.compress_to(layer, &mut file).map_err(|error| self.failed(layer, error))?;
        self.check(layer, &made.diff_id)?;
        let region = Region { file: Arc::new(file), offset: 0, size: made.size };
        Ok((made, region))
    }

    /// Compresses a layer into a writer.
    pub(crate) fn compress_to(
        &self,
        layer: &Layer,
        to: &mut dyn Write,
    ) -> Result<Compressed, CompressError> {
        let jobs = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let mut to = Stoppable { to, cancel: &self.cancel };
        match &layer.tar {
            Tar::Recipe { recipe, root } => {
                let cache = self.known.cache();
                let (with, cache, progress) = (self.with, cache.as_ref(), &|_| ());
                Making { root, with, jobs, cache, progress }.layer(recipe, &mut to)
            }
            Tar::Stored(content) => {
                let from = content.open().map_err(|source| CompressError::Read { source })?;
                let mut from = BufReader::with_capacity(128 << 10, from);
                compress(&mut from, self.with, jobs, &mut to)
            }
        }
    }

    /// Why a layer could not be compressed.
    pub(crate) fn failed(&self, layer: &Layer, error: CompressError) -> MakeError {
        match error {
            CompressError::Read { source } => self.unread(layer, source),
            CompressError::Write { source } => {
                MakeError::Spool { shown: self.shown.clone(), source }
            }
            source => {
                let (shown, name) = (self.shown.clone(), layer.name.clone());
                MakeError::Compress { shown, name, source }
            }
        }
    }

    /// Holds a layer to the digest of its tar.
    pub(crate) fn check(&self, layer: &Layer, found: &Digest) -> Result<(), MakeError> {
        if *found == layer.diff_id {
            return Ok(());
        }
        let (shown, name) = (self.shown.clone(), layer.name.clone());
        let (expected, found) = (layer.diff_id.clone(), found.clone());
        Err(MakeError::Digest { shown, name, expected, found })
    }

    /// What went wrong with a layer is said by the layer, not by who read it.
    pub(crate) fn unread(&self, layer: &Layer, source: io::Error) -> MakeError {
        let (shown, name) = (self.shown.clone(), layer.name.clone());
        match source.downcast::<LayerError>() {
            Ok(source) => MakeError::Layer { shown, name, source: Box::new(source) },
            Err(source) => MakeError::Read { shown, name, source },
        }
    }
}

/// A writer that fails once it is told to.
struct Stoppable<'a> {
    to: &'a mut dyn Write,
    cancel: &'a Cancel,
}

impl Write for Stoppable<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.cancel.is_cancelled() {
            return Err(io::Error::other("stopped"));
        }
        self.to.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// A blob of which digest and size are known, and which is made when it is wanted.
#[derive(Debug)]
pub(crate) struct Lazy {
    layer: Layer,
    maker: Arc<Maker>,
    digest: Digest,
    size: u64,
    made: Mutex<Option<Region>>,
}

impl Lazy {
    pub(crate) fn new(layer: Layer, maker: Arc<Maker>, digest: Digest, size: u64) -> Self {
        Self { layer, maker, digest, size, made: Mutex::new(None) }
    }

    /// The blob, made now or before.
    pub(crate) fn get(&self) -> Result<Region, MakeError> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(region) = &*made {
            return Ok(region.clone());
        }
        let (compressed, region) = self.maker.make(&self.layer)?;
        if compressed.digest != self.digest || compressed.size != self.size {
            let maker = &self.maker;
            maker.known.forget(maker.with, &self.layer.diff_id);
            let (shown, name) = (maker.shown.clone(), self.layer.name.clone());
            let (expected, found) = (self.digest.clone(), compressed.digest);
            let source = MismatchError::Digest { expected, found };
            return Err(MakeError::Stale { shown, name, source });
        }
        *made = Some(region.clone());
        Ok(region)
    }
}
