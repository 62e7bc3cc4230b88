//! `# guard:allow RULE reason`: a finding excused where it stands, by someone who says why.

use crate::finding::Finding;
use crate::policy::Policy;

const MARK: &str = "guard:allow";

/// What an excuse in a file is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Excuse {
    /// There is none.
    None,
    /// It names the rule and gives a reason.
    Given,
    /// It names the rule, on this line, and gives no reason: that is none.
    WithoutReason(usize),
}

/// The excuses in a file.
#[derive(Debug)]
pub(crate) struct Excuses<'a> {
    lines: Vec<&'a str>,
}

impl<'a> Excuses<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        // Most files have none, and then there is nothing to look at.
        let lines = if text.contains(MARK) { text.lines().collect() } else { Vec::new() };
        Self { lines }
    }

    /// The excuse for a finding: on its line, on the line before when that holds nothing else, and anywhere in
    /// the file when it is the file itself that must not be.
    pub(crate) fn excuse(&self, policy: &Policy, finding: &Finding) -> Excuse {
        let Some(rule) = finding.rule_of(policy) else { return Excuse::None };
        let numbers = match finding.place {
            None => 1..self.lines.len() + 1,
            Some(place) => {
                let at = place.line as usize;
                let before = at.checked_sub(1).and_then(|before| self.line(before));
                // A comment stands behind the last line of a command that goes over several.
                let mut last = at;
                while self.line(last).is_some_and(|line| line.ends_with('\\')) {
                    last += 1;
                }
                if before.is_some_and(is_comment) { at - 1..last + 1 } else { at..last + 1 }
            }
        };
        let mut found = Excuse::None;
        for number in numbers {
            match self.line(number).and_then(allowed) {
                Some((id, reason)) if id == rule.id && !reason.is_empty() => return Excuse::Given,
                Some((id, _)) if id == rule.id => found = Excuse::WithoutReason(number),
                _ => {}
            }
        }
        found
    }

    /// A line, from 1.
    fn line(&self, number: usize) -> Option<&'a str> {
        self.lines.get(number.checked_sub(1)?).copied()
    }
}

/// The rule and the reason on a line.
fn allowed(line: &str) -> Option<(&str, &str)> {
    let (before, after) = line.split_once(MARK)?;
    if !before.trim_end().ends_with(['#', '/']) || !after.starts_with([' ', '\t']) {
        return None;
    }
    // In a string it is no comment.
    if before.matches('"').count() % 2 == 1 || before.matches('\'').count() % 2 == 1 {
        return None;
    }
    let after = after.trim();
    Some(after.split_once(char::is_whitespace).unwrap_or((after, "")))
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with(['#', '/'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_and_a_reason_are_needed() {
        assert_eq!(allowed("x # guard:allow a-b because of c"), Some(("a-b", "because of c")));
        assert_eq!(allowed("# guard:allow a"), Some(("a", "")));
        assert_eq!(allowed("echo guard:allow a b"), None);
        assert_eq!(allowed("# guard:allowed a b"), None);
        assert_eq!(allowed("echo \"# guard:allow a b\""), None);
    }
}
