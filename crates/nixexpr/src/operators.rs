//! Operators, with Nix's rules for mixing types; what Nix's versions disagree on is refused.

use std::cmp::Ordering;
use std::rc::Rc;

use crate::error::EvalError;
use crate::eval::Frame;
use crate::expr::{ExprId, Operator};
use crate::machine::Machine;
use crate::value::{Attr, Attrs, Origin, Slot, Value};

/// Two numbers of one kind.
enum Pair {
    Ints(i64, i64),
    Floats(f64, f64),
}

impl Machine {
    pub(crate) fn binary(
        &mut self,
        frame: Frame<'_>,
        operator: Operator,
        left: ExprId,
        right: ExprId,
        at: Origin,
    ) -> Result<Value, EvalError> {
        // These decide by the left side whether the right one is looked at.
        let early = match operator {
            Operator::And => Some(false),
            Operator::Or | Operator::Implies => Some(true),
            _ => None,
        };
        if let Some(early) = early {
            let first = self.boolean(frame, left)? != (operator == Operator::Implies);
            return Ok(Value::Bool(if first == early {
                early
            } else {
                self.boolean(frame, right)?
            }));
        }
        let (a, _) = self.value(frame, left)?;
        let (b, _) = self.value(frame, right)?;
        Ok(match operator {
            Operator::Add => self.add(&a, &b, at)?,
            Operator::Subtract => self.subtract(&a, &b, at)?,
            Operator::Multiply => self.multiply(&a, &b, at)?,
            Operator::Divide => self.divide(&a, &b, at)?,
            Operator::Concat => self.concat(a, b, at)?,
            Operator::Update => self.update(a, b, at)?,
            Operator::Equal => Value::Bool(self.equal(&a, &b, at)?),
            Operator::NotEqual => Value::Bool(!self.equal(&a, &b, at)?),
            Operator::Less => Value::Bool(self.less(&a, &b, at)?),
            Operator::GreaterOrEqual => Value::Bool(!self.less(&a, &b, at)?),
            Operator::Greater => Value::Bool(self.less(&b, &a, at)?),
            Operator::LessOrEqual | Operator::And | Operator::Or | Operator::Implies => {
                Value::Bool(!self.less(&b, &a, at)?)
            }
        })
    }

    /// `+`: numbers, or text.
    fn add(&mut self, a: &Value, b: &Value, at: Origin) -> Result<Value, EvalError> {
        match (a, b) {
            (Value::Int(_) | Value::Float(_), Value::Int(_) | Value::Float(_)) => {
                self.sum(a, b, at)
            }
            (Value::Int(_) | Value::Float(_), _) => {
                Err(self.fail(at, format!("cannot add {} to {}", b.described(), a.described())))
            }
            (Value::Path(_), _) => Err(self.refuse(at, "`+` on a path")),
            _ => {
                let mut text = self.coerce(a, false, at)?;
                let more = self.coerce(b, false, at)?;
                self.charge(text.len() + more.len(), at)?;
                text.push_str(&more);
                Ok(Value::text(&text))
            }
        }
    }

    pub(crate) fn sum(&self, a: &Value, b: &Value, at: Origin) -> Result<Value, EvalError> {
        match self.numbers(a, b, at)? {
            Pair::Ints(a, b) => self.int(a.checked_add(b), at),
            Pair::Floats(a, b) => self.float(a + b, at),
        }
    }

    pub(crate) fn subtract(&self, a: &Value, b: &Value, at: Origin) -> Result<Value, EvalError> {
        match self.numbers(a, b, at)? {
            Pair::Ints(a, b) => self.int(a.checked_sub(b), at),
            Pair::Floats(a, b) => self.float(a - b, at),
        }
    }

    pub(crate) fn multiply(&self, a: &Value, b: &Value, at: Origin) -> Result<Value, EvalError> {
        match self.numbers(a, b, at)? {
            Pair::Ints(a, b) => self.int(a.checked_mul(b), at),
            Pair::Floats(a, b) => self.float(a * b, at),
        }
    }

