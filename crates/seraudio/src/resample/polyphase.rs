//! Rational resampling: one short filter per output phase.
//!
//! Output t lies at t * down / up input samples. Only `up` different fractions occur, so the interpolation in the
//! table is done once per fraction and each output is one dot product over contiguous samples.
//!
//! resampy finds the position in floating point, so where t * down / up is whole, rounding decides between the sample
//! at the position with fraction 0 and the one before with fraction 1. When downsampling with whole table steps the two
//! differ (by 1e-4 of the peak from 48 kHz), so the same arithmetic is done here, and fraction 1 has a filter, too.

use std::sync::Arc;

use multiversion::multiversion;

use super::kaiser::{Clock, Table};

/// Filters bigger than this are not stored; their weights are computed for each output.
const MAX_STORED: usize = 1 << 22;
const LANES: usize = 16;
/// Outputs summed together.
const BLOCK: usize = 32;

#[derive(Debug)]
pub(crate) struct Polyphase {
    table: &'static Table,
    up: usize,
    down: usize,
    /// Taps on each side of the output's position.
    side: usize,
    /// Taps of one phase: `2 * side`, rounded up to whole vectors with zeros.
    taps: usize,
    /// [up + 1, taps], fractions 0 to 1; or empty where it would be too big.
    phases: Vec<f32>,
}

impl Polyphase {
    pub(crate) fn new(table: &'static Table, from: u32, to: u32) -> Self {
        let divisor = gcd(from as usize, to as usize);
        let (up, down) = (to as usize / divisor, from as usize / divisor);
        let step = Weights::new(table, up, down).step;
        let side = ((table.values.len() as f64 / step).ceil() as usize).max(1);
        let taps = (2 * side).next_multiple_of(LANES);
        let mut filter = Polyphase { table, up, down, side, taps, phases: Vec::new() };
        if let Some(size) = (up + 1).checked_mul(taps).filter(|size| *size <= MAX_STORED) {
            let mut phases = vec![0.0; size];
            for (phase, weights) in phases.chunks_exact_mut(taps).enumerate() {
                filter.weights(phase, weights);
            }
            filter.phases = phases;
        }
        filter
    }

    /// Memory that the filter takes.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.phases)
    }

    /// Weights of the input samples n - side + 1 ..= n + side around a position n + phase / up.
    fn weights(&self, phase: usize, out: &mut [f32]) {
        let weights = Weights::new(self.table, self.up, self.down);
        let fraction = phase as f64 / self.up as f64;
        for i in 0..self.side {
            out[self.side - 1 - i] = weights.at(fraction, i) as f32;
            out[self.side + i] = weights.at(1.0 - fraction, i) as f32;
        }
    }
}

/// The filter on its way through a signal that arrives in pieces.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    filter: Arc<Polyphase>,
    /// The signal from sample `base - (side - 1)` on. Zeros on both sides spare every output the test whether its taps
    /// reach over an edge.
    padded: Vec<f32>,
    base: usize,
    /// The next output and its position, as resampy counts it.
    t: usize,
    time: f64,
    computed: Vec<f32>,
}

impl Run {
    pub(crate) fn new(filter: Arc<Polyphase>) -> Self {
        let (padded, computed) = (vec![0.0; filter.side - 1], vec![0.0; filter.taps]);
        Run { filter, padded, base: 0, t: 0, time: 0.0, computed }
    }

    /// Takes samples and puts out what does not depend on later ones.
    pub(crate) fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        self.padded.extend_from_slice(samples);
        advance(self, usize::MAX, out);
    }

    /// Puts out the rest of `length` samples, `ceil(n * up / down)`.
    pub(crate) fn finish(&mut self, length: usize, out: &mut Vec<f32>) {
        self.padded.resize(self.padded.len() + self.filter.taps + 1, 0.0);
        advance(self, length, out);
    }
}

/// Outputs up to `length`, as far as the samples reach. Compiled for wider vectors, too; no operation is fused or reordered,
/// so all give the same bits.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn advance(run: &mut Run, length: usize, out: &mut Vec<f32>) {
    let Run { filter, padded, base, t, time, computed } = run;
    let Polyphase { table, up, down, taps, .. } = **filter;
    // The ratio and its inverse, as resampy has them.
    let step = 1.0 / (up as f64 / down as f64);
    // In two steps through memory: sums across lanes, done at once, make compilers use an eighth of a vector.
    let mut partial = [[0.0; LANES]; BLOCK];
    let mut block = BLOCK;
    while block == BLOCK {
        block = 0;
        while block < BLOCK && *t < length {
            let (n, phase) = match table.clock {
                Clock::Exact => (*t * down / up, *t * down % up),
                Clock::Sum | Clock::Product => {
                    let n = *time as usize;
                    (n, ((*time - n as f64) * up as f64).round() as usize)
                }
            };
            let Some(under) = padded.get(n - *base..n - *base + taps) else {
                let used = (n - *base).min(padded.len());
                padded.drain(..used);
                *base += used;
                break;
            };
            let weights = if filter.phases.is_empty() {
                filter.weights(phase, computed);
                &computed[..]
            } else {
                &filter.phases[phase * taps..][..taps]
            };
            partial[block] = products(weights, under);
            block += 1;
            *time = if table.clock == Clock::Sum { *time + step } else { (*t + 1) as f64 * step };
            *t += 1;
        }
        out.extend(partial[..block].iter().map(sum));
    }
}

/// The continuous filter, stretched when downsampling.
struct Weights {
    table: &'static Table,
    /// Table points per input sample.
    points: f64,
    /// Table points from one tap to the next; resampy truncates it.
    step: f64,
    gain: f64,
}

impl Weights {
    fn new(table: &'static Table, up: usize, down: usize) -> Self {
        let gain = (up as f64 / down as f64).min(1.0);
        let points = gain * table.per_zero as f64;
        // A ratio below one table point a tap would never leave the first point.
        let step = if table.clock != Clock::Exact { points.floor().max(1.0) } else { points };
        Weights { table, points, step, gain }
    }

    /// The weight of the i-th sample on one side, the first of them `distance` input samples away.
    fn at(&self, distance: f64, i: usize) -> f64 {
        let at = distance * self.points + i as f64 * self.step;
        let index = at as usize;
        let Some(&value) = self.table.values.get(index) else { return 0.0 };
        let next = self.table.values.get(index + 1).copied().unwrap_or(value);
        self.gain * (value + (at - index as f64) * (next - value))
    }
}

/// Products summed in lanes, which compilers turn into vector instructions without a float reordering flag.
#[inline(always)]
fn products(a: &[f32], b: &[f32]) -> [f32; LANES] {
    let (a, _) = a.as_chunks::<LANES>();
    let (b, _) = b.as_chunks::<LANES>();
    let mut sums = [0.0f32; LANES];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums
}

#[inline(always)]
fn sum(p: &[f32; LANES]) -> f32 {
    let four = |i: usize| (p[i] + p[i + 8]) + (p[i + 4] + p[i + 12]);
    (four(0) + four(2)) + (four(1) + four(3))
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}
