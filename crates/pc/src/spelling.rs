//! How flags may be spelt: clap's way, and the way of Go programs that scripts and wrappers use with
//! process-compose.
//!
//! `-t=false` and `--tui=false` are both understood, flags may stand before the verb, and without a verb
//! `process-compose` means `up`.

use std::ffi::{OsStr, OsString};

/// Which flags there are, and which of them take the next word as their value.
#[derive(Debug, Default)]
pub(crate) struct Flags {
    pub(crate) verbs: Vec<String>,
    pub(crate) longs: Vec<(String, bool)>,
    pub(crate) shorts: Vec<(char, bool)>,
}

impl Flags {
    /// Whether a word that is a flag takes the next one with it.
    fn takes_next(&self, word: &str) -> bool {
        if let Some(long) = word.strip_prefix("--") {
            return self.longs.iter().any(|(name, takes)| *takes && name == long);
        }
        // In a cluster only the last one may want a value, and what follows it in the word is one.
        let mut letters = word.strip_prefix('-').unwrap_or(word).chars();
        while let Some(letter) = letters.next() {
            if self.shorts.iter().any(|(short, takes)| *takes && *short == letter) {
                return letters.as_str().is_empty();
            }
        }
        false
    }

    fn is_verb(&self, word: &OsStr) -> bool {
        self.verbs.iter().any(|verb| word == verb.as_str()) || word == "help"
    }
}

/// Moves the flags that stand before the verb behind it. As process-compose, a missing verb is `up`.
pub(crate) fn settle(args: Vec<OsString>, flags: &Flags, is_upstream: bool) -> Vec<OsString> {
    let mut words = args.into_iter();
    let program = words.next();
    let rest: Vec<OsString> = words.collect();
    let verb = verb_at(&rest, flags);
    let mut settled: Vec<OsString> = program.into_iter().collect();
    match verb {
        Some(at) => {
            settled.push(rest[at].clone());
            settled.extend(rest[..at].iter().cloned());
            settled.extend(rest[at + 1..].iter().cloned());
        }
        None if is_upstream && !asks_for_help(&rest) => {
            settled.push("up".into());
            // `process-compose -- --tui`, as wrappers that pass their arguments on end up with.
            let separator = rest.iter().position(|word| word == "--");
            settled.extend(
                rest.iter()
                    .enumerate()
                    .filter(|(at, _)| Some(*at) != separator)
                    .map(|(_, word)| word.clone()),
            );
        }
        None => settled.extend(rest),
    }
    settled
}

fn asks_for_help(words: &[OsString]) -> bool {
    words.iter().any(|word| word == "-h" || word == "--help" || word == "--version" || word == "-V")
}

/// Where the verb is: the first word that is neither a flag nor the value of one.
fn verb_at(words: &[OsString], flags: &Flags) -> Option<usize> {
    let mut skip = false;
    for (at, word) in words.iter().enumerate() {
        if std::mem::take(&mut skip) {
            continue;
        }
        if word == "--" {
            return None;
        }
        let text = word.to_string_lossy();
        if text.starts_with('-') && text.len() > 1 {
            skip = flags.takes_next(&text);
        } else {
            return flags.is_verb(word).then_some(at);
        }
    }
    None
}

/// A boolean as Go reads it.
pub(crate) fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err("must be `true` or `false`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(line: &str, is_upstream: bool) -> String {
        let flags = Flags {
            verbs: vec!["up".into(), "version".into()],
            longs: vec![("config".into(), true), ("tui".into(), false)],
            shorts: vec![('f', true), ('t', false), ('D', false)],
        };
        let args =
            std::iter::once("pc").chain(line.split_whitespace()).map(OsString::from).collect();
        let words = settle(args, &flags, is_upstream);
        words[1..].iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn flags_go_behind_the_verb() {
        assert_eq!(settled("-f a -t=false up x", false), "up -f a -t=false x");
        assert_eq!(settled("--config up up", false), "up --config up");
        assert_eq!(settled("-Df up version", false), "version -Df up");
        assert_eq!(settled("-fup up", false), "up -fup");
        assert_eq!(settled("--config=up --tui up", false), "up --config=up --tui");
    }

    #[test]
    fn upstream_means_up() {
        assert_eq!(settled("", true), "up");
        assert_eq!(settled("-f a -t=false", true), "up -f a -t=false");
        assert_eq!(settled("-- --tui", true), "up --tui");
        assert_eq!(settled("--help", true), "--help");
        assert_eq!(settled("nonsense", true), "up nonsense");
        assert_eq!(settled("-f a", false), "-f a");
    }

    #[test]
    fn booleans_of_go() {
        assert_eq!((boolean("T"), boolean("0")), (Ok(true), Ok(false)));
        boolean("yes").unwrap_err();
    }
}
