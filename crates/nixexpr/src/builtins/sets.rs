//! Builtins on attribute sets.

use std::rc::Rc;

use super::Call;
use crate::error::EvalError;
use crate::expr::Expr;
use crate::machine::{Done, Machine};
use crate::symbols::Symbol;
use crate::value::{Attr, Attrs, Origin, Slot, Value};

impl Machine {
    /// The attributes in the order of their names, byte by byte.
    pub(crate) fn by_name(&self, attrs: &Attrs) -> Vec<Attr> {
        let mut entries = attrs.entries().to_vec();
        entries.sort_by(|a, b| {
            self.symbols.name(a.name).as_bytes().cmp(self.symbols.name(b.name).as_bytes())
        });
        entries
    }

    /// A whole set, of which every attribute is looked at.
    fn whole(&mut self, slot: Slot, at: Origin) -> Result<Rc<Attrs>, EvalError> {
        let attrs = self.force_set(slot, at)?;
        self.all(&attrs, at)
    }

    fn make(&mut self, entries: Vec<Attr>, at: Origin) -> Result<Value, EvalError> {
        self.charge(entries.len() * size_of::<Attr>(), at)?;
        Ok(Value::Set(Attrs::new(entries).into()))
    }

    fn text_symbol(&mut self, slot: Slot, at: Origin) -> Result<Symbol, EvalError> {
        let text = self.force_text(slot, at)?;
        self.intern(&text, at)
    }

    pub(super) fn attr_names(&mut self, call: Call<'_>) -> Result<Value, EvalError> {
        let attrs = self.whole(call.slot(0), call.at)?;
        let mut slots = Vec::with_capacity(attrs.entries().len());
        for attr in self.by_name(&attrs) {
            let name = Value::Str(Rc::clone(self.symbols.name(attr.name)));
            slots.push(self.done(name, call.at)?);
        }
        self.list(slots, call.at)
    }

    pub(super) fn attr_values(&mut self, call: Call<'_>) -> Result<Value, EvalError> {
        let attrs = self.whole(call.slot(0), call.at)?;
        let slots = self.by_name(&attrs).iter().map(|attr| attr.slot).collect();
        self.list(slots, call.at)
    }

    pub(super) fn get_attr(&mut self, call: Call<'_>) -> Result<Done, EvalError> {
        let name = self.text_symbol(call.slot(0), call.at)?;
        let attrs = self.force_set(call.slot(1), call.at)?;
        match self.lookup(&attrs, name, call.at)? {
            Some(slot) => self.force(slot, call.at),
            None => Err(self.missing(name, call.at)),
        }
    }

    fn missing(&self, name: Symbol, at: Origin) -> EvalError {
        self.fail(at, format!("attribute `{}` missing", self.symbols.name(name)))
    }

    pub(super) fn has_attr(&mut self, call: Call<'_>) -> Result<Value, EvalError> {
        let name = self.text_symbol(call.slot(0), call.at)?;
        let attrs = self.force_set(call.slot(1), call.at)?;
        Ok(Value::Bool(self.lookup(&attrs, name, call.at)?.is_some()))
    }

    pub(super) fn cat_attrs(&mut self, call: Call<'_>) -> Result<Value, EvalError> {
        let name = self.text_symbol(call.slot(0), call.at)?;
        let sets = self.force_list(call.slot(1), call.at)?;
        let mut slots = Vec::new();
        for &set in sets.iter() {
            let attrs = self.force_set(set, call.at)?;
            slots.extend(self.lookup(&attrs, name, call.at)?);
        }
        self.list(slots, call.at)
    }

    pub(super) fn function_args(&mut self, call: Call<'_>) -> Result<Value, EvalError> {
        let (value, _) = self.force(call.slot(0), call.at)?;
        let mut entries = Vec::new();
        match value {
            Value::Lambda { code, expr, .. } => {
                let text = Rc::clone(&self.codes[code as usize]);
                if let Expr::Lambda(lambda) = text.expr(expr)
                    && let Some(pattern) = &lambda.pattern
                {
                    for entry in &pattern.entries {
                        let slot = self.done(Value::Bool(entry.default.is_some()), call.at)?;
                        let binding = Some((code, entry.span));
                        entries.push(Attr { name: entry.name, slot, binding });
                    }
                }
            }
            Value::Builtin(_) | Value::Partial(..) => {}
            _ => return Err(self.fail(call.at, "`functionArgs` requires a function")),
        }
        self.make(entries, call.at)
    }

    pub(super) fn intersect_attrs(&mut self, call: Call<'_>) -> Result<Value, EvalError> {
        let left = self.whole(call.slot(0), call.at)?;
        let right = self.whole(call.slot(1), call.at)?;
        let kept = right.entries().iter().filter(|attr| left.get(attr.name).is_some());
        self.make(kept.copied().collect(), call.at)
    }

    pub(super) fn list_to_attrs(&mut self, call: Call<'_>) -> Result<Value, EvalError> {
        let items = self.force_list(call.slot(0), call.at)?;
        let (name, value) = (self.symbols.intern("name"), self.symbols.intern("value"));
        let mut pairs = Vec::with_capacity(items.len());
        for &item in items.iter() {
            let attrs = self.force_set(item, call.at)?;
            let Some(slot) = self.lookup(&attrs, name, call.at)? else {
                return Err(self.missing(name, call.at));
            };
            pairs.push((self.text_symbol(slot, call.at)?, attrs));
        }
        // The first of two with one name is taken; only that one needs a value.
        pairs.sort_by_key(|(name, _)| *name);
        pairs.dedup_by_key(|(name, _)| *name);
        let mut entries = Vec::with_capacity(pairs.len());
        for (name, attrs) in pairs {
            match attrs.get(value) {
                Some(attr) => entries.push(Attr { name, ..*attr }),
                None => return Err(self.missing(value, call.at)),
            }
        }
        self.make(entries, call.at)
    }

    pub(super) fn map_attrs(&mut self, call: Call<'_>) -> Result<Value, EvalError> {
        let attrs = self.whole(call.slot(1), call.at)?;
        let mut entries = Vec::with_capacity(attrs.entries().len());
        for attr in attrs.entries() {
            let name = Value::Str(Rc::clone(self.symbols.name(attr.name)));
            let name = self.done(name, call.at)?;
            let partial = self.apply(call.slot(0), name, call)?;
            let slot = self.apply(partial, attr.slot, call)?;
            entries.push(Attr { slot, ..*attr });
        }
        self.make(entries, call.at)
    }

    pub(super) fn remove_attrs(&mut self, call: Call<'_>) -> Result<Value, EvalError> {
        let attrs = self.whole(call.slot(0), call.at)?;
        let names = self.force_list(call.slot(1), call.at)?;
        let mut gone = Vec::with_capacity(names.len());
        for &name in names.iter() {
            gone.push(self.text_symbol(name, call.at)?);
        }
        gone.sort_unstable();
        let stays = |attr: &&Attr| gone.binary_search(&attr.name).is_err();
        self.make(attrs.entries().iter().filter(stays).copied().collect(), call.at)
    }
}
