//! Splitting: which store paths share a layer. Every way is a function of the graph alone.
//!
//! - [`auto`]: ours: what a push after a change is predicted to send decides;
//! - [`auto_layer`]: what dockerTools does today (large paths with what only they use);
//! - [`popularity`]: what nix2container and older dockerTools do, each by its own formula;
//! - [`pipeline`]: the language of dockerTools' `layeringPipeline`;
//! - [`volatility`]: contiguous cuts of the paths in the order in which they change.
//!
//! A layer is a list of indices into the graph. Circles are refused when the graph is made.

pub mod auto;
pub mod auto_layer;
pub mod pipeline;
pub mod popularity;
pub mod volatility;

use std::collections::HashMap;

/// Layers, the one that changes least often first, each a list of indices into the graph.
pub type Layers = Vec<Vec<usize>>;

/// A path with its size and what it refers to, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Node {
    /// The path.
    pub path: String,
    /// Its size in bytes, 0 if unknown.
    pub size: u64,
    /// The paths it refers to; itself may be among them.
    pub references: Vec<String>,
}

/// Paths that refer to each other, without circles.
///
/// ```
/// use oci::split::{Graph, Node};
/// let node = |path: &str, references: &[&str]| Node {
///     path: path.to_owned(),
///     size: 1,
///     references: references.iter().map(ToString::to_string).collect(),
/// };
/// let graph = Graph::new(vec![node("app", &["lib"]), node("lib", &["lib"])])?;
/// assert_eq!(graph.roots(), [0]);
/// assert_eq!(graph.references(0), [1]);
/// # Ok::<(), oci::split::GraphError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Graph {
    paths: Vec<String>,
    sizes: Vec<u64>,
    references: Vec<Vec<usize>>,
    /// References first.
    topological: Vec<usize>,
}

/// Paths are no graph that can be split.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// Paths that refer to each other in a circle.
    #[error("these paths refer to each other in a circle: {}", .0.join(" -> "))]
    Circle(Vec<String>),
}

impl Graph {
    /// Makes a graph. A path is numbered where it is first mentioned, as a node or as a reference; one that
    /// is only referred to has no size. What is said of a path twice is added up, self-references are left out.
    ///
    /// # Errors
    /// [`GraphError::Circle`].
    pub fn new(nodes: Vec<Node>) -> Result<Self, GraphError> {
        let mut graph = Self::default();
        let mut numbers: HashMap<String, usize> = HashMap::with_capacity(nodes.len());
        let mut number = |graph: &mut Self, path: String| {
            *numbers.entry(path).or_insert_with_key(|path| {
                graph.paths.push(path.clone());
                graph.sizes.push(0);
                graph.references.push(Vec::new());
                graph.paths.len() - 1
            })
        };
        for node in nodes {
            let from = number(&mut graph, node.path);
            graph.sizes[from] = graph.sizes[from].max(node.size);
            for reference in node.references {
                let to = number(&mut graph, reference);
                if from != to {
                    graph.references[from].push(to);
                }
            }
        }
        let mut seen = vec![usize::MAX; graph.len()];
        for (from, references) in graph.references.iter_mut().enumerate() {
            references.retain(|to| std::mem::replace(&mut seen[*to], from) != from);
        }
        graph.sort()?;
        Ok(graph)
    }

    /// The number of paths.
    pub fn len(&self) -> usize {
        self.paths.len()
    }

    /// Whether there is no path.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// A path's name.
    pub fn path(&self, index: usize) -> &str {
        &self.paths[index]
    }

    /// A path's size.
    pub fn size(&self, index: usize) -> u64 {
        self.sizes[index]
    }

    /// What a path refers to, itself left out.
    pub fn references(&self, index: usize) -> &[usize] {
        &self.references[index]
    }

    /// What refers to each path, itself left out.
    pub fn users(&self) -> Vec<Vec<usize>> {
        let mut users = vec![Vec::new(); self.len()];
        for (from, references) in self.references.iter().enumerate() {
            for to in references {
                users[*to].push(from);
            }
        }
        users
    }

    /// The paths that nothing refers to.
    pub fn roots(&self) -> Vec<usize> {
        let mut is_used = vec![false; self.len()];
        self.references.iter().flatten().for_each(|to| is_used[*to] = true);
        (0..self.len()).filter(|index| !is_used[*index]).collect()
    }

