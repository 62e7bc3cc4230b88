//! Values, and the slots that hold them until they are asked for.

use std::path::PathBuf;
use std::rc::Rc;

use crate::builtins::Builtin;
use crate::expr::ExprId;
use crate::source::Span;
use crate::symbols::Symbol;

/// A place in the machine's memory that holds a value, or how to get it. Nothing points into a value but slots, so
/// however deep a value is, dropping the memory does not recurse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot(pub(crate) u32);

/// The variables of a scope that was entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EnvId(pub(crate) u32);

/// The expression that wrote or computed a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) code: u32,
    pub(crate) expr: ExprId,
    /// Tells apart what one expression computed in several scopes, or read from one text.
    pub(crate) instance: u32,
}

impl Origin {
    /// The origin of a value that was read from a text by a builtin: the values have one expression, and are told apart
    /// by the slots made for them.
    pub(crate) fn of_read(self, slots: usize) -> Self {
        const READ: u32 = 1 << 31;
        Self { instance: READ | u32::try_from(slots).unwrap_or(u32::MAX), ..self }
    }
}

/// A value in weak head normal form.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Rc<str>),
    Path(Rc<PathBuf>),
    List(Rc<[Slot]>),
    Set(Rc<Attrs>),
    Lambda {
        code: u32,
        expr: ExprId,
        env: EnvId,
    },
    Builtin(Builtin),
    /// A builtin with fewer arguments than it takes.
    Partial(Builtin, Rc<[Slot]>),
}

impl Value {
    pub(crate) fn text(text: &str) -> Self {
        Self::Str(Rc::from(text))
    }

    /// The type in Nix's words.
    pub(crate) fn described(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a Boolean",
            Self::Int(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Str(_) => "a string",
            Self::Path(_) => "a path",
            Self::List(_) => "a list",
            Self::Set(_) => "a set",
            Self::Lambda { .. } | Self::Builtin(_) | Self::Partial(..) => "a function",
        }
    }

    pub(crate) fn is_function(&self) -> bool {
        matches!(self, Self::Lambda { .. } | Self::Builtin(_) | Self::Partial(..))
    }
}

/// An attribute set, in the order of its symbols.
#[derive(Debug, Default)]
pub(crate) struct Attrs {
    entries: Vec<Attr>,
    /// The set is `builtins`: it has more than is here.
    pub(crate) builtins: bool,
}

/// One attribute.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attr {
    pub(crate) name: Symbol,
    pub(crate) slot: Slot,
    /// The binding that made it: `name = value;`.
    pub(crate) binding: Option<(u32, Span)>,
}

impl Attrs {
    /// Makes a set; of two entries with one name the first stays.
    pub(crate) fn new(mut entries: Vec<Attr>) -> Self {
        entries.sort_by_key(|attr| attr.name);
        entries.dedup_by_key(|attr| attr.name);
        Self { entries, builtins: false }
    }

    /// Makes a set of entries that are in order.
    pub(crate) fn sorted(entries: Vec<Attr>) -> Self {
        Self { entries, builtins: false }
    }

    pub(crate) fn builtins(mut entries: Vec<Attr>) -> Self {
        entries.sort_by_key(|attr| attr.name);
        Self { entries, builtins: true }
    }

    pub(crate) fn get(&self, name: Symbol) -> Option<&Attr> {
        let index = self.entries.binary_search_by_key(&name, |attr| attr.name).ok()?;
        self.entries.get(index)
    }

    pub(crate) fn entries(&self) -> &[Attr] {
        &self.entries
    }
}

/// What a slot holds.
#[derive(Debug, Clone)]
pub(crate) enum State {
    /// The scope it is in is still being made.
    Empty,
    /// It is being evaluated.
    Busy,
    /// Not evaluated yet.
    Code {
        code: u32,
        expr: ExprId,
        env: EnvId,
    },
    /// Not called yet; the origin is the call that made it.
    Apply {
        function: Slot,
        argument: Slot,
        origin: Origin,
    },
    Done(Value, Origin),
    /// An argument of a function that nobody called.
    Poison(Symbol),
}
