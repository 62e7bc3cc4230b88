//! Ranges that two names make: `media-start` and `media-end`.

use std::collections::BTreeMap;
use std::rc::Rc;

/// How the ends are called.
pub(crate) const NAME_ENDS: [(&str, &str); 3] = [("start", "end"), ("min", "max"), ("from", "to")];

/// Two names that make a range, and their numbers.
#[derive(Debug)]
pub(crate) struct Ends {
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) first: String,
    pub(crate) last: String,
}

/// What a name is in a range of two names.
pub(crate) enum Pair {
    None,
    First { base: String, ends: Ends },
    Second,
}

/// How the two names of a range are spelled: `x-start`, `x_start`, `xStart`.
pub(crate) fn spellings(base: &str, first: &str, last: &str) -> [(String, String); 3] {
    let camel = |word: &str| {
        let mut chars = word.chars();
        let head = chars.next().map_or(' ', |c| c.to_ascii_uppercase());
        format!("{base}{head}{}", chars.as_str())
    };
    [
        (format!("{base}-{first}"), format!("{base}-{last}")),
        (format!("{base}_{first}"), format!("{base}_{last}")),
        (camel(first), camel(last)),
    ]
}

/// Finds the other half of a range of two names; a name that is taken by itself keeps its halves apart.
pub(crate) fn paired(name: &str, numbers: &BTreeMap<Rc<str>, i64>) -> Pair {
    for (first, last) in NAME_ENDS {
        for (index, end) in [first, last].into_iter().enumerate() {
            let lower = name.to_ascii_lowercase();
            let Some(base) = lower.strip_suffix(end) else { continue };
            let base = name[..base.len()].trim_end_matches(['-', '_']);
            let pair = spellings(base, first, last)
                .into_iter()
                .find(|pair| name == if index == 0 { &pair.0 } else { &pair.1 });
            let Some((first, last)) = pair else { continue };
            let (Some(&from), Some(&to)) = (numbers.get(&*first), numbers.get(&*last)) else {
                continue;
            };
            if base.is_empty() || numbers.contains_key(base) {
                continue;
            }
            return match index {
                0 => Pair::First { base: base.to_owned(), ends: Ends { from, to, first, last } },
                _ => Pair::Second,
            };
        }
    }
    Pair::None
}
