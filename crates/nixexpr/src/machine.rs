//! The memory and the limits of an evaluation.

use std::collections::HashMap;
use std::path::PathBuf;
use std::rc::Rc;

use crate::error::EvalError;
use crate::expr::{Code, ExprId};
use crate::limits::Limits;
use crate::source::Place;
use crate::symbols::{Symbol, Symbols};
use crate::value::{Attrs, EnvId, Origin, Slot, State, Value};

/// A value and where it comes from.
pub(crate) type Done = (Value, Origin);

/// Stack that must be left before another value is evaluated, and how much more is taken when it is not.
const RED_ZONE: usize = 256 << 10;
const MORE_STACK: usize = 4 << 20;
/// Levels that any stack has room for.
const SHALLOW: u32 = 48;

#[derive(Debug, Clone, Copy)]
struct Env {
    up: EnvId,
    first: u32,
    with: bool,
}

/// Everything an evaluation has.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) limits: Limits,
    pub(crate) symbols: Symbols,
    pub(crate) codes: Vec<Rc<Code>>,
    /// Files by their resolved path.
    pub(crate) files: HashMap<PathBuf, Slot>,
    /// Texts that stand for files.
    pub(crate) overlay: HashMap<PathBuf, Rc<str>>,
    /// How many files are being evaluated inside each other.
    pub(crate) open_files: u32,
    pub(crate) builtins: Option<Rc<Attrs>>,
    slots: Vec<State>,
    envs: Vec<Env>,
    variables: Vec<Slot>,
    used: usize,
    steps: u64,
    pub(crate) calls: u32,
    nesting: u32,
}

/// No scope: the top.
pub(crate) const NO_ENV: EnvId = EnvId(0);
const NO_SLOT: Slot = Slot(u32::MAX);

