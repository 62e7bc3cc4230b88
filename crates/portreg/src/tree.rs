//! A registry as a tree of values, whatever it is written in.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use nixexpr::data::{Data, Kind as DataKind};
use nixexpr::{Binding, EvalError, Evaluator, Kind, Limits, Lines, Place, Span, Written};

use crate::{comment, question};

/// A value in the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Node {
    Nix(nixexpr::Value),
    Data(usize),
}

/// What a value is, as far as a registry cares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum View {
    Number(i64),
    Text(String),
    Set,
    List(Vec<Node>),
    Other(&'static str),
    /// Nix was asked and could not evaluate it.
    NoValue,
}

/// Where an entry is defined, and the comment behind it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Site {
    pub(crate) place: Option<Place>,
    pub(crate) description: Option<String>,
}

/// What was done that Nix does not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extensions {
    /// A function was called with arguments that nobody gave.
    pub head: bool,
    /// The `content` of an override was taken for the override.
    pub overridden: bool,
    /// Other attributes of the file have no value.
    pub partial: bool,
}

/// A value as the language has it.
#[derive(Debug)]
pub(crate) enum Raw {
    Number(i64),
    /// What has nothing in it, as text.
    Plain(String),
    List(Vec<Node>),
    Set(Vec<(Rc<str>, Node)>),
}

#[derive(Debug)]
pub(crate) enum Tree {
    Nix(Box<NixTree>),
    Data(DataTree),
}

/// A Nix file, evaluated as it is looked at.
#[derive(Debug)]
pub(crate) struct NixTree {
    nix: Evaluator,
    root: nixexpr::Value,
    extensions: Extensions,
}

/// A text of data.
#[derive(Debug)]
pub(crate) struct DataTree {
    file: PathBuf,
    text: String,
    lines: Lines,
    nodes: Vec<DataNode>,
    /// Numbers may be in quotes.
    coerce: bool,
    /// The text is the registry, so its places mean something.
    places: bool,
}

#[derive(Debug)]
struct DataNode {
    view: DataView,
    span: Span,
}

#[derive(Debug)]
enum DataView {
    Plain(View),
    /// Members by name: the node and the name's place.
    Set(Vec<(Rc<str>, usize, Span)>),
}

impl NixTree {
    /// `overlay` is a text that stands for a file.
    pub(crate) fn open(
        file: &Path,
        overlay: Option<&(PathBuf, String)>,
    ) -> Result<Self, EvalError> {
        let mut nix = Evaluator::new(Limits::default());
        if let Some((path, text)) = overlay {
            nix.overlay(path, text);
        }
        let root = nix.file(file)?;
        let (root, head) = nix.apply_head(root)?;
        Ok(Self { nix, root, extensions: Extensions { head, ..Extensions::default() } })
    }

    /// An override means its content, as NixOS takes it.
    fn content(&mut self, value: nixexpr::Value) -> Result<nixexpr::Value, EvalError> {
        /// Overrides of overrides.
        const LEVELS: usize = 8;
        let mut value = value;
        for _ in 0..LEVELS {
            if self.nix.kind(value)? != Kind::Set {
                break;
            }
            let Some(kind) = self.nix.attribute(value, "_type")? else { break };
            let is_override =
                matches!(self.nix.kind(kind), Ok(Kind::Text(kind)) if &*kind == "override");
            let Some(content) = self.nix.attribute(value, "content")? else { break };
            if !is_override {
                break;
            }
            self.extensions.overridden = true;
            value = content;
        }
        Ok(value)
    }

    fn view(&mut self, value: nixexpr::Value) -> Result<View, EvalError> {
        let value = self.content(value)?;
        Ok(match self.nix.kind(value)? {
            Kind::Int(number) => View::Number(number),
            Kind::Text(text) => View::Text(text.to_string()),
            Kind::Set => View::Set,
            Kind::List(_) => {
                View::List(self.nix.items(value)?.into_iter().map(Node::Nix).collect())
            }
            Kind::Null => View::Other("null"),
            Kind::Bool(_) => View::Other("a Boolean"),
            Kind::Float(_) => View::Other("a float"),
            Kind::Path => View::Other("a path"),
            Kind::Function => View::Other("a function"),
        })
    }
}

impl DataTree {
    /// Takes a text of data that is the registry itself.
    pub(crate) fn registry(file: &Path, text: String, data: &Data) -> Self {
        Self::of(file, text, data, true)
    }

