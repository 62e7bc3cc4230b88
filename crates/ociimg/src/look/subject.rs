//! An image that is looked at, wherever it comes from.

use std::ffi::OsStr;
use std::io::{self, BufRead, Read as _};
use std::sync::Arc;

use cli::Io;
use oci::layer::{LayerRecipe, StoreRoot};
use oci::pack::{CODEC_ANNOTATION, DIFF_ID_ANNOTATION, RECIPE_ANNOTATION};
use oci::plan::{LayerSource, Plan};
use oci::source::{Content, Found, Image, Sniffed, Source, SourceError, Unpacked};
use oci::{Descriptor, Digest, ImageConfig, Index, Manifest, MediaType};
use serde::Deserialize;

use super::LookError;
use crate::args::LookArgs;

/// An image that is looked at.
#[derive(Debug)]
pub(crate) struct Subject {
    /// What it is called in messages.
    pub(crate) shown: String,
    pub(crate) name: Option<String>,
    /// The digest of its manifest; of an index that of the index.
    pub(crate) digest: Option<Digest>,
    /// The platforms of an index.
    pub(crate) platforms: Vec<String>,
    /// The digest of the config, and the config unless only a manifest is there.
    pub(crate) config_digest: Digest,
    pub(crate) config: Option<ImageConfig>,
    pub(crate) layers: Vec<SubjectLayer>,
}

/// One of its layers.
#[derive(Debug)]
pub(crate) struct SubjectLayer {
    /// The digest of the tar, if it is known without reading it.
    pub(crate) diff_id: Option<Digest>,
    /// Digest and size of the blob, if there is one.
    pub(crate) blob: Option<(Digest, u64)>,
    pub(crate) recipe_key: Option<Digest>,
    /// The codec that made the blob, if that is known.
    pub(crate) codec: Option<String>,
    pub(crate) media_type: Option<MediaType>,
    /// Its name in the archive or layout.
    pub(crate) member: Option<String>,
    pub(crate) tar: Tar,
}

/// Where the tar of a layer comes from.
#[derive(Debug)]
pub(crate) enum Tar {
    Stored(Content),
    Recipe(Arc<LayerRecipe>, StoreRoot),
    Nowhere,
}

impl Subject {
    /// Opens what was named.
    pub(crate) fn open(image: &OsStr, args: &LookArgs, io: &mut Io) -> Result<Self, LookError> {
        let mut source = Source::from_operand(image)?;
        let cwd = io.env.cwd().to_owned();
        match &mut source {
            Source::Path(path)
            | Source::Layout { path, .. }
            | Source::OciArchive { path, .. }
            | Source::DockerArchive(path) => *path = cwd.join(&*path),
            Source::Stdin => {}
        }
        let root = StoreRoot::at(cwd.join(&args.store_root));
        let platform = args.platform.as_deref();
        let shown = image.to_string_lossy();
        let shown = if shown == "-" { "stdin".to_owned() } else { format!("`{shown}`") };
        match source.open(|| Ok::<_, LookError>(io.stdin()?))? {
            Found::Image(image) => of_image(shown, &image, platform),
            Found::Unpacked(image) => of_unpacked(shown, image),
            Found::Json { bytes, .. } => of_json(shown, &bytes, &root),
        }
    }

    /// The config; without one there is nothing to look at.
    pub(crate) fn config(&self) -> Result<&ImageConfig, LookError> {
        self.config.as_ref().ok_or_else(|| LookError::ManifestOnly(self.shown.clone()))
    }

    /// How many bytes the blobs of the layers have, if all are known.
    pub(crate) fn blob_bytes(&self) -> Option<u64> {
        self.layers.iter().map(|layer| layer.blob.as_ref().map(|(_, size)| *size)).sum()
    }

    /// Reads a layer as it is, whatever it should be.
    pub(crate) fn forget_hashes(&mut self, number: usize) {
        let Some(layer) = self.layers.get_mut(number) else { return };
        layer.diff_id = None;
        if let Tar::Recipe(recipe, _) = &mut layer.tar {
            for path in &mut Arc::make_mut(recipe).paths {
                path.nar_hash = None;
            }
        }
    }

