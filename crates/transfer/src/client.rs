//! The one place that speaks to the network.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ureq::http::Request as HttpRequest;
use ureq::tls::TlsConfig;
use ureq::unversioned::transport::{Connector as _, DefaultConnector};
use ureq::{Agent, AsSendBody, Proxy, SendBody};

use crate::body::{Sending, Stopped};
use crate::pending::{self, PendingConnector};
use crate::resolver::Remembered;
use crate::{
    CallError, Cancel, Method, Origin, Request, Response, RootsError, Settings, StatusCode, Trouble,
};

/// Bodies from this size on are announced by `Expect: 100-continue`: an early 401 or 413 then costs no body.
const EXPECT_FROM: u64 = 64 << 10;
const MAX_REDIRECTS: usize = 5;

/// Sends requests; share it between threads by reference.
#[derive(Debug)]
pub struct Client {
    settings: Settings,
    /// By TLS or not, proxied or not, and the host that has certificates of its own or another one.
    agents: [OnceLock<Agent>; 8],
    /// Origins that let us wait for a `100 Continue` in vain, or refused the question.
    unasked: Mutex<HashSet<Origin>>,
    /// Origins that asked to be left alone until some time.
    held: Mutex<HashMap<Origin, Instant>>,
    stop: Cancel,
}

impl Client {
    /// A client that has not connected anywhere yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            agents: Default::default(),
            unasked: Mutex::default(),
            held: Mutex::default(),
            stop: Cancel::new(),
        }
    }

    /// What it was told.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Ends all requests, those that wait for an answer, too, and refuses new ones.
    pub fn stop(&self) {
        self.stop.cancel();
        for agent in self.agents.iter().filter_map(OnceLock::get) {
            agent.clone().shutdown();
        }
    }

    /// Whether it was stopped.
    pub fn is_stopped(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Sends nothing to an origin for some time, on no thread: it has asked for that.
    pub fn hold(&self, origin: &Origin, time: Duration) {
        let until = Instant::now() + time;
        let mut held = lock(&self.held);
        let known = held.entry(origin.clone()).or_insert(until);
        *known = until.max(*known);
    }

    /// Waits; says whether it was to the end.
    pub fn pause(&self, time: Duration, cancel: Option<&Cancel>) -> bool {
        let end = Instant::now() + time;
        loop {
            if self.stop.is_cancelled() || cancel.is_some_and(Cancel::is_cancelled) {
                return false;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            thread::sleep(left.min(Duration::from_millis(20)));
        }
    }

    /// Waits until an origin may be asked again.
    fn wait_for(&self, request: &Request<'_>) -> Result<(), CallError> {
        let until = lock(&self.held).get(request.call.url.origin()).copied();
        let left =
            until.map_or(Duration::ZERO, |end| end.saturating_duration_since(Instant::now()));
        if self.pause(left, request.cancel) {
            return Ok(());
        }
        Err(CallError::Cancelled { call: request.call.clone() })
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
        self.wait_for(request)?;
        let large = request.body.is_some_and(|body| body.size() >= EXPECT_FROM) || request.chunked;
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
        let no_answer = |error| {
            if self.stop.is_cancelled() {
                return CallError::Cancelled { call: call.clone() };
            }
            let source = Trouble::new(error, call.url.origin().host());
            CallError::NoAnswer { call: call.clone(), source }
        };
        let agent = self
            .agent(call.url.origin())
            .map_err(|source| CallError::Roots { call: call.clone(), source })?;
        let Some(body) = request.body else {
            return self.run(agent, request, (), ask).map_err(no_answer);
        };
        if body.size() == 0 && !request.chunked {
            return self.run(agent, request, &b""[..], ask).map_err(no_answer);
        }
        let stops = [request.cancel, Some(&self.stop)];
        let mut sending = Sending::open(body, stops, request.watch, request.chunked)
            .map_err(|source| CallError::Source { call: call.clone(), source })?;
        pending::begin();
        let answer = self.run(agent, request, SendBody::from_reader(&mut sending), ask);
        if ask && sending.waited.is_some_and(|wait| wait >= self.settings.timeouts.await_continue) {
            self.unasked().insert(call.url.origin().clone());
        }
        let (sent, size) = (sending.sent(), sending.size());
        answer
            .map(|answer| Response { whole: !pending::is_cut() && sent == size, ..answer })
            .map_err(|error| {
                let call = call.clone();
                match sending.stopped {
                    Some(Stopped::Cancelled) => return CallError::Cancelled { call },
                    Some(Stopped::Failed(source)) => return CallError::Source { call, source },
                    None if self.stop.is_cancelled() => return CallError::Cancelled { call },
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
        if let Some(source) = request.body.filter(|_| !request.chunked) {
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
        let http = if request.chunked || request.body.is_some_and(|body| body.size() != 0) {
            agent
                .configure_request(http)
                .timeout_recv_response(Some(times.answer_to_body))
                .timeout_recv_body(Some(times.answer))
                .timeout_per_read(None)
                .build()
        } else if let Some(time) = request.within {
            agent.configure_request(http).timeout_recv_response(Some(time)).build()
        } else {
            http
        };
        let (parts, body) = agent.run(http)?.into_parts();
        let (status, headers) = (parts.status, parts.headers);
        Ok(Response { call: call.clone(), status, headers, body, whole: true })
    }

    /// The agent for an origin: with TLS or without, through its proxy or directly.
    fn agent(&self, origin: &Origin) -> Result<&Agent, RootsError> {
        let proxy = self.settings.proxies.for_origin(origin);
        let own = self.settings.host.as_ref().is_some_and(|own| own.is_for(origin));
        let place = usize::from(origin.is_secure()) * 4
            + usize::from(proxy.is_some()) * 2
            + usize::from(own);
        let place = &self.agents[place];
        if let Some(agent) = place.get() {
            return Ok(agent);
        }
        // Two threads may both come here; the second agent is dropped unused.
        let needs_tls = origin.is_secure() || proxy.is_some();
        let agent = self.new_agent(needs_tls, own, proxy.cloned())?;
        Ok(place.get_or_init(|| agent))
    }

    fn new_agent(&self, tls: bool, own: bool, proxy: Option<Proxy>) -> Result<Agent, RootsError> {
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
            let host = settings.host.as_ref().filter(|_| own);
            let mut builder = TlsConfig::builder();
            if let Some(host) = host.filter(|host| host.unverified) {
                builder = builder.disable_verification(true);
                builder = builder.client_cert(host.identity()?);
            } else {
                let authorities = host.map_or(&[][..], |host| &host.authorities);
                builder = builder.root_certs(settings.roots.load(authorities)?);
                if let Some(host) = host {
                    builder = builder.client_cert(host.identity()?);
                }
            }
            config = config.tls_config(builder.build());
        }
        let connector = DefaultConnector::new().chain(PendingConnector);
        Ok(Agent::with_parts(config.build(), connector, Remembered::default()))
    }

    fn unasked(&self) -> MutexGuard<'_, HashSet<Origin>> {
        lock(&self.unasked)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn not_followed(response: Response, why: &'static str) -> CallError {
    let (call, status) = (response.call().clone(), response.status());
    response.finish();
    CallError::Redirect { call, status, why }
}
