//! A word, after quote removal.

use super::Place;

/// Stands in a word for what only a running shell knows: a variable, the output of a command.
pub(crate) const HOLE: char = '\u{fffc}';

/// How many words one word with braces may become.
const MAX_ALTERNATIVES: usize = 64;

/// One word of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    /// The text without its quotes, with a [`HOLE`] for each expansion.
    pub(crate) text: String,
    /// Where it begins.
    pub(crate) place: Place,
    /// Whether any part was quoted or escaped: it is no keyword then.
    pub(crate) quoted: bool,
    /// Whether it may be no word at all, or several: `$OPTIONS`, `"${options[@]}"`.
    pub(crate) vanishing: bool,
    /// The bytes of `text` that are unquoted braces and commas.
    pub(super) braces: Vec<usize>,
}

impl Word {
    pub(super) fn new(place: Place) -> Self {
        Self { text: String::new(), place, quoted: false, vanishing: false, braces: Vec::new() }
    }

    /// A word of a command that never was shell text.
    pub(crate) fn of(text: impl Into<String>, place: Place) -> Self {
        Self { text: text.into(), ..Self::new(place) }
    }

    /// Whether the word is written as this keyword.
    pub(super) fn is_keyword(&self, keyword: &str) -> bool {
        !self.quoted && self.text == keyword
    }

    /// Whether the text is known to the last character.
    pub(crate) fn is_literal(&self) -> bool {
        !self.text.contains(HOLE)
    }

    /// The name of the program that a path stands for: what follows the last slash.
    pub(crate) fn base_name(&self) -> &str {
        self.text.rsplit_once('/').map_or(self.text.as_str(), |(_, name)| name)
    }

    /// Whether it is `NAME=value`, as it may stand before a program.
    pub(crate) fn is_assignment(&self) -> bool {
        let Some((name, _)) = self.text.split_once('=') else { return false };
        let name = name.strip_suffix('+').unwrap_or(name);
        let name = name.split_once('[').map_or(name, |(name, _)| name);
        is_name(name)
    }

    /// The words that braces make of it: `{a,b}.c` is `a.c` and `b.c`. Too many stay as they are written.
    pub(crate) fn expand_braces(&self) -> Vec<Self> {
        // Every alternative has a character before it: more of them are more than are made.
        if self.braces.is_empty() || self.braces.len() > 2 * MAX_ALTERNATIVES {
            return vec![self.clone()];
        }
        let mut done: Vec<Self> = Vec::new();
        let mut open = vec![self.clone()];
        while let Some(word) = open.pop() {
            let Some(group) = word.first_group() else {
                done.push(word);
                continue;
            };
            let alternatives = group.windows(2).len();
            if done.len() + open.len() + alternatives > MAX_ALTERNATIVES {
                return vec![self.clone()];
            }
            // Last first: `open` is a stack, and the words keep their order.
            open.extend(group.windows(2).rev().map(|between| word.choose(&group, between)));
        }
        done
    }

    /// The bytes of the brace, the commas and the brace of the first group that is in no other.
    fn first_group(&self) -> Option<Vec<usize>> {
        let bytes = self.text.as_bytes();
        let mut opened: Vec<Vec<usize>> = Vec::new();
        let mut first: Option<Vec<usize>> = None;
        for &at in &self.braces {
            match bytes.get(at) {
                Some(b'{') => opened.push(vec![at]),
                Some(b',') => {
                    if let Some(group) = opened.last_mut() {
                        group.push(at);
                    }
                }
                _ => {
                    if let Some(mut group) = opened.pop()
                        && group.len() > 1
                    {
                        group.push(at);
                        // An outer group ends after the inner one, and begins before it.
                        first = Some(first.filter(|first| first < &group).unwrap_or(group));
                    }
                }
            }
        }
        first
    }

    /// The word with one alternative of a group in place of the group.
    fn choose(&self, group: &[usize], between: &[usize]) -> Self {
        let (&[first, .., last], &[from, to]) = (group, between) else { return self.clone() };
        let pieces = [(0, first), (from + 1, to), (last + 1, self.text.len())];
        let mut word = Self { text: String::new(), braces: Vec::new(), ..self.clone() };
        for (start, end) in pieces {
            let length = word.text.len();
            let inside = self.braces.iter().filter(|&&at| start <= at && at < end);
            word.braces.extend(inside.map(|at| at - start + length));
            word.text.push_str(self.text.get(start..end).unwrap_or_default());
        }
        word
    }
}

/// Whether a text is a variable's name.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
