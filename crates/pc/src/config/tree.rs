//! Reading values out of a tree whose types were checked: what is missing, null or of a wrong type is none.

use composefile::{Kind, Node, Scalar, Span, Spanned};

use super::duration::go_duration;
use super::schema::{seconds, whole};
use std::time::Duration;

/// A value somewhere in a tree, or none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a>(pub(crate) Option<&'a Node>);

impl<'a> View<'a> {
    /// The value of a key.
    pub(crate) fn get(self, key: &str) -> Self {
        Self(self.entries().iter().find(|(name, _)| name.value == key).map(|(_, node)| node))
    }

    /// The value, if it says something.
    pub(crate) fn node(self) -> Option<&'a Node> {
        self.0.filter(|node| !node.is_null())
    }

    /// Whether it says something.
    pub(crate) fn is_there(self) -> bool {
        self.node().is_some()
    }

    pub(crate) fn span(self) -> Span {
        self.0.map_or_else(Span::default, |node| node.span)
    }

    /// Keys and values of a mapping.
    pub(crate) fn entries(self) -> &'a [(Spanned<String>, Node)] {
        match self.0.map(|node| &node.kind) {
            Some(Kind::Mapping(entries)) => entries,
            _ => &[],
        }
    }

    /// The items of a list.
    pub(crate) fn items(self) -> &'a [Node] {
        match self.0.map(|node| &node.kind) {
            Some(Kind::Sequence(items)) => items,
            _ => &[],
        }
    }

    fn scalar(self) -> Option<&'a Scalar> {
        match self.node().map(|node| &node.kind) {
            Some(Kind::Scalar(scalar)) => Some(scalar),
            _ => None,
        }
    }

    /// Text that is not empty.
    pub(crate) fn text(self) -> Option<&'a str> {
        self.scalar().map(|scalar| scalar.text.as_str()).filter(|text| !text.is_empty())
    }

    /// Text, empty if there is none.
    pub(crate) fn string(self) -> String {
        self.text().unwrap_or_default().to_owned()
    }

    pub(crate) fn boolean(self) -> bool {
        self.scalar().and_then(Scalar::boolean).unwrap_or(false)
    }

    /// A whole number that is not 0.
    pub(crate) fn whole(self) -> Option<i64> {
        self.scalar().and_then(whole).filter(|number| *number != 0)
    }

    /// A count that is not 0.
    pub(crate) fn count(self) -> Option<u32> {
        self.whole().and_then(|number| u32::try_from(number).ok())
    }

    /// Seconds that are not 0; negative ones are given as they are.
    pub(crate) fn seconds(self) -> Option<f64> {
        self.scalar().and_then(seconds).filter(|seconds| *seconds != 0.0)
    }

    /// A duration that is not 0.
    pub(crate) fn duration(self) -> Option<Duration> {
        self.text().and_then(|text| go_duration(text).ok()).filter(|duration| !duration.is_zero())
    }

    /// The texts of a list.
    pub(crate) fn texts(self) -> Vec<String> {
        let text = |node: &'a Node| match &node.kind {
            Kind::Scalar(scalar) => Some(scalar.text.clone()),
            _ => None,
        };
        self.items().iter().filter_map(text).collect()
    }
}

/// Seconds as a duration; what is less than nothing is nothing.
pub(crate) fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX)
}
