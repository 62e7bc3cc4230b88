//! What the registry holds.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpStream};

use super::{Act, Fault, Received};

/// All that a registry knows.
#[derive(Debug)]
pub(super) struct State {
    pub(super) address: SocketAddr,
    pub(super) received: Vec<Received>,
    pub(super) faults: Vec<Fault>,
    /// Blobs by digest: every repository sees them, as after a mount.
    pub(super) blobs: BTreeMap<String, Vec<u8>>,
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
