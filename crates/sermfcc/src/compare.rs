//! Why do two MFCCs differ, and by how much?
//!
//! - [`features`] measures two matrices against each other, coefficient by coefficient.
//! - [`front_ends`] takes two settings and changes them one at a time, so that each difference gets its share.
//! - [`identify`] takes features of unknown origin and ranks candidate front ends by how close they come.
//!
//! ```
//! use sermfcc::{FrontEnd, compare};
//!
//! let a = FrontEnd::librosa_0_8_1();
//! let b = a.clone().with(|f| f.pad_mode = sermfcc::PadMode::Constant);
//! let samples: Vec<f32> = (0..22_050).map(|n| (n as f32 * 0.05).sin()).collect();
//! let report = compare::front_ends(&a, &b, |_| Ok(samples.clone()))?;
//! assert_eq!(report.effects[0].difference.key, "pad_mode");
//! println!("{report}");
//! # Ok::<(), sermfcc::compare::CompareError>(())
//! ```

use std::fmt;

use ndarray::{Array2, ArrayView2};

use crate::settings::{Difference, SETTINGS};
use crate::{Extractor, FeatureError, Float, FrontEnd, FrontEndError};

/// How far two feature matrices are apart, over the frames and coefficients that both have.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Comparison {
    /// [frames, coefficients] of the first.
    pub shape_a: (usize, usize),
    /// [frames, coefficients] of the second.
    pub shape_b: (usize, usize),
    /// Mean absolute difference; NaN where either has a NaN.
    pub mean: f64,
    /// Largest absolute difference; NaN where either has a NaN.
    pub max: f64,
    /// Frame and coefficient of the largest difference.
    pub worst: (usize, usize),
    /// The same for each coefficient.
    pub coefficients: Vec<Movement>,
}

/// How far one coefficient moves.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub struct Movement {
    /// Mean absolute difference over the frames.
    pub mean: f64,
    /// Mean difference, second minus first: an offset shows here.
    pub bias: f64,
    /// Largest absolute difference.
    pub max: f64,
    /// Frame of the largest difference.
    pub frame: usize,
}

/// Measures `b` against `a`, both [frames, coefficients], where both have values: matrices of different shapes are compared from
/// their first frame and coefficient on, and [`Comparison`] shows both shapes.
///
/// # Errors
/// [`CompareError::NothingInCommon`] where one of them has no frame or no coefficient.
pub fn features<A: Float, B: Float>(a: ArrayView2<'_, A>, b: ArrayView2<'_, B>) -> Result<Comparison, CompareError> {
    let frames = a.nrows().min(b.nrows());
    let width = a.ncols().min(b.ncols());
    if frames == 0 || width == 0 {
        return Err(CompareError::NothingInCommon { a: a.dim(), b: b.dim() });
    }
    let coefficients: Vec<Movement> = (0..width)
        .map(|k| {
            let mut movement = Movement::default();
            for t in 0..frames {
                let difference = b[(t, k)].double() - a[(t, k)].double();
                movement.mean += difference.abs() / frames as f64;
                movement.bias += difference / frames as f64;
                if difference.abs() > movement.max || difference.is_nan() {
                    (movement.max, movement.frame) = (difference.abs(), t);
                }
            }
            movement
        })
        .collect();
    let worst = (0..width).fold(0, |worst, k| {
        let (max, best) = (coefficients[k].max, coefficients[worst].max);
        if max > best || max.is_nan() { k } else { worst }
    });
    Ok(Comparison {
        shape_a: a.dim(),
        shape_b: b.dim(),
        mean: coefficients.iter().map(|c| c.mean).sum::<f64>() / width as f64,
        max: coefficients[worst].max,
        worst: (coefficients[worst].frame, worst),
        coefficients,
    })
}

/// What two front ends make of the same recording.
#[derive(Debug)]
#[non_exhaustive]
pub struct Report {
    /// `b` against `a`, everything changed.
    pub total: Comparison,
    /// Each differing setting changed on its own, the largest effect first.
    pub effects: Vec<Effect>,
}

/// What one setting does.
#[derive(Debug)]
#[non_exhaustive]
pub struct Effect {
    /// The setting and its two values.
    pub difference: Difference,
    /// `a` with this one setting of `b`, against `a`; an error where that is no valid front end, as a window longer
    /// than the `n_fft` that changes with it.
    pub alone: Result<Comparison, CompareError>,
}

