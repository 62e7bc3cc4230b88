//! What is pushed: documents, and the blobs that they name.

use fs_err::os::unix::fs::FileExt as _;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

use oci::{Descriptor, Digest, MediaType, VerifyingReader};

use crate::make::{Lazy, MakeError};

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

/// A manifest or an index, as the bytes that its digest is of.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) media_type: MediaType,
    pub(crate) digest: Digest,
    pub(crate) bytes: Vec<u8>,
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
    Bytes(Arc<[u8]>),
    File(PathBuf),
    Region(Region),
    /// A layer that is compressed when it is wanted.
    Lazy(Arc<Lazy>),
}

/// A part of a file that others read at the same time.
#[derive(Debug, Clone)]
pub(crate) struct Region {
    pub(crate) file: Arc<fs_err::File>,
    pub(crate) offset: u64,
    pub(crate) size: u64,
}

impl Image {
    /// The manifest or index that a tag will name.
    pub(crate) fn top(&self) -> Option<&Document> {
        self.documents.last()
    }
}

impl Document {
    pub(crate) fn new(media_type: MediaType, bytes: Vec<u8>) -> Self {
        Self { media_type, digest: Digest::of(&bytes), bytes }
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
    fn open(&self) -> io::Result<Box<dyn Read + '_>> {
        let content = self.content.open()?;
        let verified = VerifyingReader::new(content, &self.descriptor.digest, self.descriptor.size);
        Ok(Box::new(verified.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?))
    }
}

impl Content {
    /// Makes what has to be made first, so that no connection waits for it.
    pub(crate) fn prepare(&self) -> Result<(), MakeError> {
        match self {
            Self::Lazy(lazy) => lazy.get().map(drop),
            Self::Bytes(_) | Self::File(_) | Self::Region(_) => Ok(()),
        }
    }

    /// Opens it, unverified.
    pub(crate) fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(match self {
            Self::Bytes(bytes) => Box::new(&bytes[..]),
            Self::File(path) => Box::new(fs_err::File::open(path)?),
            Self::Region(region) => Box::new(region.clone().reader()),
            Self::Lazy(lazy) => Box::new(lazy.get().map_err(io::Error::other)?.reader()),
        })
    }
}

impl Region {
    pub(crate) fn reader(self) -> RegionReader {
        RegionReader { region: self, at: 0 }
    }
}

/// Reads a region without moving the file's own position.
#[derive(Debug)]
pub(crate) struct RegionReader {
    region: Region,
    at: u64,
}

impl Read for RegionReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.region.size - self.at).unwrap_or(usize::MAX);
        let room = buffer.len().min(left);
        let got = self.region.file.read_at(&mut buffer[..room], self.region.offset + self.at)?;
        self.at += got as u64;
        Ok(got)
    }
}
