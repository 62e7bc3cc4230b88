//! `ociimg layers`: the layers of an image, and the store paths in each.

use std::collections::BTreeMap;

use cli::{Exit, Io, escape, human_bytes, outln};
use oci::Digest;
use serde::Serialize;

use super::{Subject, entries, package};
use crate::args::InspectArgs;
use crate::error::BuildError;

#[derive(Debug, Serialize)]
struct Layer<'a> {
    number: usize,
    diff_id: &'a Option<Digest>,
    digest: Option<&'a Digest>,
    /// Of the blob.
    size: Option<u64>,
    recipe_key: &'a Option<Digest>,
    files: u64,
    /// Of all files.
    bytes: u64,
    paths: Vec<Share>,
}

/// What one store path has in a layer; the path is `/` for all that is outside of the store.
#[derive(Debug, Serialize)]
struct Share {
    path: String,
    files: u64,
    bytes: u64,
}

/// Prints the layers, lowest first.
pub(crate) fn layers(args: &InspectArgs, io: &mut Io) -> Result<Exit, BuildError> {
    let subject = Subject::open(&args.image, &args.look, io)?;
    let mut all = Vec::new();
    for (number, layer) in subject.layers.iter().enumerate() {
        let mut shares: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        entries::of_layer(&subject, number, &mut |name, entry| {
            if matches!(entry.kind, "dir") {
                // An empty store path is one as well.
                if let Some(base) = package(&name) {
                    shares.entry(format!("/nix/store/{base}")).or_default();
                }
                return Ok(());
            }
            let path = package(&name).map_or("/".to_owned(), |base| format!("/nix/store/{base}"));
            let share = shares.entry(path).or_default();
            *share = (share.0 + 1, share.1 + entry.size);
            Ok(())
        })?;
        let mut paths: Vec<_> =
            shares.into_iter().map(|(path, (files, bytes))| Share { path, files, bytes }).collect();
        paths.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.path.cmp(&b.path)));
        all.push(Layer {
            number: number + 1,
            diff_id: &layer.diff_id,
            digest: layer.blob.as_ref().map(|(digest, _)| digest),
            size: layer.blob.as_ref().map(|(_, size)| *size),
            recipe_key: &layer.recipe_key,
            files: paths.iter().map(|share| share.files).sum(),
            bytes: paths.iter().map(|share| share.bytes).sum(),
            paths,
        });
    }
    if args.look.json {
        outln!(io, "{}", serde_json::to_string_pretty(&all)?)?;
        return Ok(Exit::Done);
    }
    for layer in all {
        let blob = layer.size.map(|size| format!(" ({} as a blob)", human_bytes(size)));
        let id = layer.diff_id.as_ref().map(ToString::to_string).unwrap_or_default();
        outln!(
            io,
            "{} {id} {} in {} {}{}",
            layer.number,
            human_bytes(layer.bytes),
            layer.files,
            if layer.files == 1 { "file" } else { "files" },
            blob.unwrap_or_default()
        )?;
        for share in layer.paths {
            outln!(io, "  {:>9} {}", human_bytes(share.bytes), escape(&share.path))?;
        }
    }
    Ok(Exit::Done)
}
