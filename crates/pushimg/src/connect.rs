//! From a reference to the repository behind it: scheme, proxies, certificates, login.

use std::cell::OnceCell;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cli::{Env, Io, Var};
use oci::Reference;
use transfer::{
    Client, HostTls, Method, Proxies, Request, Roots, Secret, Settings, StatusCode, Timeouts, Url,
};

use crate::args::LoginArgs;
use crate::credentials;
use crate::error::PushError;
use crate::interrupt::Interrupt;
use crate::meter::Meter;
use crate::registries;
use crate::registry::{Access, Auth, Habits, Login, Repository, Voice};

const USER_AGENT: &str = concat!("pushimg/", env!("CARGO_PKG_VERSION"));
/// Docker Hub's API has another name than its images.
const DOCKER_HUB: &str = "registry-1.docker.io";
/// How long what fails is tried again.
const RETRY_FOR: Duration = Duration::from_secs(120);

/// How registries are reached in this run.
pub(crate) struct Reach<'a> {
    args: &'a LoginArgs,
    jobs: u16,
    chunk: Option<u64>,
    interrupt: &'a Interrupt,
    meter: &'a Arc<Meter>,
    /// The password that a flag led to, read once.
    given: OnceCell<Option<Secret>>,
}

impl<'a> Reach<'a> {
    pub(crate) fn new(
        args: &'a LoginArgs,
        jobs: u16,
        chunk: Option<u64>,
        interrupt: &'a Interrupt,
        meter: &'a Arc<Meter>,
    ) -> Self {
        Self { args, jobs, chunk, interrupt, meter, given: OnceCell::new() }
    }

    /// Makes a repository of a reference. Of a registry on this machine it is asked whether it has TLS; all others have.
    pub(crate) fn repository(
        &self,
        io: &mut Io,
        reference: &Reference,
        access: Access,
    ) -> Result<Repository, PushError> {
        self.repository_of(io, reference, access, true)
    }

    /// The same for a registry that flags and variables may not be for: without `own`, they are for another one.
    pub(crate) fn repository_of(
        &self,
        io: &mut Io,
        reference: &Reference,
        access: Access,
        own: bool,
    ) -> Result<Repository, PushError> {
        if self.given.get().is_none() {
            let given = credentials::given(self.args, io)?;
            drop(self.given.set(given));
        }
        let given = self.given.get().cloned().flatten();
        let login = credentials::find(self.args, &io.env, reference, given, own)?;
        self.repository_with(io, reference, access, login)
    }

    /// The same with a login that is known.
    pub(crate) fn repository_with(
        &self,
        io: &Io,
        reference: &Reference,
        access: Access,
        login: Option<Login>,
    ) -> Result<Repository, PushError> {
        let rule = registries::rule(&io.env, reference)?;
        let insecure = self.args.insecure || rule.insecure;
        let host = rule.reference.host().unwrap_or_default();
        let api = if host == "docker.io" { DOCKER_HUB } else { host };
        let url = |scheme: &str| {
            let url = format!("{scheme}://{api}/").parse::<Url>();
            url.map_err(|source| PushError::Host { host: host.to_owned(), source })
        };
        let (plain, secure) = (url("http")?, url("https")?);
        let own = registries::certificates(&io.env, host, secure.origin(), insecure);
        let client = Arc::new(Client::new(self.settings(&io.env, insecure, own)?));
        self.interrupt.watch(&client);
        let base = if insecure || plain.origin().is_loopback() {
            if has_tls(&client, &plain, &secure) { secure } else { plain }
        } else {
            secure
        };
        let name = rule.reference.repository();
        let auth = Auth::new(login, name, access);
        let habits =
            Habits { retry_for: self.args.retry_for.unwrap_or(RETRY_FOR), chunk: self.chunk };
        let trace = (io.verbosity >= 1).then(|| io.progress("", None));
        let voice = Voice::new(trace, Arc::clone(self.meter));
        Ok(Repository::new(client, base, name, auth, habits, voice))
    }

    fn settings(
        &self,
        env: &Env,
        insecure: bool,
        host: Option<HostTls>,
    ) -> Result<Settings, PushError> {
        let mut settings = Settings::new(USER_AGENT);
        settings.jobs = usize::from(self.jobs);
        settings.plain_http = insecure;
        settings.host = host;
        let (http, https) = (env.get(Var::HttpProxy), env.get(Var::HttpsProxy));
        settings.proxies = Proxies::parse(http, https, env.get(Var::NoProxy))?;
        if let Some(file) = env.get(Var::SslCertFile) {
            settings.roots = Roots::File(PathBuf::from(file));
        }
        if let Some(time) = self.args.timeout {
            settings.timeouts = Timeouts::silent_for(time);
        }
        Ok(settings)
    }
}

/// Whether a registry that need not have TLS has it. A server with TLS answers a plain request with 400, or not in
/// HTTP; whatever else happens is told by the requests to come.
fn has_tls(client: &Client, plain: &Url, secure: &Url) -> bool {
    let ask = |url: &Url| {
        let ping = url.resolve("/v2/").unwrap_or_else(|_| url.clone());
        client.send(&Request::new(Method::GET, ping))
    };
    match ask(plain) {
        Ok(answer) => {
            let is_plain = answer.status() != StatusCode::BAD_REQUEST;
            // A redirect to the same place with TLS was followed.
            let led = answer.url().origin().is_secure();
            answer.finish();
            led || !is_plain
        }
        Err(_) if !plain.origin().is_loopback() => match ask(secure) {
            Ok(answer) => {
                answer.finish();
                true
            }
            Err(_) => false,
        },
        Err(_) => false,
    }
}
