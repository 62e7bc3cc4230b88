//! nix2container's JSON: `layers.json` and `image.json`, as its Go program reads and writes them.
//!
//! Specified by `types/types.go`, `nix/layers.go` and `nix/image.go` of
//! <https://github.com/nlewo/nix2container>. Keys are read in any case and unknown ones passed over, as Go's
//! decoder does it; what is written is equal to the byte. What a Go `nil` becomes is kept: no layer is `null`.

mod folded;
mod image;
mod layers;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use image::{Image, image_from_dir, image_from_manifest};
pub use layers::{Job, PathPerm, PathRewrite, made_layers, parse_graph};

use crate::layer::{OnConflict, PathOptions, PathRecipe, Perm, Rewrite};
use crate::{Digest, History, MediaType, Timestamp};

/// Documents of nix2container cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum N2cError {
    /// Not JSON, or of another shape.
    #[error("this is not {what} as nix2container reads it")]
    Json {
        /// Which document it should be.
        what: &'static str,
        /// Why it is not.
        source: serde_json::Error,
    },
    /// A file that cannot be read.
    #[error("cannot read the image in `{}`", .path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A layer of a base image that nix2container does not know.
    #[error("the media type `{0}` is not one of a layer")]
    MediaType(String),
    /// A manifest and its config disagree.
    #[error("the manifest has {layers} layers, but the config has {diff_ids}")]
    DiffIds {
        /// By the manifest.
        layers: usize,
        /// By the config.
        diff_ids: usize,
    },
    /// A blob that nobody says the place of.
    #[error("the map of blobs does not hold `{0}`")]
    Blob(Digest),
    /// The paths refer to each other in a circle.
    #[error("the graph cannot be ordered")]
    Graph(#[from] crate::split::GraphError),
    /// What a plan says that nix2container has no word for.
    #[error("nix2container has no word for {0}")]
    NoWord(String),
    /// An image that makes no plan.
    #[error("a layer has neither paths nor a `layer-path`")]
    NoContent,
    /// A name or number that breaks its grammar.
    #[error("`{0}` cannot be used in an image")]
    Value(String),
}

/// One layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Layer {
    /// The digest of the blob.
    pub digest: String,
    /// Its size; 0 for a layer of a base image.
    #[serde(default)]
    pub size: i64,
    /// The digest of the tar, one.
    pub diff_ids: String,
    /// What it is made of.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<LayerPath>,
    /// What it is.
    #[serde(default)]
    pub mediatype: String,
    /// Where its bytes are, if they are written down.
    #[serde(rename = "layer-path", default, skip_serializing_if = "String::is_empty")]
    pub layer_path: String,
    /// Where it came from.
    #[serde(rename = "History", default)]
    pub history: History,
}

/// One path of a layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerPath {
    /// The path.
    pub path: String,
    /// What is changed on the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<Options>,
}

/// What is changed on the way from a path to its entries.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// Other names; always written, empty if there are none.
    #[serde(default)]
    pub rewrite: GoRewrite,
    /// Other owners and modes.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "Vec::is_empty")]
    pub perms: Vec<GoPerm>,
}

/// Replaces what a pattern matches.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GoRewrite {
    /// The pattern.
    #[serde(default)]
    pub regex: String,
    /// What takes its place.
    #[serde(default)]
    pub repl: String,
}

/// Owner and mode of what a pattern matches; every field is written.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GoPerm {
    /// The pattern.
    #[serde(default)]
    pub regex: String,
    /// The mode in octal digits.
    #[serde(default)]
    pub mode: String,
    /// The owner's number.
    #[serde(default)]
    pub uid: u32,
    /// The group's number.
    #[serde(default)]
    pub gid: u32,
    /// The owner's name.
    #[serde(default)]
    pub uname: String,
    /// The group's name.
    #[serde(default)]
    pub gname: String,
}

fn null<'de, D: serde::Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads a `layers.json`.
///
/// # Errors
/// If it is none.
pub fn parse_layers(bytes: &[u8]) -> Result<Vec<Layer>, N2cError> {
    let wrong = |source| N2cError::Json { what: "a list of layers", source };
    let value = serde_json::from_slice(bytes).map_err(wrong)?;
    let layers: Option<Vec<Layer>> =
        serde_json::from_value(folded::layers(value)).map_err(wrong)?;
    let mut layers = layers.unwrap_or_default();
    for layer in &mut layers {
        layer.history.other.clear();
        layer.history.created = layer.history.created.take().map(go_time);
    }
    Ok(layers)
}

