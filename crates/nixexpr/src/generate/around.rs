//! What can be around an expression of any type.

use super::expression::{NAMES, Type, Writer};

impl Writer {
    /// An expression of the type inside something else.
    pub(super) fn wrapped(&mut self, wanted: &Type, depth: usize) -> String {
        let name = self.random.pick(&NAMES).to_owned();
        let other = self.some_type(1);
        match self.random.below(11) {
            0 => {
                let condition = self.expr(&Type::Bool, depth);
                let (then, otherwise) = (self.expr(wanted, depth), self.expr(wanted, depth));
                format!("if {condition} then {then} else {otherwise}")
            }
            1 | 2 => {
                let value = self.expr(&other, depth);
                let body = self.within(&name, other, |writer| writer.expr(wanted, depth));
                format!("let {name} ={}{value}; in {body}", self.space())
            }
            3 => {
                let value = self.expr(&other, depth);
                let body = self.within(&name, other, |writer| writer.expr(wanted, depth));
                format!("({name}: {body}) ({value})")
            }
            4 => {
                let value = self.expr(&other, depth);
                let default = self.expr(wanted, depth);
                let body = self.within(&name, other, |writer| writer.expr(wanted, depth));
                let d = if name == "d" { "e" } else { "d" };
                format!(
                    "({{ {name}, {d} ? {default}, ... }}@args: if args ? q then {d} else {body}) \
                     {{ {name} = {value}; }}"
                )
            }
            5 => {
                // A variable of the scope goes before what `with` has.
                let value = self.expr(wanted, depth);
                let set = format!("{{ {name} = {value}; }}");
                if self.scope.iter().any(|(bound, _)| *bound == name) {
                    format!("with {set}; {}", self.expr(wanted, depth))
                } else {
                    format!("with {set}; {name}")
                }
            }
            6 => {
                let condition = self.expr(&Type::Bool, depth);
                let body = self.expr(wanted, depth);
                if self.random.percent(70) {
                    format!("assert {condition} || true; {body}")
                } else {
                    format!("assert {condition}; {body}")
                }
            }
            7 => {
                let of = Type::Set(vec![(name.clone(), wanted.clone())]);
                let set = self.expr(&of, depth);
                format!("({set}).{}", self.key(&name, true))
            }
            8 => {
                let set = self.expr(&Type::Set(Vec::new()), depth);
                let default = self.expr(wanted, depth);
                format!("({set}).{name}.{name} or ({default})")
            }
            9 => {
                let list = self.expr(&Type::List(Box::new(wanted.clone())), depth);
                let default = self.expr(wanted, depth);
                format!("builtins.head (({list}) ++ [ ({default}) ])")
            }
            _ => {
                let value = self.expr(wanted, depth);
                let forced = self.expr(&other, depth);
                let how = self.random.pick(&["seq", "deepSeq"]);
                format!("builtins.{how} ({forced}) ({value})")
            }
        }
    }
}
