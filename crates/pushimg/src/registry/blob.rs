//! Blobs: is it there, and reading it.

use std::io::{self, Read};
use std::time::Duration;

use oci::{Descriptor, MismatchError, VerifyingReader};
use transfer::{Method, Patience, Request, Response, StatusCode};

use super::{RegistryError, Repository, is_html, not_a_registry, said_digest};

/// How long it is waited for an answer that only saves work.
const SHORT: Duration = Duration::from_secs(2);

impl Repository {
    /// Whether the registry has a blob. Only a clear yes counts: what answers anything else may still take it.
    pub(crate) fn has_blob(&self, blob: &Descriptor) -> Result<bool, RegistryError> {
        let url = self.url(&format!("blobs/{}", blob.digest))?;
        let answer = self.send(&Request::new(Method::HEAD, url))?;
        Ok(is_this(&answer, blob))
    }

    /// Whether the registry has a blob, asked once and in passing.
    pub(super) fn has_by_now(&self, blob: &Descriptor) -> bool {
        let Ok(url) = self.url(&format!("blobs/{}", blob.digest)) else { return false };
        let answer = self.send_once(&Request::new(Method::HEAD, url).within(SHORT));
        answer.is_ok_and(|answer| is_this(&answer, blob))
    }

    /// Reads a blob of at most `limit` bytes, and holds it to its digest.
    pub(crate) fn fetch_blob(
        &self,
        blob: &Descriptor,
        limit: usize,
    ) -> Result<Vec<u8>, RegistryError> {
        let answer = self.get_blob(blob)?;
        let call = answer.call().clone();
        let bytes = answer.read((limit as u64).min(blob.size))?;
        let mut verified =
            VerifyingReader::new(&bytes[..], &blob.digest, blob.size).map_err(|error| {
                RegistryError::Content { call: call.clone(), source: invalid(error) }
            })?;
        io::copy(&mut verified, &mut io::sink())
            .map_err(|source| RegistryError::Content { call, source })?;
        Ok(bytes)
    }

    /// A blob as a stream, which is not held to its digest here. A connection that breaks is made anew.
    pub(crate) fn blob_reader<'a>(&'a self, blob: &Descriptor) -> BlobReader<'a> {
        let (blob, patience) = (blob.clone(), self.patience());
        BlobReader { from: self, blob, at: 0, body: None, patience }
    }

    /// The rest of a blob from this byte on.
    fn blob_from(&self, blob: &Descriptor, at: u64) -> Result<Box<dyn Read + Send>, RegistryError> {
        if at == 0 {
            return Ok(Box::new(self.get_blob(blob)?.reader()));
        }
        let url = self.url(&format!("blobs/{}", blob.digest))?;
        let request = Request::new(Method::GET, url).header("Range", format!("bytes={at}-"));
        let answer = self.send(&request)?;
        let begins =
            answer.header("content-range").map(|range| range.starts_with(&format!("bytes {at}-")));
        match answer.status() {
            StatusCode::PARTIAL_CONTENT if begins == Some(true) => Ok(Box::new(answer.reader())),
            StatusCode::OK if !is_html(&answer) => {
                let mut reader = answer.reader();
                // What breaks off here breaks off again when it is read.
                let _short = io::copy(&mut reader.by_ref().take(at), &mut io::sink());
                Ok(Box::new(reader))
            }
            _ => Err(not_a_registry(answer)),
        }
    }

    fn get_blob(&self, blob: &Descriptor) -> Result<Response, RegistryError> {
        let url = self.url(&format!("blobs/{}", blob.digest))?;
        let answer = self.send(&Request::new(Method::GET, url))?;
        match answer.status() {
            StatusCode::OK if !is_html(&answer) => Ok(answer),
            StatusCode::OK => Err(not_a_registry(answer)),
            _ => Err(answer.into_error().into()),
        }
    }
}

/// Reads a blob of a registry.
pub(crate) struct BlobReader<'a> {
    from: &'a Repository,
    blob: Descriptor,
    at: u64,
    body: Option<Box<dyn Read + Send>>,
    patience: Patience,
}

impl Read for BlobReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let body = if let Some(body) = &mut self.body {
                body
            } else {
                let body = self.from.blob_from(&self.blob, self.at).map_err(io::Error::other)?;
                self.body.insert(body)
            };
            let why = match body.read(buffer) {
                Ok(0) if self.at < self.blob.size => "the blob broke off".to_owned(),
                Ok(got) => {
                    self.at += got as u64;
                    self.patience.renew();
                    return Ok(got);
                }
                Err(error) => error.to_string(),
            };
            self.body = None;
            let why = format!("{}: {why}", self.blob.digest);
            let origin = self.from.base.origin();
            if !self.from.wait(&mut self.patience, None, origin, &why, None) {
                return Err(io::Error::other(why));
            }
        }
    }
}

fn is_this(answer: &Response, blob: &Descriptor) -> bool {
    let size = answer.header("content-length").and_then(|text| text.parse::<u64>().ok());
    let said = said_digest(answer, &blob.digest);
    answer.status() == StatusCode::OK
        && !is_html(answer)
        && size.is_none_or(|size| size == blob.size)
        && said.is_none_or(|said| said == blob.digest.as_str())
}

fn invalid(error: MismatchError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
