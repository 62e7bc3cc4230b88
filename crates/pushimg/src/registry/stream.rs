//! Uploads whose length nobody knows beforehand: one request without a range, then the digest.

use oci::Descriptor;
use transfer::{Cancel, Method, Request, Source, StatusCode};

use super::session::Session;
use super::upload::check_place;
use super::{RegistryError, Repository, is_html, not_a_registry};

impl Repository {
    /// Sends a body whose length nobody knows. It is sent once: what breaks off is lost.
    pub(crate) fn stream_blob(
        &self,
        body: &dyn Source,
        cancel: &Cancel,
        watch: &(dyn Fn(u64) + Sync),
    ) -> Result<Session, RegistryError> {
        let answer = self.post(self.url("blobs/uploads/")?)?;
        let (status, call) = (answer.status(), answer.call().clone());
        if status != StatusCode::ACCEPTED {
            return Err(answer.into_error().into());
        }
        let Some(place) = answer.location()? else {
            return Err(RegistryError::NoLocation { call, status });
        };
        check_place(&answer, &place)?;
        let mut session = self.opened(place.clone(), &answer);
        answer.finish();
        let request = Request::new(Method::PATCH, place)
            .header("Content-Type", "application/octet-stream")
            .stream(body)
            .cancel(cancel)
            .watch(watch);
        let sent = self.send_once(&request).and_then(|answer| {
            if !matches!(answer.status().as_u16(), 200..=202 | 204) {
                return Err(answer.into_error().into());
            }
            let place = answer.location()?;
            if let Some(place) = &place {
                check_place(&answer, place)?;
            }
            answer.finish();
            Ok(place)
        });
        match sent {
            Ok(Some(place)) => self.moved(&mut session, place),
            Ok(None) => {}
            Err(error) => {
                self.abandon(&session);
                return Err(error);
            }
        }
        Ok(session)
    }

    /// Ends such an upload, now that its digest is known.
    pub(crate) fn finish_stream(
        &self,
        session: &Session,
        digest: &oci::Digest,
        size: u64,
    ) -> Result<(), RegistryError> {
        let url = session.place.with_pair("digest", digest.as_str());
        let done = self.send(&Request::new(Method::PUT, url)).and_then(|answer| {
            let (call, status) = (answer.call().clone(), answer.status());
            match status.as_u16() {
                200..=202 | 204 if !is_html(&answer) => answer.finish(),
                200..400 => return Err(not_a_registry(answer)),
                _ => return Err(answer.into_error().into()),
            }
            let blob = Descriptor::new(oci::MediaType::OCI_LAYER, digest.clone(), size);
            if self.has_blob(&blob)? { Ok(()) } else { Err(RegistryError::Lost { call, status }) }
        });
        match done {
            Ok(()) => self.closed(session),
            Err(_) => self.abandon(session),
        }
        done
    }

    /// Gives such an upload up.
    pub(crate) fn give_up_stream(&self, session: &Session) {
        self.abandon(session);
    }
}
