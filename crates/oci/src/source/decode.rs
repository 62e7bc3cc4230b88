//! What a stream is, told by its first bytes, and the decoders of what compressors write.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read};

/// Enough for the header of a tar.
const SNIFFED: usize = 512;
/// The window of a zstd or xz stream is memory that the input asks for: more than this is refused.
const MAX_WINDOW_LOG: u32 = 27;
const MAX_XZ_MEMORY: u64 = 160 << 20;

/// What the first bytes of a stream say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// There are none.
    Empty,
    /// A JSON object.
    Json,
    /// A tar.
    Tar,
    /// gzip.
    Gzip,
    /// zstd.
    Zstd,
    /// xz.
    Xz,
    /// bzip2.
    Bzip2,
    /// Nothing that is known here.
    Unknown,
}

impl Kind {
    /// Looks at the first bytes, of which 512 are enough.
    pub fn of(start: &[u8]) -> Self {
        let json = start.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
        match start {
            [] => Self::Empty,
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Self::Bzip2,
            _ if start.len() >= SNIFFED && &start[257..262] == b"ustar" => Self::Tar,
            _ if json => Self::Json,
            // A tar from before ustar has nothing but its checksum; the reader looks at that.
            _ if start.len() >= SNIFFED && start[156] <= b'7' && start[0] != 0 => Self::Tar,
            _ => Self::Unknown,
        }
    }

    /// What compressor wrote it, if one did.
    pub fn compressor(self) -> Option<&'static str> {
        match self {
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
            Self::Xz => Some("xz"),
            Self::Bzip2 => Some("bzip2"),
            Self::Empty | Self::Json | Self::Tar | Self::Unknown => None,
        }
    }
}

/// A stream whose first bytes have been looked at.
pub struct Sniffed<'a> {
    /// What they say.
    pub kind: Kind,
    /// The whole stream.
    pub stream: Box<dyn BufRead + 'a>,
}

impl fmt::Debug for Sniffed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sniffed").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl<'a> Sniffed<'a> {
    /// Reads the first bytes and puts them back.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn new(mut from: impl Read + 'a) -> io::Result<Self> {
        let mut start = Vec::with_capacity(SNIFFED);
        from.by_ref().take(SNIFFED as u64).read_to_end(&mut start)?;
        let kind = Kind::of(&start);
        let stream = BufReader::with_capacity(128 << 10, io::Cursor::new(start).chain(from));
        Ok(Self { kind, stream: Box::new(stream) })
    }

    /// The stream under one compression; itself if there is none. Several members, frames or streams are read as one.
    ///
    /// # Errors
    /// If no decoder can be made, or the first bytes cannot be decoded.
    pub fn decoded(self) -> io::Result<Self> {
        match self.kind {
            Kind::Gzip => Self::new(flate2::bufread::MultiGzDecoder::new(self.stream)),
            Kind::Bzip2 => Self::new(bzip2::bufread::MultiBzDecoder::new(self.stream)),
            Kind::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(self.stream)?;
                decoder.window_log_max(MAX_WINDOW_LOG)?;
                Self::new(decoder)
            }
            Kind::Xz => {
                let flags = liblzma::stream::CONCATENATED;
                let stream = liblzma::stream::Stream::new_stream_decoder(MAX_XZ_MEMORY, flags)?;
                Self::new(liblzma::bufread::XzDecoder::new_stream(self.stream, stream))
            }
            Kind::Empty | Kind::Json | Kind::Tar | Kind::Unknown => Ok(self),
        }
    }
}
