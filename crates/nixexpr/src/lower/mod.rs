//! From the parser's tree to [`Code`]: what Nix decides when it parses is decided here, and what the parser lets
//! through although Nix does not is found.

mod functions;
mod scope;
mod sets;
mod texts;

use std::path::{Path, PathBuf};
use std::rc::Rc;

use rnix::{SyntaxKind as K, SyntaxNode};

use self::scope::{Resolved, Scope};
use self::texts::is_indented;
pub(crate) use self::texts::plain_string;
use crate::error::EvalError;
use crate::expr::{Code, Expr, ExprId, Key, Operator};
use crate::source::{Source, Span};
use crate::symbols::{Symbol, Symbols};

struct Lower<'a> {
    code: &'a mut Code,
    symbols: &'a mut Symbols,
}

/// A name in an attribute path.
enum Name {
    Static(Symbol),
    /// Computed; the flag tells `${"literal"}`.
    Dynamic(SyntaxNode, bool),
}

/// Reads `text`, which is the file `file` in the folder `base`.
pub(crate) fn code(
    file: &Path,
    base: PathBuf,
    text: &str,
    symbols: &mut Symbols,
) -> Result<Code, EvalError> {
    let mut code = Code::new(Source::new(file, text), base);
    let source = code.source.clone();
    crate::parse::with_tree(&source, |root| {
        let mut lower = Lower { code: &mut code, symbols };
        let expr = lower.child(root, 0)?;
        lower.code.root = lower.expr(&expr, &Scope::top())?;
        Ok(())
    })?;
    Ok(code)
}

fn span_of(node: &SyntaxNode) -> Span {
    let range = node.text_range();
    Span { start: range.start().into(), end: range.end().into() }
}

fn is_recursive(set: &SyntaxNode) -> bool {
    set.first_token().is_some_and(|token| token.kind() == K::TOKEN_REC)
}