/// Writes a `layers.json`.
///
/// # Errors
/// Never; the signature is serde's.
pub fn layers_to_bytes(layers: &[Layer]) -> Result<Vec<u8>, serde_json::Error> {
    if layers.is_empty() {
        return Ok(b"null".to_vec());
    }
    crate::to_go_json_indented(layers)
}

/// The time as Go writes it: no zeros at the end of a fraction, and `Z` for UTC.
fn go_time(time: Timestamp) -> Timestamp {
    let text = time.as_str().to_ascii_uppercase();
    let zone = text.rfind(['Z', '+', '-']).filter(|at| *at >= 19).unwrap_or(text.len());
    let (stamp, zone) = text.split_at(zone);
    let stamp =
        if stamp.contains('.') { stamp.trim_end_matches('0').trim_end_matches('.') } else { stamp };
    let zone = if matches!(zone, "+00:00" | "-00:00") { "Z" } else { zone };
    format!("{stamp}{zone}").parse().unwrap_or(time)
}

impl Layer {
    /// A layer that was made of paths.
    pub fn made(digest: &Digest, size: u64, paths: Vec<LayerPath>, history: History) -> Self {
        Self {
            digest: digest.to_string(),
            size: i64::try_from(size).unwrap_or(i64::MAX),
            diff_ids: digest.to_string(),
            paths,
            mediatype: MediaType::OCI_LAYER.to_string(),
            layer_path: String::new(),
            history,
        }
    }
}

impl From<&LayerPath> for PathRecipe {
    fn from(path: &LayerPath) -> Self {
        let options = path.options.as_ref().map(|options| PathOptions {
            rewrite: (!options.rewrite.regex.is_empty()).then(|| Rewrite {
                regex: options.rewrite.regex.clone(),
                repl: options.rewrite.repl.clone(),
            }),
            perms: options.perms.iter().map(Perm::from).collect(),
        });
        Self { options, ..Self::new(&path.path) }
    }
}

impl TryFrom<&PathRecipe> for LayerPath {
    type Error = N2cError;

    fn try_from(recipe: &PathRecipe) -> Result<Self, N2cError> {
        let PathRecipe { path, to, plain, on_conflict, options, nar_hash: _ } = recipe;
        let no_word = |what: &str| Err(N2cError::NoWord(format!("`{path}`, which {what}")));
        if *plain {
            return no_word("is outside the store");
        }
        if *on_conflict != OnConflict::Error {
            return no_word("may be in conflict with others");
        }
        let old = options.clone().unwrap_or_default();
        let rewrite = match (to, old.rewrite) {
            (None, rewrite) => rewrite,
            (Some(to), None) => {
                // As nix2container's own rules write it, unless that would mean something else.
                let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"/_-.=".contains(&b);
                let text =
                    if path.bytes().all(is_plain) { path.clone() } else { regex::escape(path) };
                let repl = if to == "/" { String::new() } else { to.replace('$', "$$") };
                Some(Rewrite { regex: format!("^{text}"), repl })
            }
            (Some(_), Some(_)) => return no_word("lands elsewhere and is rewritten"),
        };
        if rewrite.is_none() && old.perms.is_empty() {
            return Ok(Self { path: path.clone(), options: None });
        }
        let rewrite = rewrite.unwrap_or_default();
        let rewrite = GoRewrite { regex: rewrite.regex, repl: rewrite.repl };
        let perms = old.perms.iter().map(GoPerm::from).collect();
        Ok(Self { path: path.clone(), options: Some(Options { rewrite, perms }) })
    }
}

impl From<&GoPerm> for Perm {
    fn from(perm: &GoPerm) -> Self {
        let GoPerm { regex, mode, uid, gid, uname, gname } = perm.clone();
        Self { regex, mode, uid, gid, uname, gname }
    }
}

impl From<&Perm> for GoPerm {
    fn from(perm: &Perm) -> Self {
        let Perm { regex, mode, uid, gid, uname, gname } = perm.clone();
        Self { regex, mode, uid, gid, uname, gname }
    }
}

#[cfg(test)]
mod tests;