/// A comparison that could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompareError {
    /// The front end is not valid.
    #[error(transparent)]
    FrontEnd(#[from] FrontEndError),
    /// The features could not be made.
    #[error(transparent)]
    Feature(#[from] FeatureError),
    /// No value that both matrices have.
    #[error("features of shapes [{}, {}] and [{}, {}] have no frame and coefficient in common", a.0, a.1, b.0, b.1)]
    NothingInCommon {
        /// [frames, coefficients] of the first.
        a: (usize, usize),
        /// [frames, coefficients] of the second.
        b: (usize, usize),
    },
    /// The samples could not be had.
    #[error("samples for the comparison: {0}")]
    Samples(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Samples for a front end: at its rate, by its resampler.
pub type Samples = Result<Vec<f32>, Box<dyn std::error::Error + Send + Sync>>;

/// Compares two front ends on one recording, all together and setting by setting. `samples` gives the recording as each
/// front end wants it; where it looks at the rate and the resampler, their effect shows, too.
///
/// # Errors
/// [`CompareError`] where `a` or `b` itself gives no features.
pub fn front_ends(
    a: &FrontEnd,
    b: &FrontEnd,
    mut samples: impl FnMut(&FrontEnd) -> Samples,
) -> Result<Report, CompareError> {
    let mut mfcc = |front_end: &FrontEnd| -> Result<Array2<f64>, CompareError> {
        let extractor = Extractor::<f64>::new(front_end)?;
        Ok(extractor.mfcc(&samples(front_end).map_err(CompareError::Samples)?)?)
    };
    let base = mfcc(a)?;
    let total = features(base.view(), mfcc(b)?.view())?;
    let mut effects: Vec<Effect> = a
        .differences(b)
        .into_iter()
        .map(|difference| {
            let mut changed = a.clone();
            for setting in SETTINGS.iter().filter(|setting| setting.key == difference.key) {
                (setting.copy)(&mut changed, b);
            }
            Effect { alone: mfcc(&changed).and_then(|mfcc| features(base.view(), mfcc.view())), difference }
        })
        .collect();
    let size = |effect: &Effect| effect.alone.as_ref().map_or(-1.0, |comparison| comparison.mean);
    effects.sort_by(|x, y| size(y).total_cmp(&size(x)));
    Ok(Report { total, effects })
}

/// Ranks candidates by how close they come to `found`, the closest first, as (index of the candidate, comparison).
/// Candidates that cannot be computed, or that give another shape, are left out.
pub fn identify<F: Float>(
    found: ArrayView2<'_, F>,
    candidates: &[FrontEnd],
    mut samples: impl FnMut(&FrontEnd) -> Samples,
) -> Vec<(usize, Comparison)> {
    let mut ranking: Vec<(usize, Comparison)> = candidates
        .iter()
        .enumerate()
        .filter_map(|(index, front_end)| {
            let mfcc = Extractor::<f64>::new(front_end).ok()?.mfcc(&samples(front_end).ok()?).ok()?;
            if mfcc.dim() != found.dim() {
                return None;
            }
            Some((index, features(mfcc.view(), found).ok()?))
        })
        .collect();
    ranking.sort_by(|(_, x), (_, y)| x.mean.total_cmp(&y.mean));
    ranking
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.shape_a != self.shape_b {
            let ((a, b), (c, d)) = (self.shape_a, self.shape_b);
            writeln!(f, "shapes differ: [{a}, {b}] and [{c}, {d}]; compared where both have values")?;
        }
        let (frame, coefficient) = self.worst;
        writeln!(f, "mean |difference| {:.3e}, largest {:.3e} (frame {frame}, c{coefficient})", self.mean, self.max)?;
        writeln!(f, "{:>4} {:>11} {:>11} {:>11}", "", "mean", "bias", "largest")?;
        for (k, c) in self.coefficients.iter().enumerate() {
            writeln!(f, "{:>4} {:>11.3e} {:>11.3e} {:>11.3e}", format!("c{k}"), c.mean, c.bias, c.max)?;
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.effects.is_empty() {
            writeln!(f, "the settings are equal")?;
        }
        for Effect { difference, alone } in &self.effects {
            let Difference { key, a, b } = difference;
            match alone {
                Ok(alone) => writeln!(
                    f,
                    "{key}: {a} -> {b} moves the coefficients by {:.3e} on average, {:.3e} at most",
                    alone.mean, alone.max
                )?,
                Err(error) => writeln!(f, "{key}: {a} -> {b} cannot be changed alone: {error}")?,
            }
        }
        write!(f, "together: {}", self.total)
    }
}
