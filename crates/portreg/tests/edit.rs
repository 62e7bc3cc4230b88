//! Edits of generated and of real-shaped registries: the new value is the old one plus exactly the change, every other
//! byte is as it was, and taking out what was put in restores the file.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends where its ground fails")]

use std::path::{Path, PathBuf};

use nixexpr::{Evaluator, Limits, generate};
use portreg::{Change, EditError, Options, PortPath, Registry, Who};
use serde_json::Value;
use tempfile::TempDir;

/// Registries as projects have them: tabs, comments, dotted names, `let`, function heads, `rec`, one line.
const SHAPES: [(&str, &str); 16] = [
    (
        "nix",
        "{\n\tweb = {\n\t\tapi = 3000; # the API\n\t\tui = 3001;\n\t};\n\n\t# databases\n\tdb.redis = 6379;\n}\n",
    ),
    (
        "nix",
        "# Ports\n{ lib, ... }:\nlet\n  base = 9000;\nin\n{\n  a = { x = 1; y = base; };\n  b.c.d = 2;\n  b.c.e = 3;\n}\n",
    ),
    (
        "nix",
        "rec {\n  ssh = 22;\n  http = 80; https = 443;\n\n  dns = { port = 53; protocol = \"udp\"; };\n}",
    ),
    (
        "nix",
        "_:\n{\n    ports = {\n        redis = 6379 ; # cache\n        /* the database */ pg = 5432;\n        # end\n    };\n    other = true;\n}\n",
    ),
    ("nix", "{ a = 1; g = { }; h = {}; i = { b = 2; }; j = {\n}; }\n"),
    ("nix", "{\r\n  win = {\r\n    a = 1; # \u{e9}\r\n    b = 2;\r\n  };\r\n}\r\n"),
    (
        "nix",
        "let db = { redis = 1; }; web = { x = 2; }; in { inherit db; inherit (web) x; groups = { inherit web; }; }\n",
    ),
    (
        "nix",
        "{\n  media-start = 50000;\n  media-end = 50010;\n  calls = {\n    from = 1; to = 2; };\n  all = [ 1 2 ];\n}\n",
    ),
    ("nix", "/* c */ {\n  \"foo.bar\".\"a b\" = 1;\n  or = 2;\n  x = { # first\n    y = 3; }; }\n"),
    (
        "nix",
        "{ config, pkgs, ... }: with builtins; {\n  a = 1;\n  s = config.x;\n  g = {\n    k = 2; /* two */ };\n}",
    ),
    ("nix", "{\n  a = {\n    # nothing yet\n  };\n  b = { # later\n  };\n  c = 5;\n}\n"),
    (
        "json",
        "{\n  \"db\": {\n    \"redis\": 6379,\n    \"pg\": \"5432\"\n  },\n  \"e\": {},\n  \"f\": {\n  }\n}\n",
    ),
    ("json", "{\"db\":{\"redis\":6379},\"web\":{\"x\":1,\"y\":2}}"),
    (
        "toml",
        "# Ports\n\n[db]\nredis = 6379 # cache\npg = \"5432\"\n\n[web] # all\n\n[web.inner]\nx = 1\n",
    ),
    ("toml", "a = 1\ng.b = 2\ng.c = 3 # c\nt = { x = 1, y = 2 }\ne = {}\n"),
    ("toml", "[[list]]\nx = 1\n\n[g]\n  a=1\r\n  b=2"),
];

struct Case {
    folder: TempDir,
    file: PathBuf,
}

impl Case {
    fn new(extension: &str, text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(format!("ports.{extension}"));
        fs_err::write(&file, text).unwrap();
        fs_err::write(folder.path().join(generate::SHARED.0), generate::SHARED.1).unwrap();
        Self { folder, file }
    }

    fn open(&self) -> Registry<'static> {
        let options = Options { who: Who::Native, ..Options::default() };
        Registry::open(&self.file, options).unwrap()
    }

    /// Makes an edit and writes it.
    fn edit(&self, change: &Change<'_>) -> Result<(String, String), EditError> {
        let edited = self.open().edit(change)?;
        assert_eq!(edited.file, self.file);
        fs_err::write(&edited.file, &edited.after).unwrap();
        Ok((edited.before, edited.after))
    }

    /// The value of the registry as the library that edits does not see it.
    fn value(&self) -> Value {
        let text = fs_err::read_to_string(&self.file).unwrap();
        let mut value = value(&self.file, &text);
        match value.get_mut("ports") {
            Some(ports) if ports.is_object() => ports.take(),
            _ => value,
        }
    }
}

fn value(file: &Path, text: &str) -> Value {
    if file.extension().unwrap() == "json" {
        return serde_json::from_str(text).unwrap();
    }
    if file.extension().unwrap() == "toml" {
        return serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap();
    }
    let mut nix = Evaluator::new(Limits::default());
    nix.overlay(generate::SHARED.0.as_ref(), generate::SHARED.1);
    let root =
        nix.text("ports.nix".as_ref(), text).unwrap_or_else(|error| panic!("{error}:\n{text}"));
    let (root, _) = nix.apply_head(root).unwrap();
    json_of(&mut nix, root)
}

/// What has no value is null: it may not stop the comparison of the rest.
fn json_of(nix: &mut Evaluator, value: nixexpr::Value) -> Value {
    match nix.kind(value) {
        Ok(nixexpr::Kind::Set) => {
            let attributes = nix.attributes(value).unwrap();
            attributes.into_iter().map(|a| (a.name.to_string(), json_of(nix, a.value))).collect()
        }
        Ok(_) => nix.json(value).map_or(Value::Null, |json| serde_json::from_str(&json).unwrap()),
        Err(_) => Value::Null,
    }
}

