//! Addresses of hosts, asked for once a minute and not once a request.
//!
//! The HTTP library looks a host up before it knows whether it has a connection open. Sixteen threads with a thousand
//! small requests then make a thousand look-ups, and a name server that drops a few of them costs five seconds each.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

const FRESH: Duration = Duration::from_secs(60);

/// What was asked of one host, and when; threads that want the same host wait for one answer.
type Answer = Arc<Mutex<Option<(Instant, ResolvedSocketAddrs)>>>;

/// The system's resolver, with a memory.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    system: DefaultResolver,
    /// By scheme, host and port.
    known: Mutex<HashMap<String, Answer>>,
}

impl Resolver for Remembered {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let origin = format!("{:?}://{:?}", uri.scheme(), uri.authority());
        let answer = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry(origin).or_default())
        };
        let mut answer = answer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, addresses)) = answer.as_ref().filter(|(when, _)| when.elapsed() < FRESH) {
            return Ok(addresses.clone());
        }
        let addresses = self.system.resolve(uri, config, timeout)?;
        *answer = Some((Instant::now(), addresses.clone()));
        Ok(addresses)
    }
}
