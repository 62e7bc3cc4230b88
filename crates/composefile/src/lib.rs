//! The files that process-compose reads: found, read within limits, parsed with spans, merged.
//!
//! The format is <https://f1bonacc1.github.io/process-compose/configuration/>. YAML is read as `yaml.v3` reads it
//! where that matters: `<<` merges, a plain `no` may be text, a repeated key is an error; JSON, which
//! process-compose-flake writes, is read too. The model holds the keys that a user of this crate asks for, each
//! with the place it was written at; keys it does not know are skipped. A file above [`MAX_BYTES`], one nested
//! deeper than the parser's limit, and one whose aliases grow into more than 200 000 nodes are refused.
//!
//! ```
//! let text = "processes:\n  api:\n    command: bun run dev\n";
//! let document = composefile::parse(text, composefile::FileId(0))?;
//! let (name, api) = &document.processes[0];
//! let command = api.command.as_ref().map(|command| (command.value.as_str(), command.span.line));
//! assert_eq!((name.value.as_str(), command), ("api", Some(("bun run dev", 3))));
//! # Ok::<(), composefile::ParseError>(())
//! ```

mod document;
mod find;
mod project;
mod span;
mod tree;
mod yaml;

pub use document::{Document, Exec, Probe, Process, Shutdown};
pub use find::{Found, NAMES, find, is_named_for_process_compose};
pub use project::{LoadError, MAX_BYTES, Project, Source};
pub use span::{FileId, Span, Spanned};
pub use tree::{Kind, Node, Plain, Scalar, Tree, read_tree};
pub use yaml::{ParseError, parse};
