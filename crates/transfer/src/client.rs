//! The one place that speaks to the network.

use std::collections::HashSet;
use std::sync::{Mutex, OnceLock, PoisonError};

use ureq::http::Request as HttpRequest;
use ureq::tls::TlsConfig;
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, AsSendBody, Proxy, SendBody};

use crate::body::{Sending, Stopped};
use crate::resolver::Remembered;
use crate::{CallError, Method, Origin, Request, Response, Settings, StatusCode, Trouble};

/// Bodies from this size on are announced by `Expect: 100-continue`: an early 401 or 413 then costs no body.
const EXPECT_FROM: u64 = 64 << 10;
const MAX_REDIRECTS: usize = 5;

/// Sends requests; share it between threads by reference.
#[derive(Debug)]
pub struct Client {
    settings: Settings,
    /// By `secure` and `proxied`.
    agents: [OnceLock<Agent>; 4],
    /// Origins that let us wait for a `100 Continue` in vain, or refused the question.
    unasked: Mutex<HashSet<Origin>>,
}

impl Client {
    /// A client that has not connected anywhere yet.
    pub fn new(settings: Settings) -> Self {
        Self { settings, agents: Default::default(), unasked: Mutex::default() }
    }

    /// Sends a request and returns the answer, whatever its status.
    ///
    /// Redirects are followed for `GET` and `HEAD` alone, five at most, never from https to http.
    ///
    /// # Errors
    /// When no answer comes, or a redirect is not followed.
    pub fn send(&self, request: &Request<'_>) -> Result<Response, CallError> {
        let mut response = self.send_once(request)?;
        if !matches!(request.call.method, Method::GET | Method::HEAD) {
            return Ok(response);
        }
        for _ in 0..MAX_REDIRECTS {
            if !is_redirect(response.status()) {
                return Ok(response);
            }
            let target = match response.location()? {
                None => return Err(not_followed(response, "without a location")),
                Some(url) if response.url().origin().is_secure() && !url.origin().is_secure() => {
                    return Err(not_followed(response, "from https to http"));
                }
                Some(url) => url,
            };
            response.finish();
            let mut next = request.clone();
            next.call.url = target;
            response = self.send_once(&next)?;
        }
        if is_redirect(response.status()) {
            return Err(not_followed(response, "too many in a row"));
        }
        Ok(response)
    }

    fn send_once(&self, request: &Request<'_>) -> Result<Response, CallError> {
        let origin = request.call.url.origin();
        if !origin.is_secure() && !origin.is_loopback() && !self.settings.plain_http {
            return Err(CallError::PlainHttp { call: request.call.clone() });
        }
        let large = request.body.is_some_and(|body| body.size() >= EXPECT_FROM);
        let ask = large && !self.unasked().contains(origin);
        let response = self.exchange(request, ask)?;
        if ask && response.status() == StatusCode::EXPECTATION_FAILED {
            self.unasked().insert(origin.clone());
            response.finish();
            return self.exchange(request, false);
        }
        Ok(response)
    }

    fn exchange(&self, request: &Request<'_>, ask: bool) -> Result<Response, CallError> {
        let call = &request.call;
        let no_answer = |error| CallError::NoAnswer {
            call: call.clone(),
            source: Trouble::new(error, call.url.origin().host()),
        };
        let agent = self
            .agent(call.url.origin())
            .map_err(|source| CallError::Roots { call: call.clone(), source })?;
        let Some(body) = request.body else {
            return self.run(agent, request, (), ask).map_err(no_answer);
        };
        if body.size() == 0 {
            return self.run(agent, request, &b""[..], ask).map_err(no_answer);
        }
        let mut sending = Sending::open(body, request.cancel, request.watch)
            .map_err(|source| CallError::Source { call: call.clone(), source })?;
        let answer = self.run(agent, request, SendBody::from_reader(&mut sending), ask);
        if ask && sending.waited.is_some_and(|wait| wait >= self.settings.timeouts.await_continue) {
            self.unasked().insert(call.url.origin().clone());
        }
        answer.map_err(|error| {
            let (call, sent, size) = (call.clone(), sending.sent(), sending.size());
            match sending.stopped {
                Some(Stopped::Cancelled) => return CallError::Cancelled { call },
                Some(Stopped::Failed(source)) => return CallError::Source { call, source },
                None => {}
            }
            let source = Trouble::new(error, call.url.origin().host());
            if source.is_cut() && sent != 0 && sent < size {
                return CallError::BodyCut { call, sent, size, source };
            }
            CallError::NoAnswer { call, source }
        })
    }

