//! Looking at an image that is there: its digest, its manifest, its config, and what they say together.

use std::collections::BTreeMap;
use std::sync::Arc;

use cli::{Exit, Io, outln};
use oci::source::SourceError;
use oci::{Descriptor, Digest, ImageConfig, Index, Manifest};
use serde::Serialize;

use crate::args::{InspectArgs, LookArgs};
use crate::connect::Reach;
use crate::error::PushError;
use crate::interrupt::Interrupt;
use crate::meter::Meter;
use crate::plan::{self, Place};
use crate::registry::Access;
use crate::target::{Layout, Target};

/// An image where it is.
struct Look {
    target: Box<dyn Target>,
    /// How it is called in messages.
    shown: String,
    /// Without tag and digest.
    name: String,
    /// Its manifest or index.
    bytes: Vec<u8>,
}

impl Look {
    fn at(args: &LookArgs, io: &mut Io, access: Access) -> Result<Self, PushError> {
        let place = plan::place(&args.reference, &io.env)?;
        let shown = place.to_string();
        let (target, name, reference): (Box<dyn Target>, _, _) = match place {
            Place::Layout { path, tag } => {
                (Box::new(Layout::open(&path)?), format!("oci:{}", path.display()), tag)
            }
            Place::Registry(at) => {
                let interrupt = Interrupt::listen();
                let meter = Arc::new(Meter::new(io, None, None));
                let reach = Reach::new(&args.login, 1, None, &interrupt, &meter);
                let repository = reach.repository(io, &at, access)?;
                let tag = at.tag().map(str::to_owned);
                let named = at.digest().map(ToString::to_string).or(tag).unwrap_or_default();
                (Box::new(repository), at.name(), named)
            }
        };
        let Some(bytes) = target.current(&reference)? else {
            return Err(PushError::NotFound(shown));
        };
        if let Ok(expected) = reference.parse::<Digest>() {
            let found = Digest::of(&bytes);
            if found != expected {
                return Err(PushError::OtherDigest { found, expected });
            }
        }
        Ok(Self { target, shown, name, bytes })
    }

    /// The manifest; of an index the one for Linux on this kind of machine.
    fn manifest(&self) -> Result<Manifest, PushError> {
        let wrong = |source| SourceError::Document {
            shown: self.shown.clone(),
            name: "manifest".to_owned(),
            source: Box::new(source),
        };
        if !is_index(&self.bytes) {
            return Ok(Manifest::parse(&self.bytes).map_err(wrong)?);
        }
        let index = Index::parse(&self.bytes).map_err(wrong)?;
        let Some(here) = index.manifests.iter().find(|one| is_for_here(one)) else {
            return Err(PushError::NotFound(format!(
                "{} for linux/{}",
                self.shown,
                architecture()
            )));
        };
        let bytes = self.target.current(here.digest.as_str())?;
        let bytes = bytes.ok_or_else(|| PushError::NotFound(here.digest.to_string()))?;
        Ok(Manifest::parse(&bytes).map_err(wrong)?)
    }
}

/// Prints the digest of an image.
pub(crate) fn digest(args: &LookArgs, io: &mut Io) -> Result<Exit, PushError> {
    let look = Look::at(args, io, Access::Pull)?;
    outln!(io, "{}", Digest::of(&look.bytes))?;
    Ok(Exit::Done)
}

/// Prints the tags of a repository.
pub(crate) fn list_tags(args: &LookArgs, io: &mut Io) -> Result<Exit, PushError> {
    let place = plan::place(&args.reference, &io.env)?;
    let tags = match &place {
        Place::Layout { path, .. } => Layout::open(path)?.tags()?,
        Place::Registry(at) => {
            let interrupt = Interrupt::listen();
            let meter = Arc::new(Meter::new(io, None, None));
            let reach = Reach::new(&args.login, 1, None, &interrupt, &meter);
            let repository = reach.repository(io, at, Access::Pull)?;
            Target::tags(&repository)?
        }
    };
    let Some(tags) = tags else { return Err(PushError::NoTags(place.repository())) };
    for tag in tags {
        outln!(io, "{tag}")?;
    }
    Ok(Exit::Done)
}

