//! Splits that nix2container and dockerTools themselves made.
#![expect(clippy::unwrap_used, reason = "a test may end where its ground fails")]

use oci::split::auto_layer::auto_layer;
use oci::split::pipeline::Pipeline;
use oci::split::{Graph, Node, popularity};
use serde_json::Value;

fn json(name: &str) -> Value {
    let bytes = fs_err::read(super::folder().join("layering").join(name)).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}

fn nodes_of(value: &Value) -> Vec<Node> {
    let node = |value: &Value| Node {
        path: value["path"].as_str().unwrap().to_owned(),
        size: value["narSize"].as_u64().unwrap(),
        references: strings(&value["references"]),
    };
    value.as_array().unwrap().iter().map(node).collect()
}

/// Every graph there is.
pub(crate) fn nodes() -> Vec<(String, Vec<Node>)> {
    let files = fs_err::read_dir(super::folder().join("layering")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let name = |file: String| Some(file.strip_prefix("graph-")?.strip_suffix(".json")?.to_owned());
    let mut names: Vec<String> = names.filter_map(name).collect();
    names.sort();
    assert!(names.len() >= 2, "{names:?}");
    let read = |name: String| (name.clone(), nodes_of(&json(&format!("graph-{name}.json"))));
    names.into_iter().map(read).collect()
}

fn graphs() -> impl Iterator<Item = (String, Graph)> {
    nodes().into_iter().map(|(name, nodes)| (name, Graph::new(nodes).unwrap()))
}

fn names<'g>(graph: &'g Graph, layers: &[Vec<usize>]) -> Vec<Vec<&'g str>> {
    layers.iter().map(|layer| layer.iter().map(|index| graph.path(*index)).collect()).collect()
}

#[test]
fn orders_by_popularity_are_those_of_both_peers() {
    for (name, graph) in graphs() {
        let expected = json(&format!("popularity-{name}.json"));
        let order = |key: &str| -> Vec<String> {
            let pairs = expected[key].as_array().unwrap().iter();
            pairs.map(|pair| pair[0].as_str().unwrap().to_owned()).collect()
        };
        let ours = popularity::n2c(&graph);
        let paths: Vec<&str> = ours.iter().map(|(index, _)| graph.path(*index)).collect();
        assert_eq!(paths, order("n2c_order"), "{name}");
        for ((_, score), pair) in ours.iter().zip(expected["n2c_order"].as_array().unwrap()) {
            assert_eq!(*score, pair[1].as_i64().unwrap(), "{name}");
        }
        let ours = popularity::dockertools(&graph);
        let paths: Vec<&str> = ours.iter().map(|index| graph.path(*index)).collect();
        assert_eq!(paths, order("dockertools_order"), "{name}");
    }
}

#[test]
fn auto_layer_splits_as_dockertools_does_at_every_limit() {
    let mut compared = 0;
    for (name, graph) in graphs() {
        for limit in 1..=200 {
            let file = format!("autolayer-{name}-{limit}.json");
            if !super::folder().join("layering").join(&file).exists() {
                continue;
            }
            let expected = json(&file);
            let expected: Vec<Vec<String>> =
                expected["layers"].as_array().unwrap().iter().map(strings).collect();
            assert_eq!(names(&graph, &auto_layer(&graph, limit)), expected, "{file}");
            compared += 1;
        }
    }
    assert!(compared >= 12, "only {compared} were found");
}

fn edges(case: &Value) -> Graph {
    let node = |path: &str, to: Option<&str>| Node {
        path: path.to_owned(),
        size: 0,
        references: to.map(str::to_owned).into_iter().collect(),
    };
    let pairs = case["edges"].as_array().unwrap().iter();
    let pairs = pairs.map(|edge| node(edge[0].as_str().unwrap(), Some(edge[1].as_str().unwrap())));
    let detached = strings(&case["detached"]);
    Graph::new(pairs.chain(detached.iter().map(|path| node(path, None))).collect()).unwrap()
}

fn run(graph: &Graph, pipeline: &Value) -> Vec<Vec<String>> {
    let pipeline = Pipeline::parse(pipeline.to_string().as_bytes()).unwrap();
    let layers = pipeline.run(graph).unwrap();
    let mut layers: Vec<Vec<String>> = names(graph, &layers)
        .into_iter()
        .map(|layer| layer.into_iter().map(str::to_owned).collect())
        .collect();
    for layer in &mut layers {
        layer.sort();
    }
    layers
}

fn sorted(value: &Value) -> Vec<String> {
    let mut list = strings(value);
    list.sort();
    list
}

#[test]
fn vectors_of_the_peers_unit_tests_hold() {
    let vectors = json("vectors.json");
    for (case, is_n2c) in
        [(&vectors["n2c_popularity"], true), (&vectors["dockertools_popularity_comment"], false)]
    {
        let nodes = case["graph"].as_object().unwrap().iter().map(|(path, references)| Node {
            path: path.clone(),
            size: 0,
            references: strings(references),
        });
        let graph = Graph::new(nodes.collect()).unwrap();
        let order: Vec<usize> = if is_n2c {
            popularity::n2c(&graph).into_iter().map(|(index, _)| index).collect()
        } else {
            popularity::dockertools(&graph)
        };
        let order: Vec<&str> = order.into_iter().map(|index| graph.path(index)).collect();
        assert_eq!(order, strings(&case["expected"]));
    }
    let pipes = vectors["pipe"].as_array().unwrap();
    for case in pipes {
        let expected: Vec<Vec<String>> =
            case["expected_sets"].as_array().unwrap().iter().map(sorted).collect();
        assert_eq!(run(&edges(case), &case["pipeline"]), expected, "{}", case["pipeline"]);
    }
    let splits = vectors["split_paths"].as_array().unwrap();
    let graph = edges(&splits[0]);
    for case in splits {
        let pipeline = serde_json::json!([["split_paths", case["args"]]]);
        let expected: Vec<Vec<String>> = ["main", "common", "rest"]
            .iter()
            .filter_map(|group| case["expected"].get(*group))
            .map(|group| match group {
                Value::String(_) => {
                    let mut all: Vec<String> =
                        (0..graph.len()).map(|index| graph.path(index).to_owned()).collect();
                    all.sort();
                    all
                }
                list => sorted(list),
            })
            .collect();
        assert_eq!(run(&graph, &pipeline), expected, "{}", case["args"]);
    }
    assert!(pipes.len() >= 4 && splits.len() >= 4);
}
