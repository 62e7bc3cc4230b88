//! Patterns for paths.

use globset::{GlobBuilder, GlobMatcher};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_paths_and_groups() {
        let matches =
            |glob: &str, text: &str| Glob::new(glob).unwrap().matches(&text.parse().unwrap());
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
}