    /// The paths, each behind all it refers to.
    pub fn topological(&self) -> &[usize] {
        &self.topological
    }

    /// The graph without some of its paths; with the old number of each new one.
    pub fn without(&self, is_left_out: &[bool]) -> (Self, Vec<usize>) {
        let old: Vec<usize> = (0..self.len()).filter(|index| !is_left_out[*index]).collect();
        let mut new = vec![usize::MAX; self.len()];
        old.iter().enumerate().for_each(|(at, index)| new[*index] = at);
        let renumber = |list: &[usize]| {
            list.iter().map(|index| new[*index]).filter(|at| *at != usize::MAX).collect()
        };
        let graph = Self {
            paths: old.iter().map(|index| self.paths[*index].clone()).collect(),
            sizes: old.iter().map(|index| self.sizes[*index]).collect(),
            references: old.iter().map(|index| renumber(&self.references[*index])).collect(),
            topological: renumber(&self.topological),
        };
        (graph, old)
    }

    fn sort(&mut self) -> Result<(), GraphError> {
        let users = self.users();
        let mut waiting: Vec<usize> = self.references.iter().map(Vec::len).collect();
        let mut order: Vec<usize> = (0..self.len()).filter(|index| waiting[*index] == 0).collect();
        let mut at = 0;
        while at < order.len() {
            for user in &users[order[at]] {
                waiting[*user] -= 1;
                if waiting[*user] == 0 {
                    order.push(*user);
                }
            }
            at += 1;
        }
        if order.len() < self.len() {
            return Err(GraphError::Circle(self.circle(&waiting)));
        }
        self.topological = order;
        Ok(())
    }

    /// One circle among the paths that still wait: each of them refers to another one, so a walk comes back.
    fn circle(&self, waiting: &[usize]) -> Vec<String> {
        let next =
            |index: usize| self.references[index].iter().copied().find(|to| waiting[*to] > 0);
        let mut walk = Vec::new();
        let mut here = waiting.iter().position(|count| *count > 0);
        while let Some(index) = here {
            if let Some(start) = walk.iter().position(|seen| *seen == index) {
                walk.push(index);
                return walk[start..].iter().map(|index| self.paths[*index].clone()).collect();
            }
            walk.push(index);
            here = next(index);
        }
        Vec::new()
    }
}

/// Whether each of so many paths is among those.
fn flags(length: usize, among: &[usize]) -> Vec<bool> {
    let mut flags = vec![false; length];
    for index in among {
        flags[*index] = true;
    }
    flags
}

/// Name first, hash behind it, so that a path keeps its place when only its hash changes.
fn name_first(path: &str) -> (&str, &str) {
    path.split_once('-').map_or((path, ""), |(hash, name)| (name, hash))
}

/// A set of indices.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Bits(Vec<u64>);

impl Bits {
    fn new(length: usize) -> Self {
        Self(vec![0; length.div_ceil(64)])
    }

    fn of(length: usize, among: &[usize]) -> Self {
        let mut bits = Self::new(length);
        for index in among {
            bits.insert(*index);
        }
        bits
    }

    fn insert(&mut self, index: usize) {
        self.0[index / 64] |= 1 << (index % 64);
    }

    fn contains(&self, index: usize) -> bool {
        self.0[index / 64] >> (index % 64) & 1 == 1
    }

    fn join(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word |= other);
    }

    /// Joins another set and adds up what is new in it.
    fn join_counting(&mut self, other: &Self, weights: &[u32]) -> u64 {
        let mut sum = 0;
        for (at, (word, other)) in self.0.iter_mut().zip(&other.0).enumerate() {
            let mut new = *other & !*word;
            *word |= other;
            while new != 0 {
                sum += u64::from(weights[at * 64 + new.trailing_zeros() as usize]);
                new &= new - 1;
            }
        }
        sum
    }

    fn iter(&self) -> impl Iterator<Item = usize> {
        self.0.iter().enumerate().flat_map(|(at, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                (left != 0).then(|| {
                    let bit = left.trailing_zeros() as usize;
                    left &= left - 1;
                    at * 64 + bit
                })
            })
        })
    }
}

#[cfg(test)]
mod tests;
