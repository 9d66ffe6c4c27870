//! Whisper's log-mel. To be replaced by sermfcc's preset of that name, once there is one.

use sermfcc::{Extractor, Floor, FrontEnd, LogScale, MelNorm, MelScale, Output, PadMode, Window};

use crate::EncodeError;

/// Samples that the models want: 30 s at 16 kHz.
pub(crate) const SAMPLES: usize = 480_000;
/// Frames of them, 10 ms apart.
pub(crate) const FRAMES: usize = 3000;

/// The front end of Whisper's encoder.
pub(crate) struct LogMel(Extractor<f64>);

impl LogMel {
    /// With 80 or 128 bands.
    pub fn new(bands: usize) -> Result<LogMel, EncodeError> {
        let front_end = FrontEnd::librosa_0_10().with(|f| {
            (f.sample_rate, f.n_fft, f.win_length, f.hop_length) = (16_000, 400, None, 160);
            (f.window, f.periodic, f.center, f.pad_mode, f.power) = (Window::Hann, true, true, PadMode::Reflect, 2.0);
            (f.n_mels, f.fmin, f.fmax, f.mel_scale, f.mel_norm) =
                (bands, 0.0, Some(8000.0), MelScale::Slaney, MelNorm::Slaney);
            (f.log_scale, f.amin, f.top_db, f.n_mfcc) = (LogScale::Decibel, 1e-10, Floor::None, 1);
        });
        Ok(LogMel(Extractor::new(&front_end)?))
    }

    /// Bands.
    pub fn bands(&self) -> usize {
        self.0.front_end().n_mels
    }

    /// [bands, FRAMES] of at most `SAMPLES` samples; zeros follow them.
    pub fn compute(&self, samples: &[f32]) -> Result<Vec<f32>, EncodeError> {
        let mut padded = samples.to_vec();
        padded.resize(SAMPLES, 0.0);
        // The last frame is dropped before the maximum is taken.
        let decibels = self.0.compute(Output::LogMel, &padded)?;
        let rows = || decibels.rows().into_iter().take(FRAMES);
        let floor = rows().flatten().fold(f64::MIN, |most, &value| most.max(value)) / 10.0 - 8.0;
        let mut out = vec![0.0; self.bands() * FRAMES];
        for (frame, row) in rows().enumerate() {
            for (band, value) in row.iter().enumerate() {
                out[band * FRAMES + frame] = (((value / 10.0).max(floor) + 4.0) / 4.0) as f32;
            }
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::path::Path;

    use ndarray::{Array1, Array2};
    use ndarray_npy::NpzReader;

    use super::{FRAMES, LogMel};

    /// transformers 5.24: `WhisperFeatureExtractor(feature_size=80)(noise, sampling_rate=16000)`, its first 54 frames.
    #[test]
    fn equals_transformers() {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/encoders");
        let open = |name: &str| NpzReader::new(File::open(fixtures.join(name)).unwrap()).unwrap();
        let noise: Array1<i16> = open("signals.npz").by_name("noise").unwrap();
        let expected: Array2<f32> = open("outputs.npz").by_name("whisper").unwrap();
        let samples: Vec<f32> = noise.iter().map(|&sample| f32::from(sample) / 32768.0).collect();
        let found = LogMel::new(80).unwrap().compute(&samples).unwrap();
        for ((band, frame), expected) in expected.indexed_iter() {
            let found = found[band * FRAMES + frame];
            assert!((found - expected).abs() < 1e-6, "band {band}, frame {frame}: {found} and {expected}");
        }
    }
}
