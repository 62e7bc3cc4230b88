//! The recipes of a justfile, and the commands in backticks.

use super::script::{is_shell, names_a_shell};
use super::{Piece, place};
use crate::shell::{HOLE, Text};

pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let mut reader = Reader { runs_shell: true, ..Reader::default() };
    for (number, line) in text.lines().enumerate() {
        reader.line(number + 1, line);
    }
    reader.end_recipe();
    reader.pieces
}

/// What is known of the justfile before the current line.
#[derive(Default)]
struct Reader<'a> {
    pieces: Vec<Piece>,
    /// Whether recipe lines are run by a shell that is known.
    runs_shell: bool,
    /// The quotes that close the string of several lines that is open.
    string: Option<&'static str>,
    /// The command in triple backticks that is open, and its first line.
    command: Option<(usize, Vec<&'a str>)>,
    /// What an attribute says of the next recipe.
    script: Script<'a>,
    recipe: Option<Recipe<'a>>,
}

/// Whether a recipe is one script.
#[derive(Default, Clone, Copy)]
enum Script<'a> {
    /// Each line is run on its own.
    #[default]
    No,
    /// It is a script for the shell.
    Shell,
    /// It is a script for this interpreter.
    For(&'a str),
}

struct Recipe<'a> {
    /// The first line of the body.
    line: usize,
    script: Script<'a>,
    body: Vec<&'a str>,
}

impl<'a> Reader<'a> {
    fn line(&mut self, number: usize, line: &'a str) {
        if let Some(quotes) = self.string {
            if let Some((_, body)) = &mut self.command {
                body.push(line);
            }
            if line.contains(quotes) {
                self.string = None;
                self.end_command();
            }
            return;
        }
        if line.starts_with([' ', '\t']) || line.trim().is_empty() {
            if let Some(recipe) = &mut self.recipe {
                if recipe.body.is_empty() {
                    recipe.line = number;
                }
                recipe.body.push(line);
            }
            return;
        }
        self.end_recipe();
        if line.starts_with('#') {
            return;
        }
        if line.starts_with('[') {
            if let Some(rest) = attribute(line, "script") {
                let named = rest.trim_start().strip_prefix(['(', ':']).and_then(first_string);
                self.script = named.map_or(Script::Shell, Script::For);
            }
            return;
        }
        if let Some(shell) = line.strip_prefix("set shell") {
            self.runs_shell = first_string(shell).is_none_or(is_shell);
        }
        self.top(number, line);
    }

    /// A line at the left margin: an assignment, or the head of a recipe.
    fn top(&mut self, number: usize, line: &'a str) {
        let mut rest = line.char_indices();
        let mut ends_with_colon = false;
        while let Some((at, c)) = rest.next() {
            let tail = line.get(at..).unwrap_or_default();
            match c {
                '#' => break,
                '\'' | '"' | '`' => {
                    let long =
                        ["'''", "\"\"\"", "```"].into_iter().find(|long| tail.starts_with(long));
                    let quotes = long.unwrap_or(tail.get(..1).unwrap_or_default());
                    let inner = tail.get(quotes.len()..).unwrap_or_default();
                    let Some(length) = inner.find(quotes) else {
                        self.string = long;
                        if long == Some("```") {
                            self.command = Some((number, vec![inner]));
                        }
                        break;
                    };
                    if c == '`' {
                        let text = masked(inner.get(..length).unwrap_or_default());
                        let column = line.get(..at).unwrap_or_default().chars().count();
                        let place = place(number, column + 1 + quotes.len());
                        self.pieces.push(Piece::Text(Text { text, place }));
                    }
                    let end = at + 2 * quotes.len() + length;
                    while rest.clone().next().is_some_and(|(next, _)| next < end) {
                        rest.next();
                    }
                }
                ':' if tail.starts_with(":=") => ends_with_colon = true,
                ':' if !ends_with_colon => {
                    ends_with_colon = true;
                    let script = std::mem::take(&mut self.script);
                    self.recipe = Some(Recipe { line: number + 1, script, body: Vec::new() });
                }
                _ => {}
            }
        }
        self.script = Script::No;
    }

    fn end_command(&mut self) {
        if let Some((line, body)) = self.command.take() {
            let text = body.join("\n");
            let text = masked(text.split("```").next().unwrap_or_default());
            self.pieces.push(Piece::Text(Text { text, place: place(line, 1) }));
        }
    }

    fn end_recipe(&mut self) {
        let Some(recipe) = self.recipe.take() else { return };
        let body = recipe.body.join("\n");
        let is_shebang = body.trim_start().starts_with("#!");
        let is_shell = match recipe.script {
            Script::For(program) => is_shell(program),
            Script::No if is_shebang => names_a_shell(body.trim_start()),
            Script::No | Script::Shell => true,
        };
        if is_shebang || !matches!(recipe.script, Script::No) {
            if is_shell {
                let place = place(recipe.line, 1);
                self.pieces.push(Piece::Text(Text { text: masked(&body), place }));
            }
        } else if self.runs_shell {
            self.lines(&recipe);
        }
    }

    /// Each line of a recipe is a shell of its own, with the lines that it goes on with.
    fn lines(&mut self, recipe: &Recipe<'_>) {
        let mut lines = recipe.body.iter().enumerate();
        while let Some((number, line)) = lines.next() {
            let command = line.trim_start().trim_start_matches(['@', '-', '?']);
            let start = line.len() - command.len();
            let mut text = command.to_owned();
            let mut last = *line;
            while last.ends_with('\\') {
                let Some((_, next)) = lines.next() else { break };
                text.push('\n');
                text.push_str(next);
                last = next;
            }
            let place = place(recipe.line + number, start + 1);
            self.pieces.push(Piece::Text(Text { text: masked(&text), place }));
        }
    }
}

/// What follows an attribute's name on a line `[a, b('x'), c: 'y']`; strings hold no names.
fn attribute<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let mut quote = None;
    let mut begins = false;
    for (at, c) in line.char_indices() {
        if let Some(open) = quote {
            if c == open {
                quote = None;
            }
            continue;
        }
        let rest = line.get(at..)?;
        match c {
            '\'' | '"' => quote = Some(c),
            '[' | ',' => begins = true,
            ' ' | '\t' => {}
            _ => {
                let after = rest.strip_prefix(name).filter(|_| begins);
                let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-';
                if let Some(after) = after.filter(|after| !after.starts_with(is_word)) {
                    return Some(after);
                }
                begins = false;
            }
        }
    }
    None
}

/// The first quoted string of a text.
fn first_string(text: &str) -> Option<&str> {
    let start = text.find(['"', '\''])?;
    let quote = text.get(start..=start)?;
    let inner = text.get(start + 1..)?;
    inner.split(quote).next()
}

/// The text with a hole for each `{{ … }}`, as wide as that was.
fn masked(text: &str) -> String {
    let mut seen = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("{{") {
        let (before, from) = rest.split_at(at);
        seen.push_str(before);
        // `{{{{` stands for two braces.
        if let Some(after) = from.strip_prefix("{{{{") {
            seen.push_str("{{");
            rest = after;
            continue;
        }
        let Some(end) = from.find("}}") else {
            rest = from;
            break;
        };
        let (hole, after) = from.split_at(end + 2);
        seen.extend(std::iter::repeat_n(HOLE, hole.chars().count()));
        rest = after;
    }
    seen.push_str(rest);
    seen
}
