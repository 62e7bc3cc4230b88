//! `ociimg build`: from operands to a plan, an archive or a layout.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;
use std::thread;

use cli::{Exit, Io};
use fs_err as fs;
use oci::cache::Cache;
use oci::compress::Compression;
use oci::layer::{Dialect, LayerRecipe, MadeEntry, StoreRoot};
use oci::pack::Packing;
use oci::plan::{Draft, DraftLayer};
use oci::{History, Reference};

use crate::args::{BuildArgs, ImageArgs, SourceArgs};
use crate::base::Base;
use crate::destination::Destination;
use crate::error::BuildError;
use crate::input::Inputs;
use crate::settings::image_config;
use crate::spec::{self, Extra};
use crate::split::split;
use crate::write;

/// Builds the image and writes it where it was asked for.
pub(crate) fn run(args: &BuildArgs, io: &mut Io) -> Result<Exit, BuildError> {
    let destination = Destination::resolve(&args.output, io.env.cwd(), io.out_is_terminal())?;
    let Drafted { draft, compress, .. } = draft(&args.source, io)?;
    let destination = match compress.filter(|_| args.output.compress.is_none()) {
        Some(compress) => destination.compressed(compress),
        None => destination,
    };
    if let Some(target) = destination.file() {
        outside_of_sources(target, &draft)?;
    }
    let root = StoreRoot::at(io.env.cwd().join(&args.source.store_root));
    deliver(draft, destination, &root, io)?;
    Ok(Exit::Done)
}

/// Writes an image to where it goes, in the form that is wanted there.
pub(crate) fn deliver(
    draft: Draft,
    destination: Destination,
    root: &StoreRoot,
    io: &mut Io,
) -> Result<(), BuildError> {
    let progress = io.progress("reading", None);
    let add = |bytes| progress.add(bytes);
    let cache = cache(io);
    let cache = cache.as_ref();
    let packing = |compression| Packing { root, compression, jobs: jobs(), cache, progress: &add };
    match destination {
        Destination::Plan(to) => {
            let measured = draft.measure(root, jobs(), cache, &add)?;
            write::plan(&draft.finish(measured)?, &to, io)?;
        }
        Destination::Nix2container(to) => {
            let measured = draft.measure(root, jobs(), cache, &add)?;
            write::nix2container(&draft.finish(measured)?, &to, io)?;
        }
        Destination::Archive { to, compression } => {
            write::archive(draft, &packing(compression), &to, io)?;
        }
        Destination::Layout { folder, name, compression } => {
            write::layout(draft, &packing(compression), &folder, name.as_deref(), io)?;
        }
    }
    Ok(())
}

/// An image that is written into what it is made of would hold itself, half.
fn outside_of_sources(target: &Path, draft: &Draft) -> Result<(), BuildError> {
    // What does not exist yet is where its folder is.
    let existing = target.ancestors().find_map(|folder| fs::canonicalize(folder).ok());
    let Some(existing) = existing else { return Ok(()) };
    let paths = draft.layers.iter().filter_map(DraftLayer::recipe).flat_map(|recipe| &recipe.paths);
    match paths.filter(|path| path.plain).find(|path| existing.starts_with(&path.path)) {
        Some(path) => Err(BuildError::OutputInside {
            output: target.to_owned(),
            source_path: path.path.clone().into(),
        }),
        None => Ok(()),
    }
}

/// Everything that can be said before a file is read.
pub(crate) struct Drafted {
    pub(crate) draft: Draft,
    /// The NAR sizes of the store paths, where they are known.
    pub(crate) sizes: BTreeMap<String, u64>,
    /// How the file says that layers are compressed.
    pub(crate) compress: Option<Compression>,
}

pub(crate) fn draft(args: &SourceArgs, io: &mut Io) -> Result<Drafted, BuildError> {
    let (args, extra) = match spec::find(args, io.env.cwd()) {
        None => (Cow::Borrowed(args), Extra::default()),
        Some(file) => {
            let mut args = args.clone();
            let extra = spec::load(&file, &mut args)?;
            (Cow::Owned(args), extra)
        }
    };
    let base = match &args.from {
        Some(image) => Some(Base::open(image, platform(&args.image), io)?),
        None => None,
    };
    let (below, mut layers) = base.map_or((None, Vec::new()), |it| (Some(it.config), it.layers));
    let config = image_config(&args.image, io.env.cwd(), below, extra.config)?;
    let has_more = !layers.is_empty() || !extra.entries.is_empty();
    let mut inputs = Inputs::resolve(&args, has_more, io)?;
    inputs.place(&extra.roots);
    let name = args.image.name.as_ref().unwrap_or(&inputs.name);
    let name = named(name, args.image.tag.as_deref())?;
    let known = inputs.store.iter().filter(|input| input.nar_size > 0);
    let sizes = known.map(|input| (input.recipe.path.clone(), input.nar_size)).collect();
    let mut recipes = split(inputs, &args.layers, io.env.cwd())?;
    add_entries(&mut recipes, extra.entries);
    for recipe in &mut recipes {
        recipe.rules.clone_from(&extra.rules);
    }
    layers.extend(recipes.into_iter().map(draft_layer));
    let annotations = args.image.annotation.iter();
    let draft = Draft {
        name: Some(name),
        tag: args.image.tag.clone(),
        annotations: annotations.map(|pair| (pair.name.clone(), pair.value.clone())).collect(),
        config,
        layers,
    };
    Ok(Drafted { draft, sizes, compress: extra.compress })
}

/// Made entries are in the last layer, so that what they meet there is seen.
fn add_entries(recipes: &mut Vec<LayerRecipe>, entries: Vec<MadeEntry>) {
    if entries.is_empty() {
        return;
    }
    match recipes.last_mut().filter(|recipe| recipe.dialect == Dialect::N2c1) {
        Some(last) => last.entries = entries,
        None => recipes.push(LayerRecipe { entries, ..LayerRecipe::new(Vec::new()) }),
    }
}

/// The platform that was asked for.
fn platform(args: &ImageArgs) -> Option<String> {
    let arch = args.arch.as_ref()?;
    Some(format!("{}/{arch}", args.os.as_deref().unwrap_or("linux")))
}

/// The cache, if there is a place for one.
pub(crate) fn cache(io: &Io) -> Option<Cache> {
    io.env.cache_home().map(|home| Cache::at(home.join("likewise")))
}

/// The name as a reference without its tag; both must be what a registry takes.
pub(crate) fn named(name: &str, tag: Option<&str>) -> Result<Reference, BuildError> {
    let refused = |source| {
        let tag = tag.map(|tag| format!(":{tag}")).unwrap_or_default();
        BuildError::Name { name: format!("{name}{tag}"), source }
    };
    let reference: Reference = name.parse().map_err(refused)?;
    if reference.tag().is_some() || reference.digest().is_some() {
        return Err(BuildError::NameHasTag(name.to_owned()));
    }
    if let Some(tag) = tag {
        reference.clone().with_tag(tag).map_err(refused)?;
    }
    Ok(reference)
}

fn draft_layer(recipe: LayerRecipe) -> DraftLayer {
    let history = History { created_by: Some("ociimg".to_owned()), ..History::default() };
    DraftLayer::new(recipe, history)
}

/// How many layers are made at once.
pub(crate) fn jobs() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}
