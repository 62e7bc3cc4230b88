//! Which values of a registry are ports, ranges, lists and groups.

use std::collections::BTreeMap;
use std::rc::Rc;

use nixexpr::EvalError;

use crate::PortPath;
use crate::entry::{Entry, Ports, Protocol};
use crate::error::RegistryError;
use crate::pairs::{Ends, NAME_ENDS, Pair, paired, spellings};
use crate::registry::{Listing, Registry};
use crate::tree::{Node, View};

/// Groups inside groups.
const DEPTH: usize = 24;
/// Entries and groups of one registry.
const COUNT: usize = 50_000;
/// Entries that are named when a group is asked for.
const SHOWN: usize = 3;

/// Names of the ends of a range that is a set.
const SET_ENDS: [(&str, &str); 2] = [("from", "to"), ("start", "end")];
/// Attributes that say something about a port and are none.
const PROTOCOL: [&str; 2] = ["protocol", "proto"];

/// What a value is in a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shape {
    Port(i64),
    /// The numbers of a range, and the names of its ends.
    Range(i64, i64, (&'static str, &'static str)),
    List(Vec<Self>),
    Group,
    Other(&'static str),
    NoValue,
}

/// A value with its protocol, if it says one.
#[derive(Debug)]
pub(crate) struct Sort {
    pub(crate) shape: Shape,
    protocol: Option<Protocol>,
}

impl From<Shape> for Sort {
    fn from(shape: Shape) -> Self {
        Self { shape, protocol: None }
    }
}

