//! Manifests: what a tag names, and writing it.

use oci::{Digest, MediaType};
use transfer::{Bytes, Method, Request, Response, StatusCode};

use super::{RegistryError, Repository, is_html, not_a_registry, said_digest};

/// What registries are asked for: images and lists of them, in OCI's and Docker's terms.
const ACCEPT: &str = "application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json, \
     application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json";
const MAX_MANIFEST: u64 = oci::Manifest::LIMIT as u64;

/// A manifest that a registry has.
#[derive(Debug)]
pub(crate) struct Found {
    /// Its bytes: they are what its digest is of.
    pub(crate) bytes: Vec<u8>,
    /// Its digest, computed here.
    pub(crate) digest: Digest,
}

impl Repository {
    /// The manifest that a tag or a digest names; none if the registry says that there is none.
    pub(crate) fn manifest(&self, reference: &str) -> Result<Option<Found>, RegistryError> {
        let url = self.url(&format!("manifests/{reference}"))?;
        let answer = self.send(&Request::new(Method::GET, url).header("Accept", ACCEPT))?;
        match answer.status() {
            StatusCode::OK if !is_html(&answer) => {}
            StatusCode::OK => return Err(not_a_registry(answer)),
            StatusCode::NOT_FOUND => {
                answer.finish();
                return Ok(None);
            }
            _ => return Err(answer.into_error().into()),
        }
        let bytes = answer.read(MAX_MANIFEST)?;
        let digest = Digest::of(&bytes);
        Ok(Some(Found { bytes, digest }))
    }

    /// The tags of the repository, sorted; none if the registry does not list them.
    pub(crate) fn list_tags(&self) -> Result<Vec<String>, RegistryError> {
        #[derive(serde::Deserialize)]
        struct List {
            tags: Option<Vec<String>>,
        }
        let answer = self.send(&Request::new(Method::GET, self.url("tags/list")?))?;
        if answer.status() != StatusCode::OK {
            answer.finish();
            return Ok(Vec::new());
        }
        let bytes = answer.read(MAX_MANIFEST)?;
        let list = serde_json::from_slice::<List>(&bytes).ok().and_then(|list| list.tags);
        let mut tags = list.unwrap_or_default();
        tags.sort();
        Ok(tags)
    }

    /// Gives a manifest a name: after this, and not before, the tag has moved.
    pub(crate) fn put_manifest(
        &self,
        reference: &str,
        media_type: &MediaType,
        bytes: &[u8],
    ) -> Result<(), RegistryError> {
        let digest = Digest::of(bytes);
        let url = self.url(&format!("manifests/{reference}"))?;
        let body = Bytes(bytes);
        let request = Request::new(Method::PUT, url.clone())
            .header("Content-Type", media_type.as_str())
            .body(&body);
        let answer = self.send(&request)?;
        let (call, status) = (answer.call().clone(), answer.status());
        match status.as_u16() {
            200..=202 | 204 if !is_html(&answer) => {}
            200..400 => return Err(not_a_registry(answer)),
            _ => return Err(answer.into_error().into()),
        }
        same_digest(&answer, &digest)?;
        answer.finish();
        let head = Request::new(Method::HEAD, url).header("Accept", media_type.as_str());
        let answer = self.send(&head)?;
        if answer.status() == StatusCode::OK && said_digest(&answer, &digest).is_some() {
            return same_digest(&answer, &digest);
        }
        // No digest in the answer, or no answer to HEAD at all: then its bytes must do.
        match self.manifest(reference)? {
            Some(found) if found.bytes == bytes => Ok(()),
            Some(found) => {
                let found = found.digest.to_string();
                Err(RegistryError::Digest { call, found, expected: digest })
            }
            None => Err(RegistryError::Lost { call, status }),
        }
    }
}

fn same_digest(answer: &Response, ours: &Digest) -> Result<(), RegistryError> {
    match said_digest(answer, ours).filter(|said| said != ours.as_str()) {
        None => Ok(()),
        Some(found) => {
            let (call, expected) = (answer.call().clone(), ours.clone());
            Err(RegistryError::Digest { call, found, expected })
        }
    }
}
