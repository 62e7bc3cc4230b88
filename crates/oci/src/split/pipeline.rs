//! The language of dockerTools' `layeringPipeline`: a JSON list of steps, each `[NAME, ARGUMENTS…]`, that
//! turn the graph into groups, lists and, in the end, layers.
//!
//! Specified by nixpkgs' `pkgs/build-support/flatten-references-graph`. What goes from step to step is a
//! graph, named groups (`main`, `common`, `rest`, …), or a list. Paths inside a layer are in the order of
//! their size, smallest first. Empty layers are left out. Refused is what cannot work there either: a step
//! on something else than it takes, and a group that is not there.

use std::sync::Arc;

use serde::Deserialize as _;
use serde_json::Value;

use super::{Bits, Graph, Layers, popularity};

/// Steps nest no deeper.
const DEEPEST: usize = 64;

/// A pipeline that was read and checked.
///
/// ```
/// use oci::split::pipeline::Pipeline;
/// let pipeline = Pipeline::parse(br#"[["popularity_contest"], ["limit_layers", 10]]"#)?;
/// assert!(Pipeline::parse(br#"[["popularity_contets"]]"#).is_err());
/// # Ok::<(), oci::split::pipeline::PipelineError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pipeline(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    PopularityContest,
    SplitPaths(Vec<Start>),
    SubcomponentIn(Vec<String>),
    SubcomponentOut(Vec<String>),
    Over(String, Box<Self>),
    Map(Box<Self>),
    Pipe(Vec<Self>),
    Flatten,
    LimitLayers(usize),
    SplitEvery(usize),
    RemovePaths(Vec<String>),
    Reverse,
    Reorder(Vec<String>),
}

/// What `split_paths` splits off.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Start {
    Path(String),
    ChildrenOf(Vec<String>),
}

/// A pipeline is none, or does not fit the graph.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// Not JSON.
    #[error("the pipeline is not JSON")]
    Json(#[source] serde_json::Error),
    /// A step that cannot be read.
    #[error("`{at}` {what}")]
    Step {
        /// Which step, as a path into the JSON.
        at: String,
        /// What is wrong with it.
        what: String,
    },
    /// A step that got something else than it takes.
    #[error("`{step}` takes {takes}, but got {got}")]
    Type {
        /// The step.
        step: &'static str,
        /// What it takes.
        takes: &'static str,
        /// What it got.
        got: &'static str,
    },
    /// A group that is not there.
    #[error("`over` finds no group `{name}`, only {}", .present.join(", "))]
    Group {
        /// The group.
        name: String,
        /// What there is.
        present: Vec<String>,
    },
}

/// What goes from step to step.
enum Data {
    Graph(Part),
    Groups(Vec<(String, Self)>),
    List(Vec<Self>),
}

/// Some of the paths, in order, with the references that are left between them.
#[derive(Clone)]
struct Part {
    paths: Vec<usize>,
    /// By the path's number in the whole graph.
    references: Arc<Vec<Vec<usize>>>,
}

impl Pipeline {
    /// Reads a pipeline.
    ///
    /// # Errors
    /// If it is not JSON, or a step is not one of the language.
    pub fn parse(bytes: &[u8]) -> Result<Self, PipelineError> {
        let value: Value = serde_json::from_slice(bytes).map_err(PipelineError::Json)?;
        steps(&value, "pipeline", 0).map(Self)
    }

    /// Runs the steps on a graph.
    ///
    /// # Errors
    /// If a step gets something else than it takes.
    pub fn run(&self, graph: &Graph) -> Result<Layers, PipelineError> {
        let mut paths: Vec<usize> = (0..graph.len()).collect();
        paths.sort_by_key(|index| graph.size(*index));
        let references = (0..graph.len()).map(|index| graph.references(index).to_vec()).collect();
        let whole = Data::Graph(Part { paths, references: Arc::new(references) });
        let mut layers = Layers::new();
        collect(run(&self.0, graph, whole)?, &mut layers);
        Ok(layers)
    }
}

/// Every graph in the order in which it is found.
fn collect(data: Data, layers: &mut Layers) {
    match data {
        Data::Graph(part) if part.paths.is_empty() => {}
        Data::Graph(part) => layers.push(part.paths),
        Data::Groups(groups) => groups.into_iter().for_each(|(_, data)| collect(data, layers)),
        Data::List(list) => list.into_iter().for_each(|data| collect(data, layers)),
    }
}

