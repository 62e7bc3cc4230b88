//! Compressed layers whose bytes are a function of the tar and the codec alone: not of the machine, the
//! number of threads, or how the tar came in.
//!
//! A tar is cut into members of at most 1 MiB (see `cut.rs`), each compressed on its own; gzip members and
//! zstd frames may follow one another. So all cores work, memory is bounded, and a member that was made
//! once is the same wherever it appears again.

mod cut;
mod layer;

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, BufRead, Write};
use std::str::FromStr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Builder};

use cut::Cutter;
pub(crate) use layer::Counted;
pub use layer::Making;

use crate::cache::{Cache, CachedBlob};
use crate::{Digest, Hasher, MediaType};

/// How a layer is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Compression {
    /// A plain tar.
    None,
    /// gzip at level 6.
    Gzip,
    /// zstd at level 3.
    Zstd,
}

impl Compression {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::None, Self::Gzip, Self::Zstd];

    /// The name that users type.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    /// Names the bytes that come out: algorithm, level, encoder, and the revision of our use of it. Frozen:
    /// if ever other bytes come out, the name is another one.
    pub const fn codec(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip-6-libdeflate-1",
            Self::Zstd => "zstd-3-libzstd-1",
        }
    }

    /// The media type of such a layer in an OCI manifest.
    pub const fn oci_media_type(self) -> MediaType {
        match self {
            Self::None => MediaType::OCI_LAYER,
            Self::Gzip => MediaType::OCI_LAYER_GZIP,
            Self::Zstd => MediaType::OCI_LAYER_ZSTD,
        }
    }

    /// The media type of such a layer in a Docker manifest.
    pub const fn docker_media_type(self) -> MediaType {
        match self {
            Self::None => MediaType::DOCKER_LAYER,
            Self::Gzip => MediaType::DOCKER_LAYER_GZIP,
            Self::Zstd => MediaType::DOCKER_LAYER_ZSTD,
        }
    }
}

/// A text names no compression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a compression: use gzip, zstd or none")]
pub struct CompressionError(String);

impl FromStr for Compression {
    type Err = CompressionError;

