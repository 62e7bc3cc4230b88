//! Sending a blob: a place for it, all of it in one request, and what to do when that does not go well.
//!
//! After a failure the registry is asked before anything is sent again: it may have the blob, or a part of it, in which
//! case only the rest is sent. What cannot be resumed is begun anew; no session ever gets the first byte twice.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use oci::Descriptor;
use transfer::{CallError, Cancel, Method, Patience, Request, Response, Source, StatusCode, Url};

use super::rolling::{Part, Rolling};
use super::session::Session;
use super::{RegistryError, Repository, is_html, not_a_registry, said_digest};

/// How long it is waited for the state of an upload.
const SHORT: Duration = Duration::from_secs(2);
/// How often an upload that the registry no longer knows is begun anew, and how often it may say where to go on.
const RESTARTS: u32 = 5;
/// Where uploads that begin may be sent to.
const REDIRECTS: usize = 3;

/// A blob on its way.
struct Upload<'a> {
    to: &'a Repository,
    blob: &'a Descriptor,
    source: Rolling<'a>,
    cancel: &'a Cancel,
    watch: &'a (dyn Fn(u64) + Sync),
    patience: Patience,
    session: Option<Session>,
    /// How large parts are; all in one request without it.
    chunk: Option<u64>,
    restarts: u32,
    digest_doubted: bool,
    /// The farthest byte that went out.
    farthest: AtomicU64,
}

/// What went wrong, and how to go on.
enum Failure {
    /// Not at all.
    Fatal(RegistryError),
    /// Ask the registry what it has, then send the rest.
    Ask(RegistryError),
    /// The registry says what it has.
    Continue(Box<RegistryError>, Url, u64),
    /// Begin anew.
    Restart(RegistryError),
    /// Begin anew, and send it in one piece.
    Whole(RegistryError),
}

impl From<RegistryError> for Failure {
    fn from(error: RegistryError) -> Self {
        if error.is_transient() { Self::Ask(error) } else { Self::Fatal(error) }
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        RegistryError::from(error).into()
    }
}

impl Repository {
    /// Sends a blob. Nothing is left behind when that fails.
    pub(crate) fn push_blob(
        &self,
        blob: &Descriptor,
        source: &dyn Source,
        cancel: &Cancel,
        watch: &(dyn Fn(u64) + Sync),
    ) -> Result<(), RegistryError> {
        let mut upload = Upload {
            to: self,
            blob,
            source: Rolling::new(source),
            cancel,
            watch,
            patience: self.patience(),
            session: None,
            chunk: self.habits.chunk,
            restarts: 0,
            digest_doubted: false,
            farthest: AtomicU64::new(0),
        };
        let done = upload.run();
        if let Some(session) = upload.session.take() {
            if done.is_ok() {
                self.closed(&session);
            } else {
                self.abandon(&session);
            }
        }
        done
    }

    /// Starts an upload. None if the registry has the blob after all.
    fn begin(&self, blob: &Descriptor) -> Result<Option<Session>, RegistryError> {
        let mut again = 2;
        loop {
            let answer = match self.mount(blob) {
                Some(answer) => answer,
                None => self.post(self.url("blobs/uploads/")?)?,
            };
            let (status, call) = (answer.status(), answer.call().clone());
            match status.as_u16() {
                202 => {
                    let Some(place) = answer.location()? else {
                        if again == 0 {
                            return Err(RegistryError::NoLocation { call, status });
                        }
                        again -= 1;
                        answer.finish();
                        continue;
                    };
                    check_place(&answer, &place)?;
                    let session = self.opened(place, &answer);
                    answer.finish();
                    return Ok(Some(session));
                }
                // Mounted; or it only says so, and then it can be asked.
                201 => {
                    answer.finish();
                    if self.has_blob(blob)? {
                        return Ok(None);
                    }
                    if again == 0 {
                        return Err(RegistryError::Lost { call, status });
                    }
                    again -= 1;
                }
                200..400 => return Err(not_a_registry(answer)),
                _ => return Err(answer.into_error().into()),
            }
        }
    }

