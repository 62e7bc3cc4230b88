//! `ociimg diff`: what differs between two images, by config, by package, and by file.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use cli::{Exit, Io, escape, outln};
use serde::Serialize;
use serde_json::Value;

use super::{LookError, Subject, entries, packages};
use crate::args::DiffArgs;
use crate::error::BuildError;

/// All that differs.
#[derive(Debug, Default, Serialize)]
struct Difference {
    same: bool,
    config: Vec<Key>,
    packages: Vec<Package>,
    files: Vec<File>,
}

/// A key of the config.
#[derive(Debug, Serialize)]
struct Key {
    #[serde(rename = "key")]
    name: String,
    a: Value,
    b: Value,
}

/// A package, with the versions that one image has and the other has not.
#[derive(Debug, Serialize)]
struct Package {
    name: String,
    a: Vec<String>,
    b: Vec<String>,
    /// Whether the versions are the same, and something else is not.
    rebuilt: bool,
}

#[derive(Debug, Serialize)]
struct File {
    path: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    a: Option<entries::Entry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    b: Option<entries::Entry>,
    #[serde(skip)]
    shown: String,
}

/// Prints what differs; the answer is "no" if anything does.
pub(crate) fn diff(args: &DiffArgs, io: &mut Io) -> Result<Exit, BuildError> {
    if args.a == "-" && args.b == "-" {
        return Err(LookError::StdinTwice.into());
    }
    let a = Subject::open(&args.a, &args.look, io)?;
    let b = Subject::open(&args.b, &args.look, io)?;
    let mut found = Difference::default();
    let all = !args.packages && !args.files;
    if all {
        found.config = config(&a, &b)?;
    }
    let ids = |it: &Subject| -> Option<Vec<_>> {
        it.layers.iter().map(|layer| layer.diff_id.clone()).collect()
    };
    // The same layers hold the same.
    if ids(&a).is_none() || ids(&a) != ids(&b) {
        if all || args.packages {
            found.packages = package_changes(&packages::of_image(&a)?, &packages::of_image(&b)?);
        }
        if all || args.files {
            found.files = file_changes(entries::tree(&a)?, entries::tree(&b)?);
        }
    }
    found.same = found.config.is_empty() && found.packages.is_empty() && found.files.is_empty();
    if args.look.json {
        outln!(io, "{}", serde_json::to_string_pretty(&found)?)?;
    } else {
        print(&found, io)?;
    }
    Ok(if found.same { Exit::Done } else { Exit::No })
}

fn print(found: &Difference, io: &mut Io) -> Result<(), BuildError> {
    for Key { name: key, a, b } in &found.config {
        let shown = |value: &Value| match value {
            Value::Null => "none".to_owned(),
            value => value.to_string(),
        };
        outln!(io, "config {key}: {} -> {}", escape(&shown(a)), escape(&shown(b)))?;
    }
    for Package { name, a, b, rebuilt } in &found.packages {
        let name = escape(name);
        match (a.as_slice(), b.as_slice()) {
            (both, _) if *rebuilt => {
                outln!(io, "package ~ {name} {}: rebuilt", escape(&both.join(", ")))
            }
            ([], added) => outln!(io, "package + {name} {}", escape(&added.join(", "))),
            (gone, []) => outln!(io, "package - {name} {}", escape(&gone.join(", "))),
            (old, new) => outln!(
                io,
                "package ~ {name} {} -> {}",
                escape(&old.join(", ")),
                escape(&new.join(", "))
            ),
        }?;
    }
    for file in &found.files {
        let shown = escape(&file.shown);
        match (&file.a, &file.b) {
            (Some(a), Some(b)) => {
                let how = a.differences(b).join(", ");
                outln!(io, "file ~ {shown}: {}", escape(&how))
            }
            (None, _) => outln!(io, "file + {shown}"),
            (_, None) => outln!(io, "file - {shown}"),
        }?;
    }
    Ok(())
}

/// The keys of the config that differ, but for the layers and what they say of themselves.
fn config(a: &Subject, b: &Subject) -> Result<Vec<Key>, BuildError> {
    if a.config_digest == b.config_digest {
        return Ok(Vec::new());
    }
    let flat = |subject: &Subject| -> Result<BTreeMap<String, Value>, BuildError> {
        let Value::Object(map) = serde_json::to_value(subject.config()?)? else {
            return Ok(BTreeMap::new());
        };
        let mut out = BTreeMap::new();
        for (key, value) in map {
            match (key.as_str(), value) {
                ("rootfs" | "history", _) => {}
                ("config", Value::Object(run)) => out.extend(run),
                (_, value) => drop(out.insert(key, value)),
            }
        }
        Ok(out)
    };
    let (a, b) = (flat(a)?, flat(b)?);
    let keys: BTreeSet<_> = a.keys().chain(b.keys()).collect();
    let value =
        |map: &BTreeMap<String, Value>, key: &String| map.get(key).cloned().unwrap_or(Value::Null);
    let keys = keys.into_iter().filter(|key| a.get(*key) != b.get(*key));
    Ok(keys.map(|key| Key { name: key.clone(), a: value(&a, key), b: value(&b, key) }).collect())
}

fn package_changes(a: &BTreeSet<String>, b: &BTreeSet<String>) -> Vec<Package> {
    let (a, b) = (packages::by_name(a), packages::by_name(b));
    let names: BTreeSet<_> = a.keys().chain(b.keys()).collect();
    let mut out = Vec::new();
    let none = BTreeSet::new();
    for name in names {
        let (one, two) = (a.get(name).unwrap_or(&none), b.get(name).unwrap_or(&none));
        if one == two {
            continue;
        }
        // Versions that both have with the same hash have not changed.
        let versions = |own: &BTreeSet<(String, String)>, other: &BTreeSet<(String, String)>| {
            let changed: BTreeSet<_> =
                own.difference(other).map(|(version, _)| version.clone()).collect();
            changed.into_iter().collect::<Vec<_>>()
        };
        let (a, b) = (versions(one, two), versions(two, one));
        let rebuilt = a == b;
        out.push(Package { name: name.clone(), a, b, rebuilt });
    }
    out
}

fn file_changes(
    mut a: BTreeMap<Vec<u8>, entries::Entry>,
    b: BTreeMap<Vec<u8>, entries::Entry>,
) -> Vec<File> {
    let mut out = Vec::new();
    for (name, two) in b {
        match a.remove(&name) {
            Some(one) if one == two => {}
            one => out.push((name, one, Some(two))),
        }
    }
    out.extend(a.into_iter().map(|(name, one)| (name, Some(one), None)));
    out.sort_by(|one, two| one.0.cmp(&two.0));
    let file = |(name, a, b): (Vec<u8>, _, _)| {
        let name = [b"/", &name[..]].concat();
        let shown = String::from_utf8_lossy(&name).into_owned();
        File { path: json_name(&name), a, b, shown }
    };
    out.into_iter().map(file).collect()
}

/// A name as JSON: text, or what it is of bytes.
fn json_name(name: &[u8]) -> Value {
    if let Ok(text) = str::from_utf8(name) {
        return text.into();
    }
    let bytes = base64::engine::general_purpose::STANDARD.encode(name);
    serde_json::json!({ "bytes": bytes })
}
