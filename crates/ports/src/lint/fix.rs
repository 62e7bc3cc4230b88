//! `--fix-annotations`: the number of an annotation and those below it are made the registry's, together or not at all.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::ops::Range;
use std::path::Path;

use fs_err as fs;
use portreg::{PortPath, Registry};

use super::allow::{Excuse, excuse};
use super::annotation::{Annotation, is_number};
use super::judge::{Answers, Named};
use super::page::Page;
use super::sheet::Sheet;

/// An annotation that was mended.
#[derive(Debug)]
pub(crate) struct Fixed {
    pub(crate) path: PortPath,
    /// Of the annotation, before.
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) from: u16,
    pub(crate) to: u16,
}

/// Digits, and what they become.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Edit {
    at: Range<usize>,
    from: u16,
    to: u16,
}

/// A file that could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FixError {
    #[error("failed to write a file")]
    Write(#[source] io::Error),
    #[error("`{0}` has changed since it was read")]
    Changed(String),
}

/// Mends the annotations of a file; the sheet is that of what was written.
pub(crate) fn fix(sheet: &mut Sheet, registry: &mut Registry<'_>) -> Result<Vec<Fixed>, FixError> {
    let page = sheet.page();
    let mut answers = Answers::default();
    let mut wanted: Vec<(&Annotation, u16, Vec<Edit>)> = Vec::new();
    for annotation in &sheet.annotations {
        let Named::Port(number) = *answers.named(annotation, registry) else { continue };
        if excuse(&page, annotation.line) != Excuse::Given
            && let Some(edits) = edits(sheet, &page, annotation, number)
        {
            wanted.push((annotation, number, edits));
        }
    }
    // Two annotations that want different things of one number are for people to settle.
    let mut claims: BTreeMap<usize, Vec<u16>> = BTreeMap::new();
    for edit in wanted.iter().flat_map(|(_, _, edits)| edits) {
        claims.entry(edit.at.start).or_default().push(edit.to);
    }
    let is_clear = |edit: &Edit| {
        claims.get(&edit.at.start).is_some_and(|all| all.iter().all(|to| *to == edit.to))
    };
    wanted.retain(|(_, _, edits)| edits.iter().all(is_clear));
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let mended = applied(&sheet.bytes, wanted.iter().flat_map(|(_, _, edits)| edits));
    let fixed = wanted
        .iter()
        .map(|(annotation, number, edits)| {
            let (line, column) = page.place(annotation.at.start);
            // When the comment is right, it is the number below that was not.
            let from = edits.first().map_or(annotation.port, |edit| edit.from);
            Fixed { path: annotation.path.clone(), line, column, from, to: *number }
        })
        .collect();
    write(&sheet.path, &sheet.bytes, &mended)?;
    if let Some(after) = Sheet::of(&sheet.path, &mended) {
        *sheet = after;
    }
    Ok(fixed)
}

/// What has to be written so that an annotation and its block say `number`; none when they do, or when it is not
/// clear what has to be written.
fn edits(
    sheet: &Sheet,
    page: &Page<'_>,
    annotation: &Annotation,
    number: u16,
) -> Option<Vec<Edit>> {
    let old = annotation.port;
    let edit = |at: Range<usize>, from: u16| Edit { at, from, to: number };
    let inside = || sheet.literals[annotation.is_about(page, &sheet.literals)].iter();
    let mut edits = Vec::new();
    if old != number {
        edits.push(edit(annotation.at.clone(), old));
        let stale: Vec<Edit> = inside()
            .filter(|literal| literal.port == old)
            .map(|literal| edit(literal.at.clone(), old))
            .collect();
        if !stale.is_empty() {
            edits.extend(stale);
            return Some(edits);
        }
    }
    if !annotation.places(page, number).is_empty() {
        return (old != number).then_some(edits);
    }
    // A number that is no port by its form, or a port with another number, is meant if it is the only one.
    let mut candidates: Vec<Edit> = if old == number {
        Vec::new()
    } else {
        annotation.places(page, old).into_iter().map(|at| edit(at, old)).collect()
    };
    if candidates.is_empty() {
        let is_others = |port: u16| sheet.annotations.iter().any(|other| other.port == port);
        candidates = inside()
            .filter(|literal| !is_others(literal.port))
            .map(|literal| edit(literal.at.clone(), literal.port))
            .collect();
    }
    let [one] = &*candidates else { return None };
    edits.push(one.clone());
    Some(edits)
}

fn applied<'a>(bytes: &[u8], edits: impl Iterator<Item = &'a Edit>) -> Vec<u8> {
    let mut edits: Vec<&Edit> =
        edits.filter(|edit| is_number(bytes, &edit.at, edit.from)).collect();
    edits.sort_by_key(|edit| edit.at.start);
    edits.dedup_by_key(|edit| edit.at.start);
    let mut mended = Vec::with_capacity(bytes.len() + edits.len());
    let mut done = 0;
    for edit in edits {
        mended.extend_from_slice(&bytes[done..edit.at.start]);
        mended.extend_from_slice(edit.to.to_string().as_bytes());
        done = edit.at.end;
    }
    mended.extend_from_slice(&bytes[done..]);
    mended
}

/// Writes beside the file and renames, its mode kept; a symbolic link stays one.
fn write(path: &Path, before: &[u8], after: &[u8]) -> Result<(), FixError> {
    let path = fs::canonicalize(path).map_err(FixError::Write)?;
    let named = |error: io::Error| {
        FixError::Write(io::Error::new(error.kind(), format!("`{}`: {error}", path.display())))
    };
    let folder = path.parent().unwrap_or(Path::new("/"));
    let permissions = fs::metadata(&path).map_err(FixError::Write)?.permissions();
    let mut beside =
        tempfile::Builder::new().prefix(".ports-").tempfile_in(folder).map_err(named)?;
    beside.write_all(after).map_err(named)?;
    beside.as_file().set_permissions(permissions).map_err(named)?;
    if fs::read(&path).map_err(FixError::Write)? != before {
        return Err(FixError::Changed(path.display().to_string()));
    }
    beside.persist(&path).map_err(|error| named(error.error))?;
    Ok(())
}
