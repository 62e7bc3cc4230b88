//! The registry: opened, asked for one port, or read whole.

use std::fmt;
use std::path::{Path, PathBuf};

use fs_err as fs;
use nixexpr::data::{parse_json, parse_toml};
use nixexpr::{EvalError, Limits};

use crate::ask::{AskNix, ask, may_ask};
use crate::entry::Entry;
use crate::error::RegistryError;
use crate::near::nearest;
use crate::tree::{DataTree, Extensions, NixTree, Node, Site, Tree, View};
use crate::{PortPath, data_error};

/// Who evaluates a Nix file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Who {
    /// This library, and Nix where that refuses.
    #[default]
    Auto,
    /// This library alone.
    Native,
    /// Nix alone.
    Nix,
}

/// How a registry is read.
#[derive(Default)]
pub struct Options<'a> {
    /// The set in the file that holds the ports; by default `ports` if there is one, else the whole file.
    pub root: Option<PortPath>,
    /// Who evaluates.
    pub who: Who,
    /// How to ask Nix, if that is possible.
    pub nix: Option<Box<AskNix<'a>>>,
    /// A text that stands for a file.
    pub overlay: Option<(PathBuf, String)>,
}

/// A registry of ports.
pub struct Registry<'a> {
    pub(crate) file: PathBuf,
    pub(crate) tree: Tree,
    pub(crate) root: Node,
    pub(crate) options: Options<'a>,
    asked: Option<String>,
}

/// Everything in a registry: the entries, and what is wrong with others.
#[derive(Debug, Default)]
pub struct Listing {
    /// The entries in the order of their paths.
    pub entries: Vec<Entry>,
    /// Numbers that are no ports, and attributes that have no value.
    pub problems: Vec<RegistryError>,
    /// What is neither a port nor a group.
    pub others: Vec<RegistryError>,
}

impl<'a> Registry<'a> {
    /// Opens a registry: a Nix, JSON or TOML file, or a folder with a `default.nix`.
    ///
    /// # Errors
    /// When the file cannot be read or evaluated, or its root is not there.
    pub fn open(file: &Path, options: Options<'a>) -> Result<Self, RegistryError> {
        let mut options = options;
        let extension = file.extension().and_then(|extension| extension.to_str());
        let is_nix =
            extension == Some("nix") || fs::metadata(file).is_ok_and(|metadata| metadata.is_dir());
        let (tree, known_root, asked) = if is_nix && options.who == Who::Nix {
            let (tree, root) = ask(file, &mut options, None)?;
            (tree, Some(root), None)
        } else if is_nix {
            match NixTree::open(file, options.overlay.as_ref()) {
                Ok(tree) => (Tree::Nix(Box::new(tree)), None, None),
                Err(error) => {
                    let reason = error.to_string();
                    let (tree, root) = ask(file, &mut options, Some(error))?;
                    (tree, Some(root), Some(reason))
                }
            }
        } else {
            (Tree::Data(data_tree(file, extension, options.overlay.as_ref())?), None, None)
        };
        let top = tree.root();
        let mut registry =
            Self { file: file.to_owned(), tree, root: known_root.unwrap_or(top), options, asked };
        if known_root.is_none() {
            match registry.find_root() {
                Ok(root) => registry.root = root,
                Err(RegistryError::Eval(error)) => drop(registry.ask(error)?),
                Err(error) => return Err(error),
            }
        }
        Ok(registry)
    }

    /// Replaces the tree by Nix's answer, because of `refusal`, and returns the one that was there.
    fn ask(&mut self, refusal: EvalError) -> Result<(Tree, Node), RegistryError> {
        let reason = refusal.to_string();
        let (tree, root) = ask(&self.file, &mut self.options, Some(refusal))?;
        self.asked = Some(reason);
        Ok((std::mem::replace(&mut self.tree, tree), std::mem::replace(&mut self.root, root)))
    }

    fn find_root(&mut self) -> Result<Node, RegistryError> {
        let top = self.tree.root();
        let found = match self.tree.view(top)? {
            View::Set => None,
            View::Number(_) => Some("a number"),
            View::Text(_) => Some("a string"),
            View::List(_) => Some("a list"),
            View::Other(found) => Some(found),
            View::NoValue => Some("no value"),
        };
        if let Some(found) = found {
            return Err(RegistryError::NoSet { file: self.file.clone(), found });
        }
        let Some(path) = self.options.root.clone() else {
            let ports = self.tree.child(top, "ports")?;
            return match ports {
                Some(ports) if self.tree.view(ports)? == View::Set => Ok(ports),
                _ => Ok(top),
            };
        };
        let mut node = Some(top);
        for name in path.names() {
            node = match node {
                Some(node) => self.tree.child(node, name)?,
                None => None,
            };
        }
        match node {
            Some(node) if self.tree.view(node)? == View::Set => Ok(node),
            _ => Err(RegistryError::NoRoot { file: self.file.clone(), root: path }),
        }
    }

