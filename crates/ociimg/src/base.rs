//! Base images: their layers come first, and all that their config says stays unless something else is said.

use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;

use cli::Io;
use oci::compress::Compression;
use oci::layer::Measured;
use oci::plan::{DraftLayer, DraftSource, StoredLayer};
use oci::source::{Content, Kind, Sniffed, Source};
use oci::{Digest, HashingReader, History, ImageConfig, MediaType};

use crate::args::LookArgs;
use crate::error::BuildError;
use crate::look::{LookError, Subject, Tar};

/// What an image is built on.
pub(crate) struct Base {
    pub(crate) config: ImageConfig,
    pub(crate) layers: Vec<DraftLayer>,
}

impl Base {
    /// Opens a base image. Only what lies in a file or folder can be one, since a plan says where its layers are.
    pub(crate) fn open(
        image: &OsStr,
        platform: Option<String>,
        io: &mut Io,
    ) -> Result<Self, BuildError> {
        let source = Source::from_operand(image).map_err(LookError::from)?;
        let path = match source {
            Source::Path(path)
            | Source::Layout { path, .. }
            | Source::OciArchive { path, .. }
            | Source::DockerArchive(path) => io.env.cwd().join(path),
            Source::Stdin => return Err(BuildError::BaseFromStdin),
        };
        let look = LookArgs { platform, store_root: PathBuf::from("/"), json: false };
        let subject = Subject::open(image, &look, io)?;
        let config = subject.config()?.clone();
        let shown = path.clone();
        let path = path.to_str().ok_or(BuildError::NotUtf8(shown.clone()))?.to_owned();
        let mut layers = Vec::with_capacity(subject.layers.len());
        for (number, layer) in subject.layers.iter().enumerate() {
            let (Tar::Stored(content), Some(diff_id)) = (&layer.tar, &layer.diff_id) else {
                return Err(BuildError::BaseIsPlan(shown));
            };
            let unread = |source| subject.unread(number, source);
            let known = layer.media_type.as_ref().zip(layer.blob.as_ref());
            let (media_type, digest) = match known {
                Some((media_type, (digest, _))) => (media_type.clone(), digest.clone()),
                None => look_into(content, diff_id).map_err(unread)?,
            };
            let stored = StoredLayer {
                path: path.clone(),
                member: layer.member.clone(),
                media_type: MediaType::in_oci(&media_type),
                digest,
            };
            // A compressed archive cannot be read in the middle, so nothing can be found in it again.
            let (_, size) = stored.content().map_err(LookError::from)?;
            let measured = Measured { diff_id: diff_id.clone(), size };
            layers.push(DraftLayer {
                source: DraftSource::Stored { stored, measured },
                history: None,
            });
        }
        Ok(Self { config: with_history(config), layers })
    }
}

/// A docker archive says nothing of its layers but what is in them.
fn look_into(content: &Content, diff_id: &Digest) -> io::Result<(MediaType, Digest)> {
    let with = match content.open().and_then(Sniffed::new)?.kind {
        Kind::Gzip => Compression::Gzip,
        Kind::Zstd => Compression::Zstd,
        _ => return Ok((MediaType::OCI_LAYER, diff_id.clone())),
    };
    let mut hashing = HashingReader::new(content.open()?);
    io::copy(&mut hashing, &mut io::sink())?;
    Ok((with.oci_media_type(), hashing.finish().0))
}

/// The history has one entry for each layer; if it has not, it says of each that it is the base's.
fn with_history(mut config: ImageConfig) -> ImageConfig {
    let layers = config.rootfs.diff_ids.len();
    if config.history.iter().filter(|entry| !entry.empty_layer).count() != layers {
        let comment = Some("base image".to_owned());
        config.history = vec![History { comment, ..History::default() }; layers];
    }
    config
}