    /// Takes what Nix answered.
    pub(crate) fn answer(file: &Path, data: &Data) -> Self {
        Self::of(file, String::new(), data, false)
    }

    fn of(file: &Path, text: String, data: &Data, is_registry: bool) -> Self {
        let mut tree = Self {
            file: file.to_owned(),
            lines: Lines::of(&text),
            text,
            nodes: Vec::new(),
            coerce: is_registry,
            places: is_registry,
        };
        tree.add(data);
        tree
    }

    fn place(&self, span: Span) -> Place {
        self.lines.place(&self.file, &self.text, span.range().start)
    }

    fn add(&mut self, data: &Data) -> usize {
        let index = self.nodes.len();
        let unknown = View::Other("a value");
        self.nodes.push(DataNode { view: DataView::Plain(unknown), span: data.span });
        let view = match &data.kind {
            DataKind::Null => DataView::Plain(View::Other("null")),
            DataKind::Bool(_) => DataView::Plain(View::Other("a Boolean")),
            DataKind::Float(_) => DataView::Plain(View::Other("a float")),
            DataKind::Int(number) => DataView::Plain(View::Number(*number)),
            DataKind::Text(text) => DataView::Plain(self.text_view(text)),
            DataKind::List(items) => {
                let items = items.iter().map(|item| Node::Data(self.add(item))).collect();
                DataView::Plain(View::List(items))
            }
            DataKind::Set(members) => {
                let mut set: Vec<(Rc<str>, usize, Span)> = Vec::with_capacity(members.len());
                for member in members {
                    let node = self.add(&member.value);
                    set.push((Rc::from(&*member.name), node, member.span));
                }
                // Of two members with one name the last one counts.
                set.reverse();
                set.sort_by(|a, b| a.0.cmp(&b.0));
                set.dedup_by(|a, b| a.0 == b.0);
                let marked = |name: &str| {
                    members.iter().any(|member| {
                        member.name == name
                            && member.value.kind == DataKind::Text(question::NO_VALUE.to_owned())
                    })
                };
                if !self.places && marked("_type") {
                    DataView::Plain(View::NoValue)
                } else {
                    DataView::Set(set)
                }
            }
        };
        if let Some(node) = self.nodes.get_mut(index) {
            node.view = view;
        }
        index
    }

    fn text_view(&self, text: &str) -> View {
        let digits =
            !text.is_empty() && text.len() <= 10 && text.bytes().all(|b| b.is_ascii_digit());
        match text.parse() {
            Ok(number) if self.coerce && digits => View::Number(number),
            _ => View::Text(text.to_owned()),
        }
    }

    fn members(&self, node: usize) -> &[(Rc<str>, usize, Span)] {
        match self.nodes.get(node).map(|node| &node.view) {
            Some(DataView::Set(members)) => members,
            _ => &[],
        }
    }

    fn member(&self, node: usize, name: &str) -> Option<&(Rc<str>, usize, Span)> {
        let members = self.members(node);
        let index = members.binary_search_by(|(other, _, _)| (**other).cmp(name)).ok()?;
        members.get(index)
    }
}

impl Tree {
    pub(crate) fn root(&self) -> Node {
        match self {
            Self::Nix(tree) => Node::Nix(tree.root),
            Self::Data(_) => Node::Data(0),
        }
    }

    pub(crate) fn extensions(&self) -> Extensions {
        match self {
            Self::Nix(tree) => tree.extensions,
            Self::Data(_) => Extensions::default(),
        }
    }

    pub(crate) fn note_partial(&mut self) {
        if let Self::Nix(tree) = self {
            tree.extensions.partial = true;
        }
    }

    /// Evaluates everything below a node.
    pub(crate) fn force(&mut self, node: Node) -> Result<(), EvalError> {
        match (self, node) {
            (Self::Nix(tree), Node::Nix(value)) => tree.nix.json(value).map(drop),
            _ => Ok(()),
        }
    }

    pub(crate) fn view(&mut self, node: Node) -> Result<View, EvalError> {
        match (self, node) {
            (Self::Nix(tree), Node::Nix(value)) => tree.view(value),
            (Self::Data(tree), Node::Data(node)) => {
                Ok(match tree.nodes.get(node).map(|node| &node.view) {
                    Some(DataView::Plain(view)) => view.clone(),
                    Some(DataView::Set(_)) => View::Set,
                    None => View::Other("a value"),
                })
            }
            _ => Ok(View::Other("a value")),
        }
    }