    fn from_str(text: &str) -> Result<Self, CompressionError> {
        let found = Self::ALL.into_iter().find(|compression| compression.name() == text);
        found.ok_or_else(|| CompressionError(text.to_owned()))
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What is known of a layer after it was compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compressed {
    /// The digest of the tar.
    pub diff_id: Digest,
    /// The size of the tar.
    pub tar_size: u64,
    /// The digest of the compressed bytes.
    pub digest: Digest,
    /// Their number.
    pub size: u64,
}

/// A layer could not be compressed.
#[derive(Debug, thiserror::Error)]
pub enum CompressError {
    /// The tar could not be read.
    #[error("cannot read the layer")]
    Read {
        /// Why.
        source: io::Error,
    },
    /// The result could not be put where it belongs.
    #[error("cannot write the compressed layer")]
    Write {
        /// Why.
        source: io::Error,
    },
    /// A thread could not be started.
    #[error("cannot start a thread")]
    Thread {
        /// Why.
        source: io::Error,
    },
    /// What was made could not be kept: the disk is full.
    #[error("cannot keep a layer in the cache")]
    Cache {
        /// Why not.
        source: io::Error,
    },
    /// The cache said something else than the layer itself.
    #[error("the cache held a layer that is another one now")]
    Stale,
    /// The encoder gave up: out of memory, for one.
    #[error("the {codec} encoder failed")]
    Encode {
        /// Which one.
        codec: &'static str,
    },
}

/// Compresses a tar with `jobs` threads beside the caller's.
///
/// # Errors
/// If `from` cannot be read or `to` cannot be written.
///
/// ```
/// use oci::compress::{Compression, compress};
/// let tar = vec![0; 10_240];
/// let mut out = Vec::new();
/// let made = compress(&mut &tar[..], Compression::Gzip, 2, &mut out)?;
/// assert_eq!(made.diff_id, oci::Digest::of(&tar));
/// assert_eq!(made.digest, oci::Digest::of(&out));
/// # Ok::<(), oci::compress::CompressError>(())
/// ```
pub fn compress(
    from: &mut dyn BufRead,
    with: Compression,
    jobs: usize,
    to: &mut dyn Write,
) -> Result<Compressed, CompressError> {
    compress_cached(from, with, jobs, None, to).map(|blob| blob.made)
}

/// The same; members that were compressed before are taken from the cache.
pub(crate) fn compress_cached(
    from: &mut dyn BufRead,
    with: Compression,
    jobs: usize,
    cache: Option<&Cache>,
    to: &mut dyn Write,
) -> Result<CachedBlob, CompressError> {
    match with {
        Compression::None => {
            let mut sink = Sink::new(to);
            let (diff_id, tar_size) = each_chunk(from, &mut |chunk| sink.write(chunk))?;
            // The same bytes have the same digest: they are not hashed twice.
            let made = Compressed { digest: diff_id.clone(), size: tar_size, diff_id, tar_size };
            Ok(CachedBlob { made, members: Vec::new() })
        }
        Compression::Gzip | Compression::Zstd => in_members(from, with, jobs.max(1), cache, to),
    }
}

/// Hashes what is read and passes it on in pieces.
fn each_chunk(
    from: &mut dyn BufRead,
    each: &mut dyn FnMut(&[u8]) -> Result<(), CompressError>,
) -> Result<(Digest, u64), CompressError> {
    let mut hasher = Hasher::default();
    let mut size = 0;
    loop {
        let chunk = match from.fill_buf() {
            Ok(chunk) => chunk,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(source) => return Err(CompressError::Read { source }),
        };
        if chunk.is_empty() {
            return Ok((hasher.finish(), size));
        }
        hasher.update(chunk);
        each(chunk)?;
        let taken = chunk.len();
        size += taken as u64;
        from.consume(taken);
    }
}

struct Sink<'a> {
    to: &'a mut dyn Write,
}

impl<'a> Sink<'a> {
    fn new(to: &'a mut dyn Write) -> Self {
        Self { to }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), CompressError> {
        self.to.write_all(bytes).map_err(|source| CompressError::Write { source })
    }
}

/// One member to be compressed, and where the result goes.
type Job = (Vec<u8>, Sender<Result<Member, CompressError>>);

/// A compressed member, and if there is a cache the digest of what went in.
struct Member {
    bytes: Vec<u8>,
    id: Option<Digest>,
}

fn in_members(
    from: &mut dyn BufRead,
    with: Compression,
    jobs: usize,
    cache: Option<&Cache>,
    to: &mut dyn Write,
) -> Result<CachedBlob, CompressError> {
    let (feed, work) = channel::<Job>();
    let work = Mutex::new(work);
    thread::scope(|scope| {
        for started in 0..jobs {
            let thread =
                Builder::new().spawn_scoped(scope, || compress_members(&work, with, cache));
            match thread {
                // The others do the work.
                Err(_) if started > 0 => break,
                Err(source) => return Err(CompressError::Thread { source }),
                Ok(_) => {}
            }
        }
        let mut line = Line { feed, jobs, waiting: VecDeque::new(), sink: Sink::new(to) };
        let (mut hasher, mut size, mut members) = (Hasher::default(), 0, Vec::new());
        let mut take = |member: &mut Member| {
            hasher.update(&member.bytes);
            size += member.bytes.len() as u64;
            members.extend(member.id.take());
        };
        let mut cutter = Cutter::default();
        let (diff_id, tar_size) = each_chunk(from, &mut |chunk| {
            cutter.add(chunk, &mut |member| line.add(member, &mut take))
        })?;
        cutter.finish(&mut |member| line.add(member, &mut take))?;
        if tar_size == 0 {
            // No bytes at all would be neither gzip nor zstd.
            line.add(Vec::new(), &mut take)?;
        }
        line.finish(&mut take)?;
        let made = Compressed { diff_id, tar_size, digest: hasher.finish(), size };
        Ok(CachedBlob { made, members })
    })
}

/// Is told of each member, in their order.
type Take<'a> = dyn FnMut(&mut Member) + 'a;

/// The members on their way, in their order.
struct Line<'a> {
    feed: Sender<Job>,
    jobs: usize,
    waiting: VecDeque<Receiver<Result<Member, CompressError>>>,
    sink: Sink<'a>,
}