/// All groups, and all numbers, with their paths.
fn walk(
    value: &Value,
    path: &[String],
    groups: &mut Vec<Vec<String>>,
    numbers: &mut Vec<Vec<String>>,
) {
    match value {
        Value::Object(members) => {
            groups.push(path.to_vec());
            for (name, member) in members {
                walk(member, &[path, std::slice::from_ref(name)].concat(), groups, numbers);
            }
        }
        Value::Number(_) => numbers.push(path.to_vec()),
        _ => {}
    }
}

fn insert(value: &mut Value, path: &[String], number: u16) {
    let mut here = value;
    for name in path {
        let members = here.as_object_mut().unwrap();
        here = members.entry(name.clone()).or_insert_with(|| Value::Object(serde_json::Map::new()));
    }
    *here = number.into();
}

/// Takes a path out; `prune` says whether groups that are left empty go.
fn remove(value: &mut Value, path: &[String], prune: bool) {
    let (first, rest) = path.split_first().unwrap();
    let members = value.as_object_mut().unwrap();
    if rest.is_empty() {
        members.remove(first).unwrap();
        return;
    }
    let inner = members.get_mut(first).unwrap();
    remove(inner, rest, prune);
    if prune && inner.as_object().unwrap().is_empty() {
        members.remove(first);
    }
}

fn path(names: &[String]) -> PortPath {
    names.iter().cloned().collect()
}

/// Whether one text is another one with a part of it replaced by a shorter or longer one.
#[track_caller]
fn assert_one_change(before: &str, after: &str, longest: usize) {
    let same = before.bytes().zip(after.bytes()).take_while(|(a, b)| a == b).count();
    let rest = (before.len().min(after.len())) - same;
    let end =
        before.bytes().rev().zip(after.bytes().rev()).take_while(|(a, b)| a == b).count().min(rest);
    let changed = (before.len() - same - end).max(after.len() - same - end);
    assert!(changed <= longest, "{changed} bytes changed:\n{before}\n---\n{after}");
}

/// What was tried, and how much of it was done.
#[derive(Debug, Default)]
struct Tally {
    tried: usize,
    done: usize,
}

impl Tally {
    fn count(&mut self, result: &Result<(String, String), EditError>) {
        self.tried += 1;
        match result {
            Ok(_) => self.done += 1,
            Err(
                EditError::Computed { .. }
                | EditError::NoPlace { .. }
                | EditError::Other { .. }
                | EditError::Follows { .. }
                | EditError::NoGroup { .. }
                | EditError::Several { .. }
                | EditError::Registry(_),
            ) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// Adds to every group, sets and removes every number, each by itself.
fn try_all(extension: &str, text: &str, tally: &mut [Tally; 3]) {
    let case = Case::new(extension, text);
    let old = case.value();
    let (mut groups, mut numbers) = (Vec::new(), Vec::new());
    walk(&old, &[], &mut groups, &mut numbers);
    for group in &groups {
        for (names, comment) in [
            (&["zz"][..], None),
            (&["a b.c"], None),
            (&["zz"], Some("words about it")),
            (&["new", "zz"], None),
        ] {
            let names: Vec<String> =
                group.iter().cloned().chain(names.iter().map(|name| (*name).to_owned())).collect();
            let path = path(&names);
            let result = case.edit(&Change::Add { path: &path, number: 4242, comment });
            tally[0].count(&result);
            let Ok((before, after)) = result else { continue };
            assert_eq!(before, text);
            let mut wanted = old.clone();
            insert(&mut wanted, &names, 4242);
            assert_eq!(case.value(), wanted, "adding {path} to\n{text}\ngave\n{after}");
            assert_one_change(text, &after, 60 + path.to_string().len() * 2);
            case.edit(&Change::Remove { path: &path }).unwrap_or_else(|e| panic!("{e}\n{after}"));
            let restored = fs_err::read_to_string(&case.file).unwrap();
            assert_eq!(restored, text, "adding {path} and taking it out again, after\n{after}");
        }
    }
    for names in &numbers {
        let path = path(names);
        let result = case.edit(&Change::Set { path: &path, number: 4242, follow: false });
        tally[1].count(&result);
        if let Ok((_, after)) = result {
            let mut wanted = old.clone();
            insert(&mut wanted, names, 4242);
            assert_eq!(case.value(), wanted, "setting {path} in\n{text}\ngave\n{after}");
            assert_one_change(text, &after, 6);
            fs_err::write(&case.file, text).unwrap();
        }
        let result = case.edit(&Change::Remove { path: &path });
        tally[2].count(&result);
        if let Ok((_, after)) = result {
            let (mut wanted, mut pruned) = (old.clone(), old.clone());
            remove(&mut wanted, names, false);
            remove(&mut pruned, names, true);
            let found = case.value();
            assert!(
                found == wanted || found == pruned,
                "removing {path} from\n{text}\ngave\n{after}"
            );
            assert!(after.len() < text.len());
            fs_err::write(&case.file, text).unwrap();
        }
    }
    drop(case.folder);
}

#[test]
fn registries_of_every_shape() {
    for (extension, text) in SHAPES {
        let mut tally = <[Tally; 3]>::default();
        try_all(extension, text, &mut tally);
        assert!(tally.iter().all(|tally| tally.done > 0), "{tally:?}\n{text}");
    }
}

#[test]
fn generated_registries() {
    let mut tally = <[Tally; 3]>::default();
    for seed in 0..40 {
        try_all("nix", &generate::registry(seed).0, &mut tally);
    }
    let [add, set, remove] = &tally;
    // Ranges are no groups, and some numbers are computed, or have others made from them.
    assert!(add.done * 10 > add.tried * 8, "{tally:?}");
    assert!(set.done * 2 > set.tried, "{tally:?}");
    assert!(remove.done * 2 > remove.tried, "{tally:?}");
}
