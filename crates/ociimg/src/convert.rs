//! `ociimg convert`: the same image in another form.

use std::ffi::OsStr;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use cli::{Exit, Io};
use oci::dockertools::Conf;
use oci::layer::{Dialect, Measured, StoreRoot};
use oci::n2c::{Image as N2cImage, N2cError};
use oci::plan::{Draft, DraftLayer, DraftSource, LayerSource, Plan, StoredLayer};
use oci::source::{Content, Found, Image, Sniffed, Source, SourceError, Unpacked};
use oci::{Digest, HashingReader, ImageConfig, Manifest, MediaType};

use crate::args::ConvertArgs;
use crate::destination::Destination;
use crate::error::BuildError;

/// Reads the image in one form and writes it in another.
pub(crate) fn run(args: &ConvertArgs, io: &mut Io) -> Result<Exit, BuildError> {
    let cwd = io.env.cwd().to_owned();
    let destination = Destination::resolve(&args.output, &cwd, io.out_is_terminal())?;
    let root = StoreRoot::at(cwd.join(&args.store_root));
    let mut draft = read(&args.image, &root, io)?;
    if let Some(name) = &args.name {
        draft.name = Some(crate::build::named(name, args.tag.as_deref())?);
    }
    draft.tag = args.tag.clone().or(draft.tag);
    if matches!(destination, Destination::Nix2container(_)) {
        // Its layers are written by its own rules alone.
        draft.layers.iter_mut().for_each(in_n2c);
    }
    crate::build::deliver(draft, destination, &root, io)?;
    Ok(Exit::Done)
}

/// Puts the paths of a layer into nix2container's dialect.
fn in_n2c(layer: &mut DraftLayer) {
    if let DraftSource::Recipe(recipe) = &mut layer.source {
        let recipe = std::sync::Arc::make_mut(recipe);
        (recipe.dialect, recipe.stamp) = (Dialect::N2c1, oci::layer::Stamp::default());
    }
}

fn read(image: &OsStr, root: &StoreRoot, io: &mut Io) -> Result<Draft, BuildError> {
    let mut source = Source::from_operand(image).map_err(crate::look::LookError::from)?;
    let cwd = io.env.cwd().to_owned();
    let mut place = None;
    match &mut source {
        Source::Path(path)
        | Source::Layout { path, .. }
        | Source::OciArchive { path, .. }
        | Source::DockerArchive(path) => {
            *path = cwd.join(&*path);
            place = Some(path.clone());
        }
        Source::Stdin => {}
    }
    let shown = PathBuf::from(image);
    let found = source.open(|| Ok::<_, BuildError>(io.stdin()?))?;
    match (found, place) {
        (Found::Json { bytes, .. }, _) => of_json(&bytes, &shown, root),
        // A layer is named by the file that it is in; what came by a pipe is in none.
        (_, None) => Err(BuildError::ArchiveFromStdin),
        (Found::Image(image), Some(place)) => of_image(&image, &place),
        (Found::Unpacked(image), Some(place)) => of_unpacked(image, &place),
    }
}

fn of_json(bytes: &[u8], shown: &Path, root: &StoreRoot) -> Result<Draft, BuildError> {
    let path = || shown.to_owned();
    let value: serde_json::Value = serde_json::from_slice(bytes)
        .map_err(|source| BuildError::Config { path: path(), source })?;
    if N2cImage::is_one(&value) {
        let of = |source| BuildError::N2c { path: path(), source: Box::new(source) };
        return N2cImage::parse(bytes).and_then(|image| image.draft()).map_err(of);
    }
    if Conf::is_one(&value) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let draft = Conf::parse(bytes).and_then(|conf| conf.draft(root, now));
        return draft.map_err(|source| BuildError::Conf { path: path(), source: Box::new(source) });
    }
    let plan = Plan::parse(bytes)
        .map_err(|source| BuildError::Plan { path: path(), source: Box::new(source) })?;
    Ok(of_plan(plan))
}

fn of_plan(plan: Plan) -> Draft {
    let layer = |layer: oci::plan::PlanLayer| {
        let source = match layer.source {
            LayerSource::Recipe { recipe, .. } => DraftSource::Recipe(recipe),
            LayerSource::Stored(stored) => {
                let measured = Measured { diff_id: layer.diff_id, size: layer.size };
                DraftSource::Stored { stored, measured }
            }
        };
        // The history is there already.
        DraftLayer { source, history: None }
    };
    let layers = plan.layers.into_iter().map(layer).collect();
    let (name, annotations, config) = (plan.name, plan.annotations, plan.config);
    Draft { name, tag: Some(plan.tag), annotations, config, layers }
}

