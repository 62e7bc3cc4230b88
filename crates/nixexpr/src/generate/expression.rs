//! Expressions of every construct that is evaluated, nested at random.

use super::Random;

/// What an expression is meant to be. One that is wrong on purpose is something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Type {
    Int,
    Bool,
    Text,
    List(Box<Self>),
    /// A set with these attributes.
    Set(Vec<(String, Self)>),
}

pub(super) struct Writer {
    pub(super) random: Random,
    /// Variables in scope, innermost last.
    pub(super) scope: Vec<(String, Type)>,
}

pub(super) const NAMES: [&str; 12] =
    ["a", "b", "c", "x", "y", "z", "f'", "n-1", "_u", "aa", "B", "foo"];
const TEXTS: [&str; 18] = [
    "",
    "a",
    "b",
    "ab",
    "x y",
    "\\n",
    "\\t\\\"q\\\"",
    "\\${x}",
    "$",
    "$$",
    "$${a}",
    "\u{e9}",
    "a$",
    "\\\\",
    "'",
    "''",
    "\n",
    "\r\n",
];
const INDENTED: [&str; 14] = [
    "a",
    "\n",
    "\n  a\n    b\n",
    "  ",
    "''$",
    "'''",
    "''\\n",
    "$",
    "$$",
    "\n\tt\n",
    "\n   c\n  ",
    "' ",
    "x\n\n    y\n",
    "''\\${",
];

/// A Nix expression; evaluating it gives data, or fails in about one case of ten.
pub fn expression(seed: u64) -> String {
    let mut writer = Writer { random: Random::new(seed), scope: Vec::new() };
    let wanted = writer.some_type(2);
    let text = writer.expr(&wanted, 4);
    format!("{text}\n")
}

impl Writer {
    pub(super) fn some_type(&mut self, depth: usize) -> Type {
        match self.random.below(if depth == 0 { 3 } else { 6 }) {
            0 => Type::Int,
            1 => Type::Bool,
            2 => Type::Text,
            3 => Type::List(Box::new(self.some_type(depth - 1))),
            _ => {
                let mut attributes: Vec<(String, Type)> = Vec::new();
                for _ in 0..self.random.below(4) {
                    let name = self.random.pick(&NAMES).to_owned();
                    if attributes.iter().all(|(other, _)| *other != name) {
                        let of = self.some_type(depth - 1);
                        attributes.push((name, of));
                    }
                }
                Type::Set(attributes)
            }
        }
    }

