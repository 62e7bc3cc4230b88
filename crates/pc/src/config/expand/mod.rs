//! `${}` in the text of a file, before it is YAML, as process-compose expands it.
//!
//! Only `${…}` is expanded; `$VAR`, `$(…)` and what else a shell knows stay for the shell, and `$$` is `$`. What
//! process-compose calls a syntax error stays for the shell, too, if it has its closing brace: `${a[@]}`, `${!a}`.

use std::ops::Range;

use super::glob::Glob;

/// The most bytes that a file may grow to.
const MAX_BYTES: usize = 16 << 20;
/// The most `${}` inside each other.
const MAX_DEPTH: usize = 32;

/// A text whose variables have their values.
#[derive(Debug, Default)]
pub(crate) struct Expanded {
    /// The text.
    pub(crate) text: String,
    /// The parts that were put in, in their order.
    pub(crate) pieces: Vec<Piece>,
    /// What was left to the shell although it looks like something to expand.
    pub(crate) left: Vec<Range<usize>>,
    /// `${V:+a}` and `${V:?m}`, which do not do here what they do in a shell.
    pub(crate) misleading: Vec<Range<usize>>,
}

/// A part that was put in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Where it is now.
    pub(crate) expanded: Range<usize>,
    /// Where it was.
    pub(crate) original: Range<usize>,
    /// The registered ports it is made of.
    pub(crate) ports: Vec<String>,
}

/// A `${}` that cannot be expanded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub(crate) struct ExpandError {
    /// The byte of its `$`.
    pub(crate) at: usize,
    /// What is wrong.
    pub(crate) what: String,
    /// What to do about it.
    pub(crate) hint: Option<String>,
}

/// Where values come from.
pub(crate) trait Values {
    /// The value of a variable; none when it is not set.
    fn variable(&self, name: &str) -> Option<String>;
    /// The number of a registered port; none when there is no such port and a default stands in.
    fn port(&self, path: &str, has_default: bool) -> Result<Option<u16>, PortError>;
}

/// A port that is not registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PortError {
    /// Why.
    pub(crate) what: String,
    /// What to do about it.
    pub(crate) hint: Option<String>,
}

/// Expands a text.
pub(crate) fn expand(text: &str, values: &dyn Values) -> Result<Expanded, ExpandError> {
    let mut expanded = Expanded::default();
    let mut at = 0;
    while let Some(found) = text[at..].find('$') {
        let dollar = at + found;
        expanded.text.push_str(&text[at..dollar]);
        let mut parser = Parser { text, at: dollar, values, ports: Vec::new(), misleading: false };
        let (value, end) = match text.as_bytes().get(dollar + 1) {
            Some(b'$') => ("$".to_owned(), dollar + 2),
            Some(b'{') => match parser.braces(0) {
                Ok(Some(value)) => (value, parser.at),
                Ok(None) => {
                    let end = parser.closing(dollar)?;
                    expanded.left.push(dollar..end);
                    expanded.text.push_str(&text[dollar..end]);
                    at = end;
                    continue;
                }
                // In a comment nobody means it.
                Err(_) if is_comment(text, dollar) => {
                    expanded.text.push('$');
                    at = dollar + 1;
                    continue;
                }
                Err(error) => return Err(error),
            },
            _ => {
                expanded.text.push('$');
                at = dollar + 1;
                continue;
            }
        };
        if parser.misleading {
            expanded.misleading.push(dollar..end);
        }
        let start = expanded.text.len();
        expanded.text.push_str(&value);
        if expanded.text.len() > MAX_BYTES {
            let what = format!("the variables make the file larger than {MAX_BYTES} bytes");
            return Err(ExpandError { at: dollar, what, hint: None });
        }
        expanded.pieces.push(Piece {
            expanded: start..expanded.text.len(),
            original: dollar..end,
            ports: parser.ports,
        });
        at = end;
    }
    expanded.text.push_str(&text[at..]);
    Ok(expanded)
}

fn is_comment(text: &str, at: usize) -> bool {
    let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
    text[line..at].trim_start().starts_with('#')
}

