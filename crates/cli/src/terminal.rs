//! What a stream can show: colour, progress, and names with control bytes made harmless.

use std::borrow::Cow;
use std::fmt::Write as _;

use clap::ValueEnum;

use crate::{Env, Var};

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal that is not dumb, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always, even into a file.
    Always,
    /// Never.
    Never,
}

impl ColorChoice {
    /// Whether a stream gets colour.
    pub(crate) fn resolve(self, env: &Env, is_terminal: bool) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => is_terminal && env.get(Var::NoColor).is_none() && !is_dumb(env),
        }
    }
}

/// Whether the terminal says of itself that it cannot move a cursor.
pub(crate) fn is_dumb(env: &Env) -> bool {
    env.get(Var::Term).is_some_and(|term| term == "dumb")
}

/// Makes control characters visible, so that a file name cannot drive the terminal. Line feeds stay.
///
/// ```
/// assert_eq!(cli::escape("a\u{1b}[31mb"), "a\\u{1b}[31mb");
/// assert_eq!(cli::escape("plain"), "plain");
/// ```
pub fn escape(text: &str) -> Cow<'_, str> {
    let harmless = |c: char| c == '\n' || !c.is_control();
    if text.chars().all(harmless) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if harmless(c) {
            escaped.push(c);
        } else {
            // Writing to a string cannot fail.
            let _infallible = write!(escaped, "{}", c.escape_default());
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_color_and_dumb_terminals_are_heard() {
        let plain = Env::of("/", [("TERM", "xterm")]);
        assert!(ColorChoice::Auto.resolve(&plain, true));
        assert!(!ColorChoice::Auto.resolve(&plain, false));
        let no_color = Env::of("/", [("TERM", "xterm"), ("NO_COLOR", "1")]);
        assert!(!ColorChoice::Auto.resolve(&no_color, true));
        assert!(ColorChoice::Always.resolve(&no_color, false));
        let dumb = Env::of("/", [("TERM", "dumb")]);
        assert!(!ColorChoice::Auto.resolve(&dumb, true));
    }
}
