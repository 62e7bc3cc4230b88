//! Here-documents: the bodies stand after the line that asks for them.

use super::lexer::Lexer;
use super::{Place, Text};

/// A body that the next line begins.
#[derive(Debug)]
pub(super) struct Pending {
    /// Where the body goes among the lexer's inputs.
    pub(super) input: usize,
    /// The line that ends it.
    pub(super) delimiter: String,
    /// `<<-`: tabs before the delimiter do not count.
    pub(super) dedent: bool,
}

impl Lexer<'_> {
    /// Reads the bodies that the line which just ended has asked for.
    pub(super) fn bodies(&mut self) {
        for pending in std::mem::take(&mut self.pending) {
            let body = self.body(&pending);
            if let Some(input) = self.inputs.get_mut(pending.input) {
                *input = body;
            }
        }
    }

    fn body(&mut self, pending: &Pending) -> Text {
        let place = self.place();
        let start = self.at;
        let rest = self.rest();
        let mut length = 0;
        let mut end = rest.len();
        for line in rest.split_inclusive('\n') {
            let bare = line.trim_end_matches(['\n', '\r']);
            let bare = if pending.dedent { bare.trim_start_matches('\t') } else { bare };
            if bare == pending.delimiter {
                end = length + line.len();
                break;
            }
            length += line.len();
        }
        let text = self.source.get(start..start + length).unwrap_or_default().to_owned();
        self.skip_to(start + end);
        Text { text, place }
    }

    /// Reads the delimiter of a here-document, as it is compared: without quotes, nothing expanded.
    pub(super) fn delimiter(&mut self) -> String {
        self.blanks();
        let mut delimiter = String::new();
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' | '\r' | '\n' | ';' | '&' | '|' | '<' | '>' | '(' | ')' => break,
                '\'' | '"' => {
                    self.bump();
                    while let Some(inner) = self.peek() {
                        self.bump();
                        if inner == c {
                            break;
                        }
                        delimiter.push(inner);
                    }
                }
                '\\' => {
                    self.bump();
                    delimiter.extend(self.bump());
                }
                _ => {
                    self.bump();
                    delimiter.push(c);
                }
            }
        }
        delimiter
    }

    /// Keeps a place for an input that comes later, or now.
    pub(super) fn input(&mut self, text: String, place: Place) -> usize {
        self.inputs.push(Text { text, place });
        self.inputs.len() - 1
    }
}