impl Expanded {
    /// Where a byte of the expanded text comes from. What was put in comes from its `$`.
    pub(crate) fn original(&self, offset: usize) -> usize {
        let next = self.pieces.partition_point(|piece| piece.expanded.start <= offset);
        match next.checked_sub(1).map(|index| &self.pieces[index]) {
            None => offset,
            Some(piece) if offset < piece.expanded.end => piece.original.start,
            Some(piece) => piece.original.end + (offset - piece.expanded.end),
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    /// The next byte.
    at: usize,
    values: &'a dyn Values,
    ports: Vec<String>,
    misleading: bool,
}

/// What stands behind the name.
enum Operator {
    Default,
    DefaultIfUnset,
    AlternativeIfSet,
    Substring,
    Case(&'static str),
    Trim(&'static str),
    Replace(&'static str),
}

const OPERATORS: [(&str, Operator); 20] = [
    (":=", Operator::Default),
    (":-", Operator::Default),
    (":?", Operator::Default),
    (":+", Operator::Default),
    (":", Operator::Substring),
    ("=", Operator::Default),
    ("-", Operator::DefaultIfUnset),
    ("+", Operator::AlternativeIfSet),
    ("^^", Operator::Case("^^")),
    ("^", Operator::Case("^")),
    (",,", Operator::Case(",,")),
    (",", Operator::Case(",")),
    ("##", Operator::Trim("##")),
    ("#", Operator::Trim("#")),
    ("%%", Operator::Trim("%%")),
    ("%", Operator::Trim("%")),
    ("//", Operator::Replace("//")),
    ("/#", Operator::Replace("/#")),
    ("/%", Operator::Replace("/%")),
    ("/", Operator::Replace("/")),
];

impl Parser<'_> {
    fn error(at: usize, what: &str) -> ExpandError {
        let hint = Some("write `$$` for a dollar sign that the shell should see".to_owned());
        ExpandError { at, what: what.to_owned(), hint }
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn takes(&mut self, word: &str) -> bool {
        let takes = self.rest().starts_with(word);
        if takes {
            self.at += word.len();
        }
        takes
    }

    /// The end of a `${` that is not understood.
    fn closing(&self, dollar: usize) -> Result<usize, ExpandError> {
        let line = self.text[dollar..].split('\n').next().unwrap_or_default();
        match line.find('}') {
            Some(end) => Ok(dollar + end + 1),
            None if is_comment(self.text, dollar) => Ok(dollar + 1),
            None => Err(Self::error(dollar, "`${` has no closing brace")),
        }
    }

    /// Reads `${…}` at the cursor; none when it is no form that is expanded.
    fn braces(&mut self, depth: usize) -> Result<Option<String>, ExpandError> {
        let dollar = self.at;
        if depth > MAX_DEPTH {
            return Err(Self::error(dollar, "too many `${` inside each other"));
        }
        self.at += 2;
        if self.rest().starts_with("ports.") {
            return self.port(dollar, depth).map(Some);
        }
        let is_length = self.rest().starts_with('#');
        self.at += usize::from(is_length);
        let name = self.name();
        if name.is_empty() {
            return Ok(None);
        }
        let value = self.values.variable(&name);
        if is_length {
            let length = value.unwrap_or_default().len().to_string();
            return Ok(self.takes("}").then_some(length));
        }
        if self.takes("}") {
            return Ok(Some(value.unwrap_or_default()));
        }
        let Some((spelling, operator)) =
            OPERATORS.iter().find(|(spelling, _)| self.rest().starts_with(spelling))
        else {
            return Ok(None);
        };
        self.at += spelling.len();
        self.misleading |= matches!(*spelling, ":+" | ":?");
        self.apply(dollar, operator, value, depth)
    }

    fn apply(
        &mut self,
        dollar: usize,
        operator: &Operator,
        value: Option<String>,
        depth: usize,
    ) -> Result<Option<String>, ExpandError> {
        let text = value.clone().unwrap_or_default();
        Ok(Some(match operator {
            Operator::Default => {
                let default = self.argument(dollar, "", depth)?;
                self.close(dollar)?;
                if text.is_empty() { default } else { text }
            }
            Operator::DefaultIfUnset => {
                let default = self.argument(dollar, "", depth)?;
                self.close(dollar)?;
                value.unwrap_or(default)
            }
            Operator::AlternativeIfSet => {
                let alternative = self.argument(dollar, "", depth)?;
                self.close(dollar)?;
                value.map(|_| alternative).unwrap_or_default()
            }
            Operator::Substring => {
                let from = self.argument(dollar, ":", depth)?;
                let length =
                    self.takes(":").then(|| self.argument(dollar, "", depth)).transpose()?;
                self.close(dollar)?;
                substring(&text, &from, length.as_deref())
            }
            Operator::Case(how) => {
                if !self.takes("}") {
                    return Ok(None);
                }
                case(&text, how)
            }
            Operator::Trim(how) => {
                let pattern = self.argument(dollar, "", depth)?;
                self.close(dollar)?;
                trim(&text, how, &pattern)
            }
            Operator::Replace(how) => {
                let pattern = self.argument(dollar, "/", depth)?;
                let with =
                    if self.takes("/") { self.argument(dollar, "", depth)? } else { String::new() };
                self.close(dollar)?;
                replace(&text, how, &pattern, &with)
            }
        }))
    }

    fn name(&mut self) -> String {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let name: String = self.rest().chars().take_while(|&c| is_part(c)).collect();
        self.at += name.len();
        name
    }

    fn port(&mut self, dollar: usize, depth: usize) -> Result<String, ExpandError> {
        self.at += "ports.".len();
        let end = self.rest().find(['}', ':', '\n']).unwrap_or(self.rest().len());
        let path = self.rest()[..end].to_owned();
        self.at += end;
        let default = if self.takes(":-") { Some(self.argument(dollar, "", depth)?) } else { None };
        self.close(dollar)?;
        let found = self.values.port(&path, default.is_some()).map_err(|error| ExpandError {
            at: dollar,
            what: error.what,
            hint: error.hint,
        })?;
        if let Some(number) = found {
            self.ports.push(path);
            return Ok(number.to_string());
        }
        Ok(default.unwrap_or_default())
    }

    /// Reads up to the closing brace, or to `stop`; `${}` inside is expanded.
    fn argument(&mut self, dollar: usize, stop: &str, depth: usize) -> Result<String, ExpandError> {
        let mut argument = String::new();
        loop {
            let rest = self.rest();
            if rest.starts_with("${") {
                let start = self.at;
                if let Some(value) = self.braces(depth + 1)? {
                    argument.push_str(&value);
                } else {
                    let end = self.closing(start)?;
                    argument.push_str(&self.text[start..end]);
                    self.at = end;
                }
                continue;
            }
            let Some(next) = rest.chars().next() else {
                return Err(Self::error(dollar, "`${` has no closing brace"));
            };
            if next == '}' || (!stop.is_empty() && rest.starts_with(stop)) {
                return Ok(argument);
            }
            // `\/` is a slash in a pattern that slashes end.
            let escaped = stop == "/" && (rest.starts_with("\\/") || rest.starts_with("\\\\"));
            let next = if escaped { rest.chars().nth(1).unwrap_or(next) } else { next };
            self.at += next.len_utf8() + usize::from(escaped);
            // `$$` is one, inside as outside.
            if next == '$' && self.rest().starts_with('$') {
                self.at += 1;
            }
            argument.push(next);
        }
    }

    fn close(&mut self, dollar: usize) -> Result<(), ExpandError> {
        if self.takes("}") {
            return Ok(());
        }
        Err(Self::error(dollar, "`${` has no closing brace"))
    }
}

fn case(text: &str, how: &str) -> String {
    let first = |change: fn(char) -> String| {
        let mut chars = text.chars();
        chars.next().map(|c| change(c) + chars.as_str()).unwrap_or_default()
    };
    match how {
        "^^" => text.to_uppercase(),
        ",," => text.to_lowercase(),
        "^" => first(|c| c.to_uppercase().collect()),
        _ => first(|c| c.to_lowercase().collect()),
    }
}

fn trim(text: &str, how: &str, pattern: &str) -> String {
    let Some(glob) = Glob::new(pattern) else { return text.to_owned() };
    let cuts: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let cut = match how {
        "#" => cuts.iter().find(|&&cut| cut > 0 && glob.matches(&text[..cut])),
        "##" => cuts.iter().rev().find(|&&cut| cut > 0 && glob.matches(&text[..cut])),
        "%" => cuts.iter().rev().find(|&&cut| cut < text.len() && glob.matches(&text[cut..])),
        _ => cuts.iter().find(|&&cut| cut < text.len() && glob.matches(&text[cut..])),
    };
    match cut {
        Some(&cut) if how.starts_with('#') => text[cut..].to_owned(),
        Some(&cut) => text[..cut].to_owned(),
        None => text.to_owned(),
    }
}

fn replace(text: &str, how: &str, from: &str, to: &str) -> String {
    match how {
        "//" if from.is_empty() => text.to_owned(),
        "//" => text.replace(from, to),
        "/#" => text.strip_prefix(from).map_or(text.to_owned(), |rest| format!("{to}{rest}")),
        "/%" => text.strip_suffix(from).map_or(text.to_owned(), |rest| format!("{rest}{to}")),
        _ => text.replacen(from, to, 1),
    }
}

/// A part of a text, counted in bytes; what is no number gives the whole text.
fn substring(text: &str, from: &str, length: Option<&str>) -> String {
    let Ok(from) = from.parse::<i64>() else { return text.to_owned() };
    let size = i64::try_from(text.len()).unwrap_or(i64::MAX);
    let start = if from < 0 { size.saturating_add(from).max(0) } else { from.min(size) };
    let end = match length.map(str::parse::<i64>) {
        None => size,
        Some(Err(_)) => return text.to_owned(),
        Some(Ok(length)) if length < 0 => size.saturating_add(length),
        Some(Ok(length)) => start.saturating_add(length).min(size),
    };
    let at = |offset: i64| usize::try_from(offset).unwrap_or(0);
    text.as_bytes()
        .get(at(start)..at(end))
        .map_or(String::new(), |part| String::from_utf8_lossy(part).into_owned())
}

#[cfg(test)]
mod tests;
