//! The path of a port in its registry: `databases.redis`.

use std::fmt;
use std::str::FromStr;

/// Names from the registry's root to a port or a group. A name that is no identifier of Nix is written in quotes:
/// `web."foo.bar"`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct PortPath(Vec<String>);

/// A text that is not a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// There is nothing before, between or after dots.
    #[error("`{0}` has an empty name; names are separated by single dots")]
    EmptyName(String),
    /// A quote is not closed, or something follows it.
    #[error("`{0}` has a quote that does not end at a dot or at the end")]
    Quote(String),
}

impl PortPath {
    /// The names.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// The last name.
    pub fn leaf(&self) -> &str {
        self.0.last().map_or("", String::as_str)
    }

    /// The path with one more name.
    #[must_use]
    pub fn join(&self, name: &str) -> Self {
        let mut names = self.0.clone();
        names.push(name.to_owned());
        Self(names)
    }

    /// The path without its last name.
    #[must_use]
    pub fn parent(&self) -> Self {
        Self(self.0.split_last().map_or(Vec::new(), |(_, rest)| rest.to_vec()))
    }

    /// Whether `group` is this path or one of its groups.
    pub fn is_in(&self, group: &Self) -> bool {
        self.0.starts_with(&group.0)
    }
}

impl FromIterator<String> for PortPath {
    fn from_iter<I: IntoIterator<Item = String>>(names: I) -> Self {
        Self(names.into_iter().collect())
    }
}

impl FromStr for PortPath {
    type Err = PathError;

    /// ```
    /// let path: portreg::PortPath = "web.\"foo.bar\"".parse().unwrap();
    /// assert_eq!(path.names(), ["web", "foo.bar"]);
    /// assert_eq!(path.to_string(), "web.\"foo.bar\"");
    /// ```
    fn from_str(text: &str) -> Result<Self, PathError> {
        let mut names = Vec::new();
        let mut rest = text;
        loop {
            let (name, after) = if let Some(quoted) = rest.strip_prefix('"') {
                quoted_name(quoted).ok_or_else(|| PathError::Quote(text.to_owned()))?
            } else {
                let end = rest.find('.').unwrap_or(rest.len());
                (rest[..end].to_owned(), &rest[end..])
            };
            if name.is_empty() && !rest.starts_with('"') {
                return Err(PathError::EmptyName(text.to_owned()));
            }
            names.push(name);
            if after.is_empty() {
                return Ok(Self(names));
            }
            rest = after.strip_prefix('.').ok_or_else(|| PathError::Quote(text.to_owned()))?;
        }
    }
}

/// The name up to the closing quote, and what follows it.
fn quoted_name(text: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((name, &text[at + 1..])),
            '\\' => name.push(chars.next()?.1),
            other => name.push(other),
        }
    }
    None
}

/// Whether Nix takes a name without quotes.
pub fn is_identifier(name: &str) -> bool {
    const KEYWORDS: [&str; 9] =
        ["if", "then", "else", "assert", "with", "let", "in", "rec", "inherit"];
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '\'' | '-'))
        && !KEYWORDS.contains(&name)
}

impl fmt::Display for PortPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            if is_identifier(name) {
                f.write_str(name)?;
            } else {
                write!(f, "\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_printed_is_read_again(names in prop::collection::vec(".{0,8}", 1..4)) {
            let path: PortPath = names.into_iter().collect();
            prop_assert_eq!(path.to_string().parse(), Ok(path));
        }
    }

    #[test]
    fn what_is_not_a_path() {
        for text in ["", ".", "a.", ".a", "a..b"] {
            assert_eq!(text.parse::<PortPath>(), Err(PathError::EmptyName(text.to_owned())));
        }
        for text in ["\"a", "\"a\"b", "a.\"b\\\""] {
            assert_eq!(text.parse::<PortPath>(), Err(PathError::Quote(text.to_owned())));
        }
    }

    #[test]
    fn names_that_need_no_quotes_in_a_question() {
        let path: PortPath = "80.b/c".parse().unwrap();
        assert_eq!(path.to_string(), "\"80\".\"b/c\"");
    }
}
