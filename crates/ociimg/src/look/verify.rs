//! `ociimg verify`: whether the layers are what the image says.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::Arc;

use cli::{Exit, Io, escape, outln};
use oci::layer::LayerError;
use oci::{Digest, HashingReader};
use serde::Serialize;

use super::entries::{self, Entry};
use super::{LookError, Subject, Tar, package};
use crate::args::VerifyArgs;
use crate::error::BuildError;

/// What was found out about a layer.
#[derive(Debug, Serialize)]
struct Checked {
    number: usize,
    expected: Digest,
    /// None if it could not be made, because a path of it is another one now.
    found: Option<Digest>,
    /// What differs, with the store path and the file where they can be told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    differs: Vec<String>,
}

impl Checked {
    fn is_same(&self) -> bool {
        self.found.as_ref() == Some(&self.expected) && self.differs.is_empty()
    }
}

/// Recomputes every layer; the answer is "no" if one is not what it should be.
pub(crate) fn verify(args: &VerifyArgs, io: &mut Io) -> Result<Exit, BuildError> {
    let mut subject = Subject::open(&args.image, &args.look, io)?;
    let mut against = match &args.against {
        Some(other) if *other == *"-" && args.image == "-" => {
            return Err(LookError::StdinTwice.into());
        }
        Some(other) => Some(Subject::open(other, &args.look, io)?),
        None => None,
    };
    subject.config()?;
    let mut all = Vec::new();
    for number in 0..subject.layers.len() {
        let mut checked = check(&subject, number)?;
        if let Some(other) = &mut against {
            compare(&mut subject, other, number, &mut checked)?;
        }
        all.push(checked);
    }
    if let Some(other) = &against
        && other.layers.len() > subject.layers.len()
    {
        for number in subject.layers.len()..other.layers.len() {
            let expected = other.layers[number].diff_id.clone();
            let differs = vec![format!("only {} has this layer", other.shown)];
            if let Some(expected) = expected {
                all.push(Checked { number: number + 1, expected, found: None, differs });
            }
        }
    }
    let is_same = all.iter().all(Checked::is_same);
    if args.look.json {
        let value = serde_json::json!({ "same": is_same, "layers": all });
        outln!(io, "{}", serde_json::to_string_pretty(&value)?)?;
    } else {
        for layer in &all {
            let is_same = if layer.is_same() { "same" } else { "differs" };
            outln!(io, "{} {} {is_same}", layer.number, layer.expected)?;
            for line in &layer.differs {
                outln!(io, "  {}", escape(line))?;
            }
        }
    }
    Ok(if is_same { Exit::Done } else { Exit::No })
}

fn check(subject: &Subject, number: usize) -> Result<Checked, BuildError> {
    let layer = &subject.layers[number];
    let Some(expected) = layer.diff_id.clone() else {
        return Err(LookError::ManifestOnly(subject.shown.clone()).into());
    };
    let mut checked = Checked { number: number + 1, expected, found: None, differs: Vec::new() };
    let unread = |source| subject.unread(number, source);
    match &layer.tar {
        Tar::Recipe(recipe, root) => match Arc::clone(recipe).measure(root) {
            Ok(measured) => checked.found = Some(measured.diff_id),
            Err(error @ (LayerError::NarHash { .. } | LayerError::Conflict { .. })) => {
                checked.differs.push(error.to_string());
            }
            Err(error) => return Err(error.into()),
        },
        Tar::Stored(content) => {
            let reader = content.open().map_err(unread)?;
            let blob = HashingReader::new(reader);
            let (found, blob) = hash_both(blob, subject, number)?;
            checked.found = Some(found);
            if let Some((digest, _)) = &layer.blob
                && *digest != blob
            {
                checked.differs.push(format!("the blob has the digest {blob}, not {digest}"));
            }
        }
        Tar::Nowhere => return Err(LookError::ManifestOnly(subject.shown.clone()).into()),
    }
    if let Some(found) = checked.found.as_ref().filter(|found| **found != checked.expected) {
        checked.differs.push(format!("the layer has the digest {found}"));
    }
    Ok(checked)
}

/// The digests of a layer's tar and of the blob that it is in.
fn hash_both(
    blob: HashingReader<impl Read>,
    subject: &Subject,
    number: usize,
) -> Result<(Digest, Digest), LookError> {
    let unread = |source| subject.unread(number, source);
    let mut tar = HashingReader::new(subject.tar(number)?);
    io::copy(&mut tar, &mut io::sink()).map_err(unread)?;
    let mut blob = blob;
    io::copy(&mut blob, &mut io::sink()).map_err(unread)?;
    Ok((tar.finish().0, blob.finish().0))
}

/// Looks for the first entries that are not the same in another image's layer.
fn compare(
    subject: &mut Subject,
    other: &mut Subject,
    number: usize,
    checked: &mut Checked,
) -> Result<(), BuildError> {
    const SHOWN: usize = 10;
    let Some(layer) = other.layers.get(number) else {
        checked.differs.push(format!("{} does not have this layer", other.shown));
        return Ok(());
    };
    if let (Some(id), Some(found)) = (&layer.diff_id, &checked.found)
        && id == found
    {
        return Ok(());
    }
    // What is there is compared, whatever it should be.
    subject.forget_hashes(number);
    other.forget_hashes(number);
    let own = all_entries(subject, number)?;
    let mut theirs = all_entries(other, number)?;
    let mut lines = Vec::new();
    for (name, entry) in &own {
        match theirs.remove(name) {
            Some(their) if their == *entry => {}
            Some(their) => lines.push((name.clone(), entry.differences(&their).join(", "))),
            None => lines.push((name.clone(), format!("not in {}", other.shown))),
        }
    }
    let missing = theirs.into_keys().map(|name| (name, format!("only in {}", other.shown)));
    lines.extend(missing);
    lines.sort();
    let rest = lines.len().saturating_sub(SHOWN);
    for (name, how) in lines.into_iter().take(SHOWN) {
        let file = String::from_utf8_lossy(&name).into_owned();
        checked.differs.push(match package(&name) {
            Some(base) => {
                let inside = file.split_at_checked("nix/store/".len() + base.len());
                let inside = inside.map_or("", |(_, rest)| rest.trim_start_matches('/'));
                format!("/nix/store/{base}: `{inside}`: {how}")
            }
            None => format!("`/{file}`: {how}"),
        });
    }
    if rest > 0 {
        checked.differs.push(format!("and {rest} more"));
    }
    Ok(())
}

fn all_entries(subject: &Subject, number: usize) -> Result<BTreeMap<Vec<u8>, Entry>, LookError> {
    let mut out = BTreeMap::new();
    entries::of_layer(subject, number, &mut |name, entry| {
        out.insert(name, entry);
        Ok(())
    })?;
    Ok(out)
}
