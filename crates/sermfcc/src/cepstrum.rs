//! The cosine transform and the lifter, as one matrix.

use std::f64::consts::{PI, SQRT_2};

use crate::float::Float;
use crate::front_end::{DctNorm, FrontEnd};
use crate::vector::Work;

/// Coefficients computed together.
const BLOCK: usize = 40;

/// The transform for the coefficients kept, lifter included.
#[derive(Debug)]
pub(crate) struct Cepstrum<F> {
    /// [blocks of coefficients, bands], each entry the weights of one band in `BLOCK` coefficients. With the coefficients
    /// side by side, a frame is one pass over its bands without a sum across lanes.
    blocks: Vec<Vec<[F; BLOCK]>>,
}

impl<F: Float> Cepstrum<F> {
    pub(crate) fn new(front_end: &FrontEnd) -> Self {
        let block = |first: usize| {
            let weight = |m: usize, k: usize| match k < front_end.n_mfcc {
                true => F::of(lift(front_end, k) * weight(front_end, k, m)),
                false => F::default(),
            };
            (0..front_end.n_mels).map(|m| std::array::from_fn(|lane| weight(m, first + lane))).collect()
        };
        Cepstrum { blocks: (0..front_end.n_mfcc).step_by(BLOCK).map(block).collect() }
    }
}

/// Coefficients of one frame. Shapes: log_mel [bands], out [coefficients].
pub(crate) struct Transform<'a, F> {
    pub cepstrum: &'a Cepstrum<F>,
    pub log_mel: &'a [F],
    pub out: &'a mut [F],
}

impl<F: Float> Work for Transform<'_, F> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        for (block, out) in self.cepstrum.blocks.iter().zip(self.out.chunks_mut(BLOCK)) {
            let mut sums = [F::default(); BLOCK];
            for (&value, weights) in self.log_mel.iter().zip(block) {
                for lane in 0..BLOCK {
                    sums[lane] += value * weights[lane];
                }
            }
            out.copy_from_slice(&sums[..out.len()]);
        }
    }
}

fn lift(front_end: &FrontEnd, k: usize) -> f64 {
    let (lifter, at) = (front_end.lifter, k + usize::from(front_end.lifter_start));
    if lifter == 0.0 { 1.0 } else { 1.0 + lifter / 2.0 * (PI * at as f64 / lifter).sin() }
}

/// Weight of band m in coefficient k, as scipy.fft.dct defines types 1 to 3; type 0 is no transform.
fn weight(front_end: &FrontEnd, k: usize, m: usize) -> f64 {
    let count = front_end.n_mels as f64;
    let ortho = front_end.dct_norm == DctNorm::Ortho;
    let last = front_end.n_mels - 1;
    match front_end.dct_type {
        0 => f64::from(u8::from(k == m)),
        1 => {
            let edge = |i: usize| if i == 0 || i == last { 1.0 / SQRT_2 } else { 1.0 };
            let cosine = (PI * (k * m) as f64 / (count - 1.0)).cos();
            // Plain: the two edge samples count once, the others twice.
            let plain = 2.0 * edge(m) * edge(m) * cosine;
            if ortho { plain / edge(m) * edge(k) / (2.0 * (count - 1.0)).sqrt() } else { plain }
        }
        2 => {
            let cosine = (PI * (k * (2 * m + 1)) as f64 / (2.0 * count)).cos();
            match (front_end.dct_norm, k) {
                (DctNorm::Ortho, 0) => cosine * (1.0 / count).sqrt(),
                (DctNorm::Ortho | DctNorm::Htk, _) => cosine * (2.0 / count).sqrt(),
                (DctNorm::None, _) => 2.0 * cosine,
            }
        }
        _ => {
            let cosine = (PI * ((2 * k + 1) * m) as f64 / (2.0 * count)).cos();
            match (ortho, m) {
                (true, 0) => (1.0 / count).sqrt(),
                (true, _) => cosine * (2.0 / count).sqrt(),
                (false, 0) => 1.0,
                (false, _) => 2.0 * cosine,
            }
        }
    }
}
