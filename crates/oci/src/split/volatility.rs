//! Contiguous cuts: paths in the order in which they change, cut into layers so that a push is expected to
//! send the fewest bytes.
//!
//! A path changes when it or anything below it does, so it changes at least as often as what it refers to.
//! A layer is sent when any of its paths changed: what it costs is its size times the rate at which
//! anything in the closure of its paths changes. All numbers are integers.

use super::{Bits, Graph, Layers, flags, name_first};

/// How often paths change of their own, in changes per [`Rates::PUSHES`] pushes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rates(Vec<u32>);

impl Rates {
    /// What rates are counted in.
    pub const PUSHES: u32 = 1000;
    /// What is built anew for most pushes.
    pub const ROOT: u32 = 900;
    /// Anything else.
    pub const OTHER: u32 = 2;

    /// The rates of a graph of which nothing is known but what is a root.
    pub fn of_roots(length: usize, roots: &[usize]) -> Self {
        let rate = |is_root| if is_root { Self::ROOT } else { Self::OTHER };
        Self(flags(length, roots).into_iter().map(rate).collect())
    }

    /// Sets the rate of one path.
    pub fn set(&mut self, index: usize, rate: u32) {
        self.0[index] = rate.min(Self::PUSHES);
    }

    /// The rate of one path.
    pub fn get(&self, index: usize) -> u32 {
        self.0[index]
    }

    /// The rates of those paths alone.
    pub(super) fn among(&self, old: &[usize]) -> Self {
        Self(old.iter().map(|index| self.0[*index]).collect())
    }

    /// The rate at which anything of a set changes.
    fn of(&self, set: &Bits) -> u64 {
        let sum: u64 = set.iter().map(|index| u64::from(self.0[index])).sum();
        sum.min(u64::from(Self::PUSHES))
    }
}

/// What a graph is cut by: closures and rates.
#[derive(Debug)]
pub struct Forecast<'g> {
    graph: &'g Graph,
    rates: &'g Rates,
    closures: Vec<Bits>,
}

impl<'g> Forecast<'g> {
    /// Looks at every closure once.
    pub fn new(graph: &'g Graph, rates: &'g Rates) -> Self {
        let mut closures: Vec<Bits> = vec![Bits::new(0); graph.len()];
        for &index in graph.topological() {
            let mut closure = Bits::new(graph.len());
            closure.insert(index);
            graph.references(index).iter().for_each(|to| closure.join(&closures[*to]));
            closures[index] = closure;
        }
        Self { graph, rates, closures }
    }

    /// The bytes that [`Rates::PUSHES`] pushes are expected to send.
    pub fn cost(&self, layers: &[Vec<usize>]) -> u128 {
        layers.iter().map(|layer| self.layer_cost(layer)).sum()
    }

    fn layer_cost(&self, layer: &[usize]) -> u128 {
        let mut changes = Bits::new(self.graph.len());
        for index in layer {
            changes.join(&self.closures[*index]);
        }
        let size: u128 = layer.iter().map(|index| u128::from(self.graph.size(*index))).sum();
        size * u128::from(self.rates.of(&changes))
    }

    /// The paths, those that change least often first; among equals by name.
    pub fn order(&self) -> Vec<usize> {
        let mut order: Vec<(u64, usize)> = (0..self.graph.len())
            .map(|index| (self.rates.of(&self.closures[index]), index))
            .collect();
        order.sort_by(|(a, one), (b, two)| {
            let name = |index: &usize| name_first(self.graph.path(*index));
            a.cmp(b).then_with(|| name(one).cmp(&name(two)))
        });
        order.into_iter().map(|(_, index)| index).collect()
    }
}

/// Above this many paths, neighbours are looked at together.
const ATOMS: usize = 512;

