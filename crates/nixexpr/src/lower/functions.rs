//! Functions and what they are called with.

use rnix::{SyntaxKind as K, SyntaxNode};

use super::scope::Scope;
use super::{Lower, span_of};
use crate::error::EvalError;
use crate::expr::{Expr, LambdaExpr, Pattern, PatternEntry};
use crate::symbols::Symbol;

impl Lower<'_> {
    pub(super) fn lambda(
        &mut self,
        node: &SyntaxNode,
        scope: &Scope<'_>,
    ) -> Result<Expr, EvalError> {
        let head = self.child(node, 0)?;
        let body = self.child(node, 1)?;
        if head.kind() == K::NODE_IDENT_PARAM {
            let ident = self.child(&head, 0)?;
            let name = self.ident(&ident)?;
            self.check_bound_name(name, span_of(&ident))?;
            let body = self.expr(&body, &scope.names(vec![name]))?;
            return Ok(Expr::Lambda(Box::new(LambdaExpr {
                name: Some(name),
                pattern: None,
                body,
            })));
        }
        let (name, entries, open) = self.pattern(&head)?;
        let mut names: Vec<Symbol> = name.into_iter().collect();
        for (entry, node) in &entries {
            if names.contains(entry) {
                let what =
                    format!("duplicate formal function argument `{}`", self.symbols.name(*entry));
                return Err(self.syntax(span_of(node).start, &what));
            }
            self.check_bound_name(*entry, span_of(node))?;
            names.push(*entry);
        }
        let inner = scope.names(names);
        let mut lowered = Vec::with_capacity(entries.len());
        for (name, node) in entries {
            let default = match node.children().nth(1) {
                Some(default) => Some(self.expr(&default, &inner)?),
                None => None,
            };
            lowered.push(PatternEntry { name, default, span: span_of(&node) });
        }
        let pattern = Some(Pattern { entries: lowered.into(), open });
        let body = self.expr(&body, &inner)?;
        Ok(Expr::Lambda(Box::new(LambdaExpr { name, pattern, body })))
    }

    #[expect(clippy::type_complexity, reason = "the three parts of a pattern, used in one place")]
    fn pattern(
        &mut self,
        head: &SyntaxNode,
    ) -> Result<(Option<Symbol>, Vec<(Symbol, SyntaxNode)>, bool), EvalError> {
        let mut name = None;
        let mut entries = Vec::new();
        for child in head.children() {
            let ident = self.child(&child, 0)?;
            let symbol = self.ident(&ident)?;
            if child.kind() == K::NODE_PAT_BIND {
                self.check_bound_name(symbol, span_of(&ident))?;
                name = Some(symbol);
            } else {
                entries.push((symbol, child));
            }
        }
        let open = head
            .children_with_tokens()
            .any(|child| child.as_token().is_some_and(|token| token.kind() == K::TOKEN_ELLIPSIS));
        Ok((name, entries, open))
    }
}
