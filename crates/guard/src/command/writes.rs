//! Programs that write files: which ones.

use std::path::Path;

use super::options::{Operands, is_option, operands};
use crate::shell::Word;

/// The files that a command creates or changes, apart from its redirections.
///
/// `folder` is where relative paths begin: it tells a folder from a file among what is there.
pub(super) fn writes(words: &[Word], folder: &Path) -> Vec<Word> {
    let Some(program) = words.first().map(Word::base_name) else { return Vec::new() };
    let all = |with_value| operands(words, with_value).into_iter().cloned().collect();
    match program.strip_prefix('g').filter(|name| GNU.contains(name)).unwrap_or(program) {
        "tee" => all(""),
        "touch" => all("-d --date -r --reference -t"),
        "truncate" => all("-s --size -r --reference"),
        "cp" | "mv" | "ln" => copies(words, "-S --suffix", folder),
        "install" => copies(words, "-m --mode -o --owner -g --group -S --suffix", folder),
        "git" => moved_by_git(words, folder),
        "dd" => {
            words.iter().filter_map(|word| part(word, word.text.strip_prefix("of=")?)).collect()
        }
        "sed" => edited(words),
        "curl" => downloads(words, ["-o", "--output"], &["-O", "--remote-name", "-OL", "-LO"]),
        "wget" => downloads(words, ["-O", "--output-document"], &[]),
        _ => Vec::new(),
    }
}

/// Programs that macOS has under a name with a `g` before it.
const GNU: [&str; 9] = ["tee", "touch", "truncate", "cp", "mv", "install", "ln", "dd", "sed"];

/// A part of a word, as a word in its place.
fn part(word: &Word, text: &str) -> Option<Word> {
    (!text.is_empty()).then(|| Word::of(text, word.place))
}

/// The targets of `cp`, `mv` and their like.
fn copies(words: &[Word], with_value: &str, folder: &Path) -> Vec<Word> {
    if words.iter().any(|word| matches!(&*word.text, "-d" | "--directory"))
        && words.first().is_some_and(|word| word.base_name().ends_with("install"))
    {
        return Vec::new();
    }
    let with_value = format!("{with_value} -t --target-directory");
    let found = operands(words, &with_value);
    if let Some(target) = target_folder(words) {
        return found.into_iter().map(|source| inside(target, source)).collect();
    }
    let Some((last, sources)) = found.split_last() else { return Vec::new() };
    let name = last.text.as_str();
    let is_folder = name.ends_with('/')
        || matches!(name.rsplit('/').next(), Some("." | ".."))
        || sources.len() > 1
        || (last.is_literal() && folder.join(name).is_dir());
    match sources {
        // `ln TARGET` makes a link of the same name here.
        [] => vec![Word::of(last.base_name(), last.place)],
        _ if is_folder => sources.iter().map(|source| inside(name, source)).collect(),
        _ => vec![(*last).clone()],
    }
}

/// The value of `-t` or `--target-directory`.
fn target_folder(words: &[Word]) -> Option<&str> {
    words.iter().enumerate().find_map(|(at, word)| match word.text.as_str() {
        "-t" | "--target-directory" => words.get(at + 1).map(|word| word.text.as_str()),
        text => text.strip_prefix("--target-directory="),
    })
}

fn inside(folder: &str, source: &Word) -> Word {
    let source_name = source.text.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    Word::of(format!("{}/{source_name}", folder.trim_end_matches('/')), source.place)
}

/// `git mv` is `mv`.
fn moved_by_git(words: &[Word], folder: &Path) -> Vec<Word> {
    match Operands::new(words).next() {
        Some((at, "mv")) => copies(words.get(at..).unwrap_or_default(), "", folder),
        _ => Vec::new(),
    }
}

/// The files that `sed -i` edits.
fn edited(words: &[Word]) -> Vec<Word> {
    let in_place = |word: &Word| {
        let letters = word.text.strip_prefix('-').unwrap_or_default();
        let before = letters.split('i').next().unwrap_or_default();
        word.text.starts_with("--in-place")
            || (letters.contains('i') && before.chars().all(|letter| "nErsuz".contains(letter)))
    };
    if !words.iter().any(in_place) {
        return Vec::new();
    }
    let has_script = |word: &Word| {
        is_option(word)
            && ["-e", "-f", "--expression", "--file"].iter().any(|name| word.text.starts_with(name))
    };
    let scripts = usize::from(!words.iter().any(has_script));
    // BSD's `-i ''` leaves an empty operand before the script.
    operands(words, "-e --expression -f --file -l --line-length")
        .into_iter()
        .filter(|word| !word.text.is_empty())
        .skip(scripts)
        .cloned()
        .collect()
}

/// What `curl` and `wget` save: as the option says, else, for wget and with `remote`, as the address ends.
fn downloads(words: &[Word], output: [&str; 2], remote: &[&str]) -> Vec<Word> {
    for (at, word) in words.iter().enumerate().skip(1) {
        if output.contains(&word.text.as_str()) {
            return words.get(at + 1).cloned().into_iter().collect();
        }
        let [short, long] = output;
        let attached = word.text.strip_prefix(long).and_then(|rest| rest.strip_prefix('='));
        let attached = attached
            .or_else(|| word.text.strip_prefix(short).filter(|_| !word.text.starts_with("--")));
        if let Some(word) = attached.and_then(|name| part(word, name)) {
            return vec![word];
        }
    }
    if !remote.is_empty() && !words.iter().any(|word| remote.contains(&word.text.as_str())) {
        return Vec::new();
    }
    operands(words, "")
        .into_iter()
        .filter(|word| word.text.contains("://"))
        .filter_map(|word| part(word, word.base_name().split(['?', '#']).next()?))
        .collect()
}
