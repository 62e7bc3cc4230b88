//! Trying again: what may pass by itself, how long to wait, and when it is enough.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::{HeaderMap, StatusCode};

/// The first wait is at most this long, and each next one at most twice as long as the one before.
const FIRST: Duration = Duration::from_millis(200);
/// No wait is longer, unless the server asks for it.
const LONGEST: Duration = Duration::from_secs(10);

/// How long one piece of work is tried: waits of random length (full jitter), until the time since the first failure
/// is used up.
#[derive(Debug, Clone)]
pub struct Patience {
    budget: Duration,
    failing_since: Option<Instant>,
    failures: u32,
}

impl Patience {
    /// Patience for so long.
    pub fn new(budget: Duration) -> Self {
        Self { budget, failing_since: None, failures: 0 }
    }

    /// Begins anew: the work has come forward.
    pub fn renew(&mut self) {
        *self = Self::new(self.budget);
    }

    /// How long to wait after one more failure; none when it is enough. `asked` is what the server said.
    pub fn next_wait(&mut self, asked: Option<Duration>) -> Option<Duration> {
        let since = *self.failing_since.get_or_insert_with(Instant::now);
        let most = FIRST.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
        self.failures += 1;
        // What the server asked for is the least; the jitter on top keeps its clients apart.
        let wait = match asked {
            Some(asked) => asked + FIRST.mul_f64(random()),
            None => most.mul_f64(random()),
        };
        (since.elapsed() + wait <= self.budget).then_some(wait)
    }
}

/// A number from 0 to 1. Hash keys are the randomness that std has.
fn random() -> f64 {
    let bits = RandomState::new().build_hasher().finish() >> 32;
    f64::from(u32::try_from(bits).unwrap_or(u32::MAX)) / f64::from(u32::MAX)
}

/// Whether an answer of this status may be another one a moment later.
pub(crate) fn is_transient(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 425 | 429 | 500 | 502..=599)
}

/// What `Retry-After` asks for, in seconds or as a date; a date is held against the server's own clock if it tells it.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let asked = text("retry-after")?;
    if let Ok(seconds) = asked.parse::<u64>() {
        return Some(Duration::from_secs(seconds.min(1 << 20)));
    }
    let then = http_date(asked)?;
    let ours = || SystemTime::now().duration_since(UNIX_EPOCH).ok().map(|now| now.as_secs());
    let now = text("date").and_then(http_date).or_else(ours)?;
    Some(Duration::from_secs(then.saturating_sub(now).min(1 << 20)))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`, in seconds since 1970 (RFC 9110, section 5.6.7; the obsolete forms are not read).
fn http_date(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = text.split_once(", ")?.1.split(' ');
    let day: i64 = words.next()?.parse().ok()?;
    let name = words.next()?;
    let month = i64::try_from(MONTHS.iter().position(|month| *month == name)?).ok()? + 1;
    let year: i64 = words.next()?.parse().ok()?;
    let mut clock = words.next()?.split(':').map(str::parse::<i64>);
    let (hour, minute, second) = (clock.next()?.ok()?, clock.next()?.ok()?, clock.next()?.ok()?);
    let in_range = (1..=31).contains(&day)
        && (1970..10_000).contains(&year)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..61).contains(&second);
    if words.next() != Some("GMT") || !in_range {
        return None;
    }
    // Days since 1970, with years that begin in March, so that leap days come last.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719_468;
    u64::try_from(days * 86_400 + hour * 3600 + minute * 60 + second).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn dates_are_read() {
        assert_eq!(http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(http_date("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(http_date("Thu, 29 Feb 2024 23:59:59 GMT"), Some(1_709_251_199));
        for bad in [
            "",
            "now",
            "Sun, 6 Nov",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 99 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(http_date(bad), None, "{bad}");
        }
    }

    #[test]
    fn both_forms_of_retry_after_are_read() {
        assert_eq!(retry_after(&headers(&[("retry-after", "7")])), Some(Duration::from_secs(7)));
        let date = [
            ("retry-after", "Sun, 06 Nov 1994 08:49:40 GMT"),
            ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ];
        assert_eq!(retry_after(&headers(&date)), Some(Duration::from_secs(3)));
        assert_eq!(retry_after(&headers(&date[..1])), Some(Duration::ZERO), "long ago");
        assert_eq!(retry_after(&headers(&[("retry-after", "soon")])), None);
    }

    #[test]
    fn it_is_enough_at_some_time() {
        let mut patience = Patience::new(Duration::from_secs(60));
        for failure in 0..8 {
            let wait = patience.next_wait(None).unwrap();
            assert!(wait <= FIRST * (1 << failure), "{wait:?} after {failure}");
        }
        assert_eq!(patience.next_wait(Some(Duration::from_secs(61))), None);
        let asked = patience.next_wait(Some(Duration::from_secs(2))).unwrap();
        assert!(asked >= Duration::from_secs(2));
        assert_eq!(Patience::new(Duration::ZERO).next_wait(Some(Duration::from_secs(1))), None);
    }
}