impl Registry<'_> {
    /// The entry at a path; none if there is nothing.
    pub(crate) fn lookup(&mut self, path: &PortPath) -> Result<Option<Entry>, RegistryError> {
        let mut set = self.root;
        let parent = path.parent();
        for name in parent.names() {
            match self.tree.child(set, name)? {
                Some(child) => set = child,
                None => return Ok(None),
            }
        }
        let name = path.leaf();
        let Some(node) = self.tree.child(set, name)? else {
            return self.pair(set, &parent, name);
        };
        let sort = self.sort(node)?;
        match sort.shape {
            Shape::Group => {
                let inside = self.inside(node, path);
                Err(RegistryError::Group { path: path.clone(), inside })
            }
            Shape::Other(found) => {
                let place = self.tree.site(set, name)?.place;
                Err(RegistryError::NoPort { path: path.clone(), place, found: found.to_owned() })
            }
            Shape::NoValue => Err(RegistryError::NoValue(path.clone())),
            _ => self.entry(path.clone(), set, name, node, &sort).map(Some),
        }
    }

    fn inside(&mut self, node: Node, path: &PortPath) -> Vec<PortPath> {
        let mut walk = Walk::default();
        // Only to name some entries: what fails on the way does not matter.
        let _result = self.walk_group(node, path, &mut walk);
        walk.listing.entries.into_iter().take(SHOWN).map(|entry| entry.path).collect()
    }

    /// The range that `name-start` and `name-end` make.
    fn pair(
        &mut self,
        set: Node,
        parent: &PortPath,
        name: &str,
    ) -> Result<Option<Entry>, RegistryError> {
        for (first, last) in NAME_ENDS {
            for (first, last) in spellings(name, first, last) {
                let (Some(from), Some(to)) =
                    (self.tree.child(set, &first)?, self.tree.child(set, &last)?)
                else {
                    continue;
                };
                if let (View::Number(from_number), View::Number(to_number)) =
                    (self.tree.view(from)?, self.tree.view(to)?)
                {
                    let ends = Ends { from: from_number, to: to_number, first, last };
                    return self.pair_entry(set, parent, name, from, &ends).map(Some);
                }
            }
        }
        Ok(None)
    }

    fn pair_entry(
        &mut self,
        set: Node,
        parent: &PortPath,
        name: &str,
        from: Node,
        ends: &Ends,
    ) -> Result<Entry, RegistryError> {
        let path = parent.join(name);
        let site = self.tree.site(set, &ends.first)?;
        let ports = range(&path, ends.from, ends.to, site.place.as_ref())?;
        let last = self.tree.child(set, &ends.last)?.unwrap_or(from);
        Ok(Entry {
            ports,
            parts: vec![self.part(ends.from, from, ends.to, last)?],
            ends: Some([parent.join(&ends.first), parent.join(&ends.last)]),
            protocol: Protocol::from_name(name),
            place: site.place,
            description: site.description,
            written: self.tree.written(from)?,
            path,
        })
    }

    fn entry(
        &mut self,
        path: PortPath,
        set: Node,
        name: &str,
        node: Node,
        sort: &Sort,
    ) -> Result<Entry, RegistryError> {
        let site = self.tree.site(set, name)?;
        let ports = ports(&path, &sort.shape, site.place.as_ref())?;
        let ends = match sort.shape {
            Shape::Range(_, _, (from, to)) => Some([path.join(from), path.join(to)]),
            _ => None,
        };
        let number = self.number_node(node)?;
        let mut single = Vec::new();
        self.parts(node, &sort.shape, &mut single)?;
        let protocol = sort.protocol.or_else(|| Protocol::from_name(name));
        Ok(Entry {
            path,
            ports,
            ends,
            protocol,
            place: site.place,
            description: site.description,
            written: self.tree.written(number)?,
            parts: single,
        })
    }

    /// Tells what a value is.
    pub(crate) fn sort(&mut self, node: Node) -> Result<Sort, EvalError> {
        Ok(match self.tree.view(node)? {
            View::Number(number) => Shape::Port(number).into(),
            View::Text(_) => Shape::Other("a string").into(),
            View::Other(found) => Shape::Other(found).into(),
            View::NoValue => Shape::NoValue.into(),
            View::Set => self.sort_set(node)?,
            View::List(items) => {
                let mut shapes = Vec::with_capacity(items.len());
                for item in items {
                    match self.sort(item)?.shape {
                        shape @ (Shape::Port(_) | Shape::Range(..)) => shapes.push(shape),
                        _ => return Ok(Shape::Other("a list of something else than ports").into()),
                    }
                }
                let empty = shapes.is_empty();
                if empty { Shape::Other("an empty list") } else { Shape::List(shapes) }.into()
            }
        })
    }

    /// A set is a port if it has `port`, a range if it has both ends, and nothing else that may be a port.
    fn sort_set(&mut self, node: Node) -> Result<Sort, EvalError> {
        let mut shape = None;
        if let Some(port) = self.number(node, "port")? {
            shape = Some((Shape::Port(port), ["port", "port"]));
        }
        for (from, to) in SET_ENDS {
            if let (Some(first), Some(last)) = (self.number(node, from)?, self.number(node, to)?) {
                shape = Some((Shape::Range(first, last, (from, to)), [from, to]));
            }
        }
        let Some((shape, own)) = shape else { return Ok(Shape::Group.into()) };
        let mut protocol = None;
        for (name, child) in self.tree.children(node)? {
            if own.contains(&&*name) {
                continue;
            }
            match self.tree.view(child) {
                Ok(View::Number(_) | View::Set | View::List(_)) => return Ok(Shape::Group.into()),
                Ok(View::Text(text)) if PROTOCOL.contains(&&*name) => {
                    protocol = Protocol::from_text(&text);
                }
                _ => {}
            }
        }
        Ok(Sort { shape, protocol })
    }

    fn number(&mut self, node: Node, name: &str) -> Result<Option<i64>, EvalError> {
        let Some(child) = self.tree.child(node, name)? else { return Ok(None) };
        // One that fails is no number; it is reported where it is an entry of its own.
        Ok(match self.tree.view(child) {
            Ok(View::Number(number)) => Some(number),
            _ => None,
        })
    }

    /// Reads the whole registry.
    pub(crate) fn walk(&mut self) -> Result<Listing, RegistryError> {
        let mut walk = Walk::default();
        let root = self.root;
        self.walk_group(root, &PortPath::default(), &mut walk)?;
        let mut listing = walk.listing;
        listing.entries.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(listing)
    }

    fn walk_group(
        &mut self,
        node: Node,
        path: &PortPath,
        walk: &mut Walk,
    ) -> Result<(), RegistryError> {
        let too_many =
            |what, limit| Err(RegistryError::TooMany { file: self.file.clone(), what, limit });
        if path.names().len() >= DEPTH {
            return too_many("groups inside each other", DEPTH);
        }
        let children = self.tree.children(node)?;
        walk.count += children.len();
        if walk.count > COUNT {
            return too_many("entries", COUNT);
        }
        let mut numbers: BTreeMap<Rc<str>, i64> = BTreeMap::new();
        let mut sorts = Vec::with_capacity(children.len());
        for (name, child) in children {
            let sort = match self.sort(child) {
                Ok(sort) => sort,
                Err(error) => {
                    walk.listing.problems.push(error.into());
                    continue;
                }
            };
            if let Shape::Port(number) = sort.shape {
                numbers.insert(Rc::clone(&name), number);
            }
            sorts.push((name, child, sort));
        }
        for (name, child, sort) in sorts {
            let here = path.join(&name);
            match &sort.shape {
                Shape::Group => match self.walk_group(child, &here, walk) {
                    Err(RegistryError::Eval(error)) => walk.listing.problems.push(error.into()),
                    other => other?,
                },
                Shape::Other(_) if PROTOCOL.contains(&&*name) => {}
                Shape::Other(found) => {
                    let place = self.tree.site(node, &name)?.place;
                    let found = (*found).to_owned();
                    walk.listing.others.push(RegistryError::NoPort { path: here, place, found });
                }
                Shape::NoValue => walk.listing.problems.push(RegistryError::NoValue(here)),
                _ => {
                    let entry = match paired(&name, &numbers) {
                        Pair::None => self.entry(here, node, &name, child, &sort),
                        Pair::Second => continue,
                        Pair::First { base, ends } => {
                            self.pair_entry(node, path, &base, child, &ends)
                        }
                    };
                    walk.add(entry);
                }
            }
        }
        Ok(())
    }
}

