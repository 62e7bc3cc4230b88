//! Reading closures in the forms that Nix and its builds write.
//!
//! - `nix path-info --json [-r]`: a list up to Nix 2.18, an object keyed by path since 2.19, and
//!   `{"info": {…}, "storeDir": …, "version": 2}` with base names for `--json-format 2` of Nix 2.33;
//! - `.attrs.json` of a derivation with `__structuredAttrs` and `exportReferencesGraph.KEY`, whose
//!   `KEY` is a list like that of `path-info`; the list alone is read as well;
//! - the references graph of `exportReferencesGraph` without structured attributes: lines of path,
//!   deriver, number of references, references;
//! - the registration of `nix-store --dump-db`, `--load-db` and nixpkgs' `closureInfo`: path, NAR
//!   hash, NAR size, deriver, number of references, references.
//!
//! None of these readers asks that the paths be closed under references: [`Closure::new`] does.
//!
//! [`Closure::new`]: crate::Closure::new

mod json;
mod text;

use thiserror::Error;

use crate::{ContentAddressError, HashError, PathInfo, StorePath, StorePathError};

pub use json::{parse_path_info, parse_structured_attrs};
pub use text::{parse_references_graph, parse_registration};

/// Why a text is no graph.
#[derive(Debug, Error)]
pub enum GraphError {
    /// Not JSON, or not of a shape that Nix writes.
    #[error("not the JSON that `nix path-info` or `.attrs.json` holds")]
    Json(#[source] serde_json::Error),
    /// JSON of a version that is newer than this reader.
    #[error("path-info JSON of version {0} is not known here ({newest} is the newest)", newest = json::NEWEST)]
    Version(u64),
    /// Structured attributes with no graph, or not the one asked for.
    #[error("no graph `{key}` in these attributes{}", among(.present))]
    NoGraph {
        /// The key that was asked for.
        key: String,
        /// The keys of the graphs that are there.
        present: Vec<String>,
    },
    /// Structured attributes with several graphs, and none was asked for.
    #[error("these attributes hold several graphs: {}", .0.join(", "))]
    SeveralGraphs(Vec<String>),
    /// A line that should be a store path.
    #[error("line {line}: not a store path")]
    Path {
        /// The line, from 1.
        line: usize,
        /// What is wrong with the path.
        #[source]
        source: StorePathError,
    },
    /// A string in JSON that should be a store path.
    #[error("not a store path")]
    JsonPath(#[source] StorePathError),
    /// A NAR hash that is no hash.
    #[error("the NAR hash of `{path}` is broken")]
    NarHash {
        /// The path.
        path: StorePath,
        /// What is wrong with it.
        #[source]
        source: HashError,
    },
    /// A content address that is none.
    #[error("the content address of `{path}` is broken")]
    ContentAddress {
        /// The path.
        path: StorePath,
        /// What is wrong with it.
        #[source]
        source: ContentAddressError,
    },
    /// A hash method that is not known.
    #[error("the content address of `{path}` has the unknown method `{method}`")]
    Method {
        /// The path.
        path: StorePath,
        /// The method.
        method: String,
    },
    /// A line that should be a number.
    #[error("line {line}: `{text}` is not a number")]
    Number {
        /// The line, from 1.
        line: usize,
        /// The line's text.
        text: String,
    },
    /// A text that ends within a record.
    #[error("the text ends at line {0}, in the middle of a record")]
    Truncated(usize),
    /// A path that the store does not have.
    #[error("`{0}` is not valid in the store")]
    Absent(StorePath),
    /// Not a form that Nix writes.
    #[error("neither JSON nor a text that begins with a store path")]
    UnknownForm,
    /// Bytes that are not UTF-8; no form of Nix has them.
    #[error("byte {0} is not UTF-8")]
    NotUtf8(usize),
}

fn among(present: &[String]) -> String {
    if present.is_empty() { String::new() } else { format!("; there is {}", present.join(", ")) }
}

/// The answer of `nix path-info`: what is known, and which of the paths asked for the store lacks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// What is known, in the order of the text.
    pub infos: Vec<PathInfo>,
    /// The paths that are not valid in the store.
    pub absent: Vec<StorePath>,
}

/// Reads any of the forms, told apart by how they begin.
///
/// `key` names the graph in structured attributes that hold several.
///
/// ```
/// use nixdata::{Closure, parse_graph};
/// let text = b"/nix/store/aqx1rx97yy98x9ga13h0hdgbypa5hgw7-base-1.0\n\n0\n";
/// let closure = Closure::new(parse_graph(text, None)?)?;
/// assert_eq!(closure.paths()[0].path.name(), "base-1.0");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When the bytes are of no such form, break off, or list a path that the store does not have.
pub fn parse_graph(bytes: &[u8], key: Option<&str>) -> Result<Vec<PathInfo>, GraphError> {
    match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') if json::is_structured_attrs(bytes) => parse_structured_attrs(bytes, key),
        Some(b'[' | b'{') => all_present(parse_path_info(bytes)?),
        Some(b'/') if text::is_registration(bytes) => parse_registration(bytes),
        Some(b'/') => parse_references_graph(bytes),
        // An empty graph is the closure of nothing; `nix-store --dump-db` of an empty store is one.
        None => Ok(Vec::new()),
        Some(_) => Err(GraphError::UnknownForm),
    }
}

fn all_present(listing: Listing) -> Result<Vec<PathInfo>, GraphError> {
    match listing.absent.into_iter().next() {
        Some(path) => Err(GraphError::Absent(path)),
        None => Ok(listing.infos),
    }
}

#[cfg(test)]
mod tests;
