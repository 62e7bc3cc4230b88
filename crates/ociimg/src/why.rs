//! `ociimg why`: the shortest chain of references from what is in the image to one path.

use std::collections::VecDeque;

use cli::{Exit, Io, escape, outln};
use nixdata::Closure;
use serde::Serialize;

use crate::args::WhyArgs;
use crate::error::BuildError;
use crate::input::{self, read_roots};

#[derive(Debug, Serialize)]
struct Chain<'a> {
    path: &'a str,
    /// From a root to the path.
    #[serde(rename = "chain")]
    links: Vec<&'a str>,
    nar_size: Option<u64>,
}

/// Prints a chain for each path that is meant; the answer is "no" if there is none.
pub(crate) fn why(args: &WhyArgs, io: &mut Io) -> Result<Exit, BuildError> {
    let roots = read_roots(&args.source, io)?;
    let closure = input::closure(&args.source, &roots, io)?;
    let starts: Vec<usize> =
        roots.iter().filter_map(|root| closure.index_of(root.as_str())).collect();
    let parents = search(&closure, &starts);
    let wanted = args.path.to_string_lossy();
    let is_wanted = |path: &nixdata::StorePath| {
        if let Some(below) = wanted.strip_prefix(path.as_str()) {
            return below.is_empty() || below.starts_with('/');
        }
        let (base, name) = (path.base_name(), path.name());
        base == wanted || name == wanted || crate::look::split_name(name).0 == wanted
    };
    let mut chains = Vec::new();
    for (index, info) in closure.paths().iter().enumerate() {
        if is_wanted(&info.path) {
            let mut chain = vec![info.path.as_str()];
            let mut at = index;
            while let Some(parent) = parents[at].filter(|parent| *parent != at) {
                chain.push(closure.paths()[parent].path.as_str());
                at = parent;
            }
            chain.reverse();
            chains.push(Chain { path: info.path.as_str(), links: chain, nar_size: info.nar_size });
        }
    }
    if args.json {
        outln!(io, "{}", serde_json::to_string_pretty(&chains)?)?;
    } else {
        for (number, found) in chains.iter().enumerate() {
            if number > 0 {
                outln!(io, "")?;
            }
            for (depth, path) in found.links.iter().enumerate() {
                outln!(io, "{}{}", "  ".repeat(depth), escape(path))?;
            }
        }
    }
    if chains.is_empty() {
        io.status(format_args!("`{wanted}` is not in the image"));
        return Ok(Exit::No);
    }
    Ok(Exit::Done)
}

/// Of each path the one before it on a shortest way from a start; a start is its own. Of several ways the first in the
/// order of paths is taken.
fn search(closure: &Closure, starts: &[usize]) -> Vec<Option<usize>> {
    let mut parents = vec![None; closure.len()];
    let mut queue = VecDeque::new();
    for start in starts {
        parents[*start] = Some(*start);
        queue.push_back(*start);
    }
    while let Some(at) = queue.pop_front() {
        for next in closure.references(at) {
            if parents[*next].is_none() {
                parents[*next] = Some(at);
                queue.push_back(*next);
            }
        }
    }
    parents
}
