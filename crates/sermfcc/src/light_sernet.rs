//! Light-SERNet's preparation of samples.

/// A recording at 16 kHz as Light-SERNet's features are made of: cropped to `length` samples around its middle, divided by the 99.9th
/// percentile of its magnitudes (between neighbours by linear interpolation), clipped to [-1, 1], padded with zeros on both sides to `length`, and
/// rounded to 16 bits. `length` is 48,000 (3 s) or 112,000 (7 s) in the official code. An odd sample less is cut, or a zero less added, in
/// front.
///
/// Samples out: `length`, multiples of 1 / 32768. A recording without samples becomes zeros, and NaN stays NaN.
pub fn light_sernet_samples(samples: &[f32], length: usize) -> Vec<f32> {
    let start = samples.len().saturating_sub(length) / 2;
    let samples = &samples[start..start + samples.len().min(length)];
    let scale = percentile_999(samples) + f64::EPSILON;
    let mut out = vec![0.0; length];
    let before = (length - samples.len()) / 2;
    for (out, &sample) in out[before..].iter_mut().zip(samples) {
        let scaled = (f64::from(sample) / scale).clamp(-1.0, 1.0);
        *out = ((scaled * 32_768.0).round().clamp(-32_768.0, 32_767.0) / 32_768.0) as f32;
    }
    out
}

/// The 99.9th percentile of the magnitudes, `numpy.percentile(numpy.abs(samples), 99.9)`; 0 of no samples.
fn percentile_999(samples: &[f32]) -> f64 {
    let mut sorted: Vec<f32> = samples.iter().map(|sample| sample.abs()).collect();
    sorted.sort_unstable_by(f32::total_cmp);
    let at = 0.999 * sorted.len().saturating_sub(1) as f64;
    let value = |index: usize| sorted.get(index).copied().map_or(0.0, f64::from);
    let below = value(at as usize);
    let above = if at.fract() > 0.0 { value(at as usize + 1) } else { below };
    below + (above - below) * at.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ```python
    /// import numpy as np
    /// def prepare(x, n):
    ///     start = max(len(x) - n, 0) // 2
    ///     x = x[start:start + n]
    ///     x = np.clip(x / (np.percentile(np.abs(x), 99.9) + np.finfo(float).eps), -1, 1)
    ///     before = (n - len(x)) // 2
    ///     x = np.pad(x, (before, n - len(x) - before)) * 32768
    ///     return np.clip(np.sign(x) * np.floor(np.abs(x) + 0.5), -32768, 32767)
    /// print(prepare(np.array([0.5, -0.25, 0.125]), 6))  # [0, 32767, -16400, 8200, 0, 0]
    /// print(prepare(np.array([0.9, -0.5, 0.25, 0.1, 0.8]), 2))  # [-32768, 16392]
    /// ```
    #[test]
    fn samples_are_cut_scaled_and_padded() {
        let prepare = |samples: &[f32], length| -> Vec<f32> {
            light_sernet_samples(samples, length).into_iter().map(|x| x * 32_768.0).collect()
        };
        assert_eq!(prepare(&[0.5, -0.25, 0.125], 6), [0.0, 32_767.0, -16_400.0, 8200.0, 0.0, 0.0]);
        assert_eq!(prepare(&[0.9, -0.5, 0.25, 0.1, 0.8], 2), [-32_768.0, 16_392.0]);
        assert_eq!(prepare(&[], 3), [0.0; 3]);
        assert_eq!(prepare(&[0.5], 0), []);
        assert!(light_sernet_samples(&[f32::NAN, 0.5], 2).iter().any(|x| x.is_nan()));
    }
}
