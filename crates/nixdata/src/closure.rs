//! Closures: paths of a store with everything they refer to, in a fixed order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use thiserror::Error;

use crate::{PathInfo, StorePath};

/// Why paths are no closure.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ClosureError {
    /// A path refers to one that is not in the closure.
    #[error("`{referrer}` refers to `{reference}`, which is missing from the closure")]
    Missing {
        /// The path that refers.
        referrer: StorePath,
        /// The path that is missing.
        reference: StorePath,
    },
    /// A path is listed twice, with different facts.
    #[error("`{0}` is listed twice with different contents or references")]
    Contradiction(StorePath),
    /// Paths refer to each other in a circle, which no valid store holds.
    #[error("these paths refer to each other in a circle: {}", circle(.0))]
    Cycle(Vec<StorePath>),
    /// A root that is not in the closure.
    #[error("`{0}` is not in the closure")]
    Root(StorePath),
}

fn circle(paths: &[StorePath]) -> String {
    paths.iter().chain(paths.first()).map(StorePath::as_str).collect::<Vec<_>>().join(" -> ")
}

/// A set of paths that is closed under references, sorted by path.
///
/// A path is known by its index in that order; references of a path to itself are kept in its
/// [`PathInfo`] and left out of the edges.
///
/// ```
/// use nixdata::{Closure, PathInfo};
/// let lib = PathInfo::new("/nix/store/rb0ivdi34306yi8mqz0yhkc67fm0v7rk-lib".parse()?, vec![]);
/// let app = PathInfo::new(
///     "/nix/store/1dw7ymnnai9zj90p23jpfy9zfi007l2s-app".parse()?,
///     vec![lib.path.clone()],
/// );
/// let closure = Closure::new(vec![lib, app])?;
/// let names = |order: Vec<usize>| order.iter().map(|i| closure.paths()[*i].path.name().to_owned()).collect::<Vec<_>>();
/// assert_eq!(names(closure.topological()), ["lib", "app"]); // references first
/// assert_eq!(names(closure.roots()), ["app"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closure {
    paths: Vec<PathInfo>,
    references: Vec<Vec<usize>>,
}

impl Closure {
    /// Sorts paths and checks that they are a closure.
    ///
    /// # Errors
    /// When a reference is missing, a path is listed twice with different facts, or paths refer to
    /// each other in a circle (a path may refer to itself).
    pub fn new(mut paths: Vec<PathInfo>) -> Result<Self, ClosureError> {
        paths.sort_by(|a, b| a.path.cmp(&b.path));
        paths.dedup();
        if let Some(pair) = paths.windows(2).find(|pair| pair[0].path == pair[1].path) {
            return Err(ClosureError::Contradiction(pair[0].path.clone()));
        }
        let references =
            paths.iter().map(|info| edges(&paths, info)).collect::<Result<Vec<_>, _>>()?;
        let closure = Self { paths, references };
        let ordered = closure.topological();
        if ordered.len() < closure.paths.len() {
            return Err(ClosureError::Cycle(closure.find_circle(&ordered)));
        }
        Ok(closure)
    }

    /// Gives the paths, sorted by path.
    pub fn paths(&self) -> &[PathInfo] {
        &self.paths
    }

    /// Gives the number of paths.
    pub fn len(&self) -> usize {
        self.paths.len()
    }

    /// Says whether there is no path at all.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// Finds a path's index, from a [`StorePath`] or the text of one.
    pub fn index_of(&self, path: &str) -> Option<usize> {
        self.paths.binary_search_by(|info| info.path.as_str().cmp(path)).ok()
    }

    /// Finds what is known about a path.
    pub fn get(&self, path: &str) -> Option<&PathInfo> {
        self.index_of(path).map(|index| &self.paths[index])
    }

    /// Gives the indices that a path refers to, itself left out, ascending.
    pub fn references(&self, index: usize) -> &[usize] {
        &self.references[index]
    }

    /// Gives for each path the indices of those that refer to it, itself left out, ascending.
    pub fn referrers(&self) -> Vec<Vec<usize>> {
        let mut referrers = vec![Vec::new(); self.len()];
        for (index, references) in self.references.iter().enumerate() {
            for reference in references {
                referrers[*reference].push(index);
            }
        }
        referrers
    }

