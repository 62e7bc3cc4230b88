//! `image.json`: made of a config and layers, of what skopeo left in a folder, or of a manifest.

use std::collections::BTreeMap;
use std::path::Path;

use fs_err as fs;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::{Layer, LayerPath, N2cError, folded, go_time, null};
use crate::layer::{Dialect, LayerRecipe, Measured, PathRecipe};
use crate::plan::{Draft, DraftLayer, DraftSource, LayerSource, Plan, StoredLayer};
use crate::{Digest, History, ImageConfig, Manifest, MediaType, RunConfig, Timestamp};

/// An image.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Image {
    version: u64,
    /// How a container is run.
    #[serde(rename = "image-config")]
    pub config: RunConfig,
    /// The layers, lowest first.
    #[serde(serialize_with = "nil")]
    pub layers: Vec<Layer>,
    /// The processor, as Go names it.
    pub arch: String,
    /// When it was made.
    pub created: Option<Timestamp>,
}

fn nil<S: serde::Serializer>(layers: &[Layer], serializer: S) -> Result<S::Ok, S::Error> {
    if layers.is_empty() { serializer.serialize_none() } else { layers.serialize(serializer) }
}

impl Image {
    /// An image of a config and layers; a layer whose digest is there already is left out.
    ///
    /// `drops_unknown` leaves out what nix2container's program does not know (`Healthcheck`, `OnBuild`, …), as
    /// it does itself.
    ///
    /// # Errors
    /// If the config is none.
    pub fn new(
        config: &[u8],
        base: Option<Self>,
        layers: impl IntoIterator<Item = Layer>,
        arch: &str,
        created: Timestamp,
        drops_unknown: bool,
    ) -> Result<Self, N2cError> {
        let wrong = |source| N2cError::Json { what: "an image's config", source };
        let value: Value = serde_json::from_slice(config).map_err(wrong)?;
        let mut config = run_config(value, drops_unknown).map_err(wrong)?;
        if drops_unknown {
            config.other.clear();
        }
        let mut image = Self {
            version: 1,
            config,
            layers: base.map(|base| base.layers).unwrap_or_default(),
            arch: arch.to_owned(),
            created: Some(go_time(created)),
        };
        for layer in layers {
            if !image.layers.iter().any(|other| other.digest == layer.digest) {
                image.layers.push(layer);
            }
        }
        Ok(image)
    }