impl Machine {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            symbols: Symbols::default(),
            codes: Vec::new(),
            files: HashMap::new(),
            overlay: HashMap::new(),
            open_files: 0,
            builtins: None,
            slots: Vec::new(),
            envs: vec![Env { up: NO_ENV, first: 0, with: false }],
            variables: Vec::new(),
            used: 0,
            steps: 0,
            calls: 0,
            nesting: 0,
        }
    }

    /// Forgets how deep a failed evaluation was.
    pub(crate) fn settle(&mut self) {
        self.calls = 0;
        self.nesting = 0;
        self.open_files = 0;
    }

    pub(crate) fn place(&self, origin: Origin) -> Place {
        let code = &self.codes[origin.code as usize];
        code.source.place(code.span(origin.expr).start)
    }

    /// An error that Nix has too.
    pub(crate) fn fail(&self, at: Origin, what: impl Into<String>) -> EvalError {
        EvalError::Evaluation { place: self.place(at), what: what.into() }
    }

    pub(crate) fn refuse(&self, at: Origin, what: impl Into<String>) -> EvalError {
        EvalError::Refused { place: self.place(at), what: what.into() }
    }

    pub(crate) fn limit(&self, at: Origin, what: impl Into<String>) -> EvalError {
        EvalError::Limit { place: self.place(at), what: what.into() }
    }

    /// Counts `bytes` that are about to be made.
    pub(crate) fn charge(&mut self, bytes: usize, at: Origin) -> Result<(), EvalError> {
        self.used = self.used.saturating_add(bytes);
        if self.used > self.limits.memory {
            return Err(self.limit(at, "the evaluation takes too much memory"));
        }
        Ok(())
    }

    fn step(&mut self, at: Origin) -> Result<(), EvalError> {
        self.steps += 1;
        if self.steps > self.limits.steps {
            return Err(self.limit(at, "the evaluation takes too many steps"));
        }
        Ok(())
    }

    /// Runs `body` one level deeper.
    pub(crate) fn deeper<T>(
        &mut self,
        at: Origin,
        body: impl FnOnce(&mut Self) -> Result<T, EvalError>,
    ) -> Result<T, EvalError> {
        self.step(at)?;
        if self.nesting >= self.limits.nesting {
            return Err(self.limit(at, "the evaluation is too deeply nested"));
        }
        self.nesting += 1;
        // Asking how much stack is left reads /proc once, which is a tenth of a small evaluation.
        let result = if self.nesting < SHALLOW {
            body(self)
        } else {
            stacker::maybe_grow(RED_ZONE, MORE_STACK, || body(self))
        };
        self.nesting -= 1;
        result
    }

    /// Runs `body` as Nix runs what it counts as a call.
    pub(crate) fn calling<T>(
        &mut self,
        at: Origin,
        body: impl FnOnce(&mut Self) -> Result<T, EvalError>,
    ) -> Result<T, EvalError> {
        if self.calls >= self.limits.calls {
            return Err(self.limit(at, "too many calls inside calls"));
        }
        self.calls += 1;
        let result = self.deeper(at, body);
        self.calls -= 1;
        result
    }

    pub(crate) fn slot(&mut self, state: State, at: Origin) -> Result<Slot, EvalError> {
        self.charge(size_of::<State>(), at)?;
        let slot = Slot(u32::try_from(self.slots.len()).unwrap_or(u32::MAX));
        self.slots.push(state);
        Ok(slot)
    }

    /// How many slots there are.
    pub(crate) fn slots_made(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn done(&mut self, value: Value, origin: Origin) -> Result<Slot, EvalError> {
        self.slot(State::Done(value, origin), origin)
    }

    pub(crate) fn state(&self, slot: Slot) -> &State {
        self.slots.get(slot.0 as usize).unwrap_or(&State::Empty)
    }

    pub(crate) fn set_state(&mut self, slot: Slot, state: State) {
        if let Some(place) = self.slots.get_mut(slot.0 as usize) {
            *place = state;
        }
    }

    /// Makes a scope with so many variables, all empty.
    pub(crate) fn env(&mut self, up: EnvId, size: usize, at: Origin) -> Result<EnvId, EvalError> {
        self.charge(size_of::<Env>() + size * size_of::<Slot>(), at)?;
        let first = u32::try_from(self.variables.len()).unwrap_or(u32::MAX);
        self.variables.resize(self.variables.len() + size, NO_SLOT);
        let id = EnvId(u32::try_from(self.envs.len()).unwrap_or(u32::MAX));
        self.envs.push(Env { up, first, with: false });
        Ok(id)
    }

    pub(crate) fn with_env(
        &mut self,
        up: EnvId,
        set: Slot,
        at: Origin,
    ) -> Result<EnvId, EvalError> {
        let env = self.env(up, 1, at)?;
        self.assign(env, 0, set);
        if let Some(env) = self.envs.get_mut(env.0 as usize) {
            env.with = true;
        }
        Ok(env)
    }

    pub(crate) fn assign(&mut self, env: EnvId, index: usize, slot: Slot) {
        let first = self.envs[env.0 as usize].first as usize;
        if let Some(variable) = self.variables.get_mut(first + index) {
            *variable = slot;
        }
    }

    pub(crate) fn env_above(&self, mut env: EnvId, up: u32) -> EnvId {
        for _ in 0..up {
            env = self.envs[env.0 as usize].up;
        }
        env
    }

    /// The scope of the next `with` above this one.
    pub(crate) fn next_with(&self, env: EnvId) -> Option<EnvId> {
        let mut env = env;
        while env != NO_ENV {
            env = self.envs[env.0 as usize].up;
            if self.envs[env.0 as usize].with {
                return Some(env);
            }
        }
        None
    }

    /// A variable; none while its scope is being made.
    pub(crate) fn variable(&self, env: EnvId, index: u32) -> Option<Slot> {
        let first = self.envs[env.0 as usize].first;
        let slot = self.variables.get((first + index) as usize).copied()?;
        (slot != NO_SLOT).then_some(slot)
    }

    /// Evaluates a slot. `at` is who asks.
    pub(crate) fn force(&mut self, slot: Slot, at: Origin) -> Result<Done, EvalError> {
        let state = match self.state(slot) {
            State::Done(value, origin) => return Ok((value.clone(), *origin)),
            State::Busy => return Err(self.fail(at, "infinite recursion encountered")),
            State::Poison(name) => {
                let name = self.symbols.name(*name);
                return Err(self.refuse(at, format!("this needs the function argument `{name}`")));
            }
            State::Empty => return Err(self.refuse(at, "a variable of an unfinished scope")),
            state => state.clone(),
        };
        self.set_state(slot, State::Busy);
        let result = match state {
            State::Code { code, expr, env } => {
                let text = Rc::clone(&self.codes[code as usize]);
                self.eval(&text, code, expr, env)
            }
            State::Apply { function, argument, origin } => {
                self.force(function, origin).and_then(|(f, _)| self.call(f, &[argument], origin))
            }
            other => {
                self.set_state(slot, other);
                return Err(self.refuse(at, "a value in an unknown state"));
            }
        };
        match result {
            Ok((value, origin)) => {
                self.set_state(slot, State::Done(value.clone(), origin));
                Ok((value, origin))
            }
            Err(error) => {
                self.set_state(slot, state);
                Err(error)
            }
        }
    }

    pub(crate) fn force_set(&mut self, slot: Slot, at: Origin) -> Result<Rc<Attrs>, EvalError> {
        let (value, _) = self.force(slot, at)?;
        self.as_set(value, at)
    }

    pub(crate) fn as_set(&self, value: Value, at: Origin) -> Result<Rc<Attrs>, EvalError> {
        match value {
            Value::Set(attrs) => Ok(attrs),
            other => Err(self.unexpected("a set", &other, at)),
        }
    }

    pub(crate) fn force_list(&mut self, slot: Slot, at: Origin) -> Result<Rc<[Slot]>, EvalError> {
        let (value, _) = self.force(slot, at)?;
        self.as_list(value, at)
    }

    pub(crate) fn as_list(&self, value: Value, at: Origin) -> Result<Rc<[Slot]>, EvalError> {
        match value {
            Value::List(items) => Ok(items),
            other => Err(self.unexpected("a list", &other, at)),
        }
    }

    pub(crate) fn force_text(&mut self, slot: Slot, at: Origin) -> Result<Rc<str>, EvalError> {
        match self.force(slot, at)?.0 {
            Value::Str(text) => Ok(text),
            other => Err(self.unexpected("a string", &other, at)),
        }
    }

    pub(crate) fn force_int(&mut self, slot: Slot, at: Origin) -> Result<i64, EvalError> {
        match self.force(slot, at)?.0 {
            Value::Int(number) => Ok(number),
            other => Err(self.unexpected("an integer", &other, at)),
        }
    }

    pub(crate) fn force_function(&mut self, slot: Slot, at: Origin) -> Result<Value, EvalError> {
        let (value, _) = self.force(slot, at)?;
        if value.is_function() {
            return Ok(value);
        }
        self.no_functor(&value, at)?;
        Err(self.unexpected("a function", &value, at))
    }

    /// A set that acts as a function is not evaluated here.
    pub(crate) fn no_functor(&self, value: &Value, at: Origin) -> Result<(), EvalError> {
        match value {
            Value::Set(attrs) if self.has(attrs, "__functor") => {
                Err(self.refuse(at, "a set with `__functor` that is called"))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn has(&self, attrs: &Attrs, name: &str) -> bool {
        self.symbols.find(name).is_some_and(|name| attrs.get(name).is_some())
    }

    pub(crate) fn unexpected(&self, wanted: &str, found: &Value, at: Origin) -> EvalError {
        self.fail(at, format!("expected {wanted} but found {}", found.described()))
    }

    /// The attribute `name`; a set that has more than is known here is not said to lack it.
    pub(crate) fn lookup(
        &self,
        attrs: &Attrs,
        name: Symbol,
        at: Origin,
    ) -> Result<Option<Slot>, EvalError> {
        match attrs.get(name) {
            Some(attr) => Ok(Some(attr.slot)),
            None if attrs.builtins => {
                let name = self.symbols.name(name);
                Err(self.refuse(at, format!("`builtins.{name}`")))
            }
            None => Ok(None),
        }
    }

    /// All attributes, for what looks at every one.
    pub(crate) fn all(&self, attrs: &Rc<Attrs>, at: Origin) -> Result<Rc<Attrs>, EvalError> {
        if attrs.builtins {
            return Err(self.refuse(at, "the whole set `builtins`"));
        }
        Ok(Rc::clone(attrs))
    }

    /// The origin of the expression `expr` of a file.
    pub(crate) fn origin(code: u32, expr: ExprId, env: EnvId) -> Origin {
        Origin { code, expr, instance: env.0 }
    }
}
