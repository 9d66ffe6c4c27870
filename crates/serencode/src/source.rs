//! Where a value is from.

use std::fmt;

/// One line of a description: what is used, and where that is from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Source {
    /// What it is, for example `sample rate`.
    pub key: &'static str,
    /// Its value.
    pub value: String,
    /// What says so: a file, `set`, or that it is assumed.
    pub from: &'static str,
}

impl Source {
    /// Notes where a value is from, and gives it back.
    pub(crate) fn noted<T: fmt::Display>(
        sources: &mut Vec<Source>,
        key: &'static str,
        value: T,
        from: &'static str,
    ) -> T {
        sources.push(Source { key, value: value.to_string(), from });
        value
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.key, self.value, self.from)
    }
}
