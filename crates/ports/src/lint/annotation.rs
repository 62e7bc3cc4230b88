//! `# Port from lib/ports.nix: databases.redis = 6379`: a number that is written out and says where it is from.

use std::ops::Range;

use portreg::PortPath;

use super::page::{Page, numbers, port};
use super::scan::Literal;

const MARK: &[u8] = b"ort from ";

/// How many lines an annotation may be about.
const LONGEST_BLOCK: usize = 200;

/// What opens a comment, in one language or another.
pub(crate) const OPENINGS: [&[u8]; 6] = [b"#", b"//", b"--", b";", b"/*", b"<!--"];

/// What a comment says of a port below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Annotation {
    pub(crate) path: PortPath,
    pub(crate) port: u16,
    /// The digits in the text.
    pub(crate) at: Range<usize>,
    /// The line it is on, from 0.
    pub(crate) line: usize,
    /// The lines that it is about.
    pub(crate) block: Range<usize>,
}

/// The annotations of a text.
pub(crate) fn annotations(page: &Page<'_>) -> Vec<Annotation> {
    let bytes = page.bytes();
    // Few texts have one, and looking for the words in all of the text at once is quick.
    if memchr::memmem::find(bytes, MARK).is_none() {
        return Vec::new();
    }
    (0..page.count()).filter_map(|line| annotation(page, line)).collect()
}

fn annotation(page: &Page<'_>, line: usize) -> Option<Annotation> {
    let text = page.line(line);
    let mark = text.windows(MARK.len()).position(|window| window == MARK)?;
    let before = text.get(..mark.checked_sub(1)?)?;
    let is_word = matches!(text[mark - 1], b'P' | b'p');
    let in_comment = opens_comment(before.trim_ascii_end());
    if !is_word || !in_comment {
        return None;
    }
    let start = mark + MARK.len();
    let colon = start + text[start..].iter().position(|byte| *byte == b':')?;
    let file = &text[start..colon];
    if !file.contains(&b'.') || file.iter().any(u8::is_ascii_whitespace) {
        return None;
    }
    let sign = colon + text[colon..].iter().position(|byte| *byte == b'=')?;
    let path = std::str::from_utf8(&text[colon + 1..sign]).ok()?.trim().parse().ok()?;
    let first = sign + 1 + text[sign + 1..].iter().position(|byte| !byte.is_ascii_whitespace())?;
    let number = numbers(text).find(|number| number.at.start == first)?;
    let begins = page.start(line);
    Some(Annotation {
        path,
        port: number.port,
        at: begins + number.at.start..begins + number.at.end,
        line,
        block: block(page, line),
    })
}

/// The lines that an annotation is about: those below it that are indented as far, up to the next annotation like it;
/// for one behind something, its own line and those that are indented further.
fn block(page: &Page<'_>, line: usize) -> Range<usize> {
    let indent = page.indent(line);
    let alone = is_alone(page, line);
    let first = if alone { line + 1 } else { line };
    let mut end = line + 1;
    let mut begun = !alone;
    for below in line + 1..page.count().min(line + LONGEST_BLOCK) {
        if page.is_blank(below) {
            // Without indentation, a blank line is what ends a paragraph.
            if indent == 0 && begun {
                break;
            }
            continue;
        }
        let inside = if alone { page.indent(below) >= indent } else { page.indent(below) > indent };
        if !inside {
            break;
        }
        if is_alone(page, below) {
            let is_next = page.indent(below) == indent
                && page.line(below).windows(MARK.len()).any(|window| window == MARK);
            if is_next && begun {
                break;
            }
        } else {
            begun = true;
        }
        end = below + 1;
    }
    first..end
}

/// Whether a text ends with what opens a comment; in quotes it is spoken of.
fn opens_comment(text: &[u8]) -> bool {
    OPENINGS.iter().any(|open| {
        text.strip_suffix(*open).is_some_and(|before| {
            before
                .last()
                .is_none_or(|byte| byte.is_ascii_whitespace() || b";,{}()[]/*#-!".contains(byte))
        })
    })
}

/// Whether a comment is all there is on a line. In prose, which has no comments, it is what looks like one.
fn is_alone(page: &Page<'_>, line: usize) -> bool {
    let text = page.line(line).trim_ascii_start();
    page.is_comment(line)
        || [&b"#"[..], b"//", b"--", b";", b"/*", b"*", b"<!--"]
            .iter()
            .any(|open| text.starts_with(open))
}

