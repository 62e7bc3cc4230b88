//! Ranges of numbers that a policy names.

use nixexpr::Place;

use crate::PortPath;

/// Numbers from the first to the last, and where the policy says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbers {
    /// The first.
    pub from: u16,
    /// The last.
    pub to: u16,
    /// Where they are written.
    pub place: Place,
}

/// The numbers that the ports of a group must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Band {
    /// The group.
    pub group: PortPath,
    /// Its numbers.
    pub numbers: Numbers,
}

impl Numbers {
    /// Whether all numbers from the first to the last are in it.
    pub fn hold(&self, from: u16, to: u16) -> bool {
        self.from <= from && to <= self.to
    }

    /// Whether one of the numbers from the first to the last is in it.
    pub fn meet(&self, from: u16, to: u16) -> bool {
        self.from <= to && from <= self.to
    }
}

impl std::fmt::Display for Numbers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.from == self.to {
            return write!(f, "{}", self.from);
        }
        write!(f, "{}-{}", self.from, self.to)
    }
}

/// Reads `from-to`, or one number.
///
/// # Errors
/// When it is neither, names no port, or ends before it starts.
pub fn parse_numbers(text: &str) -> Result<(u16, u16), String> {
    let port = |text: &str| text.trim().parse::<u16>().ok().filter(|port| *port > 0);
    let ends = match text.split_once('-') {
        Some((from, to)) => port(from).zip(port(to)),
        None => port(text).map(|port| (port, port)),
    };
    match ends {
        Some((from, to)) if from <= to => Ok((from, to)),
        Some((from, to)) => Err(format!("the range goes from {from} to {to}")),
        None => Err(format!("`{text}` must be a port or a range of ports such as 3000-3999")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_or_two() {
        assert_eq!(parse_numbers("80"), Ok((80, 80)));
        assert_eq!(parse_numbers("3000 - 3999"), Ok((3000, 3999)));
        assert_eq!(parse_numbers("9-3").unwrap_err(), "the range goes from 9 to 3");
        for text in ["", "0", "1-", "-1", "70000", "a", "1-2-3"] {
            assert!(parse_numbers(text).unwrap_err().contains("must be a port"), "{text}");
        }
    }
}
