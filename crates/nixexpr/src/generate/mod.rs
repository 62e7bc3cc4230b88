//! Random registries and expressions from a seed: the input of differential tests against real Nix.
//!
//! The same seed gives the same text on every machine. A [`registry()`] comes with the JSON it must evaluate to; an
//! [`expression()`] comes alone, and about one in ten is wrong on purpose.

mod around;
mod expression;
mod registry;

pub use expression::expression;
pub use registry::{SHARED, registry};

/// `SplitMix64`: small, and the same everywhere.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    /// True in so many of a hundred cases.
    pub(crate) fn percent(&mut self, cases: u64) -> bool {
        self.below(100) < cases
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        let index = self.below(from.len() as u64);
        from[usize::try_from(index).unwrap_or(0)]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{EvalError, Evaluator, Limits};

    fn evaluate(text: &str) -> Result<String, EvalError> {
        let mut nix = Evaluator::new(Limits::default());
        nix.overlay(SHARED.0.as_ref(), SHARED.1);
        let root = nix.text("generated.nix".as_ref(), text)?;
        let (root, _) = nix.apply_head(root)?;
        nix.json(root)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_registry_evaluates_to_its_model(seed: u64) {
            let (text, json) = registry(seed);
            prop_assert_eq!(evaluate(&text).map_err(|error| error.to_string()), Ok(json), "{}", text);
        }

        #[test]
        fn an_expression_has_a_value_or_an_error_at_a_place(seed: u64) {
            let text = expression(seed);
            if let Err(error) = evaluate(&text) {
                prop_assert!(error.place().is_some(), "{}", error);
            }
        }

        #[test]
        fn any_text_is_survived(text in "[-a-c{}()\\[\\];=.:,@?!<>|&+*/\"'$\\\\ \n0-9_#~\u{e9}]{0,80}") {
            let _result = evaluate(&text);
        }

        #[test]
        fn a_damaged_registry_is_survived(seed: u64, at: prop::sample::Index, with in ".{0,3}") {
            let (mut text, _) = registry(seed);
            let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            text.insert_str(ends[at.index(ends.len())], &with);
            let _result = evaluate(&text);
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_text() {
        assert_eq!(expression(7), expression(7));
        assert_eq!(registry(7), registry(7));
        assert_ne!(expression(7), expression(8));
    }
}
