//! What a push sends after a change, with our split and with auto-layer, both run again on the changed graph.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may end where its ground fails; the measurement is what it is run for"
)]

use std::collections::{BTreeSet, HashSet};

use oci::Digest;
use oci::split::auto::auto;
use oci::split::auto_layer::auto_layer;
use oci::split::volatility::{Forecast, Rates};
use oci::split::{Graph, Layers, Node};

const LIMITS: [usize; 4] = [5, 10, 25, 99];

/// Another hash in front of the same name.
fn rebuilt(path: &str) -> String {
    let (hash, name) = path.rsplit_once('/').unwrap().1.split_once('-').unwrap();
    format!("/nix/store/{}-{name}", &Digest::of(hash).encoded()[..32])
}

/// Gives paths, and whatever is said to change with them, other hashes.
fn rebuild(nodes: &[Node], changed: &BTreeSet<String>) -> Vec<Node> {
    let new = |path: &String| if changed.contains(path) { rebuilt(path) } else { path.clone() };
    let node = |node: &Node| Node {
        path: new(&node.path),
        size: node.size,
        references: node.references.iter().map(new).collect(),
    };
    nodes.iter().map(node).collect()
}

fn users_of(nodes: &[Node], path: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::from([path.to_owned()]);
    loop {
        let before = found.len();
        for node in nodes {
            if node.references.iter().any(|reference| found.contains(reference)) {
                found.insert(node.path.clone());
            }
        }
        if found.len() == before {
            return found;
        }
    }
}

/// The changes that are tried: a name and what becomes of the graph.
fn changes(nodes: &[Node]) -> Vec<(&'static str, Vec<Node>)> {
    let graph = Graph::new(nodes.to_vec()).unwrap();
    let root = graph.path(graph.roots()[0]).to_owned();
    let mut out = Vec::new();
    let mut resized = rebuild(nodes, &BTreeSet::from([root.clone()]));
    let at = nodes.iter().position(|node| node.path == root).unwrap();
    resized[at].size = resized[at].size * 11 / 10 + 4096;
    out.push(("app resized", resized));
    for (number, size) in [40_000, 300_000, 2_000_000, 15_000_000].into_iter().enumerate() {
        let mut added = rebuild(nodes, &BTreeSet::from([root.clone()]));
        let path = format!("/nix/store/{}-added-{number}.0", "a".repeat(32));
        added[at].references.push(path.clone());
        added.push(Node { path, size, references: Vec::new() });
        out.push(("dependency added", added));
    }
    for node in nodes.iter().filter(|node| node.path != root) {
        let mut all = users_of(nodes, &node.path);
        out.push(("library and its users rebuilt", rebuild(nodes, &all)));
        all = BTreeSet::from([node.path.clone(), root.clone()]);
        out.push(("library and app alone", rebuild(nodes, &all)));
        let mut resized = rebuild(nodes, &all);
        let at = nodes.iter().position(|other| other.path == node.path).unwrap();
        resized[at].size += resized[at].size / 20;
        out.push(("library resized and app", resized));
    }
    out
}

fn sent(old: &Graph, old_layers: &Layers, new: &Graph, new_layers: &Layers) -> u64 {
    let set = |graph: &Graph, layer: &Vec<usize>| -> BTreeSet<String> {
        layer.iter().map(|index| graph.path(*index).to_owned()).collect()
    };
    let known: HashSet<BTreeSet<String>> = old_layers.iter().map(|layer| set(old, layer)).collect();
    let is_new = |layer: &&Vec<usize>| !known.contains(&set(new, layer));
    let bytes = |layer: &Vec<usize>| layer.iter().map(|index| new.size(*index)).sum::<u64>();
    new_layers.iter().filter(is_new).map(bytes).sum()
}

fn ours(graph: &Graph, limit: usize) -> Layers {
    let roots = graph.roots();
    auto(graph, &roots, &Rates::of_roots(graph.len(), &roots), limit)
}

/// How many of a thousand pushes bring this change: what `auto` assumes, and a few new dependencies.
fn weight(change: &str, cases: u64) -> u64 {
    match change {
        "app resized" => 900,
        "dependency added" => 10,
        _ => 2 * cases,
    }
}

struct Row {
    change: &'static str,
    ours: u64,
    theirs: u64,
    worse: usize,
    cases: u64,
}

#[test]
fn no_more_is_sent_than_by_auto_layer() {
    for (name, nodes) in super::layering::nodes() {
        let mut topped = nodes.clone();
        let graph = Graph::new(nodes.clone()).unwrap();
        let tops = graph.roots().iter().map(|root| graph.path(*root).to_owned()).collect();
        let path = format!("/nix/store/{}-app-1.0", "9".repeat(32));
        topped.push(Node { path, size: 3_000_000, references: tops });
        for (name, nodes) in [(name.clone(), nodes), (format!("{name} and an app of 3 MB"), topped)]
        {
            for limit in LIMITS {
                compare(&name, &nodes, limit);
            }
        }
    }
}

/// Prints what both send after each kind of change, and holds ours to be less where the app alone changed,
/// and in all, each kind as often as it is assumed to happen.
fn compare(name: &str, nodes: &[Node], limit: usize) {
    let old = Graph::new(nodes.to_vec()).unwrap();
    let (before, theirs_before) = (ours(&old, limit), auto_layer(&old, limit));
    let mut rows: Vec<Row> = Vec::new();
    for (change, nodes) in changes(nodes) {
        let new = Graph::new(nodes).unwrap();
        let mine = sent(&old, &before, &new, &ours(&new, limit));
        let theirs = sent(&old, &theirs_before, &new, &auto_layer(&new, limit));
        if !rows.iter().any(|row| row.change == change) {
            rows.push(Row { change, ours: 0, theirs: 0, worse: 0, cases: 0 });
        }
        let row = rows.iter_mut().find(|row| row.change == change).unwrap();
        row.ours += mine;
        row.theirs += theirs;
        row.worse += usize::from(mine > theirs);
        row.cases += 1;
    }
    let (mut all_ours, mut all_theirs) = (0, 0);
    for Row { change, ours, theirs, worse, cases } in rows {
        let percent = ours * 100 / theirs.max(1);
        println!(
            "{name}, {limit} layers, {change}: {ours} bytes, auto-layer {theirs}, {percent} %; more in {worse} of {cases}"
        );
        assert!(change != "app resized" || ours <= theirs);
        all_ours += ours / cases * weight(change, cases);
        all_theirs += theirs / cases * weight(change, cases);
    }
    println!("{name}, {limit} layers, in all: {} %", all_ours * 100 / all_theirs);
    // With five layers a large new dependency may cost more; everything together must not, but for a percent.
    assert!(all_ours * 100 <= all_theirs * 101, "{name}, {limit} layers");
    let roots = old.roots();
    let rates = Rates::of_roots(old.len(), &roots);
    let forecast = Forecast::new(&old, &rates);
    let (mine, best) = (forecast.cost(&before), forecast.cost(&forecast.best_cut(limit)));
    println!("{name}, {limit} layers, forecast: {} % of the best cut's", mine * 100 / best);
}
