//! dockerTools' auto-layer: the largest paths each become the heart of a layer, together with what only
//! they lead to; what several of them share is a layer for each such set of hearts.
//!
//! Specified by `pkgs/build-support/docker/auto-layer.py` of nixpkgs. Where Python leaves the order of equal
//! layers open, the path that comes first by name decides.

use std::collections::HashMap;

use super::{Graph, Layers, name_first};

/// Splits the graph into at most `limit` layers, each sorted by name, ordered by the size of their closure.
///
/// Hearts are added, the largest path first (among equals the later one), until one more would need more
/// layers than the limit allows.
pub fn auto_layer(graph: &Graph, limit: usize) -> Layers {
    if graph.is_empty() {
        return Layers::new();
    }
    let hearts = Hearts::choose(graph, limit);
    let mut layers: Layers = vec![Vec::new(); hearts.groups.len()];
    for (index, group) in hearts.group_of.iter().enumerate() {
        layers[*group].push(index);
    }
    layers.retain(|layer| !layer.is_empty());
    let mut marks = Marks::new(graph.len());
    let mut keyed: Vec<(u64, Vec<usize>)> = layers
        .into_iter()
        .map(|mut layer| {
            layer.sort_unstable_by_key(|index| name_first(graph.path(*index)));
            let closure = marks.reach(&layer, |index| graph.references(index));
            (closure.iter().map(|index| graph.size(*index)).sum(), layer)
        })
        .collect();
    let first = |layer: &[usize]| layer.first().map(|index| name_first(graph.path(*index)));
    keyed.sort_by(|(a, one), (b, two)| a.cmp(b).then_with(|| first(one).cmp(&first(two))));
    keyed.into_iter().map(|(_, layer)| layer).collect()
}

/// The state of the algorithm: a group is the set of hearts that lead to its paths.
struct Hearts {
    groups: Vec<Vec<usize>>,
    group_of: Vec<usize>,
}

impl Hearts {
    fn choose(graph: &Graph, limit: usize) -> Self {
        let users = graph.users();
        let mut state = Self { groups: vec![Vec::new()], group_of: vec![0; graph.len()] };
        let mut by_size: Vec<usize> = (0..graph.len()).collect();
        by_size.sort_by_key(|index| graph.size(*index));
        let (mut down, mut up) = (Marks::new(graph.len()), Marks::new(graph.len()));
        while let Some(heart) = by_size.pop() {
            let dependencies = down.reach(&[heart], |index| graph.references(index));
            up.reach(&[heart], |index| &users[index]);
            match state.with(heart, &dependencies[1..], &down, &up, limit) {
                Some(next) => state = next,
                None => break,
            }
        }
        state
    }

    /// The state with one more heart, unless it has too many groups.
    ///
    /// What becomes of a path depends on its old group alone, so groups are looked at, not paths.
    fn with(
        &self,
        heart: usize,
        dependencies: &[usize],
        down: &Marks,
        up: &Marks,
        limit: usize,
    ) -> Option<Self> {
        let mut members = vec![0_usize; self.groups.len()];
        self.group_of.iter().for_each(|group| members[*group] += 1);
        let mut next = Self { groups: self.groups.clone(), group_of: self.group_of.clone() };
        let mut numbers: HashMap<Vec<usize>, usize> =
            self.groups.iter().enumerate().map(|(at, hearts)| (hearts.clone(), at)).collect();
        let mut moved: Vec<Option<usize>> = vec![None; self.groups.len()];
        let move_to = |next: &mut Self, members: &mut Vec<usize>, path: usize, to: usize| {
            members[next.group_of[path]] -= 1;
            members[to] += 1;
            next.group_of[path] = to;
        };
        let mut number = |next: &mut Self, members: &mut Vec<usize>, hearts: Vec<usize>| {
            *numbers.entry(hearts).or_insert_with_key(|hearts| {
                next.groups.push(hearts.clone());
                members.push(0);
                next.groups.len() - 1
            })
        };
        let own = number(&mut next, &mut members, vec![heart]);
        move_to(&mut next, &mut members, heart, own);
        for &path in dependencies {
            let old = self.group_of[path];
            let to = if let Some(to) = moved[old] {
                to
            } else {
                let of_users = |old: &usize| *old != heart && up.contains(*old);
                let mut hearts: Vec<usize> =
                    self.groups[old].iter().copied().filter(|old| !of_users(old)).collect();
                let is_below = |old: &usize| *old != heart && down.contains(*old);
                if !hearts.iter().any(is_below) && !hearts.contains(&heart) {
                    hearts.push(heart);
                    hearts.sort_unstable();
                }
                let to = number(&mut next, &mut members, hearts);
                moved[old] = Some(to);
                to
            };
            move_to(&mut next, &mut members, path, to);
        }
        let count = members.iter().filter(|members| **members > 0).count();
        if count > limit {
            return None;
        }
        next.compact(&members);
        Some(next)
    }

    /// Forgets the groups that are empty.
    fn compact(&mut self, members: &[usize]) {
        let mut new = vec![usize::MAX; self.groups.len()];
        let mut groups = Vec::new();
        for (at, hearts) in std::mem::take(&mut self.groups).into_iter().enumerate() {
            if members[at] > 0 {
                new[at] = groups.len();
                groups.push(hearts);
            }
        }
        self.groups = groups;
        self.group_of.iter_mut().for_each(|group| *group = new[*group]);
    }
}

/// What a search has seen; starting again costs nothing.
struct Marks {
    seen: Vec<u32>,
    round: u32,
}

impl Marks {
    fn new(length: usize) -> Self {
        Self { seen: vec![0; length], round: 0 }
    }

    /// Everything that can be reached, the start first.
    fn reach<'g>(&mut self, start: &[usize], next: impl Fn(usize) -> &'g [usize]) -> Vec<usize> {
        self.round += 1;
        let mut out = Vec::new();
        for &index in start {
            self.visit(index, &mut out);
        }
        let mut at = 0;
        while at < out.len() {
            for &index in next(out[at]) {
                self.visit(index, &mut out);
            }
            at += 1;
        }
        out
    }

    fn visit(&mut self, index: usize, out: &mut Vec<usize>) {
        if std::mem::replace(&mut self.seen[index], self.round) != self.round {
            out.push(index);
        }
    }

    fn contains(&self, index: usize) -> bool {
        self.seen[index] == self.round
    }
}
