//! Fixed lengths.

/// Brings a signal to exactly `length` samples, as corpora with one length per recording do.
///
/// A shorter signal gets `floor(pad / 2)` zeros in front and the rest behind; a longer one is cut from
/// `floor((len - length) / 2)`.
///
/// ```
/// assert_eq!(seraudio::fit_length(&[1.0, 2.0], 5), [0.0, 1.0, 2.0, 0.0, 0.0]);
/// assert_eq!(seraudio::fit_length(&[1.0, 2.0, 3.0, 4.0], 1), [2.0]);
/// ```
pub fn fit_length(samples: &[f32], length: usize) -> Vec<f32> {
    if samples.len() >= length {
        let start = (samples.len() - length) / 2;
        return samples[start..start + length].to_vec();
    }
    let front = (length - samples.len()) / 2;
    let mut out = vec![0.0; length];
    out[front..front + samples.len()].copy_from_slice(samples);
    out
}