    /// Gives the paths that nothing else refers to, ascending.
    pub fn roots(&self) -> Vec<usize> {
        let mut referred = vec![false; self.len()];
        for reference in self.references.iter().flatten() {
            referred[*reference] = true;
        }
        (0..self.len()).filter(|index| !referred[*index]).collect()
    }

    /// Orders the paths so that each comes after all it refers to; of those that may come next, the
    /// smallest path does.
    pub fn topological(&self) -> Vec<usize> {
        let referrers = self.referrers();
        let mut waiting: Vec<usize> = self.references.iter().map(Vec::len).collect();
        let mut ready: BinaryHeap<Reverse<usize>> =
            (0..self.len()).filter(|index| waiting[*index] == 0).map(Reverse).collect();
        let mut order = Vec::with_capacity(self.len());
        while let Some(Reverse(index)) = ready.pop() {
            order.push(index);
            for referrer in &referrers[index] {
                waiting[*referrer] -= 1;
                if waiting[*referrer] == 0 {
                    ready.push(Reverse(*referrer));
                }
            }
        }
        order
    }

    /// Gives the indices that are reachable from `roots`, them included, ascending.
    pub fn reachable(&self, roots: &[usize]) -> Vec<usize> {
        let mut seen = vec![false; self.len()];
        let mut todo = roots.to_vec();
        while let Some(index) = todo.pop() {
            if !std::mem::replace(&mut seen[index], true) {
                todo.extend(self.references(index).iter().copied());
            }
        }
        (0..self.len()).filter(|index| seen[*index]).collect()
    }

