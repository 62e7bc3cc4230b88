//! From a config and layers to an image that has a manifest.
//!
//! The config stays byte for byte as it is. The layers are compressed by a codec that never changes, and held to the
//! digests in the config; so the digest of the image is a function of the source, the codec and the format alone. A layer
//! of an archive that is compressed already stays as it is.

use std::io::{self, BufReader, Read};
use std::sync::Arc;

use cli::Progress;
use oci::compress::{Compressed, Compression};
use oci::pack::layer_descriptor;
use oci::{Descriptor, Digest, Manifest, MediaType};

use crate::args::Format;
use crate::error::PushError;
use crate::image::{Blob, Content, Document, Image};
use crate::known::Known;
use crate::make::{Counted, Lazy, MakeError, Maker};
use crate::source::{Kind, Sniffed};
use crate::unpacked::{Layer, Tar, Unpacked};

/// How an image is packed.
#[derive(Debug)]
pub(crate) struct Packing {
    pub(crate) with: Compression,
    pub(crate) format: Format,
    pub(crate) known: Known,
    pub(crate) progress: Progress,
}

impl Packing {
    /// Makes a manifest for an unpacked image.
    pub(crate) fn pack(self, unpacked: Unpacked) -> Result<Image, PushError> {
        let config_type = match self.format {
            Format::Oci => MediaType::OCI_CONFIG,
            Format::Docker => MediaType::DOCKER_CONFIG,
        };
        let config = Blob {
            descriptor: Descriptor::of(config_type, &unpacked.config),
            content: Content::Bytes(unpacked.config.into()),
        };
        let format = self.format;
        let maker = Maker::new(&unpacked.shown, self.with, self.known, self.progress);
        let maker = Arc::new(maker);
        let layers = unpacked.layers.into_iter().map(|layer| blob(layer, &maker, format));
        let layers: Vec<_> = layers.collect::<Result<_, _>>()?;
        let descriptors = layers.iter().map(|layer| layer.descriptor.clone()).collect();
        let described = config.descriptor.clone();
        let manifest = match format {
            Format::Oci => {
                let annotations = unpacked.annotations;
                Manifest { annotations, ..Manifest::oci(described, descriptors) }
            }
            Format::Docker => Manifest::docker(described, descriptors),
        };
        let media_type = manifest.media_type.clone().unwrap_or(MediaType::OCI_MANIFEST);
        let documents = vec![Document::new(media_type, manifest.to_bytes()?)];
        let blobs = Blob::once_each(std::iter::once(config).chain(layers).collect());
        Ok(Image { documents, blobs, name: unpacked.name })
    }
}

/// The blob of a layer: as it is stored, as it is known to become, or made now.
fn blob(layer: Layer, maker: &Arc<Maker>, format: Format) -> Result<Blob, MakeError> {
    if let Some(blob) = stored(&layer, maker, format)? {
        return Ok(blob);
    }
    let (with, diff_id) = (maker.with, layer.diff_id.clone());
    if let Some((digest, size)) = maker.known.get(with, &diff_id) {
        let made = Compressed { diff_id, tar_size: layer.size, digest: digest.clone(), size };
        let descriptor = descriptor(format, with, &made, layer.recipe_key.as_ref());
        let lazy = Lazy::new(layer, Arc::clone(maker), digest, size);
        return Ok(Blob { descriptor, content: Content::Lazy(Arc::new(lazy)) });
    }
    let (made, region) = maker.make(&layer)?;
    maker.known.add(with, &diff_id, &made.digest, made.size);
    let descriptor = descriptor(format, with, &made, layer.recipe_key.as_ref());
    Ok(Blob { descriptor, content: Content::Region(region) })
}

/// The layer of an archive that need not be compressed, because it is, or because it shall not be.
fn stored(layer: &Layer, maker: &Maker, format: Format) -> Result<Option<Blob>, MakeError> {
    let unread = |source| maker.unread(layer, source);
    let Tar::Stored(content) = &layer.tar else { return Ok(None) };
    let sniffed = content.open().and_then(Sniffed::new).map_err(unread)?;
    let with = match sniffed.kind {
        Kind::Gzip => Compression::Gzip,
        Kind::Zstd => Compression::Zstd,
        _ if maker.with == Compression::None => {
            // Its digest is in the config, and it is held to it when it is sent.
            let (diff_id, size) = (layer.diff_id.clone(), layer.size);
            let made = Compressed { digest: diff_id.clone(), diff_id, tar_size: size, size };
            let descriptor = descriptor(format, Compression::None, &made, None);
            return Ok(Some(Blob { descriptor, content: content.clone() }));
        }
        _ => return Ok(None),
    };
    let inner = sniffed.decoded().and_then(|inner| digest(inner.stream, &maker.progress));
    maker.check(layer, &inner.map_err(unread)?)?;
    let outer = content.open().and_then(|outer| digest(outer, &maker.progress)).map_err(unread)?;
    // Whoever compressed it did so by no codec of ours, which is what the annotations would say.
    let media_type = media_type(format, with);
    let descriptor = Descriptor::new(media_type, outer, layer.size);
    Ok(Some(Blob { descriptor, content: content.clone() }))
}

fn descriptor(
    format: Format,
    with: Compression,
    made: &Compressed,
    recipe_key: Option<&Digest>,
) -> Descriptor {
    match format {
        Format::Oci => layer_descriptor(with, made, recipe_key),
        // Docker's descriptors have no annotations.
        Format::Docker => Descriptor::new(media_type(format, with), made.digest.clone(), made.size),
    }
}

fn media_type(format: Format, with: Compression) -> MediaType {
    match format {
        Format::Oci => with.oci_media_type(),
        Format::Docker => with.docker_media_type(),
    }
}

fn digest(from: impl Read, progress: &Progress) -> io::Result<Digest> {
    let mut hashing = oci::HashingReader::new(Counted { from: BufReader::new(from), progress });
    io::copy(&mut hashing, &mut io::sink())?;
    Ok(hashing.finish().0)
}
