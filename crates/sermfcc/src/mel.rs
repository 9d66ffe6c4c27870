//! The mel filter bank, as one short row of weights a band.

use std::ops::Range;

use crate::float::{Float, LANES, products};
use crate::front_end::{FrontEnd, MelNorm, MelScale};

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
        let edges: Vec<f64> = (0..bands + 2).map(|i| to_hz(scale, from + step * i as f64)).collect();
        let bin_hz = f64::from(front_end.sample_rate) / front_end.n_fft as f64;
        let mut bank = FilterBank { bands: Vec::with_capacity(bands), weights: Vec::new() };
        for edge in edges.windows(3) {
            let (lower, centre, upper) = (edge[0], edge[1], edge[2]);
            let height = match front_end.mel_norm {
                MelNorm::Slaney => 2.0 / (upper - lower),
                MelNorm::None => 1.0,
            };
            let first = ((lower / bin_hz) as usize + 1).min(front_end.bins());
            let end = ((upper / bin_hz).ceil() as usize).clamp(first, front_end.bins());
            let start = bank.weights.len();
            bank.weights.extend((first..end).map(|bin| {
                let hz = bin as f64 * bin_hz;
                let rising = (hz - lower) / (centre - lower);
                let falling = (upper - hz) / (upper - centre);
                F::of(rising.min(falling).max(0.0) * height)
            }));
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
