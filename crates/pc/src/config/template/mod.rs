//! The strings of a project are templates of Go's `text/template`: this is its language with its default functions,
//! within limits.
//!
//! What `call` would call does not exist here, and neither do custom functions.

mod eval;
mod format;
mod functions;
mod lex;
mod parse;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// What a template works with.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) enum Value {
    /// Nothing: a missing key, or null.
    #[default]
    Nil,
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Another number.
    Float(f64),
    /// Text.
    Text(Rc<str>),
    /// A list.
    List(Rc<[Self]>),
    /// Names and values.
    Map(Rc<BTreeMap<String, Self>>),
}

impl Value {
    /// Text as a value.
    pub(crate) fn text(text: &str) -> Self {
        Self::Text(Rc::from(text))
    }
}

/// A template that cannot be rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub(crate) struct TemplateError {
    /// The byte of the template.
    pub(crate) at: usize,
    /// What is wrong there.
    pub(crate) what: String,
}

/// What came of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rendered {
    /// The text.
    pub(crate) text: String,
    /// The fields that were asked for and are not there, as `.A.B`.
    pub(crate) missing: Vec<String>,
    /// The fields that were there, as paths of names.
    pub(crate) used: Vec<Vec<String>>,
}

/// Renders a template.
pub(crate) fn render(template: &str, data: &Value) -> Result<Rendered, TemplateError> {
    if !template.contains("{{") {
        return Ok(Rendered { text: template.to_owned(), missing: Vec::new(), used: Vec::new() });
    }
    let parsed = parse::parse(template)?;
    let seen = RefCell::new(eval::Seen::default());
    let text = eval::run(&parsed, data, &seen)?;
    let seen = seen.into_inner();
    Ok(Rendered { text, missing: seen.missing, used: seen.used })
}

#[cfg(test)]
mod tests;
