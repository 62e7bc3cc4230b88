//! Layers by popularity: what many paths lead to comes first and alone, the rest shares the last layer.
//!
//! nix2container and dockerTools count differently, so they order differently; each is kept as it is, so
//! that a team that switches moves no digest.

use std::cmp::{Ordering, Reverse};

use super::{Bits, Graph, Layers, flags};

/// nix2container's order, with its scores: for each path the number of walks along references that end in
/// it, the empty one included; among equals the one that was mentioned last. Counts wrap at 64 bits, as
/// they do there.
///
/// Specified by `closure/popularity.go` of <https://github.com/nlewo/nix2container>.
pub fn n2c(graph: &Graph) -> Vec<(usize, i64)> {
    let mut walks = vec![1_i64; graph.len()];
    for &from in graph.topological().iter().rev() {
        for &to in graph.references(from) {
            walks[to] = walks[to].wrapping_add(walks[from]);
        }
    }
    let mut order: Vec<(usize, i64)> = walks.into_iter().enumerate().collect();
    order.sort_unstable_by_key(|(index, walks)| Reverse((*walks, *index)));
    order
}

/// dockerTools' order: for each path the number of walks from a root to it and to each path that leads to
/// it; among equals by the package's name.
///
/// Specified by `popularity_contest.py` of nixpkgs' flatten-references-graph, which merges the counters of
/// what a path refers to and adds one to each on every level: that is the same number.
pub fn dockertools(graph: &Graph) -> Vec<usize> {
    let nodes: Vec<usize> = (0..graph.len()).collect();
    dockertools_among(graph, &nodes, |index| graph.references(index))
}

/// The same among some of the paths, with `references` in the place of the graph's own.
pub(super) fn dockertools_among<'g>(
    graph: &Graph,
    nodes: &[usize],
    references: impl Fn(usize) -> &'g [usize],
) -> Vec<usize> {
    let is_there = flags(graph.len(), nodes);
    let inside = |from: usize| references(from).iter().copied().filter(|to| is_there[*to]);
    let mut walks = vec![Number::default(); graph.len()];
    let mut ancestors = vec![Bits::new(0); graph.len()];
    let mut is_used = vec![false; graph.len()];
    for to in nodes.iter().flat_map(|from| inside(*from)) {
        is_used[to] = true;
    }
    for &index in nodes {
        ancestors[index] = Bits::new(graph.len());
        ancestors[index].insert(index);
        walks[index] = if is_used[index] { Number::default() } else { Number::one() };
    }
    for &from in graph.topological().iter().rev().filter(|index| is_there[**index]) {
        for to in inside(from) {
            let (walks_from, ancestors_from) = (walks[from].clone(), ancestors[from].clone());
            walks[to].add(&walks_from);
            ancestors[to].join(&ancestors_from);
        }
    }
    let score = |index: usize| {
        let mut sum = Number::default();
        ancestors[index].iter().for_each(|ancestor| sum.add(&walks[ancestor]));
        sum
    };
    let mut order: Vec<(Number, usize)> =
        nodes.iter().map(|&index| (score(index), index)).collect();
    let name = |index: usize| package_name(graph.path(index));
    order.sort_by(|(a, one), (b, two)| b.cmp(a).then_with(|| name(*one).cmp(&name(*two))));
    order.into_iter().map(|(_, index)| index).collect()
}

/// The path with what stands before its first dash moved behind everything.
fn package_name(path: &str) -> String {
    path.split_once('-').map_or_else(|| path.to_owned(), |(hash, name)| format!("{name}-{hash}"))
}

/// Paths in their order as layers: the first `max - 1` alone, the rest in one; all alone if `max` is 0.
pub fn layers(order: impl IntoIterator<Item = usize>, max: usize) -> Layers {
    let mut layers: Layers = order.into_iter().map(|index| vec![index]).collect();
    if max > 0 && layers.len() > max {
        let rest = layers.split_off(max - 1);
        layers.push(rest.concat());
    }
    layers
}

/// A number without a limit: walks double with every diamond, and ties must be ties.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Number(Vec<u64>);

impl Number {
    fn one() -> Self {
        Self(vec![1])
    }

    fn add(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        let mut carry = false;
        for (at, digit) in self.0.iter_mut().enumerate() {
            let Some(add) = other.0.get(at).copied().or_else(|| carry.then_some(0)) else { return };
            let (sum, one) = digit.overflowing_add(add);
            let (sum, two) = sum.overflowing_add(u64::from(carry));
            (*digit, carry) = (sum, one || two);
        }
        if carry {
            self.0.push(1);
        }
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        // No leading zeros, so the longer one is the larger one.
        let length = self.0.len().cmp(&other.0.len());
        length.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
