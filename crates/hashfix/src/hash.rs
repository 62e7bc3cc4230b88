//! `hashfix hash`: a lockfile's hash.

use std::io::{self, Read as _};
use std::path::Path;

use cli::{Exit, Io, outln};
use serde::Serialize;
use tempfile::NamedTempFile;

use crate::args::HashArgs;
use crate::error::HashfixError;
use crate::fetch::Fetched;
use crate::kitchen::Kitchen;
use crate::lock;
use crate::recipe::{self, Recipe};

/// Prints the hash of a lockfile's output.
pub(crate) fn run(args: &HashArgs, io: &mut Io) -> Result<Exit, HashfixError> {
    let nar_to_stdout = args.nar.as_deref() == Some(Path::new("-"));
    if nar_to_stdout && io.out_is_terminal() {
        return Err(HashfixError::NarToTerminal);
    }
    let path = io.env.cwd().join(&args.lockfile);
    let bytes = read(&args.lockfile, &path, io)?;
    let (recipe, plan) = recipe::plan(&args.lockfile, &bytes, args.recipe)?;

    let kitchen = Kitchen::open(&path, &args.fetch, io)?;
    let nar = args.nar.as_deref().filter(|_| !nar_to_stdout).map(|nar| io.env.cwd().join(nar));
    let fetched = match &nar {
        _ if nar_to_stdout => kitchen.cook(plan, &mut io.out)?,
        Some(nar) => {
            let folder = nar.parent().unwrap_or(Path::new("."));
            let mut file = NamedTempFile::new_in(folder).map_err(HashfixError::Nar)?;
            let fetched = kitchen.cook(plan, &mut file)?;
            file.persist(nar).map_err(|error| HashfixError::Nar(error.error))?;
            fetched
        }
        None => kitchen.cook(plan, io::sink())?,
    };
    drop(kitchen);
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
