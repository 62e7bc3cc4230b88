//! From a graph to layers, as `layers-from-reproducible-storepaths` makes them.

use std::num::NonZeroUsize;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::{GoPerm, GoRewrite, Layer, LayerPath, N2cError, Options, folded, null};
use crate::History;
use crate::layer::{LayerError, LayerRecipe, Measured, PathRecipe, StoreRoot};
use crate::plan::{Draft, DraftLayer};
use crate::split::{Graph, Node, popularity};

/// What `--perms` lists.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct PathPerm {
    /// The path it is for.
    #[serde(default)]
    pub path: String,
    /// What it says.
    #[serde(flatten)]
    pub perm: GoPerm,
}

/// What `--rewrites` lists.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct PathRewrite {
    /// The path it is for.
    #[serde(default)]
    pub path: String,
    /// What it says.
    #[serde(flatten)]
    pub rewrite: GoRewrite,
}

/// What layers are made of.
#[derive(Debug, Clone, Default)]
pub struct Job {
    /// The paths, the most popular first.
    pub paths: Vec<String>,
    /// What lower layers have already; left out if it is there with equal options.
    pub parents: Vec<Layer>,
    /// Other names.
    pub rewrites: Vec<PathRewrite>,
    /// Other owners and modes.
    pub perms: Vec<PathPerm>,
    /// One path that is left out.
    pub ignore: String,
    /// How many layers there may be; 0 and less mean any number.
    pub max_layers: i64,
    /// What the config says of each layer.
    pub history: History,
}

fn parse<T: for<'de> Deserialize<'de>>(
    what: &'static str,
    bytes: &[u8],
    fold: impl Fn(Value) -> Value,
) -> Result<T, N2cError> {
    let wrong = |source| N2cError::Json { what, source };
    let value = fold(serde_json::from_slice(bytes).map_err(wrong)?);
    serde_json::from_value(value).map_err(wrong)
}

/// Reads a closure's graph and gives its paths, the most popular first.
///
/// # Errors
/// If it is none, or goes in a circle.
pub fn parse_graph(bytes: &[u8]) -> Result<Vec<String>, N2cError> {
    #[derive(Deserialize)]
    struct GoNode {
        #[serde(default)]
        path: String,
        #[serde(default, deserialize_with = "null")]
        references: Vec<String>,
    }
    let nodes: Option<Vec<GoNode>> = parse("a closure's graph", bytes, folded::nodes)?;
    let node = |GoNode { path, references }| Node { path, size: 0, references };
    let graph = Graph::new(nodes.unwrap_or_default().into_iter().map(node).collect())?;
    let order = popularity::n2c(&graph).into_iter();
    Ok(order.map(|(index, _)| graph.path(index).to_owned()).collect())
}

impl Job {
    /// Reads what `--perms` names.
    ///
    /// # Errors
    /// If it is no list of perms.
    pub fn parse_perms(bytes: &[u8]) -> Result<Vec<PathPerm>, N2cError> {
        let list: Option<Vec<PathPerm>> = parse("a list of perms", bytes, folded::perms)?;
        Ok(list.unwrap_or_default())
    }

    /// Reads what `--rewrites` names.
    ///
    /// # Errors
    /// If it is no list of rewrites.
    pub fn parse_rewrites(bytes: &[u8]) -> Result<Vec<PathRewrite>, N2cError> {
        let list: Option<Vec<PathRewrite>> = parse("a list of rewrites", bytes, folded::rewrites)?;
        Ok(list.unwrap_or_default())
    }

    /// Reads what `--history` names.
    ///
    /// # Errors
    /// If it is no history.
    pub fn parse_history(bytes: &[u8]) -> Result<History, N2cError> {
        let mut history: History = parse("a layer's history", bytes, folded::history)?;
        history.created = history.created.map(super::go_time);
        // What is empty is not written.
        for text in [&mut history.created_by, &mut history.author, &mut history.comment] {
            *text = text.take().filter(|text| !text.is_empty());
        }
        Ok(history)
    }

    /// The paths with their options, in order, without those that are elsewhere.
    fn layer_paths(&self) -> Vec<LayerPath> {
        let parents = || self.parents.iter().flat_map(|layer| &layer.paths);
        let with_options = |path: &String| {
            let perms = self.perms.iter().filter(|perm| perm.path == *path);
            let perms: Vec<GoPerm> = perms.map(|perm| perm.perm.clone()).collect();
            let rewrite = self.rewrites.iter().rfind(|rewrite| rewrite.path == *path);
            let has_options = !perms.is_empty() || rewrite.is_some();
            let rewrite = rewrite.map(|rewrite| rewrite.rewrite.clone()).unwrap_or_default();
            let options = has_options.then_some(Options { rewrite, perms });
            LayerPath { path: path.clone(), options }
        };
        let paths = self.paths.iter().filter(|path| **path != self.ignore).map(with_options);
        paths.filter(|path| !parents().any(|parent| parent == path)).collect()
    }

    /// The paths of each layer, in order.
    pub fn split(&self) -> Vec<Vec<LayerPath>> {
        let mut layers: Vec<Vec<LayerPath>> =
            self.layer_paths().into_iter().map(|path| vec![path]).collect();
        let max = usize::try_from(self.max_layers).unwrap_or(0);
        if max > 0 && layers.len() > max {
            let rest = layers.split_off(max - 1);
            layers.push(rest.concat());
        }
        layers
    }
}

/// Makes the layers to learn what they are.
///
/// # Errors
/// If a path cannot be read.
pub fn made_layers(
    job: &Job,
    root: &StoreRoot,
    jobs: NonZeroUsize,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Vec<Layer>, LayerError> {
    let split = job.split();
    let draft = |paths: &Vec<LayerPath>| {
        let recipe = LayerRecipe::new(paths.iter().map(PathRecipe::from).collect());
        DraftLayer::new(recipe, job.history.clone())
    };
    let draft = Draft {
        name: None,
        tag: None,
        annotations: std::collections::BTreeMap::new(),
        config: crate::ImageConfig::new("", "linux", Vec::new()),
        layers: split.iter().map(draft).collect(),
    };
    let measured = draft.measure(root, jobs, None, progress)?;
    let layer = |(paths, Measured { diff_id, size }): (Vec<LayerPath>, Measured)| {
        Layer::made(&diff_id, size, paths, job.history.clone())
    };
    Ok(split.into_iter().zip(measured).map(layer).collect())
}

impl Job {
    /// The one recipe that the tar of layers which are not reproducible is made by. nix2container puts every
    /// path into each of them, however many layers there are.
    pub fn whole(&self) -> Arc<LayerRecipe> {
        Arc::new(LayerRecipe::new(self.layer_paths().iter().map(PathRecipe::from).collect()))
    }
}
