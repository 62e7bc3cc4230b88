//! Builtins on strings. Nix counts bytes; what would cut a character in two is refused.

use super::Call;
use crate::error::EvalError;
use crate::machine::Machine;
use crate::value::Value;

impl Machine {
    pub(super) fn concat_strings_sep(&mut self, call: Call<'_>) -> Result<Value, EvalError> {
        let separator = self.force_text(call.slot(0), call.at)?;
        let items = self.force_list(call.slot(1), call.at)?;
        let mut text = String::new();
        for (index, &item) in items.iter().enumerate() {
            let (value, _) = self.force(item, call.at)?;
            let word = self.coerce(&value, false, call.at)?;
            self.charge(separator.len() + word.len(), call.at)?;
            if index > 0 {
                text.push_str(&separator);
            }
            text.push_str(&word);
        }
        Ok(Value::text(&text))
    }

    pub(super) fn string_length(&mut self, call: Call<'_>) -> Result<Value, EvalError> {
        let (value, _) = self.force(call.slot(0), call.at)?;
        let text = self.coerce(&value, false, call.at)?;
        Ok(Value::Int(i64::try_from(text.len()).unwrap_or(i64::MAX)))
    }

    pub(super) fn substring(&mut self, call: Call<'_>) -> Result<Value, EvalError> {
        let start = self.force_int(call.slot(0), call.at)?;
        let Ok(start) = usize::try_from(start) else {
            return Err(self.fail(call.at, "negative start position in `substring`"));
        };
        let length = self.force_int(call.slot(1), call.at)?;
        let (value, _) = self.force(call.slot(2), call.at)?;
        let text = self.coerce(&value, false, call.at)?;
        if start >= text.len() {
            return Ok(Value::text(""));
        }
        // A negative length means the rest.
        let end = usize::try_from(length)
            .map_or(text.len(), |length| start.saturating_add(length).min(text.len()));
        match text.get(start..end) {
            Some(part) => {
                self.charge(part.len(), call.at)?;
                Ok(Value::text(part))
            }
            None => Err(self.refuse(call.at, "half a character")),
        }
    }

    pub(super) fn replace_strings(&mut self, call: Call<'_>) -> Result<Value, EvalError> {
        let from = self.force_list(call.slot(0), call.at)?;
        let to = self.force_list(call.slot(1), call.at)?;
        if from.len() != to.len() {
            let what = "`from` and `to` of `replaceStrings` have different lengths";
            return Err(self.fail(call.at, what));
        }
        let mut patterns = Vec::with_capacity(from.len());
        for &pattern in from.iter() {
            patterns.push(self.force_text(pattern, call.at)?);
        }
        let text = self.force_text(call.slot(2), call.at)?;
        if !text.is_ascii() && patterns.iter().any(|pattern| pattern.is_empty()) {
            return Err(self.refuse(call.at, "half a character"));
        }
        let mut out = String::new();
        let mut rest = &*text;
        loop {
            let found = patterns.iter().position(|pattern| rest.starts_with(&**pattern));
            let mut used = 0;
            if let Some(index) = found {
                let replacement = self.force_text(to[index], call.at)?;
                self.charge(replacement.len(), call.at)?;
                out.push_str(&replacement);
                used = patterns[index].len();
            }
            if used == 0 {
                // Nothing was taken: the next character is kept, and after the last one it ends.
                let Some(c) = rest.chars().next() else { break };
                out.push(c);
                used = c.len_utf8();
            }
            rest = &rest[used..];
        }
        Ok(Value::text(&out))
    }
}
