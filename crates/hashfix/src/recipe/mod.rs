//! Recipes: how a lockfile becomes the output whose hash stands in a Nix file.
//!
//! A hash is a function of the lockfile *and* of the fetcher's revision, so every result names its recipe. Where nixpkgs
//! changed what its fetcher writes, each way has a name of its own.

mod cargo;
mod npm1;
mod yarn1;

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use nixdata::Hash;

use crate::lock::{Format, LockError};
use crate::tree::Node;

/// A way from a lockfile to an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Recipe {
    /// `fetchYarnDeps` of nixpkgs since 2026-08: a git dependency's file has its revision in its name.
    Yarn1,
    /// `fetchYarnDeps` before: it has not.
    Yarn1Before2026,
    /// `fetchNpmDeps` with `fetcherVersion` 1, the default.
    Npm1,
    /// `fetchCargoVendor`.
    Cargo,
}

/// Every recipe with its name.
const NAMES: [(&str, Recipe); 4] = [
    ("yarn1", Recipe::Yarn1),
    ("yarn1-before-2026", Recipe::Yarn1Before2026),
    ("npm1", Recipe::Npm1),
    ("cargo", Recipe::Cargo),
];

/// A recipe that is none of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no recipe: they are yarn1, yarn1-before-2026, npm1 and cargo")]
pub(crate) struct UnknownRecipe(String);

impl FromStr for Recipe {
    type Err = UnknownRecipe;

    fn from_str(text: &str) -> Result<Self, UnknownRecipe> {
        let known = NAMES.iter().find(|(name, _)| *name == text);
        known.map(|(_, recipe)| *recipe).ok_or_else(|| UnknownRecipe(text.to_owned()))
    }
}

impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = NAMES.iter().find(|(_, recipe)| recipe == self);
        f.write_str(known.map_or("", |(name, _)| name))
    }
}

/// What has to be fetched, and what is made of it.
pub(crate) struct Plan {
    /// The downloads, in the order in which the output needs them.
    pub(crate) downloads: Vec<Download>,
    /// The git revisions.
    pub(crate) checkouts: Vec<Checkout>,
    /// The output.
    pub(crate) tree: Node,
}

/// One file to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Download {
    /// `lodash 4.17.21`, for words to a person.
    pub(crate) label: String,
    /// Where the lockfile says it is.
    pub(crate) url: String,
    /// What it must be; nothing where the lockfile does not say.
    pub(crate) hash: Option<Hash>,
}

/// One git revision, and where the output wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checkout {
    /// `async 3.2.1`, for words to a person.
    pub(crate) label: String,
    /// The repository.
    pub(crate) url: String,
    /// The revision.
    pub(crate) rev: String,
    /// The place in the output.
    pub(crate) path: String,
    /// What stands there.
    pub(crate) form: Form,
}

/// How a checkout goes into the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A tar of it, without submodules.
    Tar,
    /// Its files, with those of its submodules.
    Tree,
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PlanError {
    /// The lockfile is broken, or cannot be reproduced.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// More than one recipe fits, and their hashes differ.
    #[error("{path}: the hash of a git dependency (`{label}`) depends on the revision of nixpkgs")]
    Ambiguous {
        /// The lockfile.
        path: String,
        /// The first dependency that makes the difference.
        label: String,
    },
    /// A lockfile of a kind that no recipe here takes.
    #[error("{path}: {what}")]
    Unsupported {
        /// The lockfile.
        path: String,
        /// What is not supported.
        what: String,
    },
}

/// Plans the output of a lockfile.
///
/// # Errors
/// When the lockfile is broken, no recipe takes it, or more than one does.
pub(crate) fn plan(
    path: &Path,
    bytes: &[u8],
    recipe: Option<Recipe>,
) -> Result<(Recipe, Plan), PlanError> {
    let text = crate::lock::text(path, bytes)?;
    let unsupported =
        |what: String| PlanError::Unsupported { path: path.display().to_string(), what };
    let format = Format::of(path, text);
    let recipe = match (recipe, format) {
        (Some(recipe), _) => recipe,
        (None, Some(Format::Yarn1)) => {
            if let Some(label) = yarn1::first_ambiguous(path, text)? {
                return Err(PlanError::Ambiguous { path: path.display().to_string(), label });
            }
            Recipe::Yarn1
        }
        (None, Some(Format::Npm)) => Recipe::Npm1,
        (None, Some(Format::Cargo)) => Recipe::Cargo,
        (None, Some(Format::Berry)) => {
            return Err(unsupported("locks of yarn 2 and later are not computed yet".to_owned()));
        }
        (None, Some(Format::Pnpm)) => {
            return Err(unsupported("locks of pnpm are not computed yet".to_owned()));
        }
        (None, Some(Format::Go)) => {
            return Err(unsupported(
                "a vendorHash depends on the Go sources too: it cannot be computed from go.sum"
                    .to_owned(),
            ));
        }
        (None, None) => {
            return Err(unsupported("it is not a lockfile of a known format".to_owned()));
        }
    };
    let plan = match recipe {
        Recipe::Yarn1 => yarn1::plan(path, text, yarn1::GitNames::WithRevision)?,
        Recipe::Yarn1Before2026 => yarn1::plan(path, text, yarn1::GitNames::Bare)?,
        Recipe::Npm1 => npm1::plan(path, text)?,
        Recipe::Cargo => cargo::plan(path, text)?,
    };
    Ok((recipe, plan))
}
