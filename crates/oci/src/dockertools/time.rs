//! Times as Python's `datetime.fromisoformat` reads and `isoformat` writes them.

use std::fmt;

/// A point in time, perhaps without a zone; one without counts as UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PythonTime {
    date: (i64, i64, i64),
    clock: (i64, i64, i64),
    micros: u32,
    /// Seconds east of UTC.
    offset: Option<i64>,
}

impl PythonTime {
    /// Reads `YYYY-MM-DD`, with `THH:MM`, seconds, a fraction and a zone or without; or `now`.
    ///
    /// ```
    /// use oci::dockertools::PythonTime;
    /// let time = PythonTime::parse("1970-01-01T00:00:01Z", 0).unwrap();
    /// assert_eq!((time.to_string().as_str(), time.unix()), ("1970-01-01T00:00:01+00:00", Some(1)));
    /// assert!(PythonTime::parse("1970-02-30", 0).is_none());
    /// ```
    pub fn parse(text: &str, now: u64) -> Option<Self> {
        if text == "now" {
            let utc = crate::Timestamp::from_unix(now)?;
            return Self::parse(utc.as_str(), now);
        }
        let (date, rest) = text.split_at_checked(10)?;
        let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
        let mut time = Self { date: (year, month, day), clock: (0, 0, 0), micros: 0, offset: None };
        let Some(rest) = rest.strip_prefix(['T', ' ', 't']) else {
            return (rest.is_empty() && time.is_valid()).then_some(time);
        };
        let zone = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
        let (clock, zone) = rest.split_at(zone);
        let (clock, fraction) = clock.split_once(['.', ',']).unwrap_or((clock, ""));
        time.clock = match numbers(clock, ':', [2, 2, 2]) {
            Some([hour, minute, second]) => (hour, minute, second),
            None => numbers(clock, ':', [2, 2]).map(|[hour, minute]| (hour, minute, 0))?,
        };
        if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let micros: String = fraction.chars().chain("000000".chars()).take(6).collect();
        time.micros = micros.parse().ok()?;
        time.offset = match zone {
            "" => None,
            "Z" | "z" => Some(0),
            _ => {
                let (sign, digits) = zone.split_at(1);
                let seconds = match numbers(digits, ':', [2, 2, 2]) {
                    Some([hours, minutes, seconds]) => hours * 3600 + minutes * 60 + seconds,
                    None => numbers(digits, ':', [2, 2]).map(|[h, m]| h * 3600 + m * 60)?,
                };
                Some(if sign == "-" { -seconds } else { seconds })
            }
        };
        time.is_valid().then_some(time)
    }

    /// Whole seconds since the epoch; none before it.
    pub fn unix(&self) -> Option<u64> {
        let (year, month, day) = self.date;
        // Days since 1970-01-01, with years that begin in March.
        let shifted = if month <= 2 { year - 1 } else { year };
        let era = shifted.div_euclid(400);
        let of_era = shifted.rem_euclid(400);
        let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
        let (hour, minute, second) = self.clock;
        let local = days * 86_400 + hour * 3600 + minute * 60 + second;
        u64::try_from(local - self.offset.unwrap_or(0)).ok()
    }

    fn is_valid(&self) -> bool {
        let ((year, month, day), (hour, minute, second)) = (self.date, self.clock);
        let stamp = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z");
        year > 0
            && stamp.parse::<crate::Timestamp>().is_ok()
            && self.offset.is_none_or(|offset| offset.abs() < 86_400)
    }
}

impl fmt::Display for PythonTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ((year, month, day), (hour, minute, second)) = (self.date, self.clock);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if self.micros > 0 {
            write!(f, ".{:06}", self.micros)?;
        }
        let Some(offset) = self.offset else { return Ok(()) };
        let (sign, offset) = if offset < 0 { ('-', -offset) } else { ('+', offset) };
        write!(f, "{sign}{:02}:{:02}", offset / 3600, offset / 60 % 60)?;
        if offset % 60 > 0 { write!(f, ":{:02}", offset % 60) } else { Ok(()) }
    }
}

/// So many numbers of so many digits each, with a separator between them.
fn numbers<const N: usize>(text: &str, separator: char, digits: [usize; N]) -> Option<[i64; N]> {
    let mut out = [0; N];
    let mut parts = text.split(separator);
    for (out, digits) in out.iter_mut().zip(digits) {
        let part = parts.next()?;
        if part.len() != digits || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *out = part.parse().ok()?;
    }
    parts.next().is_none().then_some(out)
}