/// Takes an image away, and says which.
pub(crate) fn delete(args: &LookArgs, io: &mut Io) -> Result<Exit, PushError> {
    let look = Look::at(args, io, Access::Delete)?;
    let digest = Digest::of(&look.bytes);
    if !look.target.delete(&digest)? {
        return Err(PushError::NotFound(look.shown));
    }
    io.status(format_args!("{} is gone, with all tags of {digest}", look.shown));
    outln!(io, "{digest}")?;
    Ok(Exit::Done)
}

/// Prints what an image is made of.
pub(crate) fn inspect(args: &InspectArgs, io: &mut Io) -> Result<Exit, PushError> {
    let look = Look::at(&args.look, io, Access::Pull)?;
    if args.raw {
        io.out.bytes(&look.bytes)?;
        return Ok(Exit::Done);
    }
    let manifest = look.manifest()?;
    let config = look.target.small_blob(&manifest.config, ImageConfig::LIMIT)?;
    if args.config {
        io.out.bytes(&config)?;
        return Ok(Exit::Done);
    }
    let config = ImageConfig::parse(&config).map_err(|source| SourceError::Document {
        shown: look.shown.clone(),
        name: "config".to_owned(),
        source: Box::new(source),
    })?;
    let inspected = Inspected::new(&look, &manifest, &config)?;
    outln!(io, "{}", serde_json::to_string_pretty(&inspected)?)?;
    Ok(Exit::Done)
}

/// The keys of `skopeo inspect`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Inspected {
    name: String,
    digest: String,
    repo_tags: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<String>,
    docker_version: String,
    labels: Option<BTreeMap<String, String>>,
    architecture: String,
    os: String,
    layers: Vec<String>,
    layers_data: Vec<LayerData>,
    env: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct LayerData {
    #[serde(rename = "MIMEType")]
    mime_type: String,
    digest: String,
    size: u64,
    annotations: Option<BTreeMap<String, String>>,
}

impl Inspected {
    fn new(look: &Look, manifest: &Manifest, config: &ImageConfig) -> Result<Self, PushError> {
        let some = |map: &BTreeMap<String, String>| (!map.is_empty()).then(|| map.clone());
        let version = config.other.get("docker_version").and_then(|value| value.as_str());
        Ok(Self {
            name: look.name.clone(),
            digest: Digest::of(&look.bytes).to_string(),
            repo_tags: look.target.tags()?.unwrap_or_default(),
            created: config.created.as_ref().map(ToString::to_string),
            docker_version: version.unwrap_or_default().to_owned(),
            labels: some(&config.config.labels),
            architecture: config.architecture.clone(),
            os: config.os.clone(),
            layers: manifest.layers.iter().map(|layer| layer.digest.to_string()).collect(),
            layers_data: manifest
                .layers
                .iter()
                .map(|layer| LayerData {
                    mime_type: layer.media_type.to_string(),
                    digest: layer.digest.to_string(),
                    size: layer.size,
                    annotations: some(&layer.annotations),
                })
                .collect(),
            env: config.config.env.clone(),
        })
    }
}

/// Whether a document lists manifests: the name that it gives itself may be missing, the list may not.
pub(crate) fn is_index(bytes: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Shape {
        manifests: Option<serde::de::IgnoredAny>,
    }
    serde_json::from_slice::<Shape>(bytes).is_ok_and(|shape| shape.manifests.is_some())
}

fn is_for_here(manifest: &Descriptor) -> bool {
    let platform = manifest.platform.as_ref();
    platform.is_some_and(|it| it.os == "linux" && it.architecture == architecture())
}

/// This machine in Go's terms.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        "powerpc64" => "ppc64le",
        other => other,
    }
}
