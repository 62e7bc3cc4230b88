//! What is pushed: documents, and the blobs that they name.

use std::io::{self, Read};
use std::sync::Arc;

use oci::source::{self, Document, Region};
use oci::{Descriptor, VerifyingReader};

use crate::make::{Lazy, MakeError};
use crate::target::Target;

/// An image, or several under one index, ready to be pushed.
#[derive(Debug)]
pub(crate) struct Image {
    /// Manifests and indexes, each behind those that it names; the last one is the image.
    pub(crate) documents: Vec<Document>,
    /// Configs and layers, each once.
    pub(crate) blobs: Vec<Blob>,
    /// The name that the source has for it: `api:v1`.
    pub(crate) name: Option<String>,
}

/// Content with a digest.
#[derive(Debug, Clone)]
pub(crate) struct Blob {
    pub(crate) descriptor: Descriptor,
    pub(crate) content: Content,
}

/// Where the bytes of a blob are.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    Stored(source::Content),
    /// A layer that is compressed when it is wanted.
    Lazy(Arc<Lazy>),
    /// It is in another registry or layout.
    Remote(Arc<dyn Target>),
    /// It is there already, and known by its descriptor alone.
    There,
}

impl From<source::Image> for Image {
    fn from(image: source::Image) -> Self {
        let source::Image { documents, blobs, name } = image;
        let blob = |source::Blob { descriptor, content }| Blob {
            descriptor,
            content: Content::Stored(content),
        };
        Self { documents, blobs: blobs.into_iter().map(blob).collect(), name }
    }
}

impl From<Region> for Content {
    fn from(region: Region) -> Self {
        Self::Stored(source::Content::Region(region))
    }
}

impl Image {
    /// The manifest or index that a tag will name.
    pub(crate) fn top(&self) -> Option<&Document> {
        self.documents.last()
    }
}

impl Blob {
    /// Keeps the first blob of each digest.
    pub(crate) fn once_each(blobs: Vec<Self>) -> Vec<Self> {
        let mut seen = std::collections::BTreeSet::new();
        blobs.into_iter().filter(|blob| seen.insert(blob.descriptor.digest.clone())).collect()
    }
}

impl transfer::Source for Blob {
    fn size(&self) -> u64 {
        self.descriptor.size
    }

    /// Opens the blob; reading it fails at its end, at the latest, if it is not what its digest says.
    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        let content = self.content.open(&self.descriptor)?;
        let verified = VerifyingReader::new(content, &self.descriptor.digest, self.descriptor.size);
        Ok(Box::new(verified.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?))
    }
}

impl Content {
    /// Makes what has to be made first, so that no connection waits for it.
    pub(crate) fn prepare(&self) -> Result<(), MakeError> {
        match self {
            Self::Lazy(lazy) => lazy.get().map(drop),
            Self::Stored(_) | Self::Remote(_) | Self::There => Ok(()),
        }
    }

    /// Opens it, unverified.
    fn open(&self, blob: &Descriptor) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(match self {
            Self::Stored(content) => content.open()?,
            Self::Lazy(lazy) => Box::new(lazy.get().map_err(io::Error::other)?.reader()),
            Self::Remote(from) => from.read_blob(blob)?,
            Self::There => {
                let words = format!("{} is no longer where it was", blob.digest);
                return Err(io::Error::new(io::ErrorKind::NotFound, words));
            }
        })
    }
}
