use super::auto_layer::auto_layer;
use super::pipeline::Pipeline;
use super::volatility::{Forecast, Rates};
use super::*;

fn graph(edges: &[(&str, &[&str])]) -> Graph {
    let node = |(path, references): &(&str, &[&str])| Node {
        path: (*path).to_owned(),
        size: 1,
        references: references.iter().map(ToString::to_string).collect(),
    };
    Graph::new(edges.iter().map(node).collect()).unwrap()
}

fn names(graph: &Graph, layers: &[Vec<usize>]) -> Vec<String> {
    let name = |layer: &Vec<usize>| {
        layer.iter().map(|index| graph.path(*index)).collect::<Vec<_>>().join(" ")
    };
    layers.iter().map(name).collect()
}

#[test]
fn a_circle_is_named_and_a_self_reference_is_none() {
    let node = |path: &str, to: &str| Node {
        path: path.to_owned(),
        size: 1,
        references: vec![path.to_owned(), to.to_owned()],
    };
    let error = Graph::new(vec![node("x", "a"), node("a", "b"), node("b", "c"), node("c", "a")]);
    assert_eq!(
        error.unwrap_err().to_string(),
        "these paths refer to each other in a circle: a -> b -> c -> a"
    );
    assert_eq!(Graph::new(vec![node("a", "a")]).unwrap().roots(), [0]);
}

/// What the documentation of both popularity contests works through.
fn example() -> Graph {
    graph(&[
        ("A", &["B", "G"]),
        ("B", &["C", "E"]),
        ("C", &["D", "E"]),
        ("D", &["F"]),
        ("E", &["F"]),
        ("F", &[]),
        ("G", &[]),
    ])
}

#[test]
fn the_two_popularities_differ() {
    let graph = example();
    let text = |order: Vec<usize>| names(&graph, &[order]).concat();
    let (n2c, scores): (Vec<usize>, Vec<i64>) = popularity::n2c(&graph).into_iter().unzip();
    assert_eq!(scores, [11, 6, 4, 3, 2, 2, 1]);
    assert_eq!(text(n2c.clone()).len(), 13);
    assert_eq!(text(popularity::dockertools(&graph)), "F E D C B G A");
    let layers = |max| names(&graph, &popularity::layers(n2c.iter().copied(), max));
    assert_eq!(layers(0).len(), 7);
    assert_eq!(layers(2)[1].split(' ').count(), 6);
    assert_eq!(layers(1).len(), 1);
}

#[test]
fn counts_have_no_limit() {
    // A ladder of 300 diamonds: 2^300 walks lead to its foot.
    let node = |path: String, references: Vec<String>| Node { path, size: 1, references };
    let mut nodes = Vec::new();
    for step in 0..300 {
        let sides = ["l", "r"].map(|side| format!("-{side}{step}"));
        nodes.push(node(format!("-t{step}"), sides.to_vec()));
        for side in sides {
            nodes.push(node(side, vec![format!("-t{}", step + 1)]));
        }
    }
    let graph = Graph::new(nodes).unwrap();
    let order = popularity::dockertools(&graph);
    assert_eq!(graph.path(order[0]), "-t300");
    assert_eq!([order[1], order[2]].map(|at| graph.path(at)), ["-l299", "-r299"], "a tie is one");
    assert_eq!(graph.path(*order.last().unwrap()), "-t0");
    assert_eq!(popularity::n2c(&graph).len(), graph.len(), "64 bits wrap, as they do in Go");
}

#[test]
fn auto_layer_gives_the_large_their_own_layer_and_shares_what_they_share() {
    let node = |path: &str, size: u64, references: &[&str]| Node {
        path: path.to_owned(),
        size,
        references: references.iter().map(ToString::to_string).collect(),
    };
    let graph = Graph::new(vec![
        node("0-app", 1, &["1-big", "2-large"]),
        node("1-big", 100, &["3-libc", "4-own"]),
        node("2-large", 90, &["3-libc"]),
        node("3-libc", 10, &[]),
        node("4-own", 5, &[]),
        node("5-own", 5, &[]),
    ])
    .unwrap();
    let at = |limit| names(&graph, &auto_layer(&graph, limit));
    assert_eq!(at(1).len(), 1);
    assert_eq!(at(4), ["3-libc", "2-large", "1-big 4-own", "0-app 5-own"]);
    assert_eq!(at(0).concat(), at(1).concat(), "no limit is below one layer");
    assert!(auto_layer(&Graph::default(), 5).is_empty());
}

fn pipeline(text: &str) -> Result<Vec<String>, String> {
    let graph = graph(&[
        ("Root1", &["A"]),
        ("A", &["B", "C"]),
        ("B", &["D", "E", "G"]),
        ("E", &["F"]),
        ("Root2", &["B"]),
        ("Root3", &["C"]),
        ("C", &[]),
        ("D", &[]),
        ("F", &[]),
        ("G", &[]),
    ]);
    let pipeline = Pipeline::parse(text.as_bytes()).map_err(|error| error.to_string())?;
    let layers = pipeline.run(&graph).map_err(|error| error.to_string())?;
    Ok(names(&graph, &layers))
}

