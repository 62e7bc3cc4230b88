//! Where in which text an edit goes.

use nixexpr::data::{Data, parse_json, parse_toml};
use nixexpr::edit::nix::{self, Home};
use nixexpr::edit::{NewEntry, Splice, json, toml};

use super::{EditError, Located, no_place};
use crate::read::Shape;
use crate::registry::{Registry, read};
use crate::tree::{Node, Tree, View};
use crate::{PortPath, data_error};

/// What a data registry is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    Json,
    Toml,
}

impl Registry<'_> {
    /// The names that lead from the file's value to the registry's root.
    fn root_names(&self) -> Vec<String> {
        if let Some(root) = &self.options.root {
            return root.names().to_vec();
        }
        if self.root == self.tree.root() { Vec::new() } else { vec!["ports".to_owned()] }
    }

    /// The file's value and what the names lead to below it, as far as it is there.
    fn nodes(&mut self, names: &[String]) -> Result<Vec<Node>, EditError> {
        let mut nodes = vec![self.tree.root()];
        for name in names {
            let Some(&last) = nodes.last() else { break };
            match self.tree.child(last, name)? {
                Some(node) => nodes.push(node),
                None => break,
            }
        }
        Ok(nodes)
    }

    /// The names that lead from the file's value to a port.
    pub(super) fn full(&self, path: &PortPath) -> Vec<String> {
        let mut names = self.root_names();
        names.extend_from_slice(path.names());
        names
    }

    /// The registry's own text, if it is data.
    fn data(&self) -> Result<Option<(Language, String, Data)>, EditError> {
        let Tree::Data(_) = self.tree else { return Ok(None) };
        let is_json = self.file.extension().is_some_and(|extension| extension == "json");
        let language = if is_json { Language::Json } else { Language::Toml };
        let text = read(&self.file)?;
        let parsed = if is_json { parse_json(&text) } else { parse_toml(&text) };
        let data = parsed.map_err(|error| data_error(&self.file, &text, &error))?;
        Ok(Some((language, text, data)))
    }

    pub(super) fn addition(
        &mut self,
        path: &PortPath,
        new: NewEntry<'_>,
    ) -> Result<Located, EditError> {
        let names = self.full(path);
        let nodes = self.nodes(&names)?;
        let depth = nodes.len() - 1;
        if depth == names.len() {
            let place = self.place_of(&nodes, &names)?;
            return Err(EditError::Exists { path: path.clone(), place });
        }
        let Some(&group) = nodes.last() else { return Err(self.unknown(path).into()) };
        let is_group = self.sort(group)?.shape == Shape::Group;
        if !is_group && group != self.root && depth > 0 {
            let place = self.place_of(&nodes, &names)?;
            let path = names.iter().take(depth).cloned().collect();
            return Err(EditError::NoGroup { path, place });
        }
        if let Some((language, text, data)) = self.data()? {
            let (groups, rest) = names.split_at(depth);
            let new = NewEntry { names: rest, ..new };
            let splice = match language {
                Language::Json => json::insert(&text, member(&data, groups).unwrap_or(&data), new),
                Language::Toml => toml::insert(&text, &data, groups, new),
            };
            let splice = splice.map_err(|error| no_place(&self.file, &text, error))?;
            return Ok((self.file.clone(), splice));
        }
        self.nix_addition(path, &names, &nodes, new)
    }

    /// The innermost set around the path that has braces; the groups below it that have none are named with dots.
    fn nix_addition(
        &mut self,
        path: &PortPath,
        names: &[String],
        nodes: &[Node],
        new: NewEntry<'_>,
    ) -> Result<Located, EditError> {
        for (depth, node) in nodes.iter().enumerate().rev() {
            let Some(written) = self.tree.written(*node)? else { break };
            let file = written.place.file.clone();
            let text = read(&file)?;
            match nix::home(&file, &text, written.span)? {
                Home::Braces => {
                    let new = NewEntry { names: names.get(depth..).unwrap_or_default(), ..new };
                    let splice = nix::insert(&file, &text, written.span, new)?;
                    return Ok((file.clone(), splice.map_err(|e| no_place(&file, &text, e))?));
                }
                Home::Dotted => {}
                Home::Nowhere => {
                    let path: PortPath = names.iter().take(depth).cloned().collect();
                    let what = if depth == 0 {
                        "the registry is a computed set".to_owned()
                    } else {
                        format!("`{path}` is a computed set")
                    };
                    return Err(EditError::NoPlace { place: written.place, what });
                }
            }
        }
        Err(EditError::Computed { path: path.clone(), place: None })
    }

    pub(super) fn replacement(
        &mut self,
        path: &PortPath,
        number: u16,
    ) -> Result<Located, EditError> {
        let names = self.full(path);
        let nodes = self.nodes(&names)?;
        let node = match nodes.last() {
            Some(&node) if nodes.len() == names.len() + 1 => node,
            _ => return Err(self.no_single(path)),
        };
        let value = self.number_node(node)?;
        if !matches!(self.tree.view(value)?, View::Number(_)) {
            return Err(self.no_single(path));
        }
        let Some(written) = self.tree.written(value)? else {
            return Err(EditError::Computed { path: path.clone(), place: None });
        };
        let (file, span) = (written.place.file.clone(), written.span);
        let text = read(&file)?;
        let literal = text.get(span.range()).unwrap_or("");
        let quote = literal.chars().next().filter(|c| matches!(c, '"' | '\'')).map(String::from);
        let is_number = literal.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+');
        let is_data = matches!(self.tree, Tree::Data(_));
        if !written.literal || !(is_number || quote.is_some() && is_data) {
            return Err(EditError::Computed { path: path.clone(), place: Some(written.place) });
        }
        let quote = quote.unwrap_or_default();
        let same = literal.trim_matches(['"', '\'']).parse() == Ok(number);
        let with = if same { literal.to_owned() } else { format!("{quote}{number}{quote}") };
        Ok((file, Splice { at: span.range(), with }))
    }

    /// Why a path has no single number to replace.
    fn no_single(&mut self, path: &PortPath) -> EditError {
        match self.lookup(path) {
            Ok(Some(entry)) => EditError::Several {
                path: path.clone(),
                what: match entry.ends {
                    Some(_) => format!("a range, {}", entry.ports),
                    None => format!("a list, {}", entry.ports),
                },
                ends: entry.ends.map(Vec::from).unwrap_or_default(),
            },
            Ok(None) => self.unknown(path).into(),
            Err(error) => error.into(),
        }
    }

    pub(super) fn removal(&mut self, path: &PortPath) -> Result<Located, EditError> {
        let names = self.full(path);
        let nodes = self.nodes(&names)?;
        let (node, set) = match nodes[..] {
            [.., set, node] if nodes.len() == names.len() + 1 => (node, set),
            _ => return Err(self.no_single(path)),
        };
        // A group may hold much: only its ports are taken out, one by one.
        if self.sort(node).is_ok_and(|sort| sort.shape == Shape::Group) {
            self.lookup(path)?;
        }
        if let Some((language, text, data)) = self.data()? {
            let splice = match language {
                Language::Json => json::remove(&data, &names),
                Language::Toml => toml::remove(&text, &data, &names),
            };
            let splice = splice.map_err(|error| no_place(&self.file, &text, error))?;
            return Ok((self.file.clone(), splice));
        }
        let Some(binding) = self.tree.binding(set, path.leaf())? else {
            let place = self.tree.written(set)?.map(|written| written.place);
            return Err(EditError::Computed { path: path.clone(), place });
        };
        let file = binding.place.file.clone();
        let splice = nix::remove(&file, &binding.text, binding.span)?;
        let splice = splice.map_err(|error| no_place(&file, &binding.text, error))?;
        Ok((file, splice))
    }

    /// Where the last of some nodes is defined.
    fn place_of(
        &mut self,
        nodes: &[Node],
        names: &[String],
    ) -> Result<Option<nixexpr::Place>, EditError> {
        let depth = nodes.len() - 1;
        let (Some(&set), Some(name)) =
            (nodes.iter().rev().nth(1), names.get(depth.wrapping_sub(1)))
        else {
            return Ok(None);
        };
        Ok(self.tree.site(set, name)?.place)
    }
}

/// What the names lead to.
fn member<'a>(data: &'a Data, names: &[String]) -> Option<&'a Data> {
    let mut here = data;
    for name in names {
        let nixexpr::data::Kind::Set(members) = &here.kind else { return None };
        here = &members.iter().rev().find(|member| member.name == *name)?.value;
    }
    Some(here)
}
