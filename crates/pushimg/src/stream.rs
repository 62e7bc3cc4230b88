//! Sending a layer while it is compressed, for machines that have no room to keep it.

use std::io::{self, Read, Write};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use oci::compress::{CompressError, Compressed};
use transfer::{Cancel, Source};

use crate::error::PushError;
use crate::make::Maker;
use crate::meter::Meter;
use crate::registry::Repository;
use crate::unpacked::Layer;

/// How many pieces may wait for the network.
const WAITING: usize = 4;

/// Sends a layer, and says what it became.
pub(crate) fn send(
    to: &Repository,
    maker: &Maker,
    layer: &Layer,
    cancel: &Cancel,
    meter: &Meter,
) -> Result<Compressed, PushError> {
    let (feed, pieces) = sync_channel(WAITING);
    let body = Once(Mutex::new(Some(Pieces { from: pieces, rest: Vec::new(), at: 0 })));
    thread::scope(|scope| {
        let maker_thread = scope.spawn(move || {
            let mut feed = Feed(feed);
            let made = maker.compress_to(layer, &mut feed);
            // Only a whole layer ends: whoever reads takes a missing end for a failure.
            if made.is_ok() {
                drop(feed.0.send(Piece::End));
            }
            made
        });
        let sent = to.stream_blob(&body, cancel, &|bytes| {
            meter.expect(bytes);
            meter.add(bytes);
        });
        // Nobody reads any more: the compressor stops at its next piece.
        drop(body);
        let made = maker_thread.join().unwrap_or_else(|_| {
            Err(CompressError::Read { source: io::Error::other("the compressor stopped") })
        });
        match (sent, made) {
            (Ok(session), Ok(made)) => {
                if let Err(error) = maker.check(layer, &made.diff_id) {
                    to.give_up_stream(&session);
                    return Err(error.into());
                }
                to.finish_stream(&session, &made.digest, made.size)?;
                Ok(made)
            }
            // Where the network failed, nobody took what was made.
            (Err(error), Ok(_) | Err(CompressError::Write { .. })) => Err(error.into()),
            (Err(_), Err(error)) => Err(maker.failed(layer, error).into()),
            (Ok(session), Err(error)) => {
                to.give_up_stream(&session);
                Err(maker.failed(layer, error).into())
            }
        }
    })
}

enum Piece {
    Bytes(Vec<u8>),
    End,
}

struct Feed(SyncSender<Piece>);

impl Write for Feed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = Piece::Bytes(bytes.to_vec());
        self.0.send(piece).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Pieces {
    from: Receiver<Piece>,
    rest: Vec<u8>,
    at: usize,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.rest.len() {
            match self.from.recv() {
                Ok(Piece::Bytes(bytes)) => (self.rest, self.at) = (bytes, 0),
                Ok(Piece::End) => return Ok(0),
                Err(_) => return Err(io::Error::other("the layer could not be made")),
            }
        }
        let size = buffer.len().min(self.rest.len() - self.at);
        buffer[..size].copy_from_slice(&self.rest[self.at..self.at + size]);
        self.at += size;
        Ok(size)
    }
}

/// A body that can be opened once.
struct Once(Mutex<Option<Pieces>>);

impl Source for Once {
    fn size(&self) -> u64 {
        u64::MAX
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        let pieces = self.0.lock().ok().and_then(|mut pieces| pieces.take());
        match pieces {
            Some(pieces) => Ok(Box::new(pieces)),
            None => Err(io::Error::other(
                "it was sent while it was made, and cannot be sent again: leave `--no-spool` out",
            )),
        }
    }
}
