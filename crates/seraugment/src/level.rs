//! Level and length.

use crate::{
    AugmentError,
    error::{finite, parameter},
};

/// Amplifies by `db` decibels, limited to [-1, 1] as a recorder limits it.
///
/// ```
/// assert_eq!(seraugment::gain(&[0.05, -0.2], 20.0)?, [0.5, -1.0]);
/// # Ok::<(), seraugment::AugmentError>(())
/// ```
///
/// # Errors
/// A gain that is no number or beyond 300 dB; a sample that is not finite.
pub fn gain(samples: &[f32], db: f64) -> Result<Vec<f32>, AugmentError> {
    parameter("gain in dB", db, -300.0, 300.0)?;
    finite(samples)?;
    let factor = 10f64.powf(db / 20.0);
    Ok(samples.iter().map(|&x| (f64::from(x) * factor).clamp(-1.0, 1.0) as f32).collect())
}

/// Keeps a share of the samples, `keep` in (0, 1], at least one of them. `position` in [0, 1] says which: 0 the first, 1
/// the last.
///
/// ```
/// assert_eq!(seraugment::truncate(&[1.0, 2.0, 3.0, 4.0], 0.5, 1.0), [3.0, 4.0]);
/// ```
pub fn truncate(samples: &[f32], keep: f64, position: f64) -> Vec<f32> {
    let n = samples.len();
    let kept = ((n as f64 * keep).round() as usize).clamp(1.min(n), n);
    let start = ((n - kept) as f64 * position.clamp(0.0, 1.0)).round() as usize;
    samples[start..start + kept].to_vec()
}

/// Sum of squares.
pub(crate) fn energy(samples: &[f32]) -> f64 {
    samples.iter().map(|&v| f64::from(v).powi(2)).sum()
}