impl Forecast<'_> {
    /// The contiguous cut of [`Forecast::order`] into at most `max` layers that is expected to send the
    /// fewest bytes; of equal ones, the one that cuts earlier.
    ///
    /// Above 512 paths, runs of small ones are kept together, so the cut is the best among fewer.
    pub fn best_cut(&self, max: usize) -> Layers {
        let atoms = self.atoms();
        let ends = cut(&self.segments(&atoms), max.max(1));
        let mut layers = Layers::new();
        let mut start = 0;
        for end in ends {
            layers.push(atoms[start..end].concat());
            start = end;
        }
        layers
    }

    /// The paths in order, small neighbours together where there are too many. What is small is a power of
    /// two, so that a path more or less does not move every border.
    fn atoms(&self) -> Vec<Vec<usize>> {
        let order = self.order();
        if order.len() <= ATOMS {
            return order.into_iter().map(|index| vec![index]).collect();
        }
        let total: u128 = order.iter().map(|index| u128::from(self.graph.size(*index))).sum();
        let small = (total / (ATOMS as u128 / 2)).checked_ilog2().map_or(0, |bits| 1_u128 << bits);
        let count = order.len() / ATOMS * 2;
        let mut atoms: Vec<Vec<usize>> = Vec::new();
        let mut size = 0;
        for index in order {
            size += u128::from(self.graph.size(index));
            match atoms.last_mut() {
                Some(atom) if size <= small && (small > 0 || atom.len() < count) => {
                    atom.push(index);
                }
                _ => {
                    size = u128::from(self.graph.size(index));
                    atoms.push(vec![index]);
                }
            }
        }
        atoms
    }

    /// What a layer of the atoms `start..=end` costs, for every start and end.
    fn segments(&self, atoms: &[Vec<usize>]) -> Vec<Vec<u128>> {
        let pushes = u64::from(Rates::PUSHES);
        let mut costs = Vec::with_capacity(atoms.len());
        for start in 0..atoms.len() {
            let mut changes = Bits::new(self.graph.len());
            let (mut size, mut rate) = (0_u128, 0_u64);
            let row = atoms[start..].iter().map(|atom| {
                for &index in atom {
                    size += u128::from(self.graph.size(index));
                    rate += changes.join_counting(&self.closures[index], &self.rates.0);
                }
                size * u128::from(rate.min(pushes))
            });
            costs.push(row.collect());
        }
        costs
    }
}

/// The ends of the cheapest cut into at most `max` parts; `costs[start][end - start]` is what one costs.
fn cut(costs: &[Vec<u128>], max: usize) -> Vec<usize> {
    let length = costs.len();
    // best[end]: the cheapest cut of what is before `end` into the parts so far.
    let mut best: Vec<Option<u128>> = vec![None; length + 1];
    best[0] = Some(0);
    let mut rounds: Vec<Vec<usize>> = Vec::new();
    let mut cheapest: Option<(u128, usize)> = (length == 0).then_some((0, 0));
    for round in 0..max.min(length) {
        let mut next = vec![None; length + 1];
        let mut from = vec![0; length + 1];
        for (start, so_far) in best.iter().enumerate().take(length) {
            let Some(so_far) = so_far else { continue };
            for (offset, cost) in costs[start].iter().enumerate() {
                let (end, total) = (start + offset + 1, so_far + cost);
                if next[end].is_none_or(|known| total < known) {
                    (next[end], from[end]) = (Some(total), start);
                }
            }
        }
        rounds.push(from);
        best = next;
        if let Some(total) = best[length]
            && cheapest.is_none_or(|(known, _)| total < known)
        {
            cheapest = Some((total, round + 1));
        }
    }
    let mut ends = Vec::new();
    let mut end = length;
    for round in (0..cheapest.map_or(0, |(_, rounds)| rounds)).rev() {
        ends.push(end);
        end = rounds[round][end];
    }
    ends.reverse();
    ends
}

impl Forecast<'_> {
    /// Puts layers together, each time the two that it costs least to, until there are at most `max`. The
    /// lower one takes the other's paths in.
    pub fn merge(&self, mut layers: Layers, max: usize) -> Layers {
        struct Known {
            changes: Bits,
            size: u128,
        }
        let known = |layer: &Vec<usize>| {
            let mut changes = Bits::new(self.graph.len());
            for index in layer {
                changes.join(&self.closures[*index]);
            }
            let size = layer.iter().map(|index| u128::from(self.graph.size(*index))).sum();
            Known { changes, size }
        };
        let cost = |size: u128, changes: &Bits| size * u128::from(self.rates.of(changes));
        let mut facts: Vec<Known> = layers.iter().map(known).collect();
        while layers.len() > max.max(1) {
            let mut best: Option<(u128, usize, usize)> = None;
            for (low, one) in facts.iter().enumerate() {
                for (high, two) in facts.iter().enumerate().skip(low + 1) {
                    let mut both = one.changes.clone();
                    both.join(&two.changes);
                    let apart = cost(one.size, &one.changes) + cost(two.size, &two.changes);
                    let more = cost(one.size + two.size, &both).saturating_sub(apart);
                    if best.is_none_or(|(least, ..)| more < least) {
                        best = Some((more, low, high));
                    }
                }
            }
            let Some((_, low, high)) = best else { break };
            let paths = layers.remove(high);
            facts.remove(high);
            layers[low].extend(paths);
            facts[low] = known(&layers[low]);
        }
        layers
    }
}
