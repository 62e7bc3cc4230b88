//! One rule: what it refuses, how strictly, and what it offers instead.

use super::Globs;

/// How strictly a rule is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// It refuses.
    Deny,
    /// It says so and lets pass.
    Warn,
    /// It does not exist.
    Off,
}

impl Level {
    pub(crate) const NAMES: [&'static str; 3] = ["deny", "warn", "off"];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Warn => "warn",
            Self::Off => "off",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Deny, Self::Warn, Self::Off].into_iter().find(|level| level.name() == name)
    }
}

/// One rule.
#[derive(Debug)]
pub(crate) struct Rule {
    /// Its name, which `guard:allow` and the baseline use.
    pub(crate) id: String,
    pub(crate) level: Level,
    /// Why.
    pub(crate) message: String,
    /// What to do instead; `{process}` is the process that does the same.
    pub(crate) instead: Option<String>,
    /// The files that must not be.
    pub(crate) files: Globs,
    /// What must stand next to such a file for the rule to hold; nothing when empty.
    pub(crate) beside: Globs,
    /// The commands that must not be run.
    pub(crate) commands: Vec<Pattern>,
    /// The actions that a workflow must not use.
    pub(crate) uses: Vec<String>,
    /// The files that it does not hold for, and in.
    pub(crate) except: Globs,
}

impl Rule {
    pub(crate) fn new(id: String) -> Self {
        Self {
            id,
            level: Level::Deny,
            message: String::new(),
            instead: None,
            files: Globs::default(),
            beside: Globs::default(),
            commands: Vec::new(),
            uses: Vec::new(),
            except: Globs::default(),
        }
    }
}

/// A command: the program, then its operands. Each is one word, or several between bars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(pub(crate) Vec<Vec<String>>);

impl Pattern {
    /// Makes a pattern of words; none when a word is empty.
    pub(crate) fn of<'a>(words: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let words: Vec<Vec<String>> =
            words.into_iter().map(|word| word.split('|').map(str::to_owned).collect()).collect();
        let is_complete = !words.is_empty()
            && words.iter().flatten().all(|alternative: &String| !alternative.is_empty());
        is_complete.then_some(Self(words))
    }

    /// Whether the pattern is about this program.
    pub(crate) fn is_about(&self, program: &str) -> bool {
        self.0.first().is_some_and(|names| names.iter().any(|name| name == program))
    }

    /// The alternatives for each operand.
    pub(crate) fn operands(&self) -> &[Vec<String>] {
        self.0.get(1..).unwrap_or_default()
    }
}
