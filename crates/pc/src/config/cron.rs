//! Cron expressions: five fields, and `@every`, as robfig's parser for Go reads them.
//!
//! A field is `*`, `?`, numbers, names (`JAN`, `MON`), ranges, steps and lists of those. Where both the day of the
//! month and the day of the week are given, either is enough; where one is `*`, both must hold, as that one always
//! does. Sunday is 0, and 7 is refused as upstream refuses it.

use std::fmt;
use std::str::FromStr;

/// A cron expression that was understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cron {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    any_day: bool,
    any_weekday: bool,
}

/// A minute of a calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Minute {
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 1 to 31.
    pub day: u8,
    /// 1 to 12.
    pub month: u8,
    /// 0 to 6, from Sunday.
    pub weekday: u8,
}

/// A cron expression that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// The wrong number of fields.
    #[error("a cron expression has five fields, not {0}")]
    Fields(usize),
    /// A field that says nothing.
    #[error("`{text}` is no {field}")]
    Field {
        /// Which.
        field: &'static str,
        /// What it says.
        text: String,
    },
    /// An `@` word that is not known.
    #[error("`{0}` is not known: there are @yearly, @monthly, @weekly, @daily and @hourly")]
    Word(String),
}

struct Field {
    name: &'static str,
    first: u8,
    last: u8,
    names: &'static [&'static str],
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const FIELDS: [Field; 5] = [
    Field { name: "minute", first: 0, last: 59, names: &[] },
    Field { name: "hour", first: 0, last: 23, names: &[] },
    Field { name: "day of the month", first: 1, last: 31, names: &[] },
    Field { name: "month", first: 1, last: 12, names: &MONTHS },
    Field { name: "day of the week", first: 0, last: 6, names: &WEEKDAYS },
];

impl Cron {
    /// Whether the expression names this minute.
    pub fn matches(&self, at: Minute) -> bool {
        let has = |set: u64, number: u8| set & (1 << number) != 0;
        let day = has(self.days, at.day);
        let weekday = has(self.weekdays, at.weekday);
        let day = if self.any_day || self.any_weekday { day && weekday } else { day || weekday };
        day && has(self.minutes, at.minute)
            && has(self.hours, at.hour)
            && has(self.months, at.month)
    }

    /// Whether the expression names a minute of this day.
    pub fn matches_day(&self, day: u8, month: u8, weekday: u8) -> bool {
        let minute = u8::try_from(self.minutes.trailing_zeros()).unwrap_or(0);
        let hour = u8::try_from(self.hours.trailing_zeros()).unwrap_or(0);
        self.matches(Minute { minute, hour, day, month, weekday })
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sets = [self.minutes, self.hours, self.days, self.months, self.weekdays];
        for (at, (set, field)) in sets.into_iter().zip(&FIELDS).enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            let any = (at == 2 && self.any_day) || (at == 4 && self.any_weekday);
            let numbers: Vec<String> = (field.first..=field.last)
                .filter(|number| set & (1 << number) != 0)
                .map(|number| number.to_string())
                .collect();
            let is_full = numbers.len() == usize::from(field.last - field.first) + 1;
            // A full field is not the same as `*` where it decides which of two days count.
            if any || (is_full && at != 2 && at != 4) {
                f.write_str("*")?;
            } else {
                f.write_str(&numbers.join(","))?;
            }
        }
        Ok(())
    }
}

impl FromStr for Cron {
    type Err = CronError;

    fn from_str(text: &str) -> Result<Self, CronError> {
        let text = match text.trim() {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            word if word.starts_with('@') => return Err(CronError::Word(word.to_owned())),
            other => other,
        };
        let words: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = words.as_slice() else {
            return Err(CronError::Fields(words.len()));
        };
        let [minutes, hours, days, months, weekdays] = FIELDS;
        let is_any = |text: &str| text.split(',').any(|part| matches!(part, "*" | "?"));
        Ok(Self {
            minutes: minutes.read(minute)?,
            hours: hours.read(hour)?,
            days: days.read(day)?,
            months: months.read(month)?,
            weekdays: weekdays.read(weekday)?,
            any_day: is_any(day),
            any_weekday: is_any(weekday),
        })
    }
}

impl Field {
    fn read(&self, text: &str) -> Result<u64, CronError> {
        let mut set = 0;
        for part in text.split(',') {
            set |= self
                .part(part)
                .ok_or_else(|| CronError::Field { field: self.name, text: text.to_owned() })?;
        }
        Ok(set)
    }

    /// `A`, `A-B`, `*`, each perhaps with `/STEP`; a step after one number runs to the end.
    fn part(&self, text: &str) -> Option<u64> {
        let (range, step) = match text.split_once('/') {
            Some((range, step)) => (range, Some(step.parse::<u8>().ok().filter(|&step| step > 0)?)),
            None => (text, None),
        };
        let (first, last) = match range.split_once('-') {
            _ if matches!(range, "*" | "?") => (self.first, self.last),
            Some((first, last)) => (self.number(first)?, self.number(last)?),
            None => {
                let first = self.number(range)?;
                (first, if step.is_some() { self.last } else { first })
            }
        };
        if first > last {
            return None;
        }
        Some((first..=last).step_by(usize::from(step.unwrap_or(1))).fold(0, |set, n| set | 1 << n))
    }

    fn number(&self, text: &str) -> Option<u8> {
        if let Some(index) = self.names.iter().position(|name| name.eq_ignore_ascii_case(text)) {
            return Some(self.first + u8::try_from(index).ok()?);
        }
        text.parse().ok().filter(|number| (self.first..=self.last).contains(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: u8, hour: u8, day: u8, month: u8, weekday: u8) -> Minute {
        Minute { minute, hour, day, month, weekday }
    }

    fn cron(text: &str) -> Cron {
        text.parse().unwrap()
    }

    #[test]
    fn fields() {
        assert!(cron("*/15 9-17 * * MON-FRI").matches(at(45, 17, 3, 3, 5)));
        assert!(!cron("*/15 9-17 * * mon-fri").matches(at(45, 18, 3, 3, 5)));
        assert!(!cron("*/15 9-17 * * mon-fri").matches(at(45, 17, 3, 3, 0)));
        assert!(cron("50/5 * * * *").matches(at(55, 0, 1, 1, 1)));
        assert!(cron("@daily").matches(at(0, 0, 9, 9, 2)));
        assert!(cron("0 0 1,15 JAN,JUL ?").matches(at(0, 0, 15, 7, 3)));
    }

    #[test]
    fn either_day_is_enough_when_both_are_given() {
        let both = cron("0 0 13 * 5");
        assert!(both.matches(at(0, 0, 13, 1, 1)) && both.matches(at(0, 0, 1, 1, 5)));
        assert!(!both.matches(at(0, 0, 1, 1, 1)));
        assert!(!cron("0 0 13 * *").matches(at(0, 0, 12, 1, 5)));
    }

    #[test]
    fn what_is_shown_is_read_back() {
        for text in ["*/15 9-17 * * mon-fri", "0 0 13 * 5", "@daily", "5 4 ? jan *"] {
            let shown = cron(text).to_string();
            assert_eq!(cron(&shown), cron(text), "{shown}");
        }
    }

    #[test]
    fn nonsense() {
        for text in [
            "",
            "* * * *",
            "60 * * * *",
            "* * 0 * *",
            "5-1 * * * *",
            "*/0 * * * *",
            "@often",
            "a * * * *",
            "* * * * 7",
        ] {
            assert!(text.parse::<Cron>().is_err(), "{text}");
        }
    }
}
