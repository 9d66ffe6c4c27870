//! Noise at a signal-to-noise ratio.

use std::path::{Path, PathBuf};

use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use realfft::RealFftPlanner;
use seraudio::{LoadOptions, Resampler};

use crate::{
    AugmentError, Draw,
    draw::{below, unit},
    error::{finite, parameter},
    level::energy,
};

/// Gaussian noise, equal power at all frequencies, unit variance.
pub fn white(length: usize, draw: Draw) -> Vec<f32> {
    white_of(length, &mut draw.stream(b'n'))
}

pub(crate) fn white_of(length: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
    (0..length).map(|_| StandardNormal.sample(rng)).collect()
}

/// Gaussian noise with power falling by 3 dB an octave, as rooms and crowds have it: the spectrum of white noise over
/// the square root of frequency, without the constant part. Its variance is arbitrary.
pub fn pink(length: usize, draw: Draw) -> Vec<f32> {
    pink_of(length, &mut draw.stream(b'n'))
}

fn pink_of(length: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let n = length.next_power_of_two().max(2);
    let mut signal = white_of(n, rng);
    let mut planner = RealFftPlanner::<f32>::new();
    let (forward, inverse) = (planner.plan_fft_forward(n), planner.plan_fft_inverse(n));
    let mut spectrum = forward.make_output_vec();
    // The lengths are the planner's own, and both ends of the spectrum stay real: neither transform can fail.
    let _ = forward.process(&mut signal, &mut spectrum);
    for (k, bin) in spectrum.iter_mut().enumerate() {
        *bin = if k == 0 { Default::default() } else { *bin / (k as f32).sqrt() };
    }
    let _ = inverse.process(&mut spectrum, &mut signal);
    signal.truncate(length);
    // The inverse is not normalised; any scale will do, but not one that overflows.
    let scale = 1.0 / (n as f32).sqrt();
    signal.iter_mut().for_each(|x| *x *= scale);
    signal
}

/// Adds `noise` (as long as `samples`) so that 10 log10(P_signal / P_noise) is `snr` dB, P the mean square over the whole
/// recording. Silence stays silence: it has no signal to measure against; so does noise without power.
///
/// # Errors
/// A ratio that is no number or beyond 300 dB; a sample that is not finite.
pub fn add_at_snr(samples: &[f32], noise: &[f32], snr: f64) -> Result<Vec<f32>, AugmentError> {
    parameter("signal-to-noise ratio in dB", snr, -300.0, 300.0)?;
    finite(samples)?;
    finite(noise)?;
    let n = samples.len().min(noise.len());
    let (signal, other) = (energy(&samples[..n]), energy(&noise[..n]));
    if signal == 0.0 || other == 0.0 {
        return Ok(samples.to_vec());
    }
    let scale = (signal / other / 10f64.powf(snr / 10.0)).sqrt();
    Ok(samples
        .iter()
        .zip(noise.iter().chain(std::iter::repeat(&0.0)))
        .map(|(&x, &v)| (f64::from(x) + scale * f64::from(v)) as f32)
        .collect())
}

/// Where the noise comes from: recordings of one's own, or else white and pink noise in turn.
#[derive(Clone, Debug, Default)]
pub struct NoiseBank {
    recordings: Vec<Vec<f32>>,
}

impl NoiseBank {
    /// All recordings directly in `folder`, in the order of their names, at `rate`.
    ///
    /// # Errors
    /// A folder that can't be read; a file that is no recording; no recording but silent ones, which are left out.
    pub fn open(folder: &Path, rate: u32) -> Result<Self, AugmentError> {
        let io = |source| AugmentError::Io { path: folder.to_owned(), source };
        let entries = std::fs::read_dir(folder).map_err(io)?.collect::<Result<Vec<_>, _>>().map_err(io)?;
        let hidden = |p: &PathBuf| p.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'));
        let mut paths: Vec<PathBuf> =
            entries.into_iter().map(|e| e.path()).filter(|p| p.is_file() && !hidden(p)).collect();
        paths.sort();
        let options = LoadOptions { rate: Some(rate), resampler: Resampler::SoxrHq, ..LoadOptions::default() };
        let mut recordings = Vec::new();
        for path in paths {
            let samples = seraudio::load(&path, &options)?.samples;
            if samples.iter().any(|&x| x != 0.0) {
                recordings.push(samples);
            }
        }
        if recordings.is_empty() { Err(AugmentError::NoNoise(folder.to_owned())) } else { Ok(Self { recordings }) }
    }

    /// The recordings it has; none where noise is computed.
    pub fn recordings(&self) -> &[Vec<f32>] {
        &self.recordings
    }

    /// A stretch of noise: of one of the recordings, from anywhere in it, repeated where it is short.
    pub(crate) fn stretch(&self, length: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
        if self.recordings.is_empty() {
            return if unit(rng) < 0.5 { white_of(length, rng) } else { pink_of(length, rng) };
        }
        let recording = &self.recordings[below(rng, self.recordings.len())];
        let start = below(rng, recording.len());
        recording.iter().cycle().skip(start).take(length).copied().collect()
    }
}
