//! Registries of ports with the JSON they stand for.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Random;
use crate::write::quote;

/// What a generated registry evaluates to.
#[derive(Debug, Clone)]
enum Model {
    Port(i64),
    Text(String),
    List(Vec<i64>),
    Set(BTreeMap<String, Self>),
}

struct Writer {
    random: Random,
    text: String,
}

const NAMES: [&str; 24] = [
    "redis",
    "postgresql",
    "http",
    "https",
    "nodeExporter",
    "temporal-ui",
    "api_v2",
    "A",
    "z9",
    "loki'",
    "or",
    "grpc",
    "x-start",
    "x-end",
    "ssh",
    "dns",
    "metrics",
    "web",
    "db",
    "queue",
    "s3",
    "NFS_PORT",
    "_internal",
    "livekit-udp",
];
const QUOTED: [&str; 6] = ["foo.bar", "with space", "80", "if", "\u{e9}t\u{e9}", "a/b"];

/// A file that generated registries import, beside them: its name and its text.
pub const SHARED: (&str, &str) =
    ("shared.nix", "let base = 1000; in {\n  at = port: base + (port - base);\n}\n");

/// A registry and the JSON it evaluates to: nested and dotted groups, quoted names, ranges, lists, and numbers that
/// are computed, inherited, imported from [`SHARED`] or shared, with comments in between.
pub fn registry(seed: u64) -> (String, String) {
    let mut writer = Writer { random: Random::new(seed), text: String::new() };
    let mut bound = BTreeMap::new();
    if writer.random.percent(30) {
        writer.text.push_str("{ lib ? null, ... }:\n");
    }
    if writer.random.percent(50) {
        writer.bindings(&mut bound);
    }
    let mut groups = BTreeMap::new();
    writer.set(&bound, 3, 1, &mut groups);
    writer.text.push('\n');
    let mut json = String::new();
    write(&Model::Set(groups), &mut json);
    (writer.text, json)
}

impl Writer {
    fn number(&mut self) -> i64 {
        i64::try_from(1 + self.random.below(65_535)).unwrap_or(1)
    }

    fn indent(&mut self, level: usize) {
        let unit = if self.random.percent(90) { "  " } else { "\t" };
        for _ in 0..level {
            self.text.push_str(unit);
        }
    }

    fn comment(&mut self, level: usize) {
        let comment = self.random.pick(&[
            "# a comment: x = 1;\n",
            "/* several\n   lines */\n",
            "\n",
            "# \u{e9}\r\n",
            "/** documented **/\n",
        ]);
        if self.random.percent(25) {
            self.indent(level);
            self.text.push_str(comment);
        }
    }

    /// `let base = 9000; next = base + 1; in`, as names for later.
    fn bindings(&mut self, bound: &mut BTreeMap<String, i64>) {
        self.text.push_str("let\n");
        for index in 0..=self.random.below(3) {
            let name = format!("base{index}");
            let number = self.number();
            let value = self.value(number, bound);
            writeln!(self.text, "  {name} = {value};").unwrap_or_default();
            bound.insert(name, number);
        }
        self.text.push_str("in\n");
    }

    /// An expression for a number: the literal, or one of the ways to get it.
    fn value(&mut self, number: i64, bound: &BTreeMap<String, i64>) -> String {
        let known = bound.iter().nth(usize::try_from(self.random.below(4)).unwrap_or(0));
        match (self.random.below(18), known) {
            (0, Some((name, base))) => match number - base {
                difference if difference < 0 => format!("{name} - {}", -difference),
                difference => format!("{name} + {difference}"),
            },
            (1, _) => format!("({number})"),
            (2, _) => format!("if 1 < 2 then {number} else throw \"never\""),
            (3, _) => format!("(port: port) {number}"),
            (4, _) => format!("builtins.elemAt [ 1 {number} ] 1"),
            (5, _) => format!("({{ a ? {number}, ... }}: a) {{ b = 1; }}"),
            (6, _) => format!("assert true; {number}"),
            (7, _) => format!("{{ port = {number}; }}.port"),
            (8, _) => format!("{{ }}.port or {number}"),
            (9, _) => format!("builtins.fromJSON \"{number}\""),
            (10, _) => format!("with {{ port = {number}; }}; port"),
            (11, _) => format!("({{ port = 1; b = 2; }} // {{ port = {number}; }}).port"),
            (12, _) => format!("{} * 10 + {}", number / 10, number % 10),
            (13, _) => format!("(import ./{}).at {number}", SHARED.0),
            _ => number.to_string(),
        }
    }

    fn name(&mut self, taken: &BTreeMap<String, Model>) -> String {
        loop {
            let name = match self.random.below(10) {
                0 => self.random.pick(&QUOTED).to_owned(),
                1 => format!("p{}", self.random.below(1_000)),
                _ => self.random.pick(&NAMES).to_owned(),
            };
            if !taken.contains_key(&name) {
                return name;
            }
            let number = self.random.below(100_000);
            let name = format!("{}{number}", name.trim_end_matches('\''));
            if !taken.contains_key(&name) {
                return name;
            }
        }
    }

