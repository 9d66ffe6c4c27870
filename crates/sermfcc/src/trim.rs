//! Silence at both ends of a recording.

use std::ops::Range;

/// Least amplitude that librosa tells from silence.
const AMIN: f64 = 1e-5;

/// The samples from the first to the last frame that is at most `top_db` decibels softer than the loudest one, as
/// `librosa.effects.trim(y, top_db=top_db, frame_length=frame_length, hop_length=hop_length)` finds them. All of them where every frame is
/// digital silence; none of an empty recording.
///
/// librosa's own lengths are 2048 and 512 samples; a `hop_length` or `frame_length` of 0 counts as 1.
pub fn trim(samples: &[f32], top_db: f64, frame_length: usize, hop_length: usize) -> Range<usize> {
    let (frame, hop) = (frame_length.max(1), hop_length.max(1));
    let pad = frame / 2;
    let padded = samples.len() + 2 * pad;
    if samples.is_empty() || padded < frame {
        return 0..samples.len();
    }
    // Frames are centred, with zeros beyond both ends.
    let power = |k: usize| {
        let start = (k * hop).saturating_sub(pad).min(samples.len());
        let end = (k * hop + frame).saturating_sub(pad).clamp(start, samples.len());
        samples[start..end].iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / frame as f64
    };
    let powers: Vec<f64> = (0..=(padded - frame) / hop).map(power).collect();
    let decibels = |power: f64| 10.0 * power.max(AMIN * AMIN).log10();
    let loudest = decibels(powers.iter().copied().fold(0.0, f64::max));
    let sounds = |&power: &f64| decibels(power) - loudest > -top_db;
    match (powers.iter().position(sounds), powers.iter().rposition(sounds)) {
        (Some(first), Some(last)) => (first * hop).min(samples.len())..((last + 1) * hop).min(samples.len()),
        _ => 0..0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ```python
    /// import librosa, numpy as np  # librosa 0.11.0
    /// def signal(n):
    ///     i = np.arange(n)
    ///     return (np.sin(0.05 * i) * np.exp(-((i - 0.45 * n) / (0.12 * n)) ** 2)).astype("f4")
    /// for n, db, frame, hop in [(20000, 60, 2048, 512), (20000, 20, 2048, 512), (20000, 30, 400, 160), (3001, 25, 2048, 512),
    ///                           (100, 10, 2048, 512), (5000, 15, 511, 100)]:
    ///     print(n, db, frame, hop, librosa.effects.trim(signal(n), top_db=db, frame_length=frame, hop_length=hop)[1])
    /// ```
    #[test]
    fn ends_are_librosas() {
        let signal = |n: usize| -> Vec<f32> {
            let n = n as f64;
            (0..n as usize)
                .map(|i| i as f64)
                .map(|i| ((0.05 * i).sin() * (-((i - 0.45 * n) / (0.12 * n)).powi(2)).exp()) as f32)
                .collect()
        };
        for (n, db, frame, hop, expected) in [
            (20000, 60.0, 2048, 512, 2560..15872),
            (20000, 20.0, 2048, 512, 5120..13312),
            (20000, 30.0, 400, 160, 4640..13600),
            (3001, 25.0, 2048, 512, 0..3001),
            (100, 10.0, 2048, 512, 0..100),
            (5000, 15.0, 511, 100, 1400..3200),
        ] {
            assert_eq!(trim(&signal(n), db, frame, hop), expected, "{n} {db} {frame} {hop}");
        }
        assert_eq!(trim(&[0.0; 3000], 30.0, 2048, 512), 0..3000);
        assert_eq!(trim(&[], 30.0, 2048, 512), 0..0);
        assert_eq!(trim(&[1.0; 10], 30.0, 0, 0), 0..10);
    }
}
