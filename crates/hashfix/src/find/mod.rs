//! Where the hashes stand: calls of nixpkgs' fetchers in Nix files, each with its lockfile and the literal of its hash.
//!
//! Nothing is evaluated. A hash is followed through names, `inherit`, sets, `importJSON` and `readFile` to where it is
//! written; a lockfile through `yarnLock` or `src`, and else it is the nearest one above the Nix file. A package whose
//! source comes from elsewhere has its lockfile there too, and is left alone. All paths are from the repository's root.

mod follow;
mod literal;

use std::ops::Range;
use std::path::{Path, PathBuf};

use nixexpr::{EvalError, Outline, Shape};

use crate::view::View;
use follow::{Finder, Lockfile};

/// A hash, and the lockfile that it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Site {
    /// The Nix file with the call.
    pub(crate) file: PathBuf,
    /// Which kind of lockfile it wants.
    pub(crate) kind: Kind,
    /// The lockfile.
    pub(crate) lockfile: PathBuf,
    /// `fetcherVersion`, where the call says it.
    pub(crate) version: Option<u32>,
    /// The literal.
    pub(crate) literal: Literal,
}

/// The text of a hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Literal {
    /// The file that it is written in.
    pub(crate) file: PathBuf,
    /// Its bytes: what is replaced.
    pub(crate) span: Range<usize>,
    /// What is there now; nothing where the hash is not known yet.
    pub(crate) hash: Option<String>,
    /// Whether a new one needs quotes: `lib.fakeHash` becomes a string.
    pub(crate) quoted: bool,
}

/// What can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Yarn,
    Npm,
    Pnpm,
    Cargo,
    Go,
}

impl Kind {
    /// The names of its lockfiles, the first one that is there counts.
    pub(crate) fn lockfiles(self) -> &'static [&'static str] {
        match self {
            Self::Yarn => &["yarn.lock"],
            Self::Npm => &["npm-shrinkwrap.json", "package-lock.json"],
            Self::Pnpm => &["pnpm-lock.yaml"],
            Self::Cargo => &["Cargo.lock"],
            Self::Go => &["go.sum"],
        }
    }
}

/// Functions whose argument has the hash.
const FETCHERS: [(&str, Kind); 6] = [
    ("fetchYarnDeps", Kind::Yarn),
    ("fetchYarnBerryDeps", Kind::Yarn),
    ("fetchNpmDeps", Kind::Npm),
    ("fetchPnpmDeps", Kind::Pnpm),
    ("fetchDeps", Kind::Pnpm),
    ("fetchCargoVendor", Kind::Cargo),
];

/// Attributes that are a hash, whichever function takes them.
const ATTRIBUTES: [(&str, Kind); 3] =
    [("npmDepsHash", Kind::Npm), ("cargoHash", Kind::Cargo), ("vendorHash", Kind::Go)];

/// A call that was found but whose hash cannot be checked, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unclear {
    pub(crate) kind: Kind,
    /// Where in the Nix file.
    pub(crate) at: usize,
    pub(crate) what: String,
}

/// What a Nix file has.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) sites: Vec<Site>,
    pub(crate) unclear: Vec<Unclear>,
}

/// Whether a text may have anything to find: most files have not, and need not be parsed.
pub(crate) fn may_have(text: &str) -> bool {
    let names = FETCHERS.iter().chain(&ATTRIBUTES).map(|(name, _)| name);
    names.into_iter().any(|name| text.contains(name))
}

/// Finds the hashes of a Nix file.
///
/// # Errors
/// When the text is not Nix.
pub(crate) fn find(file: &Path, text: &str, view: &dyn View) -> Result<Found, EvalError> {
    let outline = Outline::of(text)?;
    let finder = Finder { outline: &outline, file, text, view };
    let mut found = Found::default();
    for (number, node) in outline.nodes() {
        match &node.shape {
            Shape::Apply { function, argument } => {
                let Some(kind) = fetcher(&outline, *function) else { continue };
                let Some(set) = finder.set(*argument) else { continue };
                let known = ["hash", "sha256", "outputHash"];
                let attribute = known.into_iter().find(|name| outline.entry(set, name).is_some());
                if let Some(attribute) = attribute {
                    add(&finder, kind, set, attribute, &mut found);
                }
            }
            Shape::Set { .. } if is_argument(&outline, number) => {
                for (attribute, kind) in ATTRIBUTES {
                    if outline.entry(number, attribute).is_some() {
                        add(&finder, kind, number, attribute, &mut found);
                    }
                }
            }
            _ => {}
        }
    }
    Ok(found)
}

/// The kind of a known fetcher: by the last name of what is called, `(fetchPnpmDeps.override { … })` too.
fn fetcher(outline: &Outline, mut function: usize) -> Option<Kind> {
    // Each step goes into a part of the expression.
    let name = loop {
        match &outline.node(function).shape {
            Shape::Name(name) => break name,
            Shape::Select { path, .. } => {
                let is_override = |name: &&String| *name != "override";
                match path.iter().rev().find(is_override) {
                    Some(name) => break name,
                    None => match &outline.node(function).shape {
                        Shape::Select { from, .. } => function = *from,
                        _ => return None,
                    },
                }
            }
            Shape::Apply { function: inner, .. } => function = *inner,
            _ => return None,
        }
    };
    FETCHERS.iter().find(|(known, _)| known == name).map(|(_, kind)| *kind)
}

/// Whether a set is what a function is called with: `f { … }`, `f (final: { … })`, `f (args // { … })`.
fn is_argument(outline: &Outline, set: usize) -> bool {
    let mut inside = set;
    while let Some(around) = outline.node(inside).parent {
        match &outline.node(around).shape {
            Shape::Apply { argument, .. } => return *argument == inside,
            Shape::Function { body, .. } | Shape::Let { body, .. } if *body == inside => {}
            Shape::Other(_) => {}
            _ => return false,
        }
        inside = around;
    }
    false
}

fn add(finder: &Finder, kind: Kind, set: usize, attribute: &str, found: &mut Found) {
    let Some(entry) = finder.outline.entry(set, attribute) else { return };
    let at = entry.value.or(entry.from).unwrap_or(set);
    let is_null = entry.value.is_some_and(
        |value| matches!(&finder.outline.node(value).shape, Shape::Name(name) if name == "null"),
    );
    // `vendorHash = null` says that there is nothing to fetch.
    if is_null {
        return;
    }
    let at = finder.outline.node(at).span.range().start;
    let mut unclear = |what: String| found.unclear.push(Unclear { kind, at, what });
    let lockfile = match finder.lockfile(kind, set) {
        Lockfile::Here(path) => path,
        Lockfile::Elsewhere => return,
        Lockfile::Missing => {
            return unclear(format!("no `{}` is found for this hash", kind.lockfiles()[0]));
        }
    };
    let Some(literal) = finder.hash(set, attribute) else {
        return unclear(format!("`{attribute}` leads to no literal in this repository"));
    };
    let version = finder.number(set, &["fetcherVersion", "npmDepsFetcherVersion"]);
    let site = Site { file: finder.file.to_owned(), kind, lockfile, version, literal };
    // A set that two names lead to has one hash.
    if !found.sites.contains(&site) {
        found.sites.push(site);
    }
}

#[cfg(test)]
mod tests;
