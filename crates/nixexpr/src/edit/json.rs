//! Members of JSON objects.

use super::text::{blanks_before, deeper, indent, is_first_on_line, newline};
use super::{NewEntry, NoPlace, Splice};
use crate::data::{Data, Kind, Member};
use crate::write::quote;

/// Puts a member into an object, behind its last one.
///
/// # Errors
/// When it is no object, or there is a comment, for which JSON has no place.
pub fn insert(text: &str, object: &Data, new: NewEntry<'_>) -> Result<Splice, NoPlace> {
    let range = object.span.range();
    let Kind::Set(members) = &object.kind else {
        return Err(NoPlace::new(range.start, "this is no object"));
    };
    if new.comment.is_some() {
        return Err(NoPlace::new(range.start, "JSON has no comments"));
    }
    let Some(last) = members.last() else {
        let (open, close) = (range.start + 1, range.end - 1);
        let inside = text.get(open..close).unwrap_or("");
        if inside.contains('\n') {
            let indent = deeper(text, indent(text, close));
            let separator = format!("{}{indent}", newline(text));
            return Ok(Splice::insert(open, format!("{separator}{}", member(new, ": "))));
        }
        return Ok(Splice::insert(open, format!(" {}", member(new, ": "))));
    };
    let (start, end) = (last.span.range().start, last.value.span.range().end);
    let colon = text.get(last.span.range().end..last.value.span.range().start).unwrap_or(": ");
    let separator = if is_first_on_line(text, start) {
        format!("{}{}", newline(text), indent(text, start))
    } else {
        let dense = colon == ":" && members.len() == 1;
        let before = blanks_before(text, start);
        if before.is_empty() && !dense && members.len() == 1 { " " } else { before }.to_owned()
    };
    Ok(Splice::insert(end, format!(",{separator}{}", member(new, colon))))
}

/// `"a": 1`, or `"a": {"b": 1}` with a group that is not there yet.
fn member(new: NewEntry<'_>, colon: &str) -> String {
    let mut written = new.number.to_string();
    for (index, name) in new.names.iter().enumerate().rev() {
        let mut key = String::new();
        quote(name, &mut key);
        written = format!("{key}{colon}{written}");
        if index > 0 {
            written = format!("{{{written}}}");
        }
    }
    written
}

/// Takes out the member that the names lead to. A group without a blank between its braces was made for the member, as
/// [`insert`] makes them, and goes with its last one.
///
/// # Errors
/// When there is none.
pub fn remove(data: &Data, names: &[String]) -> Result<Splice, NoPlace> {
    let mut levels: Vec<(&Data, &[Member], usize)> = Vec::new();
    let mut here = data;
    for name in names {
        let found = match &here.kind {
            Kind::Set(members) => members
                .iter()
                // Of two members with one name the last one counts.
                .rposition(|member| member.name == *name)
                .map(|index| (members, index)),
            _ => None,
        };
        let Some((members, index)) = found else {
            return Err(NoPlace::new(here.span.range().start, format!("there is no `{name}`")));
        };
        levels.push((here, members, index));
        here = members.get(index).map_or(here, |member| &member.value);
    }
    while let Some((object, members, index)) = levels.pop() {
        let Some(member) = members.get(index) else { break };
        let (start, end) = (member.span.range().start, member.value.span.range().end);
        if let Some(before) = index.checked_sub(1).and_then(|index| members.get(index)) {
            return Ok(Splice::remove(before.value.span.range().end..end));
        }
        if let Some(after) = members.get(index + 1) {
            return Ok(Splice::remove(start..after.span.range().start));
        }
        let open = object.span.range().start + 1;
        if start == open && !levels.is_empty() {
            continue;
        }
        return Ok(Splice::remove(open..end));
    }
    Err(NoPlace::new(data.span.range().start, "there is no member"))
}
