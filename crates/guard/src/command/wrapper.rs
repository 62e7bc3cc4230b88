//! Programs that run another command: which part of their words that command is.

use super::options::{Operands, after_option, first_operand, is_option, operands, with_value};
use super::table::{AFTER_DASHES, SUBCOMMANDS, TEXT_OPTIONS, WRAPPERS};
use crate::shell::{HOLE, Text, Word};

/// The command, or the commands, that a command runs.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Inner {
    /// None that is known.
    None,
    /// The words from an index on.
    From(usize),
    /// Commands made of some of the words.
    Commands(Vec<Vec<Word>>),
    /// Texts for a shell.
    Texts(Vec<Text>),
}

/// What a command runs, `input` being what here-documents feed it.
pub(super) fn inner(words: &[Word], input: &[Text]) -> Inner {
    let Some(program) = words.first().map(Word::base_name) else { return Inner::None };
    if let Some(inner) = text_option(program, words) {
        return inner;
    }
    match program {
        "sh" | "bash" | "zsh" | "dash" | "ksh" | "mksh" | "ash" | "fish" => shell(words, input),
        "eval" => Inner::Texts(joined(words.get(1..).unwrap_or_default())),
        "watch" => Inner::Texts(joined(rest(words, first_operand(words, 1, "-n --interval")))),
        "trap" => Inner::Texts(one_text(words, first_operand(words, 1, ""))),
        "concurrently" => Inner::Texts(
            operands(words, "-n --names -c --prefix-colors -p --prefix -m --max-processes")
                .into_iter()
                .map(text_of)
                .collect(),
        ),
        "tmux" => tmux(words),
        "git" => git(words),
        "pm2" => pm2(words),
        "nodemon" => {
            let is_exec = |word: &Word| matches!(&*word.text, "-x" | "--exec");
            let position = words.iter().position(is_exec);
            position.map_or(Inner::None, |at| Inner::Texts(joined(rest(words, at + 1))))
        }
        "start-server-and-test" | "hyperfine" => Inner::Texts(
            operands(words, "-w --warmup -m --min-runs -M --max-runs -r --runs -p --prepare -N")
                .into_iter()
                .map(text_of)
                .collect(),
        ),
        "command" if words.get(1).is_some_and(|word| matches!(&*word.text, "-v" | "-V")) => {
            Inner::None
        }
        "command" => Inner::From(first_operand(words, 1, "")),
        "env" | "cross-env" | "genv" => env(words),
        "find" | "gfind" => find(words),
        "fd" | "fdfind" => fd(words),
        "nix" => nix(words),
        _ => listed(program, words),
    }
}

/// What a command prints, when that stands in the text: `cat` its here-documents, `echo` its words.
pub(super) fn printed(words: &[Word], input: Vec<Text>) -> Vec<Text> {
    match words.first().map_or("", Word::base_name) {
        "cat" if operands(words, "").iter().all(|word| word.text == "-") => input,
        "tee" => input,
        "echo" => joined(rest(words, first_operand(words, 1, ""))),
        "printf" => one_text(words, first_operand(words, 1, "-v")),
        _ => Vec::new(),
    }
}

/// The programs and subcommands of the tables.
fn listed(program: &str, words: &[Word]) -> Inner {
    if let Some((_, with_value, before)) =
        WRAPPERS.iter().find(|(programs, ..)| programs.contains(&program))
    {
        return command_at(words, first_operand(words, 1, with_value) + before);
    }
    let Some((at, subcommand)) = Operands::new(words).next() else { return Inner::None };
    if let Some((_, _, with_value, before)) =
        SUBCOMMANDS.iter().find(|(programs, subcommands, ..)| {
            programs.contains(&program) && subcommands.contains(&subcommand)
        })
    {
        return command_at(words, first_operand(words, at + 1, with_value) + before);
    }
    let is_listed = AFTER_DASHES.iter().any(|(programs, subcommands)| {
        programs.contains(&program) && subcommands.contains(&subcommand)
    });
    match words.iter().position(|word| word.text == "--") {
        Some(dashes) if is_listed => Inner::From(dashes + 1),
        _ => Inner::None,
    }
}

/// The command from an index on. One word with blanks is a text (`parallel 'docker build {}'`), and a package may have
/// a version (`npx pnpm@9 run dev`).
fn command_at(words: &[Word], at: usize) -> Inner {
    let Some(word) = words.get(at) else { return Inner::None };
    if word.text.contains([' ', '\n']) {
        return Inner::Texts(vec![text_of(word)]);
    }
    match word.text.rsplit_once('@') {
        Some((package, _)) if !package.is_empty() => {
            let mut command = vec![Word::of(package, word.place)];
            command.extend(rest(words, at + 1).iter().cloned());
            Inner::Commands(vec![command])
        }
        _ => Inner::From(at),
    }
}

