//! From a call to its literal and its lockfile, through the names of one Nix file.

use std::path::{Path, PathBuf};

use nixexpr::{Outline, Shape};

use super::literal::{self, is_fake_name, known};
use super::{Kind, Literal};
use crate::view::{View, plain};

/// So many names are followed, one after the other.
const MAX_STEPS: usize = 16;

/// The lockfile of a call.
pub(super) enum Lockfile {
    /// In this repository.
    Here(PathBuf),
    /// Where its source is: not here.
    Elsewhere,
    /// It should be here.
    Missing,
}

/// The source of a package.
enum Source {
    Here(PathBuf),
    Elsewhere,
    /// An argument of a function, or nothing at all.
    Unsaid,
}

pub(super) struct Finder<'a> {
    pub(super) outline: &'a Outline,
    pub(super) file: &'a Path,
    pub(super) text: &'a str,
    pub(super) view: &'a dyn View,
}

impl Finder<'_> {
    /// The set that an expression is, through names.
    pub(super) fn set(&self, mut number: usize) -> Option<usize> {
        for _ in 0..MAX_STEPS {
            number = match &self.outline.node(number).shape {
                Shape::Set { .. } => return Some(number),
                Shape::Name(name) => self.outline.lookup(number, name)?,
                // `finalAttrs: { … }`, as builders take it.
                Shape::Function { body, .. } => *body,
                _ => return None,
            };
        }
        None
    }

    /// The literal of a set's attribute.
    pub(super) fn hash(&self, set: usize, attribute: &str) -> Option<Literal> {
        let entry = self.outline.entry(set, attribute)?;
        match (entry.value, entry.from) {
            (Some(value), _) => self.literal(value, 0),
            (None, Some(from)) => self.member(from, &[attribute.to_owned()], 0),
            (None, None) => self.named(set, attribute, 0),
        }
    }

    /// A number that a set has under one of these names.
    pub(super) fn number(&self, set: usize, names: &[&str]) -> Option<u32> {
        let value = names.iter().find_map(|name| self.outline.attribute(set, name))?;
        self.text[self.outline.node(value).span.range()].parse().ok()
    }

    /// The literal that a name stands for.
    fn named(&self, user: usize, name: &str, steps: usize) -> Option<Literal> {
        let entry = self.outline.binding(user, name)?;
        match (entry.value, entry.from) {
            (Some(value), _) if entry.path.len() == 1 => self.literal(value, steps + 1),
            (None, Some(from)) => self.member(from, &[name.to_owned()], steps + 1),
            _ => None,
        }
    }

    /// The literal that an expression leads to.
    fn literal(&self, number: usize, steps: usize) -> Option<Literal> {
        if steps > MAX_STEPS {
            return None;
        }
        let node = self.outline.node(number);
        let span = node.span.range();
        let own = |span, hash, quoted| Literal { file: self.file.to_owned(), span, hash, quoted };
        match &node.shape {
            Shape::Text { text, whole: true } => {
                let written = &self.text[span.clone()];
                let quotes = match written.bytes().next()? {
                    b'"' => 1,
                    b'\'' => 2,
                    // A URL without quotes.
                    _ => return None,
                };
                let inside = span.start + quotes..span.end - quotes;
                Some(own(inside, known(text.trim()), false))
            }
            Shape::Name(name) if is_fake_name(name) => Some(own(span, None, true)),
            Shape::Select { path, .. } if path.last().is_some_and(|last| is_fake_name(last)) => {
                Some(own(span, None, true))
            }
            Shape::Name(name) => self.named(number, name, steps),
            Shape::Select { from, path, .. } => self.member(*from, path, steps + 1),
            Shape::Apply { function, argument } => {
                let is_read = matches!(self.called(*function)?, "readFile" | "fileContents");
                is_read.then(|| literal::whole(self.path(*argument)?, self.view)).flatten()
            }
            _ => None,
        }
    }

    /// The literal of an attribute of what an expression is: a set here, or a JSON file.
    fn member(&self, from: usize, path: &[String], steps: usize) -> Option<Literal> {
        if steps > MAX_STEPS || path.is_empty() {
            return None;
        }
        match &self.outline.node(from).shape {
            Shape::Name(name) => {
                let entry = self.outline.binding(from, name)?;
                match (entry.value, entry.from) {
                    (Some(value), _) if entry.path.len() == 1 => {
                        self.member(value, path, steps + 1)
                    }
                    (None, Some(outer)) => {
                        let path = [&[name.clone()][..], path].concat();
                        self.member(outer, &path, steps + 1)
                    }
                    _ => None,
                }
            }
            Shape::Select { from, path: first, .. } if !first.is_empty() => {
                self.member(*from, &[first.as_slice(), path].concat(), steps + 1)
            }
            Shape::Set { entries, .. } => {
                let begins = |own: &[String]| !own.is_empty() && path.starts_with(own);
                let entry = entries.iter().find(|entry| begins(&entry.path))?;
                let rest = path.strip_prefix(entry.path.as_slice())?;
                match (entry.value, rest) {
                    (Some(value), []) => self.literal(value, steps + 1),
                    (Some(value), rest) => self.member(value, rest, steps + 1),
                    (None, _) => None,
                }
            }
            Shape::Apply { function, argument } => match self.called(*function)? {
                "importJSON" => literal::member(self.path(*argument)?, path, self.view),
                "fromJSON" => {
                    let Shape::Apply { function, argument } = &self.outline.node(*argument).shape
                    else {
                        return None;
                    };
                    let is_read = self.called(*function)? == "readFile";
                    is_read
                        .then(|| literal::member(self.path(*argument)?, path, self.view))
                        .flatten()
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// The last name of what is called.
    fn called(&self, function: usize) -> Option<&str> {
        match &self.outline.node(function).shape {
            Shape::Name(name) => Some(name),
            Shape::Select { path, .. } => path.last().map(String::as_str),
            _ => None,
        }
    }

    /// The path that an expression is: `./x`, `src + "/x"`, `"${src}/x"`, `self`.
    fn path(&self, number: usize) -> Option<PathBuf> {
        self.path_within(number, 0)
    }

    fn path_within(&self, number: usize, steps: usize) -> Option<PathBuf> {
        if steps > MAX_STEPS {
            return None;
        }
        let below = |base: PathBuf, text: &str| plain(&base.join(text.trim_start_matches('/')));
        match &self.outline.node(number).shape {
            Shape::Path(path) if path.starts_with('.') => {
                plain(&self.file.parent().unwrap_or(Path::new("")).join(path))
            }
            Shape::Name(name) => match self.outline.lookup(number, name) {
                Some(value) => self.path_within(value, steps + 1),
                // What a flake calls itself, wherever its file stands.
                None if name == "self" => Some(PathBuf::new()),
                None if name == "src" => self.source_path(number, steps),
                None => None,
            },
            Shape::Select { path, .. } => match path.last()?.as_str() {
                "self" => Some(PathBuf::new()),
                "src" => self.source_path(number, steps),
                _ => None,
            },
            Shape::Sum { left, right } => {
                let Shape::Text { text, whole: true } = &self.outline.node(*right).shape else {
                    return None;
                };
                below(self.path_within(*left, steps + 1)?, text)
            }
            Shape::Text { text, whole: false } => {
                let mut parts = self.outline.parts(number);
                let (Some(base), None) = (parts.next(), parts.next()) else { return None };
                below(self.path_within(base, steps + 1)?, text)
            }
            // `lib.cleanSource ./.` is the same folder with less in it, and so is `toSource { root = ./.; … }`.
            Shape::Apply { argument, .. } => match &self.outline.node(*argument).shape {
                Shape::Set { .. } => {
                    let value = |name: &&str| self.outline.attribute(*argument, name);
                    let value = ["root", "path", "src"].iter().find_map(value)?;
                    self.path_within(value, steps + 1)
                }
                _ => self.path_within(*argument, steps + 1),
            },
            _ => None,
        }
    }

    fn source_path(&self, user: usize, steps: usize) -> Option<PathBuf> {
        match self.source(user, steps + 1) {
            Source::Here(path) => Some(path),
            Source::Elsewhere | Source::Unsaid => None,
        }
    }

    /// The `src` of the nearest set around that has one.
    fn source(&self, user: usize, steps: usize) -> Source {
        if steps > MAX_STEPS {
            return Source::Unsaid;
        }
        let mut inside = Some(user);
        while let Some(number) = inside {
            inside = self.outline.node(number).parent;
            let Some(entry) = self.outline.entry(number, "src") else { continue };
            let value = match (entry.value, entry.from) {
                (Some(value), _) if self.is_around(value, user) => continue,
                (Some(value), _) => value,
                (None, None) => match self.outline.lookup(number, "src") {
                    Some(value) => value,
                    None => continue,
                },
                (None, Some(_)) => continue,
            };
            let is_open = match &self.outline.node(value).shape {
                Shape::Name(name) => self.outline.binding(value, name).is_none(),
                Shape::Select { path, .. } => path.last().is_some_and(|last| last == "src"),
                _ => false,
            };
            match self.path_within(value, steps + 1) {
                Some(path) => return Source::Here(path),
                None if is_open => {}
                None => return Source::Elsewhere,
            }
        }
        match self.outline.lookup(user, "src").filter(|value| !self.is_around(*value, user)) {
            Some(value) => match self.path_within(value, steps + 1) {
                Some(path) => Source::Here(path),
                None => Source::Elsewhere,
            },
            None => Source::Unsaid,
        }
    }

    /// Whether an expression has another one in it, or is it.
    fn is_around(&self, outer: usize, inner: usize) -> bool {
        let (outer, inner) = (self.outline.node(outer).span, self.outline.node(inner).span);
        outer.start <= inner.start && inner.end <= outer.end
    }

    /// The lockfile of a call.
    pub(super) fn lockfile(&self, kind: Kind, set: usize) -> Lockfile {
        let value = |name: &&str| {
            let entry = self.outline.entry(set, name)?;
            entry.value.or_else(|| self.outline.lookup(set, name))
        };
        let said = ["yarnLock", "lockFile"].iter().find_map(value);
        let path = said.and_then(|said| self.path(said));
        if let Some(path) = path {
            return if self.view.has(&path) { Lockfile::Here(path) } else { Lockfile::Missing };
        }
        let inside = |folder: &Path| {
            let names = kind.lockfiles().iter().map(|name| folder.join(name));
            names.into_iter().find(|path| self.view.has(path))
        };
        match self.source(set, 0) {
            Source::Elsewhere => Lockfile::Elsewhere,
            Source::Here(src) => {
                let roots = ["cargoRoot", "npmRoot", "modRoot", "pnpmRoot", "sourceRoot"];
                let root = roots.iter().find_map(value).and_then(|root| self.below(root));
                let below = root.and_then(|root| inside(&src.join(root)));
                below.or_else(|| inside(&src)).map_or(Lockfile::Missing, Lockfile::Here)
            }
            Source::Unsaid => {
                let is_open = said.is_none_or(|said| {
                    !matches!(self.outline.node(said).shape, Shape::Path(_) | Shape::Select { .. })
                });
                let mut above = self.file.ancestors().skip(1);
                let nearest = is_open.then(|| above.find_map(inside)).flatten();
                nearest.map_or(Lockfile::Missing, Lockfile::Here)
            }
        }
    }

    /// A folder below the source: `web`, `source/web`, `${src.name}/web`.
    fn below(&self, number: usize) -> Option<String> {
        let Shape::Text { text, .. } = &self.outline.node(number).shape else { return None };
        let text = text.trim_matches('/');
        let text = text.strip_prefix("source").unwrap_or(text);
        Some(text.trim_start_matches('/').to_owned())
    }
}
