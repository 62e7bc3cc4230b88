//! From a draft to a manifest and its blobs, wherever they are put.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufReader, Read, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use crate::cache::Cache;
use crate::compress::{CompressError, Compressed, Compression, Counted, Making, compress};
use crate::layer::{LayerError, LayerRecipe, Measured, StoreRoot};
use crate::plan::{Draft, DraftSource, Plan, StoredLayer};
use crate::{Descriptor, Digest, Manifest, MediaType, VerifyingReader};

/// The annotation of a layer's descriptor that holds its recipe's key.
pub const RECIPE_ANNOTATION: &str = "dev.likewise.recipe-key";
/// The annotation of a layer's descriptor that holds the digest of the tar.
pub const DIFF_ID_ANNOTATION: &str = "dev.likewise.diff-id";
/// The annotation of a layer's descriptor that names the codec.
pub const CODEC_ANNOTATION: &str = "dev.likewise.codec";

/// How the layers of an image are made.
pub struct Packing<'a> {
    /// Where store paths are read.
    pub root: &'a StoreRoot,
    /// How layers are compressed.
    pub compression: Compression,
    /// How many threads compress.
    pub jobs: NonZeroUsize,
    /// What was made before.
    pub cache: Option<&'a Cache>,
    /// Is told of the bytes of the tars as they are made.
    pub progress: &'a dyn Fn(u64),
}

impl fmt::Debug for Packing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Packing");
        out.field("root", &self.root).field("compression", &self.compression);
        out.field("jobs", &self.jobs).finish_non_exhaustive()
    }
}

/// An image whose blobs are where they belong.
#[derive(Debug, Clone, PartialEq)]
pub struct Packed {
    /// The plan that it was made by.
    pub plan: Plan,
    /// The config blob.
    pub config: Vec<u8>,
    /// The manifest.
    pub manifest: Vec<u8>,
    /// The manifest's descriptor.
    pub descriptor: Descriptor,
    /// The descriptors of the layers.
    pub layers: Vec<Descriptor>,
}

