//! `ociimg plan`: how paths become layers, and what a push will send.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use cli::{Exit, Io, escape, human_bytes, outln};
use oci::Digest;
use oci::cache::Cache;
use oci::compress::{CompressError, Compression, Making, compress};
use oci::layer::{PathRecipe, StoreRoot};
use oci::plan::{LayerSource, Plan, PlanLayer};
use serde::Serialize;

use crate::args::{LookArgs, PlanArgs};
use crate::build::{self, Drafted, cache, jobs};
use crate::error::BuildError;
use crate::look::{Subject, SubjectLayer, Tar, package, split_name};

/// What is printed.
#[derive(Debug, Serialize)]
struct Report {
    name: Option<String>,
    layers: Vec<Layer>,
    /// What a push sends; none without something to compare with.
    #[serde(skip_serializing_if = "Option::is_none")]
    push: Option<Push>,
}

#[derive(Debug, Serialize)]
struct Layer {
    number: usize,
    diff_id: Digest,
    /// The size of the tar.
    size: u64,
    /// Whether a push sends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    sends: Option<bool>,
    /// The digest and size of the blob, where they had to be known.
    #[serde(skip_serializing_if = "Option::is_none")]
    blob: Option<Blob>,
    paths: Vec<Share>,
}

#[derive(Debug, Clone, Serialize)]
struct Blob {
    digest: Digest,
    size: u64,
}

#[derive(Debug, Serialize)]
struct Share {
    path: String,
    /// The size of its NAR.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    /// Whether the other image lacks it; left out where that cannot be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    is_new: Option<bool>,
}

#[derive(Debug, Serialize)]
struct Push {
    bytes: u64,
    blobs: usize,
    /// The path that costs the most.
    #[serde(skip_serializing_if = "Option::is_none")]
    costliest: Option<Cost>,
}

/// The part of a push that one path is to blame for.
#[derive(Debug, Serialize)]
struct Cost {
    path: String,
    bytes: u64,
}

/// Prints the split, and what a push will send.
pub(crate) fn plan(args: &PlanArgs, io: &mut Io) -> Result<Exit, BuildError> {
    let store_root = args.source.store_root.clone();
    let other = match &args.against {
        Some(other) => {
            let look = LookArgs { platform: None, store_root: store_root.clone(), json: false };
            Some(Subject::open(other, &look, io)?)
        }
        None => None,
    };
    let Drafted { draft, sizes, .. } = build::draft(&args.source, io)?;
    let root = StoreRoot::at(io.env.cwd().join(store_root));
    let cache = cache(io);
    let report = {
        let progress = io.progress("reading", None);
        let add = |bytes| progress.add(bytes);
        let measured = draft.measure(&root, jobs(), cache.as_ref(), &add)?;
        let plan = draft.finish(measured)?;
        let cache = cache.as_ref();
        let predicting = Predicting { root: &root, with: args.compress, cache, progress: &add };
        predicting.report(&plan, &sizes, other.as_ref())?
    };
    if args.json {
        outln!(io, "{}", serde_json::to_string_pretty(&report)?)?;
    } else {
        print(&report, io)?;
    }
    Ok(Exit::Done)
}

struct Predicting<'a> {
    root: &'a StoreRoot,
    with: Compression,
    cache: Option<&'a Cache>,
    progress: &'a dyn Fn(u64),
}

impl Predicting<'_> {
    fn report(
        &self,
        plan: &Plan,
        sizes: &BTreeMap<String, u64>,
        other: Option<&Subject>,
    ) -> Result<Report, BuildError> {
        let there = other.and_then(paths_of);
        let mut layers = Vec::with_capacity(plan.layers.len());
        for (number, layer) in plan.layers.iter().enumerate() {
            let paths = layer.recipe().map_or(&[][..], |recipe| &recipe.paths);
            let mut paths: Vec<_> =
                paths.iter().map(|path| share(path, sizes, there.as_ref())).collect();
            paths.sort_by(|a, b| b.size.cmp(&a.size).then_with(|| a.path.cmp(&b.path)));
            let mut out = Layer {
                number: number + 1,
                diff_id: layer.diff_id.clone(),
                size: layer.size,
                sends: None,
                blob: None,
                paths,
            };
            if let Some(other) = other {
                let is_there = other.layers.iter().any(|one| self.is_known(layer, one));
                let blob = if is_there { None } else { Some(self.blob(layer)?) };
                let has = |blob: &Blob| {
                    other.layers.iter().any(|one| {
                        one.blob.as_ref().is_some_and(|(digest, _)| *digest == blob.digest)
                    })
                };
                out.sends = Some(blob.as_ref().is_some_and(|blob| !has(blob)));
                out.blob = blob;
            }
            layers.push(out);
        }
        let push = match other {
            Some(other) => Some(push(plan, &layers, other)?),
            None => None,
        };
        let name = plan.reference().map(|reference| reference.to_string());
        Ok(Report { name, layers, push })
    }

    /// Whether a layer is there for certain, without making it.
    fn is_known(&self, layer: &PlanLayer, there: &SubjectLayer) -> bool {
        let is_same = there.diff_id.as_ref() == Some(&layer.diff_id)
            || (there.recipe_key.is_some() && there.recipe_key.as_ref() == layer.recipe_key());
        // What has no blob yet gets the blob that this one gets.
        is_same && (there.blob.is_none() || there.codec.as_deref() == Some(self.with.codec()))
    }

    /// The blob that a push will make of a layer. What it takes is kept: the push need not do it again.
    fn blob(&self, layer: &PlanLayer) -> Result<Blob, BuildError> {
        let unread = |error: CompressError| match error {
            CompressError::Read { source } => match source.downcast() {
                Ok(error) => BuildError::Layer(error),
                Err(source) => BuildError::Compress(CompressError::Read { source }),
            },
            error => error.into(),
        };
        let made = match &layer.source {
            LayerSource::Recipe { recipe, .. } => {
                let (root, with, cache) = (self.root, self.with, self.cache);
                let making =
                    Making { root, with, jobs: jobs().get(), cache, progress: self.progress };
                making.layer(&Arc::clone(recipe), &mut io::sink())
            }
            LayerSource::Stored(stored) if stored.media_type.is_plain_layer() => {
                let (content, _) = stored.content().map_err(crate::look::LookError::Source)?;
                let from = content.open().map_err(|source| CompressError::Read { source });
                let mut from = io::BufReader::new(from.map_err(unread)?);
                compress(&mut from, self.with, jobs().get(), &mut io::sink())
            }
            LayerSource::Stored(stored) => {
                return Ok(Blob { digest: stored.digest.clone(), size: layer.size });
            }
        };
        let made = made.map_err(unread)?;
        Ok(Blob { digest: made.digest, size: made.size })
    }
}

