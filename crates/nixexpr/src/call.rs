//! Calls: functions, builtins, and the arguments of functions that nobody called.

use std::rc::Rc;

use crate::error::EvalError;
use crate::eval::Frame;
use crate::expr::{Expr, LambdaExpr, Pattern};
use crate::machine::{Done, Machine};
use crate::value::{Attrs, EnvId, Origin, Slot, State, Value};

impl Machine {
    pub(crate) fn call(
        &mut self,
        function: Value,
        arguments: &[Slot],
        at: Origin,
    ) -> Result<Done, EvalError> {
        self.calling(at, |machine| {
            let mut current = (function, at);
            let mut rest = arguments;
            while let Some((&first, others)) = rest.split_first() {
                current = match current.0 {
                    Value::Lambda { code, expr, env } => {
                        rest = others;
                        machine.enter(code, expr, env, first, at)?
                    }
                    Value::Builtin(builtin) => {
                        let Some((taken, left)) = rest.split_at_checked(builtin.arity()) else {
                            return Ok((Value::Partial(builtin, rest.into()), at));
                        };
                        rest = left;
                        machine.builtin(builtin, taken, at)?
                    }
                    Value::Partial(builtin, before) => {
                        let missing = builtin.arity() - before.len();
                        let mut all = before.to_vec();
                        let Some((taken, left)) = rest.split_at_checked(missing) else {
                            all.extend_from_slice(rest);
                            return Ok((Value::Partial(builtin, all.into()), at));
                        };
                        rest = left;
                        all.extend_from_slice(taken);
                        machine.builtin(builtin, &all, at)?
                    }
                    other => {
                        machine.no_functor(&other, at)?;
                        let what = format!(
                            "attempt to call something which is not a function but {}",
                            other.described()
                        );
                        return Err(machine.fail(at, what));
                    }
                };
            }
            Ok(current)
        })
    }

    fn enter(
        &mut self,
        code: u32,
        expr: crate::expr::ExprId,
        env: EnvId,
        argument: Slot,
        at: Origin,
    ) -> Result<Done, EvalError> {
        let text = Rc::clone(&self.codes[code as usize]);
        let Expr::Lambda(lambda) = text.expr(expr) else {
            return Err(self.refuse(at, "a function without a body"));
        };
        let env = match &lambda.pattern {
            None => {
                let env = self.env(env, 1, at)?;
                self.assign(env, 0, argument);
                env
            }
            Some(pattern) => {
                let attrs = self.force_set(argument, at)?;
                let frame = Frame { code: &text, index: code, env };
                self.bind(frame, lambda, pattern, argument, &attrs, at)?
            }
        };
        self.eval(&text, code, lambda.body, env)
    }

    /// Makes the scope of a function whose argument is a set.
    fn bind(
        &mut self,
        frame: Frame<'_>,
        lambda: &LambdaExpr,
        pattern: &Pattern,
        argument: Slot,
        attrs: &Rc<Attrs>,
        at: Origin,
    ) -> Result<EnvId, EvalError> {
        let named = usize::from(lambda.name.is_some());
        let env = self.env(frame.env, named + pattern.entries.len(), at)?;
        let inner = Frame { env, ..frame };
        if named == 1 {
            self.assign(env, 0, argument);
        }
        let mut used = 0;
        for (index, entry) in pattern.entries.iter().enumerate() {
            let slot = match (self.lookup(attrs, entry.name, at)?, entry.default) {
                (Some(slot), _) => {
                    used += 1;
                    slot
                }
                (None, Some(default)) => self.thunk(inner, default)?,
                (None, None) => {
                    let name = self.symbols.name(entry.name);
                    let what = format!("function called without required argument `{name}`");
                    return Err(self.fail(at, what));
                }
            };
            self.assign(env, named + index, slot);
        }
        if !pattern.open && used != self.all(attrs, at)?.entries().len() {
            let known = |name| pattern.entries.iter().any(|entry| entry.name == name);
            let extra = attrs.entries().iter().find(|attr| !known(attr.name));
            let name = extra.map_or("", |attr| self.symbols.name(attr.name));
            let what = format!("function called with unexpected argument `{name}`");
            return Err(self.fail(at, what));
        }
        Ok(env)
    }

    /// Calls a function that nobody called: every argument that has no default is an error once it is needed.
    ///
    /// Returns none when `value` is not a function, and whether an argument had to be made up.
    pub(crate) fn apply_head(&mut self, value: &Value) -> Result<Option<(Done, bool)>, EvalError> {
        let Value::Lambda { code, expr, env } = *value else { return Ok(None) };
        let at = Self::origin(code, expr, env);
        let text = Rc::clone(&self.codes[code as usize]);
        let Expr::Lambda(lambda) = text.expr(expr) else { return Ok(None) };
        let entries = lambda.pattern.as_ref().map_or(&[][..], |pattern| &pattern.entries);
        let named = usize::from(lambda.name.is_some());
        let env = self.env(env, named + entries.len(), at)?;
        let inner = Frame { code: &text, index: code, env };
        let mut invented = lambda.pattern.is_none();
        if let Some(name) = lambda.name {
            let slot = self.slot(State::Poison(name), at)?;
            self.assign(env, 0, slot);
        }
        for (index, entry) in entries.iter().enumerate() {
            let slot = if let Some(default) = entry.default {
                self.thunk(inner, default)?
            } else {
                invented = true;
                self.slot(State::Poison(entry.name), at)?
            };
            self.assign(env, named + index, slot);
        }
        let done = self.eval(&text, code, lambda.body, env)?;
        Ok(Some((done, invented)))
    }
}