fn of_image(image: &Image, place: &Path) -> Result<Draft, BuildError> {
    let shown = || format!("`{}`", place.display());
    let no_image = || SourceError::NoImage { shown: shown() };
    let top = image.documents.last().ok_or_else(no_image)?;
    if top.media_type.is_index() {
        return Err(BuildError::IndexOfImages(place.to_owned()));
    }
    let wrong = |name: &str| {
        let name = name.to_owned();
        move |source| SourceError::Document { shown: shown(), name, source: Box::new(source) }
    };
    let manifest = Manifest::parse(&top.bytes).map_err(wrong("manifest"))?;
    let blob = |digest: &Digest| {
        let found = image.blobs.iter().find(|blob| blob.descriptor.digest == *digest);
        found.ok_or_else(|| SourceError::NoBlob { shown: shown(), digest: digest.clone() })
    };
    let mut bytes = Vec::new();
    let limit = ImageConfig::LIMIT as u64;
    let content = &blob(&manifest.config.digest)?.content;
    content
        .open()
        .and_then(|from| from.take(limit + 1).read_to_end(&mut bytes))
        .map_err(|source| SourceError::Read { shown: shown(), source })?;
    let config = ImageConfig::parse(&bytes).map_err(wrong("config"))?;
    let diff_ids = config.rootfs.diff_ids.clone();
    let layer = |(layer, diff_id): (&oci::Descriptor, Digest)| {
        blob(&layer.digest)?;
        let member = Some(layer.digest.blob_path());
        let (path, digest) = (place.to_string_lossy().into_owned(), layer.digest.clone());
        let stored = StoredLayer { path, member, media_type: layer.media_type.clone(), digest };
        let measured = Measured { diff_id, size: layer.size };
        Ok::<_, SourceError>(DraftLayer {
            source: DraftSource::Stored { stored, measured },
            history: None,
        })
    };
    let layers = manifest.layers.iter().zip(diff_ids).map(layer).collect::<Result<_, _>>()?;
    Ok(named_as(image.name.as_deref(), config, manifest.annotations.clone(), layers))
}

fn of_unpacked(image: Unpacked, place: &Path) -> Result<Draft, BuildError> {
    let shown = image.shown;
    let config = ImageConfig::parse(&image.config).map_err(|source| SourceError::Document {
        shown: shown.clone(),
        name: "config".to_owned(),
        source: Box::new(source),
    })?;
    let mut layers = Vec::with_capacity(image.layers.len());
    for layer in image.layers {
        let (media_type, digest) = blob_of(&layer.content, &layer.diff_id)
            .map_err(|source| SourceError::Read { shown: shown.clone(), source })?;
        let path = place.to_string_lossy().into_owned();
        let stored = StoredLayer { path, member: Some(layer.name), media_type, digest };
        let measured = Measured { diff_id: layer.diff_id, size: layer.size };
        layers.push(DraftLayer { source: DraftSource::Stored { stored, measured }, history: None });
    }
    let annotations = std::collections::BTreeMap::new();
    Ok(named_as(image.name.as_deref(), config, annotations, layers))
}

/// What a layer of Docker's archive is as it is stored.
fn blob_of(content: &Content, diff_id: &Digest) -> io::Result<(MediaType, Digest)> {
    let media_type = match Sniffed::new(content.open()?)?.kind.compressor() {
        None => return Ok((MediaType::OCI_LAYER, diff_id.clone())),
        Some("gzip") => MediaType::OCI_LAYER_GZIP,
        Some("zstd") => MediaType::OCI_LAYER_ZSTD,
        Some(other) => return Err(io::Error::other(format!("a layer is compressed by {other}"))),
    };
    let mut reader = HashingReader::new(content.open()?);
    io::copy(&mut reader, &mut io::sink())?;
    Ok((media_type, reader.finish().0))
}

fn named_as(
    name: Option<&str>,
    config: ImageConfig,
    annotations: std::collections::BTreeMap<String, String>,
    layers: Vec<DraftLayer>,
) -> Draft {
    let reference = name.and_then(|name| name.parse::<oci::Reference>().ok());
    let tag = reference.as_ref().and_then(|reference| reference.tag()).map(str::to_owned);
    let name = reference.and_then(|reference| reference.name().parse().ok());
    Draft { name, tag, annotations, config, layers }
}

/// What nix2container has no word for is said with the way around it.
pub(crate) fn n2c_hint(error: &N2cError) -> Option<&'static str> {
    match error {
        N2cError::NoWord(_) => Some("write a plan, an archive or a layout instead"),
        N2cError::Read { .. } => Some("run this where the base image's layers are"),
        _ => None,
    }
}
