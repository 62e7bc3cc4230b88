//! Shell scripts, by their ending or by their first line.

use super::Piece;
use crate::shell::{Place, Text};

/// The text of a script; nothing when its first line names another interpreter, or none without `by_name`.
pub(super) fn pieces(text: &str, by_name: bool) -> Vec<Piece> {
    let is_shell = match text.lines().next().filter(|line| line.starts_with("#!")) {
        Some(_) => names_a_shell(text),
        None => by_name,
    };
    if is_shell {
        vec![Piece::Text(Text { text: text.to_owned(), place: Place::START })]
    } else {
        Vec::new()
    }
}

/// Whether the `#!` line of a text names a shell.
pub(super) fn names_a_shell(text: &str) -> bool {
    let mut lines = text.lines();
    let Some(line) = lines.next().and_then(|line| line.trim_start().strip_prefix("#!")) else {
        return false;
    };
    let mut words = line.split_whitespace().filter(|word| !word.starts_with('-'));
    let base_name = |word: &str| word.rsplit('/').next().unwrap_or(word).to_owned();
    match words.next().map(base_name).as_deref() {
        // direnv runs its files with bash.
        Some("direnv") => true,
        Some("busybox") => words.any(is_shell),
        Some("nix-shell") => names_one_below(lines),
        Some("env") => match words.find(|word| !word.contains('=')).map(base_name).as_deref() {
            // The interpreter follows on lines of its own.
            Some("nix-shell" | "nix") => names_one_below(lines),
            Some("direnv") => true,
            Some(name) => is_shell(name),
            None => false,
        },
        Some(name) => is_shell(name),
        None => false,
    }
}

/// Whether the next lines that begin with `#!` name a shell: `#! nix-shell -i bash`.
fn names_one_below<'a>(lines: impl Iterator<Item = &'a str>) -> bool {
    let mut words = lines.take_while(|line| line.starts_with("#!")).flat_map(str::split_whitespace);
    words.any(is_shell)
}

/// Whether a program is a shell that this crate reads the language of.
pub(super) fn is_shell(program: &str) -> bool {
    let name = program.rsplit('/').next().unwrap_or(program);
    matches!(name, "sh" | "bash" | "zsh" | "dash" | "ksh" | "mksh" | "ash")
}
