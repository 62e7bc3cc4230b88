//! Rules: owners, modes and capabilities of entries, chosen by the names that they have in the image.

use std::borrow::Cow;

use regex::bytes::Regex;
use serde::{Deserialize, Serialize};

use super::LayerError;
use super::caps::Capabilities;
use super::rewrite::compile;

/// Owner, mode and capabilities of the entries whose name in the image `regex` matches somewhere. What a rule does
/// not say stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What is looked for in the absolute name.
    pub regex: String,
    /// The owner's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// The group's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gid: Option<u32>,
    /// The mode in octal digits; empty keeps it. Of symlinks it stays.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub mode: String,
    /// The capabilities of files as `setcap` takes them (`cap_net_bind_service=ep`); empty for none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub caps: String,
}

/// A rule that is ready to be used.
#[derive(Debug)]
pub(super) struct CompiledRule {
    pub(super) regex: Regex,
    pub(super) uid: Option<u32>,
    pub(super) gid: Option<u32>,
    pub(super) mode: Option<u32>,
    pub(super) caps: Option<Capabilities>,
}

impl Rule {
    /// Looks for what cannot be used.
    ///
    /// # Errors
    /// If the pattern, the mode or the capabilities cannot be understood.
    pub fn check(&self) -> Result<(), LayerError> {
        self.compiled().map(drop)
    }

    pub(super) fn compiled(&self) -> Result<CompiledRule, LayerError> {
        let mode = octal_mode(&self.mode)?;
        let caps = match self.caps.as_str() {
            "" => None,
            text => Some(
                text.parse()
                    .map_err(|source| LayerError::Capabilities { text: text.to_owned(), source })?,
            ),
        };
        Ok(CompiledRule { regex: compile(&self.regex)?, uid: self.uid, gid: self.gid, mode, caps })
    }
}

/// A mode in octal digits; none if there are no digits.
pub(super) fn octal_mode(text: &str) -> Result<Option<u32>, LayerError> {
    let is_octal = text.len() <= 5 && text.bytes().all(|b| (b'0'..=b'7').contains(&b));
    match u32::from_str_radix(text, 8) {
        _ if text.is_empty() => Ok(None),
        Ok(mode) if is_octal && mode <= 0o7777 => Ok(Some(mode)),
        _ => Err(LayerError::Mode { mode: text.to_owned() }),
    }
}

/// A shell pattern as the regular expression of the whole names that it matches: `*` and `?` stay within a component,
/// `**` does not; `[a-z]` and `[!a-z]` are one byte, `{a,b}` is either. A backslash takes the next character as it is.
///
/// ```
/// let regex = oci::layer::glob_to_regex("/home/*/bin/**").unwrap();
/// assert_eq!(regex, r"^/home/[^/]*/bin/.*$");
/// assert!(oci::layer::glob_to_regex("[").is_none());
/// ```
pub fn glob_to_regex(glob: &str) -> Option<String> {
    let mut out = String::from("^");
    let mut open = 0_usize;
    let mut rest = glob.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '*' if rest.peek() == Some(&'*') => {
                while rest.next_if_eq(&'*').is_some() {}
                out.push_str(".*");
            }
            '*' => out.push_str("[^/]*"),
            '?' => out.push_str("[^/]"),
            '[' => {
                let mut class = String::new();
                class.push_str(if rest.next_if(|c| matches!(c, '!' | '^')).is_some() {
                    "[^/"
                } else {
                    "["
                });
                let mut is_empty = true;
                loop {
                    match rest.next()? {
                        ']' if !is_empty => break,
                        '-' => class.push('-'),
                        c => class.push_str(&escaped(c)),
                    }
                    is_empty = false;
                }
                out.push_str(&class);
                out.push(']');
            }
            '{' => {
                open += 1;
                out.push_str("(?:");
            }
            ',' if open > 0 => out.push('|'),
            '}' => {
                open = open.checked_sub(1)?;
                out.push(')');
            }
            '\\' => out.push_str(&escaped(rest.next()?)),
            c => out.push_str(&escaped(c)),
        }
    }
    out.push('$');
    (open == 0).then_some(out)
}

fn escaped(c: char) -> Cow<'static, str> {
    match c {
        '/' | '-' | '_' | '@' | '=' | ':' | ' ' | '%' | ',' => c.to_string().into(),
        c => regex::escape(&c.to_string()).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(glob: &str, name: &str) -> bool {
        compile(&glob_to_regex(glob).unwrap()).unwrap().is_match(name.as_bytes())
    }

    #[test]
    fn globs_match_whole_names() {
        assert!(matches("/home/app/**", "/home/app/a/b"));
        assert!(!matches("/home/app/**", "/home/app"));
        assert!(
            matches("/home/app{,/**}", "/home/app") && matches("/home/app{,/**}", "/home/app/x")
        );
        assert!(matches("/etc/*.conf", "/etc/a.conf") && !matches("/etc/*.conf", "/etc/a/b.conf"));
        assert!(!matches("/etc/*.conf", "/etc/axconf") && !matches("/etc/a", "/x/etc/a"));
        assert!(matches("/[a-c]?", "/bé") || matches("/[a-c]?", "/bx"));
        assert!(!matches("/[!a-c]", "/b") && matches("/[!a-c]", "/d") && matches("/[]]", "/]"));
        assert!(matches(r"/\*", "/*") && !matches(r"/\*", "/a"));
        for broken in ["[", "{a", "a}", "\\", "[]"] {
            assert_eq!(glob_to_regex(broken), None, "{broken}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        let rule = |regex: &str, mode: &str, caps: &str| {
            let (regex, mode, caps) = (regex.to_owned(), mode.to_owned(), caps.to_owned());
            Rule { regex, mode, caps, ..Rule::default() }.check()
        };
        assert!(rule("^/a", "1777", "cap_chown=ep").is_ok());
        assert!(matches!(rule("(", "", ""), Err(LayerError::Regex { .. })));
        assert!(matches!(rule("a", "9", ""), Err(LayerError::Mode { .. })));
        assert!(matches!(rule("a", "", "cap_x=ep"), Err(LayerError::Capabilities { .. })));
    }
}
