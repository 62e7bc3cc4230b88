//! `yarn.lock` of yarn 1: entries with several keys, and two levels of indentation.
//!
//! The format has no specification; this reads what yarn's own parser reads of the files that yarn writes: comments,
//! keys and values bare or in JSON's quotes, `\r\n` as well as `\n`.

use std::path::Path;

use super::LockError;

/// A `yarn.lock` of yarn 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct YarnLock {
    /// In the order of the file.
    pub(crate) entries: Vec<Entry>,
}

/// One package, and the ranges that it satisfies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    /// `lodash@^4.17.0`.
    pub(crate) keys: Vec<String>,
    pub(crate) version: Option<String>,
    pub(crate) resolved: Option<String>,
    pub(crate) integrity: Option<String>,
    /// Where it begins.
    pub(crate) line: usize,
}

impl Entry {
    /// `lodash 4.17.21`, for words to a person.
    pub(crate) fn label(&self) -> String {
        let key = self.keys.first().map_or("", String::as_str);
        let end =
            key.char_indices().skip(1).find(|(_, c)| *c == '@').map_or(key.len(), |(at, _)| at);
        match &self.version {
            Some(version) => format!("{} {version}", &key[..end]),
            None => key.to_owned(),
        }
    }
}

impl YarnLock {
    /// Reads the text of a lockfile.
    ///
    /// # Errors
    /// With the line that is not understood.
    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self, LockError> {
        let mut entries: Vec<Entry> = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let number = number + 1;
            let error =
                |what: String| LockError { path: path.to_owned(), line: Some(number), what };
            let content = line.trim_start_matches(' ');
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            match line.len() - content.len() {
                0 => {
                    let keys = keys(content).ok_or_else(|| {
                        error(format!("`{}` does not begin an entry", content.escape_debug()))
                    })?;
                    entries.push(Entry { keys, line: number, ..Entry::default() });
                }
                2 => {
                    let Some(entry) = entries.last_mut() else {
                        return Err(error("a value stands before the first entry".to_owned()));
                    };
                    property(entry, content).ok_or_else(|| {
                        error(format!("`{}` is no value", content.escape_debug()))
                    })?;
                }
                // Ranges of dependencies; the entries that they lead to have what is needed.
                4.. => {}
                _ => return Err(error("the indentation is not yarn's".to_owned())),
            }
        }
        Ok(Self { entries })
    }
}

/// `"a@1", b@2:`.
fn keys(line: &str) -> Option<Vec<String>> {
    let mut rest = line.trim_end();
    let mut keys = Vec::new();
    loop {
        let (key, after) = word(rest, &[',', ':'])?;
        keys.push(key);
        rest = after.trim_start();
        match rest.strip_prefix(',') {
            Some(next) => rest = next.trim_start(),
            None => return (rest == ":").then_some(keys),
        }
    }
}

/// `resolved "https://…"`; what opens a list of its own (`dependencies:`) says nothing here.
fn property(entry: &mut Entry, line: &str) -> Option<()> {
    let line = line.trim_end();
    if line.ends_with(':') && !line.contains(' ') {
        return Some(());
    }
    let (name, rest) = word(line, &[' '])?;
    let (value, rest) = word(rest.trim_start(), &[])?;
    if !rest.is_empty() {
        return None;
    }
    match name.as_str() {
        "version" => entry.version = Some(value),
        "resolved" => entry.resolved = Some(value),
        "integrity" => entry.integrity = Some(value),
        _ => {}
    }
    Some(())
}

/// A word in quotes, or up to one of `ends`; a colon ends a word only at the end of a line (`npm:x@1` has some inside).
fn word<'a>(text: &'a str, ends: &[char]) -> Option<(String, &'a str)> {
    if let Some(inside) = text.strip_prefix('"') {
        let mut escaped = false;
        let end = inside.char_indices().find(|(_, c)| match c {
            '\\' if !escaped => {
                escaped = true;
                false
            }
            '"' if !escaped => true,
            _ => {
                escaped = false;
                false
            }
        })?;
        let (quoted, rest) = text.split_at(end.0 + 2);
        return Some((serde_json::from_str(quoted).ok()?, rest));
    }
    let is_end = |at: usize, c: char| ends.contains(&c) && (c != ':' || at + 1 == text.len());
    let end = text.char_indices().find(|&(at, c)| is_end(at, c)).map_or(text.len(), |(at, _)| at);
    (end > 0).then(|| (text[..end].to_owned(), &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<YarnLock, LockError> {
        YarnLock::parse(Path::new("yarn.lock"), text)
    }

    #[test]
    fn entries_as_yarn_writes_them() {
        let lock = parse(
            "# yarn lockfile v1\r\n\r\n\r\n\"@a/b@^1\", \"@a/b@npm:c@2\", lit-html@1:\r\n  version \"1.4.1\"\r\n  \
             resolved \"https://x/y.tgz#00\"\r\n  integrity sha512-AA==\r\n  dependencies:\r\n    c \"^1\"\r\n\nx@1:\n  version \"2\"\n",
        )
        .unwrap();
        assert_eq!(lock.entries.len(), 2);
        let entry = &lock.entries[0];
        assert_eq!(entry.keys, ["@a/b@^1", "@a/b@npm:c@2", "lit-html@1"]);
        assert_eq!(entry.resolved.as_deref(), Some("https://x/y.tgz#00"));
        assert_eq!(entry.integrity.as_deref(), Some("sha512-AA=="));
        assert_eq!((entry.line, entry.label().as_str()), (4, "@a/b 1.4.1"));
    }

    #[test]
    fn what_is_not_understood_is_named_with_its_line() {
        for (text, line, what) in [
            ("a@1:\n  version \"1\"\n   x 1\n", 3, "the indentation is not yarn's"),
            ("a@1:\n  version \"1\n", 2, "`version \\\"1` is no value"),
            ("  version \"1\"\n", 1, "a value stands before the first entry"),
            ("a@1\n", 1, "`a@1` does not begin an entry"),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!((error.line, error.what.as_str()), (Some(line), what), "{text:?}");
        }
    }
}
