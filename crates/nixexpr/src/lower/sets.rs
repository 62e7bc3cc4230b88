//! Attribute sets and `let` bindings: dotted names merged as Nix's parser merges them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use rnix::{SyntaxKind as K, SyntaxNode};

use super::scope::Scope;
use super::{Lower, Name, span_of};
use crate::error::EvalError;
use crate::expr::{Binding, BindingScope, DynamicBinding, Expr, ExprId, Key, SetExpr};
use crate::source::Span;
use crate::symbols::Symbol;

/// A set while its bindings are collected.
#[derive(Debug, Default)]
pub(super) struct SetBuild {
    pub(super) recursive: bool,
    span: Option<Span>,
    names: BTreeMap<Symbol, Definition>,
    from: Vec<SyntaxNode>,
    dynamic: Vec<(SyntaxNode, Value, Span)>,
    /// Where `${"literal"}` is a name: Nix's versions differ in what it may do.
    literal_key: Option<Span>,
}

#[derive(Debug)]
struct Definition {
    value: Value,
    span: Span,
}

#[derive(Debug)]
enum Value {
    Node(SyntaxNode),
    Set(Box<SetBuild>),
    Inherited(Span),
    /// Inherited from the expression with this number.
    From(usize, Span),
}

/// The keywords that operators stand for in Nix: binding one changes what an operator does.
const OPERATOR_NAMES: [&str; 6] =
    ["__sub", "__mul", "__div", "__lessThan", "__findFile", "__nixPath"];