#[test]
fn every_step_of_the_pipeline_does_what_dockertools_does() {
    let run = |text: &str| pipeline(text).unwrap();
    assert_eq!(
        run(r#"[["split_paths", ["B"]]]"#),
        ["B D E G F", "Root1 A C Root2 Root3"].map(str::to_owned).to_vec()
    );
    assert_eq!(run(r#"[["split_paths", [{"children_of": "A"}]]]"#).len(), 2);
    assert_eq!(run(r#"[["split_paths", ["nobody"]]]"#).len(), 1);
    assert_eq!(run(r#"[["subcomponent_out", ["E"]]]"#)[0], "E F");
    assert_eq!(run(r#"[["subcomponent_in", ["E"]]]"#)[0], "Root1 A B E Root2");
    assert_eq!(run(r#"[["split_every", 4]]"#).len(), 3);
    let reversed = run(r#"[["split_every", 4], ["reverse"], ["limit_layers", 2]]"#);
    assert_eq!(reversed[0].split(' ').count(), 2);
    assert_eq!(
        run(r#"[["split_paths", ["B"]], ["reorder", ["rest", "main"]], ["flatten"]]"#)[0],
        "Root1 A C Root2 Root3"
    );
    let over = r#"[["split_paths", ["B"]], ["over", "main", ["pipe", [["popularity_contest"], ["limit_layers", 2]]]], ["flatten"], ["map", ["remove_paths", ["A", "Root1"]]]]"#;
    assert_eq!(run(over), ["F", "D E G B", "C Root2 Root3"].map(str::to_owned).to_vec());
    assert_eq!(run("[]").len(), 1);
    assert_eq!(run(r#"[["popularity_contest"], ["limit_layers", 100]]"#).len(), 10);
}

#[test]
fn a_pipeline_that_cannot_work_says_where() {
    let error = |text: &str| pipeline(text).unwrap_err();
    assert_eq!(error("{"), "the pipeline is not JSON");
    assert_eq!(error("{}"), "`pipeline` must be a list of steps");
    assert_eq!(error(r#"[["flaten"]]"#), "`pipeline[0]` is `flaten`, which is no step");
    assert_eq!(
        error(r#"[["flatten"], ["over", "main", ["limit_layers", 0]]]"#),
        "`pipeline[1][2]` must give `limit_layers` a number above 0"
    );
    assert_eq!(
        error(r#"[["flatten", 1]]"#),
        "`pipeline[0]` gives `flatten` 1 arguments, but it takes 0"
    );
    assert_eq!(error(r#"[["limit_layers", 3]]"#), "`limit_layers` takes a list, but got a graph");
    assert_eq!(
        error(r#"[["split_paths", ["B"]], ["over", "common", ["flatten"]]]"#),
        "`over` finds no group `common`, only `main`, `rest`"
    );
    let deep = format!("{}[\"flatten\"]{}", "[\"map\",".repeat(100), "]".repeat(100));
    assert!(error(&format!("[{deep}]")).ends_with("is nested too deep"));
}

#[test]
fn the_best_cut_is_the_best_of_all_cuts() {
    let sizes = [7, 1, 30, 2, 9, 4, 11];
    let nodes = sizes.iter().enumerate().map(|(at, size)| Node {
        path: format!("{at}-p{at}"),
        size: *size,
        references: (at >= 2).then(|| format!("{}-p{}", at - 2, at - 2)).into_iter().collect(),
    });
    let graph = Graph::new(nodes.collect()).unwrap();
    let mut rates = Rates::of_roots(graph.len(), &graph.roots());
    rates.set(3, 50);
    let forecast = Forecast::new(&graph, &rates);
    let order = forecast.order();
    for max in 1..=8 {
        let cuts = (0_u32..1 << (order.len() - 1)).filter(|cut| cut.count_ones() < max);
        let layers = |cut: u32| {
            let mut layers: Layers = vec![vec![order[0]]];
            for (at, index) in order.iter().enumerate().skip(1) {
                if cut >> (at - 1) & 1 == 1 {
                    layers.push(Vec::new());
                }
                layers.last_mut().unwrap().push(*index);
            }
            layers
        };
        let best = cuts.map(|cut| forecast.cost(&layers(cut))).min().unwrap();
        let ours = forecast.best_cut(max as usize);
        assert!(ours.len() <= max as usize);
        assert_eq!(forecast.cost(&ours), best, "{max}");
        let merged = forecast.merge(order.iter().map(|index| vec![*index]).collect(), max as usize);
        assert!(merged.len() <= max as usize);
        assert_eq!(merged.concat().len(), order.len());
    }
}
