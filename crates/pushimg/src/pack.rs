//! From a docker archive, which has no manifest, to an image that has one.
//!
//! The config stays byte for byte as it is. The layers are compressed by a codec that never changes, and held to the
//! digests in the config; so the digest of the image is a function of the archive, the codec and the format alone. A layer
//! that is compressed already stays as it is.

use std::io::{self, BufReader, Read};
use std::sync::Arc;

use cli::Progress;
use oci::compress::{CompressError, Compression, compress};
use oci::{Descriptor, Digest, Manifest, MediaType};

use crate::args::Format;
use crate::error::PushError;
use crate::image::{Blob, Content, Document, Image, Region};
use crate::source::{Kind, Layer, Sniffed, SourceError, Unpacked};

/// Makes a manifest for an unpacked image.
pub(crate) fn pack(
    unpacked: Unpacked,
    with: Compression,
    format: Format,
    jobs: usize,
    progress: &Progress,
) -> Result<Image, PushError> {
    let config_type = match format {
        Format::Oci => MediaType::OCI_CONFIG,
        Format::Docker => MediaType::DOCKER_CONFIG,
    };
    let config = Blob {
        descriptor: Descriptor::of(config_type, &unpacked.config),
        content: Content::Bytes(unpacked.config.into()),
    };
    let packing = Packing { shown: &unpacked.shown, with, format, jobs, progress };
    let layers = unpacked.layers.iter().map(|layer| packing.layer(layer));
    let layers: Vec<_> = layers.collect::<Result<_, _>>()?;
    let descriptors = layers.iter().map(|layer| layer.descriptor.clone()).collect();
    let config_descriptor = config.descriptor.clone();
    let manifest = match format {
        Format::Oci => Manifest::oci(config_descriptor, descriptors),
        Format::Docker => Manifest::docker(config_descriptor, descriptors),
    };
    let media_type = manifest.media_type.clone().unwrap_or(MediaType::OCI_MANIFEST);
    let documents = vec![Document::new(media_type, manifest.to_bytes()?)];
    let blobs = Blob::once_each(std::iter::once(config).chain(layers).collect());
    Ok(Image { documents, blobs, name: unpacked.name })
}

struct Packing<'a> {
    shown: &'a str,
    with: Compression,
    format: Format,
    jobs: usize,
    progress: &'a Progress,
}

impl Packing<'_> {
    fn layer(&self, layer: &Layer) -> Result<Blob, PushError> {
        let sniffed = layer.content.open().and_then(Sniffed::new);
        let sniffed = sniffed.map_err(|source| self.unread(layer, source))?;
        let compression = match sniffed.kind {
            Kind::Gzip => Compression::Gzip,
            Kind::Zstd => Compression::Zstd,
            _ if self.with == Compression::None => {
                // Its digest is known, and held to when it is sent.
                let (diff_id, content) = (layer.diff_id.clone(), layer.content.clone());
                return Ok(self.blob(diff_id, layer.size, Compression::None, content));
            }
            _ => return self.compress(layer),
        };
        let inner = sniffed.decoded().map_err(|source| self.unread(layer, source))?;
        let found = self.digest(inner.stream).map_err(|source| self.unread(layer, source))?;
        self.check(layer, found)?;
        let stored = layer.content.open().and_then(|content| self.digest(content));
        let digest = stored.map_err(|source| self.unread(layer, source))?;
        Ok(self.blob(digest, layer.size, compression, layer.content.clone()))
    }

    /// Compresses a layer into a temporary file without a name.
    fn compress(&self, layer: &Layer) -> Result<Blob, PushError> {
        let unwritten = |source| SourceError::Spool { shown: self.shown.to_owned(), source };
        let file = tempfile::tempfile().map_err(unwritten)?;
        let mut file = fs_err::File::from_parts(file, "the temporary file");
        let from = layer.content.open().map_err(|source| self.unread(layer, source))?;
        let counted = Counted { from, progress: self.progress };
        let mut from = BufReader::with_capacity(128 << 10, counted);
        let made =
            compress(&mut from, self.with, self.jobs, &mut file).map_err(
                |source| match source {
                    CompressError::Read { source } => self.unread(layer, source).into(),
                    CompressError::Write { source } => PushError::from(unwritten(source)),
                    source @ CompressError::Encode { .. } => {
                        let (shown, name) = (self.shown.to_owned(), layer.name.clone());
                        PushError::Compress { shown, name, source }
                    }
                },
            )?;
        self.check(layer, made.diff_id)?;
        let content = Content::Region(Region { file: Arc::new(file), offset: 0, size: made.size });
        Ok(self.blob(made.digest, made.size, self.with, content))
    }

    fn blob(&self, digest: Digest, size: u64, compression: Compression, content: Content) -> Blob {
        let media_type = match self.format {
            Format::Oci => compression.oci_media_type(),
            Format::Docker => compression.docker_media_type(),
        };
        Blob { descriptor: Descriptor::new(media_type, digest, size), content }
    }

    fn digest(&self, from: impl Read) -> io::Result<Digest> {
        let mut hashing = oci::HashingReader::new(Counted { from, progress: self.progress });
        io::copy(&mut hashing, &mut io::sink())?;
        Ok(hashing.finish().0)
    }

    fn check(&self, layer: &Layer, found: Digest) -> Result<(), SourceError> {
        if found == layer.diff_id {
            return Ok(());
        }
        let (shown, name) = (self.shown.to_owned(), layer.name.clone());
        Err(SourceError::Digest { shown, name, expected: layer.diff_id.clone(), found })
    }

    fn unread(&self, layer: &Layer, source: io::Error) -> SourceError {
        SourceError::Entry { shown: self.shown.to_owned(), name: layer.name.clone(), source }
    }
}

/// Tells what is read.
struct Counted<'a, R> {
    from: R,
    progress: &'a Progress,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.from.read(buffer)?;
        self.progress.add(got as u64);
        Ok(got)
    }
}
