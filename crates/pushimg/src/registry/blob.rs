//! Blobs: is it there, and sending it.

use std::io;

use oci::{Descriptor, MismatchError, VerifyingReader};
use transfer::{CallError, Cancel, Method, Request, Response, Source, StatusCode, Url};

use super::{RegistryError, Repository, is_html, not_a_registry, said_digest};

impl Repository {
    /// Whether the registry has a blob. Only a clear yes counts: what answers anything else may still take it.
    pub(crate) fn has_blob(&self, blob: &Descriptor) -> Result<bool, RegistryError> {
        let url = self.url(&format!("blobs/{}", blob.digest))?;
        let answer = self.send(&Request::new(Method::HEAD, url))?;
        let size = answer.header("content-length").and_then(|text| text.parse::<u64>().ok());
        let said = said_digest(&answer, &blob.digest);
        Ok(answer.status() == StatusCode::OK
            && !is_html(&answer)
            && size.is_none_or(|size| size == blob.size)
            && said.is_none_or(|said| said == blob.digest.as_str()))
    }

    /// Sends a blob: a place for it, then all of it in one request.
    pub(crate) fn push_blob(
        &self,
        blob: &Descriptor,
        source: &dyn Source,
        cancel: &Cancel,
        watch: &(dyn Fn(u64) + Sync),
    ) -> Result<(), RegistryError> {
        let Some(place) = self.begin(blob)? else { return Ok(()) };
        let request = Request::new(Method::PUT, place.with_pair("digest", blob.digest.as_str()))
            .header("Content-Type", "application/octet-stream")
            .body(source)
            .cancel(cancel)
            .watch(watch);
        let answer = match self.send(&request) {
            // The registry may have it all and only its answer may be lost.
            Err(RegistryError::Call(
                error @ (CallError::BodyCut { .. } | CallError::NoAnswer { .. }),
            )) if !cancel.is_cancelled() => {
                return match self.has_blob(blob) {
                    Ok(true) => Ok(()),
                    _ => Err(error.into()),
                };
            }
            answer => answer?,
        };
        self.check_pushed(blob, answer)
    }

    /// Reads a blob of at most `limit` bytes, and holds it to its digest.
    pub(crate) fn fetch_blob(
        &self,
        blob: &Descriptor,
        limit: usize,
    ) -> Result<Vec<u8>, RegistryError> {
        let url = self.url(&format!("blobs/{}", blob.digest))?;
        let answer = self.send(&Request::new(Method::GET, url))?;
        match answer.status() {
            StatusCode::OK if !is_html(&answer) => {}
            StatusCode::OK => return Err(not_a_registry(answer)),
            _ => return Err(answer.into_error().into()),
        }
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

    /// Starts an upload. None if the registry says that it has the blob after all.
    fn begin(&self, blob: &Descriptor) -> Result<Option<Url>, RegistryError> {
        let answer = self.send(&Request::new(Method::POST, self.url("blobs/uploads/")?))?;
        let status = answer.status();
        match status.as_u16() {
            202 => {}
            // Nothing was mounted, so nothing is created; but it can be asked.
            201 => {
                let call = answer.call().clone();
                answer.finish();
                let there = self.has_blob(blob)?;
                return if there { Ok(None) } else { Err(RegistryError::Lost { call, status }) };
            }
            200..400 => return Err(not_a_registry(answer)),
            _ => return Err(answer.into_error().into()),
        }
        let Some(place) = answer.location()? else {
            return Err(RegistryError::NoLocation { call: answer.call().clone(), status });
        };
        check_place(&answer, &place)?;
        answer.finish();
        Ok(Some(place))
    }

    fn check_pushed(&self, blob: &Descriptor, answer: Response) -> Result<(), RegistryError> {
        let (call, status) = (answer.call().clone(), answer.status());
        match status.as_u16() {
            201 => {
                if let Some(found) =
                    said_digest(&answer, &blob.digest).filter(|said| said != blob.digest.as_str())
                {
                    let expected = blob.digest.clone();
                    return Err(RegistryError::Digest { call, found, expected });
                }
                answer.finish();
                Ok(())
            }
            200 | 202 | 204 if !is_html(&answer) => {
                answer.finish();
                if self.has_blob(blob)? {
                    Ok(())
                } else {
                    Err(RegistryError::Lost { call, status })
                }
            }
            200..400 => Err(not_a_registry(answer)),
            _ => Err(answer.into_error().into()),
        }
    }
}

fn invalid(error: MismatchError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// A registry may keep uploads on another host, which then gets no login. It may not lead us into networks that only
/// we can reach, nor away from TLS.
fn check_place(answer: &Response, place: &Url) -> Result<(), RegistryError> {
    let (here, there) = (answer.url().origin(), place.origin());
    let why = if here.is_secure() && !there.is_secure() {
        "which has no TLS"
    } else if there.is_private_address() && there.host() != here.host() {
        "a private address of another host"
    } else {
        return Ok(());
    };
    let (call, location) = (answer.call().clone(), there.to_string());
    Err(RegistryError::Location { call, location, why })
}
