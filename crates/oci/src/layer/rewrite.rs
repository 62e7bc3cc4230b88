//! From the path that is read to the name in the tar.

use regex::bytes::{Captures, Regex, RegexBuilder};

use super::LayerError;
use super::recipe::PathRecipe;

/// Compiles a pattern of Go's `regexp` package.
///
/// Go's `\w`, `\d`, `\s` and `\b` know ASCII only, and its `.` takes a byte that is not UTF-8. So does the
/// engine here when Unicode is off, which it is unless the pattern itself asks for it.
pub(super) fn compile(pattern: &str) -> Result<Regex, LayerError> {
    let wants_unicode = !pattern.is_ascii() || pattern.contains("\\p") || pattern.contains("\\P");
    RegexBuilder::new(pattern).unicode(wants_unicode).build().map_err(|source| LayerError::Regex {
        pattern: pattern.to_owned(),
        source: Box::new(source),
    })
}

/// How the entries of one path are named.
#[derive(Debug)]
pub(super) enum Naming {
    /// Every entry keeps what follows the path; the path itself becomes this.
    Prefix(Vec<u8>),
    /// Each entry's whole path has to be looked at.
    Regex { regex: Regex, repl: Vec<u8> },
}

impl Naming {
    pub(super) fn of(recipe: &PathRecipe) -> Result<Self, LayerError> {
        let path = recipe.path.as_bytes();
        if let Some(to) = &recipe.to {
            // The contents of what lands at `/` do so; `/` itself is nobody's.
            let to = if to == "/" { "" } else { to.as_str() };
            return Ok(Self::Prefix(to.as_bytes().to_vec()));
        }
        let Some(rewrite) = recipe.rewrite() else { return Ok(Self::Prefix(path.to_vec())) };
        let regex = compile(&rewrite.regex)?;
        let repl = rewrite.repl.as_bytes();
        if is_decided_by(&rewrite.regex, path) {
            return Ok(Self::Prefix(replace_all(&regex, path, repl)));
        }
        Ok(Self::Regex { regex, repl: repl.to_vec() })
    }
}

/// Whether what `pattern` does to `path` is what it does to everything below it: it is anchored at the
/// start, and takes a fixed number of bytes that is not more than `path` has.
fn is_decided_by(pattern: &str, path: &[u8]) -> bool {
    let Some(rest) = pattern.strip_prefix('^') else { return false };
    let is_one_byte = |b: u8| b.is_ascii_alphanumeric() || b"/_-.=".contains(&b);
    rest.len() <= path.len() && rest.bytes().all(is_one_byte)
}

/// Replaces every match, with Go's rules for the replacement.
pub(super) fn replace_all(regex: &Regex, text: &[u8], repl: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut end = 0;
    for captures in regex.captures_iter(text) {
        let Some(whole) = captures.get(0) else { continue };
        out.extend_from_slice(&text[end..whole.start()]);
        expand(repl, &captures, &mut out);
        end = whole.end();
    }
    out.extend_from_slice(&text[end..]);
    out
}

/// Go's `Regexp.Expand`: `$name` takes as many letters, digits and underscores as there are, `${name}`
/// ends at the brace, `$$` is a dollar, an unknown name is nothing, and a lone dollar is itself.
fn expand(template: &[u8], captures: &Captures<'_>, out: &mut Vec<u8>) {
    let mut rest = template;
    while let Some(at) = rest.iter().position(|b| *b == b'$') {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        if let [b'$', tail @ ..] = rest {
            out.push(b'$');
            rest = tail;
        } else if let Some((name, tail)) = variable(rest) {
            out.extend_from_slice(group(name, captures));
            rest = tail;
        } else {
            out.push(b'$');
        }
    }
    out.extend_from_slice(rest);
}

/// The variable at the start of `text` (behind the dollar), and what follows it.
fn variable(text: &[u8]) -> Option<(&str, &[u8])> {
    let (is_braced, body) = match text {
        [b'{', body @ ..] => (true, body),
        _ => (false, text),
    };
    let is_name = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
    let length = body.iter().take_while(|b| is_name(b)).count();
    let (name, tail) = body.split_at(length);
    let name = str::from_utf8(name).ok().filter(|name| !name.is_empty())?;
    if is_braced { Some((name, tail.strip_prefix(b"}")?)) } else { Some((name, tail)) }
}

fn group<'t>(name: &str, captures: &Captures<'t>) -> &'t [u8] {
    let is_number =
        name.bytes().all(|b| b.is_ascii_digit()) && (name == "0" || !name.starts_with('0'));
    let found = if is_number {
        name.parse().ok().and_then(|number| captures.get(number))
    } else {
        captures.name(name)
    };
    found.map_or(b"", |found| found.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::recipe::{PathOptions, Rewrite};

    fn replaced(pattern: &str, text: &str, repl: &str) -> String {
        let out = replace_all(&compile(pattern).unwrap(), text.as_bytes(), repl.as_bytes());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn replacements_follow_go() {
        // Each was checked against the documentation of Go's regexp package.
        assert_eq!(replaced("a(x*)b", "-ab-axxb-", "T"), "-T-T-");
        assert_eq!(replaced("a(x*)b", "-ab-axxb-", "$1"), "--xx-");
        assert_eq!(replaced("a(x*)b", "-ab-axxb-", "$1W"), "---", "$1W is the group `1W`");
        assert_eq!(replaced("a(x*)b", "-ab-axxb-", "${1}W"), "-W-xxW-");
        assert_eq!(replaced("a(?P<x>x*)b", "axb", "$x$$${x}$"), "x$x$");
        assert_eq!(replaced("a(x*)b", "axb", "$01|$9|$0|${1"), "||axb|${1");
        assert_eq!(replaced("a*", "baaau", "x"), "xbxux");
    }

    #[test]
    fn ascii_classes_and_any_byte() {
        assert_eq!(replaced(r"\w", "é1", "x"), "éx");
        let regex = compile("^/a/.*b").unwrap();
        assert!(regex.is_match(b"/a/\xffb"));
        assert!(compile("[é]").unwrap().is_match("é".as_bytes()));
        assert!(matches!(compile("("), Err(LayerError::Regex { .. })));
    }

    #[test]
    fn a_rewrite_of_the_prefix_is_recognised() {
        let naming = |path: &str, regex: &str, repl: &str| {
            let rewrite = Some(Rewrite { regex: regex.to_owned(), repl: repl.to_owned() });
            let options = Some(PathOptions { rewrite, perms: Vec::new() });
            Naming::of(&PathRecipe { options, ..PathRecipe::new(path) }).unwrap()
        };
        let prefix = |naming| match naming {
            Naming::Prefix(prefix) => Some(String::from_utf8(prefix).unwrap()),
            Naming::Regex { .. } => None,
        };
        let path = "/nix/store/0-a.1";
        assert_eq!(prefix(naming(path, "^/nix/store/0-a.1", "")).as_deref(), Some(""));
        assert_eq!(prefix(naming(path, "^/nix", "/opt")).as_deref(), Some("/opt/store/0-a.1"));
        assert_eq!(prefix(naming(path, "^/etc", "/opt")).as_deref(), Some(path));
        assert_eq!(prefix(naming(path, "^/nix/store/0-a.1/bin", "")), None);
        assert_eq!(prefix(naming(path, "^/nix/store/0-a+", "")), None);
        assert_eq!(prefix(naming(path, "/bin", "/sbin")), None);
    }
}