/// `git bisect run COMMAND`, `git rebase --exec TEXT`, `git submodule foreach TEXT`.
fn git(words: &[Word]) -> Inner {
    let mut found = Operands::new(words);
    match (found.next(), found.next()) {
        (Some((_, "bisect")), Some((at, "run"))) => Inner::From(at + 1),
        (Some((_, "submodule")), Some((at, "foreach"))) => {
            Inner::Texts(joined(rest(words, first_operand(words, at + 1, ""))))
        }
        (Some((_, "rebase")), _) => {
            let is_exec = |word: &Word| matches!(&*word.text, "-x" | "--exec");
            let position = words.iter().position(is_exec);
            position.map_or(Inner::None, |at| Inner::Texts(one_text(words, at + 1)))
        }
        _ => Inner::None,
    }
}

/// `pm2 start TEXT`, `pm2 start npm -- run dev`.
fn pm2(words: &[Word]) -> Inner {
    let Some((at, "start")) = Operands::new(words).next() else { return Inner::None };
    let at = first_operand(words, at + 1, "-n --name -i --instances --interpreter --namespace");
    let Some(program) = words.get(at) else { return Inner::None };
    if program.text.contains(' ') {
        return Inner::Texts(vec![text_of(program)]);
    }
    let dashes = rest(words, at).iter().position(|word| word.text == "--");
    let mut command = vec![program.clone()];
    command.extend(dashes.map_or(&[][..], |dashes| rest(words, at + dashes + 1)).iter().cloned());
    Inner::Commands(vec![command])
}

/// A program with an option whose value is a text for a shell.
fn text_option(program: &str, words: &[Word]) -> Option<Inner> {
    let (_, names) = TEXT_OPTIONS.iter().find(|(programs, _)| programs.contains(&program))?;
    for (at, word) in words.iter().enumerate().skip(1) {
        if word.text == "--" {
            break;
        }
        if let Some((name, value)) = word.text.split_once('=')
            && names.contains(&name)
        {
            return Some(Inner::Texts(vec![Text { text: value.to_owned(), place: word.place }]));
        }
        // `-qc` is `-q` and `-c`.
        let letters = word.text.strip_prefix('-').filter(|letters| !letters.starts_with('-'));
        let last = letters.and_then(|letters| letters.chars().last());
        let short = last.map(|letter| format!("-{letter}"));
        if names.contains(&&*word.text) || short.is_some_and(|short| names.contains(&&*short)) {
            return Some(Inner::Texts(one_text(words, at + 1)));
        }
    }
    None
}

/// `bash -c TEXT`, or the text on its standard input.
fn shell(words: &[Word], input: &[Text]) -> Inner {
    let mut has_text = false;
    let mut reads_input = false;
    let mut at = 1;
    while let Some(word) = words.get(at) {
        let Some(letters) = word.text.strip_prefix(['-', '+']) else { break };
        at += 1;
        match letters {
            "" | "-" => break,
            "-rcfile" | "-init-file" => at += 1,
            _ if letters.starts_with('-') => {
                if let Some(text) = letters.strip_prefix("-command=") {
                    return Inner::Texts(vec![Text { text: text.to_owned(), place: word.place }]);
                }
                has_text |= letters == "-command";
            }
            _ => {
                has_text |= letters.contains('c');
                reads_input |= letters.contains('s');
                at += usize::from(letters.ends_with(['o', 'O']));
            }
        }
    }
    if has_text {
        return Inner::Texts(one_text(words, at));
    }
    let script = words.get(at).map(|word| word.text.as_str());
    if reads_input || matches!(script, None | Some("/dev/stdin")) {
        return Inner::Texts(input.to_vec());
    }
    Inner::None
}

/// `env NAME=value… COMMAND`, or `env -S TEXT`.
fn env(words: &[Word]) -> Inner {
    let mut at = 1;
    while let Some(word) = words.get(at) {
        let text = word.text.as_str();
        // In `-vS TEXT`, and in `-S TEXT`, what follows the letter is the text.
        let letters = text.strip_prefix('-').filter(|letters| !letters.starts_with('-'));
        let split = text.strip_prefix("--split-string=").or_else(|| {
            letters?
                .split_once('S')
                .filter(|(flags, _)| flags.chars().all(|c| "0iv".contains(c)))
                .map(|(_, text)| text)
        });
        match split {
            Some("") => return Inner::Texts(joined(rest(words, at + 1))),
            Some(split) => {
                let mut text = joined(rest(words, at + 1));
                let more = text.pop().map_or(String::new(), |more| format!(" {}", more.text));
                return Inner::Texts(vec![Text {
                    text: format!("{split}{more}"),
                    place: word.place,
                }]);
            }
            None if text == "--split-string" => return Inner::Texts(joined(rest(words, at + 1))),
            None if text == "--" => at += 1,
            None if is_option(word) || text == "-" => {
                at = after_option(words, at, "-u --unset -C --chdir -f");
            }
            None if word.is_assignment() => at += 1,
            None => break,
        }
    }
    Inner::From(at)
}

