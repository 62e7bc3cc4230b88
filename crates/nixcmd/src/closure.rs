//! What the store knows about paths and all they refer to.

use std::path::Path;

use nixdata::{Closure, Listing, PathInfo, StorePath, parse_path_info, parse_registration};

use crate::command::Command;
use crate::{Nix, NixError, Observer, resolve_root};

/// The bytes of arguments that one command takes; a kernel's limit is at least 128 KiB, with the
/// environment.
const ARGS_LIMIT: usize = 48 << 10;

impl Nix {
    /// Finds the closure of some roots: store paths, files below them, or links such as `./result`.
    ///
    /// # Errors
    /// When a root leads to no store path, is not valid in the store, or nix fails.
    pub fn closure<P: AsRef<Path>>(
        &self,
        roots: &[P],
        observer: &mut dyn Observer,
    ) -> Result<Closure, NixError> {
        let roots = self.resolve(roots)?;
        let infos = match self.path_info(&roots, true, observer) {
            Ok(listing) => all_present(listing)?,
            Err(error) if lacks_nix_command(&error) => {
                self.registration(&roots, observer).map_err(|older| match older {
                    // Without either program, the first one is what people know.
                    NixError::NotFound { .. } => error,
                    older => absent_root(&roots, older),
                })?
            }
            Err(error) => return Err(absent_root(&roots, error)),
        };
        Closure::new(infos)
            .map_err(|source| NixError::Closure { command: "nix path-info".to_owned(), source })
    }

    /// Resolves roots with the directory of this request, sorted, each once.
    fn resolve<P: AsRef<Path>>(&self, roots: &[P]) -> Result<Vec<StorePath>, NixError> {
        let mut paths = roots
            .iter()
            .map(|root| resolve_root(root.as_ref(), self.cwd()))
            .collect::<Result<Vec<_>, _>>()?;
        paths.sort_unstable();
        paths.dedup();
        if paths.is_empty() { Err(NixError::NoRoots) } else { Ok(paths) }
    }

    /// Asks `nix path-info` about paths, or about their closures with `recursive`.
    ///
    /// Paths that the store lacks are told in the listing. A path can be listed more than once.
    ///
    /// # Errors
    /// When nix is missing, too old for its `nix` command, or fails.
    pub fn path_info(
        &self,
        paths: &[StorePath],
        recursive: bool,
        observer: &mut dyn Observer,
    ) -> Result<Listing, NixError> {
        let mut listing = Listing::default();
        let mut options = vec!["--json"];
        if recursive {
            options.push("--recursive");
        }
        for batch in batches(paths) {
            let mut command = path_info_command(&options, batch);
            let mut reply = self.query(&command, observer);
            // Nix 2.33 announced that `--json` alone would become an error; older ones do not know
            // the option. So it is given to those that ask for it.
            if let Err(NixError::Failed { stderr, .. }) = &reply
                && stderr.contains("--json-format")
                && !options.contains(&"--json-format")
            {
                options.extend(["--json-format", "1"]);
                command = path_info_command(&options, batch);
                reply = self.query(&command, observer);
            }
            let found = parse_path_info(&reply?)
                .map_err(|source| NixError::Graph { command: command.to_string(), source })?;
            listing.infos.extend(found.infos);
            listing.absent.extend(found.absent);
        }
        Ok(listing)
    }

    /// Asks `nix-store`, which every Nix has, for the registration of a closure. It does not tell
    /// content addresses and signatures.
    fn registration(
        &self,
        roots: &[StorePath],
        observer: &mut dyn Observer,
    ) -> Result<Vec<PathInfo>, NixError> {
        let mut paths = Vec::new();
        for batch in batches(roots) {
            let command =
                Command::new("nix-store").args(["--query", "--requisites"]).args(words(batch));
            let reply = self.query(&command, observer)?;
            for line in String::from_utf8_lossy(&reply).lines().filter(|line| !line.is_empty()) {
                paths.push(line.parse::<StorePath>().map_err(|source| NixError::ReplyPath {
                    command: command.to_string(),
                    source,
                })?);
            }
        }
        paths.sort_unstable();
        paths.dedup();
        let mut infos = Vec::new();
        for batch in batches(&paths) {
            let command = Command::new("nix-store").args(["--dump-db"]).args(words(batch));
            let reply = self.query(&command, observer)?;
            infos.extend(
                parse_registration(&reply)
                    .map_err(|source| NixError::Graph { command: command.to_string(), source })?,
            );
        }
        Ok(infos)
    }
}

fn path_info_command(options: &[&str], batch: &[StorePath]) -> Command {
    Command::nix("path-info").args(options).args(words(batch))
}

fn words(batch: &[StorePath]) -> impl Iterator<Item = &str> {
    batch.iter().map(StorePath::as_str)
}

fn all_present(listing: Listing) -> Result<Vec<PathInfo>, NixError> {
    match listing.absent.into_iter().next() {
        Some(path) => Err(NixError::Absent(path)),
        None => Ok(listing.infos),
    }
}

/// Says whether a Nix refused because its `nix` command is switched off, unknown or too old.
fn lacks_nix_command(error: &NixError) -> bool {
    match error {
        NixError::NotFound { .. } => true,
        NixError::Failed { stderr, .. } => [
            "experimental",
            "unrecognised flag",
            "unrecognised option",
            "is not a recognised command",
        ]
        .iter()
        .any(|words| stderr.contains(words)),
        _ => false,
    }
}

/// Finds the root that nix says it has not got; its own words for that are hard to read.
fn absent_root(roots: &[StorePath], error: NixError) -> NixError {
    match &error {
        NixError::Failed { stderr, .. } if stderr.contains("is not valid") => roots
            .iter()
            .find(|root| stderr.contains(&format!("path '{root}' is not valid")))
            .map_or(error, |root| NixError::Absent(root.clone())),
        _ => error,
    }
}

/// Cuts a list of paths into pieces that fit on a command line.
fn batches(paths: &[StorePath]) -> impl Iterator<Item = &[StorePath]> {
    let mut rest = paths;
    std::iter::from_fn(move || {
        let mut length = 0;
        let count = rest
            .iter()
            .take_while(|path| {
                length += path.as_str().len() + 1;
                length <= ARGS_LIMIT
            })
            .count();
        let (batch, after) = rest.split_at(count.max(1).min(rest.len()));
        rest = after;
        (!batch.is_empty()).then_some(batch)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_everything_in_order() {
        let paths: Vec<StorePath> =
            (0..5000).map(|n| format!("/nix/store/{n:032}-x").parse().unwrap()).collect();
        let joined: Vec<_> = batches(&paths).flatten().cloned().collect();
        assert_eq!(joined, paths);
        assert!(batches(&paths).count() > 4);
        assert_eq!(batches(&[]).count(), 0);
    }
}
