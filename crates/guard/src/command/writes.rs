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
        "perl" => edited_by_perl(words),
        "rsync" | "scp" => sent(words, folder),
        "curl" => downloads(words, &CURL),
        "wget" => downloads(words, &WGET),
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

/// The files that `perl -pi -e …` edits.
fn edited_by_perl(words: &[Word]) -> Vec<Word> {
    let cluster = |word: &Word| {
        word.text.strip_prefix('-').filter(|rest| !rest.starts_with('-')).map(str::to_owned)
    };
    let flags = |word: &Word| {
        // The letters up to the first one with a value of its own.
        let letters = cluster(word).unwrap_or_default();
        letters.split(['e', 'E', 'M', 'm', 'I', 'x']).next().unwrap_or_default().to_owned()
    };
    if !words.iter().skip(1).any(|word| flags(word).contains('i')) {
        return Vec::new();
    }
    let has_code = |word: &Word| cluster(word).is_some_and(|letters| letters.ends_with(['e', 'E']));
    let mut found = Vec::new();
    let (mut at, mut code) = (1, false);
    while let Some(word) = words.get(at) {
        at += 1;
        if has_code(word) {
            code = true;
            at += 1;
        } else if !is_option(word) {
            found.push(word.clone());
        }
    }
    // Without code on the command line, the first operand is a script.
    found.drain(..usize::from(!code).min(found.len()));
    found
}

/// What `rsync` and `scp` write on this machine.
fn sent(words: &[Word], folder: &Path) -> Vec<Word> {
    let with_value = "-e --rsh -P -p -i -F -o -c -l -S -J --exclude --include --filter --exclude-from --files-from";
    let is_elsewhere = operands(words, with_value)
        .last()
        .is_some_and(|target| target.text.split('/').next().is_some_and(|head| head.contains(':')));
    if is_elsewhere { Vec::new() } else { copies(words, with_value, folder) }
}

/// A program that saves what it fetches.
struct Downloader {
    /// The option that names the file.
    output: [&'static str; 2],
    /// The options that name it as the address ends; without any, the program does so unasked.
    remote: &'static [&'static str],
    /// The letters whose option takes a value.
    with_value: &'static str,
}

const CURL: Downloader = Downloader {
    output: ["o", "output"],
    remote: &["O", "remote-name", "remote-name-all"],
    with_value: "ACDEFHKPQTUXYbcdehmrtuwxyz",
};

const WGET: Downloader =
    Downloader { output: ["O", "output-document"], remote: &[], with_value: "ABDIPQRTUXaeiltw" };

/// What `curl` and `wget` save: as the option says, else as the address ends.
fn downloads(words: &[Word], of: &Downloader) -> Vec<Word> {
    let [short, long] = of.output;
    let mut remote = of.remote.is_empty();
    let (mut named, mut addresses) = (Vec::new(), Vec::new());
    let mut at = 1;
    while let Some(word) = words.get(at) {
        at += 1;
        if let Some(option) = word.text.strip_prefix("--").filter(|option| !option.is_empty()) {
            let (name, value) =
                option.split_once('=').map_or((option, None), |(n, v)| (n, Some(v)));
            remote |= of.remote.contains(&name);
            if name == long {
                let own = value.and_then(|value| part(word, value));
                at += usize::from(value.is_none());
                named.extend(own.or_else(|| words.get(at - 1).cloned()));
            }
            continue;
        }
        let Some(letters) = word.text.strip_prefix('-').filter(|letters| !letters.is_empty())
        else {
            if word.text.contains("://") {
                addresses.push(word);
            }
            continue;
        };
        for (index, letter) in letters.char_indices() {
            let value = letters.get(index + letter.len_utf8()..).unwrap_or_default();
            let is_output = short.contains(letter);
            remote |= of.remote.iter().any(|name| name.len() == 1 && name.contains(letter));
            if !is_output && !of.with_value.contains(letter) {
                continue;
            }
            // The rest of the cluster is the value, or else the next word.
            let own = part(word, value);
            at += usize::from(own.is_none());
            if is_output {
                named.extend(own.or_else(|| words.get(at - 1).cloned()));
            }
            break;
        }
    }
    if !named.is_empty() {
        // A dash is stdout.
        named.retain(|word| word.text != "-");
        return named;
    }
    if !remote {
        return Vec::new();
    }
    let saved = addresses.into_iter();
    saved.filter_map(|word| part(word, word.base_name().split(['?', '#']).next()?)).collect()
}
