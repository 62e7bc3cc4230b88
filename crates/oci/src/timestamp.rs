//! Points in time as image documents write them: RFC 3339, kept byte for byte.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A date and time by RFC 3339, as it was written.
///
/// ```
/// let epoch: oci::Timestamp = "1970-01-01T00:00:01Z".parse()?;
/// assert_eq!(oci::Timestamp::from_unix(1), Some(epoch));
/// assert!("yesterday".parse::<oci::Timestamp>().is_err());
/// # Ok::<(), oci::TimestampError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timestamp(String);

/// A text is not a date and time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time like `2024-02-29T12:00:00Z` (RFC 3339)")]
pub struct TimestampError(String);

impl Timestamp {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The point `seconds` after the epoch, in UTC; none after the year 9999.
    pub fn from_unix(seconds: u64) -> Option<Self> {
        let (days, rest) = (seconds / 86_400, seconds % 86_400);
        let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
        let mut year = 1970;
        let mut day = days;
        while day >= days_in_year(year) {
            day -= days_in_year(year);
            year += 1;
            if year > 9999 {
                return None;
            }
        }
        let mut month = 1;
        while day >= days_in_month(year, month) {
            day -= days_in_month(year, month);
            month += 1;
        }
        let day = day + 1;
        Some(Self(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")))
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        if is_rfc3339(text.as_bytes()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(TimestampError(text.chars().take(64).collect()))
        }
    }
}

fn is_rfc3339(text: &[u8]) -> bool {
    let Some((stamp, rest)) = text.split_at_checked(19) else { return false };
    let digits = |range: std::ops::Range<usize>| {
        stamp[range]
            .iter()
            .try_fold(0, |n, b| b.is_ascii_digit().then(|| n * 10 + u64::from(b - b'0')))
    };
    let fields =
        (digits(0..4), digits(5..7), digits(8..10), digits(11..13), digits(14..16), digits(17..19));
    let (Some(year), Some(month), Some(day), Some(hour), Some(minute), Some(second)) = fields
    else {
        return false;
    };
    // Go, which writes and reads most of these, knows no leap second.
    stamp[4] == b'-'
        && stamp[7] == b'-'
        && stamp[10].eq_ignore_ascii_case(&b'T')
        && stamp[13] == b':'
        && stamp[16] == b':'
        && (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60
        && is_fraction_and_zone(rest)
}

fn is_fraction_and_zone(rest: &[u8]) -> bool {
    let zone = match rest {
        [b'.', tail @ ..] => {
            let digits = tail.iter().take_while(|b| b.is_ascii_digit()).count();
            if !(1..=9).contains(&digits) {
                return false;
            }
            &tail[digits..]
        }
        _ => rest,
    };
    match zone {
        [b'Z' | b'z'] => true,
        [b'+' | b'-', h1, h2, b':', m1, m2] => {
            [h1, h2, m1, m2].iter().all(|b| b.is_ascii_digit())
                && (*h1, *h2) <= (b'2', b'3')
                && *m1 < b'6'
        }
        _ => false,
    }
}

const fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400)
}

const fn days_in_year(year: u64) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

const fn days_in_month(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3339_is_checked_to_the_day() {
        for good in [
            "0001-01-01T00:00:00Z",
            "2015-10-31T22:22:56.015925234Z",
            "2024-02-29T23:59:59+23:59",
            "2016-08-23T23:32:26.613213682z",
        ] {
            assert!(good.parse::<Timestamp>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "now",
            "2023-02-29T00:00:00Z",
            "2024-13-01T00:00:00Z",
            "2024-01-01T24:00:00Z",
            "2024-01-01T00:00:00",
            "2024-01-01T00:00:00.Z",
            "2024-01-01 00:00:00Z",
            "2024-01-01T00:00:00+24:00",
            "2024-01-01T00:00:00Zx",
            "２024-01-01T00:00:00Z",
        ] {
            assert!(bad.parse::<Timestamp>().is_err(), "{bad}");
        }
    }

    #[test]
    fn unix_seconds_become_dates() {
        let text = |s| Timestamp::from_unix(s).map(|t| t.0);
        assert_eq!(text(0).as_deref(), Some("1970-01-01T00:00:00Z"));
        assert_eq!(text(1_709_164_800).as_deref(), Some("2024-02-29T00:00:00Z"));
        assert_eq!(text(253_402_300_799).as_deref(), Some("9999-12-31T23:59:59Z"));
        assert_eq!(text(253_402_300_800), None);
        assert_eq!(text(u64::MAX), None);
    }
}
