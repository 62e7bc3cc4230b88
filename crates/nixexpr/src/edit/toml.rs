//! Keys of TOML tables.

use std::fmt::Write as _;

use super::text::{BLANK, indent, line_end, line_start, newline, with_line_break};
use super::{NewEntry, NoPlace, Splice};
use crate::data::{Data, Kind, Member};

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Below `[a.b]`.
    Header,
    /// `{ … }`.
    Inline,
    /// By the keys of what is in it, or of headers.
    Implicit,
    /// The document.
    Root,
}

/// Puts a key into the table that `groups` lead to: behind its last key.
///
/// # Errors
/// When there is no such table, no place for a key in it, or none for a comment.
pub fn insert(
    text: &str,
    document: &Data,
    groups: &[String],
    new: NewEntry<'_>,
) -> Result<Splice, NoPlace> {
    let table = find(document, groups)?;
    let form = form(text, table, groups);
    let Kind::Set(members) = &table.kind else {
        return Err(NoPlace::new(table.span.range().start, "this is no table"));
    };
    if form == Form::Inline {
        return insert_inline(text, table, new);
    }
    if inline_around(text, document, groups).is_some() {
        let at = table.span.range().start;
        return Err(NoPlace::new(
            at,
            "this is inside an inline table, and has no braces of its own",
        ));
    }
    let key = written(new.names);
    let comment = new.comment.map_or_else(String::new, |words| format!(" # {words}"));
    let keys = members.iter().filter(|member| is_key(text, member));
    // What is in an implicit table may stand in several places: the last one is taken.
    if let Some(last) = keys.max_by_key(|member| member.span.start) {
        let (start, end) = (last.span.range().start, last.value.span.range().end);
        let equals = text.get(last.span.range().end..last.value.span.range().start).unwrap_or("");
        let equals = if equals.trim_matches(BLANK).len() == equals.len() { "=" } else { " = " };
        let before = text.get(line_start(text, start)..start).unwrap_or("");
        let line = format!("{}{before}{key}{equals}{}{comment}", newline(text), new.number);
        return Ok(Splice::insert(line_end(text, end), line));
    }
    let line = format!("{key} = {}{comment}", new.number);
    match form {
        Form::Header => {
            let header = table.span.range();
            let blanks = indent(text, header.start);
            let line = format!("{}{blanks}{line}", newline(text));
            Ok(Splice::insert(line_end(text, header.end), line))
        }
        Form::Root => Ok(Splice::insert(before_headers(text), format!("{line}{}", newline(text)))),
        Form::Implicit | Form::Inline => {
            let at = table.span.range().start;
            Err(NoPlace::new(
                at,
                "the table has no header and no keys, so nothing can be put into it",
            ))
        }
    }
}

/// Takes out the key that the names lead to, with its line.
///
/// # Errors
/// When there is none.
pub fn remove(text: &str, document: &Data, names: &[String]) -> Result<Splice, NoPlace> {
    let Some((leaf, groups)) = names.split_last() else {
        return Err(NoPlace::new(0, "the document itself stays"));
    };
    let table = find(document, groups)?;
    let at = table.span.range().start;
    let none = || NoPlace::new(at, format!("there is no `{leaf}`"));
    let Kind::Set(members) = &table.kind else { return Err(none()) };
    let index = members.iter().position(|member| member.name == *leaf).ok_or_else(none)?;
    let member = members.get(index).ok_or_else(none)?;
    let (start, end) = (member.span.range().start, member.value.span.range().end);
    if let Some(inline) = inline_around(text, document, groups) {
        return Ok(remove_inline(text, inline, end));
    }
    if !is_key(text, member) {
        return Err(NoPlace::new(start, "this is a table"));
    }
    Ok(Splice::remove(with_line_break(text, line_start(text, start), line_end(text, end))))
}

fn find<'a>(document: &'a Data, names: &[String]) -> Result<&'a Data, NoPlace> {
    let mut here = document;
    for name in names {
        let found = match &here.kind {
            Kind::Set(members) => members.iter().find(|member| member.name == *name),
            _ => None,
        };
        let none = || NoPlace::new(here.span.range().start, format!("there is no `{name}`"));
        here = found.map(|member| &member.value).ok_or_else(none)?;
    }
    Ok(here)
}

