//! Keeping and forgetting logins.

use std::sync::Arc;

use cli::{Env, Exit, Io, Var};
use oci::Reference;

use crate::args::HostArgs;
use crate::authfile;
use crate::connect::Reach;
use crate::credentials::{self, CredentialsError};
use crate::error::PushError;
use crate::interrupt::Interrupt;
use crate::meter::Meter;
use crate::plan::PlanError;
use crate::registry::{Access, Login};

/// Tries a login and keeps it.
pub(crate) fn login(args: &HostArgs, io: &mut Io) -> Result<Exit, PushError> {
    let key = key(&args.host)?;
    let password = credentials::given(&args.login, io)?;
    let text = |env: &Env, var| env.get(var).map(|value| value.to_string_lossy().into_owned());
    let user = args.login.username.clone().or_else(|| text(&io.env, Var::RegistryUser));
    let password =
        password.or_else(|| text(&io.env, Var::RegistryPassword).map(transfer::Secret::new));
    let login = match (user, password) {
        (Some(user), Some(password)) => Login::new(user, password),
        (Some(user), None) => return Err(CredentialsError::NoPassword(user).into()),
        (None, _) => return Err(CredentialsError::NoUser.into()),
    };
    // A colon would be read as the end of the name.
    if login.user.contains(':') {
        return Err(CredentialsError::Colon(login.user).into());
    }
    let reference = if key.contains('/') { key.clone() } else { format!("{key}/login") };
    let reference: Reference =
        reference.parse().map_err(|source| PlanError::Host(key.clone(), source))?;
    let interrupt = Interrupt::listen();
    let meter = Arc::new(Meter::new(io, None, None));
    let reach = Reach::new(&args.login, 1, None, &interrupt, &meter);
    reach.repository_with(io, &reference, Access::Pull, Some(login.clone()))?.ping()?;
    let path = authfile::store(&args.login, &io.env, &key, &login)?;
    io.status(format_args!(
        "the login of `{}` for `{key}` is kept in `{}`",
        login.user,
        path.display()
    ));
    Ok(Exit::Done)
}

/// Forgets a login.
pub(crate) fn logout(args: &HostArgs, io: &mut Io) -> Result<Exit, PushError> {
    let key = key(&args.host)?;
    match authfile::forget(&args.login, &io.env, &key) {
        Ok(path) => {
            io.status(format_args!("the login for `{key}` is gone from `{}`", path.display()));
            Ok(Exit::Done)
        }
        Err(error @ CredentialsError::NotThere(_)) => {
            io.status(&error);
            Ok(Exit::No)
        }
        Err(error) => Err(error.into()),
    }
}

/// A host as files of credentials name it.
fn key(host: &str) -> Result<String, PlanError> {
    let rest =
        ["docker://", "https://", "http://"].iter().find_map(|start| host.strip_prefix(start));
    let rest = rest.unwrap_or(host).trim_end_matches('/');
    let probe: Reference =
        format!("{rest}/x").parse().map_err(|source| PlanError::Host(host.to_owned(), source))?;
    match probe.host() {
        Some("index.docker.io") => Ok("docker.io".to_owned()),
        Some(_) => Ok(rest.to_owned()),
        None => Err(PlanError::NoHost(format!("{rest}/NAME"))),
    }
}
