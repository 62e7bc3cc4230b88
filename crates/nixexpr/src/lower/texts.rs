//! Strings.

use std::rc::Rc;

use rnix::{NodeOrToken, SyntaxKind as K, SyntaxNode};

use super::scope::Scope;
use super::{Lower, span_of};
use crate::error::EvalError;
use crate::expr::{Expr, ExprId};
use crate::source::Span;
use crate::strings::{Piece, indented_pieces, strip_indentation, unescape};

impl Lower<'_> {
    pub(super) fn string(
        &mut self,
        node: &SyntaxNode,
        scope: &Scope<'_>,
    ) -> Result<ExprId, EvalError> {
        let span = span_of(node);
        let mut pieces = string_pieces(node);
        let expr = match pieces.pop() {
            None => Expr::Str(Rc::from("")),
            Some((Piece::Text(text) | Piece::Escaped(text), _)) if pieces.is_empty() => {
                Expr::Str(Rc::from(text))
            }
            Some(last) => {
                pieces.push(last);
                let mut parts = Vec::with_capacity(pieces.len());
                for (piece, at) in pieces {
                    parts.push(match piece {
                        Piece::Text(text) | Piece::Escaped(text) => {
                            self.code.add(Expr::Str(Rc::from(text)), at)
                        }
                        Piece::Hole(node) => self.nth(&node, 0, scope)?,
                    });
                }
                Expr::Joined(parts.into())
            }
        };
        Ok(self.code.add(expr, span))
    }
}

/// The text of a string without holes.
pub(crate) fn plain_string(node: &SyntaxNode) -> Option<String> {
    let mut text = String::new();
    for (piece, _) in string_pieces(node) {
        match piece {
            Piece::Text(part) | Piece::Escaped(part) => text.push_str(&part),
            Piece::Hole(_) => return None,
        }
    }
    Some(text)
}

/// The pieces of a string: text with escapes resolved and indentation stripped, and holes.
fn string_pieces(node: &SyntaxNode) -> Vec<(Piece<SyntaxNode>, Span)> {
    let indented = is_indented(node);
    let mut pieces = Vec::new();
    let mut first = true;
    for child in node.children_with_tokens() {
        match child {
            NodeOrToken::Token(token) if token.kind() == K::TOKEN_STRING_CONTENT => {
                if indented {
                    indented_pieces(token.text(), first, &mut pieces);
                } else {
                    pieces.push(Piece::Text(unescape(token.text())));
                }
                first = false;
            }
            NodeOrToken::Node(hole) => {
                pieces.push(Piece::Hole(hole));
                first = false;
            }
            NodeOrToken::Token(_) => {}
        }
    }
    let span = span_of(node);
    let pieces = if indented { strip_indentation(pieces) } else { pieces };
    let mut joined: Vec<(Piece<SyntaxNode>, Span)> = Vec::with_capacity(pieces.len());
    for piece in pieces {
        match (piece, joined.last_mut()) {
            (Piece::Text(more) | Piece::Escaped(more), Some((Piece::Text(text), _))) => {
                text.push_str(&more);
            }
            (Piece::Text(text) | Piece::Escaped(text), _) => joined.push((Piece::Text(text), span)),
            (hole, _) => joined.push((hole, span)),
        }
    }
    joined
}

pub(super) fn is_indented(node: &SyntaxNode) -> bool {
    node.first_token().is_some_and(|token| token.text() == "''")
}