    /// Opens the tar of a layer.
    pub(crate) fn tar(&self, number: usize) -> Result<Box<dyn BufRead + '_>, LookError> {
        let read = |source| self.unread(number, source);
        match &self.layers[number].tar {
            Tar::Nowhere => Err(LookError::ManifestOnly(self.shown.clone())),
            Tar::Recipe(recipe, root) => {
                let reader = Arc::clone(recipe).open(root);
                Ok(Box::new(reader.map_err(|error| self.unmade(number, error))?))
            }
            Tar::Stored(content) => {
                let sniffed = content.open().and_then(Sniffed::new).and_then(Sniffed::decoded);
                Ok(sniffed.map_err(read)?.stream)
            }
        }
    }

    /// What went wrong with a layer is said by the layer, not by who read it.
    pub(crate) fn unread(&self, number: usize, source: io::Error) -> LookError {
        // The reader of tars wraps what it got.
        match source.downcast() {
            Ok(error) => self.unmade(number, error),
            Err(source) => {
                let shown = self.shown.clone();
                LookError::Read { shown, number: number + 1, source }
            }
        }
    }

    fn unmade(&self, number: usize, error: oci::layer::LayerError) -> LookError {
        let (shown, source) = (self.shown.clone(), Box::new(error));
        LookError::Layer { shown, number: number + 1, source }
    }
}

fn of_image(shown: String, image: &Image, platform: Option<&str>) -> Result<Subject, LookError> {
    let document = |digest: &Digest| image.documents.iter().find(|one| one.digest == *digest);
    let wrong = |name: &str| {
        let (shown, name) = (shown.clone(), name.to_owned());
        move |source| SourceError::Document { shown, name, source: Box::new(source) }
    };
    let Some(mut top) = image.documents.last() else {
        return Err(SourceError::NoImage { shown }.into());
    };
    let (digest, mut platforms) = (top.digest.clone(), Vec::new());
    while top.media_type.is_index() {
        let index = Index::parse(&top.bytes).map_err(wrong("index"))?;
        let images: Vec<_> = index.manifests.iter().filter(|one| is_image(one)).collect();
        platforms = images.iter().map(|one| platform_of(one)).collect();
        let chosen = choose(&shown, &images, platform)?;
        top = document(&chosen.digest).ok_or_else(|| SourceError::NoBlob {
            shown: shown.clone(),
            digest: chosen.digest.clone(),
        })?;
    }
    let manifest = Manifest::parse(&top.bytes).map_err(wrong("manifest"))?;
    let content = |wanted: &Descriptor| {
        let blob = image.blobs.iter().find(|blob| blob.descriptor.digest == wanted.digest);
        let (shown, digest) = (shown.clone(), wanted.digest.clone());
        blob.map(|blob| blob.content.clone()).ok_or(SourceError::NoBlob { shown, digest })
    };
    let mut config = Vec::new();
    let limit = ImageConfig::LIMIT as u64;
    content(&manifest.config)?
        .open()
        .and_then(|from| from.take(limit + 1).read_to_end(&mut config))
        .map_err(|source| SourceError::Read { shown: shown.clone(), source })?;
    let found = Digest::of(&config);
    if found != manifest.config.digest {
        let (name, expected) = ("config".to_owned(), manifest.config.digest.clone());
        return Err(SourceError::Digest { shown, name, expected, found }.into());
    }
    let config = ImageConfig::parse(&config).map_err(wrong("config"))?;
    let (layers, known) = (manifest.layers.len(), config.rootfs.diff_ids.len());
    if layers != known {
        return Err(LookError::Count { shown, layers, known });
    }
    let layers = manifest.layers.iter().zip(&config.rootfs.diff_ids).map(|(layer, diff_id)| {
        let mut described = described(layer);
        described.diff_id = Some(diff_id.clone());
        described.tar = Tar::Stored(content(layer)?);
        Ok::<_, SourceError>(described)
    });
    Ok(Subject {
        layers: layers.collect::<Result<_, _>>()?,
        name: image.name.clone(),
        digest: Some(digest),
        platforms,
        config_digest: manifest.config.digest.clone(),
        config: Some(config),
        shown,
    })
}

/// What a manifest says of a layer.
fn described(layer: &Descriptor) -> SubjectLayer {
    let digest = |key: &str| layer.annotations.get(key).and_then(|text| text.parse().ok());
    SubjectLayer {
        diff_id: digest(DIFF_ID_ANNOTATION),
        blob: Some((layer.digest.clone(), layer.size)),
        recipe_key: digest(RECIPE_ANNOTATION),
        codec: layer.annotations.get(CODEC_ANNOTATION).cloned(),
        media_type: Some(layer.media_type.clone()),
        member: Some(layer.digest.blob_path()),
        tar: Tar::Nowhere,
    }
}

