//! Scopes, as Nix's parser resolves variables: by how many scopes up, and which one there.

use crate::builtins::{self, BaseName};
use crate::expr::Expr;
use crate::symbols::Symbol;

/// A scope and the ones around it.
#[derive(Debug)]
pub(crate) struct Scope<'a> {
    up: Option<&'a Self>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// Variables in the order of their numbers.
    Names(Vec<Symbol>),
    With,
}

/// What a name means.
#[derive(Debug)]
pub(crate) enum Resolved {
    Expr(Expr),
    /// No scope has it and there is no `with`: Nix refuses the whole file.
    Undefined,
    /// It may be a builtin of some version of Nix.
    Unknown,
}

impl<'a> Scope<'a> {
    pub(crate) fn top() -> Self {
        Self { up: None, kind: Kind::Names(Vec::new()) }
    }

    pub(crate) fn names(&'a self, names: Vec<Symbol>) -> Self {
        Self { up: Some(self), kind: Kind::Names(names) }
    }

    pub(crate) fn with(&'a self) -> Self {
        Self { up: Some(self), kind: Kind::With }
    }

    /// Looks a name up: in all scopes, then among the builtins, then in the nearest `with`.
    pub(crate) fn resolve(&self, symbol: Symbol, name: &str) -> Resolved {
        let mut with = None;
        let mut level = 0_u32;
        let mut scope = Some(self);
        while let Some(here) = scope {
            match &here.kind {
                Kind::Names(names) => {
                    if let Some(index) = names.iter().position(|&other| other == symbol) {
                        let index = u32::try_from(index).unwrap_or(u32::MAX);
                        return Resolved::Expr(Expr::Local { up: level, index });
                    }
                }
                Kind::With => with = with.or(Some(level)),
            }
            scope = here.up;
            level += 1;
        }
        match builtins::base_name(name) {
            BaseName::Expr(expr) => Resolved::Expr(expr),
            BaseName::Unknown => Resolved::Unknown,
            BaseName::None => match with {
                Some(up) => Resolved::Expr(Expr::With { up, name: symbol }),
                None => Resolved::Undefined,
            },
        }
    }
}
