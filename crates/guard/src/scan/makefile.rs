//! The recipes of a Makefile: what make replaces before a shell sees it, and `$(shell …)`.

use super::{Piece, place};
use crate::shell::{HOLE, Text};

/// How deep references may nest before they are no longer looked into.
const MAX_DEPTH: usize = 32;

pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let mut logical = line.to_owned();
        let mut last = line;
        while last.ends_with('\\') {
            let Some((_, next)) = lines.next() else { break };
            logical.push('\n');
            // The tab of a recipe's continuation is make's, not the command's; a blank keeps the columns.
            match next.strip_prefix('\t') {
                Some(next) => logical.extend([" ", next]),
                None => logical.push_str(next),
            }
            last = next;
        }
        let (command, start) = match logical.strip_prefix('\t') {
            Some(recipe) => {
                let command = recipe.trim_start_matches(['@', '-', '+', ' ', '\t']);
                (Some(command), logical.len() - command.len())
            }
            None => (of_definition(&logical), 0),
        };
        let mut made = Made { pieces: &mut pieces, line: number + 1 };
        match command {
            Some(command) => {
                let start = if start == 0 { logical.len() - command.len() } else { start };
                let text = made.expand(command, 0);
                let place = place(number + 1, start + 1);
                pieces.push(Piece::Text(Text { text, place }));
            }
            None => drop(made.expand(without_comment(&logical), 0)),
        }
    }
    pieces
}

/// The command on a line that is no recipe's: `NAME != command`, `target: prerequisites ; command`.
fn of_definition(line: &str) -> Option<&str> {
    let line = without_comment(line);
    if let Some((name, command)) = line.split_once("!=")
        && !name.trim().contains(|c: char| c.is_whitespace() || ":$(".contains(c))
    {
        return Some(command);
    }
    let (_, rest) = line.split_once(':')?;
    let (prerequisites, command) = rest.split_once(';')?;
    (!prerequisites.contains('=')).then_some(command)
}

fn without_comment(line: &str) -> &str {
    line.split_once('#').map_or(line, |(line, _)| line)
}

struct Made<'a> {
    pieces: &'a mut Vec<Piece>,
    line: usize,
}

impl Made<'_> {
    /// The text that a shell sees, as far as it is known; the commands of `$(shell …)` are kept aside.
    fn expand(&mut self, text: &str, depth: usize) -> String {
        let mut seen = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            let (before, from) = rest.split_at(at);
            seen.push_str(before);
            let after = from.get(1..).unwrap_or_default();
            rest = match after.chars().next() {
                Some('$') => {
                    seen.push('$');
                    after.get(1..).unwrap_or_default()
                }
                Some(open @ ('(' | '{')) => {
                    let (inner, rest) = reference(after, open);
                    seen.push(HOLE);
                    self.reference(inner, depth);
                    rest
                }
                Some(name) => {
                    seen.push(HOLE);
                    after.get(name.len_utf8()..).unwrap_or_default()
                }
                None => after,
            };
        }
        seen.push_str(rest);
        seen
    }

    fn reference(&mut self, inner: &str, depth: usize) {
        if depth >= MAX_DEPTH {
            return;
        }
        let text = self.expand(inner, depth + 1);
        let command = text.strip_prefix("shell").filter(|rest| rest.starts_with([' ', '\t']));
        if let Some(command) = command {
            let text = command.to_owned();
            self.pieces.push(Piece::Text(Text { text, place: place(self.line, 1) }));
        }
    }
}

/// What stands in a reference that begins with its parenthesis, and what follows it.
fn reference(text: &str, open: char) -> (&str, &str) {
    let close = if open == '(' { ')' } else { '}' };
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        if c == open {
            depth += 1;
        } else if c == close {
            depth -= 1;
            if depth == 0 {
                let inner = text.get(1..at).unwrap_or_default();
                return (inner, text.get(at + 1..).unwrap_or_default());
            }
        }
    }
    (text.get(1..).unwrap_or_default(), "")
}
