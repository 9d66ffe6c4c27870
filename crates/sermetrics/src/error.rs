/// Why a metric could not be computed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MetricError {
    /// There is nothing to average over.
    #[error("no {what}: at least {needed} wanted")]
    Empty {
        /// What is missing, in words.
        what: &'static str,
        /// The least number that makes sense.
        needed: usize,
    },
    /// Two slices that must run in parallel do not.
    #[error("{left_name} has {left} entries but {right_name} has {right}: they must have the same number")]
    LengthMismatch {
        /// Name of the first slice.
        left_name: &'static str,
        /// Length of the first slice.
        left: usize,
        /// Name of the second slice.
        right_name: &'static str,
        /// Length of the second slice.
        right: usize,
    },
    /// Counts that do not fit 64 bits.
    #[error("{what} are more than 2^64 utterances")]
    TooLarge {
        /// What was counted.
        what: &'static str,
    },
    /// A class index is not below the number of classes.
    #[error("{name}[{position}] is class {class}, but there are only {classes} classes (0..{classes})")]
    ClassOutOfRange {
        /// Name of the slice.
        name: &'static str,
        /// Where in the slice.
        position: usize,
        /// The offending index.
        class: usize,
        /// The number of classes.
        classes: usize,
    },
    /// A number is outside its range or not finite.
    #[error("{name}[{position}] is {value}: {expected} wanted")]
    BadValue {
        /// Name of the slice or argument.
        name: &'static str,
        /// Where in the slice (0 for a single argument).
        position: usize,
        /// The offending number.
        value: f64,
        /// What would have been right.
        expected: &'static str,
    },
}

pub(crate) fn same_length(
    left_name: &'static str,
    left: usize,
    right_name: &'static str,
    right: usize,
) -> Result<(), MetricError> {
    if left == right {
        return Ok(());
    }
    Err(MetricError::LengthMismatch { left_name, left, right_name, right })
}

pub(crate) fn classes_in_range(name: &'static str, labels: &[usize], classes: usize) -> Result<(), MetricError> {
    match labels.iter().position(|&class| class >= classes) {
        None => Ok(()),
        Some(position) => Err(MetricError::ClassOutOfRange { name, position, class: labels[position], classes }),
    }
}

pub(crate) fn all_within(
    name: &'static str,
    values: &[f64],
    range: std::ops::RangeInclusive<f64>,
    expected: &'static str,
) -> Result<(), MetricError> {
    // NaN is in no range.
    match values.iter().position(|value| !range.contains(value)) {
        None => Ok(()),
        Some(position) => Err(MetricError::BadValue { name, position, value: values[position], expected }),
    }
}

pub(crate) fn all_finite(name: &'static str, values: &[f64]) -> Result<(), MetricError> {
    all_within(name, values, f64::MIN..=f64::MAX, "a finite number")
}