fn steps(value: &Value, at: &str, depth: usize) -> Result<Vec<Step>, PipelineError> {
    let wrong = |what: &str| PipelineError::Step { at: at.to_owned(), what: what.to_owned() };
    if depth > DEEPEST {
        return Err(wrong("is nested too deep"));
    }
    let list = value.as_array().ok_or_else(|| wrong("must be a list of steps"))?;
    let each = list.iter().enumerate();
    each.map(|(number, value)| step(value, &format!("{at}[{number}]"), depth + 1)).collect()
}

fn step(value: &Value, at: &str, depth: usize) -> Result<Step, PipelineError> {
    let wrong = |what: String| PipelineError::Step { at: at.to_owned(), what };
    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
    let [Value::String(name), arguments @ ..] = list else {
        return Err(wrong("must be a list that begins with a step's name".to_owned()));
    };
    let inner = |number: usize| -> Result<Box<Step>, PipelineError> {
        if depth > DEEPEST {
            return Err(wrong("is nested too deep".to_owned()));
        }
        Ok(Box::new(step(&arguments[number], &format!("{at}[{}]", number + 1), depth + 1)?))
    };
    let expect = |count: usize| match arguments.len() {
        found if found == count => Ok(()),
        found => Err(wrong(format!("gives `{name}` {found} arguments, but it takes {count}"))),
    };
    let argument = |what: &str| wrong(format!("must give `{name}` {what}"));
    let strings = || -> Result<Vec<String>, PipelineError> {
        expect(1)?;
        Vec::deserialize(&arguments[0]).map_err(|_| argument("a list of strings"))
    };
    let count = || -> Result<usize, PipelineError> {
        expect(1)?;
        let count = arguments[0].as_u64().and_then(|count| usize::try_from(count).ok());
        count.filter(|count| *count > 0).ok_or_else(|| argument("a number above 0"))
    };
    Ok(match name.as_str() {
        "popularity_contest" => expect(0).map(|()| Step::PopularityContest)?,
        "flatten" => expect(0).map(|()| Step::Flatten)?,
        "reverse" => expect(0).map(|()| Step::Reverse)?,
        "limit_layers" => Step::LimitLayers(count()?),
        "split_every" => Step::SplitEvery(count()?),
        "subcomponent_in" => Step::SubcomponentIn(strings()?),
        "subcomponent_out" => Step::SubcomponentOut(strings()?),
        "reorder" => Step::Reorder(strings()?),
        "remove_paths" => match arguments {
            [Value::String(path)] => Step::RemovePaths(vec![path.clone()]),
            _ => Step::RemovePaths(strings()?),
        },
        "split_paths" => {
            expect(1)?;
            let list = arguments[0].as_array().ok_or_else(|| argument("a list"))?;
            let starts = list.iter().map(start).collect::<Option<_>>();
            Step::SplitPaths(starts.ok_or_else(|| {
                argument("paths, or objects with `children_of` and a path or paths")
            })?)
        }
        "over" => {
            expect(2)?;
            let group = arguments[0].as_str().ok_or_else(|| argument("a group's name"))?;
            Step::Over(group.to_owned(), inner(1)?)
        }
        "map" => {
            expect(1)?;
            Step::Map(inner(0)?)
        }
        "pipe" => {
            expect(1)?;
            Step::Pipe(steps(&arguments[0], &format!("{at}[1]"), depth + 1)?)
        }
        other => return Err(wrong(format!("is `{other}`, which is no step"))),
    })
}

fn start(value: &Value) -> Option<Start> {
    match value {
        Value::String(path) => Some(Start::Path(path.clone())),
        Value::Object(object) if object.len() == 1 => match object.get("children_of")? {
            Value::String(path) => Some(Start::ChildrenOf(vec![path.clone()])),
            list => Vec::deserialize(list).ok().map(Start::ChildrenOf),
        },
        _ => None,
    }
}

fn run(steps: &[Step], graph: &Graph, data: Data) -> Result<Data, PipelineError> {
    steps.iter().try_fold(data, |data, step| apply(step, graph, data))
}

