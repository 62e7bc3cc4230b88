//! Uploads that have begun: where they are, so that none is left behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use transfer::{Client, Method, Request, Response, Timeouts, Url};

use super::{RegistryError, Repository, lock};

/// Whoever cleans up does not wait long.
const CLEAN_UP: Duration = Duration::from_secs(3);
/// Numbers for sessions, of all repositories.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// An upload that has begun.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    key: u64,
    pub(super) place: Url,
    /// How many bytes the registry has.
    pub(super) at: u64,
    /// No chunk but the last may be smaller.
    pub(super) minimum: u64,
}

impl Repository {
    /// Notes a session that an answer has begun.
    pub(super) fn opened(&self, place: Url, answer: &Response) -> Session {
        let key = NEXT.fetch_add(1, Ordering::Relaxed);
        lock(&self.sessions).insert(key, place.clone());
        let minimum = answer.header("oci-chunk-min-length").and_then(|text| text.parse().ok());
        Session { key, place, at: 0, minimum: minimum.unwrap_or(0) }
    }

    /// Notes where a session goes on.
    pub(super) fn moved(&self, session: &mut Session, place: Url) {
        lock(&self.sessions).insert(session.key, place.clone());
        session.place = place;
    }

    /// Notes that a session has ended.
    pub(super) fn closed(&self, session: &Session) {
        lock(&self.sessions).remove(&session.key);
    }

    /// Tells the registry that a session is given up. Whether it hears that is its own matter.
    pub(super) fn abandon(&self, session: &Session) {
        // A client that was stopped sends nothing; then all sessions are given up together.
        if self.client.is_stopped() {
            return;
        }
        self.closed(session);
        let request = Request::new(Method::DELETE, session.place.clone()).within(CLEAN_UP);
        if let Ok(answer) = self.send_once(&request) {
            answer.finish();
        }
    }

    /// Gives up all uploads that have begun, by a new client: the old one was stopped.
    pub(crate) fn clean_up(&self) -> Result<(), RegistryError> {
        let sessions = std::mem::take(&mut *lock(&self.sessions));
        if sessions.is_empty() {
            return Ok(());
        }
        let mut settings = self.client.settings().clone();
        settings.timeouts = Timeouts::silent_for(CLEAN_UP);
        let client = Arc::new(Client::new(settings));
        let known = self.auth.current(&|request| Ok(client.send(request)?))?;
        for place in sessions.into_values() {
            let request = Request::new(Method::DELETE, place);
            let answer = client.send(&request.credential(known.credential.as_ref()))?;
            if let Some(trace) = &self.voice.trace {
                trace.step(&format!("{}: {}", answer.call(), answer.status()));
            }
            answer.finish();
        }
        Ok(())
    }
}
