//! dockerTools' `conf.json`, and the archive that its `stream_layered_image.py` makes of it.
//!
//! Specified by `pkgs/build-support/docker/stream_layered_image.py` of nixpkgs. What the script takes from the
//! machine (what `now` is, and the names of users) is given by the caller.

mod json;
mod stream;
mod time;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use serde::Deserialize;

pub use json::Json;
pub use stream::{Owner, StreamOptions, stream};
pub use time::PythonTime;

use crate::layer::{Dialect, LayerError, LayerRecipe, Measured, PathRecipe, Stamp, StoreRoot};
use crate::plan::{Draft, DraftLayer, DraftSource, StoredLayer};
use crate::{Digest, History, ImageConfig, MediaType, Reference, RunConfig, Timestamp};

/// Larger than any `conf.json`.
const LIMIT: usize = 64 << 20;

/// What dockerTools knows of an image.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Conf {
    /// The processor, as Go names it.
    pub architecture: String,
    /// How a container is run, in the order of its keys.
    #[serde(default)]
    pub config: Json,
    /// Its variant; not used by the script.
    #[serde(default)]
    pub variant: Option<String>,
    /// Where the store is.
    pub store_dir: String,
    /// The archive of a base image.
    pub from_image: Option<String>,
    /// The paths of each layer.
    pub store_layers: Vec<Vec<String>>,
    /// A folder with `layer.tar` and its `checksum`.
    pub customisation_layer: String,
    /// The name with its tag.
    pub repo_tag: String,
    /// When the image was made: ISO 8601, or `now`.
    pub created: String,
    /// When the files were changed.
    pub mtime: String,
    uid: Number,
    gid: Number,
    /// The owner's name.
    pub uname: String,
    /// The group's name.
    pub gname: String,
}

/// A number, or the text of one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
enum Number {
    Number(u32),
    Text(String),
}

