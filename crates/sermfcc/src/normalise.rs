//! Cepstral mean and variance normalisation.

use ndarray::{ArrayViewMut2, Axis};

use crate::Float;

/// Subtracts each coefficient's mean over the frames, and with `variance` divides by its standard deviation over the
/// frames (of the population, as NumPy's `std`). A coefficient that never changes becomes 0.
///
/// Shape: [frames, coefficients], in place.
pub fn normalise<F: Float>(mut features: ArrayViewMut2<'_, F>, variance: bool) {
    let frames = features.nrows() as f64;
    for mut column in features.axis_iter_mut(Axis(1)) {
        // The mean of equal numbers may be rounded, and their spread is not 0 then.
        if column.iter().all(|x| *x == column[0] && x.double().is_finite()) {
            column.fill(F::default());
            continue;
        }
        let mean = column.iter().map(|x| x.double()).sum::<f64>() / frames;
        let spread = (column.iter().map(|x| (x.double() - mean).powi(2)).sum::<f64>() / frames).sqrt();
        let scale = if variance && spread > 0.0 { 1.0 / spread } else { 1.0 };
        column.mapv_inplace(|x| F::of((x.double() - mean) * scale));
    }
}
