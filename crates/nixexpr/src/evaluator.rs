//! The way in: files evaluated, values looked into, one attribute at a time.

use std::path::Path;
use std::rc::Rc;

use crate::error::EvalError;
use crate::expr::Expr;
use crate::limits::Limits;
use crate::machine::{Machine, NO_ENV};
use crate::source::{Place, Span};
use crate::value::{self, Origin, Slot};

/// Evaluates Nix files natively; every answer is Nix's own, or there is none.
///
/// ```
/// use nixexpr::{Evaluator, Kind, Limits};
///
/// let mut nix = Evaluator::new(Limits::default());
/// let root = nix.text("ports.nix".as_ref(), "rec { http = 8080; admin = http + 1; }").unwrap();
/// let admin = nix.attribute(root, "admin").unwrap().unwrap();
/// assert_eq!(nix.kind(admin).unwrap(), Kind::Int(8081));
/// assert_eq!(nix.json(root).unwrap(), r#"{"admin":8081,"http":8080}"#);
/// ```
#[derive(Debug)]
pub struct Evaluator {
    machine: Machine,
}

/// A value of one [`Evaluator`], evaluated when it is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value(Slot);

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
    /// A string.
    Text(Rc<str>),
    /// A path.
    Path,
    /// A list of so many values.
    List(usize),
    /// An attribute set.
    Set,
    /// A function.
    Function,
}

/// Where a value was written or computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The file, and where the expression starts.
    pub place: Place,
    /// The expression's bytes in that file.
    pub span: Span,
    /// Whether the expression is the value itself: `6379`, `"text"`. Two values with one literal are one value under
    /// two names.
    pub literal: bool,
    /// Tells apart what one expression computed more than once, as the body of a function does.
    pub instance: u32,
}

impl Written {
    /// Whether two values are one value under two names: one literal, or one computation.
    pub fn is_same(&self, other: &Self) -> bool {
        self.span == other.span
            && self.place == other.place
            && (self.literal || self.instance == other.instance)
    }
}

/// One attribute of a set.
#[derive(Debug, Clone)]
pub struct Attribute {
    /// The name.
    pub name: Rc<str>,
    /// The value.
    pub value: Value,
    /// All of `name = value;`, if the attribute was written as that.
    pub binding: Option<Binding>,
}

/// A binding in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The file, and where the binding starts.
    pub place: Place,
    /// The binding's bytes in that file.
    pub span: Span,
    /// The text of the file.
    pub text: Rc<str>,
}

impl Evaluator {
    /// Starts with nothing read.
    pub fn new(limits: Limits) -> Self {
        Self { machine: Machine::new(limits) }
    }

    /// Lets `text` stand for the file that evaluation calls `path`, wherever it is imported.
    pub fn overlay(&mut self, path: &Path, text: &str) {
        self.machine.overlay.insert(path.to_owned(), Rc::from(text));
    }

    /// Reads a file, or the `default.nix` of a folder. Its value is evaluated when it is looked at.
    ///
    /// # Errors
    /// When the file cannot be read or is not Nix.
    pub fn file(&mut self, path: &Path) -> Result<Value, EvalError> {
        self.machine.settle();
        self.machine.file(path).map(Value)
    }

    /// Takes `text` for the file `path`, which is not read. Imports start from its folder.
    ///
    /// # Errors
    /// When the text is not Nix.
    pub fn text(&mut self, path: &Path, text: &str) -> Result<Value, EvalError> {
        self.machine.settle();
        self.machine.text(path, text).map(Value)
    }

    fn force(&mut self, value: Value) -> Result<(value::Value, Origin), EvalError> {
        self.machine.settle();
        let at = self.origin(value);
        self.machine.force(value.0, at)
    }

    /// An origin to report failures of `value` at, before it is known.
    fn origin(&self, value: Value) -> Origin {
        match self.machine.state(value.0) {
            value::State::Code { code, expr, env } => Machine::origin(*code, *expr, *env),
            value::State::Done(_, origin) | value::State::Apply { origin, .. } => *origin,
            value::State::Empty | value::State::Busy | value::State::Poison(_) => {
                Machine::origin(0, crate::expr::ExprId(0), NO_ENV)
            }
        }
    }

    /// Evaluates a value to what it is.
    ///
    /// # Errors
    /// When the evaluation fails or is refused.
    pub fn kind(&mut self, value: Value) -> Result<Kind, EvalError> {
        Ok(match self.force(value)?.0 {
            value::Value::Null => Kind::Null,
            value::Value::Bool(value) => Kind::Bool(value),
            value::Value::Int(number) => Kind::Int(number),
            value::Value::Float(number) => Kind::Float(number),
            value::Value::Str(text) => Kind::Text(text),
            value::Value::Path(_) => Kind::Path,
            value::Value::List(items) => Kind::List(items.len()),
            value::Value::Set(_) => Kind::Set,
            value::Value::Lambda { .. } | value::Value::Builtin(_) | value::Value::Partial(..) => {
                Kind::Function
            }
        })
    }

