//! Manifests: what a tag names, and writing it.

use std::collections::BTreeMap;

use oci::{Descriptor, Digest, Index, MediaType};
use transfer::{Bytes, Call, Method, Request, Response, StatusCode, Url};

use super::{RegistryError, Repository, is_html, not_a_registry, said_digest};

/// What registries are asked for: images and lists of them, in OCI's and Docker's terms.
const ACCEPT: &str = "application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json, \
     application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json";
const MAX_MANIFEST: u64 = oci::Manifest::LIMIT as u64;

/// More pages of tags than this are no list for people.
const MAX_PAGES: usize = 1000;

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
    pub(crate) fn list_tags(&self) -> Result<Option<Vec<String>>, RegistryError> {
        #[derive(serde::Deserialize)]
        struct List {
            tags: Option<Vec<String>>,
        }
        let mut tags = Vec::new();
        let mut url = self.url("tags/list")?;
        for _ in 0..MAX_PAGES {
            let answer = self.send(&Request::new(Method::GET, url.clone()))?;
            match answer.status() {
                StatusCode::OK if !is_html(&answer) => {}
                StatusCode::OK => return Err(not_a_registry(answer)),
                StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
                    answer.finish();
                    return Ok(None);
                }
                _ => return Err(answer.into_error().into()),
            }
            let next = answer.header("link").and_then(next_page).map(|page| url.resolve(page));
            let bytes = answer.read(MAX_MANIFEST)?;
            let list = serde_json::from_slice::<List>(&bytes).ok().and_then(|list| list.tags);
            tags.extend(list.unwrap_or_default());
            match next {
                // Tokens stay with this host whatever a link says.
                Some(Ok(next)) if next.origin() == url.origin() && next != url => url = next,
                _ => break,
            }
        }
        tags.sort();
        tags.dedup();
        Ok(Some(tags))
    }

    /// Takes a manifest away, with all its tags; says whether there was one.
    pub(crate) fn delete_manifest(&self, digest: &Digest) -> Result<bool, RegistryError> {
        let url = self.url(&format!("manifests/{digest}"))?;
        let answer = self.send(&Request::new(Method::DELETE, url))?;
        match answer.status().as_u16() {
            200 | 202 | 204 if !is_html(&answer) => {
                answer.finish();
                Ok(true)
            }
            404 => {
                answer.finish();
                Ok(false)
            }
            200..400 => Err(not_a_registry(answer)),
            _ => Err(answer.into_error().into()),
        }
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
        let mut patience = self.patience();
        let answer = loop {
            let outcome = self.send_once(&request);
            let (asked, why) = match &outcome {
                Ok(answer) if answer.is_transient() => {
                    (answer.retry_after(), format!("{}: {}", answer.call(), answer.status()))
                }
                Err(error) if error.is_transient() => (error.retry_after(), error.chain()),
                _ => break outcome?,
            };
            // Only the answer may be lost.
            if outcome.is_err() && self.has_manifest(&url, media_type, &digest) {
                return Ok(());
            }
            if !self.wait(&mut patience, asked, url.origin(), &why, None) {
                break outcome?;
            }
        };
        let (call, status) = (answer.call().clone(), answer.status());
        match status.as_u16() {
            200..=202 | 204 if !is_html(&answer) => {}
            200..400 => return Err(not_a_registry(answer)),
            _ => return Err(answer.into_error().into()),
        }
        same_digest(&answer, &digest)?;
        let knows_subject = answer.header("oci-subject").is_some();
        answer.finish();
        self.confirm(reference, media_type, bytes, &digest, (call, status))?;
        if knows_subject { Ok(()) } else { self.refer(media_type, bytes, &digest) }
    }

    /// Asks for what was just put.
    fn confirm(
        &self,
        reference: &str,
        media_type: &MediaType,
        bytes: &[u8],
        digest: &Digest,
        (call, status): (Call, StatusCode),
    ) -> Result<(), RegistryError> {
        let url = self.url(&format!("manifests/{reference}"))?;
        let answer =
            self.send(&Request::new(Method::HEAD, url).header("Accept", media_type.as_str()))?;
        if answer.status() == StatusCode::OK && said_digest(&answer, digest).is_some() {
            return same_digest(&answer, digest);
        }
        // No digest in the answer, or no answer to HEAD at all: then its bytes must do.
        match self.manifest(reference)? {
            Some(found) if found.bytes == bytes => Ok(()),
            Some(found) => {
                let (found, expected) = (found.digest.to_string(), digest.clone());
                Err(RegistryError::Digest { call, found, expected })
            }
            None => Err(RegistryError::Lost { call, status }),
        }
    }

    /// Whether a name stands for a manifest, asked once and in passing.
    fn has_manifest(&self, url: &Url, media_type: &MediaType, digest: &Digest) -> bool {
        let request = Request::new(Method::HEAD, url.clone()).header("Accept", media_type.as_str());
        self.send_once(&request).is_ok_and(|answer| {
            answer.status() == StatusCode::OK
                && said_digest(&answer, digest).is_some_and(|said| said == digest.as_str())
        })
    }

    /// Lists a manifest that has a subject under the tag that stands for the subject's referrers, as registries without
    /// an API for them want it.
    fn refer(
        &self,
        media_type: &MediaType,
        bytes: &[u8],
        digest: &Digest,
    ) -> Result<(), RegistryError> {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Referrer {
            subject: Option<Descriptor>,
            artifact_type: Option<MediaType>,
            config: Option<Descriptor>,
            #[serde(default)]
            annotations: BTreeMap<String, String>,
        }
        let Ok(referrer) = serde_json::from_slice::<Referrer>(bytes) else { return Ok(()) };
        let Some(subject) = referrer.subject else { return Ok(()) };
        let tag = format!("{}-{}", subject.digest.algorithm_name(), subject.digest.encoded());
        let tag: String = tag.chars().take(128).collect();
        let known = self.manifest(&tag)?;
        let known = known.and_then(|found| Index::parse(&found.bytes).ok());
        let mut index = known.unwrap_or_else(|| Index::oci(Vec::new()));
        if index.manifests.iter().any(|one| one.digest == *digest) {
            return Ok(());
        }
        let mut entry = Descriptor::new(media_type.clone(), digest.clone(), bytes.len() as u64);
        entry.artifact_type =
            referrer.artifact_type.or_else(|| referrer.config.map(|config| config.media_type));
        entry.annotations = referrer.annotations;
        index.manifests.push(entry);
        let Ok(bytes) = index.to_bytes() else { return Ok(()) };
        // An index has no subject, so this ends here.
        self.put_manifest(&tag, &MediaType::OCI_INDEX, &bytes)
    }
}

/// The target of `<…>; rel="next"`.
fn next_page(link: &str) -> Option<&str> {
    let (target, rest) = link.trim().strip_prefix('<')?.split_once('>')?;
    rest.to_ascii_lowercase().contains("rel=\"next\"").then_some(target)
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
