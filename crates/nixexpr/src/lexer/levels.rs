//! How deep a tree a text can make, known before the parser, which recurses, sees it.

/// The deepest tree that is built.
const DEPTH: usize = 2_000;

/// What is open: a bracket, a string, or the bindings of a `let`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Open {
    Top,
    Brace,
    Bracket,
    Paren,
    Interpolation,
    Let,
    Text,
}

impl Open {
    /// What closes it.
    fn end(self) -> &'static str {
        match self {
            Self::Top => "the end",
            Self::Brace | Self::Interpolation => "`}`",
            Self::Bracket => "`]`",
            Self::Paren => "`)`",
            Self::Let => "`in`",
            Self::Text => "the end of the string",
        }
    }
}

/// The open levels, and in each how much may nest without brackets.
#[derive(Debug)]
pub(super) struct Levels {
    open: Vec<(Open, usize)>,
    sum: usize,
}

impl Levels {
    pub(super) fn new() -> Self {
        Self { open: vec![(Open::Top, 0)], sum: 0 }
    }

    pub(super) fn depth(&self) -> usize {
        self.open.len() + self.sum
    }

    pub(super) fn too_deep(&self) -> bool {
        self.depth() > DEPTH
    }

    pub(super) fn innermost(&self) -> Open {
        self.open.last().map_or(Open::Top, |(open, _)| *open)
    }

    pub(super) fn open(&mut self, open: Open) {
        self.open.push((open, 0));
    }

    /// Closes the innermost level if it is one of `wanted`, or says what would close it.
    pub(super) fn close(&mut self, wanted: &[Open]) -> Result<(), &'static str> {
        let innermost = self.innermost();
        if !wanted.contains(&innermost) {
            return Err(innermost.end());
        }
        if let Some((_, count)) = self.open.pop() {
            self.sum -= count;
        }
        Ok(())
    }

    /// Counts a token that may put what follows, or what came before, one level deeper.
    pub(super) fn nest(&mut self) {
        if let Some((_, count)) = self.open.last_mut() {
            *count += 1;
            self.sum += 1;
        }
    }

    /// Counts an operand: in a list it is one more element, elsewhere one more argument of a call.
    pub(super) fn operand(&mut self) {
        if self.innermost() != Open::Bracket {
            self.nest();
        }
    }

    /// A binding ended: what comes next does not nest in it.
    pub(super) fn settle(&mut self) {
        if let Some((Open::Brace | Open::Let, count)) = self.open.last_mut() {
            self.sum -= *count;
            *count = 0;
        }
    }
}
