//! The `config` of an `ociimg.toml`: OCI keys in snake or Pascal case, shorter forms of some, and ports by name.

use std::path::Path;

use portreg::{Options, PathError, PortPath, Registry, RegistryError, discover};
use serde_json::{Map, Value, json};

/// A config cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("`{key}` must be {what}")]
    Type { key: String, what: &'static str },
    #[error("`{0}` has no `}}`")]
    Open(String),
    #[error("`${{{0}}}` is not known here: only `${{ports.…}}` is")]
    Variable(String),
    #[error("cannot find the port registry")]
    Find(#[from] discover::DiscoverError),
    #[error("`{0}` is no name of a port")]
    Name(String, #[source] PathError),
    #[error(transparent)]
    Ports(Box<RegistryError>),
}

/// The config as OCI has it.
pub(crate) fn config(table: toml::Table, folder: &Path) -> Result<Value, ConfigError> {
    let Ok(Value::Object(table)) = serde_json::to_value(table) else {
        return Err(ConfigError::Type { key: "config".to_owned(), what: "a table" });
    };
    let mut ports = Ports { folder, registry: None };
    let mut out = Map::new();
    for (key, value) in table {
        let value = ports.fill(value)?;
        let name = oci_name(&key);
        let value =
            match name.as_str() {
                "Env" => env(&key, value)?,
                "ExposedPorts" => set(value, |port| {
                    if port.contains('/') { port.to_owned() } else { format!("{port}/tcp") }
                }),
                "Volumes" => set(value, str::to_owned),
                "Healthcheck" => healthcheck(value)?,
                _ => value,
            };
        out.insert(name, value);
    }
    Ok(Value::Object(out))
}

/// The name of a key in a config blob. What is not known stays as it is.
fn oci_name(key: &str) -> String {
    const SHORT: [(&str, &str); 3] =
        [("workdir", "WorkingDir"), ("on_build", "OnBuild"), ("healthcheck", "Healthcheck")];
    const KNOWN: [&str; 12] = [
        "User",
        "ExposedPorts",
        "Env",
        "Entrypoint",
        "Cmd",
        "Volumes",
        "WorkingDir",
        "Labels",
        "StopSignal",
        "ArgsEscaped",
        "StopTimeout",
        "Shell",
    ];
    if let Some((_, name)) = SHORT.iter().find(|(short, _)| *short == key) {
        return (*name).to_owned();
    }
    let plain = key.replace('_', "");
    let known = KNOWN.iter().find(|known| known.eq_ignore_ascii_case(&plain));
    known.map_or_else(|| key.to_owned(), |known| (*known).to_owned())
}

/// A table of variables as a list of `NAME=value`; a list stays.
fn env(key: &str, value: Value) -> Result<Value, ConfigError> {
    let Value::Object(table) = value else { return Ok(value) };
    let mut out = Vec::new();
    for (name, value) in table {
        let text = match value {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            Value::Bool(bool) => bool.to_string(),
            _ => {
                let key = format!("{key}.{name}");
                return Err(ConfigError::Type { key, what: "text, a number or a boolean" });
            }
        };
        out.push(format!("{name}={text}"));
    }
    Ok(out.into())
}

/// A list as the keys of an object; an object stays.
fn set(value: Value, name: impl Fn(&str) -> String) -> Value {
    let Value::Array(list) = value else { return value };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    list.iter().map(|value| (name(&text(value)), json!({}))).collect::<Map<_, _>>().into()
}

/// Docker's `Healthcheck`, whose times are in nanoseconds; `30s` is easier to read.
fn healthcheck(value: Value) -> Result<Value, ConfigError> {
    let Value::Object(table) = value else { return Ok(value) };
    let mut out = Map::new();
    for (key, value) in table {
        let name = match key.as_str() {
            "test" => "Test",
            "interval" => "Interval",
            "timeout" => "Timeout",
            "start_period" => "StartPeriod",
            "start_interval" => "StartInterval",
            "retries" => "Retries",
            other => other,
        };
        let value = match value.as_str().filter(|_| !matches!(name, "Test")) {
            Some(text) => nanoseconds(text)
                .ok_or_else(|| ConfigError::Type {
                    key: key.clone(),
                    what: "a time like `30s`, `500ms` or `1m`",
                })?
                .into(),
            None => value,
        };
        out.insert(name.to_owned(), value);
    }
    Ok(out.into())
}

fn nanoseconds(text: &str) -> Option<u64> {
    let at = text.find(|c: char| !c.is_ascii_digit())?;
    let unit = match &text[at..] {
        "ns" => 1,
        "us" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    };
    text[..at].parse::<u64>().ok()?.checked_mul(unit)
}

/// The registry of the project, opened when a port is asked for.
struct Ports<'a> {
    folder: &'a Path,
    registry: Option<Registry<'static>>,
}

impl Ports<'_> {
    /// Puts numbers in the place of `${ports.…}` in every text.
    fn fill(&mut self, value: Value) -> Result<Value, ConfigError> {
        Ok(match value {
            Value::String(text) => Value::String(self.text(&text)?),
            Value::Array(list) => {
                list.into_iter().map(|value| self.fill(value)).collect::<Result<_, _>>()?
            }
            Value::Object(table) => table
                .into_iter()
                .map(|(key, value)| Ok((key, self.fill(value)?)))
                .collect::<Result<Map<_, _>, ConfigError>>()?
                .into(),
            other => other,
        })
    }

    fn text(&mut self, text: &str) -> Result<String, ConfigError> {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            out.push_str(&rest[..at]);
            let end = rest[at..].find('}').ok_or_else(|| ConfigError::Open(text.to_owned()))?;
            let name = &rest[at + 2..at + end];
            let path = name
                .strip_prefix("ports.")
                .ok_or_else(|| ConfigError::Variable(name.to_owned()))?;
            out.push_str(&self.port(path)?);
            rest = &rest[at + end + 1..];
        }
        out.push_str(rest);
        Ok(out)
    }

    fn port(&mut self, name: &str) -> Result<String, ConfigError> {
        let path: PortPath =
            name.parse().map_err(|error| ConfigError::Name(name.to_owned(), error))?;
        let wrong = |error| ConfigError::Ports(Box::new(error));
        if self.registry.is_none() {
            let file = self.folder.join(discover::find(self.folder)?);
            self.registry = Some(Registry::open(&file, Options::default()).map_err(wrong)?);
        }
        match &mut self.registry {
            Some(registry) => Ok(registry.get(&path).map_err(wrong)?.ports.to_string()),
            None => Ok(String::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_short_forms_become_what_oci_has() {
        let text = r#"
            entrypoint = ["/bin/api"]
            workdir = "/srv"
            exposed_ports = ["8080/tcp", 53]
            volumes = ["/data"]
            StopSignal = "SIGTERM"
            OnBuild = ["x"]
            x_y = 1
            [env]
            A = "1"
            B = 2
            [healthcheck]
            test = ["CMD", "/bin/api", "health"]
            interval = "30s"
            retries = 3
        "#;
        let found = config(toml::from_str(text).unwrap(), Path::new("/")).unwrap();
        assert_eq!(
            found,
            json!({
                "Entrypoint": ["/bin/api"],
                "WorkingDir": "/srv",
                "ExposedPorts": {"8080/tcp": {}, "53/tcp": {}},
                "Volumes": {"/data": {}},
                "StopSignal": "SIGTERM",
                "OnBuild": ["x"],
                "x_y": 1,
                "Env": ["A=1", "B=2"],
                "Healthcheck": {
                    "Test": ["CMD", "/bin/api", "health"],
                    "Interval": 30_000_000_000_u64,
                    "Retries": 3
                }
            })
        );
        let error = |text: &str| {
            config(toml::from_str(text).unwrap(), Path::new("/")).unwrap_err().to_string()
        };
        assert_eq!(
            error("user = '${git.sha}'"),
            "`${git.sha}` is not known here: only `${ports.…}` is"
        );
        assert_eq!(error("user = '${ports.x'"), "`${ports.x` has no `}`");
        assert_eq!(
            error("healthcheck = { interval = 'x' }"),
            "`interval` must be a time like `30s`, `500ms` or `1m`"
        );
    }
}
