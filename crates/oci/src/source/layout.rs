//! OCI layouts, as folders and in archives:
//! <https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md>.

use std::collections::BTreeSet;

use super::{Blob, Document, Image, SourceError, Store};
use crate::layout::REF_NAME;
use crate::{Algorithm, Descriptor, Digest, Index, Manifest};

/// An index in an index in an index is no image.
const MAX_DEPTH: usize = 4;
/// More manifests than this are no image either.
const MAX_DOCUMENTS: usize = 1000;

/// The image in a layout: the one of this name, or the only one.
pub(super) fn image(store: &Store, name: Option<&str>) -> Result<Image, SourceError> {
    let index = index(store)?;
    let chosen = choose(store, &index, name)?;
    let mut reading =
        Reading { store, seen: BTreeSet::new(), documents: Vec::new(), blobs: Vec::new() };
    reading.document(chosen, 0)?;
    let own = chosen.annotations.get(REF_NAME).cloned();
    let mut seen = BTreeSet::new();
    let mut blobs = reading.blobs;
    blobs.retain(|blob| seen.insert(blob.descriptor.digest.clone()));
    let documents = reading.documents;
    Ok(Image { documents, blobs, name: own })
}

/// The index of a layout.
pub(crate) fn index(store: &Store) -> Result<Index, SourceError> {
    let shown = || store.shown.clone();
    match store.read("index.json", Index::LIMIT)? {
        Some(bytes) => Index::parse(&bytes).map_err(|source| SourceError::Document {
            shown: shown(),
            name: "index.json".into(),
            source: Box::new(source),
        }),
        None => Err(SourceError::NotALayout { shown: shown() }),
    }
}

fn choose<'a>(
    store: &Store,
    index: &'a Index,
    name: Option<&str>,
) -> Result<&'a Descriptor, SourceError> {
    let shown = store.shown.clone();
    let names = || index.manifests.iter().filter_map(|one| one.annotations.get(REF_NAME));
    let list = || {
        let names: BTreeSet<_> = names().map(|name| format!("`{name}`")).collect();
        names.into_iter().collect::<Vec<_>>().join(", ")
    };
    match name {
        Some(name) => {
            let is_it = |one: &&Descriptor| {
                one.annotations.get(REF_NAME).is_some_and(|own| {
                    own == name || own.rsplit_once(':').is_some_and(|(_, tag)| tag == name)
                })
            };
            let found = index.manifests.iter().find(is_it);
            found.ok_or_else(|| SourceError::NoSuchImage {
                shown,
                name: name.to_owned(),
                names: list(),
            })
        }
        None => match index.manifests.as_slice() {
            [] => Err(SourceError::NoImage { shown }),
            [one] => Ok(one),
            // The same image under several names is one image.
            [first, rest @ ..] if rest.iter().all(|one| one.digest == first.digest) => Ok(first),
            many => Err(SourceError::ManyImages { shown, count: many.len(), names: list() }),
        },
    }
}

struct Reading<'a> {
    store: &'a Store,
    seen: BTreeSet<Digest>,
    documents: Vec<Document>,
    blobs: Vec<Blob>,
}

impl Reading<'_> {
    /// Takes in a manifest or an index, behind what it names.
    fn document(&mut self, descriptor: &Descriptor, depth: usize) -> Result<(), SourceError> {
        if !self.seen.insert(descriptor.digest.clone()) {
            return Ok(());
        }
        let name = descriptor.digest.blob_path();
        let shown = || self.store.shown.clone();
        if depth > MAX_DEPTH || self.seen.len() > MAX_DOCUMENTS {
            return Err(SourceError::TooDeep { shown: shown() });
        }
        let bytes = self.store.read(&name, Manifest::LIMIT)?;
        let Some(bytes) = bytes else {
            return Err(SourceError::NoBlob { shown: shown(), digest: descriptor.digest.clone() });
        };
        let found = Digest::of(&bytes);
        if descriptor.digest.algorithm() != Some(Algorithm::Sha256) || found != descriptor.digest {
            let expected = descriptor.digest.clone();
            return Err(SourceError::Digest { shown: shown(), name, expected, found });
        }
        let wrong = |source| SourceError::Document {
            shown: shown(),
            name: name.clone(),
            source: Box::new(source),
        };
        if descriptor.media_type.is_index() {
            let index = Index::parse(&bytes).map_err(wrong)?;
            for child in &index.manifests {
                self.document(child, depth + 1)?;
            }
        } else if descriptor.media_type.is_manifest() {
            let manifest = Manifest::parse(&bytes).map_err(wrong)?;
            for blob in std::iter::once(&manifest.config).chain(&manifest.layers) {
                self.blob(blob)?;
            }
        } else {
            let media_type = descriptor.media_type.to_string();
            return Err(SourceError::MediaType { shown: shown(), name, media_type });
        }
        let media_type = descriptor.media_type.clone();
        self.documents.push(Document { media_type, digest: found, bytes });
        Ok(())
    }

    fn blob(&mut self, descriptor: &Descriptor) -> Result<(), SourceError> {
        let shown = || self.store.shown.clone();
        let name = descriptor.digest.blob_path();
        match self.store.get(&name)? {
            // These are fetched from elsewhere, and need not be here.
            None if descriptor.media_type.is_foreign_layer() => Ok(()),
            Some((content, size)) if size == descriptor.size => {
                self.blobs.push(Blob { descriptor: descriptor.clone(), content });
                Ok(())
            }
            Some((_, found)) => {
                let expected = descriptor.size;
                Err(SourceError::Size { shown: shown(), name, expected, found })
            }
            None => Err(SourceError::NoBlob { shown: shown(), digest: descriptor.digest.clone() }),
        }
    }
}
