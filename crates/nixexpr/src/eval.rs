//! Evaluation of expressions, as `eval.cc` does it.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::rc::Rc;

use crate::builtins;
use crate::error::EvalError;
use crate::expr::{BindingScope, Code, Expr, ExprId, Key, SetExpr};
use crate::machine::{Done, Machine};
use crate::symbols::Symbol;
use crate::value::{Attr, Attrs, EnvId, Origin, Slot, State, Value};

/// Where an expression is evaluated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame<'a> {
    pub(crate) code: &'a Rc<Code>,
    pub(crate) index: u32,
    pub(crate) env: EnvId,
}

impl Frame<'_> {
    fn origin(&self, expr: ExprId) -> Origin {
        Machine::origin(self.index, expr, self.env)
    }

    fn inside(self, env: EnvId) -> Self {
        Self { env, ..self }
    }
}

impl Machine {
    pub(crate) fn eval(
        &mut self,
        code: &Rc<Code>,
        index: u32,
        expr: ExprId,
        env: EnvId,
    ) -> Result<Done, EvalError> {
        self.value(Frame { code, index, env }, expr)
    }

    pub(crate) fn value(&mut self, frame: Frame<'_>, id: ExprId) -> Result<Done, EvalError> {
        let at = frame.origin(id);
        match frame.code.expr(id) {
            Expr::Null => Ok((Value::Null, at)),
            Expr::Bool(value) => Ok((Value::Bool(*value), at)),
            Expr::Int(value) => Ok((Value::Int(*value), at)),
            Expr::Float(value) => Ok((Value::Float(*value), at)),
            Expr::Str(text) => Ok((Value::Str(Rc::clone(text)), at)),
            Expr::Lambda(_) => {
                Ok((Value::Lambda { code: frame.index, expr: id, env: frame.env }, at))
            }
            Expr::Builtin(builtin) => Ok((Value::Builtin(*builtin), at)),
            _ => self.deeper(at, |machine| machine.compound(frame, id, at)),
        }
    }

    /// What evaluates to a value that something else made, and everything that does not.
    fn compound(&mut self, frame: Frame<'_>, id: ExprId, at: Origin) -> Result<Done, EvalError> {
        match frame.code.expr(id) {
            Expr::Local { up, index } => {
                let env = self.env_above(frame.env, *up);
                match self.variable(env, *index) {
                    Some(slot) => self.force(slot, at),
                    None => Err(self.refuse(at, "a variable of an unfinished scope")),
                }
            }
            Expr::With { up, name } => {
                let slot = self.with_variable(frame, *up, *name, at)?;
                self.force(slot, at)
            }
            Expr::Let(set, body) => {
                let env = self.env(frame.env, set.bindings.len(), at)?;
                self.fill(frame, frame.inside(env), set, Some(env), at)?;
                self.value(frame.inside(env), *body)
            }
            Expr::Select { of, path, default } => self.select(frame, *of, path, *default, at),
            Expr::WithScope(set, body) => {
                let set = self.thunk(frame, *set)?;
                let env = self.with_env(frame.env, set, at)?;
                self.value(frame.inside(env), *body)
            }
            Expr::If(condition, then, otherwise) => {
                let branch = if self.boolean(frame, *condition)? { then } else { otherwise };
                self.value(frame, *branch)
            }
            Expr::Assert(condition, body) => {
                if !self.boolean(frame, *condition)? {
                    let text = crate::text::excerpt(frame.code, *condition);
                    return Err(self.fail(at, format!("assertion `{text}` failed")));
                }
                self.value(frame, *body)
            }
            Expr::Call(function, arguments) => {
                let (function, _) = self.value(frame, *function)?;
                let mut slots = Vec::with_capacity(arguments.len());
                for &argument in arguments {
                    slots.push(self.thunk(frame, argument)?);
                }
                self.call(function, &slots, at)
            }
            expr => Ok((self.made(frame, expr, at)?, at)),
        }
    }