    fn key(&mut self, name: &str) -> String {
        let plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-'".contains(c))
            && name != "if";
        if plain && self.random.percent(92) {
            return name.to_owned();
        }
        let mut quoted = String::new();
        quote(name, &mut quoted);
        quoted
    }

    fn set(
        &mut self,
        bound: &BTreeMap<String, i64>,
        depth: usize,
        level: usize,
        into: &mut BTreeMap<String, Model>,
    ) {
        let recursive = self.random.percent(15);
        self.text.push_str(if recursive { "rec {\n" } else { "{\n" });
        let mut scope = if recursive { BTreeMap::new() } else { bound.clone() };
        for _ in 0..self.random.below(6) {
            self.comment(level);
            self.indent(level);
            self.entry(&mut scope, recursive, depth, level, into);
        }
        self.indent(level - 1);
        self.text.push('}');
    }

    fn entry(
        &mut self,
        scope: &mut BTreeMap<String, i64>,
        recursive: bool,
        depth: usize,
        level: usize,
        into: &mut BTreeMap<String, Model>,
    ) {
        let name = self.name(into);
        let key = self.key(&name);
        let number = self.number();
        let model = match self.random.below(10) {
            0 | 1 if depth > 0 => {
                write!(self.text, "{key} = ").unwrap_or_default();
                let mut inner = BTreeMap::new();
                // A recursive set inside has names of its own, which may hide those of the scope.
                self.set(&BTreeMap::new(), depth - 1, level + 1, &mut inner);
                Model::Set(inner)
            }
            2 => return self.dotted(&name, &key, number, into),
            3 => {
                let end = number + 10;
                write!(self.text, "{key} = {{ from = {number}; to = {end}; }}").unwrap_or_default();
                let ends = [("from", number), ("to", end)];
                Model::Set(ends.map(|(name, n)| (name.to_owned(), Model::Port(n))).into())
            }
            4 => {
                write!(self.text, "{key} = [ {number} 1 ] ++ [ 2 ]").unwrap_or_default();
                Model::List(vec![number, 1, 2])
            }
            5 if !recursive && scope.contains_key("base0") && !into.contains_key("base0") => {
                self.text.push_str("inherit base0;\n");
                into.insert("base0".to_owned(), Model::Port(scope["base0"]));
                return;
            }
            6 if !into.contains_key("from") => {
                writeln!(self.text, "inherit ({{ from = {number}; }}) from;").unwrap_or_default();
                into.insert("from".to_owned(), Model::Port(number));
                return;
            }
            7 if self.random.percent(50) => {
                write!(self.text, "{key} = \"localhost:${{toString {number}}}\"")
                    .unwrap_or_default();
                Model::Text(format!("localhost:{number}"))
            }
            _ => {
                let value = self.value(number, scope);
                write!(self.text, "{key} = {value}").unwrap_or_default();
                // Only names that can be written as variables may be used by later ones.
                if recursive && key == name && name != "or" {
                    scope.insert(name.clone(), number);
                }
                Model::Port(number)
            }
        };
        let end = self.random.pick(&[";\n", "; # the service\n", " ;\n", ";  /* c */\n"]);
        self.text.push_str(end);
        into.insert(name, model);
    }

    /// `a.b = 1; a = { c = 2; }; a.d.e = 3;`, which is one set.
    fn dotted(&mut self, name: &str, key: &str, number: i64, into: &mut BTreeMap<String, Model>) {
        let ways = [
            format!("{key}.b = {number}; {key} = {{ c = 2; }}; {key}.d.e = 3;\n"),
            format!(
                "{key} = {{ c = 2; d = {{ }}; }}; {key}.b = {number}; {key}.d = {{ e = 3; }};\n"
            ),
            format!("{key}.d.e = 3; {key}.\"b\" = {number}; {key}.c = 2;\n"),
        ];
        self.text.push_str(self.random.pick(&ways.each_ref().map(String::as_str)));
        let inner = BTreeMap::from([("e".to_owned(), Model::Port(3))]);
        let set = [("b", Model::Port(number)), ("c", Model::Port(2)), ("d", Model::Set(inner))];
        into.insert(name.to_owned(), Model::Set(set.map(|(n, m)| (n.to_owned(), m)).into()));
    }
}

fn write(model: &Model, out: &mut String) {
    match model {
        Model::Port(number) => write!(out, "{number}").unwrap_or_default(),
        Model::Text(text) => quote(text, out),
        Model::List(numbers) => {
            let words: Vec<String> = numbers.iter().map(i64::to_string).collect();
            write!(out, "[{}]", words.join(",")).unwrap_or_default();
        }
        Model::Set(entries) => {
            out.push('{');
            for (index, (name, model)) in entries.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                quote(name, out);
                out.push(':');
                write(model, out);
            }
            out.push('}');
        }
    }
}