fn apply(step: &Step, graph: &Graph, data: Data) -> Result<Data, PipelineError> {
    let of = |paths: Vec<usize>, part: &Part| {
        Data::Graph(Part { paths, references: Arc::clone(&part.references) })
    };
    Ok(match step {
        Step::PopularityContest => {
            let part = data.graph("popularity_contest")?;
            let references = |index: usize| part.references[index].as_slice();
            let order = popularity::dockertools_among(graph, &part.paths, references);
            Data::List(order.into_iter().map(|index| of(vec![index], &part)).collect())
        }
        Step::SplitPaths(starts) => data.graph("split_paths")?.split_paths(graph, starts),
        Step::SubcomponentIn(paths) => {
            data.graph("subcomponent_in")?.subcomponent(graph, paths, true)
        }
        Step::SubcomponentOut(paths) => {
            data.graph("subcomponent_out")?.subcomponent(graph, paths, false)
        }
        Step::Over(name, step) => {
            let mut groups = data.groups("over")?;
            let at = groups.iter().position(|(group, _)| group == name).ok_or_else(|| {
                let present = groups.iter().map(|(group, _)| format!("`{group}`")).collect();
                PipelineError::Group { name: name.clone(), present }
            })?;
            let (name, value) = groups.remove(at);
            groups.insert(at, (name, apply(step, graph, value)?));
            Data::Groups(groups)
        }
        Step::Map(step) => {
            let list = data.list("map")?.into_iter();
            Data::List(list.map(|item| apply(step, graph, item)).collect::<Result<_, _>>()?)
        }
        Step::Pipe(steps) => run(steps, graph, data)?,
        Step::Flatten => {
            let mut flat = Vec::new();
            flatten(data, &mut flat);
            Data::List(flat)
        }
        Step::LimitLayers(max) => {
            let mut list = data.list("limit_layers")?;
            let rest = list.split_off(list.len().min(max - 1));
            let rest = rest.into_iter().map(|item| item.graph("limit_layers"));
            let rest = rest.collect::<Result<Vec<_>, _>>()?;
            if let Some(first) = rest.first() {
                let references = Arc::clone(&first.references);
                let paths = rest.iter().flat_map(|part| part.paths.iter().copied()).collect();
                list.push(Data::Graph(Part { paths, references }));
            }
            Data::List(list)
        }
        Step::SplitEvery(count) => {
            let part = data.graph("split_every")?;
            let chunks = part.paths.chunks(*count).map(|chunk| of(chunk.to_vec(), &part));
            Data::List(chunks.collect())
        }
        Step::RemovePaths(paths) => {
            let mut part = data.graph("remove_paths")?;
            part.paths.retain(|index| !paths.iter().any(|path| path == graph.path(*index)));
            Data::Graph(part)
        }
        Step::Reverse => {
            let mut list = data.list("reverse")?;
            list.reverse();
            Data::List(list)
        }
        Step::Reorder(names) => {
            let mut groups = data.groups("reorder")?;
            let place = |group: &str| names.iter().position(|name| name == group);
            groups.sort_by_key(|(group, _)| place(group).unwrap_or(names.len()));
            Data::Groups(groups)
        }
    })
}

fn flatten(data: Data, out: &mut Vec<Data>) {
    match data {
        Data::Graph(_) => out.push(data),
        Data::Groups(groups) => groups.into_iter().for_each(|(_, data)| flatten(data, out)),
        Data::List(list) => list.into_iter().for_each(|data| flatten(data, out)),
    }
}

impl Data {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Graph(_) => "a graph",
            Self::Groups(_) => "named groups",
            Self::List(_) => "a list",
        }
    }

    fn graph(self, step: &'static str) -> Result<Part, PipelineError> {
        match self {
            Self::Graph(part) => Ok(part),
            other => Err(PipelineError::Type { step, takes: "a graph", got: other.kind() }),
        }
    }

    fn groups(self, step: &'static str) -> Result<Vec<(String, Self)>, PipelineError> {
        match self {
            Self::Groups(groups) => Ok(groups),
            other => Err(PipelineError::Type { step, takes: "named groups", got: other.kind() }),
        }
    }

    fn list(self, step: &'static str) -> Result<Vec<Self>, PipelineError> {
        match self {
            Self::List(list) => Ok(list),
            other => Err(PipelineError::Type { step, takes: "a list", got: other.kind() }),
        }
    }
}