impl Lower<'_> {
    fn syntax(&self, at: u32, what: &str) -> EvalError {
        EvalError::Syntax { place: self.code.source.place(at), what: what.to_owned() }
    }

    fn refused(&self, at: u32, what: &str) -> EvalError {
        EvalError::Refused { place: self.code.source.place(at), what: what.to_owned() }
    }

    fn child(&self, node: &SyntaxNode, index: usize) -> Result<SyntaxNode, EvalError> {
        node.children()
            .nth(index)
            .ok_or_else(|| self.syntax(span_of(node).start, "an expression is missing"))
    }

    /// Lowers an expression where a function may stand.
    fn expr(&mut self, node: &SyntaxNode, scope: &Scope<'_>) -> Result<ExprId, EvalError> {
        let span = span_of(node);
        let expr = match node.kind() {
            K::NODE_PAREN => {
                let inner = self.without_parens(node)?;
                return self.expr(&inner, scope);
            }
            K::NODE_LITERAL => self.literal(node)?,
            K::NODE_IDENT => {
                let name = self.ident(node)?;
                return self.variable(name, span, scope);
            }
            K::NODE_STRING => return self.string(node, scope),
            K::NODE_PATH_REL | K::NODE_PATH_ABS | K::NODE_PATH_HOME | K::NODE_PATH_SEARCH => {
                self.path(node, scope)?
            }
            K::NODE_LIST => Expr::List(self.operands(node, scope)?),
            K::NODE_ATTR_SET => {
                let set = self.collect(node, is_recursive(node))?;
                return self.nested(set, scope, span);
            }
            K::NODE_LET_IN => self.let_in(node, scope)?,
            K::NODE_SELECT => self.select(node, scope)?,
            K::NODE_HAS_ATTR => self.has(node, scope)?,
            K::NODE_WITH => {
                let set = self.nth(node, 0, scope)?;
                let body = self.nth(node, 1, &scope.with())?;
                Expr::WithScope(set, body)
            }
            K::NODE_IF_ELSE => Expr::If(
                self.nth(node, 0, scope)?,
                self.nth(node, 1, scope)?,
                self.nth(node, 2, scope)?,
            ),
            K::NODE_ASSERT => Expr::Assert(self.nth(node, 0, scope)?, self.nth(node, 1, scope)?),
            K::NODE_LAMBDA => self.lambda(node, scope)?,
            K::NODE_APPLY => self.call(node, scope)?,
            K::NODE_UNARY_OP => self.unary(node, scope)?,
            K::NODE_BIN_OP => self.binary(node, scope)?,
            K::NODE_CUR_POS => Expr::Refused("`__curPos`"),
            _ => return Err(self.syntax(span.start, "this is not an expression")),
        };
        Ok(self.code.add(expr, span))
    }

    fn nth(
        &mut self,
        node: &SyntaxNode,
        index: usize,
        scope: &Scope<'_>,
    ) -> Result<ExprId, EvalError> {
        let child = self.child(node, index)?;
        self.expr(&child, scope)
    }

    /// Lowers an operand: a function must be in parentheses there, which the parser does not ask for.
    fn operand(&mut self, node: &SyntaxNode, scope: &Scope<'_>) -> Result<ExprId, EvalError> {
        if node.kind() == K::NODE_LAMBDA {
            return Err(self.syntax(span_of(node).start, "a function must be in parentheses here"));
        }
        self.expr(node, scope)
    }

    fn operands(
        &mut self,
        node: &SyntaxNode,
        scope: &Scope<'_>,
    ) -> Result<Box<[ExprId]>, EvalError> {
        node.children().map(|child| self.operand(&child, scope)).collect()
    }

    /// Takes parentheses away; the parser takes any token for the closing one.
    fn without_parens(&self, node: &SyntaxNode) -> Result<SyntaxNode, EvalError> {
        let mut node = node.clone();
        while node.kind() == K::NODE_PAREN {
            if node.last_token().is_none_or(|last| last.kind() != K::TOKEN_R_PAREN) {
                let end = span_of(&node).end;
                return Err(self.syntax(end.saturating_sub(1), "expected `)`"));
            }
            node = self.child(&node, 0)?;
        }
        Ok(node)
    }

    fn ident(&mut self, node: &SyntaxNode) -> Result<Symbol, EvalError> {
        let token = node.first_token();
        let text = token.as_ref().map_or("", |token| token.text());
        if text == "or" || text.is_empty() {
            return Err(self.refused(span_of(node).start, "`or` as a variable"));
        }
        Ok(self.symbols.intern(text))
    }

    fn variable(
        &mut self,
        name: Symbol,
        span: Span,
        scope: &Scope<'_>,
    ) -> Result<ExprId, EvalError> {
        let text = Rc::clone(self.symbols.name(name));
        match scope.resolve(name, &text) {
            Resolved::Expr(expr) => Ok(self.code.add(expr, span)),
            Resolved::Undefined => Err(EvalError::Evaluation {
                place: self.code.source.place(span.start),
                what: format!("undefined variable `{text}`"),
            }),
            Resolved::Unknown => Err(self.refused(span.start, &format!("the variable `{text}`"))),
        }
    }

    fn literal(&mut self, node: &SyntaxNode) -> Result<Expr, EvalError> {
        let at = span_of(node).start;
        let Some(token) = node.first_token() else {
            return Err(self.syntax(at, "an expression is missing"));
        };
        match token.kind() {
            K::TOKEN_INTEGER => match token.text().parse() {
                Ok(number) => Ok(Expr::Int(number)),
                Err(_) => Err(self.syntax(at, &format!("invalid integer `{}`", token.text()))),
            },
            K::TOKEN_FLOAT => match token.text().parse::<f64>() {
                Ok(number) if number.is_normal() => Ok(Expr::Float(number)),
                Ok(number) if number == 0.0 && !token.text().contains(['e', 'E']) => {
                    Ok(Expr::Float(number))
                }
                _ => Err(self.refused(at, &format!("the number `{}`", token.text()))),
            },
            K::TOKEN_URI => Ok(Expr::Refused("a URL without quotes")),
            _ => Err(self.syntax(at, "this is not an expression")),
        }
    }

    fn path(&mut self, node: &SyntaxNode, scope: &Scope<'_>) -> Result<Expr, EvalError> {
        // What is between `${` and `}` has to be right even where it is never evaluated.
        for hole in node.children() {
            self.nth(&hole, 0, scope)?;
        }
        Ok(match node.kind() {
            K::NODE_PATH_REL if node.children().next().is_none() => {
                Expr::Path(Rc::from(node.text().to_string()))
            }
            K::NODE_PATH_SEARCH => Expr::Refused("a search path"),
            K::NODE_PATH_HOME => Expr::Refused("a path in the home folder"),
            K::NODE_PATH_ABS => Expr::Refused("an absolute path"),
            _ => Expr::Refused("a path with `${`"),
        })
    }

    fn let_in(&mut self, node: &SyntaxNode, scope: &Scope<'_>) -> Result<Expr, EvalError> {
        let set = self.collect(node, true)?;
        let names = self.recursive_names(&set)?;
        if let Some(span) = set.has_dynamic() {
            return Err(self.syntax(span.start, "dynamic attributes not allowed in let"));
        }
        let inner = scope.names(names);
        let set = self.set_expr(set, scope, &inner)?;
        let body = node
            .last_child()
            .filter(|body| !matches!(body.kind(), K::NODE_ATTRPATH_VALUE | K::NODE_INHERIT));
        let Some(body) = body else {
            return Err(self.syntax(span_of(node).end, "an expression is missing"));
        };
        let body = self.expr(&body, &inner)?;
        Ok(Expr::Let(Box::new(set), body))
    }

    fn select(&mut self, node: &SyntaxNode, scope: &Scope<'_>) -> Result<Expr, EvalError> {
        let of = self.child(node, 0)?;
        let of = self.operand(&of, scope)?;
        let path = self.child(node, 1)?;
        let path = self.keys(&path, scope)?;
        let default = match node.children().nth(2) {
            Some(default) => Some(self.operand(&default, scope)?),
            None => None,
        };
        Ok(Expr::Select { of, path, default })
    }

    fn has(&mut self, node: &SyntaxNode, scope: &Scope<'_>) -> Result<Expr, EvalError> {
        let of = self.child(node, 0)?;
        if of.kind() == K::NODE_HAS_ATTR {
            return Err(self.syntax(span_of(node).start, "`?` cannot follow `?`"));
        }
        let of = self.operand(&of, scope)?;
        let path = self.child(node, 1)?;
        let path = self.keys(&path, scope)?;
        Ok(Expr::Has { of, path })
    }

    fn keys(&mut self, path: &SyntaxNode, scope: &Scope<'_>) -> Result<Box<[Key]>, EvalError> {
        let mut keys = Vec::new();
        for node in path.children() {
            keys.push(match self.attribute_name(&node)? {
                Name::Static(symbol) => Key::Static(symbol),
                Name::Dynamic(node, _) => Key::Dynamic(self.key_expr(&node, scope)?),
            });
        }
        Ok(keys.into())
    }

    fn attribute_name(&mut self, node: &SyntaxNode) -> Result<Name, EvalError> {
        match node.kind() {
            K::NODE_IDENT => {
                let token = node.first_token();
                let text = token.as_ref().map_or("", |token| token.text());
                Ok(Name::Static(self.symbols.intern(text)))
            }
            // Only `"…"` may be a name, whatever the parser takes.
            K::NODE_STRING if is_indented(node) => {
                Err(self.syntax(span_of(node).start, "`''` cannot start an attribute name"))
            }
            K::NODE_STRING => match plain_string(node) {
                Some(text) => Ok(Name::Static(self.symbols.intern(&text))),
                None => Ok(Name::Dynamic(node.clone(), false)),
            },
            K::NODE_DYNAMIC => {
                let inner = self.child(node, 0)?;
                let inner = self.without_parens(&inner)?;
                let literal = inner.kind() == K::NODE_STRING && plain_string(&inner).is_some();
                Ok(Name::Dynamic(node.clone(), literal))
            }
            _ => Err(self.syntax(span_of(node).start, "this is not an attribute name")),
        }
    }

    /// The expression of a computed name.
    fn key_expr(&mut self, node: &SyntaxNode, scope: &Scope<'_>) -> Result<ExprId, EvalError> {
        match node.kind() {
            K::NODE_DYNAMIC => self.nth(node, 0, scope),
            _ => self.string(node, scope),
        }
    }

    /// A call; `f a b` is one call with two arguments.
    fn call(&mut self, node: &SyntaxNode, scope: &Scope<'_>) -> Result<Expr, EvalError> {
        let mut arguments = Vec::new();
        let mut function = node.clone();
        while function.kind() == K::NODE_APPLY {
            let argument = self.child(&function, 1)?;
            arguments.push(argument);
            let inner = self.child(&function, 0)?;
            if inner.kind() == K::NODE_LAMBDA {
                let at = span_of(&inner).start;
                return Err(self.syntax(at, "a function must be in parentheses here"));
            }
            function = self.without_parens(&inner)?;
        }
        let function = self.expr(&function, scope)?;
        let arguments: Result<_, _> =
            arguments.iter().rev().map(|argument| self.operand(argument, scope)).collect();
        Ok(Expr::Call(function, arguments?))
    }

    fn unary(&mut self, node: &SyntaxNode, scope: &Scope<'_>) -> Result<Expr, EvalError> {
        let operand = self.child(node, 0)?;
        let operand = self.operand(&operand, scope)?;
        match node.first_token().map(|token| token.kind()) {
            Some(K::TOKEN_SUB) => Ok(Expr::Negate(operand)),
            Some(K::TOKEN_INVERT) => Ok(Expr::Not(operand)),
            _ => Err(self.syntax(span_of(node).start, "unknown operator")),
        }
    }

    fn binary(&mut self, node: &SyntaxNode, scope: &Scope<'_>) -> Result<Expr, EvalError> {
        let token = node.children_with_tokens().find_map(|child| {
            child
                .into_token()
                .filter(|token| !matches!(token.kind(), K::TOKEN_WHITESPACE | K::TOKEN_COMMENT))
        });
        let Some(token) = token else {
            return Err(self.syntax(span_of(node).start, "an operator is missing"));
        };
        let Some(operator) = operator(token.kind()) else {
            let at = token.text_range().start().into();
            return Err(self.refused(at, &format!("the operator `{}`", token.text())));
        };
        let (left, right) = (self.child(node, 0)?, self.child(node, 1)?);
        let left = self.operand(&left, scope)?;
        let right = self.operand(&right, scope)?;
        Ok(Expr::Binary(operator, left, right))
    }
}

fn operator(kind: K) -> Option<Operator> {
    Some(match kind {
        K::TOKEN_ADD => Operator::Add,
        K::TOKEN_SUB => Operator::Subtract,
        K::TOKEN_MUL => Operator::Multiply,
        K::TOKEN_DIV => Operator::Divide,
        K::TOKEN_CONCAT => Operator::Concat,
        K::TOKEN_UPDATE => Operator::Update,
        K::TOKEN_EQUAL => Operator::Equal,
        K::TOKEN_NOT_EQUAL => Operator::NotEqual,
        K::TOKEN_LESS => Operator::Less,
        K::TOKEN_LESS_OR_EQ => Operator::LessOrEqual,
        K::TOKEN_MORE => Operator::Greater,
        K::TOKEN_MORE_OR_EQ => Operator::GreaterOrEqual,
        K::TOKEN_AND_AND => Operator::And,
        K::TOKEN_OR_OR => Operator::Or,
        K::TOKEN_IMPLICATION => Operator::Implies,
        _ => return None,
    })
}
