//! A registry in this process: the distribution protocol as `docker-registry` speaks it, kept in memory, with counters of
//! what came in and switches that make it fail as real ones do.
//!
//! It is strict where a client may be wrong: the query of an upload's location must come back byte for byte, a location
//! is good once, blobs must hash to their digest, a manifest's blobs must be there and its content type must be its
//! media type.

mod answer;
mod auth;
mod fault;
mod http;
mod protocol;
mod state;

use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

pub use answer::Answer;
pub use auth::{Auth, Tokens};
pub use fault::{Act, Fault};
pub use http::Received;
use state::State;

/// A registry that listens on a port of its own until it is dropped.
#[derive(Debug)]
pub struct Registry {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    auth: Auth,
    state: Mutex<State>,
    stopped: AtomicBool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registry {
    /// A registry that lets everybody in.
    ///
    /// # Panics
    /// When no port can be had.
    pub fn start() -> Self {
        Self::with_auth(Auth::None)
    }

    /// A registry that wants a login.
    ///
    /// # Panics
    /// When no port can be had.
    pub fn with_auth(auth: Auth) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            auth,
            state: Mutex::new(State::new(address)),
            stopped: AtomicBool::new(false),
        });
        let thread = Some(thread::spawn({
            let shared = Arc::clone(&shared);
            move || listen(&listener, &shared)
        }));
        Self { address, shared, thread }
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Makes the next matching requests fail.
    pub fn fault(&self, fault: Fault) {
        self.shared.state().faults.push(fault);
    }

    /// Lets bodies wait for a `100 Continue` that never comes.
    pub fn never_continue(&self) {
        self.shared.state().never_continues = true;
    }

    /// Wants no login where uploads are sent to.
    pub fn open_uploads(&self) {
        self.shared.state().open_uploads = true;
    }

    /// Keeps what repositories have apart, as real ones do: a blob has to be pushed to each, or mounted.
    pub fn keep_repositories_apart(&self) {
        self.shared.state().apart = true;
    }

    /// Begins an upload where a mount is asked for.
    pub fn forbid_mounts(&self) {
        self.shared.state().no_mounts = true;
    }

    /// Says in each answer to a begun upload that no chunk but the last may be smaller.
    pub fn set_chunk_minimum(&self, bytes: usize) {
        self.shared.state().chunk_minimum = bytes;
    }

    /// Forgets an upload whose connection broke, as `docker-registry` 2 does.
    pub fn forget_broken_uploads(&self) {
        self.shared.state().forgets_broken = true;
    }

    /// Lists so many tags in one answer.
    pub fn set_page(&self, tags: usize) {
        self.shared.state().page = tags;
    }

    /// How many uploads have begun and not ended.
    pub fn open_upload_count(&self) -> usize {
        self.shared.state().uploads.len()
    }

    /// Puts a manifest in, under a tag and its digest.
    pub fn set_manifest(&self, repository: &str, tag: &str, media_type: &str, bytes: &[u8]) {
        let digest = oci::Digest::of(bytes).to_string();
        let manifest = (media_type.to_owned(), bytes.to_vec());
        self.shared.state().set_manifest(repository, [tag, &digest], &manifest);
    }

    /// All requests so far, in the order in which their heads came in.
    pub fn received(&self) -> Vec<Received> {
        self.shared.state().received.clone()
    }

    /// Forgets the requests so far: the next count begins at nothing.
    pub fn forget_requests(&self) {
        self.shared.state().received.clear();
    }

    /// The requests with this method whose path holds `part`.
    pub fn count(&self, method: &str, part: &str) -> usize {
        let state = self.shared.state();
        state.received.iter().filter(|one| one.method == method && one.path.contains(part)).count()
    }

    /// How many bytes of bodies came in.
    pub fn body_bytes(&self) -> u64 {
        self.shared.state().received.iter().map(|one| one.body_bytes).sum()
    }

    /// A blob that was pushed.
    pub fn blob(&self, digest: &str) -> Option<Vec<u8>> {
        self.shared.state().blobs.get(digest).cloned()
    }

    /// Every blob's digest.
    pub fn blobs(&self) -> Vec<String> {
        self.shared.state().blobs.keys().cloned().collect()
    }

    /// Puts a blob in, or makes one disappear with `None`.
    pub fn set_blob(&self, digest: &str, bytes: Option<Vec<u8>>) {
        let mut state = self.shared.state();
        match bytes {
            Some(bytes) => state.blobs.insert(digest.to_owned(), bytes),
            None => state.blobs.remove(digest),
        };
    }

    /// The media type and the bytes of a manifest, by tag or digest.
    pub fn manifest(&self, repository: &str, reference: &str) -> Option<(String, Vec<u8>)> {
        self.shared.state().manifest(repository, reference)
    }

    /// The tags of a repository, sorted.
    pub fn tags(&self, repository: &str) -> Vec<String> {
        self.shared.state().tags(repository)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // The listener waits in `accept`: a connection wakes it.
        drop(TcpStream::connect(self.address));
        for open in self.shared.state().open.values() {
            let _closed_already = open.shutdown(Shutdown::Both);
        }
        if let Some(thread) = self.thread.take() {
            let _panicked_already = thread.join();
        }
    }
}

fn listen(listener: &TcpListener, shared: &Arc<Shared>) {
    for connection in listener.incoming() {
        if shared.stopped.load(Ordering::SeqCst) {
            return;
        }
        let Ok(connection) = connection else { continue };
        let Ok(handle) = connection.try_clone() else { continue };
        let number = {
            let mut state = shared.state();
            state.next_connection += 1;
            let number = state.next_connection;
            state.open.insert(number, handle);
            number
        };
        let shared = Arc::clone(shared);
        thread::spawn(move || {
            // A client that goes away is no failure of the server.
            let _gone = http::serve(&connection, &shared);
            // Both handles close now: what is unread makes that a reset.
            shared.state().open.remove(&number);
        });
    }
}