/// What a push sends: each blob once, and the config if that is another one.
fn push(plan: &Plan, layers: &[Layer], other: &Subject) -> Result<Push, BuildError> {
    let config = plan.config.to_bytes()?;
    let mut blobs = BTreeMap::new();
    let config_digest = Digest::of(&config);
    if config_digest != other.config_digest {
        blobs.insert(config_digest, config.len() as u64);
    }
    let mut costliest: Option<Cost> = None;
    for layer in layers.iter().filter(|layer| layer.sends == Some(true)) {
        let Some(blob) = &layer.blob else { continue };
        blobs.insert(blob.digest.clone(), blob.size);
        for path in &layer.paths {
            // As much of the blob as the path has of the tar.
            let part = u128::from(path.size.unwrap_or(0)) * u128::from(blob.size)
                / u128::from(layer.size.max(1));
            let bytes = u64::try_from(part).unwrap_or(u64::MAX).min(blob.size);
            if costliest.as_ref().is_none_or(|cost| bytes > cost.bytes) && bytes > 0 {
                costliest = Some(Cost { path: path.path.clone(), bytes });
            }
        }
    }
    Ok(Push { bytes: blobs.values().sum(), blobs: blobs.len(), costliest })
}

fn share(
    path: &PathRecipe,
    sizes: &BTreeMap<String, u64>,
    there: Option<&BTreeSet<String>>,
) -> Share {
    let base = package(path.path.trim_start_matches('/').as_bytes()).filter(|_| !path.plain);
    Share {
        path: path.path.clone(),
        size: sizes.get(&path.path).copied(),
        is_new: there.zip(base).map(|(there, base)| !there.contains(base)),
    }
}

/// The store paths of an image, if it says them without its layers being read.
fn paths_of(other: &Subject) -> Option<BTreeSet<String>> {
    let mut out = BTreeSet::new();
    for layer in &other.layers {
        let Tar::Recipe(recipe, _) = &layer.tar else { return None };
        let names = recipe.paths.iter().filter(|path| !path.plain);
        let names = names.filter_map(|path| package(path.path.trim_start_matches('/').as_bytes()));
        out.extend(names.map(str::to_owned));
    }
    Some(out)
}

fn print(report: &Report, io: &mut Io) -> Result<(), BuildError> {
    for layer in &report.layers {
        let fate = match (layer.sends, &layer.blob) {
            (Some(true), Some(blob)) => format!(", sends {}", human_bytes(blob.size)),
            (Some(_), _) => ", is there".to_owned(),
            (None, _) => String::new(),
        };
        outln!(io, "{} {} {}{fate}", layer.number, layer.diff_id, human_bytes(layer.size))?;
        for path in &layer.paths {
            let size = path.size.map(human_bytes).unwrap_or_default();
            let is_new = if path.is_new == Some(true) { "  new" } else { "" };
            outln!(io, "  {size:>9} {}{is_new}", escape(&path.path))?;
        }
    }
    if let Some(push) = &report.push {
        let blobs = if push.blobs == 1 { "blob" } else { "blobs" };
        let cost = push.costliest.as_ref().map(|cost| {
            let base = package(cost.path.trim_start_matches('/').as_bytes());
            let name = base.and_then(|base| base.split_once('-')).map_or(&*cost.path, |(_, n)| n);
            let (name, _) = split_name(name);
            format!("; {} alone costs {}", escape(name), human_bytes(cost.bytes))
        });
        outln!(
            io,
            "this push sends {} in {} {blobs}{}",
            human_bytes(push.bytes),
            push.blobs,
            cost.unwrap_or_default()
        )?;
    }
    Ok(())
}
