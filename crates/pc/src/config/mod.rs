//! From files to one resolved project: found, read, expanded, merged, templated, checked.

pub(crate) mod args;
pub mod cron;
mod environment;
pub mod model;

pub use model::Project;