fn of_unpacked(shown: String, image: Unpacked) -> Result<Subject, LookError> {
    let config = ImageConfig::parse(&image.config).map_err(|source| SourceError::Document {
        shown: shown.clone(),
        name: "config".to_owned(),
        source: Box::new(source),
    })?;
    let layers = image.layers.into_iter().map(|layer| SubjectLayer {
        diff_id: Some(layer.diff_id),
        blob: None,
        recipe_key: None,
        codec: None,
        media_type: None,
        member: Some(layer.name),
        tar: Tar::Stored(layer.content),
    });
    Ok(Subject {
        shown,
        layers: layers.collect(),
        name: image.name,
        digest: None,
        platforms: Vec::new(),
        config_digest: Digest::of(&image.config),
        config: Some(config),
    })
}

fn of_json(shown: String, bytes: &[u8], root: &StoreRoot) -> Result<Subject, LookError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Probe {
        #[serde(rename = "ociimg_plan")]
        plan: Option<serde_json::Value>,
        schema_version: Option<serde_json::Value>,
        layers: Option<serde_json::Value>,
    }
    let probe: Probe =
        serde_json::from_slice(bytes).map_err(|_| LookError::Json { shown: shown.clone() })?;
    if probe.plan.is_some() {
        return of_plan(shown, bytes, root);
    }
    if probe.schema_version.is_none() || probe.layers.is_none() {
        return Err(LookError::Json { shown });
    }
    let manifest = Manifest::parse(bytes).map_err(|source| SourceError::Document {
        shown: shown.clone(),
        name: "manifest".to_owned(),
        source: Box::new(source),
    })?;
    Ok(Subject {
        shown,
        name: None,
        digest: Some(Digest::of(bytes)),
        platforms: Vec::new(),
        config_digest: manifest.config.digest.clone(),
        config: None,
        layers: manifest.layers.iter().map(described).collect(),
    })
}

fn of_plan(shown: String, bytes: &[u8], root: &StoreRoot) -> Result<Subject, LookError> {
    let plan = Plan::parse(bytes)
        .map_err(|source| SourceError::Plan { shown: shown.clone(), source: Box::new(source) })?;
    let config = plan.config.to_bytes().map_err(|source| SourceError::Json {
        shown: shown.clone(),
        name: "config",
        source,
    })?;
    let name = plan.reference().map(|reference| reference.to_string());
    let layers = plan.layers.into_iter().map(|layer| {
        let (blob, recipe_key, tar) = match layer.source {
            LayerSource::Recipe { recipe, key } => {
                (None, Some(key), Tar::Recipe(recipe, root.clone()))
            }
            LayerSource::Stored(stored) => {
                let (content, size) = stored.content()?;
                (Some((stored.digest, size)), None, Tar::Stored(content))
            }
        };
        let (codec, media_type, member) = (None, None, None);
        let diff_id = Some(layer.diff_id);
        Ok(SubjectLayer { diff_id, blob, recipe_key, codec, media_type, member, tar })
    });
    let layers = layers.collect::<Result<_, SourceError>>()?;
    Ok(Subject {
        shown,
        layers,
        name,
        digest: None,
        platforms: Vec::new(),
        config_digest: Digest::of(&config),
        config: Some(plan.config),
    })
}

/// Attestations stand in indexes too, for a platform that is none.
fn is_image(descriptor: &Descriptor) -> bool {
    descriptor.platform.as_ref().is_none_or(|platform| platform.os != "unknown")
}

fn platform_of(descriptor: &Descriptor) -> String {
    let Some(platform) = &descriptor.platform else { return "unknown".to_owned() };
    let variant = platform.variant.as_ref().map(|variant| format!("/{variant}"));
    format!("{}/{}{}", platform.os, platform.architecture, variant.unwrap_or_default())
}

/// The image of an index: the one for the platform, the only one, or the one for this machine.
fn choose<'a>(
    shown: &str,
    images: &[&'a Descriptor],
    platform: Option<&str>,
) -> Result<&'a Descriptor, LookError> {
    let here = format!("linux/{}", crate::settings::go_arch(std::env::consts::ARCH));
    let wanted = platform.unwrap_or(&here);
    let is_it = |one: &&&Descriptor| {
        let own = platform_of(one);
        own == wanted || own.strip_prefix(wanted).is_some_and(|rest| rest.starts_with('/'))
    };
    match images {
        [only] if platform.is_none() => Ok(only),
        many => many.iter().find(is_it).copied().ok_or_else(|| LookError::Platform {
            shown: shown.to_owned(),
            platform: wanted.to_owned(),
            found: many.iter().map(|one| platform_of(one)).collect::<Vec<_>>().join(", "),
        }),
    }
}
