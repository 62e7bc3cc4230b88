//! Blanking credentials in what is shown.

use std::borrow::Cow;

/// Blanks the user part of each URL: `https://token@host` becomes `https://***@host`.
pub(crate) fn redact(text: &str) -> Cow<'_, str> {
    if !text.contains("://") {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(scheme) = rest.find("://") {
        let (before, after) = rest.split_at(scheme + 3);
        shown.push_str(before);
        let is_end =
            |c: char| c == '/' || c == '?' || c == '#' || c.is_whitespace() || "'\"<>".contains(c);
        let end = after.find(is_end).unwrap_or(after.len());
        rest = match after[..end].rfind('@') {
            Some(at) => {
                shown.push_str("***");
                &after[at..]
            }
            None => after,
        };
    }
    shown.push_str(rest);
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::redact;
    use proptest::prelude::*;

    #[test]
    fn only_the_user_part_goes() {
        for (text, shown) in [
            (
                "https://user:pa@ss@host/x and git+ssh://git@h",
                "https://***@host/x and git+ssh://***@h",
            ),
            ("a@b https://host/a@b", "a@b https://host/a@b"),
            ("error at 'https://t@h'", "error at 'https://***@h'"),
            ("no url", "no url"),
            ("://", "://"),
        ] {
            assert_eq!(redact(text), shown);
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in any::<String>(), url in "(a://[é@/: ]{0,4}){0,4}") {
            drop(redact(&text).into_owned());
            drop(redact(&url).into_owned());
        }
    }
}
