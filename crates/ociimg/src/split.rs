//! How paths become layers: the choices of the command line, put to [`oci::split`].

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use globset::{Glob, GlobMatcher};
use oci::layer::{Dialect, LayerRecipe, PathRecipe};
use oci::split::auto::auto;
use oci::split::auto_layer::auto_layer;
use oci::split::pipeline::{Pipeline, PipelineError};
use oci::split::volatility::Rates;
use oci::split::{Graph, GraphError, Layers, Node, popularity};

use crate::args::{LayerArgs, Layering};
use crate::input::{Inputs, StoreInput, read_limited};

/// Larger than any list of layers.
const FILE_LIMIT: u64 = 64 << 20;

/// Paths could not be split into layers.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SplitError {
    /// A file that was named on the command line.
    #[error("cannot read `{}`", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A file that is not what it should be.
    #[error("`{}` is not {what}", .path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What it should be.
        what: &'static str,
        /// Why it is not.
        source: serde_json::Error,
    },
    /// A rate that is none.
    #[error("`{}` gives `{pattern}` the rate {rate}, which must be at most {}", .path.display(), Rates::PUSHES)]
    Rate {
        /// The file.
        path: PathBuf,
        /// Of which paths.
        pattern: String,
        /// The rate.
        rate: u64,
    },
    /// A pipeline that is none, or does not fit.
    #[error("cannot run the pipeline `{}`", .path.display())]
    Pipeline {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: PipelineError,
    },
    /// A pattern that is none.
    #[error("cannot read the pattern `{pattern}`")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// Why not.
        source: globset::Error,
    },
    /// A pattern that no path matches.
    #[error("`{0}` matches no store path of the image")]
    Unused(String),
    /// A file of layers with a path that is not in the image.
    #[error("`{}` puts `{store_path}` into a layer, which is not in the image", .path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
        /// The store path.
        store_path: String,
    },
    /// A file of layers with a path twice.
    #[error("`{}` has `{store_path}` in two places", .path.display())]
    Twice {
        /// The file.
        path: PathBuf,
        /// The store path.
        store_path: String,
    },
    /// More layers than asked for.
    #[error("that makes {found} layers, but there may be {max}")]
    TooMany {
        /// How many there would be.
        found: usize,
        /// How many there may be.
        max: usize,
    },
    /// The paths are no graph.
    #[error("the closure cannot be split")]
    Graph(#[from] GraphError),
}