    /// Reads an `image.json`.
    ///
    /// # Errors
    /// If it is none.
    pub fn parse(bytes: &[u8]) -> Result<Self, N2cError> {
        #[derive(Deserialize)]
        struct Raw {
            #[serde(default)]
            version: u64,
            #[serde(rename = "image-config", default)]
            config: Value,
            #[serde(default, deserialize_with = "null")]
            layers: Vec<Layer>,
            #[serde(default)]
            arch: String,
            #[serde(default, deserialize_with = "created")]
            created: Option<Timestamp>,
        }
        fn created<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
            Ok(Option::<Timestamp>::deserialize(from)?.map(go_time))
        }
        let wrong = |source| N2cError::Json { what: "an image", source };
        let value: Value = serde_json::from_slice(bytes).map_err(wrong)?;
        if !value.is_object() {
            return Err(wrong(serde::de::Error::custom("it is not an object")));
        }
        let raw: Raw = serde_json::from_value(folded::image(value)).map_err(wrong)?;
        let Raw { version, config, layers, arch, created } = raw;
        let config = run_config(config, false).map_err(wrong)?;
        Ok(Self { version, config, layers, arch, created })
    }

    /// Whether a JSON object is an `image.json`.
    pub fn is_one(value: &Value) -> bool {
        value.get("image-config").is_some() && value.get("layers").is_some()
    }

    /// The document.
    ///
    /// # Errors
    /// Never; the signature is serde's.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        crate::to_go_json_indented(self)
    }

    /// The image as a draft, whose layers are made by nix2container's rules or stored.
    ///
    /// # Errors
    /// If a layer has no content, or a digest that is none.
    pub fn draft(&self) -> Result<Draft, N2cError> {
        let mut config = ImageConfig::new(&self.arch, "linux", Vec::new());
        config.created.clone_from(&self.created);
        config.config = self.config.clone();
        let layers = self.layers.iter().map(draft_layer).collect::<Result<_, _>>()?;
        Ok(Draft { name: None, tag: None, annotations: BTreeMap::new(), config, layers })
    }

    /// What is known of the layers without making them.
    ///
    /// # Errors
    /// If a digest is none.
    pub fn measured(&self) -> Result<Vec<Measured>, N2cError> {
        let measured = |layer: &Layer| {
            let size = u64::try_from(layer.size).unwrap_or(0);
            Ok(Measured { diff_id: digest(&layer.diff_ids)?, size })
        };
        self.layers.iter().map(measured).collect()
    }

    /// A plan as an image.
    ///
    /// # Errors
    /// If the plan says what nix2container has no word for.
    pub fn of_plan(plan: &Plan) -> Result<Self, N2cError> {
        let history: Vec<_> = plan.config.history.iter().filter(|step| !step.empty_layer).collect();
        let layer = |(number, layer): (usize, &crate::plan::PlanLayer)| {
            let mut out = Layer::made(&layer.diff_id, layer.size, Vec::new(), History::default());
            if let Some(step) = history.get(number) {
                out.history = (*step).clone();
            }
            match &layer.source {
                LayerSource::Recipe { recipe, .. } => out.paths = layer_paths(recipe)?,
                LayerSource::Stored(stored) => {
                    out.layer_path = match &stored.member {
                        None => stored.path.clone(),
                        Some(member) if Path::new(&stored.path).is_dir() => {
                            format!("{}/{member}", stored.path)
                        }
                        Some(_) => {
                            let what = format!("a layer inside of `{}`", stored.path);
                            return Err(N2cError::NoWord(what));
                        }
                    };
                    out.digest = stored.digest.to_string();
                    out.size = 0;
                    out.mediatype = stored.media_type.to_string();
                }
            }
            Ok(out)
        };
        let layers = plan.layers.iter().enumerate().map(layer).collect::<Result<_, _>>()?;
        Ok(Self {
            version: 1,
            config: plan.config.config.clone(),
            layers,
            arch: plan.config.architecture.clone(),
            created: plan.config.created.clone().map(go_time),
        })
    }
}

/// The config, with only what Go's structs hold if `is_go`: members of a set are empty objects.
fn run_config(value: Value, is_go: bool) -> Result<RunConfig, serde_json::Error> {
    let mut value = if value.is_null() { Value::Object(serde_json::Map::new()) } else { value };
    if let Value::Object(map) = &mut value {
        let sets = ["ExposedPorts", "Volumes"];
        for (key, value) in map.iter_mut() {
            if !sets.iter().any(|set| set.eq_ignore_ascii_case(key)) {
                continue;
            }
            for member in value.as_object_mut().into_iter().flat_map(|set| set.values_mut()) {
                if member.is_null() || (is_go && member.is_object()) {
                    *member = Value::Object(serde_json::Map::new());
                }
            }
        }
    }
    RunConfig::from_any_case(value)
}

fn digest(text: &str) -> Result<Digest, N2cError> {
    text.parse().map_err(|_| N2cError::Value(text.to_owned()))
}

fn draft_layer(layer: &Layer) -> Result<DraftLayer, N2cError> {
    let history = Some(layer.history.clone());
    if !layer.layer_path.is_empty() {
        let media_type: MediaType =
            layer.mediatype.parse().map_err(|_| N2cError::MediaType(layer.mediatype.clone()))?;
        let (path, digest_of_blob) = (layer.layer_path.clone(), digest(&layer.digest)?);
        let stored = StoredLayer { path, member: None, media_type, digest: digest_of_blob };
        let size = match u64::try_from(layer.size) {
            Ok(size) if size > 0 => size,
            // nix2container does not look at how long a layer of a base image is.
            _ => fs::metadata(&layer.layer_path)
                .map_err(|source| N2cError::Read { path: (&layer.layer_path).into(), source })?
                .len(),
        };
        let measured = Measured { diff_id: digest(&layer.diff_ids)?, size };
        return Ok(DraftLayer { source: DraftSource::Stored { stored, measured }, history });
    }
    if layer.paths.is_empty() {
        return Err(N2cError::NoContent);
    }
    let recipe = LayerRecipe::new(layer.paths.iter().map(PathRecipe::from).collect());
    Ok(DraftLayer::new(recipe, layer.history.clone()))
}

