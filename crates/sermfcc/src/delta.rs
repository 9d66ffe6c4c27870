//! Deltas, as librosa.feature.delta.

use ndarray::{Array2, ArrayView2, Axis};

use crate::{FeatureError, Float};

/// Differences of order `order` along the frames: the derivative of the polynomial of that order which fits best, by
/// least squares, through `width` frames (Savitzky and Golay). Frames within `width / 2` of an edge take the derivative of the
/// polynomial fitted to the first or last `width` frames, librosa's default `mode="interp"`. Deltas are order 1 and
/// delta-deltas order 2; librosa's default width is 9.
///
/// Shapes: [frames, coefficients] in and out.
///
/// # Errors
/// [`FeatureError::Delta`] where the width is even or below 3, not above the order, or beyond the number of frames, and where
/// the order is too high for double precision at that width. Values that are not finite spread over the frames whose `width`
/// frames hold them.
pub fn delta<F: Float>(features: ArrayView2<'_, F>, width: usize, order: usize) -> Result<Array2<F>, FeatureError> {
    let (frames, coefficients) = features.dim();
    let wrong = |reason| Err(FeatureError::Delta { width, order, frames, reason });
    if width.is_multiple_of(2) || width < 3 {
        return wrong("the width has to be odd and at least 3");
    }
    if order == 0 || order >= width {
        return wrong("the order has to be at least 1 and below the width");
    }
    if frames < width {
        return wrong("there have to be at least as many frames as the width");
    }
    let weights = derivative_weights(width, order);
    if !weights.iter().all(|weight| weight.is_finite()) {
        return wrong("the order is too high for double precision");
    }
    let half = width / 2;
    let mut out = Array2::from_elem((frames, coefficients), F::default());
    for (window, mut row) in features.axis_windows(Axis(0), width).into_iter().zip(out.outer_iter_mut().skip(half)) {
        for (weight, frame) in weights.iter().zip(window.outer_iter()) {
            row.zip_mut_with(&frame, |out, &value| *out += F::of(*weight) * value);
        }
    }
    // The highest derivative of a polynomial is the same everywhere, so the edges repeat the first and last fit.
    for t in (0..half).chain(frames - half..frames) {
        let fit = out.row(t.clamp(half, frames - half - 1)).to_owned();
        out.row_mut(t).assign(&fit);
    }
    Ok(out)
}

/// Weights w of frames -h ..= h with sum w x = the `order`-th derivative of the best polynomial of that order:
/// order! p(t) / sum p^2, p being the monic polynomial of that order orthogonal to all lower ones (Gram's).
fn derivative_weights(width: usize, order: usize) -> Vec<f64> {
    let half = (width / 2) as f64;
    let times: Vec<f64> = (0..width).map(|i| i as f64 - half).collect();
    let norm = |p: &[f64]| p.iter().map(|x| x * x).sum::<f64>();
    let (mut previous, mut current) = (vec![0.0; width], vec![1.0; width]);
    let mut factorial = 1.0;
    for k in 1..=order {
        // p_{k} = t p_{k-1} - (|p_{k-1}|^2 / |p_{k-2}|^2) p_{k-2}; the middle term vanishes by symmetry.
        let ratio = if k == 1 { 0.0 } else { norm(&current) / norm(&previous) };
        let next = (0..width).map(|i| times[i] * current[i] - ratio * previous[i]).collect();
        previous = std::mem::replace(&mut current, next);
        factorial *= k as f64;
    }
    let scale = factorial / norm(&current);
    current.iter().map(|p| scale * p).collect()
}
