//! Values as text, as Go's `fmt` prints them.

use super::Value;

/// The widest field, as in Go.
const MAX_WIDTH: usize = 1_000_000;

/// The power of ten from which on `%v` writes an exponent.
const SHORTEST: i32 = 6;

/// Where a value is printed: nothing is `<no value>` by itself and `<nil>` inside something.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Shown {
    Alone,
    Inside,
}

/// A value as `%v` prints it.
pub(super) fn print(value: &Value, shown: Shown) -> String {
    match value {
        Value::Nil if shown == Shown::Alone => "<no value>".to_owned(),
        Value::Nil => "<nil>".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => float(*number, 'g', None),
        Value::Text(text) => text.to_string(),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(|item| print(item, Shown::Inside)).collect();
            format!("[{}]", items.join(" "))
        }
        Value::Map(map) => {
            let pair =
                |(key, value): (&String, &Value)| format!("{key}:{}", print(value, Shown::Inside));
            format!("map[{}]", map.iter().map(pair).collect::<Vec<_>>().join(" "))
        }
    }
}

/// A number as `%e`, `%f` or `%g` prints it; `%g` without a precision is the shortest that reads back.
fn float(number: f64, verb: char, precision: Option<usize>) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() };
    }
    match verb {
        'f' => format!("{number:.*}", precision.unwrap_or(6)),
        'e' => exponent(&format!("{number:.*e}", precision.unwrap_or(6))),
        _ => {
            let digits = precision.map(|precision| precision.max(1));
            let scientific = match digits {
                Some(digits) => format!("{number:.*e}", digits - 1),
                None => format!("{number:e}"),
            };
            let (mantissa, power) = scientific.split_once('e').unwrap_or((&scientific, "0"));
            let power: i32 = power.parse().unwrap_or(0);
            let limit = digits.map_or(SHORTEST, |digits| i32::try_from(digits).unwrap_or(i32::MAX));
            if power < -4 || power >= limit {
                let mantissa = if digits.is_some() { without_zeros(mantissa) } else { mantissa };
                return exponent(&format!("{mantissa}e{power}"));
            }
            match digits {
                Some(digits) => {
                    let places = i32::try_from(digits).unwrap_or(i32::MAX) - 1 - power;
                    let text = format!("{number:.*}", usize::try_from(places).unwrap_or(0));
                    without_zeros(&text).to_owned()
                }
                None => format!("{number}"),
            }
        }
    }
}

fn without_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// `1e5` as `1e+05`.
fn exponent(text: &str) -> String {
    let (mantissa, power) = text.split_once('e').unwrap_or((text, "0"));
    let power: i32 = power.parse().unwrap_or(0);
    format!("{mantissa}e{}{:02}", if power < 0 { '-' } else { '+' }, power.abs())
}

/// How one `%` of a format is to look.
#[derive(Default)]
struct Style {
    minus: bool,
    plus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

/// As `fmt.Sprintf`.
pub(super) fn printf(format: &str, arguments: &[Value]) -> String {
    let mut out = String::new();
    let mut next = arguments.iter();
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut style = Style::default();
        while let Some(flag) = chars.next_if(|c| "-+# 0".contains(*c)) {
            match flag {
                '-' => style.minus = true,
                '+' => style.plus = true,
                '#' => style.sharp = true,
                ' ' => style.space = true,
                _ => style.zero = true,
            }
        }
        let mut bad = "";
        style.width = number(&mut chars, &mut next, &mut bad, "%!(BADWIDTH)", &mut style.minus);
        if chars.next_if_eq(&'.').is_some() {
            let mut ignored = false;
            let precision = number(&mut chars, &mut next, &mut bad, "%!(BADPREC)", &mut ignored);
            style.precision = Some(precision.unwrap_or(0));
        }
        out.push_str(bad);
        match chars.next() {
            None => out.push_str("%!(NOVERB)"),
            Some('%') => out.push('%'),
            Some(verb) => match next.next() {
                Some(value) => out.push_str(&style.show(verb, value)),
                None => out.extend(["%!", &verb.to_string(), "(MISSING)"]),
            },
        }
        if out.len() > MAX_WIDTH * 4 {
            return out;
        }
    }
    let extra: Vec<String> = next
        .map(|value| match value {
            Value::Nil => "<nil>".to_owned(),
            value => format!("{}={}", type_name(value), print(value, Shown::Inside)),
        })
        .collect();
    if !extra.is_empty() {
        out.extend(["%!(EXTRA ", &extra.join(", "), ")"]);
    }
    out
}

/// A width or precision: digits, or `*` for the next argument.
fn number(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    next: &mut std::slice::Iter<'_, Value>,
    bad: &mut &'static str,
    complaint: &'static str,
    minus: &mut bool,
) -> Option<usize> {
    if chars.next_if_eq(&'*').is_some() {
        return match next.next() {
            Some(Value::Int(width)) if width.unsigned_abs() <= MAX_WIDTH as u64 => {
                *minus |= *width < 0;
                usize::try_from(width.unsigned_abs()).ok()
            }
            _ => {
                *bad = complaint;
                None
            }
        };
    }
    let mut width = None;
    while let Some(digit) = chars.next_if(char::is_ascii_digit) {
        let digit = digit.to_digit(10).map_or(0, |digit| digit as usize);
        width = Some(width.unwrap_or(0_usize).saturating_mul(10).saturating_add(digit));
    }
    if width.is_some_and(|width| width > MAX_WIDTH) {
        *bad = complaint;
        return None;
    }
    width
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Nil => "<nil>",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int",
        Value::Float(_) => "float64",
        Value::Text(_) => "string",
        Value::List(_) => "[]interface {}",
        Value::Map(_) => "map[string]interface {}",
    }
}

