//! Deltas, as librosa.feature.delta and as HTK.

use ndarray::{Array2, ArrayView2, Axis};

use crate::front_end::{DeltaRule, FrontEnd};
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
    if width % 2 == 0 || width < 3 {
        return wrong("the width has to be odd and at least 3");
    }
    if order == 0 || order >= width {
        return wrong("the order has to be at least 1 and below the width");
    }
    if frames < width {
        return wrong(TOO_FEW);
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

/// Deltas of HTK's `_D` and of `python_speech_features.delta(features, half_width)`: the slope of the best line through `2 half_width + 1` frames,
/// sum over i of i (x\\[t + i\\] - x\\[t - i\\]) / (2 sum of i^2), the first and the last frame repeated beyond the edges. HTK's window is a
/// `half_width` of 2; its accelerations are the deltas of the deltas.
///
/// Shapes: [frames, coefficients] in and out; a `half_width` of 0 counts as 1.
pub fn regression_delta<F: Float>(features: ArrayView2<'_, F>, half_width: usize) -> Array2<F> {
    let (frames, coefficients) = features.dim();
    let rows = Rows {
        values: &features.iter().copied().collect::<Vec<F>>(),
        base: 0,
        width: coefficients,
        last: frames.max(1) - 1,
    };
    let deltas = Deltas::regression(half_width.max(1), 1);
    Array2::from_shape_fn((frames, coefficients), |(t, k)| deltas.value(rows, 1, t, k))
}

/// Rows of features, from frame `base` on.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a, F> {
    pub values: &'a [F],
    pub base: usize,
    pub width: usize,
    /// The last frame there is, as far as it is known.
    pub last: usize,
}

/// The differences of a front end, frame by frame.
#[derive(Debug, Clone)]
pub(crate) struct Deltas<F> {
    rule: DeltaRule,
    half: usize,
    orders: usize,
    /// Of each order: of the 2 half + 1 frames (polynomial), or of the distances 1 ..= half (regression).
    weights: Vec<Vec<F>>,
}

impl<F: Float> Deltas<F> {
    pub(crate) fn new(front_end: &FrontEnd) -> Self {
        let (half, orders) = (front_end.delta_width / 2, usize::from(front_end.delta_order));
        match front_end.delta_rule {
            DeltaRule::Regression => Self::regression(half, orders),
            DeltaRule::Polynomial => {
                let weights = |order| derivative_weights(front_end.delta_width, order).into_iter().map(F::of).collect();
                Deltas { rule: DeltaRule::Polynomial, half, orders, weights: (1..=orders).map(weights).collect() }
            }
        }
    }

    fn regression(half: usize, orders: usize) -> Self {
        let squares: f64 = (1..=half).map(|i| (i * i) as f64).sum();
        let weights: Vec<F> = (1..=half).map(|i| F::of(i as f64 / (2.0 * squares))).collect();
        Deltas { rule: DeltaRule::Regression, half, orders, weights: vec![weights; orders] }
    }

    /// Frames before frame `t` that its differences may need, in a signal whose end is not known.
    pub(crate) fn behind(&self) -> usize {
        match self.rule {
            DeltaRule::Regression => self.half * self.orders,
            DeltaRule::Polynomial => 2 * self.half,
        }
    }

    /// The last frame that the differences of frame `t` need, in a signal whose end is not known.
    pub(crate) fn ahead(&self, t: usize) -> usize {
        match self.rule {
            _ if self.orders == 0 => t,
            DeltaRule::Regression => t + self.half * self.orders,
            DeltaRule::Polynomial => t.max(self.half) + self.half,
        }
    }

    /// Whether so many frames have differences.
    ///
    /// # Errors
    /// [`FeatureError::Delta`] where a polynomial has too few frames.
    pub(crate) fn check(&self, frames: usize) -> Result<(), FeatureError> {
        let (width, order) = (2 * self.half + 1, self.orders);
        if order > 0 && self.rule == DeltaRule::Polynomial && frames < width {
            return Err(FeatureError::Delta { width, order, frames, reason: TOO_FEW });
        }
        Ok(())
    }

    /// Frame `t` and its differences of each order. Shape: out [rows.width * (1 + orders)].
    pub(crate) fn write(&self, rows: Rows<'_, F>, t: usize, out: &mut [F]) {
        for (order, out) in out.chunks_exact_mut(rows.width).enumerate() {
            for (k, out) in out.iter_mut().enumerate() {
                *out = self.value(rows, order, t, k);
            }
        }
    }

    fn value(&self, rows: Rows<'_, F>, order: usize, t: usize, k: usize) -> F {
        let at = |t: usize| rows.values[(t - rows.base) * rows.width + k];
        if order == 0 {
            return at(t);
        }
        let mut sum = F::default();
        match self.rule {
            DeltaRule::Polynomial => {
                let first = t.clamp(self.half, rows.last - self.half) - self.half;
                for (i, &weight) in self.weights[order - 1].iter().enumerate() {
                    sum += weight * at(first + i);
                }
            }
            DeltaRule::Regression => {
                for (i, &weight) in (1..).zip(&self.weights[order - 1]) {
                    let later = self.value(rows, order - 1, (t + i).min(rows.last), k);
                    sum += weight * (later - self.value(rows, order - 1, t.saturating_sub(i), k));
                }
            }
        }
        sum
    }
}

const TOO_FEW: &str = "there have to be at least as many frames as the width";

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