impl SplitError {
    /// What to do next.
    pub(crate) fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Form { what, .. } if what.contains("layers") => {
                "it must be like `[[\"/nix/store/…\"], [\"/nix/store/…\"]]`"
            }
            Self::Form { .. } => {
                "it must be like `{\"openssl-*\": 20}`, in changes per 1000 pushes"
            }
            Self::Unused(_) => {
                "a pattern without a slash is for the name behind the hash, as in `glibc-*`"
            }
            Self::TooMany { .. } => "raise `--max-layers`, up to 127, or have fewer pins",
            Self::Unknown { .. } => "make the list from the same closure",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

/// Splits the inputs into layers, the one that changes most often last. No layer is empty, and a path is in
/// one of them.
pub(crate) fn split(
    inputs: Inputs,
    args: &LayerArgs,
    cwd: &Path,
) -> Result<Vec<LayerRecipe>, SplitError> {
    let max = args.max_layers();
    let Inputs { mut store, mut plain, name: _ } = inputs;
    exclude(&mut store, &args.exclude)?;
    // What lands elsewhere has no counterpart in dockerTools' store layers.
    if args.dialect() == Dialect::Dockertools1 {
        let (elsewhere, own): (Vec<_>, Vec<_>) =
            store.into_iter().partition(|input| input.recipe.to.is_some());
        store = own;
        plain = recipes(elsewhere).chain(plain).collect();
    }
    let pinned = pinned(&store, &args.pin)?;
    let is_apart =
        args.dialect() == Dialect::Dockertools1 || store.iter().all(|path| !path.is_root);
    let own_plain = !plain.is_empty() && (is_apart || matches!(args.layers(), Layering::PerPath));
    let taken = pinned.len() + usize::from(own_plain);
    let room = max.checked_sub(taken).filter(|room| *room > 0 || store.is_empty());
    let room = room.ok_or(SplitError::TooMany { found: taken + 1, max })?;
    let is_pinned: HashSet<usize> = pinned.iter().flatten().copied().collect();
    let free: Vec<usize> = (0..store.len()).filter(|index| !is_pinned.contains(index)).collect();
    let rest = rest(&store, &free, args, room, cwd)?;
    let found = rest.len() + taken;
    if found > max {
        return Err(SplitError::TooMany { found, max });
    }
    Ok(recipes_of(store, plain, pinned.into_iter().chain(rest), args.dialect(), own_plain))
}

/// The layers of the paths that are not pinned, by their index in `store`.
fn rest(
    store: &[StoreInput],
    free: &[usize],
    args: &LayerArgs,
    max: usize,
    cwd: &Path,
) -> Result<Layers, SplitError> {
    if free.is_empty() {
        return Ok(Layers::new());
    }
    let graph = graph(store, free)?;
    let roots: Vec<usize> = (0..free.len()).filter(|at| store[free[*at]].is_root).collect();
    let mut layers = match args.layers() {
        Layering::Auto => auto(&graph, &roots, &rates(&graph, &roots, args, cwd)?, max),
        Layering::Single => vec![(0..free.len()).collect()],
        Layering::RootsLast if max == 1 => vec![(0..free.len()).collect()],
        Layering::RootsLast => {
            let is_root = |at: &usize| roots.contains(at);
            let (roots, others) = (0..free.len()).partition::<Vec<usize>, _>(is_root);
            vec![others, roots]
        }
        Layering::PerPath => per_path(&graph, &roots, max),
        Layering::AutoLayer => auto_layer(&graph, max),
        Layering::PopularityN2c => {
            popularity::layers(popularity::n2c(&graph).into_iter().map(|(index, _)| index), max)
        }
        Layering::PopularityDockertools => popularity::layers(popularity::dockertools(&graph), max),
        Layering::Pipeline(file) => {
            let wrong = |source| SplitError::Pipeline { path: file.clone(), source };
            let pipeline = Pipeline::parse(&read(cwd, file)?).map_err(wrong)?;
            once(&graph, pipeline.run(&graph).map_err(wrong)?)
        }
        Layering::File(file) => listed(&graph, file, &read(cwd, file)?)?,
    };
    layers.retain(|layer| !layer.is_empty());
    for index in layers.iter_mut().flatten() {
        *index = free[*index];
    }
    Ok(layers)
}

fn graph(store: &[StoreInput], free: &[usize]) -> Result<Graph, SplitError> {
    let there: HashSet<&str> = free.iter().map(|at| store[*at].recipe.path.as_str()).collect();
    let node = |at: &usize| {
        let StoreInput { recipe, nar_size, references, .. } = &store[*at];
        let references = references.iter().filter(|path| there.contains(path.as_str()));
        let references = references.cloned().collect();
        Node { path: recipe.path.clone(), size: *nar_size, references }
    };
    // Every path is mentioned as a node first, so that its number is its place.
    let bare = |at: &usize| Node { path: store[*at].recipe.path.clone(), ..Node::default() };
    Ok(Graph::new(free.iter().map(bare).chain(free.iter().map(node)).collect())?)
}

/// Takes each path where it is first; what is nowhere shares one more layer at the end.
fn once(graph: &Graph, mut layers: Layers) -> Layers {
    let mut seen = vec![false; graph.len()];
    for layer in &mut layers {
        layer.retain(|index| !std::mem::replace(&mut seen[*index], true));
    }
    layers.push((0..graph.len()).filter(|index| !seen[*index]).collect());
    layers
}

/// The layers that a file lists.
fn listed(graph: &Graph, file: &Path, bytes: &[u8]) -> Result<Layers, SplitError> {
    let path = || file.to_owned();
    let what = "a JSON list of layers, each a list of store paths";
    let lists: Vec<Vec<String>> = serde_json::from_slice(bytes)
        .map_err(|source| SplitError::Form { path: path(), what, source })?;
    let numbers: HashMap<&str, usize> =
        (0..graph.len()).map(|index| (graph.path(index), index)).collect();
    let mut seen = HashSet::new();
    let mut layers = Layers::new();
    for list in lists {
        let mut layer = Vec::new();
        for store_path in list {
            let Some(&index) = numbers.get(store_path.as_str()) else {
                return Err(SplitError::Unknown { path: path(), store_path });
            };
            if !seen.insert(index) {
                return Err(SplitError::Twice { path: path(), store_path });
            }
            layer.push(index);
        }
        layers.push(layer);
    }
    Ok(once(graph, layers))
}

/// Each path alone, in the order given; where there are more than `max`, the smallest share the first layer.
fn per_path(graph: &Graph, roots: &[usize], max: usize) -> Layers {
    let mut alone: Vec<usize> = (0..graph.len()).collect();
    if alone.len() > max {
        // Largest first, ties by the order given; named paths count as largest, since they change most.
        alone.sort_by_key(|at| (!roots.contains(at), u64::MAX - graph.size(*at), *at));
        alone.truncate(max - 1);
        alone.sort_unstable();
    }
    let is_alone: HashSet<usize> = alone.iter().copied().collect();
    let shared = (0..graph.len()).filter(|at| !is_alone.contains(at)).collect();
    std::iter::once(shared).chain(alone.into_iter().map(|at| vec![at])).collect()
}

/// The rates that a file knows, on top of those that are assumed.
fn rates(
    graph: &Graph,
    roots: &[usize],
    args: &LayerArgs,
    cwd: &Path,
) -> Result<Rates, SplitError> {
    let mut rates = Rates::of_roots(graph.len(), roots);
    let Some(file) = &args.rates else { return Ok(rates) };
    let what = "a JSON object of patterns and rates";
    let known: std::collections::BTreeMap<String, u64> = serde_json::from_slice(&read(cwd, file)?)
        .map_err(|source| SplitError::Form { path: file.clone(), what, source })?;
    let mut found: Vec<Option<u32>> = vec![None; graph.len()];
    for (pattern, rate) in known {
        let Some(rate) = u32::try_from(rate).ok().filter(|rate| *rate <= Rates::PUSHES) else {
            return Err(SplitError::Rate { path: file.clone(), pattern, rate });
        };
        let pattern = Pattern::parse(&pattern)?;
        for (index, found) in found.iter_mut().enumerate() {
            if pattern.matches(graph.path(index)) {
                // Of several patterns the one that says more.
                *found = Some(found.map_or(rate, |known| known.max(rate)));
            }
        }
    }
    for (index, rate) in found.into_iter().enumerate() {
        if let Some(rate) = rate {
            rates.set(index, rate);
        }
    }
    Ok(rates)
}

/// The groups that share a layer, by their index in `store`. A path is in the first group that wants it.
fn pinned(store: &[StoreInput], pins: &[String]) -> Result<Layers, SplitError> {
    let mut seen = vec![false; store.len()];
    let mut groups = Layers::new();
    for pin in pins {
        let patterns: Vec<Pattern> =
            pin.split(',').map(Pattern::parse).collect::<Result<_, _>>()?;
        let mut used = vec![false; patterns.len()];
        let mut group = Vec::new();
        for (index, input) in store.iter().enumerate() {
            let Some(at) = patterns.iter().position(|one| one.matches(&input.recipe.path)) else {
                continue;
            };
            used[at] = true;
            if !std::mem::replace(&mut seen[index], true) {
                group.push(index);
            }
        }
        if !used.contains(&true) {
            return Err(SplitError::Unused(pin.clone()));
        }
        if !group.is_empty() {
            groups.push(group);
        }
    }
    Ok(groups)
}

fn exclude(store: &mut Vec<StoreInput>, patterns: &[String]) -> Result<(), SplitError> {
    for text in patterns {
        let (pattern, before) = (Pattern::parse(text)?, store.len());
        store.retain(|input| !pattern.matches(&input.recipe.path));
        if store.len() == before {
            return Err(SplitError::Unused(text.clone()));
        }
    }
    Ok(())
}

/// A pattern for store paths: with a slash for all of it, else for the name behind the hash.
struct Pattern {
    glob: GlobMatcher,
    is_whole: bool,
}

impl Pattern {
    fn parse(text: &str) -> Result<Self, SplitError> {
        let wrong = |source| SplitError::Pattern { pattern: text.to_owned(), source };
        let glob = Glob::new(text).map_err(wrong)?.compile_matcher();
        Ok(Self { glob, is_whole: text.contains('/') })
    }

