//! What computing a hash needs: a client, the user's registries, the cache.

use std::io;
use std::path::{Path, PathBuf};

use cli::{Env, Io, Progress, Var};
use tempfile::TempDir;
use transfer::{Client, Proxies, Roots, Settings};

use crate::args::FetchArgs;
use crate::error::HashfixError;
use crate::fetch::{Fetched, Fetcher};
use crate::objects::Objects;
use crate::recipe::Plan;
use crate::registries::Registries;

const USER_AGENT: &str = concat!("hashfix/", env!("CARGO_PKG_VERSION"));

/// For one lockfile, as each may have an `.npmrc` of its own beside it.
pub(crate) struct Kitchen {
    client: Client,
    registries: Registries,
    objects: Objects,
    scratch: TempDir,
    progress: Progress,
    offline: bool,
    jobs: usize,
}

impl Kitchen {
    /// Reads the settings that hold for a lockfile, and opens the cache.
    pub(crate) fn open(lockfile: &Path, args: &FetchArgs, io: &Io) -> Result<Self, HashfixError> {
        let registries = Registries::find(lockfile, args.registry.as_deref(), &io.env)?;
        let client = Client::new(settings(args, &registries, &io.env)?);
        let cache = cache(&io.env)?;
        let objects = Objects::open(&cache).map_err(HashfixError::Cache)?;
        let scratch = tempfile::tempdir_in(&cache).map_err(HashfixError::Cache)?;
        let progress = io.progress("packages", None);
        let (offline, jobs) = (args.offline, usize::from(args.jobs));
        Ok(Self { client, registries, objects, scratch, progress, offline, jobs })
    }

    /// Fetches what a plan needs, and writes the output as a NAR.
    pub(crate) fn cook(
        &self,
        plan: Plan,
        out: impl io::Write + Send,
    ) -> Result<Fetched, HashfixError> {
        let source = Fetcher {
            client: &self.client,
            registries: &self.registries,
            objects: &self.objects,
            scratch: self.scratch.path(),
            offline: self.offline,
            jobs: self.jobs,
        };
        let fetched = source.run(plan, out, &self.progress)?;
        self.objects.prune().map_err(HashfixError::Cache)?;
        Ok(fetched)
    }
}

/// The folder of everything that is kept.
pub(crate) fn cache(env: &Env) -> Result<PathBuf, HashfixError> {
    Ok(env.cache_home().ok_or(HashfixError::NoCache)?.join("hashfix"))
}

fn settings(
    args: &FetchArgs,
    registries: &Registries,
    env: &Env,
) -> Result<Settings, HashfixError> {
    let mut settings = Settings::new(USER_AGENT);
    settings.jobs = usize::from(args.jobs);
    settings.proxies =
        Proxies::parse(env.get(Var::HttpProxy), env.get(Var::HttpsProxy), env.get(Var::NoProxy))?;
    let named = env.get(Var::SslCertFile).map(PathBuf::from);
    if let Some(file) = registries.cafile.clone().or(named) {
        settings.roots = Roots::File(file);
    }
    Ok(settings)
}
