//! From a reference to the repository behind it: scheme, proxies, certificates, login.

use std::path::PathBuf;

use cli::{Env, Io, Var};
use oci::Reference;
use transfer::{Client, Method, Proxies, Request, Roots, Settings, StatusCode, Url};

use crate::args::LoginArgs;
use crate::credentials;
use crate::error::PushError;
use crate::registry::{Access, Auth, Repository};

const USER_AGENT: &str = concat!("pushimg/", env!("CARGO_PKG_VERSION"));
/// Docker Hub's API has another name than its images.
const DOCKER_HUB: &str = "registry-1.docker.io";

/// Makes a repository of a reference. Of a registry on this machine it is asked whether it has TLS; all others have.
pub(crate) fn repository(
    io: &mut Io,
    args: &LoginArgs,
    jobs: u16,
    reference: &Reference,
    access: Access,
) -> Result<Repository, PushError> {
    let env = io.env.clone();
    let found = credentials::find(args, &env, reference, || io.stdin())?;
    let host = reference.host().unwrap_or_default();
    if let Some(helper) = found.helper {
        io.warn(format_args!(
            "the login for `{host}` is kept by the credential helper `{helper}`, and helpers are not run"
        ));
    }
    let client = Client::new(settings(&env, args, jobs)?);
    let base = base(&client, host, args.insecure)?;
    let auth = Auth::new(found.login, reference.repository(), access);
    let trace = (io.verbosity >= 1).then(|| io.progress("", None));
    Ok(Repository::new(client, base, reference.repository(), auth, trace))
}

fn settings(env: &Env, args: &LoginArgs, jobs: u16) -> Result<Settings, PushError> {
    let mut settings = Settings::new(USER_AGENT);
    settings.jobs = usize::from(jobs);
    settings.plain_http = args.insecure;
    settings.proxies =
        Proxies::parse(env.get(Var::HttpProxy), env.get(Var::HttpsProxy), env.get(Var::NoProxy))?;
    if let Some(file) = env.get(Var::SslCertFile) {
        settings.roots = Roots::File(PathBuf::from(file));
    }
    Ok(settings)
}

/// Where a registry's API is: https, but http on this machine or where the user says so.
fn base(client: &Client, host: &str, insecure: bool) -> Result<Url, PushError> {
    let api = if host == "docker.io" { DOCKER_HUB } else { host };
    let url = |scheme: &str| {
        let url = format!("{scheme}://{api}/").parse::<Url>();
        url.map_err(|source| PushError::Host { host: host.to_owned(), source })
    };
    let plain = url("http")?;
    if insecure {
        return Ok(plain);
    }
    if !plain.origin().is_loopback() {
        return url("https");
    }
    // A server with TLS answers a plain request with 400; whatever else happens is told by the requests to come.
    let ping = plain.resolve("/v2/").unwrap_or_else(|_| plain.clone());
    let answer = client.send(&Request::new(Method::GET, ping));
    let has_tls = match answer {
        Ok(answer) => {
            let bad = answer.status() == StatusCode::BAD_REQUEST;
            answer.finish();
            bad
        }
        Err(_) => false,
    };
    if has_tls { url("https") } else { Ok(plain) }
}
