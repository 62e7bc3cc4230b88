//! Doors for the fuzz targets, and for nobody else.

use std::collections::BTreeMap;

use crate::config::try_out;

/// Expands a text, and gives the places that its bytes come from; none when it cannot be expanded.
pub fn expand(text: &str) -> Option<(String, Vec<usize>)> {
    try_out::expand(text)
}

/// Renders a template; none when it is broken.
pub fn render(text: &str) -> Option<String> {
    try_out::render(text)
}

/// Reads a file with variables; none when it is broken.
pub fn dotenv(text: &str) -> Option<BTreeMap<String, String>> {
    try_out::dotenv(text)
}
