//! The two line-oriented forms.

use std::iter::Enumerate;
use std::str::Split;

use super::GraphError;
use crate::{Algorithm, Hash, PathInfo, StorePath};

/// Reads the references graph of `exportReferencesGraph`.
///
/// ```
/// let text = b"/nix/store/aqx1rx97yy98x9ga13h0hdgbypa5hgw7-base-1.0\n\n0\n";
/// let infos = nixdata::parse_references_graph(text)?;
/// assert_eq!(infos[0].path.name(), "base-1.0");
/// # Ok::<(), nixdata::GraphError>(())
/// ```
///
/// # Errors
/// When a path or a number is broken, or the text breaks off.
pub fn parse_references_graph(bytes: &[u8]) -> Result<Vec<PathInfo>, GraphError> {
    let mut lines = Lines::new(bytes)?;
    let mut infos = Vec::new();
    while let Some(path) = lines.next_path()? {
        let deriver = lines.deriver()?;
        let references = lines.references()?;
        infos.push(PathInfo { deriver, ..PathInfo::new(path, references) });
    }
    Ok(infos)
}

/// Reads the registration of `nix-store --dump-db` or nixpkgs' `closureInfo`.
///
/// ```
/// let text = b"/nix/store/aqx1rx97yy98x9ga13h0hdgbypa5hgw7-base-1.0
/// 1fd896adaccdc69d44495497c4c43fd4066c46e5e9af1a0e83b3493e143eeaf5
/// 120
///
/// 0
/// ";
/// let infos = nixdata::parse_registration(text)?;
/// assert_eq!(infos[0].nar_size, Some(120));
/// # Ok::<(), nixdata::GraphError>(())
/// ```
///
/// # Errors
/// When a path, a hash or a number is broken, or the text breaks off.
pub fn parse_registration(bytes: &[u8]) -> Result<Vec<PathInfo>, GraphError> {
    let mut lines = Lines::new(bytes)?;
    let mut infos = Vec::new();
    while let Some(path) = lines.next_path()? {
        // Nix writes bare base 16, closureInfo whatever the graph of its build had.
        let nar_hash = Hash::parse_with(lines.line()?.1, Algorithm::Sha256)
            .map_err(|source| GraphError::NarHash { path: path.clone(), source })?;
        let nar_size = lines.number()?;
        let deriver = lines.deriver()?;
        let references = lines.references()?;
        infos.push(PathInfo {
            nar_hash: Some(nar_hash),
            nar_size: Some(nar_size),
            deriver,
            ..PathInfo::new(path, references)
        });
    }
    Ok(infos)
}

/// Says whether a text's second line can only be a NAR hash: a deriver is empty or a path.
pub(super) fn is_registration(bytes: &[u8]) -> bool {
    let second = bytes.split(|byte| *byte == b'\n').nth(1);
    second.and_then(<[u8]>::first).is_some_and(|first| *first != b'/')
}

struct Lines<'a> {
    rest: Enumerate<Split<'a, char>>,
    last: usize,
}

impl<'a> Lines<'a> {
    fn new(bytes: &'a [u8]) -> Result<Self, GraphError> {
        let text = std::str::from_utf8(bytes).map_err(|e| GraphError::NotUtf8(e.valid_up_to()))?;
        // The last newline ends a line; it begins none.
        let text = text.strip_suffix('\n').unwrap_or(text);
        Ok(Self { rest: text.split('\n').enumerate(), last: 0 })
    }

    /// Takes one line and its number.
    fn line(&mut self) -> Result<(usize, &'a str), GraphError> {
        let (index, line) = self.rest.next().ok_or(GraphError::Truncated(self.last))?;
        self.last = index + 1;
        Ok((self.last, line))
    }

    /// Takes the path that begins a record; blank lines between records say nothing.
    fn next_path(&mut self) -> Result<Option<StorePath>, GraphError> {
        loop {
            match self.line() {
                Ok((_, "")) => {}
                Ok((record, line)) => return path(record, line).map(Some),
                Err(_) => return Ok(None),
            }
        }
    }

    fn deriver(&mut self) -> Result<Option<StorePath>, GraphError> {
        match self.line()? {
            (_, "") => Ok(None),
            (record, line) => path(record, line).map(Some),
        }
    }

    fn number(&mut self) -> Result<u64, GraphError> {
        let (line, text) = self.line()?;
        text.parse().map_err(|_| GraphError::Number { line, text: text.to_owned() })
    }

    fn references(&mut self) -> Result<Vec<StorePath>, GraphError> {
        let count = self.number()?;
        // Nothing is reserved by a count that the text may not keep.
        let mut references = Vec::new();
        for _ in 0..count {
            let (record, line) = self.line()?;
            references.push(path(record, line)?);
        }
        Ok(references)
    }
}

fn path(record: usize, line: &str) -> Result<StorePath, GraphError> {
    line.parse().map_err(|source| GraphError::Path { line: record, source })
}
