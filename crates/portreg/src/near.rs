//! Did-you-mean: the paths that are near to one that does not exist.

use crate::PortPath;

/// How many are named.
const SHOWN: usize = 3;

/// The known paths nearest to `wanted`, best first: those with its last name, then those a few letters away.
pub fn nearest(wanted: &PortPath, known: &[PortPath]) -> Vec<PortPath> {
    let text = wanted.to_string().to_ascii_lowercase();
    let leaf = wanted.leaf().to_ascii_lowercase();
    let mut ranked: Vec<(usize, &PortPath)> = known
        .iter()
        .filter_map(|path| {
            let other = path.to_string().to_ascii_lowercase();
            let other_leaf = path.leaf().to_ascii_lowercase();
            let whole = strsim::damerau_levenshtein(&text, &other);
            let last = strsim::damerau_levenshtein(&leaf, &other_leaf);
            let near = |distance: usize, length: usize| distance <= 1.max(length / 3);
            let rank = if leaf == other_leaf {
                0
            } else if near(whole, text.chars().count()) {
                1 + whole
            } else if near(last, leaf.chars().count()) {
                2 + last
            } else {
                return None;
            };
            Some((rank, path))
        })
        .collect();
    ranked.sort();
    ranked.into_iter().take(SHOWN).map(|(_, path)| path.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_come_first() {
        let path = |text: &str| text.parse::<PortPath>().unwrap();
        let known: Vec<PortPath> =
            ["databases.redis", "databases.postgresql", "web.redis-ui", "otel.grpc"]
                .map(path)
                .into();
        let near = |text: &str| {
            nearest(&path(text), &known).iter().map(PortPath::to_string).collect::<Vec<_>>()
        };
        assert_eq!(near("databases.redi"), ["databases.redis"]);
        assert_eq!(near("redis"), ["databases.redis"]);
        assert_eq!(near("cache.redis"), ["databases.redis"]);
        assert_eq!(near("databases.postgres"), ["databases.postgresql"]);
        assert_eq!(near("otel.gprc"), ["otel.grpc"]);
        assert!(near("something.else").is_empty());
    }
}