impl Lower<'_> {
    /// Collects the bindings of `node`: a set, or a `let` whose body comes last.
    pub(super) fn collect(
        &mut self,
        node: &SyntaxNode,
        recursive: bool,
    ) -> Result<SetBuild, EvalError> {
        let mut set = SetBuild { recursive, span: Some(span_of(node)), ..SetBuild::default() };
        for child in node.children() {
            match child.kind() {
                K::NODE_ATTRPATH_VALUE => self.bind(&mut set, &child)?,
                K::NODE_INHERIT => self.inherit(&mut set, &child)?,
                _ => {}
            }
        }
        Ok(set)
    }

    fn bind(&mut self, set: &mut SetBuild, node: &SyntaxNode) -> Result<(), EvalError> {
        let path = self.child(node, 0)?;
        let value = self.child(node, 1)?;
        let value = self.value(&value)?;
        let span = span_of(node);
        let mut names = Vec::new();
        for name in path.children() {
            names.push(self.attribute_name(&name)?);
        }
        let Some(last) = names.pop() else {
            return Err(self.syntax(span.start, "a name is missing"));
        };
        let mut here = set;
        let mut said = Vec::new();
        for name in names {
            here = match name {
                Name::Static(symbol) => {
                    said.push(symbol);
                    let fresh = || Definition { value: Value::Set(Box::default()), span };
                    let definition = here.names.entry(symbol).or_insert_with(fresh);
                    match &mut definition.value {
                        Value::Set(nested) => nested,
                        _ => return Err(self.duplicate(&said, span, definition.span)),
                    }
                }
                Name::Dynamic(node, literal) => {
                    here.note_literal(literal, &node);
                    here.dynamic.push((node, Value::Set(Box::default()), span));
                    match here.dynamic.last_mut() {
                        Some((_, Value::Set(nested), _)) => nested,
                        _ => return Err(self.syntax(span.start, "a name is missing")),
                    }
                }
            };
        }
        match last {
            Name::Static(symbol) => {
                self.insert(here, &mut said, symbol, Definition { value, span })
            }
            Name::Dynamic(node, literal) => {
                here.note_literal(literal, &node);
                here.dynamic.push((node, value, span));
                Ok(())
            }
        }
    }

    /// Adds a binding; two sets of one name are merged.
    fn insert(
        &mut self,
        set: &mut SetBuild,
        said: &mut Vec<Symbol>,
        name: Symbol,
        new: Definition,
    ) -> Result<(), EvalError> {
        let old = match set.names.entry(name) {
            Entry::Vacant(place) => {
                place.insert(new);
                return Ok(());
            }
            Entry::Occupied(place) => place.into_mut(),
        };
        said.push(name);
        let (Value::Set(target), Value::Set(added)) = (&mut old.value, new.value) else {
            return Err(self.duplicate(said, new.span, old.span));
        };
        let shift = target.from.len();
        for (name, mut definition) in added.names {
            if let Value::From(index, _) = &mut definition.value {
                *index += shift;
            }
            self.insert(target, said, name, definition)?;
        }
        target.dynamic.extend(added.dynamic);
        target.from.extend(added.from);
        target.literal_key = target.literal_key.or(added.literal_key);
        said.pop();
        Ok(())
    }

    fn inherit(&mut self, set: &mut SetBuild, node: &SyntaxNode) -> Result<(), EvalError> {
        let mut from = None;
        for child in node.children() {
            if child.kind() == K::NODE_INHERIT_FROM {
                from = Some(set.from.len());
                set.from.push(self.child(&child, 0)?);
                continue;
            }
            let span = span_of(&child);
            let symbol = match self.attribute_name(&child)? {
                Name::Static(symbol) => symbol,
                Name::Dynamic(_, true) => {
                    return Err(self.refused(span.start, "`${\"…\"}` in `inherit`"));
                }
                Name::Dynamic(_, false) => {
                    return Err(
                        self.syntax(span.start, "dynamic attributes not allowed in inherit")
                    );
                }
            };
            let value = match from {
                Some(index) => Value::From(index, span),
                None => Value::Inherited(span),
            };
            match set.names.entry(symbol) {
                Entry::Vacant(place) => place.insert(Definition { value, span }),
                Entry::Occupied(old) => {
                    return Err(self.duplicate(&[symbol], span, old.get().span));
                }
            };
        }
        Ok(())
    }

    /// A set that is written out can be merged with others; parentheses do not matter.
    fn value(&mut self, node: &SyntaxNode) -> Result<Value, EvalError> {
        let inner = self.without_parens(node)?;
        if inner.kind() == K::NODE_ATTR_SET {
            let recursive = super::is_recursive(&inner);
            return Ok(Value::Set(Box::new(self.collect(&inner, recursive)?)));
        }
        Ok(Value::Node(node.clone()))
    }

    /// Resolves what was collected. `inner` is the scope of a recursive set's own names.
    pub(super) fn set_expr(
        &mut self,
        set: SetBuild,
        scope: &Scope<'_>,
        inner: &Scope<'_>,
    ) -> Result<SetExpr, EvalError> {
        let mut from = Vec::with_capacity(set.from.len());
        for node in &set.from {
            from.push(self.expr(node, inner)?);
        }
        let mut bindings = Vec::with_capacity(set.names.len());
        for (name, definition) in set.names {
            let span = definition.span;
            let (kind, value) = match definition.value {
                Value::Node(node) => (BindingScope::Inner, self.expr(&node, inner)?),
                Value::Set(nested) => (BindingScope::Inner, self.nested(*nested, inner, span)?),
                Value::Inherited(at) => (BindingScope::Outer, self.variable(name, at, scope)?),
                Value::From(index, at) => {
                    (BindingScope::From, self.inherited_select(index, name, at))
                }
            };
            bindings.push(Binding { name, scope: kind, value, span });
        }
        let mut dynamic = Vec::with_capacity(set.dynamic.len());
        for (name, value, span) in set.dynamic {
            let name = self.key_expr(&name, inner)?;
            let value = match value {
                Value::Set(nested) => self.nested(*nested, inner, span)?,
                Value::Node(node) => self.expr(&node, inner)?,
                Value::Inherited(_) | Value::From(..) => {
                    return Err(
                        self.syntax(span.start, "dynamic attributes not allowed in inherit")
                    );
                }
            };
            dynamic.push(DynamicBinding { name, value, span });
        }
        Ok(SetExpr {
            recursive: set.recursive,
            bindings: bindings.into(),
            from: from.into(),
            dynamic: dynamic.into(),
        })
    }

    /// Lowers a set in the scope it stands in.
    pub(super) fn nested(
        &mut self,
        set: SetBuild,
        scope: &Scope<'_>,
        around: Span,
    ) -> Result<ExprId, EvalError> {
        let span = set.span.unwrap_or(around);
        let expr = if set.recursive {
            let names = self.recursive_names(&set)?;
            self.set_expr(set, scope, &scope.names(names))?
        } else {
            self.set_expr(set, scope, scope)?
        };
        Ok(self.code.add(Expr::Set(Box::new(expr)), span))
    }

    /// The names that a recursive set or a `let` puts into scope.
    pub(super) fn recursive_names(&mut self, set: &SetBuild) -> Result<Vec<Symbol>, EvalError> {
        if let Some(span) = set.literal_key {
            return Err(self.refused(span.start, "`${\"…\"}` as a name in a recursive set"));
        }
        for (&name, definition) in &set.names {
            self.check_bound_name(name, definition.span)?;
            if &**self.symbols.name(name) == "__overrides" {
                return Err(self.refused(definition.span.start, "`__overrides`"));
            }
        }
        Ok(set.names.keys().copied().collect())
    }

    /// Refuses to bind what an operator of Nix looks up by name.
    pub(super) fn check_bound_name(&self, name: Symbol, span: Span) -> Result<(), EvalError> {
        let text = self.symbols.name(name);
        if OPERATOR_NAMES.contains(&&**text) {
            return Err(self.refused(span.start, &format!("a variable named `{text}`")));
        }
        Ok(())
    }

    fn inherited_select(&mut self, index: usize, name: Symbol, span: Span) -> ExprId {
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        let of = self.code.add(Expr::Local { up: 0, index }, span);
        let path = Box::new([Key::Static(name)]);
        self.code.add(Expr::Select { of, path, default: None }, span)
    }

    fn duplicate(&self, path: &[Symbol], new: Span, old: Span) -> EvalError {
        let names: Vec<&str> = path.iter().map(|&name| &**self.symbols.name(name)).collect();
        let place = self.code.source.place(old.start);
        self.syntax(
            new.start,
            &format!("attribute `{}` already defined at {place}", names.join(".")),
        )
    }
}

impl SetBuild {
    pub(super) fn has_dynamic(&self) -> Option<Span> {
        self.dynamic.first().map(|(_, _, span)| *span)
    }

    fn note_literal(&mut self, literal: bool, node: &SyntaxNode) {
        if literal {
            self.literal_key = self.literal_key.or(Some(span_of(node)));
        }
    }
}
