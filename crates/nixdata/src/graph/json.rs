//! The JSON forms.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{GraphError, Listing};
use crate::{Algorithm, ContentAddress, Hash, Method, PathInfo, StoreDir, StorePath};

/// The newest version of path-info JSON that this reader knows. Nix 2.34 writes 2; its development branch has a 3, whose
/// only news is the form of hashes.
pub(super) const NEWEST: u64 = 3;

/// What Nix says about one path, all shapes laid over each other.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    path: Option<String>,
    valid: Option<bool>,
    nar_hash: Option<HashForm>,
    nar_size: Option<u64>,
    #[serde(default)]
    references: Vec<String>,
    deriver: Option<String>,
    ca: Option<AddressForm>,
    signatures: Option<Vec<String>>,
    store_dir: Option<String>,
}

/// A NAR hash: a string, or what the development branch of Nix writes for `--json-format 3`.
#[derive(Deserialize)]
#[serde(untagged)]
enum HashForm {
    Text(String),
    Parts { algorithm: String, hash: String },
}

/// A content address: a string up to version 1, method and hash from version 2 on.
#[derive(Deserialize)]
#[serde(untagged)]
enum AddressForm {
    Text(String),
    Parts { method: String, hash: HashForm },
}

/// `--json-format 2`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Versioned {
    info: BTreeMap<String, Option<Record>>,
    store_dir: Option<String>,
    version: Option<u64>,
}

/// Reads the answer of `nix path-info --json`, of any version so far, or the list under a key of
/// `.attrs.json`.
///
/// ```
/// let json = br#"{"/nix/store/aqx1rx97yy98x9ga13h0hdgbypa5hgw7-base-1.0": null}"#;
/// let listing = nixdata::parse_path_info(json)?;
/// assert_eq!(listing.absent[0].name(), "base-1.0");
/// # Ok::<(), nixdata::GraphError>(())
/// ```
///
/// # Errors
/// When the bytes are not such JSON, are of a newer version, or hold a broken path or hash.
pub fn parse_path_info(bytes: &[u8]) -> Result<Listing, GraphError> {
    let mut listing = Listing::default();
    if first_byte(bytes) == Some(b'[') {
        let records: Vec<Record> = serde_json::from_slice(bytes).map_err(GraphError::Json)?;
        for record in records {
            let store = StoreDir::default();
            let path = record.path.clone().unwrap_or_default();
            listing.add(&path, Some(record), &store)?;
        }
        return Ok(listing);
    }
    let by_key: BTreeMap<String, &RawValue> =
        serde_json::from_slice(bytes).map_err(GraphError::Json)?;
    if is_versioned(&by_key) {
        return parse_versioned(bytes);
    }
    let store = StoreDir::default();
    for (path, value) in by_key {
        let record = serde_json::from_str(value.get()).map_err(GraphError::Json)?;
        listing.add(&path, record, &store)?;
    }
    Ok(listing)
}

fn parse_versioned(bytes: &[u8]) -> Result<Listing, GraphError> {
    let versioned: Versioned = serde_json::from_slice(bytes).map_err(GraphError::Json)?;
    let version = versioned.version.unwrap_or(NEWEST);
    if version > NEWEST {
        return Err(GraphError::Version(version));
    }
    let store = store_dir(versioned.store_dir.as_deref(), &StoreDir::default())?;
    let mut listing = Listing::default();
    for (path, record) in versioned.info {
        listing.add(&path, record, &store)?;
    }
    Ok(listing)
}

/// Reads a graph out of `.attrs.json`, what a build with `__structuredAttrs` finds beside it.
///
/// Without a key, the attributes must hold exactly one graph.
///
/// ```
/// let json = br#"{
///   "exportReferencesGraph": {"closure": ["/nix/store/aqx1rx97yy98x9ga13h0hdgbypa5hgw7-base-1.0"]},
///   "closure": [{"path": "/nix/store/aqx1rx97yy98x9ga13h0hdgbypa5hgw7-base-1.0", "references": []}]
/// }"#;
/// assert_eq!(nixdata::parse_structured_attrs(json, None)?.len(), 1);
/// # Ok::<(), nixdata::GraphError>(())
/// ```
///
/// # Errors
/// When the bytes are not such JSON, or the graph is missing, ambiguous or broken.
pub fn parse_structured_attrs(
    bytes: &[u8],
    key: Option<&str>,
) -> Result<Vec<PathInfo>, GraphError> {
    let attrs: BTreeMap<String, &RawValue> =
        serde_json::from_slice(bytes).map_err(GraphError::Json)?;
    let present = graphs(&attrs)?;
    let key = match (key, present.as_slice()) {
        (Some(key), _) => key,
        (None, [only]) => only,
        (None, []) => return Err(GraphError::NoGraph { key: "graph".to_owned(), present }),
        (None, _) => return Err(GraphError::SeveralGraphs(present)),
    };
    match attrs.get(key) {
        Some(value) if first_byte(value.get().as_bytes()) == Some(b'[') => {
            super::all_present(parse_path_info(value.get().as_bytes())?)
        }
        _ => Err(GraphError::NoGraph { key: key.to_owned(), present }),
    }
}