    /// The attribute `name` of a set; none if there is none, or if `value` is not a set.
    ///
    /// # Errors
    /// When the evaluation of the set fails or is refused.
    pub fn attribute(&mut self, value: Value, name: &str) -> Result<Option<Value>, EvalError> {
        let (value, at) = self.force(value)?;
        let value::Value::Set(attrs) = value else { return Ok(None) };
        let name = self.machine.symbols.intern(name);
        Ok(self.machine.lookup(&attrs, name, at)?.map(Value))
    }

    /// Follows a path of names through sets.
    ///
    /// # Errors
    /// When the evaluation of a set on the way fails or is refused.
    pub fn select(&mut self, value: Value, path: &[&str]) -> Result<Option<Value>, EvalError> {
        let mut current = value;
        for name in path {
            match self.attribute(current, name)? {
                Some(next) => current = next,
                None => return Ok(None),
            }
        }
        Ok(Some(current))
    }

    /// All attributes of a set in the order of their names; none if `value` is not a set.
    ///
    /// # Errors
    /// When the evaluation of the set fails or is refused.
    pub fn attributes(&mut self, value: Value) -> Result<Vec<Attribute>, EvalError> {
        let (value, at) = self.force(value)?;
        let value::Value::Set(attrs) = value else { return Ok(Vec::new()) };
        let attrs = self.machine.all(&attrs, at)?;
        let entries = self.machine.by_name(&attrs).into_iter().map(|attr| Attribute {
            name: Rc::clone(self.machine.symbols.name(attr.name)),
            value: Value(attr.slot),
            binding: self.binding_of(&attr),
        });
        Ok(entries.collect())
    }

    /// The binding of the attribute `name`, if `value` is a set with it and it was written as a binding.
    ///
    /// # Errors
    /// When the evaluation of the set fails or is refused.
    pub fn binding(&mut self, value: Value, name: &str) -> Result<Option<Binding>, EvalError> {
        let (value, _) = self.force(value)?;
        let value::Value::Set(attrs) = value else { return Ok(None) };
        let name = self.machine.symbols.intern(name);
        Ok(attrs.get(name).and_then(|attr| self.binding_of(attr)))
    }

    fn binding_of(&self, attr: &value::Attr) -> Option<Binding> {
        let (code, span) = attr.binding?;
        let source = &self.machine.codes[code as usize].source;
        Some(Binding { place: source.place(span.start), span, text: Rc::clone(&source.text) })
    }

    /// The elements of a list; none if `value` is not a list.
    ///
    /// # Errors
    /// When the evaluation of the list fails or is refused.
    pub fn items(&mut self, value: Value) -> Result<Vec<Value>, EvalError> {
        match self.force(value)?.0 {
            value::Value::List(items) => Ok(items.iter().map(|&slot| Value(slot)).collect()),
            _ => Ok(Vec::new()),
        }
    }

    /// Where an evaluated value was written or computed.
    ///
    /// # Errors
    /// When the evaluation fails or is refused.
    pub fn written(&mut self, value: Value) -> Result<Written, EvalError> {
        let (_, origin) = self.force(value)?;
        let code = &self.machine.codes[origin.code as usize];
        let literal = matches!(
            code.expr(origin.expr),
            Expr::Null | Expr::Bool(_) | Expr::Int(_) | Expr::Float(_) | Expr::Str(_)
        );
        let (place, span) = (self.machine.place(origin), code.span(origin.expr));
        Ok(Written { place, span, literal, instance: origin.instance })
    }

    /// Calls a function whose arguments nobody gave: an argument without a default is an error when it is needed.
    /// This goes beyond Nix, which asks for the arguments; the flag tells whether it was needed.
    ///
    /// A value that is not a function is returned as it is.
    ///
    /// # Errors
    /// When the evaluation fails or is refused.
    pub fn apply_head(&mut self, value: Value) -> Result<(Value, bool), EvalError> {
        /// Functions that return functions.
        const HEADS: usize = 8;
        let mut current = value;
        let mut beyond = false;
        for _ in 0..HEADS {
            let (function, _) = self.force(current)?;
            match self.machine.apply_head(&function)? {
                Some(((result, origin), invented)) => {
                    beyond |= invented;
                    current = Value(self.machine.done(result, origin)?);
                }
                None => break,
            }
        }
        Ok((current, beyond))
    }

    /// A value and everything in it as JSON without blanks, as `nix-instantiate --eval --strict --json` prints it.
    ///
    /// # Errors
    /// When the evaluation fails or is refused.
    pub fn json(&mut self, value: Value) -> Result<String, EvalError> {
        self.machine.settle();
        let at = self.origin(value);
        self.machine.json(value.0, at)
    }
}