    fn matches(&self, path: &str) -> bool {
        if self.is_whole {
            return self.glob.is_match(path);
        }
        let base = path.rsplit_once('/').map_or(path, |(_, base)| base);
        self.glob.is_match(base.split_once('-').map_or(base, |(_, name)| name))
    }
}

fn recipes_of(
    store: Vec<StoreInput>,
    plain: Vec<PathRecipe>,
    layers: impl Iterator<Item = Vec<usize>>,
    dialect: Dialect,
    own_plain: bool,
) -> Vec<LayerRecipe> {
    let mut store: Vec<Option<PathRecipe>> =
        store.into_iter().map(|input| Some(input.recipe)).collect();
    let mut out: Vec<LayerRecipe> = layers
        .map(|layer| layer.into_iter().filter_map(|index| store[index].take()).collect())
        .map(|paths| LayerRecipe { dialect, ..LayerRecipe::new(paths) })
        .collect();
    match out.last_mut() {
        Some(last) if !own_plain => last.paths.extend(plain),
        _ if plain.is_empty() => {}
        _ => out.push(LayerRecipe::new(plain)),
    }
    out
}

fn recipes(inputs: Vec<StoreInput>) -> impl Iterator<Item = PathRecipe> {
    inputs.into_iter().map(|input| input.recipe)
}

fn read(cwd: &Path, file: &Path) -> Result<Vec<u8>, SplitError> {
    read_limited(&cwd.join(file), FILE_LIMIT)
        .map_err(|source| SplitError::Read { path: file.to_owned(), source })
}