/// An image could not be packed.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// A layer could not be made.
    #[error(transparent)]
    Layer(#[from] LayerError),
    /// A layer could not be compressed.
    #[error(transparent)]
    Compress(#[from] CompressError),
    /// A layer of a base image could not be read, or is not what it was.
    #[error("cannot read a layer of `{path}`")]
    Stored {
        /// The base image.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The archive could not be written.
    #[error("cannot write the archive")]
    Archive {
        /// Why not.
        source: io::Error,
    },
    /// A blob could not be written where it stays or waits.
    #[error("cannot write `{}`", .to.display())]
    Blob {
        /// The file or folder.
        to: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A document could not be written as JSON.
    #[error("cannot write the image's documents")]
    Document(#[from] serde_json::Error),
}

/// A place for blobs.
pub(crate) trait BlobSink {
    /// Takes a blob that `make` writes, and of which nothing is known before.
    fn blob(&mut self, make: &mut MakeBlob<'_>) -> Result<Compressed, PackError>;

    /// Takes a small blob.
    fn document(&mut self, bytes: &[u8]) -> Result<(), PackError>;
}

/// Writes a blob.
pub(crate) type MakeBlob<'a> = dyn FnMut(&mut dyn Write) -> Result<Compressed, CompressError> + 'a;

impl Packing<'_> {
    /// Makes every blob of the image and puts it into `sink`.
    pub(crate) fn pack(&self, draft: Draft, sink: &mut dyn BlobSink) -> Result<Packed, PackError> {
        let mut made = Vec::with_capacity(draft.layers.len());
        for layer in &draft.layers {
            made.push(match &layer.source {
                DraftSource::Recipe(recipe) => self.recipe(recipe, sink)?,
                DraftSource::Stored { stored, measured } => self.stored(stored, measured, sink)?,
            });
        }
        let measured = made
            .iter()
            .map(|(made, _)| Measured { diff_id: made.diff_id.clone(), size: made.tar_size });
        let plan = draft.finish(measured.collect())?;
        let described = made.iter().zip(&plan.layers).map(|((made, stored), layer)| {
            stored
                .clone()
                .unwrap_or_else(|| layer_descriptor(self.compression, made, layer.recipe_key()))
        });
        let layers: Vec<_> = described.collect();
        let config = plan.config.to_bytes()?;
        let mut manifest =
            Manifest::oci(Descriptor::of(MediaType::OCI_CONFIG, &config), layers.clone());
        manifest.annotations.clone_from(&plan.annotations);
        let manifest = manifest.to_bytes()?;
        sink.document(&config)?;
        sink.document(&manifest)?;
        let descriptor = Descriptor::of(MediaType::OCI_MANIFEST, &manifest);
        Ok(Packed { plan, config, manifest, descriptor, layers })
    }
}

impl Packing<'_> {
    /// Makes a layer.
    fn recipe(
        &self,
        recipe: &Arc<LayerRecipe>,
        sink: &mut dyn BlobSink,
    ) -> Result<Made, PackError> {
        let (root, cache, progress) = (self.root, self.cache, self.progress);
        let (with, jobs) = (self.compression, self.jobs.get());
        let making = Making { root, with, jobs, cache, progress };
        let result = sink.blob(&mut |to| making.layer(recipe, to));
        Ok((result.map_err(layer_first)?, None))
    }

    /// Takes a layer that is there: as it is if it is compressed, or if it shall not be.
    fn stored(
        &self,
        stored: &StoredLayer,
        measured: &Measured,
        sink: &mut dyn BlobSink,
    ) -> Result<Made, PackError> {
        let unread = |source| PackError::Stored { path: stored.path.clone(), source };
        let (content, size) = stored.content().map_err(|error| unread(io::Error::other(error)))?;
        let mut reader = content.open().map_err(unread)?;
        let is_tar = stored.media_type.is_plain_layer();
        let wrong = |error: PackError| match error {
            PackError::Compress(CompressError::Read { source }) => unread(source),
            error => error,
        };
        if is_tar && self.compression != Compression::None {
            let verified = VerifyingReader::new(reader, &measured.diff_id, size)
                .map_err(|error| unread(io::Error::other(error)))?;
            let mut reader = Counted { inner: BufReader::new(verified), progress: self.progress };
            let result =
                sink.blob(&mut |to| compress(&mut reader, self.compression, self.jobs.get(), to));
            return Ok((result.map_err(wrong)?, None));
        }
        let made = Compressed {
            diff_id: measured.diff_id.clone(),
            tar_size: measured.size,
            digest: stored.digest.clone(),
            size,
        };
        let copied = sink.blob(&mut |to| {
            let verified = VerifyingReader::new(&mut reader, &stored.digest, size);
            let mut verified = verified
                .map_err(|error| CompressError::Read { source: io::Error::other(error) })?;
            copy(&mut verified, self.progress, to)?;
            Ok(made.clone())
        });
        let media_type = stored.media_type.in_oci();
        let descriptor = Descriptor::new(media_type, stored.digest.clone(), size);
        Ok((copied.map_err(wrong)?, Some(descriptor)))
    }
}

/// A blob, and its descriptor if that is not made from it.
type Made = (Compressed, Option<Descriptor>);

fn copy(
    from: &mut dyn Read,
    progress: &dyn Fn(u64),
    to: &mut dyn Write,
) -> Result<(), CompressError> {
    let mut buffer = vec![0; 256 << 10];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(size) => {
                progress(size as u64);
                to.write_all(&buffer[..size]).map_err(|source| CompressError::Write { source })?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(source) => return Err(CompressError::Read { source }),
        }
    }
}

/// The descriptor of a layer in an OCI manifest, with the annotations by which it is found again: those
/// that hold nothing but a function of the layer and the codec.
pub fn layer_descriptor(
    compression: Compression,
    made: &Compressed,
    recipe_key: Option<&Digest>,
) -> Descriptor {
    let mut annotations = BTreeMap::from([
        (DIFF_ID_ANNOTATION.to_owned(), made.diff_id.to_string()),
        (CODEC_ANNOTATION.to_owned(), compression.codec().to_owned()),
    ]);
    if let Some(key) = recipe_key {
        annotations.insert(RECIPE_ANNOTATION.to_owned(), key.to_string());
    }
    let media_type = compression.oci_media_type();
    Descriptor { annotations, ..Descriptor::new(media_type, made.digest.clone(), made.size) }
}

/// What went wrong with a layer is said by the layer, not by who read it.
fn layer_first(error: PackError) -> PackError {
    match error {
        PackError::Compress(CompressError::Read { source }) => match source.downcast() {
            Ok(error) => PackError::Layer(error),
            Err(source) => CompressError::Read { source }.into(),
        },
        error => error,
    }
}
