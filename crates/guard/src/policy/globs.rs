//! Lists of file patterns.

use std::cell::OnceCell;
use std::path::Path;

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};

/// File patterns: one without a slash is compared with a file's name, one with a slash with its path.
#[derive(Debug, Default)]
pub(crate) struct Globs {
    names: Vec<Glob>,
    paths: Vec<Glob>,
    // Most runs ask few of the lists, and compiling a list costs more than asking it.
    compiled: OnceCell<Option<(GlobSet, GlobSet)>>,
}

impl Globs {
    /// Adds a pattern.
    pub(crate) fn add(&mut self, pattern: &str) -> Result<(), globset::Error> {
        if pattern.contains('/') {
            let pattern = pattern.strip_prefix("./").unwrap_or(pattern);
            self.paths.push(GlobBuilder::new(pattern).literal_separator(true).build()?);
        } else {
            self.names.push(Glob::new(pattern)?);
        }
        Ok(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty() && self.paths.is_empty()
    }

    /// Whether one of the patterns fits a path, which is relative to the policy's folder.
    pub(crate) fn matches(&self, path: &Path) -> bool {
        if self.is_empty() {
            return false;
        }
        let compiled = self.compiled.get_or_init(|| compile(&self.names).zip(compile(&self.paths)));
        compiled.as_ref().is_some_and(|(names, paths)| {
            path.file_name().is_some_and(|name| names.is_match(name)) || paths.is_match(path)
        })
    }
}

/// Each pattern was parsed, so the set of them fails only beyond the size that globset allows: no file fits then.
fn compile(globs: &[Glob]) -> Option<GlobSet> {
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        set.add(glob.clone());
    }
    set.build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_makes_it_a_path() {
        let mut globs = Globs::default();
        assert!(!globs.matches(Path::new("x")));
        for pattern in ["Dockerfile", "Dockerfile.*", "*.Dockerfile", "docs/*.md", "**/vendor/**"] {
            globs.add(pattern).unwrap();
        }
        for path in [
            "Dockerfile",
            "a/b/Dockerfile",
            "Dockerfile.dev",
            "api.Dockerfile",
            "docs/x.md",
            "vendor/x",
            "a/vendor/b/x",
        ] {
            assert!(globs.matches(Path::new(path)), "{path}");
        }
        for path in [
            "Dockerfiles",
            "dockerfile",
            "MyDockerfile",
            "docs/a/x.md",
            "a/docs/x.md",
            "vendor",
            "x.md",
        ] {
            assert!(!globs.matches(Path::new(path)), "{path}");
        }
    }

    #[test]
    fn a_broken_pattern_is_refused() {
        assert!(Globs::default().add("[a").is_err());
    }
}