impl Annotation {
    /// The literals that it is about, by their numbers among all of the page, which are in the order of the text.
    pub(crate) fn is_about(&self, page: &Page<'_>, literals: &[Literal]) -> Range<usize> {
        let before =
            |line: usize| literals.partition_point(|literal| literal.at.start < page.start(line));
        before(self.block.start)..before(self.block.end)
    }

    /// Whether there is something in its block, and the number is not there.
    pub(crate) fn lacks(&self, page: &Page<'_>, wanted: u16) -> bool {
        let is_code = |line: usize| !page.is_blank(line) && !is_alone(page, line);
        self.block.clone().any(is_code) && self.places(page, wanted).is_empty()
    }

    /// Where a number stands in its block, as a port or not, comments left out.
    pub(crate) fn places(&self, page: &Page<'_>, wanted: u16) -> Vec<Range<usize>> {
        let on_line = |line: usize| {
            let start = page.start(line);
            let is_comment = is_alone(page, line);
            let found =
                numbers(page.code(line)).filter(move |number| number.port == wanted && !is_comment);
            found.map(move |number| start + number.at.start..start + number.at.end)
        };
        let places = self.block.clone().flat_map(on_line);
        places.filter(|place| *place != self.at).collect()
    }
}

/// Whether the text of a number is what is written there; edits are made of places that were read before.
pub(crate) fn is_number(bytes: &[u8], at: &Range<usize>, number: u16) -> bool {
    bytes.get(at.clone()).and_then(port) == Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::kind::Kind;

    fn of(kind: Kind, text: &str) -> Vec<(String, u16, Range<usize>)> {
        let page = Page::new(text.as_bytes(), kind);
        let found = annotations(&page);
        for annotation in &found {
            assert!(is_number(text.as_bytes(), &annotation.at, annotation.port));
        }
        found.into_iter().map(|found| (found.path.to_string(), found.port, found.block)).collect()
    }

    #[test]
    fn what_is_one() {
        for (text, path, port) in [
            ("# Port from lib/ports.nix: databases.redis = 6379", "databases.redis", 6379),
            ("  #port from ../ports.json: a.\"b.c\"=80 (x)", "a.\"b.c\"", 80),
            ("x = 80; // Port from lib/ports.nix: web = 80", "web", 80),
            ("<!-- Port from p.nix: web = 80 -->", "web", 80),
        ] {
            let found = of(Kind::Yaml, text);
            assert!(matches!(&*found, [(p, n, _)] if p == path && *n == port), "{text}: {found:?}");
        }
        for text in [
            "Port from lib/ports.nix: a = 80",
            "say `# Port from lib/ports.nix: a = 80`",
            "# Port from lib/ports.nix: a",
            "# Port from the file: a = 80",
            "# Port from ports: a = 80",
            "# Report from p.nix: a = 80",
            "# Port from p.nix: a..b = 80",
            "# Port from p.nix: a = x80",
            "# Port from p.nix: a = 70000",
        ] {
            assert_eq!(of(Kind::Yaml, text), [], "{text}");
        }
    }

    #[test]
    fn blocks() {
        let seed = "processes:\n  redis:\n    # Port from p.nix: r = 1\n    command: x\n\n    environment:\n      A: 1\n  api:\n    command: y\n";
        assert_eq!(of(Kind::Yaml, seed)[0].2, 3..7);
        let flat = "# Port from p.nix: a = 1\nA=1\n# Port from p.nix: b = 2\nB=2\n\nC=3\n";
        let blocks: Vec<_> = of(Kind::Config, flat).into_iter().map(|found| found.2).collect();
        assert_eq!(blocks, [1..2, 3..4]);
        let stacked = "# Port from p.nix: a = 1\n# Port from p.nix: b = 2\nx 1 2\n";
        let blocks: Vec<_> = of(Kind::Config, stacked).into_iter().map(|found| found.2).collect();
        assert_eq!(blocks, [1..3, 2..3]);
        let behind = "redis: # Port from p.nix: a = 1\n  x: 1\nweb: 1\n";
        assert_eq!(of(Kind::Yaml, behind)[0].2, 0..2);
        assert_eq!(of(Kind::Yaml, "a: 1\n# Port from p.nix: a = 1")[0].2, 2..2);
    }
}