/// An image of dockerTools cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ConfError {
    /// Larger than any.
    #[error("conf.json is {0} bytes long but must be at most 67108864")]
    TooLarge(usize),
    /// Not JSON, or of another shape.
    #[error("this is no conf.json of dockerTools")]
    Json(#[source] serde_json::Error),
    /// A time that is none.
    #[error(
        "`{field}` is `{text}`, which is no time like `1970-01-01T00:00:01+00:00`, from 1970 on"
    )]
    Time {
        /// Which field.
        field: &'static str,
        /// What it says.
        text: String,
    },
    /// An owner that is none.
    #[error("`{field}` is `{text}` but must be a number below 4294967296")]
    Owner {
        /// Which field.
        field: &'static str,
        /// What it says.
        text: String,
    },
    /// A path of a layer outside the store.
    #[error("`{path}` is in `store_layers`, but not below `{store_dir}`")]
    OutsideStore {
        /// The path.
        path: String,
        /// Where the store is.
        store_dir: String,
    },
    /// A file of the customisation layer or the base image.
    #[error("cannot read `{}`", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A checksum that is none.
    #[error("`{}` does not hold a SHA-256 in hexadecimal digits", .0.display())]
    Checksum(PathBuf),
    /// A base image that is no archive of Docker's.
    #[error("cannot use the base image `{}`: {what}", .path.display())]
    Base {
        /// The archive.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A name that is none.
    #[error("`repo_tag` is `{text}`, which is no name with a tag")]
    Name {
        /// What it says.
        text: String,
    },
    /// A layer could not be made.
    #[error(transparent)]
    Layer(#[from] LayerError),
    /// A layer waits in a file before its size is known.
    #[error("cannot write to `{}`", .to.display())]
    Spool {
        /// The folder.
        to: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The archive cannot be written.
    #[error("cannot write the archive")]
    Write(#[source] io::Error),
}

impl Conf {
    /// Reads a `conf.json`.
    ///
    /// # Errors
    /// If it is none.
    pub fn parse(bytes: &[u8]) -> Result<Self, ConfError> {
        if bytes.len() > LIMIT {
            return Err(ConfError::TooLarge(bytes.len()));
        }
        serde_json::from_slice(bytes).map_err(ConfError::Json)
    }

    /// Whether a JSON object is a `conf.json`.
    pub fn is_one(value: &serde_json::Value) -> bool {
        ["store_layers", "customisation_layer", "repo_tag"]
            .iter()
            .all(|key| value.get(key).is_some())
    }

    /// Time and owner of every entry. `now` is what `now` means, in seconds since the epoch.
    ///
    /// # Errors
    /// If one of them is none.
    pub fn stamp(&self, now: u64) -> Result<Stamp, ConfError> {
        let owner = |field, number: &Number| match number {
            Number::Number(number) => Ok(*number),
            Number::Text(text) => {
                text.trim().parse().map_err(|_| ConfError::Owner { field, text: text.clone() })
            }
        };
        let wrong = || ConfError::Time { field: "mtime", text: self.mtime.clone() };
        let mtime = PythonTime::parse(&self.mtime, now).ok_or_else(wrong)?;
        Ok(Stamp {
            mtime: mtime.unix().ok_or_else(wrong)?,
            uid: owner("uid", &self.uid)?,
            gid: owner("gid", &self.gid)?,
            uname: self.uname.clone(),
            gname: self.gname.clone(),
        })
    }

    /// When the image was made, as Python writes it.
    ///
    /// # Errors
    /// If that is no time.
    pub fn created(&self, now: u64) -> Result<PythonTime, ConfError> {
        let wrong = || ConfError::Time { field: "created", text: self.created.clone() };
        PythonTime::parse(&self.created, now).ok_or_else(wrong)
    }

    /// How each of the store's layers is made.
    ///
    /// # Errors
    /// If a path is not in the store, or the stamp is none.
    pub fn recipes(&self, now: u64) -> Result<Vec<LayerRecipe>, ConfError> {
        let stamp = self.stamp(now)?;
        let recipe = |paths: &Vec<String>| {
            let outside = paths.iter().find(|path| !path.starts_with(&self.store_dir));
            if let Some(path) = outside {
                let (path, store_dir) = (path.clone(), self.store_dir.clone());
                return Err(ConfError::OutsideStore { path, store_dir });
            }
            let recipe = LayerRecipe::new(paths.iter().map(PathRecipe::new).collect());
            Ok(LayerRecipe { dialect: Dialect::Dockertools1, stamp: stamp.clone(), ..recipe })
        };
        self.store_layers.iter().map(recipe).collect()
    }
}

impl Conf {
    /// The image as a draft: its layers are made by dockerTools' rules; the customisation, and the layers of a
    /// base image, are stored where they are.
    ///
    /// Unlike in the archive, the whole config of a base image counts where this one says nothing, and the
    /// order of keys does not.
    ///
    /// # Errors
    /// If something is not what it should be.
    pub fn draft(&self, root: &StoreRoot, now: u64) -> Result<Draft, ConfError> {
        let created = self.created(now)?;
        let stamp = created.to_string();
        let text = if stamp.ends_with("+00:00") || stamp.len() > 19 { stamp } else { stamp + "Z" };
        let wrong = || ConfError::Time { field: "created", text: self.created.clone() };
        let created: Timestamp = text.parse().map_err(|_| wrong())?;
        let run = RunConfig::from_any_case(match &self.config {
            Json::Null => serde_json::json!({}),
            config => config.to_value(),
        });
        let mut config = ImageConfig::new(&self.architecture, "linux", Vec::new());
        config.created = Some(created.clone());
        config.variant = self.variant.clone().filter(|variant| !variant.is_empty());
        config.config = run.map_err(ConfError::Json)?;
        if let Some(base) = &self.from_image {
            let (path, what) = (base.into(), "it can be streamed, but not converted".to_owned());
            return Err(ConfError::Base { path, what });
        }
        let history = |paths: &[String]| History {
            created: Some(created.clone()),
            comment: Some(format!("store paths: {}", json::repr(paths))),
            ..History::default()
        };
        let recipes = self.recipes(now)?.into_iter().zip(&self.store_layers);
        let mut layers: Vec<DraftLayer> =
            recipes.map(|(recipe, paths)| DraftLayer::new(recipe, history(paths))).collect();
        layers.push(self.customisation(root, history)?);
        let wrong_name = || ConfError::Name { text: self.repo_tag.clone() };
        let reference: Reference = self.repo_tag.parse().map_err(|_| wrong_name())?;
        let tag = reference.tag().map(str::to_owned);
        let name = reference.name().parse().map_err(|_| wrong_name())?;
        Ok(Draft { name: Some(name), tag, annotations: BTreeMap::new(), config, layers })
    }

    fn customisation(
        &self,
        root: &StoreRoot,
        history: impl Fn(&[String]) -> History,
    ) -> Result<DraftLayer, ConfError> {
        let folder = root.path().join(self.customisation_layer.trim_start_matches('/'));
        let (tar, checksum) = (folder.join("layer.tar"), folder.join("checksum"));
        let read = |path: &PathBuf| {
            let path = path.clone();
            move |source| ConfError::Read { path, source }
        };
        let size = fs_err::metadata(&tar).map_err(read(&tar))?.len();
        let mut text = String::new();
        let file = fs_err::File::open(&checksum).map_err(read(&checksum))?;
        io::Read::read_to_string(&mut io::Read::take(file, 1024), &mut text)
            .map_err(read(&checksum))?;
        let digest: Digest = format!("sha256:{}", text.trim())
            .parse()
            .map_err(|_| ConfError::Checksum(checksum.clone()))?;
        let stored = StoredLayer {
            path: tar.to_string_lossy().into_owned(),
            member: None,
            media_type: MediaType::OCI_LAYER,
            digest: digest.clone(),
        };
        let measured = Measured { diff_id: digest, size };
        let history = Some(history(std::slice::from_ref(&self.customisation_layer)));
        Ok(DraftLayer { source: DraftSource::Stored { stored, measured }, history })
    }
}

#[cfg(test)]
mod tests;
