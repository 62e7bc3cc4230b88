//! Times as Go's `time.Format` writes them: the layout is the reference time, Mon Jan 2 15:04:05 MST 2006.

use std::fmt::Write as _;

use jiff::Zoned;

/// Parts of a layout, longest first where one begins another.
const PARTS: [&str; 24] = [
    "January", "Monday", "2006", "Z07:00", "-07:00", "Z0700", "-0700", "Jan", "Mon", "MST", "01",
    "02", "03", "04", "05", "06", "15", "_2", "PM", "pm", "1", "2", "3", "4",
];

/// Writes a time in a layout.
pub(crate) fn format(time: &Zoned, layout: &str) -> String {
    let mut text = String::new();
    let mut rest = layout;
    while let Some(next) = rest.chars().next() {
        if let Some(digits) = fraction(rest) {
            write_fraction(&mut text, time, &rest[..=digits]);
            rest = &rest[digits + 1..];
        } else if let Some(part) = PARTS.iter().find(|part| rest.starts_with(**part)) {
            write_part(&mut text, time, part);
            rest = &rest[part.len()..];
        } else if let Some(after) = rest.strip_prefix('5') {
            write(&mut text, format_args!("{}", time.second()));
            rest = after;
        } else {
            text.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    text
}

/// The digits of `.000` or `.999` at the begin, if it is one.
fn fraction(rest: &str) -> Option<usize> {
    let digits = rest.strip_prefix(['.', ','])?;
    let first = digits.chars().next().filter(|&digit| digit == '0' || digit == '9')?;
    let count = digits.chars().take_while(|&digit| digit == first).count();
    let ends = !digits[count..].starts_with(|next: char| next.is_ascii_digit());
    ends.then_some(count)
}

fn write_fraction(text: &mut String, time: &Zoned, part: &str) {
    let count = part.len() - 1;
    let all = format!("{:09}", time.subsec_nanosecond());
    let digits: String = all.chars().chain(std::iter::repeat('0')).take(count).collect();
    if part.ends_with('9') {
        let digits = digits.trim_end_matches('0');
        if !digits.is_empty() {
            text.push_str(&part[..1]);
            text.push_str(digits);
        }
    } else {
        text.push_str(&part[..1]);
        text.push_str(&digits);
    }
}

fn write(text: &mut String, part: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _written = text.write_fmt(part);
}

fn write_part(text: &mut String, time: &Zoned, part: &str) {
    let hour = if time.hour() % 12 == 0 { 12 } else { time.hour() % 12 };
    match part {
        "January" => write(text, format_args!("{}", time.strftime("%B"))),
        "Jan" => write(text, format_args!("{}", time.strftime("%b"))),
        "Monday" => write(text, format_args!("{}", time.strftime("%A"))),
        "Mon" => write(text, format_args!("{}", time.strftime("%a"))),
        "MST" => write(text, format_args!("{}", time.strftime("%Z"))),
        "2006" => write(text, format_args!("{:04}", time.year())),
        "06" => write(text, format_args!("{:02}", time.year().rem_euclid(100))),
        "01" => write(text, format_args!("{:02}", time.month())),
        "1" => write(text, format_args!("{}", time.month())),
        "02" => write(text, format_args!("{:02}", time.day())),
        "_2" => write(text, format_args!("{:>2}", time.day())),
        "2" => write(text, format_args!("{}", time.day())),
        "15" => write(text, format_args!("{:02}", time.hour())),
        "03" => write(text, format_args!("{hour:02}")),
        "3" => write(text, format_args!("{hour}")),
        "04" => write(text, format_args!("{:02}", time.minute())),
        "4" => write(text, format_args!("{}", time.minute())),
        "05" => write(text, format_args!("{:02}", time.second())),
        "PM" => text.push_str(if time.hour() < 12 { "AM" } else { "PM" }),
        "pm" => text.push_str(if time.hour() < 12 { "am" } else { "pm" }),
        zone => {
            let seconds = time.offset().seconds();
            if zone.starts_with('Z') && seconds == 0 {
                text.push('Z');
                return;
            }
            let sign = if seconds < 0 { '-' } else { '+' };
            let minutes = seconds.abs() / 60;
            let colon = if zone.contains(':') { ":" } else { "" };
            write(text, format_args!("{sign}{:02}{colon}{:02}", minutes / 60, minutes % 60));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_layouts() {
        let time: Zoned = "2026-02-03T15:04:09.12345+01:00[+01:00]".parse().unwrap();
        for (layout, expected) in [
            ("2006-01-02T15:04:05Z07:00", "2026-02-03T15:04:09+01:00"),
            ("06-01-02 15:04:05.000", "26-02-03 15:04:09.123"),
            ("3:4:5PM Jan _2", "3:4:9PM Feb  3"),
            ("15:04:05.999999999 -0700", "15:04:09.12345 +0100"),
            ("Monday, 2 January", "Tuesday, 3 February"),
        ] {
            assert_eq!(format(&time, layout), expected, "{layout}");
        }
    }
}
