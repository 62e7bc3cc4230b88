//! The config blob: how to run an image, and the digests of its uncompressed layers.
//!
//! <https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md>. Keys that the specification does
//! not know (Docker's `Healthcheck`, `OnBuild`, …) are kept. `null` counts as absent, as Docker writes it.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::document::{self, DocumentError, Violation, Violations};
use crate::{Digest, Timestamp};

/// The config of one image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageConfig {
    /// When the image was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// A `GOARCH`, such as `amd64`.
    pub architecture: String,
    /// A `GOOS`, such as `linux`.
    pub os: String,
    /// The system's version.
    #[serde(rename = "os.version", default, skip_serializing_if = "Option::is_none")]
    pub os_version: Option<String>,
    /// What the system must have.
    #[serde(rename = "os.features", default, skip_serializing_if = "Vec::is_empty")]
    pub os_features: Vec<String>,
    /// The processor's variant, such as `v8`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// How to run it.
    #[serde(default, deserialize_with = "null_is_default")]
    pub config: RunConfig,
    /// The layers' contents.
    pub rootfs: RootFs,
    /// Where the layers came from.
    #[serde(default, deserialize_with = "null_is_default", skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<History>,
    /// Keys that the specification does not know.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// How a container is run, with the keys as Docker writes them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RunConfig {
    /// The user, `uid[:gid]` or by name.
    #[serde(
        default,
        deserialize_with = "null_is_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub user: String,
    /// Ports, `8080/tcp`.
    #[serde(
        default,
        deserialize_with = "null_is_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub exposed_ports: BTreeMap<String, Empty>,
    /// Variables, `NAME=value`.
    #[serde(default, deserialize_with = "null_is_default", skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// The program and its first arguments.
    #[serde(default, deserialize_with = "null_is_default", skip_serializing_if = "Vec::is_empty")]
    pub entrypoint: Vec<String>,
    /// The arguments that a user may replace.
    #[serde(default, deserialize_with = "null_is_default", skip_serializing_if = "Vec::is_empty")]
    pub cmd: Vec<String>,
    /// Directories that are kept apart.
    #[serde(
        default,
        deserialize_with = "null_is_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub volumes: BTreeMap<String, Empty>,
    /// The directory to start in.
    #[serde(
        default,
        deserialize_with = "null_is_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub working_dir: String,
    /// Notes.
    #[serde(
        default,
        deserialize_with = "null_is_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub labels: BTreeMap<String, String>,
    /// The signal that asks the program to end.
    #[serde(
        default,
        deserialize_with = "null_is_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub stop_signal: String,
    /// Windows: the command line is escaped already.
    #[serde(default, deserialize_with = "null_is_default", skip_serializing_if = "is_false")]
    pub args_escaped: bool,
    /// Keys that the specification does not know.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// The empty object that stands for "is in the set".
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Empty {
    #[serde(flatten)]
    other: BTreeMap<String, Value>,
}

/// The uncompressed contents of the layers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RootFs {
    /// Always `layers`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The digests of the uncompressed layers, lowest first.
    pub diff_ids: Vec<Digest>,
}

impl RootFs {
    /// The layers with these digests.
    pub fn layers(diff_ids: Vec<Digest>) -> Self {
        Self { kind: "layers".to_owned(), diff_ids }
    }
}

/// Where one layer came from, or one step that made none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
    /// By which command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// By whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// Anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Whether this step made no layer.
    #[serde(default, skip_serializing_if = "is_false")]
    pub empty_layer: bool,
    /// Keys that the specification does not know.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

impl ImageConfig {
    /// The largest config that is read, in bytes.
    pub const LIMIT: usize = document::CONFIG_LIMIT;

    /// A config for one platform and its layers.
    pub fn new(architecture: &str, os: &str, diff_ids: Vec<Digest>) -> Self {
        Self {
            created: None,
            author: None,
            architecture: architecture.to_owned(),
            os: os.to_owned(),
            os_version: None,
            os_features: Vec::new(),
            variant: None,
            config: RunConfig::default(),
            rootfs: RootFs::layers(diff_ids),
            history: Vec::new(),
            other: BTreeMap::new(),
        }
    }

