//! Builtins that read and write other formats.

use std::collections::HashSet;

use super::Call;
use crate::data::{Data, DataError, Kind, parse_json, parse_toml};
use crate::error::EvalError;
use crate::machine::Machine;
use crate::value::{Attr, Attrs, Origin, Slot, Value};

impl Machine {
    pub(super) fn read_json(&mut self, call: Call<'_>) -> Result<Value, EvalError> {
        let text = self.force_text(call.slot(0), call.at)?;
        let json = match parse_json(&text) {
            Ok(json) => json,
            Err(DataError::Syntax { what, .. }) => {
                return Err(self.fail(call.at, format!("this is not JSON: {what}")));
            }
            Err(DataError::Unsupported { what, .. }) => {
                return Err(self.refuse(call.at, format!("JSON with {what}")));
            }
        };
        self.json_value(&json, call.at)
    }

    fn json_value(&mut self, json: &Data, at: Origin) -> Result<Value, EvalError> {
        Ok(match &json.kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(*value),
            Kind::Int(value) => Value::Int(*value),
            Kind::Float(value) => Value::Float(*value),
            Kind::Text(text) => {
                self.charge(text.len(), at)?;
                Value::text(text)
            }
            Kind::List(items) => {
                let mut slots = Vec::with_capacity(items.len());
                for item in items {
                    slots.push(self.json_slot(item, at)?);
                }
                self.list(slots, at)?
            }
            Kind::Set(members) => {
                let mut entries = Vec::with_capacity(members.len());
                for member in members {
                    let slot = self.json_slot(&member.value, at)?;
                    entries.push(Attr {
                        name: self.intern(&member.name, at)?,
                        slot,
                        binding: None,
                    });
                }
                // Of two members with one name the last one counts.
                entries.reverse();
                Value::Set(Attrs::new(entries).into())
            }
        })
    }

    fn json_slot(&mut self, json: &Data, at: Origin) -> Result<Slot, EvalError> {
        let value = self.json_value(json, at)?;
        self.done(value, at.of_read(self.slots_made()))
    }

    pub(super) fn read_toml(&mut self, call: Call<'_>) -> Result<Value, EvalError> {
        let text = self.force_text(call.slot(0), call.at)?;
        match parse_toml(&text) {
            Ok(data) => self.json_value(&data, call.at),
            // Nix's reader takes some texts that TOML forbids.
            Err(DataError::Syntax { what, .. }) => {
                Err(self.refuse(call.at, format!("TOML that is not valid ({what})")))
            }
            Err(DataError::Unsupported { what, .. }) => {
                Err(self.refuse(call.at, format!("TOML with {what}")))
            }
        }
    }

    /// Evaluates a value and everything in it.
    pub(crate) fn force_deep(&mut self, slot: Slot, at: Origin) -> Result<(), EvalError> {
        let mut seen = HashSet::new();
        let mut waiting = vec![(slot, 0)];
        while let Some((slot, depth)) = waiting.pop() {
            if !seen.insert(slot.0) {
                continue;
            }
            // Nix recurses here and counts each level as a call.
            if depth >= self.limits.calls {
                return Err(self.limit(at, "too many levels"));
            }
            match self.force(slot, at)?.0 {
                Value::List(items) => waiting.extend(items.iter().map(|&item| (item, depth + 1))),
                Value::Set(attrs) => {
                    let attrs = self.all(&attrs, at)?;
                    waiting.extend(attrs.entries().iter().map(|attr| (attr.slot, depth + 1)));
                }
                _ => {}
            }
        }
        Ok(())
    }
}