    /// What makes a value of its own.
    fn made(&mut self, frame: Frame<'_>, expr: &Expr, at: Origin) -> Result<Value, EvalError> {
        match expr {
            Expr::Builtins => Ok(Value::Set(builtins::set(self, at)?)),
            Expr::Path(text) => {
                Ok(Value::Path(Rc::new(crate::files::resolve(&frame.code.base, text))))
            }
            Expr::Joined(parts) => self.joined(frame, parts),
            Expr::List(items) => {
                let mut slots = Vec::with_capacity(items.len());
                for &item in items {
                    slots.push(self.thunk(frame, item)?);
                }
                self.list(slots, at)
            }
            Expr::Set(set) => self.set(frame, set, at),
            Expr::Has { of, path } => self.has_path(frame, *of, path).map(Value::Bool),
            Expr::Not(operand) => Ok(Value::Bool(!self.boolean(frame, *operand)?)),
            Expr::Negate(operand) => {
                let (operand, _) = self.value(frame, *operand)?;
                self.subtract(&Value::Int(0), &operand, at)
            }
            Expr::Binary(operator, left, right) => self.binary(frame, *operator, *left, *right, at),
            Expr::Refused(what) => Err(self.refuse(at, *what)),
            _ => Err(self.refuse(at, "an expression of an unknown kind")),
        }
    }

    pub(crate) fn list(&mut self, slots: Vec<Slot>, at: Origin) -> Result<Value, EvalError> {
        self.charge(slots.len() * size_of::<Slot>(), at)?;
        Ok(Value::List(slots.into()))
    }

    pub(crate) fn boolean(&mut self, frame: Frame<'_>, expr: ExprId) -> Result<bool, EvalError> {
        match self.value(frame, expr)?.0 {
            Value::Bool(value) => Ok(value),
            other => Err(self.unexpected("a Boolean", &other, frame.origin(expr))),
        }
    }

    /// A slot for an expression: a variable's own slot, a finished value, or one to evaluate later.
    pub(crate) fn thunk(&mut self, frame: Frame<'_>, expr: ExprId) -> Result<Slot, EvalError> {
        let at = frame.origin(expr);
        let state = match frame.code.expr(expr) {
            Expr::Local { up, index } => {
                let env = self.env_above(frame.env, *up);
                if let Some(slot) = self.variable(env, *index) {
                    return Ok(slot);
                }
                State::Code { code: frame.index, expr, env: frame.env }
            }
            Expr::Null
            | Expr::Bool(_)
            | Expr::Int(_)
            | Expr::Float(_)
            | Expr::Str(_)
            | Expr::Lambda(_)
            | Expr::Builtin(_) => {
                let (value, origin) = self.value(frame, expr)?;
                State::Done(value, origin)
            }
            _ => State::Code { code: frame.index, expr, env: frame.env },
        };
        self.slot(state, at)
    }

    fn with_variable(
        &mut self,
        frame: Frame<'_>,
        up: u32,
        name: Symbol,
        at: Origin,
    ) -> Result<Slot, EvalError> {
        let mut env = self.env_above(frame.env, up);
        loop {
            if let Some(set) = self.variable(env, 0) {
                let attrs = self.force_set(set, at)?;
                if let Some(slot) = self.lookup(&attrs, name, at)? {
                    return Ok(slot);
                }
            }
            let Some(next) = self.next_with(env) else {
                let name = self.symbols.name(name);
                return Err(self.fail(at, format!("undefined variable `{name}`")));
            };
            env = next;
        }
    }

    fn joined(&mut self, frame: Frame<'_>, parts: &[ExprId]) -> Result<Value, EvalError> {
        let mut text = String::new();
        for &part in parts {
            let at = frame.origin(part);
            let (value, _) = self.value(frame, part)?;
            let piece = self.coerce(&value, false, at)?;
            self.charge(piece.len(), at)?;
            text.push_str(&piece);
        }
        Ok(Value::text(&text))
    }

    fn set(&mut self, frame: Frame<'_>, set: &SetExpr, at: Origin) -> Result<Value, EvalError> {
        let inner = if set.recursive {
            frame.inside(self.env(frame.env, set.bindings.len(), at)?)
        } else {
            frame
        };
        let env = set.recursive.then_some(inner.env);
        let mut entries = self.fill(frame, inner, set, env, at)?;
        if set.dynamic.is_empty() {
            return Ok(Value::Set(Rc::new(Attrs::sorted(entries))));
        }
        let mut taken: HashSet<Symbol> = entries.iter().map(|attr| attr.name).collect();
        for binding in &set.dynamic {
            let place = inner.origin(binding.name);
            let name = match self.value(inner, binding.name)?.0 {
                Value::Null => continue,
                Value::Str(text) => self.intern(&text, place)?,
                other => return Err(self.unexpected("a string", &other, place)),
            };
            if !taken.insert(name) {
                let name = self.symbols.name(name);
                return Err(self.refuse(place, format!("a second `{name}` with a computed name")));
            }
            let slot = self.thunk(inner, binding.value)?;
            entries.push(Attr { name, slot, binding: Some((frame.index, binding.span)) });
        }
        Ok(Value::Set(Rc::new(Attrs::new(entries))))
    }

