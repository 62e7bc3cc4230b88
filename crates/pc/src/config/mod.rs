//! From files to one resolved project: found, read, expanded, merged, templated, checked.

pub(crate) mod args;
pub mod cron;
mod dotenv;
pub(crate) mod duration;
mod env_cmds;
mod environment;
mod error;
mod expand;
mod files;
mod glob;
mod inherit;
mod keys;
mod load;
mod logging;
pub mod model;
mod probe;
pub(crate) mod problem;
mod process;
pub(crate) mod registry;
mod request;
pub(crate) mod schema;
mod select;
mod template;
mod tree;
pub(crate) mod try_out;
pub(crate) mod usage;
mod validate;
mod variables;

pub use environment::Environment;
pub(crate) use error::ConfigError;
pub(crate) use load::{Loaded, load, with_pc_env};
pub use model::Project;
pub(crate) use request::Request;
