//! The single numbers and ranges of an entry, each with what wrote it.

use nixexpr::EvalError;

use crate::entry::Part;
use crate::read::Shape;
use crate::registry::Registry;
use crate::tree::{Node, View};

impl Registry<'_> {
    /// The node that holds the number of a port.
    pub(crate) fn number_node(&mut self, node: Node) -> Result<Node, EvalError> {
        Ok(match self.tree.view(node)? {
            View::Set => self.tree.child(node, "port")?.unwrap_or(node),
            _ => node,
        })
    }

    /// The numbers and ranges of a value, each with what wrote it. They are known to be ports.
    pub(crate) fn parts(
        &mut self,
        node: Node,
        shape: &Shape,
        parts: &mut Vec<Part>,
    ) -> Result<(), EvalError> {
        match shape {
            Shape::Port(number) => {
                let node = self.number_node(node)?;
                parts.push(self.part(*number, node, *number, node)?);
            }
            Shape::Range(first, last, (from, to)) => {
                let from = self.tree.child(node, from)?.unwrap_or(node);
                let to = self.tree.child(node, to)?.unwrap_or(node);
                parts.push(self.part(*first, from, *last, to)?);
            }
            Shape::List(shapes) => {
                if let View::List(items) = self.tree.view(node)? {
                    for (item, shape) in items.into_iter().zip(shapes) {
                        self.parts(item, shape, parts)?;
                    }
                }
            }
            Shape::Group | Shape::Other(_) | Shape::NoValue => {}
        }
        Ok(())
    }

    pub(crate) fn part(
        &mut self,
        first: i64,
        from: Node,
        last: i64,
        to: Node,
    ) -> Result<Part, EvalError> {
        let port = |number: i64| u16::try_from(number).unwrap_or(0);
        let written = self.tree.written(from)?.zip(self.tree.written(to)?);
        Ok(Part {
            from: port(first),
            to: port(last),
            written: written.map(|(from, to)| [from, to]),
        })
    }
}
