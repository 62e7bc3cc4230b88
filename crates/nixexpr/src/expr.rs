//! Expressions as they are evaluated: variables resolved, attribute sets merged, strings unescaped.

use std::rc::Rc;

use crate::builtins::Builtin;
use crate::source::{Source, Span};
use crate::symbols::Symbol;

/// An expression of one [`Code`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ExprId(pub(crate) u32);

/// Everything one file holds.
#[derive(Debug)]
pub(crate) struct Code {
    pub(crate) source: Source,
    exprs: Vec<Expr>,
    spans: Vec<Span>,
    pub(crate) root: ExprId,
    /// The folder that relative paths start from.
    pub(crate) base: std::path::PathBuf,
}

impl Code {
    pub(crate) fn new(source: Source, base: std::path::PathBuf) -> Self {
        Self { source, exprs: Vec::new(), spans: Vec::new(), root: ExprId(0), base }
    }

    pub(crate) fn add(&mut self, expr: Expr, span: Span) -> ExprId {
        let id = ExprId(u32::try_from(self.exprs.len()).unwrap_or(u32::MAX));
        self.exprs.push(expr);
        self.spans.push(span);
        id
    }

    pub(crate) fn expr(&self, id: ExprId) -> &Expr {
        &self.exprs[id.0 as usize]
    }

    pub(crate) fn span(&self, id: ExprId) -> Span {
        self.spans[id.0 as usize]
    }
}

/// What can be evaluated.
#[derive(Debug)]
pub(crate) enum Expr {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Rc<str>),
    /// A relative path, as it is written.
    Path(Rc<str>),
    /// A variable: so many scopes up, the one with this number.
    Local {
        up: u32,
        index: u32,
    },
    /// A variable that the `with` so many scopes up has, or one above it.
    With {
        up: u32,
        name: Symbol,
    },
    Builtin(Builtin),
    /// The set `builtins`.
    Builtins,
    /// A string with holes: every part must be a string.
    Joined(Box<[ExprId]>),
    List(Box<[ExprId]>),
    Set(Box<SetExpr>),
    Let(Box<SetExpr>, ExprId),
    Select {
        of: ExprId,
        path: Box<[Key]>,
        default: Option<ExprId>,
    },
    Has {
        of: ExprId,
        path: Box<[Key]>,
    },
    WithScope(ExprId, ExprId),
    If(ExprId, ExprId, ExprId),
    Assert(ExprId, ExprId),
    Lambda(Box<LambdaExpr>),
    Call(ExprId, Box<[ExprId]>),
    Not(ExprId),
    Negate(ExprId),
    Binary(Operator, ExprId, ExprId),
    /// Something that is not evaluated here.
    Refused(&'static str),
}

/// A name in an attribute path.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Key {
    Static(Symbol),
    Dynamic(ExprId),
}

/// The bindings of a set or a `let`.
#[derive(Debug)]
pub(crate) struct SetExpr {
    pub(crate) recursive: bool,
    /// In the order of their symbols; scopes number them by it.
    pub(crate) bindings: Box<[Binding]>,
    /// The expressions of `inherit (…)`.
    pub(crate) from: Box<[ExprId]>,
    pub(crate) dynamic: Box<[DynamicBinding]>,
}

/// A binding with a known name.
#[derive(Debug)]
pub(crate) struct Binding {
    pub(crate) name: Symbol,
    pub(crate) scope: BindingScope,
    pub(crate) value: ExprId,
    /// All of `name = value;`.
    pub(crate) span: Span,
}

/// Where the value of a binding is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BindingScope {
    /// Inside, if the set is recursive.
    Inner,
    /// Outside: `inherit x;`.
    Outer,
    /// In the scope of `inherit (…)` expressions.
    From,
}

/// A binding whose name is computed.
#[derive(Debug)]
pub(crate) struct DynamicBinding {
    pub(crate) name: ExprId,
    pub(crate) value: ExprId,
    pub(crate) span: Span,
}

/// A function.
#[derive(Debug)]
pub(crate) struct LambdaExpr {
    /// The name of the whole argument: the first variable of the scope, if there is one.
    pub(crate) name: Option<Symbol>,
    pub(crate) pattern: Option<Pattern>,
    pub(crate) body: ExprId,
}

/// `{ a, b ? 1, ... }`.
#[derive(Debug)]
pub(crate) struct Pattern {
    pub(crate) entries: Box<[PatternEntry]>,
    pub(crate) open: bool,
}

/// One name of a pattern.
#[derive(Debug)]
pub(crate) struct PatternEntry {
    pub(crate) name: Symbol,
    pub(crate) default: Option<ExprId>,
    pub(crate) span: Span,
}

/// Operators with two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Concat,
    Update,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    And,
    Or,
    Implies,
}
