//! From a config and layers to an image that has a manifest.
//!
//! The config stays byte for byte as it is. The layers are compressed by a codec that never changes, and held to the
//! digests in the config; so the digest of the image is a function of the source, the codec and the format alone. A layer
//! of an archive that is compressed already stays as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::sync::Arc;

use oci::compress::{Compressed, Compression};
use oci::pack::{CODEC_ANNOTATION, layer_descriptor};
use oci::source::{self, Document, Kind, Sniffed};
use oci::{Descriptor, Digest, Manifest, MediaType};
use transfer::Cancel;

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
    /// Whether layers are annotated with what they are found again by.
    pub(crate) annotated: bool,
    pub(crate) cancel: Cancel,
}

/// An image on its way to a manifest.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) name: Option<String>,
    config: Blob,
    layers: Vec<Part>,
    annotations: BTreeMap<String, String>,
    dress: Dress,
    maker: Arc<Maker>,
}

/// What descriptors look like.
#[derive(Debug, Clone, Copy)]
struct Dress {
    format: Format,
    annotated: bool,
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
        let (name, annotations) = (unpacked.name, unpacked.annotations);
        let dress = Dress { format: self.format, annotated: self.annotated };
        let maker = Arc::new(Maker::new(&unpacked.shown, self.with, self.known, self.cancel));
        let layers = unpacked.layers.into_iter().map(|layer| part(layer, &maker, dress));
        let layers = layers.collect::<Result<_, _>>()?;
        Ok(Parts { name, config, layers, annotations, dress, maker })
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

    /// The config's descriptor.
    pub(crate) fn config(&self) -> &Descriptor {
        &self.config.descriptor
    }

    /// What makes the layers.
    pub(crate) fn maker(&self) -> &Maker {
        &self.maker
    }

    /// Takes over what is known of layers that need not be made: by the digest of the tar, the descriptor of a blob.
    /// Without `any`, a blob is only taken over if it is what we would make.
    pub(crate) fn reuse(&mut self, known: &BTreeMap<Digest, Descriptor>, any: bool) {
        for part in &mut self.layers {
            let Part::Unmade(layer) = part else { continue };
            let Some(found) = known.get(&layer.diff_id) else { continue };
            let with = self.maker.with;
            let media_type = media_type(self.dress.format, with);
            let same =
                found.annotations.get(CODEC_ANNOTATION).is_some_and(|own| own == with.codec())
                    && found.media_type == media_type;
            let descriptor = if same {
                let made = Compressed {
                    diff_id: layer.diff_id.clone(),
                    tar_size: layer.size,
                    digest: found.digest.clone(),
                    size: found.size,
                };
                descriptor(self.dress, with, &made, layer.recipe_key.as_ref())
            } else if any && fits(&found.media_type, self.dress.format) {
                found.clone()
            } else {
                continue;
            };
            let content = if same {
                // Should it be gone meanwhile, it is made.
                let (digest, size) = (found.digest.clone(), found.size);
                let lazy = Lazy::new(layer.clone(), Arc::clone(&self.maker), digest, size);
                Content::Lazy(Arc::new(lazy))
            } else {
                Content::There
            };
            *part = Part::Ready(Box::new(Blob { descriptor, content }));
        }
    }

    /// Makes the blob of a layer.
    pub(crate) fn make(&self, layer: &Layer) -> Result<Blob, MakeError> {
        let (made, region) = self.maker.make(layer)?;
        self.maker.known.add(self.maker.with, &layer.diff_id, &made.digest, made.size);
        let key = layer.recipe_key.as_ref();
        let descriptor = descriptor(self.dress, self.maker.with, &made, key);
        Ok(Blob { descriptor, content: region.into() })
    }

    /// The blob of a layer that was made elsewhere, and is there.
    pub(crate) fn there(&self, layer: &Layer, made: &Compressed) -> Blob {
        self.maker.known.add(self.maker.with, &layer.diff_id, &made.digest, made.size);
        let key = layer.recipe_key.as_ref();
        let descriptor = descriptor(self.dress, self.maker.with, made, key);
        Blob { descriptor, content: Content::There }
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
        let manifest = match self.dress.format {
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
fn part(layer: Layer, maker: &Arc<Maker>, dress: Dress) -> Result<Part, MakeError> {
    if let Some(blob) = stored(&layer, maker, dress)? {
        return Ok(Part::Ready(Box::new(blob)));
    }
    let Some((digest, size)) = maker.known.get(maker.with, &layer.diff_id) else {
        return Ok(Part::Unmade(layer));
    };
    let (diff_id, tar_size) = (layer.diff_id.clone(), layer.size);
    let made = Compressed { diff_id, tar_size, digest: digest.clone(), size };
    let descriptor = descriptor(dress, maker.with, &made, layer.recipe_key.as_ref());
    let lazy = Lazy::new(layer, Arc::clone(maker), digest, size);
    let content = Content::Lazy(Arc::new(lazy));
    Ok(Part::Ready(Box::new(Blob { descriptor, content })))
}

/// The layer of an archive that need not be compressed, because it is, or because it shall not be.
fn stored(layer: &Layer, maker: &Maker, dress: Dress) -> Result<Option<Blob>, MakeError> {
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
            let descriptor = descriptor(dress, Compression::None, &made, None);
            return Ok(Some(Blob { descriptor, content: Content::Stored(content.clone()) }));
        }
        _ => return Ok(None),
    };
    let inner = sniffed.decoded().and_then(|inner| digest(inner.stream));
    maker.check(layer, &inner.map_err(unread)?)?;
    let outer = content.open().and_then(digest).map_err(unread)?;
    // Whoever compressed it did so by no codec of ours, which is what the annotations would say.
    let media_type = media_type(dress.format, with);
    let descriptor = Descriptor::new(media_type, outer, layer.size);
    Ok(Some(Blob { descriptor, content: Content::Stored(content.clone()) }))
}

fn descriptor(
    dress: Dress,
    with: Compression,
    made: &Compressed,
    recipe_key: Option<&Digest>,
) -> Descriptor {
    match dress.format {
        Format::Oci if dress.annotated => layer_descriptor(with, made, recipe_key),
        // Docker's descriptors have no annotations.
        format => Descriptor::new(media_type(format, with), made.digest.clone(), made.size),
    }
}

/// Whether a layer of this kind may stand in a manifest of that format.
fn fits(media_type: &MediaType, format: Format) -> bool {
    Compression::ALL.iter().any(|with| self::media_type(format, *with) == *media_type)
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
