//! The policy beside a registry, `ports.toml`: which ports an offset moves, which numbers a group has, which are for
//! nobody, and what a check looks over.

mod allowed;
mod band;
mod glob;
mod read;

use std::path::Path;

use fs_err as fs;

use self::allowed::Allowed;
pub use self::band::{Band, Numbers, parse_numbers};
pub use self::glob::{Glob, GlobError};
use crate::PortPath;

/// How far the offsets of two slots are apart, if `ports.toml` does not say it: the last digit of a port stays.
const STEP: u16 = 10;

/// What `ports.toml` says.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// What an offset moves; all if none is named.
    moves: Vec<Glob>,
    /// What an offset never moves.
    keeps: Vec<Glob>,
    /// How far the offsets of two slots are apart, if it is said.
    step: Option<u16>,
    /// The numbers of groups.
    bands: Vec<Band>,
    /// Numbers that no port may have.
    reserved: Vec<Numbers>,
    /// What no check looks at.
    ignored: Vec<Glob>,
    /// What one rule of the check does not hold for.
    exempt: Vec<(String, Glob)>,
    /// Numbers and files that may have ports written out.
    allowed: Allowed,
}

/// A policy that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The file cannot be read. The cause names it.
    #[error("cannot read the policy")]
    Read(#[source] std::io::Error),
    /// The file is not TOML, or says what is not known.
    #[error("{place}: {what}")]
    Invalid {
        /// Where.
        place: nixexpr::Place,
        /// What.
        what: String,
    },
}

impl Policy {
    /// Reads the `ports.toml` beside a registry; without one, everything moves and everything is allowed.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn beside(registry: &Path) -> Result<Self, PolicyError> {
        // A registry may be a folder with a `default.nix`; the policy is in it then.
        let is_folder = fs::metadata(registry).is_ok_and(|metadata| metadata.is_dir());
        let folder = if is_folder { Some(registry) } else { registry.parent() };
        let file = folder.unwrap_or(Path::new("")).join("ports.toml");
        // A registry may itself have that name.
        if file == registry || !fs::metadata(&file).is_ok_and(|metadata| metadata.is_file()) {
            return Ok(Self::default());
        }
        let text = fs::read_to_string(&file).map_err(PolicyError::Read)?;
        read::policy(&file, &text)
    }

    /// How far the offsets of two slots are apart.
    pub fn step(&self) -> u16 {
        self.step.unwrap_or(STEP)
    }

    /// Whether an offset moves a port.
    pub fn moves(&self, path: &PortPath) -> bool {
        let any = |globs: &[Glob]| globs.iter().any(|glob| glob.matches(path));
        (self.moves.is_empty() || any(&self.moves)) && !any(&self.keeps)
    }

    /// The numbers of the innermost group around `path` that has a band, or of `path` itself.
    pub fn band(&self, path: &PortPath) -> Option<&Band> {
        let around = self.bands.iter().filter(|band| path.is_in(&band.group));
        around.max_by_key(|band| band.group.names().len())
    }

    /// Whether a number may be written out anywhere.
    pub fn allows_number(&self, number: u16) -> bool {
        self.allowed.numbers.iter().any(|numbers| numbers.hold(number, number))
    }

    /// Whether a file, by its path from the top of the project, may have ports written out.
    pub fn allows_file(&self, path: &Path) -> bool {
        self.allowed.files.iter().any(|glob| glob.matches(path))
    }

    /// Numbers that no port may have.
    pub fn reserved(&self) -> &[Numbers] {
        &self.reserved
    }

    /// Whether a rule of the check holds for a path.
    pub fn checks(&self, rule: &str, path: &PortPath) -> bool {
        let exempt = |(of, glob): &(String, Glob)| of == rule && glob.matches(path);
        !self.ignored.iter().any(|glob| glob.matches(path)) && !self.exempt.iter().any(exempt)
    }
}
