//! Builtins on lists. Which argument is evaluated when follows `primops.cc`.

use std::collections::BTreeMap;

use super::Call;
use crate::error::EvalError;
use crate::machine::{Done, Machine};
use crate::symbols::Symbol;
use crate::value::{Attr, Attrs, Slot, State, Value};

impl Machine {
    pub(super) fn elem_at(&mut self, call: Call<'_>) -> Result<Done, EvalError> {
        let index = self.force_int(call.slot(1), call.at)?;
        let items = self.force_list(call.slot(0), call.at)?;
        if let Some(&slot) = usize::try_from(index).ok().and_then(|index| items.get(index)) {
            return self.force(slot, call.at);
        }
        let size = items.len();
        let what = format!("`builtins.elemAt` called with index {index} on a list of size {size}");
        Err(self.fail(call.at, what))
    }

    pub(super) fn head(&mut self, call: Call<'_>) -> Result<Done, EvalError> {
        let items = self.force_list(call.slot(0), call.at)?;
        match items.first() {
            Some(&slot) => self.force(slot, call.at),
            None => Err(self.fail(call.at, "`builtins.head` called on an empty list")),
        }
    }

    pub(super) fn tail(&mut self, call: Call<'_>) -> Result<Value, EvalError> {
        let items = self.force_list(call.slot(0), call.at)?;
        match items.split_first() {
            Some((_, rest)) => self.list(rest.to_vec(), call.at),
            None => Err(self.fail(call.at, "`builtins.tail` called on an empty list")),
        }
    }

    pub(super) fn foldl(&mut self, call: Call<'_>) -> Result<Done, EvalError> {
        let function = self.force_function(call.slot(0), call.at)?;
        let items = self.force_list(call.slot(2), call.at)?;
        let mut current = call.slot(1);
        let mut last = None;
        for &item in items.iter() {
            let done = self.call(function.clone(), &[current, item], call.at)?;
            current = self.done(done.0.clone(), done.1)?;
            last = Some(done);
        }
        match last {
            Some(done) => Ok(done),
            None => self.force(current, call.at),
        }
    }

    pub(super) fn any(&mut self, call: Call<'_>, wanted: bool) -> Result<bool, EvalError> {
        let function = self.force_function(call.slot(0), call.at)?;
        let items = self.force_list(call.slot(1), call.at)?;
        for &item in items.iter() {
            if self.holds(&function, item, call)? == wanted {
                return Ok(wanted);
            }
        }
        Ok(!wanted)
    }

    fn holds(&mut self, function: &Value, item: Slot, call: Call<'_>) -> Result<bool, EvalError> {
        match self.call(function.clone(), &[item], call.at)?.0 {
            Value::Bool(value) => Ok(value),
            other => Err(self.unexpected("a Boolean", &other, call.at)),
        }
    }

    pub(super) fn concat_lists(&mut self, call: Call<'_>) -> Result<Value, EvalError> {
        let lists = self.force_list(call.slot(0), call.at)?;
        let mut all = Vec::new();
        for &list in lists.iter() {
            let items = self.force_list(list, call.at)?;
            self.charge(items.len() * size_of::<Slot>(), call.at)?;
            all.extend_from_slice(&items);
        }
        self.list(all, call.at)
    }

    pub(super) fn concat_map(&mut self, call: Call<'_>) -> Result<Value, EvalError> {
        let function = self.force_function(call.slot(0), call.at)?;
        let items = self.force_list(call.slot(1), call.at)?;
        let mut all = Vec::new();
        for &item in items.iter() {
            let (list, _) = self.call(function.clone(), &[item], call.at)?;
            let list = self.as_list(list, call.at)?;
            self.charge(list.len() * size_of::<Slot>(), call.at)?;
            all.extend_from_slice(&list);
        }
        self.list(all, call.at)
    }