impl Part {
    /// The numbers of those paths that are here.
    fn find(&self, graph: &Graph, names: &[String]) -> Vec<usize> {
        let number = |name: &String| self.paths.iter().copied().find(|at| graph.path(*at) == name);
        names.iter().filter_map(number).collect()
    }

    fn inside(&self, length: usize) -> Bits {
        Bits::of(length, &self.paths)
    }

    /// Everything that can be reached inside the part without stepping on `closed`.
    fn reach(start: &[usize], edges: &[Vec<usize>], inside: &Bits, closed: &Bits) -> Bits {
        let mut seen = Bits::of(edges.len(), start);
        let mut todo = start.to_vec();
        while let Some(index) = todo.pop() {
            for &next in &edges[index] {
                if inside.contains(next) && !seen.contains(next) && !closed.contains(next) {
                    seen.insert(next);
                    todo.push(next);
                }
            }
        }
        seen
    }

    fn keep(&self, wanted: impl Fn(usize) -> bool, references: &Arc<Vec<Vec<usize>>>) -> Self {
        let paths = self.paths.iter().copied().filter(|index| wanted(*index)).collect();
        Self { paths, references: Arc::clone(references) }
    }

    fn subcomponent(self, graph: &Graph, names: &[String], upwards: bool) -> Data {
        let start = self.find(graph, names);
        let (inside, nothing) = (self.inside(graph.len()), Bits::new(graph.len()));
        let found = if upwards {
            let mut users = vec![Vec::new(); graph.len()];
            for &from in &self.paths {
                self.references[from].iter().for_each(|to| users[*to].push(from));
            }
            Self::reach(&start, &users, &inside, &nothing)
        } else {
            Self::reach(&start, &self.references, &inside, &nothing)
        };
        let groups = [("main", true), ("rest", false)].map(|(name, is_found)| {
            let part = self.keep(|index| found.contains(index) == is_found, &self.references);
            (name.to_owned(), Data::Graph(part))
        });
        Data::Groups(groups.into())
    }

    /// `main`: what only the starts lead to, they included; `common`: what others lead to as well; `rest`.
    /// References to the starts are gone in all of them.
    fn split_paths(self, graph: &Graph, starts: &[Start]) -> Data {
        let inside = self.inside(graph.len());
        let children = |names: &[String]| -> Vec<usize> {
            let parents = self.find(graph, names);
            let children = parents.iter().flat_map(|parent| self.references[*parent].clone());
            children.filter(|child| inside.contains(*child)).collect()
        };
        let starts = starts.iter().flat_map(|start| match start {
            Start::Path(path) => self.find(graph, std::slice::from_ref(path)),
            Start::ChildrenOf(names) => children(names),
        });
        let starts: Vec<usize> = starts.collect();
        let group = |name: &str, part: Self| (name.to_owned(), Data::Graph(part));
        if starts.is_empty() {
            return Data::Groups(vec![group("rest", self)]);
        }
        let mut is_used = Bits::new(graph.len());
        for from in &self.paths {
            self.references[*from].iter().for_each(|to| is_used.insert(*to));
        }
        let is_root = |index: &&usize| !is_used.contains(**index);
        let roots: Vec<usize> = self.paths.iter().filter(is_root).copied().collect();
        if matches!(roots[..], [only] if starts.contains(&only)) {
            return Data::Groups(vec![group("main", self)]);
        }
        let closed = Bits::of(graph.len(), &starts);
        let nothing = Bits::new(graph.len());
        let split_off = Self::reach(&starts, &self.references, &inside, &nothing);
        let from: Vec<usize> = roots.into_iter().filter(|root| !closed.contains(*root)).collect();
        let others = Self::reach(&from, &self.references, &inside, &closed);
        let mut references = (*self.references).clone();
        for list in &mut references {
            list.retain(|to| !closed.contains(*to));
        }
        let references = Arc::new(references);
        let parts = [
            ("main", self.keep(|i| split_off.contains(i) && !others.contains(i), &references)),
            ("common", self.keep(|i| split_off.contains(i) && others.contains(i), &references)),
            ("rest", self.keep(|i| !split_off.contains(i) && others.contains(i), &references)),
        ];
        let there = parts.into_iter().filter(|(_, part)| !part.paths.is_empty());
        Data::Groups(there.map(|(name, part)| group(name, part)).collect())
    }
}
