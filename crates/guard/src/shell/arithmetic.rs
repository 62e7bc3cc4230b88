//! What stands between `((` and `))`: no commands, but for the substitutions in it.

use super::TooDeep;
use super::lexer::Lexer;
use super::quote::Piece;

impl Lexer<'_> {
    /// Whether the `((` that the rest begins with is arithmetic, and not a subshell in a subshell: then the
    /// parenthesis that closes the inner one is followed by the one that closes the outer.
    pub(super) fn is_arithmetic(&self) -> bool {
        let Some(rest) = self.rest().strip_prefix("((") else { return false };
        let mut depth = 2_usize;
        let mut bytes = rest.bytes().enumerate();
        while let Some((at, byte)) = bytes.next() {
            match byte {
                b'\\' => drop(bytes.next()),
                b'(' => depth += 1,
                b')' => depth -= 1,
                _ => {}
            }
            if depth == 1 {
                return rest.as_bytes().get(at + 1) == Some(&b')');
            }
        }
        false
    }

    /// Skips `((…))`, entering the substitutions in it.
    pub(super) fn arithmetic(&mut self) -> Result<(), TooDeep> {
        self.enter()?;
        let mut depth = 0_usize;
        let mut ignored = Piece::default();
        while let Some(c) = self.peek() {
            match c {
                '$' => {
                    self.dollar(&mut ignored, true)?;
                    continue;
                }
                '`' => {
                    self.backtick(&mut ignored, true)?;
                    continue;
                }
                '\\' => drop(self.bump()),
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.bump();
            if depth == 0 {
                break;
            }
        }
        self.leave();
        Ok(())
    }
}
