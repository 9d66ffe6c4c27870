use crate::MetricError;
use crate::error::{all_finite, all_within, same_length};
use crate::interval::Interval;
use crate::student::t_quantile;

/// Mean and standard deviation over folds or runs.
///
/// Both deviations are given because papers rarely say which one they print: `population_std` divides by n
/// (`numpy.std`'s default), `sample_std` by n - 1 and is the estimate of the spread of further runs.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Spread {
    /// Number of values.
    pub count: usize,
    /// Arithmetic mean.
    pub mean: f64,
    /// Square root of the mean squared deviation (divisor n).
    pub population_std: f64,
    /// Square root of the unbiased variance (divisor n - 1); 0 for a single value.
    pub sample_std: f64,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
}

impl Spread {
    /// Summarise `values`, one a fold or run.
    ///
    /// # Errors
    /// No value, or one that is not finite.
    pub fn of(values: &[f64]) -> Result<Self, MetricError> {
        if values.is_empty() {
            return Err(MetricError::Empty { what: "values", needed: 1 });
        }
        all_finite("values", values)?;
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
        Ok(Self {
            count: values.len(),
            mean,
            population_std: (squares / n).sqrt(),
            sample_std: (squares / (n - 1.0).max(1.0)).sqrt(),
            min: values.iter().copied().fold(f64::INFINITY, f64::min),
            max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        })
    }
}

/// The fold-by-fold (or run-by-run) difference of two systems, `a - b`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PairedDifference {
    /// Mean and deviation of the differences.
    pub spread: Spread,
    /// Student's t interval of the mean difference. The folds of one cross-validation share training data, so
    /// it is too narrow there; for independent runs it is right.
    pub interval: Interval,
}

/// Compare two systems scored on the same folds or with the same seeds.
///
/// # Errors
/// Different lengths, fewer than two pairs, a value that is not finite, or a `level` outside (0, 1).
pub fn paired_difference(a: &[f64], b: &[f64], level: f64) -> Result<PairedDifference, MetricError> {
    same_length("a", a.len(), "b", b.len())?;
    if a.len() < 2 {
        return Err(MetricError::Empty { what: "pairs to compare", needed: 2 });
    }
    all_finite("a", a)?;
    all_finite("b", b)?;
    check_level(level)?;
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    let spread = Spread::of(&differences)?;
    let n = spread.count as f64;
    let half = t_quantile(0.5 + level / 2.0, n - 1.0) * spread.sample_std / n.sqrt();
    let interval = Interval { estimate: spread.mean, low: spread.mean - half, high: spread.mean + half, level };
    Ok(PairedDifference { spread, interval })
}

pub(crate) fn check_level(level: f64) -> Result<(), MetricError> {
    all_within("level", &[level], f64::EPSILON..=1.0 - f64::EPSILON, "a confidence level between 0 and 1")
}