/// `find … -exec COMMAND ;`
fn find(words: &[Word]) -> Inner {
    let mut commands = Vec::new();
    let mut at = 1;
    while let Some(word) = words.get(at) {
        at += 1;
        if !matches!(&*word.text, "-exec" | "-execdir" | "-ok" | "-okdir") {
            continue;
        }
        let tail = rest(words, at);
        let ends = |word: &Word| matches!(&*word.text, ";" | "+");
        let length = tail.iter().position(ends).unwrap_or(tail.len());
        commands.push(rest(words, at).iter().take(length).cloned().collect());
        at += length;
    }
    Inner::Commands(commands)
}

/// `fd … -x COMMAND`
fn fd(words: &[Word]) -> Inner {
    let is_exec = |word: &Word| matches!(&*word.text, "-x" | "-X" | "--exec" | "--exec-batch");
    words.iter().position(is_exec).map_or(Inner::None, |at| Inner::From(at + 1))
}

/// `nix develop -c COMMAND`, `nix shell … -c COMMAND`, `nix run PACKAGE -- ARGUMENTS`.
fn nix(words: &[Word]) -> Inner {
    let mut found = Operands::new(words);
    match found.next() {
        Some((at, "develop" | "shell" | "env")) => {
            let is_command = |word: &Word| matches!(&*word.text, "-c" | "--command");
            let position = rest(words, at).iter().position(is_command);
            position.map_or(Inner::None, |found| Inner::From(at + found + 1))
        }
        Some((at, "run")) => {
            let at = first_operand(words, at + 1, with_value("nix"));
            let Some((package, program)) =
                words.get(at).and_then(|word| Some((word, packaged(word)?)))
            else {
                return Inner::None;
            };
            let mut command = vec![Word::of(program, package.place)];
            let arguments = rest(words, at + 1);
            let dashes = arguments.iter().position(|word| word.text == "--");
            command.extend(rest(arguments, dashes.map_or(0, |at| at + 1)).iter().cloned());
            Inner::Commands(vec![command])
        }
        _ => Inner::None,
    }
}

/// The program that a package of another flake is named after; what one's own flake calls so may be anything.
fn packaged(word: &Word) -> Option<&str> {
    let (flake, attribute) = word.text.split_once('#')?;
    if flake.is_empty() || flake.starts_with(['.', '/']) || flake.starts_with("path:") {
        return None;
    }
    let attribute = attribute.split('^').next()?;
    attribute.rsplit('.').next()
}

/// `tmux new-session … TEXT`, `tmux send-keys … TEXT Enter`.
fn tmux(words: &[Word]) -> Inner {
    let Some((at, subcommand)) = Operands::new(words).next() else { return Inner::None };
    let at = first_operand(words, at + 1, "-c -e -f -F -n -s -t -x -y -l -p -N -T -w -h -S -b");
    match subcommand {
        "new" | "new-session" | "neww" | "new-window" | "splitw" | "split-window" | "respawnw"
        | "respawn-window" | "respawnp" | "respawn-pane" | "run" | "run-shell" | "popup"
        | "display-popup" => Inner::Texts(joined(rest(words, at))),
        "send" | "send-keys" => Inner::Texts(rest(words, at).iter().map(text_of).collect()),
        _ => Inner::None,
    }
}

fn rest(words: &[Word], from: usize) -> &[Word] {
    words.get(from..).unwrap_or_default()
}

fn text_of(word: &Word) -> Text {
    Text { text: word.text.clone(), place: word.place }
}

fn one_text(words: &[Word], at: usize) -> Vec<Text> {
    words.get(at).map(text_of).into_iter().collect()
}

/// Words as the one text that a program makes of them.
fn joined(words: &[Word]) -> Vec<Text> {
    let Some(first) = words.first() else { return Vec::new() };
    let text = words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
    // What is only known at run time is not guessed.
    if text.chars().all(|c| c == HOLE) {
        return Vec::new();
    }
    vec![Text { text, place: first.place }]
}
