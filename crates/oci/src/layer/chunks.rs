//! The pipe between the thread that reads files and the one that hashes, compresses or sends: a few large
//! buffers that go round, so that both cores are busy and no byte is copied twice.

use std::fmt;
use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

use super::LayerError;

/// Large enough that a hand-over costs nothing, small enough for a core's cache.
const CHUNK: usize = 256 << 10;
/// How far the reader may be ahead.
const AHEAD: usize = 4;

enum Message {
    Chunk { bytes: Vec<u8>, filled: usize },
    End(Result<(), LayerError>),
}

/// The end that is written to.
pub(super) struct ChunkWriter {
    full: SyncSender<Message>,
    empty: Receiver<Vec<u8>>,
    chunk: Vec<u8>,
    filled: usize,
    total: u64,
}

impl ChunkWriter {
    /// How much was written.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// Room for at least one byte.
    pub(super) fn room(&mut self) -> Result<&mut [u8], LayerError> {
        if self.filled == self.chunk.len() {
            self.hand_over()?;
        }
        Ok(&mut self.chunk[self.filled..])
    }

    /// Says that `size` bytes of the room were filled.
    pub(super) fn advance(&mut self, size: usize) {
        self.filled += size;
        self.total += size as u64;
    }

    pub(super) fn write(&mut self, mut bytes: &[u8]) -> Result<(), LayerError> {
        while !bytes.is_empty() {
            let room = self.room()?;
            let size = room.len().min(bytes.len());
            room[..size].copy_from_slice(&bytes[..size]);
            self.advance(size);
            bytes = &bytes[size..];
        }
        Ok(())
    }

    fn hand_over(&mut self) -> Result<(), LayerError> {
        // Buffers that came back are used again; there are never more than the channel holds and two.
        let next = self.empty.try_recv().unwrap_or_else(|_| vec![0; CHUNK]);
        let bytes = std::mem::replace(&mut self.chunk, next);
        let filled = std::mem::take(&mut self.filled);
        self.full.send(Message::Chunk { bytes, filled }).map_err(|_| LayerError::Stopped)
    }

    fn end(mut self, result: Result<(), LayerError>) {
        let result = result.and_then(|()| self.hand_over());
        // Nobody listens to the end of a layer that nobody wants.
        drop(self.full.send(Message::End(result)));
    }
}

/// The bytes of a layer, made by a thread of their own while they are read.
///
/// Reading fails with an [`io::Error`] whose inner error is a [`LayerError`]. Dropping it stops the thread.
pub struct LayerReader {
    full: Receiver<Message>,
    empty: Sender<Vec<u8>>,
    chunk: Vec<u8>,
    filled: usize,
    taken: usize,
    is_done: bool,
}

impl LayerReader {
    /// Runs `produce` in a thread and reads what it writes.
    pub(super) fn spawn(
        produce: impl FnOnce(&mut ChunkWriter) -> Result<(), LayerError> + Send + 'static,
    ) -> Result<Self, LayerError> {
        let (full_in, full) = sync_channel(AHEAD);
        let (empty, empty_out) = channel();
        let run = move || {
            let chunk = vec![0; CHUNK];
            let mut writer =
                ChunkWriter { full: full_in, empty: empty_out, chunk, filled: 0, total: 0 };
            let result = produce(&mut writer);
            writer.end(result);
        };
        std::thread::Builder::new()
            .name("layer".to_owned())
            .spawn(run)
            .map_err(|source| LayerError::Thread { source })?;
        Ok(Self { full, empty, chunk: Vec::new(), filled: 0, taken: 0, is_done: false })
    }

    fn next_chunk(&mut self) -> Result<(), LayerError> {
        let old = std::mem::take(&mut self.chunk);
        (self.filled, self.taken) = (0, 0);
        if !old.is_empty() {
            // The thread may have ended already.
            drop(self.empty.send(old));
        }
        match self.full.recv() {
            Ok(Message::Chunk { bytes, filled }) => {
                (self.chunk, self.filled) = (bytes, filled);
                Ok(())
            }
            Ok(Message::End(result)) => {
                self.is_done = true;
                result
            }
            Err(_) => Err(LayerError::Stopped),
        }
    }
}

impl BufRead for LayerReader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.taken == self.filled && !self.is_done {
            self.next_chunk().map_err(io::Error::other)?;
        }
        Ok(&self.chunk[self.taken..self.filled])
    }

    fn consume(&mut self, size: usize) {
        self.taken = (self.taken + size).min(self.filled);
    }
}

impl Read for LayerReader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let size = available.len().min(buf.len());
        buf[..size].copy_from_slice(&available[..size]);
        self.consume(size);
        Ok(size)
    }
}

impl fmt::Debug for LayerReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LayerReader").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_arrive_in_order_and_errors_after_them() {
        let mut reader = LayerReader::spawn(|out| {
            for n in 0..200_000_u32 {
                out.write(&n.to_le_bytes())?;
            }
            Err(LayerError::Stopped)
        })
        .unwrap();
        let mut bytes = Vec::new();
        let error = reader.read_to_end(&mut bytes).unwrap_err();
        assert!(error.get_ref().unwrap().downcast_ref::<LayerError>().is_some());
        let expected: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
        let whole = expected.len() / CHUNK * CHUNK;
        assert_eq!(bytes, expected[..whole], "a broken chunk is not passed on");
    }

    #[test]
    fn dropping_the_reader_ends_the_thread() {
        let (done, ended) = channel();
        let mut reader = LayerReader::spawn(move |out| {
            let mut result = Ok(());
            while result.is_ok() {
                result = out.write(&[1; 4096]);
            }
            done.send(()).unwrap();
            result
        })
        .unwrap();
        assert_eq!(reader.fill_buf().unwrap()[0], 1);
        drop(reader);
        ended.recv_timeout(std::time::Duration::from_secs(30)).unwrap();
    }

    #[test]
    fn a_thread_that_dies_is_not_an_end() {
        let mut reader =
            LayerReader::spawn(|_| std::panic::resume_unwind(Box::new("gone"))).unwrap();
        assert!(reader.read(&mut [0; 8]).is_err());
    }
}
