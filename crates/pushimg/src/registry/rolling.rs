//! A source that is read on where the last request stopped, so that chunks do not read it from its start each time.

use std::io::{self, Read};
use std::sync::Mutex;

use transfer::Source;

use super::lock;

/// A reader, and how much of it was read.
type Open<'a> = (Box<dyn Read + Send + 'a>, u64);

/// A source, and where it is open.
pub(super) struct Rolling<'a> {
    source: &'a dyn Source,
    open: Mutex<Option<Open<'a>>>,
}

/// A part of it, as a body.
pub(super) struct Part<'r, 'a> {
    pub(super) of: &'r Rolling<'a>,
    pub(super) from: u64,
    pub(super) size: u64,
}

impl<'a> Rolling<'a> {
    pub(super) fn new(source: &'a dyn Source) -> Self {
        Self { source, open: Mutex::new(None) }
    }

    /// A reader at this place: the one that is open, or a new one that is read up to there.
    fn at(&self, from: u64) -> io::Result<Box<dyn Read + Send + 'a>> {
        if let Some((reader, at)) = lock(&self.open).take()
            && at == from
        {
            return Ok(reader);
        }
        let mut reader = self.source.open()?;
        let skipped = io::copy(&mut reader.by_ref().take(from), &mut io::sink())?;
        if skipped < from {
            let words = format!("it ended after {skipped} of {} bytes", self.source.size());
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, words));
        }
        Ok(reader)
    }
}

impl Source for Part<'_, '_> {
    fn size(&self) -> u64 {
        self.size
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        let reader = Some(self.of.at(self.from)?);
        Ok(Box::new(PartReader { part: self, reader, at: self.from }))
    }
}

struct PartReader<'r, 'a> {
    part: &'r Part<'r, 'a>,
    reader: Option<Box<dyn Read + Send + 'a>>,
    at: u64,
}

impl Read for PartReader<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let end = self.part.from + self.part.size;
        let Some(reader) = &mut self.reader else { return Ok(0) };
        // The last part reads the source to its end, where it is held to its digest.
        let room = if end >= self.part.of.source.size() {
            buffer.len()
        } else {
            buffer.len().min(usize::try_from(end - self.at).unwrap_or(usize::MAX))
        };
        let got = reader.read(&mut buffer[..room])?;
        self.at += got as u64;
        Ok(got)
    }
}

impl Drop for PartReader<'_, '_> {
    fn drop(&mut self) {
        if let Some(reader) = self.reader.take() {
            *lock(&self.part.of.open) = Some((reader, self.at));
        }
    }
}
