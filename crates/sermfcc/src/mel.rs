//! The mel filter bank, as one short row of weights a band.

use std::ops::Range;

use crate::float::{Float, LANES, products};
use crate::front_end::{FrontEnd, MelBins, MelNorm, MelScale, Triangles};

/// Slaney's scale is linear below this, in Hz, and logarithmic above.
const KNEE: f64 = 1000.0;
const KNEE_MEL: f64 = 15.0;
const HZ_PER_MEL: f64 = 200.0 / 3.0;

fn to_mel(scale: MelScale, hz: f64) -> f64 {
    match scale {
        MelScale::Slaney if hz < KNEE => hz / HZ_PER_MEL,
        MelScale::Slaney => KNEE_MEL + 27.0 * (hz / KNEE).ln() / 6.4f64.ln(),
        MelScale::Htk => 2595.0 * (1.0 + hz / 700.0).log10(),
    }
}

fn to_hz(scale: MelScale, mel: f64) -> f64 {
    match scale {
        MelScale::Slaney if mel < KNEE_MEL => mel * HZ_PER_MEL,
        MelScale::Slaney => KNEE * ((mel - KNEE_MEL) * 6.4f64.ln() / 27.0).exp(),
        MelScale::Htk => 700.0 * (10f64.powf(mel / 2595.0) - 1.0),
    }
}

/// The bins that [`MelBins`] lets into a band.
fn taken(front_end: &FrontEnd) -> Range<usize> {
    let half = front_end.n_fft / 2;
    let nearest = |hz: f64| (hz * front_end.n_fft as f64 / f64::from(front_end.sample_rate) + 0.5) as usize;
    match front_end.mel_bins {
        MelBins::All => 0..front_end.bins(),
        MelBins::BelowNyquist | MelBins::KaldiHtk => 0..half,
        MelBins::Htk => nearest(front_end.fmin) + 1..nearest(front_end.highest()).min(half),
    }
}

/// Bands summed together.
const BLOCK: usize = 32;

/// The triangles. Each bin lies in at most two of them, so together they have about twice as many weights as bins,
/// and up to a vector more in each band, for rows are filled up with zeros to whole vectors.
#[derive(Debug)]
pub(crate) struct FilterBank<F> {
    /// First bin and weights of each band.
    bands: Vec<(usize, Range<usize>)>,
    weights: Vec<F>,
}

impl<F: Float> FilterBank<F> {
    pub(crate) fn new(front_end: &FrontEnd) -> Self {
        let (bands, scale) = (front_end.n_mels, front_end.mel_scale);
        let (from, to) = (to_mel(scale, front_end.fmin), to_mel(scale, front_end.highest()));
        let step = (to - from) / (bands + 1) as f64;
        let mel: Vec<f64> = (0..bands + 2).map(|i| from + step * i as f64).collect();
        let hz: Vec<f64> = mel.iter().map(|&mel| to_hz(scale, mel)).collect();
        let bin_hz = f64::from(front_end.sample_rate) / front_end.n_fft as f64;
        let taken = taken(front_end);
        let mut bank = FilterBank { bands: Vec::with_capacity(bands), weights: Vec::new() };
        for (band, (hz, mel)) in hz.windows(3).zip(mel.windows(3)).enumerate() {
            let whole = |hz: f64| ((front_end.n_fft + 1) as f64 * hz / f64::from(front_end.sample_rate)).floor();
            // The edges, in what the triangles are linear in, and a bin in the same.
            let [lower, centre, upper] = match front_end.mel_triangles {
                Triangles::Hz => [hz[0], hz[1], hz[2]],
                Triangles::Mel => [mel[0], mel[1], mel[2]],
                Triangles::Bins => [whole(hz[0]), whole(hz[1]), whole(hz[2])],
            };
            let position = |bin: usize| match front_end.mel_triangles {
                Triangles::Hz => bin as f64 * bin_hz,
                Triangles::Mel => to_mel(scale, bin as f64 * bin_hz),
                Triangles::Bins => bin as f64,
            };
            let (first, end) = match front_end.mel_triangles {
                Triangles::Bins => (lower as usize, upper as usize),
                _ => ((hz[0] / bin_hz) as usize + 1, (hz[2] / bin_hz).ceil() as usize),
            };
            let first = first.min(front_end.bins());
            let end = end.clamp(first, front_end.bins());
            let height = match front_end.mel_norm {
                MelNorm::Slaney => 2.0 / (hz[2] - hz[0]),
                MelNorm::None | MelNorm::UnitSum => 1.0,
            };
            let mut weights: Vec<f64> = (first..end)
                .map(|bin| {
                    let at = position(bin);
                    let rising = (at - lower) / (centre - lower);
                    let falling = (upper - at) / (upper - centre);
                    if taken.contains(&bin) { rising.min(falling).max(0.0) * height } else { 0.0 }
                })
                .collect();
            if front_end.mel_bins == MelBins::KaldiHtk && band == 0 && front_end.fmin > 0.0 {
                weights.iter_mut().find(|weight| **weight > 0.0).into_iter().for_each(|weight| *weight = 0.0);
            }
            let sum: f64 = weights.iter().sum();
            if front_end.mel_norm == MelNorm::UnitSum && sum > 0.0 {
                weights.iter_mut().for_each(|weight| *weight /= sum);
            }
            let start = bank.weights.len();
            bank.weights.extend(weights.into_iter().map(F::of));
            let length = (end - first).next_multiple_of(LANES);
            bank.weights.resize(start + length, F::default());
            bank.bands.push((first, start..start + length));
        }
        bank
    }

    /// Band energies of one spectrum. Shapes: spectrum [bins and LANES zeros], out [bands].
    #[inline(always)]
    pub(crate) fn apply(&self, spectrum: &[F], out: &mut [F]) {
        // Reduce after the loop: a horizontal sum inside it makes LLVM vectorise at a quarter of the width.
        let mut partial = [[F::default(); LANES]; BLOCK];
        for (out, bands) in out.chunks_mut(BLOCK).zip(self.bands.chunks(BLOCK)) {
            for (partial, (first, weights)) in partial.iter_mut().zip(bands) {
                *partial = products(&spectrum[*first..], &self.weights[weights.clone()]);
            }
            for (out, p) in out.iter_mut().zip(&partial) {
                *out = (((p[0] + p[4]) + (p[2] + p[6])) + ((p[1] + p[5]) + (p[3] + p[7]))).at_most(F::MAX);
            }
        }
    }

    /// The largest sum of one band's weights.
    pub(crate) fn gain(&self) -> f64 {
        let sum = |(_, weights): &(usize, Range<usize>)| self.weights[weights.clone()].iter().map(|w| w.double()).sum();
        self.bands.iter().map(sum).fold(0.0, f64::max)
    }

    /// Bands without a bin: too narrow for this `n_fft`, always at the floor.
    pub(crate) fn empty_bands(&self) -> Vec<usize> {
        let empty = |band: &usize| {
            let (_, weights) = &self.bands[*band];
            self.weights[weights.clone()].iter().all(|&weight| weight == F::default())
        };
        (0..self.bands.len()).filter(empty).collect()
    }
}
