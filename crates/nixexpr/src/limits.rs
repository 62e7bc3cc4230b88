//! How much one evaluation may cost.

/// Bounds on what an evaluation may use. Reaching one is a refusal, as Nix itself might have gone on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one file that is read.
    pub file: u64,
    /// Bytes of everything that is made: values, lists, strings.
    pub memory: usize,
    /// Evaluation steps.
    pub steps: u64,
    /// Calls inside calls. Nix gives up at 10 000 by default and counts up to two for one of these, so an answer from
    /// deeper down might not be equal.
    pub calls: u32,
    /// Values inside values that are being evaluated, calls or not.
    pub nesting: u32,
    /// Files imported from imported files.
    pub imports: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file: 8 << 20,
            memory: 512 << 20,
            steps: 20_000_000,
            calls: 4_500,
            nesting: 30_000,
            imports: 64,
        }
    }
}