    pub(crate) fn divide(&self, a: &Value, b: &Value, at: Origin) -> Result<Value, EvalError> {
        match self.numbers(a, b, at)? {
            Pair::Ints(_, 0) | Pair::Floats(_, 0.0) => Err(self.fail(at, "division by zero")),
            Pair::Ints(a, b) => self.int(a.checked_div(b), at),
            Pair::Floats(a, b) => self.float(a / b, at),
        }
    }

    /// Nix wraps around before version 2.25 and fails after it.
    fn int(&self, number: Option<i64>, at: Origin) -> Result<Value, EvalError> {
        number.map(Value::Int).ok_or_else(|| self.refuse(at, "integer overflow"))
    }

    fn float(&self, number: f64, at: Origin) -> Result<Value, EvalError> {
        if number.is_finite() {
            return Ok(Value::Float(number));
        }
        Err(self.refuse(at, "a float that is not finite"))
    }

    #[expect(clippy::cast_precision_loss, reason = "Nix converts integers to doubles in this way")]
    fn numbers(&self, a: &Value, b: &Value, at: Origin) -> Result<Pair, EvalError> {
        match (a, b) {
            (Value::Int(a), Value::Int(b)) => Ok(Pair::Ints(*a, *b)),
            (Value::Float(a), Value::Float(b)) => Ok(Pair::Floats(*a, *b)),
            (Value::Int(a), Value::Float(b)) => Ok(Pair::Floats(*a as f64, *b)),
            (Value::Float(a), Value::Int(b)) => Ok(Pair::Floats(*a, *b as f64)),
            (Value::Int(_) | Value::Float(_), other) | (other, _) => {
                Err(self.unexpected("a number", other, at))
            }
        }
    }

    fn concat(&mut self, a: Value, b: Value, at: Origin) -> Result<Value, EvalError> {
        let a = self.as_list(a, at)?;
        let b = self.as_list(b, at)?;
        if b.is_empty() {
            return Ok(Value::List(a));
        }
        if a.is_empty() {
            return Ok(Value::List(b));
        }
        self.list([&a[..], &b[..]].concat(), at)
    }

    /// `//`: the right side wins.
    fn update(&mut self, a: Value, b: Value, at: Origin) -> Result<Value, EvalError> {
        let b = self.as_set(b, at)?;
        let a = self.as_set(a, at)?;
        let (a, b) = (self.all(&a, at)?, self.all(&b, at)?);
        if b.entries().is_empty() {
            return Ok(Value::Set(a));
        }
        if a.entries().is_empty() {
            return Ok(Value::Set(b));
        }
        self.charge((a.entries().len() + b.entries().len()) * size_of::<Attr>(), at)?;
        let mut merged = Vec::with_capacity(a.entries().len() + b.entries().len());
        let (mut left, mut right) = (a.entries().iter().peekable(), b.entries().iter().peekable());
        while let (Some(l), Some(r)) = (left.peek(), right.peek()) {
            match l.name.cmp(&r.name) {
                Ordering::Less => merged.extend(left.next()),
                Ordering::Greater => merged.extend(right.next()),
                Ordering::Equal => {
                    left.next();
                    merged.extend(right.next());
                }
            }
        }
        merged.extend(left);
        merged.extend(right);
        Ok(Value::Set(Rc::new(Attrs::sorted(merged))))
    }

    /// `==`. Inside lists and sets Nix compares places in memory first and sets in an order of its own, so a failure
    /// there is a refusal.
    #[expect(clippy::cast_precision_loss, reason = "Nix converts integers to doubles in this way")]
    #[expect(clippy::float_cmp, reason = "that is what the operator asks for")]
    pub(crate) fn equal(&mut self, a: &Value, b: &Value, at: Origin) -> Result<bool, EvalError> {
        match (a, b) {
            (Value::Null, Value::Null) => Ok(true),
            (Value::Bool(a), Value::Bool(b)) => Ok(a == b),
            (Value::Int(a), Value::Int(b)) => Ok(a == b),
            (Value::Float(a), Value::Float(b)) => Ok(a == b),
            (Value::Int(a), Value::Float(b)) | (Value::Float(b), Value::Int(a)) => {
                Ok(*a as f64 == *b)
            }
            (Value::Str(a), Value::Str(b)) => Ok(a == b),
            (Value::Path(_), Value::Path(_)) => Err(self.refuse(at, "`==` on paths")),
            (Value::List(a), Value::List(b)) => {
                if a.len() != b.len() {
                    return Ok(false);
                }
                let (a, b) = (Rc::clone(a), Rc::clone(b));
                self.calling(at, |machine| machine.equal_lists(&a, &b, at))
            }
            (Value::Set(a), Value::Set(b)) => {
                let (a, b) = (self.all(a, at)?, self.all(b, at)?);
                self.calling(at, |machine| machine.equal_sets(&a, &b, at))
            }
            (a, b) if a.is_function() && b.is_function() => {
                Err(self.refuse(at, "`==` on functions"))
            }
            _ => Ok(false),
        }
    }

