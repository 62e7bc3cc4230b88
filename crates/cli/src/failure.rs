//! What an error of a tool has to know about itself.

use std::error::Error;

use crate::Exit;

/// An error that ends a run: it knows its exit code and what the user may do next.
///
/// The message is a lower-case fragment without a full stop, and never repeats its source: [`crate::run()`]
/// prints `tool: message: cause: cause`, then `hint: …`.
pub trait Failure: Error + 'static {
    /// The code to end with.
    fn exit(&self) -> Exit {
        Exit::Trouble
    }

    /// What to do next, as one sentence without a full stop.
    fn hint(&self) -> Option<String> {
        None
    }
}