impl Line<'_> {
    fn add(&mut self, member: Vec<u8>, take: &mut Take<'_>) -> Result<(), CompressError> {
        // Enough that no thread is idle while another one has a hard member.
        while self.waiting.len() > 2 * self.jobs {
            self.take_first(take)?;
        }
        let (done, result) = channel();
        self.waiting.push_back(result);
        // If all threads are gone, taking the result says so.
        drop(self.feed.send((member, done)));
        Ok(())
    }

    fn finish(mut self, take: &mut Take<'_>) -> Result<(), CompressError> {
        while !self.waiting.is_empty() {
            self.take_first(take)?;
        }
        Ok(())
    }

    fn take_first(&mut self, take: &mut Take<'_>) -> Result<(), CompressError> {
        let Some(result) = self.waiting.pop_front() else { return Ok(()) };
        let mut member = result.recv().map_err(|_| CompressError::Encode { codec: "layer" })??;
        take(&mut member);
        self.sink.write(&member.bytes)
    }
}

fn compress_members(work: &Mutex<Receiver<Job>>, with: Compression, cache: Option<&Cache>) {
    let mut encoder = Encoder::new(with);
    loop {
        // The lock is held while waiting: the others wait for their turn instead.
        let next = work.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((member, done)) = next else { return };
        // Nobody waits for the result when another member has failed.
        drop(done.send(one_member(&mut encoder, &member, with, cache)));
    }
}

fn one_member(
    encoder: &mut Encoder,
    member: &[u8],
    with: Compression,
    cache: Option<&Cache>,
) -> Result<Member, CompressError> {
    let Some(cache) = cache else { return Ok(Member { bytes: encoder.encode(member)?, id: None }) };
    let id = Digest::of(member);
    if let Some(bytes) = cache.member(with.codec(), &id) {
        return Ok(Member { bytes, id: Some(id) });
    }
    let bytes = encoder.encode(member)?;
    let kept = cache.add_member(with.codec(), &id, &bytes);
    kept.map_err(|source| CompressError::Cache { source })?;
    Ok(Member { bytes, id: Some(id) })
}

enum Encoder {
    Gzip(libdeflater::Compressor),
    Zstd(Option<Box<zstd::bulk::Compressor<'static>>>),
}

impl Encoder {
    fn new(with: Compression) -> Self {
        match with {
            Compression::Zstd => Self::Zstd(zstd::bulk::Compressor::new(3).ok().map(Box::new)),
            Compression::Gzip | Compression::None => {
                Self::Gzip(libdeflater::Compressor::new(libdeflater::CompressionLvl::default()))
            }
        }
    }

    fn encode(&mut self, member: &[u8]) -> Result<Vec<u8>, CompressError> {
        match self {
            Self::Gzip(encoder) => {
                let mut out = vec![0; encoder.gzip_compress_bound(member.len())];
                let size = encoder
                    .gzip_compress(member, &mut out)
                    .map_err(|_| CompressError::Encode { codec: "gzip" })?;
                out.truncate(size);
                Ok(out)
            }
            Self::Zstd(encoder) => encoder
                .as_mut()
                .and_then(|encoder| encoder.compress(member).ok())
                .ok_or(CompressError::Encode { codec: "zstd" }),
        }
    }
}

#[cfg(test)]
mod tests;
