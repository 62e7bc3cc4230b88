//! Names, interned: an attribute set compares numbers instead of strings.

use std::collections::HashMap;
use std::rc::Rc;

/// A name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Symbol(pub(crate) u32);

/// All names of an evaluation.
#[derive(Debug, Default)]
pub(crate) struct Symbols {
    names: Vec<Rc<str>>,
    ids: HashMap<Rc<str>, Symbol>,
}

impl Symbols {
    pub(crate) fn intern(&mut self, name: &str) -> Symbol {
        if let Some(&symbol) = self.ids.get(name) {
            return symbol;
        }
        let symbol = Symbol(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
        let name: Rc<str> = Rc::from(name);
        self.names.push(Rc::clone(&name));
        self.ids.insert(name, symbol);
        symbol
    }

    /// The symbol of a name that some text holds.
    pub(crate) fn find(&self, name: &str) -> Option<Symbol> {
        self.ids.get(name).copied()
    }

    pub(crate) fn name(&self, symbol: Symbol) -> &Rc<str> {
        &self.names[symbol.0 as usize]
    }
}