    /// Interns a computed name, which takes memory too.
    pub(crate) fn intern(&mut self, text: &str, at: Origin) -> Result<Symbol, EvalError> {
        if self.symbols.find(text).is_none() {
            self.charge(text.len() + 64, at)?;
        }
        Ok(self.symbols.intern(text))
    }

    /// Makes the slots of all bindings; those of a recursive set become its variables.
    fn fill(
        &mut self,
        outer: Frame<'_>,
        inner: Frame<'_>,
        set: &SetExpr,
        variables: Option<EnvId>,
        at: Origin,
    ) -> Result<Vec<Attr>, EvalError> {
        let from = if set.from.is_empty() {
            inner
        } else {
            let env = self.env(inner.env, set.from.len(), at)?;
            for (index, &expr) in set.from.iter().enumerate() {
                let slot = self.thunk(inner, expr)?;
                self.assign(env, index, slot);
            }
            inner.inside(env)
        };
        self.charge(set.bindings.len() * size_of::<Attr>(), at)?;
        let mut entries = Vec::with_capacity(set.bindings.len());
        for (index, binding) in set.bindings.iter().enumerate() {
            let frame = match binding.scope {
                BindingScope::Inner => inner,
                BindingScope::Outer => outer,
                BindingScope::From => from,
            };
            let slot = self.thunk(frame, binding.value)?;
            if let Some(env) = variables {
                self.assign(env, index, slot);
            }
            let binding_at = Some((outer.index, binding.span));
            entries.push(Attr { name: binding.name, slot, binding: binding_at });
        }
        Ok(entries)
    }

    fn key(&mut self, frame: Frame<'_>, key: Key) -> Result<Symbol, EvalError> {
        match key {
            Key::Static(symbol) => Ok(symbol),
            Key::Dynamic(expr) => {
                let at = frame.origin(expr);
                match self.value(frame, expr)?.0 {
                    Value::Str(text) => self.intern(&text, at),
                    other => Err(self.unexpected("a string", &other, at)),
                }
            }
        }
    }

    fn select(
        &mut self,
        frame: Frame<'_>,
        of: ExprId,
        path: &[Key],
        default: Option<ExprId>,
        at: Origin,
    ) -> Result<Done, EvalError> {
        let mut current = self.value(frame, of)?;
        let mut said = String::new();
        for &key in path {
            let name = self.key(frame, key)?;
            let found = match (&current.0, default) {
                (Value::Set(attrs), _) => self.lookup(attrs, name, at)?,
                (_, Some(_)) => None,
                (other, None) => {
                    let what = format!(
                        "expected a set with `{}` but found {}",
                        self.symbols.name(name),
                        other.described()
                    );
                    return Err(self.fail(at, what));
                }
            };
            let separator = if said.is_empty() { "" } else { "." };
            write!(said, "{separator}{}", self.symbols.name(name)).unwrap_or_default();
            match (found, default) {
                (Some(slot), _) => current = self.force(slot, at)?,
                (None, Some(default)) => return self.value(frame, default),
                (None, None) => return Err(self.fail(at, format!("attribute `{said}` missing"))),
            }
        }
        Ok(current)
    }

    fn has_path(&mut self, frame: Frame<'_>, of: ExprId, path: &[Key]) -> Result<bool, EvalError> {
        let at = frame.origin(of);
        let mut current = self.value(frame, of)?.0;
        for (index, &key) in path.iter().enumerate() {
            let name = self.key(frame, key)?;
            let Value::Set(attrs) = &current else { return Ok(false) };
            let Some(slot) = self.lookup(attrs, name, at)? else { return Ok(false) };
            // The last one is only looked for.
            if index + 1 < path.len() {
                current = self.force(slot, at)?.0;
            }
        }
        Ok(true)
    }
}
