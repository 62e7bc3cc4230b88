//! When scheduled processes are due.

use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use jiff::{ToSpan as _, Zoned};

use crate::config::cron::{Cron, Minute};
use crate::config::model::{Schedule, Trigger};

/// Wall clocks are set and machines sleep, so a cron expression is looked at again after this time at the latest.
const LOOK: Duration = Duration::from_secs(30);

/// The next time of one process.
#[derive(Debug)]
pub(super) struct Alarm {
    schedule: Schedule,
    zone: TimeZone,
    next: Option<Zoned>,
    at: Instant,
}

impl Alarm {
    /// An alarm that is set. A zone that is not known is the machine's; the loader has told of it.
    pub(super) fn new(schedule: &Schedule) -> Self {
        let named = schedule.timezone.as_deref().and_then(|name| TimeZone::get(name).ok());
        let zone = named.unwrap_or_else(TimeZone::system);
        let mut alarm = Self { schedule: schedule.clone(), zone, next: None, at: Instant::now() };
        alarm.set();
        alarm
    }

    /// When to look.
    pub(super) fn at(&self) -> Instant {
        self.at
    }

    /// Whether its time has come; if so it is set anew.
    pub(super) fn rings(&mut self) -> bool {
        if Instant::now() < self.at {
            return false;
        }
        let is_due = match &self.next {
            Some(next) => Zoned::now() >= *next,
            None => matches!(self.schedule.trigger, Trigger::Interval(_)),
        };
        if is_due || self.next.is_none() {
            self.set();
        } else {
            self.at = self.look();
        }
        is_due
    }

    fn set(&mut self) {
        match &self.schedule.trigger {
            Trigger::Interval(interval) => self.at = Instant::now() + *interval,
            Trigger::Cron(cron) => {
                self.next = after(cron, &Zoned::now().with_time_zone(self.zone.clone()));
                self.at = self.look();
            }
        }
    }

    fn look(&self) -> Instant {
        let left = self.next.as_ref().map(|next| {
            let left = next.timestamp().duration_since(Zoned::now().timestamp());
            Duration::try_from(left).unwrap_or_default()
        });
        Instant::now() + left.unwrap_or(LOOK).min(LOOK)
    }
}

/// The next minute that an expression names; none within five years.
fn after(cron: &Cron, now: &Zoned) -> Option<Zoned> {
    let begin = now.with().second(0).subsec_nanosecond(0).build().ok()?;
    let mut at = begin.checked_add(1.minute()).ok()?;
    let end = now.checked_add(5.years()).ok()?;
    while at < end {
        let number = |number: i8| u8::try_from(number).unwrap_or(0);
        let weekday = number(at.weekday().to_sunday_zero_offset());
        let (day, month) = (number(at.day()), number(at.month()));
        if !cron.matches_day(day, month, weekday) {
            at = at.tomorrow().ok()?.start_of_day().ok()?;
            continue;
        }
        let (minute, hour) = (number(at.minute()), number(at.hour()));
        if cron.matches(Minute { minute, hour, day, month, weekday }) {
            return Some(at);
        }
        at = at.checked_add(1.minute()).ok()?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_minute_of_an_expression() {
        let now: Zoned = "2026-02-27T23:59:30+00:00[UTC]".parse().unwrap();
        for (text, expected) in [
            ("* * * * *", "2026-02-28T00:00:00"),
            ("30 4 1 * *", "2026-03-01T04:30:00"),
            ("0 12 29 2 *", "2028-02-29T12:00:00"),
            ("0 9 * * MON", "2026-03-02T09:00:00"),
        ] {
            let next = after(&text.parse().unwrap(), &now).unwrap();
            assert_eq!(next.datetime().to_string(), expected, "{text}");
        }
        assert!(after(&"0 0 31 2 *".parse().unwrap(), &now).is_none());
    }
}
