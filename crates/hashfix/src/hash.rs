//! `hashfix hash`: a lockfile's hash.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use cli::{Exit, Io, Var, outln};
use serde::Serialize;
use tempfile::NamedTempFile;
use transfer::{Client, Proxies, Roots, Settings};

use crate::args::HashArgs;
use crate::error::HashfixError;
use crate::fetch::{Fetched, Fetcher};
use crate::lock;
use crate::objects::Objects;
use crate::recipe::{self, Recipe};
use crate::registries::Registries;

const USER_AGENT: &str = concat!("hashfix/", env!("CARGO_PKG_VERSION"));

/// Prints the hash of a lockfile's output.
pub(crate) fn run(args: &HashArgs, io: &mut Io) -> Result<Exit, HashfixError> {
    let nar_to_stdout = args.nar.as_deref() == Some(Path::new("-"));
    if nar_to_stdout && io.out_is_terminal() {
        return Err(HashfixError::NarToTerminal);
    }
    let path = io.env.cwd().join(&args.lockfile);
    let bytes = read(&args.lockfile, &path, io)?;
    let (recipe, plan) = recipe::plan(&args.lockfile, &bytes, args.recipe)?;

    let registries = Registries::find(&path, args.registry.as_deref(), &io.env)?;
    let client = Client::new(settings(args, &registries, io)?);
    let cache = io.env.cache_home().ok_or(HashfixError::NoCache)?.join("hashfix");
    let objects = Objects::open(&cache).map_err(HashfixError::Cache)?;
    let scratch = tempfile::tempdir_in(&cache).map_err(HashfixError::Cache)?;
    let source = Fetcher {
        client: &client,
        registries: &registries,
        objects: &objects,
        scratch: scratch.path(),
        offline: args.offline,
        jobs: usize::from(args.jobs),
    };
    let progress = io.progress("packages", None);
    let nar = args.nar.as_deref().filter(|_| !nar_to_stdout).map(|nar| io.env.cwd().join(nar));
    let fetched = match &nar {
        _ if nar_to_stdout => source.run(plan, &mut io.out, &progress)?,
        Some(nar) => {
            let folder = nar.parent().unwrap_or(Path::new("."));
            let mut file = NamedTempFile::new_in(folder).map_err(HashfixError::Nar)?;
            let fetched = source.run(plan, &mut file, &progress)?;
            file.persist(nar).map_err(|error| HashfixError::Nar(error.error))?;
            fetched
        }
        None => source.run(plan, io::sink(), &progress)?,
    };
    drop(progress);
    objects.prune().map_err(HashfixError::Cache)?;
    print(args, recipe, fetched, nar_to_stdout, io)?;
    Ok(Exit::Done)
}

fn read(shown: &Path, path: &Path, io: &mut Io) -> Result<Vec<u8>, HashfixError> {
    let mut bytes = Vec::new();
    let limit = lock::MAX_BYTES + 1;
    let read = if shown == Path::new("-") {
        io.stdin()?.take(limit).read_to_end(&mut bytes)
    } else {
        fs_err::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes))
    };
    read.map_err(HashfixError::Read)?;
    if bytes.len() as u64 == limit {
        return Err(HashfixError::TooLarge { path: shown.display().to_string() });
    }
    Ok(bytes)
}

fn settings(args: &HashArgs, registries: &Registries, io: &Io) -> Result<Settings, HashfixError> {
    let env = &io.env;
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

#[derive(Serialize)]
struct Report {
    hash: String,
    recipe: String,
    nar_size: u64,
    packages: usize,
    downloads: usize,
    downloaded_bytes: u64,
}

fn print(
    args: &HashArgs,
    recipe: Recipe,
    fetched: Fetched,
    nar_to_stdout: bool,
    io: &mut Io,
) -> Result<(), HashfixError> {
    let Fetched { id, packages, downloads, bytes } = fetched;
    let line = if args.json {
        let report = Report {
            hash: id.hash.sri(),
            recipe: recipe.to_string(),
            nar_size: id.size,
            packages,
            downloads,
            downloaded_bytes: bytes,
        };
        // Strings and numbers always have a JSON form.
        serde_json::to_string(&report).unwrap_or_default()
    } else {
        id.hash.sri()
    };
    if nar_to_stdout {
        io.status(&line);
    } else {
        outln!(io, "{line}")?;
    }
    if !args.json {
        io.detail(format_args!(
            "recipe {recipe}: {packages} packages, {downloads} fetched ({})",
            cli::human_bytes(bytes)
        ));
    }
    Ok(())
}
