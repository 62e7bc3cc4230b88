//! The file of an edit: locked, shown as a difference, replaced at once.

use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use fs_err as fs;
use portreg::Edited;
use rustix::fs::{FlockOperation, flock};
use similar::TextDiff;

use crate::error::PortsError;

/// Keeps other edits of the registry waiting until what is returned is dropped. It is the directory that is locked, as
/// the file itself is replaced. Where that cannot be done, on some network
/// file systems, the comparison before the replacement is what is left.
pub(super) fn lock(registry: &Path, dry_run: bool) -> Result<Option<fs::File>, PortsError> {
    if dry_run {
        return Ok(None);
    }
    let path = fs::canonicalize(registry).map_err(PortsError::Write)?;
    let directory = fs::File::open(path.parent().unwrap_or(&path)).map_err(PortsError::Write)?;
    let locked = loop {
        match flock(&directory, FlockOperation::LockExclusive) {
            Err(rustix::io::Errno::INTR) => {}
            other => break other,
        }
    };
    Ok(locked.is_ok().then_some(directory))
}

/// The edit as `patch` and `git apply` read it.
pub(super) fn diff(edited: &Edited) -> String {
    let file = edited.file.display();
    let (old, new) = if edited.file.is_absolute() {
        (file.to_string(), file.to_string())
    } else {
        (format!("a/{file}"), format!("b/{file}"))
    };
    TextDiff::from_lines(&*edited.before, &*edited.after)
        .unified_diff()
        .header(&old, &new)
        .to_string()
}

/// Writes the new text beside the file and puts it in its place. A link stays a link, and mode and owner stay.
pub(super) fn write(edited: &Edited) -> Result<(), PortsError> {
    let target = fs::canonicalize(&edited.file).map_err(PortsError::Write)?;
    if fs::read_to_string(&target).map_err(PortsError::Write)? != edited.before {
        return Err(PortsError::ChangedMeanwhile(edited.file.clone()));
    }
    let metadata = fs::metadata(&target).map_err(PortsError::Write)?;
    let folder = target.parent().unwrap_or(Path::new("/"));
    let failed = |source| PortsError::WriteTo { file: edited.file.clone(), source };
    let mut beside =
        tempfile::Builder::new().prefix(".ports-").tempfile_in(folder).map_err(failed)?;
    beside.write_all(edited.after.as_bytes()).map_err(failed)?;
    let file = beside.as_file();
    let own = file.metadata().map_err(failed)?;
    if (own.uid(), own.gid()) != (metadata.uid(), metadata.gid()) {
        // Only root may give a file away; without that it is the writer's, as every new file.
        let _given = std::os::unix::fs::fchown(file, Some(metadata.uid()), Some(metadata.gid()));
    }
    // After the owner, whose change may take bits away.
    file.set_permissions(metadata.permissions()).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    beside.persist(&target).map_err(|error| failed(error.error))?;
    Ok(())
}
