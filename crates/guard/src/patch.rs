//! The patches that agents send: `*** Begin Patch`, then files added, updated, moved and deleted.

/// One file of a patch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Change<'a> {
    /// The file as it is called after the patch.
    pub(crate) path: &'a str,
    /// The file as it is called before, when it is there.
    pub(crate) from: Option<&'a str>,
    /// Lines that are replaced by others; a new file has one such change, of nothing.
    pub(crate) hunks: Vec<Hunk>,
}

/// Lines that become other lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Hunk {
    pub(crate) old: String,
    pub(crate) new: String,
}

/// Reads a patch: every file that is there after it. What a patch deletes is not.
pub(crate) fn parse(text: &str) -> Vec<Change<'_>> {
    let mut changes: Vec<Change<'_>> = Vec::new();
    let mut is_deleted = false;
    for line in text.lines() {
        // Those who read them take blanks before a mark; every line of a file has a sign of its own before it.
        if let Some(head) =
            line.trim_start().strip_prefix("*** ").filter(|_| !line.starts_with(['+', '-']))
        {
            is_deleted = head.starts_with("Delete File: ");
            if let Some(path) = head.strip_prefix("Add File: ") {
                let hunks = vec![Hunk::default()];
                changes.push(Change { path: path.trim(), from: None, hunks });
            } else if let Some(path) = head.strip_prefix("Update File: ") {
                let path = path.trim();
                changes.push(Change { path, from: Some(path), hunks: Vec::new() });
            } else if let Some(path) = head.strip_prefix("Move to: ")
                && let Some(change) = changes.last_mut()
            {
                change.path = path.trim();
            }
            continue;
        }
        if is_deleted {
            continue;
        }
        let Some(change) = changes.last_mut() else { continue };
        if line.starts_with("@@") {
            change.hunks.push(Hunk::default());
            continue;
        }
        if change.hunks.is_empty() {
            change.hunks.push(Hunk::default());
        }
        let Some(hunk) = change.hunks.last_mut() else { continue };
        let (mark, rest) = line.split_at_checked(1).unwrap_or(("", line));
        if mark != "+" {
            hunk.old.push_str(rest);
            hunk.old.push('\n');
        }
        if mark != "-" {
            hunk.new.push_str(rest);
            hunk.new.push('\n');
        }
    }
    changes
}

/// Whether a program, or a tool of that name, applies such patches.
pub(crate) fn is_applied_by(name: &str) -> bool {
    name.eq_ignore_ascii_case("apply_patch") || name.eq_ignore_ascii_case("applypatch")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATCH: &str = "*** Begin Patch\n*** Add File: a.sh\n+one\n+two\n*** Delete File: Dockerfile\n\
        *** Update File: b\n*** Move to: c\n@@ fn x\n same\n-old\n+new\n@@\n-x\n*** End of File\n*** End Patch\n";

    #[test]
    fn files_and_lines_are_read() {
        let changes = parse(PATCH);
        let hunk = |old: &str, new: &str| Hunk { old: old.to_owned(), new: new.to_owned() };
        assert_eq!(
            changes,
            [
                Change { path: "a.sh", from: None, hunks: vec![hunk("", "one\ntwo\n")] },
                Change {
                    path: "c",
                    from: Some("b"),
                    hunks: vec![hunk("same\nold\n", "same\nnew\n"), hunk("x\n", "")]
                },
            ]
        );
    }

    #[test]
    fn other_text_is_no_patch() {
        assert_eq!(parse("hello\n+x\n"), []);
    }
}
