//! The patterns of `${V#p}` and `${V%p}`: `*`, `?` and `[a-z]`, which all match slashes, too.

/// A pattern that was understood.
#[derive(Debug)]
pub(crate) struct Glob(Vec<Part>);

#[derive(Debug)]
enum Part {
    Any,
    One,
    Char(char),
    Class { negated: bool, ranges: Vec<(char, char)> },
}

impl Glob {
    /// Reads a pattern; none when it is none.
    pub(crate) fn new(pattern: &str) -> Option<Self> {
        let mut parts = Vec::new();
        let mut chars = pattern.chars().peekable();
        while let Some(c) = chars.next() {
            parts.push(match c {
                '*' => Part::Any,
                '?' => Part::One,
                '\\' => Part::Char(chars.next()?),
                '[' => {
                    let negated = chars.next_if(|&c| c == '^' || c == '!').is_some();
                    let mut ranges = Vec::new();
                    loop {
                        let first = match chars.next()? {
                            ']' if !ranges.is_empty() => break,
                            '\\' => chars.next()?,
                            c => c,
                        };
                        let last =
                            if chars.next_if_eq(&'-').is_some() { chars.next()? } else { first };
                        ranges.push((first, last));
                    }
                    Part::Class { negated, ranges }
                }
                c => Part::Char(c),
            });
        }
        Some(Self(parts))
    }

    /// Whether the whole text matches.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let chars: Vec<char> = text.chars().collect();
        let (mut part, mut at) = (0, 0);
        // Where the last `*` stands, and how far it reaches.
        let mut star = None;
        loop {
            match self.0.get(part) {
                Some(Part::Any) => {
                    star = Some((part, at));
                    part += 1;
                }
                Some(one) if chars.get(at).is_some_and(|&c| one.takes(c)) => {
                    part += 1;
                    at += 1;
                }
                None if at == chars.len() => return true,
                _ => match star {
                    Some((stands, reaches)) if reaches < chars.len() => {
                        star = Some((stands, reaches + 1));
                        part = stands + 1;
                        at = reaches + 1;
                    }
                    _ => return false,
                },
            }
        }
    }
}

impl Part {
    fn takes(&self, c: char) -> bool {
        match self {
            Self::Any => false,
            Self::One => true,
            Self::Char(own) => *own == c,
            Self::Class { negated, ranges } => {
                ranges.iter().any(|&(first, last)| (first..=last).contains(&c)) != *negated
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let matches = |pattern: &str, text: &str| Glob::new(pattern).unwrap().matches(text);
        assert!(matches("*/", "a/b/") && matches("a?c", "abc") && matches("[a-c]x", "bx"));
        assert!(!matches("[!a-c]x", "bx") && !matches("a", "ab") && matches("a*b*c", "aXbYbZc"));
        assert!(matches("\\*", "*") && !matches("\\*", "x") && matches("*", ""));
        assert!(Glob::new("[a").is_none());
    }
}
