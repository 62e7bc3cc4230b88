//! What a source holds: images, their documents and blobs, and where their bytes are.

use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

use fs_err::os::unix::fs::FileExt as _;

use crate::{Descriptor, Digest, MediaType};

/// An image that has a manifest, or several under one index.
#[derive(Debug)]
pub struct Image {
    /// Manifests and indexes, each behind those that it names; the last one is the image.
    pub documents: Vec<Document>,
    /// Configs and layers, each once.
    pub blobs: Vec<Blob>,
    /// The name that the source has for it: `api:v1`.
    pub name: Option<String>,
}

/// An image without a manifest: a config and layers.
#[derive(Debug)]
pub struct Unpacked {
    /// How the source is called in messages.
    pub shown: String,
    /// The name that the source has for it: `api:v1`.
    pub name: Option<String>,
    /// The config, byte for byte.
    pub config: Vec<u8>,
    /// The layers, lowest first.
    pub layers: Vec<UnpackedLayer>,
}

/// A layer of an image without a manifest.
#[derive(Debug, Clone)]
pub struct UnpackedLayer {
    /// What it is called in messages.
    pub name: String,
    /// The digest that its tar must have, by the config.
    pub diff_id: Digest,
    /// How many bytes are stored.
    pub size: u64,
    /// The tar, which may be compressed.
    pub content: Content,
}

/// A manifest or an index, as the bytes that its digest is of.
#[derive(Debug, Clone)]
pub struct Document {
    /// What it is.
    pub media_type: MediaType,
    /// The digest of `bytes`.
    pub digest: Digest,
    /// The document.
    pub bytes: Vec<u8>,
}

impl Document {
    /// A document of these bytes.
    pub fn new(media_type: MediaType, bytes: Vec<u8>) -> Self {
        Self { media_type, digest: Digest::of(&bytes), bytes }
    }
}

/// Content with a digest.
#[derive(Debug, Clone)]
pub struct Blob {
    /// What it must be.
    pub descriptor: Descriptor,
    /// Where it is. Nothing has been compared with the descriptor but the size.
    pub content: Content,
}

/// Where bytes are.
#[derive(Debug, Clone)]
pub enum Content {
    /// Here.
    Bytes(Arc<[u8]>),
    /// In a file of their own.
    File(PathBuf),
    /// In a part of a file.
    Region(Region),
}

impl Content {
    /// Opens it, unverified.
    ///
    /// # Errors
    /// If a file cannot be opened.
    pub fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(match self {
            Self::Bytes(bytes) => Box::new(&bytes[..]),
            Self::File(path) => Box::new(fs_err::File::open(path)?),
            Self::Region(region) => Box::new(region.clone().reader()),
        })
    }
}

/// A part of a file that others read at the same time.
#[derive(Debug, Clone)]
pub struct Region {
    /// The file.
    pub file: Arc<fs_err::File>,
    /// Where the part begins.
    pub offset: u64,
    /// How long it is.
    pub size: u64,
}

impl Region {
    /// Reads it from its start, without moving the file's own position.
    pub fn reader(self) -> RegionReader {
        RegionReader { region: self, at: 0 }
    }
}

/// Reads a [`Region`].
#[derive(Debug)]
pub struct RegionReader {
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