    pub(super) fn elem(&mut self, call: Call<'_>) -> Result<Value, EvalError> {
        let items = self.force_list(call.slot(1), call.at)?;
        for &item in items.iter() {
            if self.equal_slots(call.slot(0), item, call.at)? {
                return Ok(Value::Bool(true));
            }
        }
        Ok(Value::Bool(false))
    }

    pub(super) fn filter(&mut self, call: Call<'_>) -> Result<Value, EvalError> {
        let items = self.force_list(call.slot(1), call.at)?;
        if items.is_empty() {
            return Ok(Value::List(items));
        }
        let function = self.force_function(call.slot(0), call.at)?;
        let mut kept = Vec::new();
        for &item in items.iter() {
            if self.holds(&function, item, call)? {
                kept.push(item);
            }
        }
        self.list(kept, call.at)
    }

    pub(super) fn gen_list(&mut self, call: Call<'_>) -> Result<Value, EvalError> {
        let length = self.force_int(call.slot(1), call.at)?;
        let Ok(size) = usize::try_from(length) else {
            return Err(self.fail(call.at, format!("cannot create list of size {length}")));
        };
        self.force_function(call.slot(0), call.at)?;
        self.charge(size.saturating_mul(2 * size_of::<State>()), call.at)?;
        let mut slots = Vec::with_capacity(size);
        for index in 0..length {
            let argument = self.done(Value::Int(index), call.at)?;
            slots.push(self.apply(call.slot(0), argument, call)?);
        }
        self.list(slots, call.at)
    }

    /// A call that is made when its result is asked for.
    pub(super) fn apply(
        &mut self,
        function: Slot,
        argument: Slot,
        call: Call<'_>,
    ) -> Result<Slot, EvalError> {
        self.slot(State::Apply { function, argument, origin: call.at }, call.at)
    }

    pub(super) fn map(&mut self, call: Call<'_>) -> Result<Value, EvalError> {
        let items = self.force_list(call.slot(1), call.at)?;
        if items.is_empty() {
            return Ok(Value::List(items));
        }
        self.force_function(call.slot(0), call.at)?;
        let mut slots = Vec::with_capacity(items.len());
        for &item in items.iter() {
            slots.push(self.apply(call.slot(0), item, call)?);
        }
        self.list(slots, call.at)
    }

    pub(super) fn partition(&mut self, call: Call<'_>) -> Result<Value, EvalError> {
        let function = self.force_function(call.slot(0), call.at)?;
        let items = self.force_list(call.slot(1), call.at)?;
        let (mut right, mut wrong) = (Vec::new(), Vec::new());
        for &item in items.iter() {
            self.force(item, call.at)?;
            let side = if self.holds(&function, item, call)? { &mut right } else { &mut wrong };
            side.push(item);
        }
        let mut entries = Vec::with_capacity(2);
        for (name, items) in [("right", right), ("wrong", wrong)] {
            let list = self.list(items, call.at)?;
            let slot = self.done(list, call.at)?;
            entries.push(Attr { name: self.symbols.intern(name), slot, binding: None });
        }
        Ok(Value::Set(Attrs::new(entries).into()))
    }

    pub(super) fn group_by(&mut self, call: Call<'_>) -> Result<Value, EvalError> {
        let function = self.force_function(call.slot(0), call.at)?;
        let items = self.force_list(call.slot(1), call.at)?;
        let mut groups: BTreeMap<Symbol, Vec<Slot>> = BTreeMap::new();
        for &item in items.iter() {
            let name = match self.call(function.clone(), &[item], call.at)?.0 {
                Value::Str(text) => self.intern(&text, call.at)?,
                other => return Err(self.unexpected("a string", &other, call.at)),
            };
            groups.entry(name).or_default().push(item);
        }
        let mut entries = Vec::with_capacity(groups.len());
        for (name, items) in groups {
            let list = self.list(items, call.at)?;
            let slot = self.done(list, call.at)?;
            entries.push(Attr { name, slot, binding: None });
        }
        Ok(Value::Set(Attrs::sorted(entries).into()))
    }
}