    /// Cuts out the closure of some of the paths.
    ///
    /// # Errors
    /// When a root is not in this closure.
    pub fn of(&self, roots: &[StorePath]) -> Result<Self, ClosureError> {
        let roots = roots
            .iter()
            .map(|root| {
                self.index_of(root.as_str()).ok_or_else(|| ClosureError::Root(root.clone()))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let kept = self.reachable(&roots);
        let mut renumbered = vec![0; self.len()];
        for (new, old) in kept.iter().enumerate() {
            renumbered[*old] = new;
        }
        Ok(Self {
            paths: kept.iter().map(|index| self.paths[*index].clone()).collect(),
            references: kept
                .iter()
                .map(|index| self.references(*index).iter().map(|old| renumbered[*old]).collect())
                .collect(),
        })
    }

    /// Sums the NAR sizes of some paths; `None` when one is unknown.
    pub fn nar_size_of(&self, indices: &[usize]) -> Option<u64> {
        indices
            .iter()
            .map(|index| self.paths[*index].nar_size)
            .try_fold(0_u64, |sum, size| sum.checked_add(size?))
    }

    /// Gives the paths, sorted by path.
    pub fn into_paths(self) -> Vec<PathInfo> {
        self.paths
    }

    /// Finds one circle among the paths that no topological order reached.
    fn find_circle(&self, ordered: &[usize]) -> Vec<StorePath> {
        let mut stuck = vec![true; self.len()];
        for index in ordered {
            stuck[*index] = false;
        }
        // Each stuck path refers to another stuck one, so that a walk along them must come back.
        let next = |index: usize| self.references(index).iter().copied().find(|to| stuck[*to]);
        let mut walk: Vec<usize> = Vec::new();
        let mut place = vec![None; self.len()];
        let mut at = (0..self.len()).find(|index| stuck[*index]);
        while let Some(index) = at {
            if let Some(start) = place[index] {
                walk.drain(..start);
                break;
            }
            place[index] = Some(walk.len());
            walk.push(index);
            at = next(index);
        }
        walk.iter().map(|index| self.paths[*index].path.clone()).collect()
    }
}

fn edges(paths: &[PathInfo], info: &PathInfo) -> Result<Vec<usize>, ClosureError> {
    let mut edges = Vec::with_capacity(info.references.len());
    for reference in info.references.iter().filter(|reference| **reference != info.path) {
        let found = paths.binary_search_by(|other| other.path.cmp(reference));
        edges.push(found.map_err(|_| ClosureError::Missing {
            referrer: info.path.clone(),
            reference: reference.clone(),
        })?);
    }
    // `PathInfo` has public fields, so the order is not taken on trust.
    edges.sort_unstable();
    edges.dedup();
    Ok(edges)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path(number: usize) -> StorePath {
        let hash = format!("{number:032}");
        format!("/nix/store/{hash}-p{number}").parse().unwrap()
    }

    fn info(number: usize, references: &[usize]) -> PathInfo {
        PathInfo::new(path(number), references.iter().copied().map(path).collect())
    }

    #[test]
    fn a_diamond_with_self_references() {
        let closure = Closure::new(vec![
            info(4, &[1]),
            info(1, &[2, 3, 1]),
            info(2, &[0]),
            info(3, &[0, 3]),
            info(0, &[]),
        ])
        .unwrap();
        assert_eq!(closure.topological(), [0, 2, 3, 1, 4]);
        assert_eq!(closure.roots(), [4]);
        assert_eq!(closure.references(1), [2, 3]);
        assert_eq!(closure.referrers()[0], [2, 3]);
        assert_eq!(closure.reachable(&[2]), [0, 2]);
        let part = closure.of(&[path(3)]).unwrap();
        assert_eq!(part, Closure::new(vec![info(0, &[]), info(3, &[0, 3])]).unwrap());
        assert_eq!(closure.of(&[path(9)]), Err(ClosureError::Root(path(9))));
        assert_eq!(closure.nar_size_of(&[0]), None);
    }

    #[test]
    fn what_is_no_closure() {
        let error = Closure::new(vec![info(1, &[2])]).unwrap_err();
        assert_eq!(error, ClosureError::Missing { referrer: path(1), reference: path(2) });
        let error = Closure::new(vec![info(1, &[1]), info(1, &[])]).unwrap_err();
        assert_eq!(error, ClosureError::Contradiction(path(1)));
        // The same line twice says nothing new.
        assert_eq!(Closure::new(vec![info(1, &[]), info(1, &[])]).unwrap().len(), 1);
        // 0 leads into the circle but is no part of it.
        let error = Closure::new(vec![info(0, &[1]), info(1, &[2]), info(2, &[3]), info(3, &[1])]);
        let error = error.unwrap_err();
        assert_eq!(error, ClosureError::Cycle(vec![path(1), path(2), path(3)]));
        assert!(
            error.to_string().ends_with("-p3 -> /nix/store/00000000000000000000000000000001-p1")
        );
    }

    #[test]
    fn ten_thousand_in_a_chain_need_no_stack() {
        let infos =
            (0..10_000).map(|n| info(n, if n == 0 { &[] } else { std::slice::from_ref(&n) }));
        let chain = infos.map(|mut i| {
            i.references = i
                .references
                .iter()
                .map(|p| p.name()[1..].parse::<usize>().unwrap() - 1)
                .map(path)
                .collect();
            i
        });
        let closure = Closure::new(chain.collect()).unwrap();
        assert_eq!(closure.topological().last(), Some(&9_999));
        assert_eq!(closure.reachable(&[9_999]).len(), 10_000);
    }

    proptest! {
        #[test]
        fn references_come_first(edges in proptest::collection::vec((0..30_usize, 0..30_usize), 0..120)) {
            let infos = (0..30).map(|n| {
                let references: Vec<_> = edges.iter().filter(|(from, to)| *from == n && to <= from).map(|(_, to)| *to).collect();
                info(n, &references)
            });
            let closure = Closure::new(infos.collect()).unwrap();
            let order = closure.topological();
            prop_assert_eq!(order.len(), 30);
            let place = |index: usize| order.iter().position(|i| *i == index).unwrap();
            for index in 0..30 {
                for reference in closure.references(index) {
                    prop_assert!(place(*reference) < place(index));
                }
            }
        }

        #[test]
        fn any_edges_end(edges in proptest::collection::vec((0..12_usize, 0..12_usize), 0..40)) {
            let infos = (0..12).map(|n| info(n, &edges.iter().filter(|(from, _)| *from == n).map(|(_, to)| *to).collect::<Vec<_>>()));
            if let Err(error) = Closure::new(infos.collect()) {
                let ClosureError::Cycle(circle) = error else { panic!("{error}") };
                prop_assert!(circle.len() > 1);
            }
        }
    }
}
