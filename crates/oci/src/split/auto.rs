//! Our own split: the roots in a last layer of their own, the rest by whichever of two splits is predicted
//! to send fewer bytes, [`auto_layer`](mod@super::auto_layer) or the best contiguous cut by
//! [`volatility`](super::volatility).
//!
//! What auto-layer puts beside the roots becomes a layer too. Where there is no room for one more, the two
//! layers that it costs least to put together make room, unless what stands beside the roots is not a tenth
//! of them: then it stays, since making room would cost more.
//!
//! A push after a change compares two splits, so one that moves its borders when a path is added sends more
//! than its own numbers say. Auto-layer keeps its borders best; the cut is taken only where it is predicted
//! to save a quarter.

use super::auto_layer::auto_layer;
use super::volatility::{Forecast, Rates};
use super::{Graph, Layers, flags};

/// Above this many paths closures are not compared: each of them is a set of all paths.
const FORECAST_LIMIT: usize = 20_000;

/// Splits the graph into at most `max` layers, those that change least often first.
///
/// ```
/// use oci::split::{Graph, Node, auto::auto, volatility::Rates};
/// let node = |path: &str, size: u64, references: &[&str]| Node {
///     path: path.to_owned(),
///     size,
///     references: references.iter().map(ToString::to_string).collect(),
/// };
/// let graph = Graph::new(vec![node("app", 3, &["a"]), node("a", 1, &["b"]), node("b", 2, &[])])?;
/// let rates = Rates::of_roots(3, &[0]);
/// let layers = auto(&graph, &[0], &rates, 2);
/// assert_eq!((layers.len(), &layers[1]), (2, &vec![0]));
/// # Ok::<(), oci::split::GraphError>(())
/// ```
pub fn auto(graph: &Graph, roots: &[usize], rates: &Rates, max: usize) -> Layers {
    let mut is_root = flags(graph.len(), roots);
    let last: Vec<usize> = (0..graph.len()).filter(|index| is_root[*index]).collect();
    let room = max.saturating_sub(usize::from(!last.is_empty()));
    if room == 0 {
        return vec![graph.topological().to_vec()];
    }
    let mut hearts = auto_layer(graph, max);
    let mut last = last;
    if let Some(riders) = riders(graph, &is_root, &last, &hearts, max) {
        for rider in &riders {
            is_root[*rider] = true;
        }
        last.splice(0..0, riders);
    }
    for layer in &mut hearts {
        layer.retain(|index| !is_root[*index]);
    }
    hearts.retain(|layer| !layer.is_empty());
    let (rest, old) = graph.without(&is_root);
    let mut new = vec![0; graph.len()];
    old.iter().enumerate().for_each(|(at, index)| new[*index] = at);
    hearts.iter_mut().flatten().for_each(|index| *index = new[*index]);
    let mut layers = rest_of(&rest, &rates.among(&old), hearts, room);
    layers.iter_mut().flatten().for_each(|index| *index = old[*index]);
    layers.push(last);
    layers.retain(|layer| !layer.is_empty());
    layers
}

/// What stands beside the roots and stays there, by the rule above.
fn riders(
    graph: &Graph,
    is_root: &[bool],
    roots: &[usize],
    hearts: &[Vec<usize>],
    max: usize,
) -> Option<Vec<usize>> {
    let holds_root = |layer: &&Vec<usize>| layer.iter().any(|index| is_root[*index]);
    let mut homes = hearts.iter().filter(holds_root);
    let (Some(home), None) = (homes.next(), homes.next()) else { return None };
    let size = |paths: &[usize]| paths.iter().map(|index| graph.size(*index)).sum::<u64>();
    let riders: Vec<usize> = home.iter().copied().filter(|index| !is_root[*index]).collect();
    (!riders.is_empty() && hearts.len() >= max && size(&riders) <= size(roots) / 10)
        .then_some(riders)
}

/// The layers of all but the roots, numbered as in the rest.
fn rest_of(rest: &Graph, rates: &Rates, mut hearts: Layers, room: usize) -> Layers {
    if rest.len() > FORECAST_LIMIT {
        let size = |layer: &Vec<usize>| layer.iter().map(|index| rest.size(*index)).sum::<u64>();
        while hearts.len() > room {
            let smallest = (0..hearts.len()).min_by_key(|at| size(&hearts[*at])).unwrap_or(0);
            let paths = hearts.remove(smallest);
            let next = smallest.min(hearts.len() - 1);
            hearts[next].extend(paths);
        }
        return hearts;
    }
    let forecast = Forecast::new(rest, rates);
    let hearts = forecast.merge(hearts, room);
    let cut = forecast.best_cut(room);
    // Of a quarter less: see above.
    if forecast.cost(&cut) * 4 < forecast.cost(&hearts) * 3 { cut } else { hearts }
}
