//! Settings that can't be used.

/// Why the settings of a system can't be used.
#[derive(Debug, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum PeerError {
    /// A number out of range.
    #[error("model key `{key}` is {value}; it must lie between {min} and {max}")]
    Range {
        /// The key.
        key: &'static str,
        /// Its value.
        value: f64,
        /// Smallest allowed value.
        min: f64,
        /// Largest allowed value.
        max: f64,
    },
    /// A dropout rate out of range.
    #[error("model key `dropout` has the rate {0}; it must be at least 0 and below 1")]
    Dropout(f64),
}

/// [`PeerError::Range`] unless `value` is between `min` and `max`.
pub(crate) fn range(key: &'static str, value: usize, min: usize, max: usize) -> Result<(), PeerError> {
    let number = |n: usize| n as f64;
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(PeerError::Range { key, value: number(value), min: number(min), max: number(max) })
}

/// [`PeerError::Dropout`] unless all are rates. Factors are single precision: 0.999,999,999 is 1 there, and 1 / (1 - p) infinite.
pub(crate) fn rates(all: &[f64]) -> Result<(), PeerError> {
    match all.iter().find(|&&rate| !((0.0..1.0).contains(&rate) && (rate as f32) < 1.0)) {
        None => Ok(()),
        Some(&rate) => Err(PeerError::Dropout(rate)),
    }
}