    /// A value as it is, overrides too.
    pub(crate) fn raw(&mut self, node: Node) -> Result<Raw, EvalError> {
        match (self, node) {
            (Self::Nix(tree), Node::Nix(value)) => Ok(match tree.nix.kind(value)? {
                Kind::Int(number) => Raw::Number(number),
                Kind::List(_) => {
                    Raw::List(tree.nix.items(value)?.into_iter().map(Node::Nix).collect())
                }
                Kind::Set => {
                    let attributes = tree.nix.attributes(value)?.into_iter();
                    Raw::Set(attributes.map(|a| (a.name, Node::Nix(a.value))).collect())
                }
                other => Raw::Plain(format!("{other:?}")),
            }),
            (tree, node) => Ok(match tree.view(node)? {
                View::Number(number) => Raw::Number(number),
                View::Set => Raw::Set(tree.children(node)?),
                View::List(items) => Raw::List(items),
                other => Raw::Plain(format!("{other:?}")),
            }),
        }
    }

    /// The member `name` of a set.
    pub(crate) fn child(&mut self, node: Node, name: &str) -> Result<Option<Node>, EvalError> {
        match (self, node) {
            (Self::Nix(tree), Node::Nix(value)) => {
                let set = tree.content(value)?;
                Ok(tree.nix.attribute(set, name)?.map(Node::Nix))
            }
            (Self::Data(tree), Node::Data(node)) => {
                Ok(tree.member(node, name).map(|(_, node, _)| Node::Data(*node)))
            }
            _ => Ok(None),
        }
    }

    /// The members of a set in the order of their names.
    pub(crate) fn children(&mut self, node: Node) -> Result<Vec<(Rc<str>, Node)>, EvalError> {
        match (self, node) {
            (Self::Nix(tree), Node::Nix(value)) => {
                let set = tree.content(value)?;
                let attributes = tree.nix.attributes(set)?;
                Ok(attributes.into_iter().map(|a| (a.name, Node::Nix(a.value))).collect())
            }
            (Self::Data(tree), Node::Data(node)) => {
                let members = tree.members(node).iter();
                Ok(members.map(|(name, node, _)| (Rc::clone(name), Node::Data(*node))).collect())
            }
            _ => Ok(Vec::new()),
        }
    }

    /// Where the member `name` of a set is defined.
    pub(crate) fn site(&mut self, node: Node, name: &str) -> Result<Site, EvalError> {
        match (self, node) {
            (Self::Nix(tree), Node::Nix(value)) => {
                let set = tree.content(value)?;
                let Some(binding) = tree.nix.binding(set, name)? else {
                    return Ok(Site::default());
                };
                let description = comment::behind(&binding.text, binding.span.range().end);
                Ok(Site { place: Some(binding.place), description })
            }
            (Self::Data(tree), Node::Data(node)) if tree.places => {
                let Some((_, value, span)) = tree.member(node, name) else {
                    return Ok(Site::default());
                };
                let place = tree.place(*span);
                let end = tree.nodes.get(*value).map_or(0, |node| node.span.range().end);
                // JSON has no comments, and a comma ends a member of an inline table.
                let description = comment::behind(&tree.text, end);
                Ok(Site { place: Some(place), description })
            }
            _ => Ok(Site::default()),
        }
    }

    /// The binding `name = value;` of a set in Nix.
    pub(crate) fn binding(&mut self, node: Node, name: &str) -> Result<Option<Binding>, EvalError> {
        match (self, node) {
            (Self::Nix(tree), Node::Nix(value)) => {
                let set = tree.content(value)?;
                tree.nix.binding(set, name)
            }
            _ => Ok(None),
        }
    }

    /// Where a value was written.
    pub(crate) fn written(&mut self, node: Node) -> Result<Option<Written>, EvalError> {
        match (self, node) {
            (Self::Nix(tree), Node::Nix(value)) => {
                let value = tree.content(value)?;
                tree.nix.written(value).map(Some)
            }
            (Self::Data(tree), Node::Data(index)) if tree.places => {
                Ok(tree.nodes.get(index).map(|node| Written {
                    place: tree.place(node.span),
                    span: node.span,
                    literal: true,
                    instance: 0,
                }))
            }
            _ => Ok(None),
        }
    }
}