/// Says whether an object is not an answer of `path-info`, whose keys are paths or `info`.
pub(super) fn is_structured_attrs(bytes: &[u8]) -> bool {
    let keys: Result<BTreeMap<String, &RawValue>, _> = serde_json::from_slice(bytes);
    keys.is_ok_and(|keys| {
        keys.contains_key("exportReferencesGraph")
            || !(is_versioned(&keys) || keys.keys().all(|key| key.starts_with('/')))
    })
}

/// An attribute may be named `version` too, so both keys are asked for.
fn is_versioned(keys: &BTreeMap<String, &RawValue>) -> bool {
    keys.contains_key("info") && keys.contains_key("version")
}

/// Names the graphs: what `exportReferencesGraph` declares, else every list of objects.
fn graphs(attrs: &BTreeMap<String, &RawValue>) -> Result<Vec<String>, GraphError> {
    if let Some(declared) = attrs.get("exportReferencesGraph") {
        let declared: BTreeMap<String, &RawValue> =
            serde_json::from_str(declared.get()).map_err(GraphError::Json)?;
        return Ok(declared.into_keys().collect());
    }
    let is_graph = |value: &RawValue| {
        value
            .get()
            .trim_start()
            .strip_prefix('[')
            .is_some_and(|rest| rest.trim_start().starts_with(['{', ']']))
    };
    Ok(attrs.iter().filter(|(_, value)| is_graph(value)).map(|(key, _)| key.clone()).collect())
}

impl Listing {
    fn add(
        &mut self,
        path: &str,
        record: Option<Record>,
        store: &StoreDir,
    ) -> Result<(), GraphError> {
        let Some(record) = record else {
            self.absent.push(store_path(path, store)?);
            return Ok(());
        };
        let store = store_dir(record.store_dir.as_deref(), store)?;
        let path = store_path(path, &store)?;
        if record.valid == Some(false) {
            self.absent.push(path);
            return Ok(());
        }
        let nar_hash = match record.nar_hash {
            Some(form) => Some(
                form.parse()
                    .map_err(|source| GraphError::NarHash { path: path.clone(), source })?,
            ),
            None => None,
        };
        let ca = match record.ca {
            Some(form) => Some(form.parse(&path)?),
            None => None,
        };
        let references = record
            .references
            .iter()
            .map(|reference| store_path(reference, &store))
            .collect::<Result<_, _>>()?;
        let deriver = record.deriver.map(|deriver| store_path(&deriver, &store)).transpose()?;
        self.infos.push(PathInfo {
            nar_hash,
            nar_size: record.nar_size,
            deriver,
            ca,
            signatures: record.signatures.unwrap_or_default(),
            ..PathInfo::new(path, references)
        });
        Ok(())
    }
}

impl HashForm {
    fn parse(&self) -> Result<Hash, crate::HashError> {
        match self {
            Self::Text(text) => Hash::parse_with(text, Algorithm::Sha256),
            Self::Parts { algorithm, hash } => Hash::parse_with(hash, algorithm.parse()?),
        }
    }
}

impl AddressForm {
    fn parse(&self, path: &StorePath) -> Result<ContentAddress, GraphError> {
        match self {
            Self::Text(text) => text
                .parse()
                .map_err(|source| GraphError::ContentAddress { path: path.clone(), source }),
            Self::Parts { method, hash } => {
                let method = Method::from_json_name(method).ok_or_else(|| GraphError::Method {
                    path: path.clone(),
                    method: method.clone(),
                })?;
                let hash = hash
                    .parse()
                    .map_err(|source| GraphError::NarHash { path: path.clone(), source })?;
                Ok(ContentAddress { method, hash })
            }
        }
    }
}

fn first_byte(bytes: &[u8]) -> Option<u8> {
    bytes.iter().copied().find(|byte| !byte.is_ascii_whitespace())
}

fn store_dir(text: Option<&str>, default: &StoreDir) -> Result<StoreDir, GraphError> {
    text.map_or_else(|| Ok(default.clone()), |dir| dir.parse().map_err(GraphError::JsonPath))
}

/// Reads a full path, or a base name of the given store.
fn store_path(text: &str, store: &StoreDir) -> Result<StorePath, GraphError> {
    let path = if text.starts_with('/') { text.parse() } else { store.path(text) };
    path.map_err(GraphError::JsonPath)
}
