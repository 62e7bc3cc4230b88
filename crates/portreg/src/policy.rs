//! The policy beside a registry, `ports.toml`: so far, which ports an offset moves.

use std::path::Path;

use fs_err as fs;
use globset::{GlobBuilder, GlobMatcher};
use nixexpr::data::{Data, Kind, parse_toml};
use nixexpr::place_in;

use crate::PortPath;

/// A pattern for paths: `databases`, `databases.*`, `**.redis`. It matches a path, or a group of it.
#[derive(Debug, Clone)]
pub struct Glob(GlobMatcher);

/// A pattern that is none.
#[derive(Debug, thiserror::Error)]
#[error("`{glob}` is no pattern")]
pub struct GlobError {
    /// The pattern.
    pub glob: String,
    /// What is wrong with it.
    #[source]
    pub source: globset::Error,
}

impl Glob {
    /// Reads a pattern; `*` stays within a name, `**` does not.
    ///
    /// # Errors
    /// When brackets or braces are not closed.
    pub fn new(glob: &str) -> Result<Self, GlobError> {
        let slashed = glob.replace('.', "/");
        let built = GlobBuilder::new(&slashed).literal_separator(true).build();
        let glob = built.map_err(|source| GlobError { glob: glob.to_owned(), source })?;
        Ok(Self(glob.compile_matcher()))
    }

    /// Whether it matches the path or one of its groups.
    pub fn matches(&self, path: &PortPath) -> bool {
        // A name's own dots and slashes are no separators.
        let names: Vec<String> =
            path.names().iter().map(|name| name.replace(['/', '.'], "-")).collect();
        (1..=names.len()).any(|length| self.0.is_match(names[..length].join("/")))
    }
}

/// How far the offsets of two slots are apart, if `ports.toml` does not say it: the last digit of a port stays.
const STEP: u16 = 10;
/// The largest step that leaves several slots.
const LARGEST_STEP: u16 = 10_000;

/// What `ports.toml` says.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// What an offset moves; all if none is named.
    moves: Vec<Glob>,
    /// What an offset never moves.
    keeps: Vec<Glob>,
    /// How far the offsets of two slots are apart, if it is said.
    step: Option<u16>,
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
    /// Reads the `ports.toml` beside a registry; without one, everything moves.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn beside(registry: &Path) -> Result<Self, PolicyError> {
        let file = registry.parent().unwrap_or(Path::new("")).join("ports.toml");
        // A registry may itself have that name.
        if file == registry || !fs::metadata(&file).is_ok_and(|metadata| metadata.is_file()) {
            return Ok(Self::default());
        }
        let text = fs::read_to_string(&file).map_err(PolicyError::Read)?;
        Self::read(&file, &text)
    }

    fn read(file: &Path, text: &str) -> Result<Self, PolicyError> {
        let invalid = |at: usize, what: String| PolicyError::Invalid {
            place: place_in(file, text, at),
            what,
        };
        let data = parse_toml(text).map_err(|error| invalid(error.at(), error.to_string()))?;
        let mut policy = Self::default();
        let Kind::Set(tables) = data.kind else { return Ok(policy) };
        for table in tables.into_iter().filter(|table| table.name == "offset") {
            let at = table.span.range().start;
            let Kind::Set(members) = table.value.kind else {
                return Err(invalid(at, "`offset` must be a table".to_owned()));
            };
            for member in members {
                let at = member.span.range().start;
                if member.name == "step" {
                    policy.step = Some(step(&member.value).map_err(|what| invalid(at, what))?);
                    continue;
                }
                let list = match &*member.name {
                    "move" => &mut policy.moves,
                    "keep" => &mut policy.keeps,
                    other => return Err(invalid(at, format!("`offset` has no `{other}`"))),
                };
                let Kind::List(items) = member.value.kind else {
                    return Err(invalid(
                        at,
                        format!("`{}` must be a list of patterns", member.name),
                    ));
                };
                for item in items {
                    let at = item.span.range().start;
                    let Kind::Text(glob) = item.kind else {
                        return Err(invalid(at, "a pattern must be a string".to_owned()));
                    };
                    let glob = Glob::new(&glob)
                        .map_err(|error| invalid(at, format!("{error}: {}", error.source)))?;
                    list.push(glob);
                }
            }
        }
        Ok(policy)
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
}

/// `step = N`.
fn step(data: &Data) -> Result<u16, String> {
    let step = match data.kind {
        Kind::Int(step) => u16::try_from(step).ok(),
        _ => None,
    };
    step.filter(|step| (1..=LARGEST_STEP).contains(step))
        .ok_or_else(|| format!("`step` must be a number from 1 to {LARGEST_STEP}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> PortPath {
        text.parse().unwrap()
    }

    #[test]
    fn patterns_match_paths_and_groups() {
        let matches = |glob: &str, text: &str| Glob::new(glob).unwrap().matches(&path(text));
        assert!(matches("databases", "databases.redis"));
        assert!(matches("databases.*", "databases.redis"));
        assert!(matches("*.redis", "databases.redis"));
        assert!(matches("**.redis", "a.b.redis"));
        assert!(matches("*-udp", "wsdd-udp"));
        assert!(matches("{otel,web}.g*", "otel.grpc"));
        assert!(!matches("data", "databases.redis"));
        assert!(!matches("*.redis", "a.b.redis"));
        assert!(matches("web.*", "web.\"foo.bar\""));
        assert!(Glob::new("[").is_err());
    }

    #[test]
    fn what_moves() {
        let read = |text: &str| Policy::read(Path::new("ports.toml"), text);
        let policy = read("[offset]\nmove = [\"dev\", \"otel.*\"]\nkeep = [\"dev.db\"]\n").unwrap();
        assert!(policy.moves(&path("dev.api")) && policy.moves(&path("otel.grpc")));
        assert!(!policy.moves(&path("dev.db")) && !policy.moves(&path("infra.ssh")));
        assert_eq!((policy.step(), read("[offset]\nstep = 100").unwrap().step()), (10, 100));
        assert!(read("[bands]\nx = 1\n").unwrap().moves(&path("a")));
        for (text, words) in [
            ("offset = 1", "ports.toml:1:1: `offset` must be a table"),
            ("[offset]\nmvoe = []", "ports.toml:2:1: `offset` has no `mvoe`"),
            ("[offset]\nmove = \"x\"", "ports.toml:2:1: `move` must be a list of patterns"),
            ("[offset]\nstep = 0", "ports.toml:2:1: `step` must be a number from 1 to 10000"),
            ("[offset]\nmove = [1]", "ports.toml:2:9: a pattern must be a string"),
        ] {
            assert_eq!(read(text).unwrap_err().to_string(), words);
        }
    }
}