    pub(super) fn space(&mut self) -> &'static str {
        match self.random.below(20) {
            0 => "\n",
            1 => " /* c */ ",
            2 => " # c\n",
            _ => " ",
        }
    }

    /// An expression of the type, mostly in parentheses: without them, operators show how they bind.
    pub(super) fn expr(&mut self, wanted: &Type, depth: usize) -> String {
        let wrong = self.random.percent(1).then(|| self.some_type(1));
        let wanted = wrong.as_ref().unwrap_or(wanted);
        let text = self.bare(wanted, depth);
        if self.random.percent(70) { format!("({text})") } else { text }
    }

    fn bare(&mut self, wanted: &Type, depth: usize) -> String {
        if self.random.percent(20)
            && let Some(text) = self.variable(wanted)
        {
            return text;
        }
        if depth == 0 {
            return self.literal(wanted, 0);
        }
        match self.random.below(10) {
            0..3 => self.wrapped(wanted, depth - 1),
            3 => self.literal(wanted, depth - 1),
            _ => match wanted {
                Type::Int => self.int(depth - 1),
                Type::Bool => self.bool(depth - 1),
                Type::Text => self.text(depth - 1),
                Type::List(of) => self.list(of, depth - 1),
                Type::Set(attributes) => self.set(attributes, depth - 1),
            },
        }
    }

    fn variable(&mut self, wanted: &Type) -> Option<String> {
        let fitting: Vec<&str> =
            self.scope.iter().filter(|(_, of)| of == wanted).map(|(name, _)| &**name).collect();
        (!fitting.is_empty()).then(|| self.random.pick(&fitting).to_owned())
    }

    fn literal(&mut self, wanted: &Type, depth: usize) -> String {
        match wanted {
            Type::Int => match self.random.below(12) {
                0 => "9223372036854775807".to_owned(),
                1 => "007".to_owned(),
                2 => "(-1)".to_owned(),
                _ => self.random.below(100).to_string(),
            },
            Type::Bool => self.random.pick(&["true", "false"]).to_owned(),
            Type::Text => self.string(depth),
            Type::List(of) => {
                let mut text = "[".to_owned();
                for _ in 0..self.random.below(4) {
                    text.push_str(self.space());
                    let item = self.expr(of, depth);
                    // Without parentheses, operators would end the element.
                    let closed = item.starts_with('(');
                    text.extend(if closed { [&item, "", ""] } else { ["(", &item, ")"] });
                }
                text + " ]"
            }
            Type::Set(attributes) => self.braces(attributes, depth),
        }
    }

    fn string(&mut self, depth: usize) -> String {
        let indented = self.random.percent(30);
        let mut text = String::new();
        for _ in 0..self.random.below(4) {
            if self.random.percent(25) {
                let hole = self.expr(&Type::Text, depth.saturating_sub(1));
                text = format!("{text}${{{hole}}}");
            } else {
                text.push_str(self.random.pick(if indented { &INDENTED } else { &TEXTS }));
            }
        }
        if indented { format!("''{text}''") } else { format!("\"{text}\"") }
    }

    pub(super) fn key(&mut self, name: &str, dynamic: bool) -> String {
        match self.random.below(12) {
            0 => format!("\"{name}\""),
            1 if dynamic => format!("${{\"{}\" + \"{}\"}}", &name[..1], &name[1..]),
            2 if dynamic => format!("\"${{\"{name}\"}}\""),
            _ => name.to_owned(),
        }
    }

    /// `{ … }` with exactly these attributes, in one of the ways to write it.
    fn braces(&mut self, attributes: &[(String, Type)], depth: usize) -> String {
        let recursive = self.random.percent(15);
        let outside = self.scope.clone();
        if recursive {
            // A recursive set in terms of itself may never end; its attributes use only what is outside.
            self.scope.retain(|(other, _)| attributes.iter().all(|(own, _)| own != other));
        }
        let mut text = (if recursive { "rec {" } else { "{" }).to_owned();
        for (name, of) in attributes {
            let binding = self.binding(name, of, depth, !recursive);
            text.push_str(self.space());
            text.push_str(&binding);
        }
        self.scope = outside;
        if self.random.percent(2) {
            text.push_str(" a = 1; b.c = 2;");
        }
        text + " }"
    }

    fn binding(&mut self, name: &str, of: &Type, depth: usize, dynamic: bool) -> String {
        if let Type::Set(inner) = of
            && !inner.is_empty()
            && self.random.percent(40)
        {
            let mut text = String::new();
            for (index, (key, of)) in inner.iter().enumerate() {
                let value = self.expr(of, depth);
                let merged = index > 0 && self.random.percent(30);
                let binding = if merged {
                    format!("{name} = {{ {key} = {value}; }}; ")
                } else {
                    format!("{name}.{} = {value}; ", self.key(key, false))
                };
                text.push_str(&binding);
            }
            return text;
        }
        let in_scope = self.scope.iter().rev().find(|(other, _)| other == name);
        if in_scope.is_some_and(|(_, other)| other == of) && self.random.percent(60) {
            return format!("inherit {name};");
        }
        let value = self.expr(of, depth);
        match self.random.below(12) {
            0 => format!("inherit ({{ {name} = {value}; other = throw \"no\"; }}) {name};"),
            _ => format!("{} = {value};", self.key(name, dynamic)),
        }
    }

    pub(super) fn within<T>(
        &mut self,
        name: &str,
        of: Type,
        body: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let hidden: Vec<_> = self.scope.clone();
        self.scope.retain(|(other, _)| other != name);
        self.scope.push((name.to_owned(), of));
        let result = body(self);
        self.scope = hidden;
        result
    }

    fn int(&mut self, depth: usize) -> String {
        let (a, b) = (self.expr(&Type::Int, depth), self.expr(&Type::Int, depth));
        let ints = Type::List(Box::new(Type::Int));
        match self.random.below(14) {
            0..3 => format!("{a} + {b}"),
            3 => format!("{a} - {b}"),
            4 => format!("{a} * {b}"),
            5 => format!("{a} / {b}"),
            6 => format!("-{a}"),
            7 => format!("builtins.length ({})", self.expr(&ints, depth)),
            8 => format!("builtins.stringLength ({})", self.expr(&Type::Text, depth)),
            9 => format!("builtins.foldl' (p: q: p + q) {b} ({})", self.expr(&ints, depth)),
            10 => format!("builtins.elemAt [ ({a}) ({b}) ] {}", self.random.below(3)),
            11 => format!("builtins.{} ({a}) ({b})", self.random.pick(&["add", "sub", "mul"])),
            12 => format!("builtins.bitXor ({a}) ({b})"),
            _ => format!("builtins.fromJSON (builtins.toJSON ({a}))"),
        }
    }

    fn bool(&mut self, depth: usize) -> String {
        let of = self.some_type(1);
        let (a, b) = (self.expr(&Type::Bool, depth), self.expr(&Type::Bool, depth));
        let (left, right) = (self.expr(&of, depth), self.expr(&of, depth));
        let ordered = self.random.pick(&["<", "<=", ">", ">="]);
        let list = Type::List(Box::new(of.clone()));
        match self.random.below(13) {
            0 => format!("{a} && {b}"),
            1 => format!("{a} || {b}"),
            2 => format!("{a} -> {b}"),
            3 => format!("!{a}"),
            4 | 5 => format!("{left} == {right}"),
            6 => format!("{left} != {right}"),
            7 => {
                let of = [Type::Int, Type::Text, Type::List(Box::new(Type::Int))];
                let of = self.random.pick(&of.each_ref());
                format!("{} {ordered} {}", self.expr(of, depth), self.expr(of, depth))
            }
            8 => {
                let name = self.random.pick(&NAMES).to_owned();
                let of = self.some_type(2);
                format!("({}) ? {}.b", self.expr(&of, depth), self.key(&name, true))
            }
            9 => format!("builtins.elem ({left}) ({})", self.expr(&list, depth)),
            10 => {
                let which = self.random.pick(&["isInt", "isString", "isAttrs", "isList", "isBool"]);
                format!("builtins.{which} ({left})")
            }
            11 => {
                let which = self.random.pick(&["all", "any"]);
                format!("builtins.{which} (e: e == ({left})) ({})", self.expr(&list, depth))
            }
            _ => format!("({left}) == ({a})"),
        }
    }

    fn text(&mut self, depth: usize) -> String {
        let (a, b) = (self.expr(&Type::Text, depth), self.expr(&Type::Text, depth));
        match self.random.below(9) {
            0 | 1 => format!("{a} + {b}"),
            2 => {
                let of = match self.random.below(4) {
                    0 => Type::Bool,
                    1 => Type::List(Box::new(Type::List(Box::new(Type::Int)))),
                    _ => Type::Int,
                };
                format!("toString ({})", self.expr(&of, depth))
            }
            3 => {
                let list = self.expr(&Type::List(Box::new(Type::Text)), depth);
                format!("builtins.concatStringsSep ({a}) ({list})")
            }
            4 => {
                let (start, length) = (self.random.below(4), self.random.below(4));
                format!("builtins.substring {start} ({length} - 1) ({a})")
            }
            5 => format!("builtins.replaceStrings [ \"a\" (\"b\") ] [ ({a}) \"\" ] ({b})"),
            6 => {
                let of = self.some_type(1);
                format!("builtins.typeOf ({})", self.expr(&of, depth))
            }
            7 => {
                let of = self.some_type(2);
                format!("builtins.toJSON ({})", self.expr(&of, depth))
            }
            _ => {
                let set = self.expr(&Type::Set(vec![("x".to_owned(), Type::Int)]), depth);
                format!("builtins.head (builtins.attrNames ({set}))")
            }
        }
    }

    fn list(&mut self, of: &Type, depth: usize) -> String {
        let list = Type::List(Box::new(of.clone()));
        let a = self.expr(&list, depth);
        match self.random.below(10) {
            0 | 1 => format!("{a} ++ {}", self.expr(&list, depth)),
            2 => {
                let from = self.some_type(1);
                let source = self.expr(&Type::List(Box::new(from.clone())), depth);
                let body = self.within("e", from, |writer| writer.expr(of, depth));
                format!("map (e: {body}) ({source})")
            }
            3 => {
                let body = self.within("e", of.clone(), |writer| writer.expr(&Type::Bool, depth));
                format!("builtins.filter (e: {body}) ({a})")
            }
            4 => {
                let body = self.within("e", Type::Int, |writer| writer.expr(of, depth));
                format!("builtins.genList (e: {body}) {}", self.random.below(4))
            }
            5 => {
                let set = vec![("b".to_owned(), of.clone()), ("a".to_owned(), of.clone())];
                format!("builtins.attrValues ({})", self.expr(&Type::Set(set), depth))
            }
            6 => format!("builtins.concatLists [ ({a}) ({}) ]", self.expr(&list, depth)),
            7 => format!("builtins.tail ({a} ++ [ ({}) ])", self.expr(of, depth)),
            8 => {
                let body = self.within("e", of.clone(), |writer| writer.expr(&list, depth));
                format!("builtins.concatMap (e: {body}) ({a})")
            }
            _ => {
                let set = Type::Set(vec![("k".to_owned(), of.clone())]);
                let sets = self.expr(&Type::List(Box::new(set)), depth);
                format!("builtins.catAttrs \"k\" ({sets})")
            }
        }
    }

    fn set(&mut self, attributes: &[(String, Type)], depth: usize) -> String {
        let wanted = Type::Set(attributes.to_vec());
        let cut = usize::try_from(self.random.below(attributes.len() as u64 + 1)).unwrap_or(0);
        match self.random.below(7) {
            0..3 => {
                let left = self.expr(&Type::Set(attributes[..cut].to_vec()), depth);
                let right = self.expr(&Type::Set(attributes[cut..].to_vec()), depth);
                format!("{left} // {right}")
            }
            3 => {
                let set = self.expr(&wanted, depth);
                format!("builtins.mapAttrs (k: v: v) ({set})")
            }
            4 => {
                let mut pairs = String::new();
                for (name, of) in attributes {
                    let value = self.expr(of, depth);
                    pairs = format!("{pairs} {{ name = \"{name}\"; value = {value}; }}");
                }
                format!("builtins.listToAttrs [{pairs} ]")
            }
            5 => {
                let set = self.expr(&wanted, depth);
                format!("removeAttrs (({set}) // {{ gone = throw \"no\"; }}) [ \"gone\" \"q\" ]")
            }
            _ => {
                let set = self.expr(&wanted, depth);
                format!("builtins.intersectAttrs ({set}) ({})", self.braces(attributes, depth))
            }
        }
    }
}