    /// Parses a config.
    ///
    /// # Errors
    /// If it is too large, not JSON, or has fields that are missing or of another type.
    ///
    /// ```
    /// let text = br#"{"architecture":"amd64","os":"linux","config":{"Healthcheck":{"Test":["NONE"]}},
    ///     "rootfs":{"type":"layers","diff_ids":[]}}"#;
    /// let config = oci::ImageConfig::parse(text)?;
    /// assert!(config.config.other.contains_key("Healthcheck"));
    /// # Ok::<(), oci::DocumentError>(())
    /// ```
    pub fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        document::parse("image config", bytes, Self::LIMIT)
    }

    /// Holds the config to the rest of the specification. What others wrote is read without it.
    ///
    /// # Errors
    /// [`DocumentError::Invalid`], naming the field.
    pub fn validate(&self) -> Result<(), DocumentError> {
        document::named("image config", self.violations())
    }

    fn violations(&self) -> Violations {
        if self.rootfs.kind != "layers" {
            let violation = Violation::RootFsType(self.rootfs.kind.clone());
            return Err(("rootfs.type".to_owned(), violation));
        }
        // The specification: "Entries are in the format of VARNAME=VARVALUE".
        match self.config.env.iter().find(|entry| entry.find('=').is_none_or(|at| at == 0)) {
            Some(entry) => Err(("config.Env".to_owned(), Violation::Env(entry.clone()))),
            None => Ok(()),
        }
    }

    /// The bytes of the blob, as Go tools write it.
    ///
    /// # Errors
    /// Never for a config that was parsed or built; the signature is serde's.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        crate::to_go_json(self)
    }
}

impl RunConfig {
    /// Reads a run config whose known keys may be in any case, as Go's decoder accepts them
    /// (`entrypoint`, `Entrypoint`, `ENTRYPOINT`). Of keys that differ in case only, the last one counts.
    ///
    /// # Errors
    /// If a known key has a value of another type.
    ///
    /// ```
    /// let value = serde_json::json!({"entrypoint": ["/bin/api"], "Healthcheck": {}});
    /// let config = oci::RunConfig::from_any_case(value)?;
    /// assert_eq!(config.entrypoint, ["/bin/api"]);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn from_any_case(value: Value) -> Result<Self, serde_json::Error> {
        const KNOWN: [&str; 10] = [
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
        ];
        let Value::Object(map) = value else { return serde_json::from_value(value) };
        let mut out = Map::new();
        for (key, value) in map {
            let known = KNOWN.iter().find(|known| known.eq_ignore_ascii_case(&key));
            out.insert(known.map_or(key, |known| (*known).to_owned()), value);
        }
        serde_json::from_value(Value::Object(out))
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
fn is_false(value: &bool) -> bool {
    !value
}

fn null_is_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nulls_count_as_absent_and_unknown_keys_stay() {
        let text = json!({
            "architecture": "amd64", "os": "linux", "docker_version": "1.12", "history": null,
            "config": {"Env": null, "Cmd": null, "Volumes": null, "OnBuild": [], "Hostname": "x"},
            "rootfs": {"type": "layers", "diff_ids": []}
        });
        let config = ImageConfig::parse(text.to_string().as_bytes()).unwrap();
        assert_eq!(config.other["docker_version"], "1.12");
        assert_eq!(
            String::from_utf8(config.to_bytes().unwrap()).unwrap(),
            r#"{"architecture":"amd64","os":"linux","config":{"Hostname":"x","OnBuild":[]},"rootfs":{"type":"layers","diff_ids":[]},"docker_version":"1.12"}"#
        );
    }

    #[test]
    fn keys_in_any_case_are_known_keys() {
        let config = RunConfig::from_any_case(json!({"ENV": ["A=1"], "workingdir": "/"})).unwrap();
        assert_eq!(config.env, ["A=1"]);
        assert_eq!(config.working_dir, "/");
        assert!(config.other.is_empty());
        assert!(RunConfig::from_any_case(json!(["x"])).is_err());
    }

    #[test]
    fn a_bomb_of_brackets_is_an_error() {
        let bomb = "[".repeat(200_000);
        assert!(matches!(ImageConfig::parse(bomb.as_bytes()), Err(DocumentError::Json { .. })));
        let large = vec![b' '; ImageConfig::LIMIT + 1];
        assert!(matches!(ImageConfig::parse(&large), Err(DocumentError::TooLarge { .. })));
    }
}
