//! What the registry holds.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, TcpStream};

use super::auth::Given;
use super::{Act, Fault, Received};

/// All that a registry knows.
#[derive(Debug)]
pub(super) struct State {
    pub(super) address: SocketAddr,
    pub(super) received: Vec<Received>,
    pub(super) faults: Vec<Fault>,
    /// Blobs by digest.
    pub(super) blobs: BTreeMap<String, Vec<u8>>,
    /// Which repositories have a blob; all, unless they are kept apart.
    links: BTreeSet<(String, String)>,
    pub(super) apart: bool,
    pub(super) no_mounts: bool,
    pub(super) never_continues: bool,
    pub(super) open_uploads: bool,
    pub(super) forgets_broken: bool,
    pub(super) chunk_minimum: usize,
    pub(super) page: usize,
    pub(super) tokens: Given,
    /// Manifests by repository, then by tag or digest: media type and bytes.
    manifests: BTreeMap<String, BTreeMap<String, (String, Vec<u8>)>>,
    /// Uploads that have begun: the query that must come back, and the bytes so far.
    pub(super) uploads: BTreeMap<String, Upload>,
    pub(super) next_upload: u64,
    /// Connections to close at the end, by a number of their own.
    pub(super) open: BTreeMap<u64, TcpStream>,
    pub(super) next_connection: u64,
}

/// An upload that has begun.
#[derive(Debug, Default)]
pub(super) struct Upload {
    pub(super) query: String,
    pub(super) bytes: Vec<u8>,
}

impl State {
    pub(super) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            received: Vec::new(),
            faults: Vec::new(),
            blobs: BTreeMap::new(),
            links: BTreeSet::new(),
            apart: false,
            no_mounts: false,
            never_continues: false,
            open_uploads: false,
            forgets_broken: false,
            chunk_minimum: 0,
            page: usize::MAX,
            tokens: Given::default(),
            manifests: BTreeMap::new(),
            uploads: BTreeMap::new(),
            next_upload: 1,
            open: BTreeMap::new(),
            next_connection: 1,
        }
    }

    pub(super) fn fault_for(&mut self, request: &Received) -> Option<Act> {
        self.faults.iter_mut().find_map(|fault| fault.meets(request).then(|| fault.act().clone()))
    }

    /// A blob, if a repository has it.
    pub(super) fn blob(&self, repository: &str, digest: &str) -> Option<&Vec<u8>> {
        let linked =
            !self.apart || self.links.contains(&(repository.to_owned(), digest.to_owned()));
        self.blobs.get(digest).filter(|_| linked)
    }

    /// Gives a repository a blob.
    pub(super) fn link(&mut self, repository: &str, digest: &str) {
        self.links.insert((repository.to_owned(), digest.to_owned()));
    }

    /// Keeps a part of a body whose connection broke.
    pub(super) fn keep(&mut self, request: &Received, part: &[u8]) {
        let id = request.path.rsplit('/').next().unwrap_or_default();
        if self.forgets_broken {
            self.uploads.remove(id);
        } else if let Some(upload) = self.uploads.get_mut(id) {
            upload.bytes.extend_from_slice(part);
        }
    }

    /// Leaves an upload where it was, as its new place was told to nobody.
    pub(super) fn stay(&mut self, request: &Received) {
        let id = request.path.rsplit('/').next().unwrap_or_default();
        if request.method != "PATCH" {
            return;
        }
        let newest = format!("u{}", self.next_upload - 1);
        if let Some(upload) = self.uploads.remove(&newest) {
            let upload = Upload { query: request.query.clone(), ..upload };
            self.uploads.insert(id.to_owned(), upload);
        }
    }

    /// Takes a manifest away, and what names it.
    pub(super) fn remove_manifest(&mut self, repository: &str, digest: &str) -> bool {
        let Some(here) = self.manifests.get_mut(repository) else { return false };
        let before = here.len();
        here.retain(|_, (_, bytes)| oci::Digest::of(bytes).as_str() != digest);
        here.len() != before
    }

    pub(super) fn manifest(&self, repository: &str, reference: &str) -> Option<(String, Vec<u8>)> {
        self.manifests.get(repository)?.get(reference).cloned()
    }

    pub(super) fn set_manifest(
        &mut self,
        repository: &str,
        references: [&str; 2],
        manifest: &(String, Vec<u8>),
    ) {
        let here = self.manifests.entry(repository.to_owned()).or_default();
        for reference in references {
            here.insert(reference.to_owned(), manifest.clone());
        }
    }

    pub(super) fn has_repository(&self, repository: &str) -> bool {
        self.manifests.contains_key(repository)
    }

    pub(super) fn tags(&self, repository: &str) -> Vec<String> {
        let known = self.manifests.get(repository).into_iter().flat_map(BTreeMap::keys);
        known.filter(|reference| !reference.contains(':')).cloned().collect()
    }
}
