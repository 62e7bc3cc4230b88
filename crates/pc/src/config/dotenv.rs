//! `.env` files as godotenv reads them.
//!
//! `NAME=value` or `NAME: value`, with `export` before it or not. In single quotes nothing has a meaning; in double
//! quotes `\n`, `\r`, `\"`, `\\` and `\$` do; unquoted text ends at ` #`. Outside of single quotes `$A` and `${A}` are
//! variables of the same files. A quoted value may run over lines.

use std::collections::BTreeMap;

/// A file that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}: {what}")]
pub(crate) struct DotenvError {
    /// The line, from 1.
    pub(crate) line: usize,
    /// What is wrong there.
    pub(crate) what: String,
}

/// Reads a file on top of the variables that are known; later values win.
pub(crate) fn read(text: &str, known: &mut BTreeMap<String, String>) -> Result<(), DotenvError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
    let mut rest = text.as_str();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return Ok(());
        }
        if rest.starts_with('#') {
            rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
            continue;
        }
        let line = text[..text.len() - rest.len()].matches('\n').count() + 1;
        rest = entry(rest, known).map_err(|what| DotenvError { line, what })?;
    }
}

/// Reads one entry and returns what is behind it.
fn entry<'a>(text: &'a str, known: &mut BTreeMap<String, String>) -> Result<&'a str, String> {
    let text = match text.strip_prefix("export") {
        Some(rest) if rest.starts_with([' ', '\t']) => rest.trim_start_matches([' ', '\t']),
        _ => text,
    };
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-');
    let end = text.find(|c| !is_name(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if name.is_empty() {
        return Err(format!("`{}` is no name of a variable", first_line(text)));
    }
    let rest = rest.trim_start_matches([' ', '\t']);
    let Some(rest) = rest.strip_prefix(['=', ':']) else {
        return Err(format!("there is no `=` after `{name}`"));
    };
    let rest = rest.trim_start_matches([' ', '\t']);
    let (value, rest) = if let Some(quote @ ('\'' | '"')) = rest.chars().next() {
        quoted(&rest[1..], quote, known)
            .ok_or_else(|| format!("the quotes of `{name}` are not closed"))?
    } else {
        let (line, rest) = rest.split_once('\n').unwrap_or((rest, ""));
        (variables(without_comment(line), known), rest)
    };
    known.insert(name.to_owned(), value);
    Ok(rest)
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn without_comment(line: &str) -> &str {
    let comment = line
        .char_indices()
        .find(|&(at, c)| c == '#' && (at == 0 || line[..at].ends_with([' ', '\t'])));
    comment.map_or(line, |(at, _)| &line[..at]).trim()
}

fn quoted<'a>(
    text: &'a str,
    quote: char,
    known: &BTreeMap<String, String>,
) -> Option<(String, &'a str)> {
    let mut escaped = false;
    let end = text.char_indices().find(|&(_, c)| {
        let ends = c == quote && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    let (end, _) = end?;
    let (inside, rest) = (&text[..end], &text[end + 1..]);
    // What stands behind the quotes on their line is a comment, or nothing.
    let rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
    if quote == '\'' {
        return Some((inside.to_owned(), rest));
    }
    Some((variables(inside, known), rest))
}

/// Puts in variables, and takes escapes away.
fn variables(text: &str, known: &BTreeMap<String, String>) -> String {
    let mut value = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => value.push('\n'),
                Some('r') => value.push('\r'),
                Some(escaped @ ('"' | '\\' | '$')) => value.push(escaped),
                Some(other) => value.extend(['\\', other]),
                None => value.push('\\'),
            },
            '$' => {
                let braces = chars.next_if_eq(&'{').is_some();
                let mut name = String::new();
                while let Some(c) = chars.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
                    name.push(c);
                }
                let closed = braces && chars.next_if_eq(&'}').is_some();
                if name.is_empty() || closed != braces {
                    value.push('$');
                    value.push_str(if braces { "{" } else { "" });
                    value.push_str(&name);
                    value.push_str(if closed { "}" } else { "" });
                } else {
                    value.push_str(known.get(&name).map_or("", String::as_str));
                }
            }
            c => value.push(c),
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Result<String, String> {
        let mut known = BTreeMap::new();
        read(text, &mut known).map_err(|error| error.to_string())?;
        Ok(known
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .join("|"))
    }

    #[test]
    fn forms() {
        for (text, values) in [
            ("A=1\nexport B = two \n\n# c\nC: three # no\n", "A=1|B=two|C=three"),
            ("A='$x # \\n'\nB=\"a\\nb \\$A \\\"q\\\"\"", "A=$x # \\n|B=a\nb $A \"q\""),
            ("A=1\nB=$A-${A}\nC=\"$A${NONE}.\"", "A=1|B=1-1|C=1."),
            ("A=\"one\ntwo\" # rest\nB=x#y", "A=one\ntwo|B=x#y"),
            ("A=\nB=''", "A=|B="),
            ("URL=http://h/?a=b&c=d\r\n", "URL=http://h/?a=b&c=d"),
            ("exported=1", "exported=1"),
        ] {
            assert_eq!(all(text), Ok(values.to_owned()), "{text}");
        }
    }

    #[test]
    fn mistakes_have_lines() {
        assert_eq!(all("A=1\n\nB"), Err("3: there is no `=` after `B`".into()));
        assert_eq!(all("A='x\n"), Err("1: the quotes of `A` are not closed".into()));
        assert_eq!(all("#\n=1"), Err("2: `=1` is no name of a variable".into()));
    }
}
