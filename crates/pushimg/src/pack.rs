//! From a config and layers to an image that has a manifest.
//!
//! The config stays byte for byte as it is. The layers are compressed by a codec that never changes, and held to the
//! digests in the config; so the digest of the image is a function of the source, the codec and the format alone. A layer
//! of an archive that is compressed already stays as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::sync::Arc;

use oci::compress::{Compressed, Compression};
use oci::pack::layer_descriptor;
use oci::source::{self, Document, Kind, Sniffed};
use oci::{Descriptor, Digest, Manifest, MediaType};

use crate::args::Format;
use crate::error::PushError;
use crate::image::{Blob, Content, Image};
use crate::known::Known;
use crate::make::{Lazy, MakeError, Maker};
use crate::unpacked::{Layer, Tar, Unpacked};

/// How an image is packed.
#[derive(Debug)]
pub(crate) struct Packing {
    pub(crate) with: Compression,
    pub(crate) format: Format,
    pub(crate) known: Known,
}

/// An image on its way to a manifest.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) name: Option<String>,
    config: Blob,
    layers: Vec<Part>,
    annotations: BTreeMap<String, String>,
    format: Format,
    maker: Arc<Maker>,
}

/// A layer whose blob is known, or not yet.
#[derive(Debug)]
enum Part {
    Ready(Box<Blob>),
    Unmade(Layer),
}

impl Packing {
    /// Finds out what is known of the layers.
    pub(crate) fn parts(self, unpacked: Unpacked) -> Result<Parts, MakeError> {
        let config_type = match self.format {
            Format::Oci => MediaType::OCI_CONFIG,
            Format::Docker => MediaType::DOCKER_CONFIG,
        };
        let config = Blob {
            descriptor: Descriptor::of(config_type, &unpacked.config),
            content: Content::Stored(source::Content::Bytes(unpacked.config.into())),
        };
        let (name, annotations, format) = (unpacked.name, unpacked.annotations, self.format);
        let maker = Maker::new(&unpacked.shown, self.with, self.known);
        let maker = Arc::new(maker);
        let layers = unpacked.layers.into_iter().map(|layer| part(layer, &maker, format));
        let layers = layers.collect::<Result<_, _>>()?;
        Ok(Parts { name, config, layers, annotations, format, maker })
    }
}

impl Parts {
    /// The layers whose blobs are not known yet, each once.
    pub(crate) fn unmade(&self) -> Vec<Layer> {
        let mut seen = BTreeSet::new();
        let unmade = self.layers.iter().filter_map(|part| match part {
            Part::Unmade(layer) => seen.insert(&layer.diff_id).then(|| layer.clone()),
            Part::Ready(_) => None,
        });
        unmade.collect()
    }

    /// Makes the blob of a layer.
    pub(crate) fn make(&self, layer: &Layer) -> Result<Blob, MakeError> {
        let (made, region) = self.maker.make(layer)?;
        self.maker.known.add(self.maker.with, &layer.diff_id, &made.digest, made.size);
        let key = layer.recipe_key.as_ref();
        let descriptor = descriptor(self.format, self.maker.with, &made, key);
        Ok(Blob { descriptor, content: region.into() })
    }

    /// Puts the blobs of these layers in their places.
    pub(crate) fn made(&mut self, layers: &[Layer], blobs: &[Blob]) {
        let blobs: BTreeMap<_, _> = layers.iter().map(|layer| &layer.diff_id).zip(blobs).collect();
        for part in &mut self.layers {
            let Part::Unmade(layer) = part else { continue };
            if let Some(blob) = blobs.get(&layer.diff_id) {
                *part = Part::Ready(Box::new((*blob).clone()));
            }
        }
    }

    /// The image with its manifest; layers whose blobs are still not known are made.
    pub(crate) fn finish(mut self) -> Result<Image, PushError> {
        let unmade = self.unmade();
        let blobs = unmade.iter().map(|layer| self.make(layer)).collect::<Result<Vec<_>, _>>()?;
        self.made(&unmade, &blobs);
        let ready = self.layers.into_iter().filter_map(|part| match part {
            Part::Ready(blob) => Some(*blob),
            Part::Unmade(_) => None,
        });
        let layers: Vec<_> = ready.collect();
        let descriptors = layers.iter().map(|layer| layer.descriptor.clone()).collect();
        let described = self.config.descriptor.clone();
        let manifest = match self.format {
            Format::Oci => {
                let annotations = self.annotations;
                Manifest { annotations, ..Manifest::oci(described, descriptors) }
            }
            Format::Docker => Manifest::docker(described, descriptors),
        };
        let media_type = manifest.media_type.clone().unwrap_or(MediaType::OCI_MANIFEST);
        let documents = vec![Document::new(media_type, manifest.to_bytes()?)];
        let blobs = Blob::once_each(std::iter::once(self.config).chain(layers).collect());
        Ok(Image { documents, blobs, name: self.name })
    }
}

/// What is known of a layer: it is stored as it will be, or it was made before.
fn part(layer: Layer, maker: &Arc<Maker>, format: Format) -> Result<Part, MakeError> {
    if let Some(blob) = stored(&layer, maker, format)? {
        return Ok(Part::Ready(Box::new(blob)));
    }
    let Some((digest, size)) = maker.known.get(maker.with, &layer.diff_id) else {
        return Ok(Part::Unmade(layer));
    };
    let (diff_id, tar_size) = (layer.diff_id.clone(), layer.size);
    let made = Compressed { diff_id, tar_size, digest: digest.clone(), size };
    let descriptor = descriptor(format, maker.with, &made, layer.recipe_key.as_ref());
    let lazy = Lazy::new(layer, Arc::clone(maker), digest, size);
    let content = Content::Lazy(Arc::new(lazy));
    Ok(Part::Ready(Box::new(Blob { descriptor, content })))
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
            return Ok(Some(Blob { descriptor, content: Content::Stored(content.clone()) }));
        }
        _ => return Ok(None),
    };
    let inner = sniffed.decoded().and_then(|inner| digest(inner.stream));
    maker.check(layer, &inner.map_err(unread)?)?;
    let outer = content.open().and_then(digest).map_err(unread)?;
    // Whoever compressed it did so by no codec of ours, which is what the annotations would say.
    let media_type = media_type(format, with);
    let descriptor = Descriptor::new(media_type, outer, layer.size);
    Ok(Some(Blob { descriptor, content: Content::Stored(content.clone()) }))
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

fn digest(from: impl Read) -> io::Result<Digest> {
    let mut hashing = oci::HashingReader::new(from);
    io::copy(&mut hashing, &mut io::sink())?;
    Ok(hashing.finish().0)
}