    /// The file, as it was named.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Why Nix was asked, if it was.
    pub fn asked_nix(&self) -> Option<&str> {
        self.asked.as_deref()
    }

    /// What was done that Nix does not do.
    pub fn extensions(&self) -> Extensions {
        self.tree.extensions()
    }

    /// Finds out whether everything in the registry has a value, for [`Extensions::partial`].
    pub fn check_whole(&mut self) {
        if self.tree.force(self.root).is_err() {
            self.tree.note_partial();
        }
    }

    /// One entry. Each end of a range has a path too.
    ///
    /// # Errors
    /// When there is none, it is no port, or its evaluation fails.
    pub fn get(&mut self, path: &PortPath) -> Result<Entry, RegistryError> {
        let found = match self.lookup(path) {
            Err(RegistryError::Eval(error)) if self.may_ask(&error) => {
                self.ask(error)?;
                self.lookup(path)
            }
            other => other,
        };
        found?.ok_or_else(|| self.unknown(path))
    }

    fn may_ask(&self, error: &EvalError) -> bool {
        matches!(self.tree, Tree::Nix(_)) && may_ask(self.options.who, Some(error))
    }

    pub(crate) fn unknown(&mut self, path: &PortPath) -> RegistryError {
        let known: Vec<PortPath> = self
            .walk()
            .map(|listing| listing.entries.into_iter().map(|entry| entry.path).collect())
            .unwrap_or_default();
        let near = nearest(path, &known);
        RegistryError::Unknown { path: path.clone(), file: self.file.clone(), near }
    }

    /// All entries.
    ///
    /// # Errors
    /// When the registry as a whole has no value. What is wrong with one entry is in the listing.
    pub fn list(&mut self) -> Result<Listing, RegistryError> {
        let mut listing = self.walk()?;
        let refused = listing.problems.iter().position(
            |problem| matches!(problem, RegistryError::Eval(error) if self.may_ask(error)),
        );
        if let Some(index) = refused
            && let RegistryError::Eval(error) = listing.problems.swap_remove(index)
        {
            match self.ask(error) {
                Ok(native) => {
                    let mut listing = self.walk()?;
                    self.add_places(native, &mut listing);
                    return Ok(listing);
                }
                // What there is natively is better than nothing.
                Err(error) => listing.problems.insert(0, error),
            }
        }
        if listing.problems.iter().any(|problem| matches!(problem, RegistryError::Eval(_))) {
            self.tree.note_partial();
        }
        Ok(listing)
    }
}

impl Registry<'_> {
    /// Adds to the entries of Nix's answer, which has none, the places that the native evaluation knows.
    fn add_places(&mut self, native: (Tree, Node), listing: &mut Listing) {
        let answer = std::mem::replace(&mut self.tree, native.0);
        let root = std::mem::replace(&mut self.root, native.1);
        let known = self.walk().unwrap_or_default().entries;
        for entry in &mut listing.entries {
            let same = known.binary_search_by(|other| other.path.cmp(&entry.path)).ok();
            match same.and_then(|index| known.get(index)) {
                Some(other) if other.ports == entry.ports => *entry = other.clone(),
                // The binding of a value that is refused is still known.
                _ => {
                    if let Ok(site) = self.native_site(&entry.path) {
                        (entry.place, entry.description) = (site.place, site.description);
                    }
                }
            }
        }
        (self.tree, self.root) = (answer, root);
    }

    fn native_site(&mut self, path: &PortPath) -> Result<Site, EvalError> {
        let mut set = self.root;
        for name in path.parent().names() {
            match self.tree.child(set, name)? {
                Some(child) => set = child,
                None => return Ok(Site::default()),
            }
        }
        self.tree.site(set, path.leaf())
    }
}

/// Reads a registry that is data.
fn data_tree(
    file: &Path,
    extension: Option<&str>,
    overlay: Option<&(PathBuf, String)>,
) -> Result<DataTree, RegistryError> {
    let parse = match extension {
        Some("json") => parse_json,
        Some("toml") => parse_toml,
        _ => return Err(RegistryError::Format(file.to_owned())),
    };
    let text = match overlay {
        Some((path, text)) if path == file => text.clone(),
        _ => read(file)?,
    };
    let data = parse(&text).map_err(|error| data_error(file, &text, &error))?;
    Ok(DataTree::registry(file, text, &data))
}

pub(crate) fn read(path: &Path) -> Result<String, RegistryError> {
    let limit = Limits::default().file;
    let size = fs::metadata(path).map_err(RegistryError::Read)?.len();
    if size > limit {
        return Err(EvalError::TooLarge { file: path.to_owned(), size, limit }.into());
    }
    fs::read_to_string(path).map_err(RegistryError::Read)
}

impl fmt::Debug for Registry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("file", &self.file).finish_non_exhaustive()
    }
}

impl fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("root", &self.root)
            .field("who", &self.who)
            .finish_non_exhaustive()
    }
}
