//! Nix source by rnix: lazy evaluation of the pure subset, equal to Nix or refused, with the place of every literal.
//!
//! A registry of ports, a hash in an expression: small data that is written as Nix. Starting Nix for one number costs
//! fifty milliseconds; this crate reads the file and evaluates what was asked for. What it returns is what the newest
//! Nix returns, and what it does not know exactly it refuses by name and place ([`EvalError::is_refusal`]). It goes beyond
//! Nix in two points, which its callers tell their users: [`Evaluator::apply_head`], and that one attribute of a set
//! has a value though others fail.
//!
//! Evaluation is bounded by [`Limits`]: no input overflows the stack, runs forever or takes all memory.

mod builtins;
mod call;
mod coerce;
pub mod data;
pub mod edit;
mod error;
mod eval;
mod evaluator;
mod expr;
mod files;
#[cfg(any(test, feature = "generate"))]
pub mod generate;
mod json;
mod leaves;
mod lexer;
mod limits;
mod lower;
mod machine;
mod operators;
mod outline;
mod parse;
mod source;
mod strings;
mod symbols;
mod text;
mod toml;
mod value;
mod write;

pub use error::EvalError;
pub use evaluator::{Attribute, Binding, Evaluator, Kind, Value, Written};
pub use leaves::{Call, HOLE, Leaf, Literal, leaves};
pub use limits::Limits;
pub use outline::{Entry, Node, Outline, Shape};
pub use source::{Lines, Place, Span, place_in};
