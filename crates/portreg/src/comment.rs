//! The comment behind an entry: its description.

/// The text of the comment that follows byte `end` on the same line: `# …`, or `/* … */` at the end of its line or set.
pub(crate) fn behind(text: &str, end: usize) -> Option<String> {
    let rest = text.get(end..)?;
    let line = rest.split(['\n', '\r']).next()?;
    let comment = line.trim_start_matches([' ', '\t', ',']);
    let words = if let Some(block) = comment.strip_prefix("/*") {
        let (words, after) = block.split_once("*/")?;
        // One in front of another entry is that one's.
        let ends = after.trim_start().is_empty() || after.trim_start().starts_with('}');
        if !ends {
            return None;
        }
        words.trim_matches('*').trim()
    } else {
        comment.strip_prefix('#')?.trim_start_matches('#').trim()
    };
    (!words.is_empty()).then(|| words.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_comment_on_the_line_counts() {
        let text = "a = 1; # the first\nb = 2; c = 3; ## last\r\nd = 4;\n# next";
        let after = |part: &str| behind(text, text.find(part).unwrap() + part.len());
        assert_eq!(after("a = 1;").as_deref(), Some("the first"));
        assert_eq!(after("b = 2;"), None);
        assert_eq!(after("c = 3;").as_deref(), Some("last"));
        assert_eq!(after("d = 4;"), None);
        assert_eq!(behind("a = 1; #", 6), None);
        assert_eq!(behind("a = 1; /** one **/ }", 6).as_deref(), Some("one"));
        assert_eq!(behind("a = 1; /* one */", 6).as_deref(), Some("one"));
        assert_eq!(behind("a = 1; /* of b */ b = 2;", 6), None);
        assert_eq!(behind("a = 1; /* open", 6), None);
    }
}
