//! `pc schema`: the format as a JSON schema, made of the same table that the files are checked by.

use cli::{Exit, Io};
use serde_json::{Map, Value, json};

use crate::config::schema::{Object, Origin, PROJECT, Type};
use crate::error::PcError;

pub(crate) fn run(io: &mut Io) -> Result<Exit, PcError> {
    let text = serde_json::to_string_pretty(&schema()).map_err(PcError::Json)?;
    cli::outln!(io, "{text}")?;
    Ok(Exit::Done)
}

fn schema() -> Value {
    let mut root = object(&PROJECT);
    root.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    root.insert("title".to_owned(), json!("process-compose.yaml"));
    Value::Object(root)
}

fn object(object: &Object) -> Map<String, Value> {
    let mut properties = Map::new();
    for key in object.keys.iter().filter(|key| key.origin != Origin::Internal) {
        let mut property = kind(&key.kind);
        let doc = match key.origin {
            Origin::Ours => format!("{} (process-compose does not have it.)", key.doc),
            _ => key.doc.to_owned(),
        };
        property.insert("description".to_owned(), json!(doc));
        properties.insert(key.name.to_owned(), Value::Object(property));
    }
    let mut map = of_type(json!(["object", "null"]));
    map.insert("properties".to_owned(), Value::Object(properties));
    map.insert("patternProperties".to_owned(), json!({"^x-": {}}));
    map.insert("additionalProperties".to_owned(), json!(false));
    map
}

fn of_type(kind: Value) -> Map<String, Value> {
    Map::from_iter([("type".to_owned(), kind)])
}

/// Every scalar is text, if text is asked for.
fn text() -> Map<String, Value> {
    of_type(json!(["string", "number", "boolean", "null"]))
}

fn kind(kind: &Type) -> Map<String, Value> {
    let items = |inside: &Type| {
        let mut map = of_type(json!(["array", "null"]));
        map.insert("items".to_owned(), Value::Object(self::kind(inside)));
        map
    };
    match kind {
        Type::Any => Map::new(),
        Type::Text => text(),
        Type::Bool | Type::Tristate => {
            let words = json!(["true", "false", "yes", "no", "on", "off", "y", "n", ""]);
            Map::from_iter([(
                "anyOf".to_owned(),
                json!([{"type": ["boolean", "null"]}, {"enum": words}]),
            )])
        }
        Type::Whole(least, most) | Type::SoftWhole(least, most) => {
            let mut map = of_type(json!(["integer", "null"]));
            if *least > i64::MIN {
                map.insert("minimum".to_owned(), json!(least));
                map.insert("maximum".to_owned(), json!(most));
            }
            map
        }
        Type::Seconds => of_type(json!(["number", "null"])),
        Type::Duration => of_type(json!(["string", "null"])),
        Type::OneOf(words) => {
            let mut all: Vec<Value> = words.iter().map(|word| json!(word)).collect();
            // `restart: no` is a boolean for many readers of YAML.
            if words.contains(&"no") {
                all.push(json!(false));
            }
            all.push(Value::Null);
            Map::from_iter([("enum".to_owned(), Value::Array(all))])
        }
        Type::Names => {
            let list = items(&Type::Text);
            Map::from_iter([("anyOf".to_owned(), json!([text(), list]))])
        }
        Type::List(inside) | Type::OnlyList(inside) => items(inside),
        Type::Map(inside) => {
            let mut map = of_type(json!(["object", "null"]));
            map.insert("additionalProperties".to_owned(), Value::Object(self::kind(inside)));
            map
        }
        Type::Environment => {
            let map = self::kind(&Type::Map(&Type::Text));
            Map::from_iter([("anyOf".to_owned(), json!([items(&Type::Text), map]))])
        }
        Type::Object(inside) => object(inside),
    }
}