    /// Evaluates a part of what is compared.
    fn inside(&mut self, slot: Slot, at: Origin) -> Result<Value, EvalError> {
        self.force(slot, at).map(|(value, _)| value).map_err(|error| match error {
            EvalError::Evaluation { place, what } => EvalError::Refused {
                place,
                what: format!("a comparison that fails inside ({what})"),
            },
            other => other,
        })
    }

    pub(crate) fn equal_slots(&mut self, a: Slot, b: Slot, at: Origin) -> Result<bool, EvalError> {
        let a = self.inside(a, at)?;
        let b = self.inside(b, at)?;
        self.equal(&a, &b, at)
    }

    fn equal_lists(&mut self, a: &[Slot], b: &[Slot], at: Origin) -> Result<bool, EvalError> {
        for (&a, &b) in a.iter().zip(b) {
            if !self.equal_slots(a, b, at)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn equal_sets(&mut self, a: &Attrs, b: &Attrs, at: Origin) -> Result<bool, EvalError> {
        // Nix looks at `type` before anything else, as derivations are equal when their paths are.
        let kind = self.symbols.find("type").and_then(|name| a.get(name)).map(|attr| attr.slot);
        if let Some(kind) = kind
            && matches!(self.inside(kind, at)?, Value::Str(text) if &*text == "derivation")
        {
            return Err(self.refuse(at, "`==` on derivations"));
        }
        if a.entries().len() != b.entries().len() {
            return Ok(false);
        }
        // All are compared, whatever the first difference is: which one Nix finds first is not known.
        let mut same = true;
        for attr in a.entries() {
            match b.get(attr.name) {
                Some(other) => same &= self.equal_slots(attr.slot, other.slot, at)?,
                None => same = false,
            }
        }
        Ok(same)
    }

    /// `<`.
    #[expect(clippy::cast_precision_loss, reason = "Nix converts integers to doubles in this way")]
    pub(crate) fn less(&mut self, a: &Value, b: &Value, at: Origin) -> Result<bool, EvalError> {
        match (a, b) {
            (Value::Int(a), Value::Int(b)) => Ok(a < b),
            (Value::Float(a), Value::Float(b)) => Ok(a < b),
            (Value::Int(a), Value::Float(b)) => Ok((*a as f64) < *b),
            (Value::Float(a), Value::Int(b)) => Ok(*a < *b as f64),
            (Value::Str(a), Value::Str(b)) => Ok(a.as_bytes() < b.as_bytes()),
            (Value::Path(_), Value::Path(_)) => Err(self.refuse(at, "`<` on paths")),
            (Value::List(a), Value::List(b)) => {
                let (a, b) = (Rc::clone(a), Rc::clone(b));
                self.calling(at, |machine| machine.less_lists(&a, &b, at))
            }
            _ => {
                let what = format!("cannot compare {} with {}", a.described(), b.described());
                Err(self.fail(at, what))
            }
        }
    }

    fn less_lists(&mut self, a: &[Slot], b: &[Slot], at: Origin) -> Result<bool, EvalError> {
        for (index, &right) in b.iter().enumerate() {
            let Some(&left) = a.get(index) else { return Ok(true) };
            if !self.equal_slots(left, right, at)? {
                let (left, _) = self.force(left, at)?;
                let (right, _) = self.force(right, at)?;
                return self.less(&left, &right, at);
            }
        }
        Ok(false)
    }
}
