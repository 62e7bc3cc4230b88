//! How paths become layers. Each way is a function of the paths and their sizes alone.

use oci::layer::{LayerRecipe, PathRecipe};

use crate::args::Split;
use crate::input::{Inputs, StoreInput};

/// Splits the inputs into layers, the one that changes most often last. No layer is empty.
pub(crate) fn split(inputs: Inputs, how: Split, max: usize) -> Vec<LayerRecipe> {
    let Inputs { store, plain, name: _ } = inputs;
    let groups = match how {
        Split::Single => vec![recipes(store).chain(plain).collect()],
        Split::RootsLast => {
            let (roots, rest): (Vec<_>, Vec<_>) = store.into_iter().partition(|p| p.is_root);
            vec![recipes(rest).collect(), recipes(roots).chain(plain).collect()]
        }
        Split::PerPath => per_path(store, plain, max),
    };
    groups.into_iter().filter(|group: &Vec<_>| !group.is_empty()).map(LayerRecipe::new).collect()
}

/// Each path alone, in the order given; where there are more than `max`, the smallest share the first layer.
fn per_path(store: Vec<StoreInput>, plain: Vec<PathRecipe>, max: usize) -> Vec<Vec<PathRecipe>> {
    let room = max.saturating_sub(usize::from(!plain.is_empty()));
    if room == 0 {
        return vec![recipes(store).chain(plain).collect()];
    }
    let mut by_size: Vec<usize> = (0..store.len()).collect();
    if store.len() > room {
        // Largest first, ties by the order given; named paths count as largest, since they change most.
        by_size.sort_by_key(|&at| (!store[at].is_root, u64::MAX - store[at].nar_size, at));
        by_size.truncate(room - 1);
    }
    by_size.sort_unstable();
    let mut shared = Vec::new();
    let mut alone = Vec::new();
    for (at, input) in store.into_iter().enumerate() {
        if by_size.binary_search(&at).is_ok() {
            alone.push(vec![input.recipe]);
        } else {
            shared.push(input.recipe);
        }
    }
    std::iter::once(shared).chain(alone).chain(std::iter::once(plain)).collect()
}

fn recipes(inputs: Vec<StoreInput>) -> impl Iterator<Item = PathRecipe> {
    inputs.into_iter().map(|input| input.recipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(sizes: &[u64], roots: &[usize]) -> Inputs {
        let store = sizes.iter().enumerate().map(|(at, &nar_size)| StoreInput {
            recipe: PathRecipe::new(format!("/s/{at}")),
            nar_size,
            is_root: roots.contains(&at),
        });
        Inputs { store: store.collect(), plain: Vec::new(), name: String::new() }
    }

    fn names(layers: &[LayerRecipe]) -> Vec<String> {
        let name = |layer: &LayerRecipe| {
            layer.paths.iter().map(|path| &path.path[3..]).collect::<Vec<_>>().join(" ")
        };
        layers.iter().map(name).collect()
    }

    #[test]
    fn roots_come_last_and_nothing_is_empty() {
        let layers = split(inputs(&[1, 2, 3], &[1]), Split::RootsLast, 100);
        assert_eq!(names(&layers), ["0 2", "1"]);
        assert_eq!(names(&split(inputs(&[1], &[0]), Split::RootsLast, 100)), ["0"]);
        assert_eq!(names(&split(inputs(&[1, 2], &[1]), Split::Single, 100)), ["0 1"]);
    }

    #[test]
    fn the_smallest_share_a_layer_when_there_are_too_many() {
        let sizes = [5, 1, 9, 2, 3];
        let layers = |max| names(&split(inputs(&sizes, &[4]), Split::PerPath, max));
        assert_eq!(layers(5), ["0", "1", "2", "3", "4"]);
        assert_eq!(layers(4), ["1 3", "0", "2", "4"]);
        assert_eq!(layers(3), ["0 1 3", "2", "4"]);
        assert_eq!(layers(1), ["0 1 2 3 4"]);
    }
}
