//! TOML texts. Nix reads TOML 1.0; what only later versions have, and dates, are not supported.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::data::{Data, DataError, Kind, Member};
use crate::source::Span;

/// Dots in one line: each may open a table inside the one before.
const DOTS: usize = 200;

/// Reads a TOML document.
///
/// ```
/// let data = nixexpr::data::parse_toml("[databases]\nredis = 6379\n").unwrap();
/// let nixexpr::data::Kind::Set(members) = data.kind else { panic!() };
/// assert_eq!(members[0].name, "databases");
/// ```
///
/// # Errors
/// [`DataError::Syntax`] for what is not TOML, [`DataError::Unsupported`] for what Nix does not read.
pub fn parse(text: &str) -> Result<Data, DataError> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if line.bytes().filter(|&byte| byte == b'.').count() > DOTS {
            return Err(DataError::unsupported(start, format!("a line with over {DOTS} dots")));
        }
        start += line.len();
    }
    for escape in ["\\e", "\\x"] {
        if let Some(at) = text.find(escape) {
            return Err(DataError::unsupported(at, format!("`{escape}`")));
        }
    }
    let table = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        DataError::syntax(at, error.message().to_owned())
    })?;
    let span = table.span();
    Ok(Data { kind: set(text, table.get_ref())?, span: Span::of(span.start, span.end) })
}

fn set(text: &str, table: &DeTable<'_>) -> Result<Kind, DataError> {
    let mut members = Vec::with_capacity(table.len());
    for (name, value) in table {
        let span = name.span();
        members.push(Member {
            name: string(name.get_ref(), span.start)?,
            span: Span::of(span.start, span.end),
            value: data(text, value)?,
        });
    }
    members.sort_by_key(|member| member.span.start);
    Ok(Kind::Set(members))
}

fn data(text: &str, value: &Spanned<DeValue<'_>>) -> Result<Data, DataError> {
    let span = value.span();
    let at = span.start;
    let kind = match value.get_ref() {
        DeValue::String(part) => Kind::Text(string(part, at)?),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map(Kind::Int)
            .map_err(|_| DataError::unsupported(at, format!("the integer {number}")))?,
        DeValue::Float(number) => match number.as_str().parse::<f64>() {
            Ok(number) if number.is_finite() => Kind::Float(number),
            _ => return Err(DataError::unsupported(at, format!("the number {number}"))),
        },
        DeValue::Boolean(value) => Kind::Bool(*value),
        DeValue::Datetime(_) => return Err(DataError::unsupported(at, "a date or a time")),
        DeValue::Array(items) => {
            Kind::List(items.iter().map(|item| data(text, item)).collect::<Result<_, _>>()?)
        }
        DeValue::Table(table) => {
            let inline = text.get(span.clone()).unwrap_or("");
            if let Some(body) = inline.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'))
                && (body.contains('\n') || body.trim_end().ends_with(','))
            {
                return Err(DataError::unsupported(at, "an inline table as TOML 1.1 has them"));
            }
            set(text, table)?
        }
    };
    Ok(Data { kind, span: Span::of(span.start, span.end) })
}

fn string(part: &str, at: usize) -> Result<String, DataError> {
    if part.contains('\0') {
        return Err(DataError::syntax(at, "a NUL byte, which a string of Nix cannot hold"));
    }
    Ok(part.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_keep_the_order_and_the_places() {
        let text = "[b]\nx = 1 # one\n[a]\ny = '2'\n";
        let Kind::Set(members) = parse(text).unwrap().kind else { panic!() };
        assert_eq!(members.iter().map(|member| &*member.name).collect::<Vec<_>>(), ["b", "a"]);
        let Kind::Set(inner) = &members[0].value.kind else { panic!() };
        assert_eq!(&text[inner[0].value.span.range()], "1");
    }

    #[test]
    fn what_nix_does_not_read() {
        for text in [
            "a = 1979-05-27",
            "a = inf",
            "a = { b = 1,\n }",
            "a = { b = 1, }",
            "a = \"\\e\"",
            "a = 99999999999999999999",
        ] {
            assert!(matches!(parse(text), Err(DataError::Unsupported { .. })), "{text}");
        }
        assert!(matches!(parse("a = "), Err(DataError::Syntax { .. })));
        assert!(matches!(parse("a = 1\na = 2"), Err(DataError::Syntax { .. })));
        assert!(parse(&format!("{}a = 1", "a.".repeat(100_000))).is_err());
    }
}
