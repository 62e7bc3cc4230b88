//! Names of ports for programs: variables of a shell, services of a system.

use std::str::FromStr;

use crate::PortPath;

/// How the name of a variable is made of a path: `{PATH}` is all names, `{GROUP}` all but the last, `{NAME}` the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Path,
    Group,
    Name,
}

/// A text that is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A placeholder that does not exist.
    #[error("`{0}` is no placeholder; there are `{{PATH}}`, `{{GROUP}}` and `{{NAME}}`")]
    Unknown(String),
    /// There is none.
    #[error("`{0}` has no placeholder, so that all names would be one")]
    Constant(String),
    /// A character that the name of a variable cannot have.
    #[error("`{0}` has a character other than letters, digits and `_`")]
    Character(String),
}

impl Default for Template {
    fn default() -> Self {
        Self(vec![Piece::Path, Piece::Text("_PORT".to_owned())])
    }
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if rest.starts_with('{') {
                let end = rest.find('}').map_or(rest.len(), |end| end + 1);
                pieces.push(match &rest[..end] {
                    "{PATH}" => Piece::Path,
                    "{GROUP}" => Piece::Group,
                    "{NAME}" => Piece::Name,
                    other => return Err(TemplateError::Unknown(other.to_owned())),
                });
                rest = &rest[end..];
            } else {
                let end = rest.find('{').unwrap_or(rest.len());
                if !rest[..end].bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                    return Err(TemplateError::Character(text.to_owned()));
                }
                pieces.push(Piece::Text(rest[..end].to_owned()));
                rest = &rest[end..];
            }
        }
        if pieces.iter().all(|piece| matches!(piece, Piece::Text(_))) {
            return Err(TemplateError::Constant(text.to_owned()));
        }
        Ok(Self(pieces))
    }
}

impl Template {
    /// The name of the variable for a path.
    ///
    /// ```
    /// let name = portreg::Template::default().name("", &"infrastructure.nodeExporter".parse().unwrap());
    /// assert_eq!(name, "INFRASTRUCTURE_NODE_EXPORTER_PORT");
    /// ```
    pub fn name(&self, prefix: &str, path: &PortPath) -> String {
        let (leaf, group) = path
            .names()
            .split_last()
            .map_or((&[][..], &[][..]), |(_, group)| (&path.names()[group.len()..], group));
        let mut name = prefix.to_owned();
        for piece in &self.0 {
            name.push_str(&match piece {
                Piece::Text(text) => text.clone(),
                Piece::Path => words(path.names()),
                Piece::Group => words(group),
                Piece::Name => words(leaf),
            });
        }
        // A variable cannot start with a digit.
        if name.starts_with(|c: char| c.is_ascii_digit()) {
            name.insert(0, '_');
        }
        name
    }
}

/// Names as words in capitals: `nodeExporter` is `NODE_EXPORTER`, `temporalUI` is `TEMPORAL_UI`.
fn words(names: &[String]) -> String {
    let parts: Vec<String> = names.iter().map(|name| in_capitals(name)).collect();
    parts.join("_")
}

/// A name as words in capitals, with `_` between them: `nodeExporter` is `NODE_EXPORTER`.
///
/// ```
/// assert_eq!(portreg::in_capitals("webuiPort"), "WEBUI_PORT");
/// ```
pub fn in_capitals(name: &str) -> String {
    let mut word = String::new();
    let chars: Vec<char> = name.chars().collect();
    for (index, &c) in chars.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|index| chars.get(index));
        let after = chars.get(index + 1);
        let starts = c.is_ascii_uppercase()
            && before.is_some_and(|before| {
                before.is_ascii_lowercase()
                    || before.is_ascii_digit()
                    || before.is_ascii_uppercase() && after.is_some_and(char::is_ascii_lowercase)
            });
        if starts {
            word.push('_');
        }
        word.push(if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' });
    }
    word
}

/// The name of a service for `/etc/services`: the names with dashes between them.
pub fn service_name(path: &PortPath) -> String {
    let parts: Vec<String> = path
        .names()
        .iter()
        .map(|name| {
            let keep = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
            name.chars().map(keep).collect()
        })
        .collect();
    parts.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_people_read_them() {
        for (name, word) in [
            ("nodeExporter", "NODE_EXPORTER"),
            ("temporalUI", "TEMPORAL_UI"),
            ("UIServer", "UI_SERVER"),
            ("s3Proxy", "S3_PROXY"),
            ("api2", "API2"),
            ("wsdd-udp", "WSDD_UDP"),
            ("NFS_PORTMAPPER", "NFS_PORTMAPPER"),
            ("foo.bar", "FOO_BAR"),
            ("x'", "X_"),
        ] {
            assert_eq!(in_capitals(name), word);
        }
    }

    #[test]
    fn templates() {
        let path: PortPath = "a.b.cD".parse().unwrap();
        let name = |text: &str| text.parse::<Template>().map(|template| template.name("P_", &path));
        assert_eq!(name("{PATH}_PORT").unwrap(), "P_A_B_C_D_PORT");
        assert_eq!(name("{NAME}_PORT").unwrap(), "P_C_D_PORT");
        assert_eq!(name("X_{GROUP}").unwrap(), "P_X_A_B");
        assert_eq!(name("{name}"), Err(TemplateError::Unknown("{name}".into())));
        assert_eq!(name("{NAME"), Err(TemplateError::Unknown("{NAME".into())));
        assert_eq!(name("PORT"), Err(TemplateError::Constant("PORT".into())));
        assert_eq!(name("{NAME}-x"), Err(TemplateError::Character("{NAME}-x".into())));
        let digit: PortPath = "80".parse().unwrap();
        assert_eq!(Template::default().name("", &digit), "_80_PORT");
    }
}
