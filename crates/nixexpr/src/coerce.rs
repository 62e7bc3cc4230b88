//! Values as text.

use crate::error::EvalError;
use crate::machine::Machine;
use crate::value::{Origin, Slot, Value};

impl Machine {
    /// The text of a value, as `${…}` takes it; with `more`, as `toString` does.
    pub(crate) fn coerce(
        &mut self,
        value: &Value,
        more: bool,
        at: Origin,
    ) -> Result<String, EvalError> {
        self.calling(at, |machine| match value {
            Value::Str(text) => Ok(text.to_string()),
            Value::Path(_) => Err(machine.refuse(at, "a path as text")),
            Value::Set(attrs) => {
                for name in ["__toString", "outPath"] {
                    if machine.has(attrs, name) {
                        return Err(machine.refuse(at, format!("a set with `{name}` as text")));
                    }
                }
                Err(machine.no_text(value, at))
            }
            Value::Bool(true) if more => Ok("1".to_owned()),
            Value::Bool(false) | Value::Null if more => Ok(String::new()),
            Value::Int(number) if more => Ok(number.to_string()),
            // C prints six decimals of the exact value, and so does Rust.
            Value::Float(number) if more => Ok(format!("{number:.6}")),
            Value::List(items) if more => machine.words(items, at),
            _ => Err(machine.no_text(value, at)),
        })
    }

    fn no_text(&self, value: &Value, at: Origin) -> EvalError {
        self.fail(at, format!("cannot coerce {} to a string", value.described()))
    }

    /// The elements with blanks between them; Nix leaves the blank out after an empty list.
    fn words(&mut self, items: &[Slot], at: Origin) -> Result<String, EvalError> {
        let mut text = String::new();
        for (index, &item) in items.iter().enumerate() {
            let (value, _) = self.force(item, at)?;
            let word = self.coerce(&value, true, at)?;
            self.charge(word.len(), at)?;
            text.push_str(&word);
            let empty_list = matches!(&value, Value::List(items) if items.is_empty());
            if index + 1 < items.len() && !empty_list {
                text.push(' ');
            }
        }
        Ok(text)
    }
}