    /// A POST, with the redirects that only say where uploads begin.
    pub(super) fn post(&self, mut url: Url) -> Result<Response, RegistryError> {
        for _ in 0..REDIRECTS {
            let answer = self.send(&Request::new(Method::POST, url))?;
            if !matches!(answer.status().as_u16(), 307 | 308) {
                return Ok(answer);
            }
            let Some(target) = answer.location()? else { return Err(not_a_registry(answer)) };
            check_place(&answer, &target)?;
            answer.finish();
            url = target;
        }
        self.send(&Request::new(Method::POST, url))
    }

    /// Asks for a blob of another repository; none when that says nothing, for whatever reason.
    fn mount(&self, blob: &Descriptor) -> Option<Response> {
        let from = self.mounts.get(&blob.digest).filter(|from| **from != self.name)?;
        let url = self.url("blobs/uploads/").ok()?;
        let url = url.with_pair("mount", blob.digest.as_str()).with_pair("from", from);
        let answer = self.send_once(&Request::new(Method::POST, url)).ok()?;
        match answer.status().as_u16() {
            // A mount that is not there is none.
            201 if !self.has_by_now(blob) => None,
            201 => Some(answer),
            202 if answer.location().is_ok_and(|place| place.is_some()) => Some(answer),
            _ => {
                answer.finish();
                None
            }
        }
    }
}