    /// One exchange on the wire.
    fn run(
        &self,
        agent: &Agent,
        request: &Request<'_>,
        body: impl AsSendBody,
        ask: bool,
    ) -> Result<Response, ureq::Error> {
        let call = &request.call;
        let mut http = HttpRequest::builder().method(call.method.clone()).uri(call.url.as_str());
        for (name, value) in &request.headers {
            http = http.header(*name, value);
        }
        if let Some(source) = request.body {
            http = http.header("Content-Length", source.size());
        }
        if ask {
            http = http.header("Expect", "100-continue");
        }
        let credential = request.credential.and_then(|known| known.value_for(call.url.origin()));
        if let Some(value) = credential {
            http = http.header("Authorization", value);
        }
        let http = http.body(body)?;
        let times = self.settings.timeouts;
        // What is read while a body is sent is the answer alone, which may take the server a while.
        let http = if request.body.is_some_and(|body| body.size() != 0) {
            agent
                .configure_request(http)
                .timeout_recv_response(Some(times.answer_to_body))
                .timeout_recv_body(Some(times.answer))
                .timeout_per_read(None)
                .build()
        } else {
            http
        };
        let (parts, body) = agent.run(http)?.into_parts();
        Ok(Response { call: call.clone(), status: parts.status, headers: parts.headers, body })
    }

    /// The agent for an origin: with TLS or without, through its proxy or directly.
    fn agent(&self, origin: &Origin) -> Result<&Agent, crate::RootsError> {
        let proxy = self.settings.proxies.for_origin(origin);
        let place =
            &self.agents[usize::from(origin.is_secure()) * 2 + usize::from(proxy.is_some())];
        if let Some(agent) = place.get() {
            return Ok(agent);
        }
        // Two threads may both come here; the second agent is dropped unused.
        let needs_tls = origin.is_secure() || proxy.is_some();
        let agent = self.new_agent(needs_tls, proxy.cloned())?;
        Ok(place.get_or_init(|| agent))
    }

    fn new_agent(&self, tls: bool, proxy: Option<Proxy>) -> Result<Agent, crate::RootsError> {
        let settings = &self.settings;
        let times = settings.timeouts;
        let mut config = Agent::config_builder()
            .user_agent(&settings.user_agent)
            .accept_encoding("identity")
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(proxy)
            .max_idle_connections(settings.jobs + 4)
            .max_idle_connections_per_host(settings.jobs + 1)
            .timeout_connect(Some(times.connect))
            .timeout_await_100(Some(times.await_continue))
            .timeout_recv_response(Some(times.answer))
            .timeout_per_read(Some(times.idle))
            .timeout_per_write(Some(times.idle));
        if tls {
            let roots = settings.roots.load()?;
            config = config.tls_config(TlsConfig::builder().root_certs(roots).build());
        }
        Ok(Agent::with_parts(config.build(), DefaultConnector::default(), Remembered::default()))
    }

    fn unasked(&self) -> std::sync::MutexGuard<'_, HashSet<Origin>> {
        self.unasked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn not_followed(response: Response, why: &'static str) -> CallError {
    let (call, status) = (response.call().clone(), response.status());
    response.finish();
    CallError::Redirect { call, status, why }
}