fn form(text: &str, table: &Data, names: &[String]) -> Form {
    match text.as_bytes().get(table.span.range().start) {
        _ if names.is_empty() => Form::Root,
        Some(b'[') => Form::Header,
        Some(b'{') => Form::Inline,
        _ => Form::Implicit,
    }
}

/// The innermost table between braces on the way.
fn inline_around<'a>(text: &str, document: &'a Data, names: &[String]) -> Option<&'a Data> {
    (1..=names.len()).rev().find_map(|length| {
        let names = names.get(..length)?;
        find(document, names).ok().filter(|table| form(text, table, names) == Form::Inline)
    })
}

/// Takes out the entry of a table between braces whose value ends at `end`.
fn remove_inline(text: &str, table: &Data, end: usize) -> Splice {
    let mut ends = Vec::new();
    value_ends(text, table, &mut ends);
    ends.sort_unstable();
    let open = table.span.range().start + 1;
    let index = ends.iter().position(|other| *other == end).unwrap_or(0);
    if let Some(before) = index.checked_sub(1).and_then(|index| ends.get(index)) {
        return Splice::remove(*before..end);
    }
    if ends.len() == 1 {
        return Splice::remove(open..end);
    }
    // The comma behind it goes, and the blanks behind that; those behind the brace stay.
    let skip = |at: usize, skipped: &[char]| {
        let rest = text.get(at..).unwrap_or("");
        at + rest.len() - rest.trim_start_matches(skipped).len()
    };
    Splice::remove(skip(open, &BLANK)..skip(skip(skip(end, &BLANK), &[',']), &BLANK))
}

/// Where the values end that stand in a table, those of its dotted keys too.
fn value_ends(text: &str, table: &Data, ends: &mut Vec<usize>) {
    let Kind::Set(members) = &table.kind else { return };
    for member in members {
        match &member.value.kind {
            Kind::Set(_) if !is_key(text, member) => value_ends(text, &member.value, ends),
            _ => ends.push(member.value.span.range().end),
        }
    }
}

/// Whether a member is `key = value`: no table but an inline one.
fn is_key(text: &str, member: &Member) -> bool {
    let first = text.as_bytes().get(member.value.span.range().start);
    match &member.value.kind {
        Kind::Set(_) => first == Some(&b'{'),
        // An array of tables has headers.
        Kind::List(_) => first == Some(&b'[') && member.value.span.start > member.span.end,
        _ => true,
    }
}

fn insert_inline(text: &str, table: &Data, new: NewEntry<'_>) -> Result<Splice, NoPlace> {
    let range = table.span.range();
    if new.comment.is_some() {
        return Err(NoPlace::new(range.start, "an inline table has no place for a comment"));
    }
    let key = format!("{} = {}", written(new.names), new.number);
    let mut ends = Vec::new();
    value_ends(text, table, &mut ends);
    Ok(match ends.iter().max() {
        None => Splice::insert(range.start + 1, format!(" {key}")),
        Some(last) => Splice::insert(*last, format!(", {key}")),
    })
}

/// The start of the line where the first header, or the comment above it, is: there the keys of the document end.
fn before_headers(text: &str) -> usize {
    let mut at = 0;
    let mut comment = None;
    for line in text.split_inclusive('\n') {
        let words = line.trim();
        if words.starts_with('[') {
            return comment.unwrap_or(at);
        }
        if words.starts_with('#') {
            comment = comment.or(Some(at));
        } else {
            comment = None;
        }
        at += line.len();
    }
    if text.is_empty() || text.ends_with('\n') { at } else { line_start(text, at) }
}

/// Names joined by dots, each in quotes unless it is a bare key.
fn written(names: &[String]) -> String {
    let key = |name: &String| {
        let bare = !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if bare {
            return name.clone();
        }
        let mut quoted = String::from("\"");
        for c in name.chars() {
            match c {
                '"' | '\\' => quoted.extend(['\\', c]),
                c if c < ' ' || c == '\u{7f}' => {
                    write!(quoted, "\\u{:04X}", u32::from(c)).unwrap_or_default();
                }
                c => quoted.push(c),
            }
        }
        quoted + "\""
    };
    names.iter().map(key).collect::<Vec<_>>().join(".")
}
