//! `HOST:CONTAINER`, as containers are given ports. The host's side is a port of this machine; the other is not.

use nixexpr::HOLE;

use super::end_of;
use super::left::{Left, ends};
use crate::lint::name::is_ports;
use crate::lint::page::{Number, Page};

/// How far up the key of a list is looked for.
const FARTHEST: usize = 200;

/// What a list item is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    /// A list of ports.
    Ports,
    /// Another list.
    Other,
    /// A list whose name is not in the text.
    Unknown,
}

/// What stands before a mapping, when the number is the host's side of one.
pub(super) fn lead<'a>(line: &'a [u8], number: &Number) -> Option<Left<'a>> {
    let mut before = Left(end_of(&line[..number.at.start]));
    let mut after = &line[number.at.end..];
    // `3000-3005:3000-3005`: both ends are numbers of their own.
    let mut range = before;
    if range.text(b"-") && !range.while_is(|byte| byte.is_ascii_digit()).is_empty() {
        before = range;
    } else {
        after = after_range(after);
    }
    after = after.strip_prefix(b":")?;
    let digits = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits > 0 {
        after = after_range(&after[digits..]);
        for protocol in [&b"/tcp"[..], b"/udp", b"/sctp"] {
            after = after.strip_prefix(protocol).unwrap_or(after);
        }
        if !ends(after) {
            return None;
        }
    } else if !matches!(after.first(), Some(b'$' | b'{' | &HOLE)) {
        return None;
    }
    let mut addressed = before;
    if addressed.text(b":") {
        addressed.address()?;
        before = addressed;
    }
    Some(before)
}

fn after_range(after: &[u8]) -> &[u8] {
    let Some(rest) = after.strip_prefix(b"-") else { return after };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 { after } else { &rest[digits..] }
}

/// What the YAML list is, of which the text on a line is an item; none if it is no item.
pub(super) fn item(
    page: &Page<'_>,
    line: usize,
    before: Left<'_>,
    known: &mut Option<Known>,
) -> Option<Item> {
    let mut before = before;
    before.quote();
    before.blanks();
    if before.0.contains(&b'[') {
        // `ports: ["3000:3000", "3001:3001"]`
        let open = before.0.iter().rposition(|byte| matches!(byte, b'[' | b']'))?;
        let mut name = Left(&before.0[..open]);
        name.blanks();
        let is_key = before.0[open] == b'[' && name.text(b":");
        name.quote();
        return is_key.then(|| of(name.name()));
    }
    if !before.text(b"-") || !before.0.trim_ascii().is_empty() {
        return None;
    }
    let indent = page.indent(line);
    if let Some(known) = known.as_mut().filter(|known| known.indent == indent && known.line < line)
        && (known.line + 1..line)
            .all(|between| page.indent(between) >= indent || page.is_blank(between))
        && (known.line + 1..line)
            .all(|between| page.indent(between) > indent || is_item(page, between))
    {
        known.line = line;
        return Some(known.item);
    }
    let item = look_up(page, line, indent);
    *known = Some(Known { line, indent, item });
    Some(item)
}

/// The list of the item before, which most often is that of this one.
#[derive(Debug)]
pub(super) struct Known {
    line: usize,
    indent: usize,
    item: Item,
}

fn is_item(page: &Page<'_>, line: usize) -> bool {
    page.is_blank(line) || page.line(line).trim_ascii_start().starts_with(b"-")
}

fn look_up(page: &Page<'_>, line: usize, indent: usize) -> Item {
    for above in (line.saturating_sub(FARTHEST)..line).rev() {
        if page.is_blank(above) || page.is_comment(above) {
            continue;
        }
        let is_above =
            page.indent(above) < indent || (page.indent(above) == indent && !is_item(page, above));
        if is_above {
            let mut name = Left(page.code(above));
            name.blanks();
            if !name.text(b":") {
                return Item::Other;
            }
            name.quote();
            return of(name.name());
        }
    }
    Item::Unknown
}

fn of(name: &str) -> Item {
    if is_ports(name) || name == "publish" { Item::Ports } else { Item::Other }
}