/// A recipe in nix2container's words.
fn layer_paths(recipe: &LayerRecipe) -> Result<Vec<LayerPath>, N2cError> {
    if recipe.dialect != Dialect::N2c1 {
        return Err(N2cError::NoWord("layers as dockerTools writes them".to_owned()));
    }
    if !recipe.entries.is_empty() || !recipe.rules.is_empty() {
        return Err(N2cError::NoWord("made entries and rules for owners".to_owned()));
    }
    recipe.paths.iter().map(LayerPath::try_from).collect()
}

/// Reads what skopeo's `dir:` transport left in a folder. The folder stands in front of the layers' names as
/// it was given. Of the config nothing but the digests of the layers is read, as nix2container does it.
///
/// # Errors
/// If something cannot be read, or is of another kind.
pub fn image_from_dir(folder: &str) -> Result<Image, N2cError> {
    let manifest = read(&format!("{folder}/manifest.json"))?;
    of_base(&manifest, |digest| Ok(format!("{folder}/{}", digest.encoded())))
}

/// The same of a manifest and a map from digests (without their algorithm) to files.
///
/// # Errors
/// If something cannot be read, is of another kind, or is not in the map.
pub fn image_from_manifest(manifest: &[u8], blobs: &[u8]) -> Result<Image, N2cError> {
    let wrong = |source| N2cError::Json { what: "a map of blobs", source };
    let blobs: BTreeMap<String, String> = serde_json::from_slice(blobs).map_err(wrong)?;
    of_base(manifest, |digest| {
        let found = blobs.get(digest.encoded());
        found.cloned().ok_or_else(|| N2cError::Blob(digest.clone()))
    })
}

fn of_base(
    manifest: &[u8],
    place: impl Fn(&Digest) -> Result<String, N2cError>,
) -> Result<Image, N2cError> {
    #[derive(Deserialize)]
    struct Config {
        rootfs: crate::RootFs,
    }
    let wrong = |what| move |source| N2cError::Json { what, source };
    let manifest: Manifest = serde_json::from_slice(manifest).map_err(wrong("a manifest"))?;
    let config = read(&place(&manifest.config.digest)?)?;
    let config: Config = serde_json::from_slice(&config).map_err(wrong("a config"))?;
    let (layers, diff_ids) = (manifest.layers.len(), config.rootfs.diff_ids.len());
    if layers > diff_ids {
        return Err(N2cError::DiffIds { layers, diff_ids });
    }
    let layer = |(layer, diff_id): (&crate::Descriptor, &Digest)| {
        Ok::<_, N2cError>(Layer {
            digest: layer.digest.to_string(),
            size: 0,
            diff_ids: diff_id.to_string(),
            paths: Vec::new(),
            mediatype: media_type(layer.media_type.as_str())?.to_owned(),
            layer_path: place(&layer.digest)?,
            history: History::default(),
        })
    };
    let layers = manifest.layers.iter().zip(&config.rootfs.diff_ids).map(layer);
    let layers = layers.collect::<Result<_, _>>()?;
    Ok(Image {
        version: 1,
        config: RunConfig::default(),
        layers,
        arch: String::new(),
        created: None,
    })
}

/// The name that the specification has for what Docker calls a layer.
fn media_type(name: &str) -> Result<&str, N2cError> {
    Ok(match name {
        "application/vnd.docker.image.rootfs.diff.tar" => "application/vnd.oci.image.layer.v1.tar",
        "application/vnd.docker.image.rootfs.diff.tar.gzip" => {
            "application/vnd.oci.image.layer.v1.tar+gzip"
        }
        "application/vnd.oci.image.layer.v1.tar"
        | "application/vnd.oci.image.layer.v1.tar+gzip"
        | "application/vnd.oci.image.layer.v1.tar+zstd" => name,
        _ => return Err(N2cError::MediaType(name.to_owned())),
    })
}

fn read(path: &str) -> Result<Vec<u8>, N2cError> {
    use std::io::Read as _;
    let wrong = |source| N2cError::Read { path: path.into(), source };
    let mut bytes = Vec::new();
    let limit = ImageConfig::LIMIT as u64;
    fs::File::open(Path::new(path))
        .and_then(|file| file.take(limit + 1).read_to_end(&mut bytes))
        .map_err(wrong)?;
    if bytes.len() as u64 > limit {
        return Err(wrong(std::io::Error::other(format!("it is larger than {limit} bytes"))));
    }
    Ok(bytes)
}
