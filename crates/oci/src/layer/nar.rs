//! The NAR hash of a path, taken while its entries are written.

use std::io;
use std::path::{Path, PathBuf};

use nixdata::Hash;
use nixdata::nar::{Digester, EncodeError, Encoder};
use rustix::fs::{AtFlags, CWD};

use super::LayerError;

/// Deeper than any layer: what is looked through for a message is bounded too.
const LOOKED_AT: usize = 1_000_000;

/// Compares what is read of one path with its NAR hash. Without a hash nothing is done.
#[derive(Debug, Default)]
pub(super) struct NarCheck {
    encoder: Option<Encoder<Digester>>,
}

impl NarCheck {
    pub(super) fn begin(&mut self) -> Result<(), EncodeError> {
        self.encoder = Some(Encoder::new(Digester::new(io::sink()))?);
        Ok(())
    }

    pub(super) fn piece(
        &mut self,
        piece: impl FnOnce(&mut Encoder<Digester>) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        self.encoder.as_mut().map_or(Ok(()), piece)
    }

    pub(super) fn end(&mut self) -> Result<Option<Hash>, EncodeError> {
        let Some(encoder) = self.encoder.take() else { return Ok(None) };
        Ok(Some(encoder.finish()?.finish().0.hash))
    }
}

/// The NAR hash of a path that is read for this alone.
pub(super) fn identify(path: &Path) -> Result<Hash, LayerError> {
    let found = nixdata::nar::identify(path);
    Ok(found.map_err(|error| LayerError::Nar { path: path.to_owned(), source: error.into() })?.hash)
}

/// Says that a path is not what its hash says, and which file in it was changed last.
pub(super) fn compare(expected: &Hash, found: &Hash, path: &Path) -> Result<(), LayerError> {
    if expected == found {
        return Ok(());
    }
    let newest = newest_file(path).unwrap_or_else(|| path.to_owned());
    Err(LayerError::NarHash {
        path: path.to_owned(),
        newest,
        expected: expected.sri(),
        found: found.sri(),
    })
}

/// The file, link or directory that was changed last: in a store all times are equal, so it is the one.
fn newest_file(top: &Path) -> Option<PathBuf> {
    let mut newest: Option<((i64, i64), PathBuf)> = None;
    let mut open = vec![top.to_owned()];
    let mut count = 0;
    while let Some(path) = open.pop() {
        count += 1;
        let Ok(stat) = rustix::fs::statat(CWD, &path, AtFlags::SYMLINK_NOFOLLOW) else { continue };
        let is_folder =
            rustix::fs::FileType::from_raw_mode(stat.st_mode) == rustix::fs::FileType::Directory;
        if is_folder && count < LOOKED_AT {
            let entries = fs_err::read_dir(&path).into_iter().flatten().flatten();
            open.extend(entries.map(|entry| entry.path()));
        }
        #[expect(clippy::useless_conversion, reason = "the fields have other types elsewhere")]
        let time = (i64::from(stat.st_mtime), i64::try_from(stat.st_mtime_nsec).unwrap_or(0));
        // Of a file and the directory that holds it the file says more.
        if newest.as_ref().is_none_or(|(old, _)| time > *old || (time == *old && !is_folder)) {
            newest = Some((time, path));
        }
    }
    newest.map(|(_, path)| path)
}