/// What was found on the way.
#[derive(Debug, Default)]
struct Walk {
    listing: Listing,
    count: usize,
}

impl Walk {
    fn add(&mut self, entry: Result<Entry, RegistryError>) {
        match entry {
            Ok(entry) => self.listing.entries.push(entry),
            Err(problem) => self.listing.problems.push(problem),
        }
    }
}

fn ports(
    path: &PortPath,
    shape: &Shape,
    place: Option<&nixexpr::Place>,
) -> Result<Ports, RegistryError> {
    match shape {
        Shape::Port(number) => port(path, *number, place).map(Ports::One),
        Shape::Range(from, to, _) => range(path, *from, *to, place),
        Shape::List(shapes) => {
            let all: Result<_, _> = shapes.iter().map(|shape| ports(path, shape, place)).collect();
            all.map(Ports::Many)
        }
        Shape::Group | Shape::Other(_) | Shape::NoValue => Err(RegistryError::NoPort {
            path: path.clone(),
            place: place.cloned(),
            found: "a value".to_owned(),
        }),
    }
}

fn port(
    path: &PortPath,
    number: i64,
    place: Option<&nixexpr::Place>,
) -> Result<u16, RegistryError> {
    u16::try_from(number).ok().filter(|&port| port > 0).ok_or_else(|| RegistryError::OutOfRange {
        path: path.clone(),
        place: place.cloned(),
        number,
    })
}

fn range(
    path: &PortPath,
    from: i64,
    to: i64,
    place: Option<&nixexpr::Place>,
) -> Result<Ports, RegistryError> {
    let (first, last) = (port(path, from, place)?, port(path, to, place)?);
    if first > last {
        let (path, place) = (path.clone(), place.cloned());
        return Err(RegistryError::Backwards { path, place, from, to });
    }
    Ok(Ports::Range(first, last))
}