impl Style {
    fn show(&self, verb: char, value: &Value) -> String {
        match (verb, value) {
            ('T', value) => self.pad(type_name(value)),
            ('v', Value::Nil) => self.pad("<nil>"),
            ('v', Value::Text(text)) if self.sharp => self.pad(&quoted(text)),
            ('v' | 's', Value::Text(text)) => self.pad(&self.cut(text)),
            ('q', Value::Text(text)) => self.pad(&quoted(&self.cut(text))),
            ('x' | 'X', Value::Text(text)) => self.pad(&hex(text.as_bytes(), verb)),
            ('v' | 't', Value::Bool(truth)) => self.pad(&truth.to_string()),
            ('v' | 'd', Value::Int(number)) => {
                self.integer(*number, &number.unsigned_abs().to_string())
            }
            ('b', Value::Int(number)) => {
                self.integer(*number, &format!("{:b}", number.unsigned_abs()))
            }
            ('o', Value::Int(number)) => {
                let sign = if self.sharp { "0" } else { "" };
                self.integer(*number, &format!("{sign}{:o}", number.unsigned_abs()))
            }
            ('O', Value::Int(number)) => {
                self.integer(*number, &format!("0o{:o}", number.unsigned_abs()))
            }
            ('x', Value::Int(number)) => {
                let sign = if self.sharp { "0x" } else { "" };
                self.integer(*number, &format!("{sign}{:x}", number.unsigned_abs()))
            }
            ('X', Value::Int(number)) => {
                let sign = if self.sharp { "0X" } else { "" };
                self.integer(*number, &format!("{sign}{:X}", number.unsigned_abs()))
            }
            ('c' | 'q', Value::Int(number)) => {
                let c = u32::try_from(*number).ok().and_then(char::from_u32).unwrap_or('\u{fffd}');
                self.pad(&if verb == 'c' {
                    c.to_string()
                } else {
                    format!("'{}'", c.escape_default())
                })
            }
            ('U', Value::Int(number)) => self.pad(&format!("U+{number:04X}")),
            ('v', Value::Float(number)) => self.number(&float(*number, 'g', self.precision)),
            ('e' | 'f' | 'g', Value::Float(number)) => {
                self.number(&float(*number, verb, self.precision))
            }
            ('F', Value::Float(number)) => self.number(&float(*number, 'f', self.precision)),
            ('E' | 'G', Value::Float(number)) => {
                let text = float(*number, verb.to_ascii_lowercase(), self.precision);
                self.number(&text.to_ascii_uppercase())
            }
            ('v', value) => self.pad(&print(value, Shown::Inside)),
            (verb, Value::List(items)) => {
                let items: Vec<String> = items.iter().map(|item| self.show(verb, item)).collect();
                format!("[{}]", items.join(" "))
            }
            (verb, Value::Map(map)) => {
                let pair = |(key, value): (&String, &Value)| {
                    format!("{}:{}", self.show(verb, &Value::text(key)), self.show(verb, value))
                };
                format!("map[{}]", map.iter().map(pair).collect::<Vec<_>>().join(" "))
            }
            (verb, Value::Nil) => format!("%!{verb}(<nil>)"),
            (verb, value) => {
                format!("%!{verb}({}={})", type_name(value), print(value, Shown::Inside))
            }
        }
    }

    fn cut(&self, text: &str) -> String {
        match self.precision {
            Some(precision) => text.chars().take(precision).collect(),
            None => text.to_owned(),
        }
    }

    /// Whole numbers: the precision is the least number of digits.
    fn integer(&self, number: i64, digits: &str) -> String {
        let digits = match self.precision {
            Some(0) if number == 0 => String::new(),
            Some(precision) => format!("{digits:0>precision$}"),
            None => digits.to_owned(),
        };
        let text = if number < 0 { format!("-{digits}") } else { digits };
        // With a precision, zeros do not fill the width.
        let zero = self.zero && self.precision.is_none();
        self.signed(&text, zero)
    }

    fn number(&self, text: &str) -> String {
        self.signed(text, self.zero && !text.ends_with("Inf") && text != "NaN")
    }

    fn signed(&self, text: &str, zero: bool) -> String {
        let (sign, digits) = match text.strip_prefix(['-', '+']) {
            Some(digits) if text.starts_with('-') => ("-", digits),
            Some(digits) => ("+", digits),
            None if self.plus => ("+", text),
            None if self.space => (" ", text),
            None => ("", text),
        };
        match self.width {
            Some(width) if zero && !self.minus => {
                let width = width.saturating_sub(sign.len());
                format!("{sign}{digits:0>width$}")
            }
            _ => self.spaces(&format!("{sign}{digits}")),
        }
    }

    /// Text; zeros fill it as well as spaces, as Go does.
    fn pad(&self, text: &str) -> String {
        match self.width {
            Some(width) if self.zero && !self.minus => format!("{text:0>width$}"),
            _ => self.spaces(text),
        }
    }

    fn spaces(&self, text: &str) -> String {
        match self.width {
            Some(width) if self.minus => format!("{text:<width$}"),
            Some(width) => format!("{text:>width$}"),
            None => text.to_owned(),
        }
    }
}

fn hex(bytes: &[u8], verb: char) -> String {
    let byte = |byte: &u8| if verb == 'x' { format!("{byte:02x}") } else { format!("{byte:02X}") };
    bytes.iter().map(byte).collect()
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            c if c < ' ' || c == '\u{7f}' => out.extend(["\\x", &hex(&[c as u8], 'x')]),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
