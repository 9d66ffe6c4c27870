use crate::MetricError;
use crate::error::all_finite;

/// Mean and standard deviation over folds, seeds or runs.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Spread {
    /// Number of values.
    pub count: usize,
    /// Arithmetic mean.
    pub mean: f64,
    /// Standard deviation with divisor n - 1: an estimate of the spread of further folds or runs. `None` for a single value,
    /// which has no spread.
    pub std: Option<f64>,
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
            std: (values.len() > 1).then(|| (squares / (n - 1.0)).sqrt()),
            min: values.iter().copied().fold(f64::INFINITY, f64::min),
            max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        })
    }
}
