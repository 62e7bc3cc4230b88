//! The scripts of a `package.json`.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{Piece, ScanError, place};
use crate::input::line_and_column;
use crate::shell::Text;

#[derive(Deserialize)]
struct Package<'a> {
    #[serde(borrow, default)]
    scripts: Scripts<'a>,
}

/// Values as they are written: where they are in the text is where they are in the file.
#[derive(Default)]
struct Scripts<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Scripts<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Values;

        impl<'de> Visitor<'de> for Values {
            type Value = Scripts<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of scripts")
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Scripts::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut values = Vec::new();
                while let Some((IgnoredAny, value)) = map.next_entry()? {
                    values.push(value);
                }
                Ok(Scripts(values))
            }
        }

        deserializer.deserialize_any(Values)
    }
}

pub(super) fn pieces(text: &str) -> Result<Vec<Piece>, ScanError> {
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let package: Package<'_> = serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        let message = message.split_once(" at line ").map_or(&*message, |(message, _)| message);
        ScanError::Parse {
            line: number(error.line()),
            column: number(error.column()),
            message: message.to_owned(),
        }
    })?;
    let pieces = package.scripts.0.into_iter().filter_map(|raw| {
        // A value that is no string is no script; npm ignores it.
        let script: String = serde_json::from_str(raw.get()).ok()?;
        let at = (raw.get().as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
        let (line, column) = line_and_column(text, at);
        Some(Piece::Text(Text { text: script, place: place(line, column + 1) }))
    });
    Ok(pieces.collect())
}