impl Upload<'_> {
    fn run(&mut self) -> Result<(), RegistryError> {
        loop {
            match self.attempt() {
                Ok(()) => return Ok(()),
                Err(failure) => {
                    if self.recover(failure)? {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Sends what the registry does not have.
    fn attempt(&mut self) -> Result<(), Failure> {
        if self.session.is_none() {
            match self.to.begin(self.blob).map_err(Failure::Fatal)? {
                Some(session) => self.session = Some(session),
                None => return Ok(()),
            }
        }
        let size = self.blob.size;
        loop {
            let Some(session) = &self.session else { return Ok(()) };
            let (at, minimum) = (session.at, session.minimum);
            let chunk = self.chunk.map(|chunk| chunk.max(minimum).max(1));
            if at == 0 && chunk.is_none_or(|chunk| chunk >= size) {
                return self.put(0);
            }
            if at >= size {
                return self.put(size);
            }
            self.patch(at, chunk.unwrap_or(u64::MAX).min(size - at))?;
        }
    }

    /// Ends the upload, with what is missing of the body.
    fn put(&self, from: u64) -> Result<(), Failure> {
        let Some(session) = &self.session else { return Ok(()) };
        let size = self.blob.size - from;
        let url = session.place.with_pair("digest", self.blob.digest.as_str());
        let part = Part { of: &self.source, from, size };
        let sent = AtomicU64::new(from);
        let watch = |bytes| self.count(&sent, bytes);
        let mut request = Request::new(Method::PUT, url).cancel(self.cancel);
        if size != 0 || self.blob.size == 0 {
            request = request.header("Content-Type", "application/octet-stream");
            request = request.body(&part).watch(&watch);
        }
        let answer = self.send(&request)?;
        let (call, status) = (answer.call().clone(), answer.status());
        let lost = || RegistryError::Lost { call: call.clone(), status };
        match status.as_u16() {
            // A yes to a body that it has not seen.
            200..300 if !answer.is_to_the_whole() => {
                answer.finish();
                Err(Failure::Ask(lost()))
            }
            201 => {
                let said = said_digest(&answer, &self.blob.digest);
                if let Some(found) = said.filter(|said| said != self.blob.digest.as_str()) {
                    let expected = self.blob.digest.clone();
                    return Err(Failure::Fatal(RegistryError::Digest { call, found, expected }));
                }
                if is_html(&answer) {
                    return Err(Failure::Fatal(not_a_registry(answer)));
                }
                answer.finish();
                Ok(())
            }
            200 | 202 | 204 if !is_html(&answer) => {
                answer.finish();
                let there = self.to.has_blob(self.blob).map_err(Failure::Fatal)?;
                if there { Ok(()) } else { Err(Failure::Fatal(lost())) }
            }
            200..400 => Err(Failure::Fatal(not_a_registry(answer))),
            _ => Err(self.refused(answer)),
        }
    }

    /// Sends a part of the body.
    fn patch(&mut self, at: u64, size: u64) -> Result<(), Failure> {
        let Some(session) = &self.session else { return Ok(()) };
        let part = Part { of: &self.source, from: at, size };
        let sent = AtomicU64::new(at);
        let watch = |bytes| self.count(&sent, bytes);
        let request = Request::new(Method::PATCH, session.place.clone())
            .header("Content-Type", "application/octet-stream")
            .header("Content-Range", format!("{at}-{}", at + size - 1))
            .body(&part)
            .cancel(self.cancel)
            .watch(&watch);
        let answer = self.send(&request)?;
        let (call, status) = (answer.call().clone(), answer.status());
        if !matches!(status.as_u16(), 200..=202 | 204) {
            return Err(self.refused(answer));
        }
        if !answer.is_to_the_whole() {
            return Err(Failure::Ask(RegistryError::Lost { call, status }));
        }
        let has = received(&answer);
        let place = Self::place(&answer)?;
        answer.finish();
        let end = match has {
            None => at + size,
            // `0-0` after the first part says one byte, or none.
            Some(1) if at == 0 && size > 1 => 0,
            Some(has) => has.min(at + size),
        };
        if end <= at {
            return Err(Failure::Whole(RegistryError::Standstill { call, status }));
        }
        self.patience.renew();
        if let (Some(session), Some(place)) = (&mut self.session, place) {
            self.to.moved(session, place);
        }
        if let Some(session) = &mut self.session {
            session.at = end;
        }
        Ok(())
    }

    fn send(&self, request: &Request<'_>) -> Result<Response, Failure> {
        Ok(self.to.send_once(request)?)
    }

    /// Where an answer says that the upload goes on, if that is a place to go to.
    fn place(answer: &Response) -> Result<Option<Url>, Failure> {
        let place = answer.location().map_err(|error| Failure::Fatal(error.into()))?;
        if let Some(place) = &place {
            check_place(answer, place).map_err(Failure::Fatal)?;
        }
        Ok(place)
    }

    /// What an answer other than yes means.
    fn refused(&self, answer: Response) -> Failure {
        let status = answer.status();
        if let (400..=499, Ok(Some(place)), Some(has)) =
            (status.as_u16(), Self::place(&answer), received(&answer))
            && !matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
        {
            return Failure::Continue(Box::new(answer.into_error().into()), place, has);
        }
        let error = answer.into_error();
        let has_code =
            |code| matches!(&error, CallError::Status { words, .. } if words.has_code(code));
        let unknown = has_code("BLOB_UPLOAD_UNKNOWN") || has_code("BLOB_UPLOAD_INVALID");
        let digest_wrong = has_code("DIGEST_INVALID");
        let transient = error.is_transient();
        let error = RegistryError::from(error);
        match status.as_u16() {
            416 if self.chunk.is_some() => Failure::Whole(error),
            416 => Failure::Restart(error),
            400 | 404 if unknown => Failure::Restart(error),
            // What was sent has been held to its digest here: it broke on its way, or there.
            400 if digest_wrong && !self.digest_doubted => Failure::Restart(error),
            _ if transient => Failure::Ask(error),
            _ => Failure::Fatal(error),
        }
    }

    /// Makes ready for the next try; says whether none is needed.
    fn recover(&mut self, failure: Failure) -> Result<bool, RegistryError> {
        let (error, restart) = match failure {
            Failure::Fatal(error) => return Err(error),
            Failure::Ask(error) => (error, false),
            Failure::Restart(error) => (error, true),
            Failure::Whole(error) => {
                self.chunk = None;
                (error, true)
            }
            Failure::Continue(error, place, at) => {
                self.restarts += 1;
                if self.restarts > 2 * RESTARTS {
                    return Err(*error);
                }
                if let Some(session) = &mut self.session {
                    self.to.moved(session, place);
                    session.at = at.min(self.blob.size);
                }
                return Ok(false);
            }
        };
        if restart {
            self.restarts += 1;
            self.digest_doubted = true;
            if self.restarts > RESTARTS {
                return Err(error);
            }
            self.begin_anew();
            return Ok(false);
        }
        let origin = match &self.session {
            Some(session) => session.place.origin().clone(),
            None => self.to.base.origin().clone(),
        };
        // Where only the answer is lost there is nothing to wait for.
        if error.is_without_answer() && self.to.has_by_now(self.blob) {
            return Ok(true);
        }
        let asked = error.retry_after();
        let why = error.chain();
        if !self.to.wait(&mut self.patience, asked, &origin, &why, Some(self.cancel)) {
            return Err(error);
        }
        if self.to.has_by_now(self.blob) {
            return Ok(true);
        }
        if !self.ask_state() {
            self.begin_anew();
        }
        Ok(false)
    }

    /// Asks how much of the body has arrived; says whether it can be gone on from there.
    fn ask_state(&mut self) -> bool {
        let Some(session) = &self.session else { return false };
        let request = Request::new(Method::GET, session.place.clone()).within(SHORT);
        let Ok(answer) = self.to.send_once(&request) else { return false };
        let has = received(&answer).filter(|_| answer.status() == StatusCode::NO_CONTENT);
        let place = Self::place(&answer).ok().flatten();
        answer.finish();
        let Some(session) = &mut self.session else { return false };
        // Wherever it is, it is to be found there when it is given up.
        if let Some(place) = place {
            self.to.moved(session, place);
        }
        // `0-0` may also mean that nothing came.
        let Some(has) = has.filter(|has| *has > 1 && *has <= self.blob.size) else { return false };
        if has > session.at {
            self.patience.renew();
        }
        session.at = has;
        let size = self.blob.size;
        let line = format!("{}: going on at byte {has} of {size}", self.blob.digest);
        self.to.voice.said.step(&line);
        true
    }

    fn begin_anew(&mut self) {
        if let Some(session) = self.session.take() {
            self.to.abandon(&session);
        }
    }

    /// Counts bytes that have not gone out before; `at` is where the request is.
    fn count(&self, at: &AtomicU64, bytes: u64) {
        let end = at.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let before = self.farthest.fetch_max(end, Ordering::Relaxed);
        if end > before {
            (self.watch)(end - before);
        }
    }
}

/// How many bytes an answer says to have: `0-N`, or `bytes=0-N`.
fn received(answer: &Response) -> Option<u64> {
    let range = answer.header("range")?;
    let (first, last) = range.strip_prefix("bytes=").unwrap_or(range).split_once('-')?;
    let last: u64 = last.trim().parse().ok()?;
    (first.trim() == "0").then(|| last.saturating_add(1))
}

/// A registry may keep uploads on another host, which then gets no login. It may not lead us into networks that only
/// we can reach, nor away from TLS.
pub(super) fn check_place(answer: &Response, place: &Url) -> Result<(), RegistryError> {
    let (here, there) = (answer.url().origin(), place.origin());
    let why = if here.is_secure() && !there.is_secure() {
        "which has no TLS"
    } else if there.is_private_address()
        && there.host() != here.host()
        && !(here.is_loopback() && there.is_loopback())
    {
        "a private address of another host"
    } else {
        return Ok(());
    };
    let (call, location) = (answer.call().clone(), there.to_string());
    Err(RegistryError::Location { call, location, why })
}
