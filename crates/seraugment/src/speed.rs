//! Speed.

use seraudio::{Resampler, resample};

use crate::AugmentError;

/// Plays a recording at `percent` of its speed: tempo and pitch change together, as on a tape. 110 is a tenth faster
/// and shorter: `ceil(n * 100 / percent)` samples.
///
/// Whole percents, because the filter of a simple ratio has few phases.
///
/// # Errors
/// [`AugmentError::Audio`] for 0 percent, and for so many that no filter is made for them.
pub fn speed(samples: &[f32], percent: u32) -> Result<Vec<f32>, AugmentError> {
    Ok(resample(samples, percent, 100, Resampler::SoxrHq)?)
}
