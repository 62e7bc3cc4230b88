//! The `WWW-Authenticate` header ([RFC 9110](https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1)): a list of
//! challenges, in one header or in several, with commas between challenges and between the parameters of one.

/// One way to log in that a server offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Challenge {
    /// `basic`, `bearer`, …, in lower case.
    pub(crate) scheme: String,
    parameters: Vec<(String, String)>,
}

impl Challenge {
    /// Reads the values of all `WWW-Authenticate` headers. What cannot be read is passed over.
    pub(crate) fn parse_all<'a>(headers: impl IntoIterator<Item = &'a str>) -> Vec<Self> {
        let mut found: Vec<Self> = Vec::new();
        for header in headers {
            // Parameters at the head of a header belong to no challenge.
            let first = found.len();
            for item in items(header) {
                match item {
                    Item::Scheme(scheme) => found.push(Self { scheme, parameters: Vec::new() }),
                    Item::Parameter(name, value) if found.len() > first => {
                        if let Some(last) = found.last_mut() {
                            last.parameters.push((name, value));
                        }
                    }
                    Item::Parameter(..) => {}
                }
            }
        }
        found
    }

    /// A parameter; its name is in lower case.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

enum Item {
    Scheme(String),
    Parameter(String, String),
}

/// Splits a header at the commas that are not in quotes. The first word of a part is a scheme unless `=` follows it.
fn items(header: &str) -> Vec<Item> {
    let mut items = Vec::new();
    for part in split_outside_quotes(header, ',') {
        let mut part = part.trim();
        let word = part.find(|c: char| !is_token(c)).unwrap_or(part.len());
        if word != 0 && !part[word..].trim_start().starts_with('=') {
            items.push(Item::Scheme(part[..word].to_ascii_lowercase()));
            part = part[word..].trim_start();
        }
        if let Some((name, value)) = part.split_once('=') {
            items.push(Item::Parameter(name.trim().to_ascii_lowercase(), unquoted(value.trim())));
        }
    }
    items
}

fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

fn split_outside_quotes(text: &str, separator: char) -> Vec<&str> {
    let (mut parts, mut start) = (Vec::new(), 0);
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        if escaped {
            escaped = false;
        } else if quoted && c == '\\' {
            escaped = true;
        } else if c == '"' {
            quoted = !quoted;
        } else if c == separator && !quoted {
            parts.push(&text[start..at]);
            start = at + 1;
        }
    }
    parts.push(&text[start..]);
    parts
}

fn unquoted(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"') else { return value.to_owned() };
    let mut out = String::new();
    let mut characters = inner.chars();
    while let Some(c) = characters.next() {
        match c {
            '"' => break,
            '\\' => out.extend(characters.next()),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(headers: &[&str]) -> Vec<(String, Vec<(String, String)>)> {
        let found = Challenge::parse_all(headers.iter().copied());
        found.into_iter().map(|one| (one.scheme, one.parameters)).collect()
    }

    fn one(scheme: &str, parameters: &[(&str, &str)]) -> (String, Vec<(String, String)>) {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        (scheme.to_owned(), parameters.iter().map(own).collect())
    }

    #[test]
    fn one_challenge() {
        let header = r#"Bearer realm="https://auth.example/token",service="r",scope="repository:a/b:pull,push""#;
        let expected = one(
            "bearer",
            &[
                ("realm", "https://auth.example/token"),
                ("service", "r"),
                ("scope", "repository:a/b:pull,push"),
            ],
        );
        assert_eq!(parse(&[header]), [expected]);
        assert_eq!(parse(&["BASIC Realm=x"]), [one("basic", &[("realm", "x")])]);
        assert_eq!(parse(&["Negotiate"]), [one("negotiate", &[])]);
    }

    #[test]
    fn several_in_one_header_and_in_several() {
        let header = r#"Negotiate, Basic realm="a, \"b\"" , charset=UTF-8, Bearer realm="c""#;
        let expected = [
            one("negotiate", &[]),
            one("basic", &[("realm", "a, \"b\""), ("charset", "UTF-8")]),
            one("bearer", &[("realm", "c")]),
        ];
        assert_eq!(parse(&[header]), expected);
        let headers =
            ["Negotiate", r#"Basic realm="a, \"b\"", charset=UTF-8"#, r#"Bearer realm="c""#];
        assert_eq!(parse(&headers), expected);
        assert_eq!(parse(&["Basic realm=a", "service=lost"]), [one("basic", &[("realm", "a")])]);
    }

    #[test]
    fn blanks_are_allowed_around_equals_signs() {
        let expected = [one("bearer", &[("realm", "r"), ("service", "s")])];
        assert_eq!(parse(&[r#"Bearer   realm = "r" ,  service= s"#]), expected);
    }

    #[test]
    fn what_is_malformed_does_not_panic() {
        for header in
            ["", ",", ",,,", "=", "\"", "Bearer realm=\"", "Bearer realm=\"\\", "é=ü", "a b c"]
        {
            drop(parse(&[header]));
        }
        assert_eq!(parse(&["Bearer realm=\"open"]), [one("bearer", &[("realm", "open")])]);
        assert_eq!(parse(&["Bearer"]), [one("bearer", &[])]);
        assert_eq!(parse(&["Negotiate YII="]), [one("negotiate", &[("yii", "")])]);
    }
}
