//! Kaiser-windowed sinc tables.
//!
//! table(u) = rolloff sinc(rolloff u) kaiser(u / zeros, beta), u in [0, zeros], sampled `per_zero` times a zero
//! crossing and interpolated linearly, as resampy does (Smith, "Digital audio resampling").

use std::f64::consts::PI;
use std::sync::OnceLock;

use super::Resampler;

/// The right half of a windowed sinc.
#[derive(Debug)]
pub(crate) struct Table {
    pub values: Vec<f64>,
    /// Points per zero crossing.
    pub per_zero: usize,
    /// How positions are computed. All but `Exact` also step through the table in whole points when downsampling, as
    /// resampy does.
    pub clock: Clock,
}

/// How the position of an output in the input is computed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Clock {
    /// In integers.
    Exact,
    /// By adding up the step, resampy 0.2.
    Sum,
    /// By multiplying with the step, resampy 0.3 and later.
    Product,
}

impl Table {
    fn new(zeros: usize, per_zero: usize, rolloff: f64, beta: f64, clock: Clock) -> Self {
        let points = zeros * per_zero;
        let scale = 1.0 / bessel_i0(beta);
        let values = (0..=points)
            .map(|i| {
                let u = i as f64 / per_zero as f64;
                let edge = i as f64 / points as f64;
                let window = bessel_i0(beta * (1.0 - edge * edge).max(0.0).sqrt()) * scale;
                rolloff * sinc(rolloff * u) * window
            })
            .collect();
        Table { values, per_zero, clock }
    }
}

/// The table of a resampler, built once.
pub(crate) fn table(resampler: Resampler) -> &'static Table {
    static KAISER_02: OnceLock<Table> = OnceLock::new();
    static KAISER_03: OnceLock<Table> = OnceLock::new();
    static SOXR: OnceLock<Table> = OnceLock::new();
    match resampler {
        Resampler::KaiserBest02 => KAISER_02
            .get_or_init(|| Table::new(64, 1 << 9, 0.947_593_716_739_959_6, 14.769_656_459_379_492, Clock::Sum)),
        Resampler::KaiserBest03 => {
            KAISER_03.get_or_init(|| Table::new(50, 1 << 13, 0.917_347, 12.984_585_247_040_012, Clock::Product))
        }
        // Pass band to 0.913 of the lower Nyquist frequency, stop band from 1, 126 dB: the middle and the Kaiser
        // length and shape that belong to those.
        _ => SOXR.get_or_init(|| Table::new(96, 1 << 12, 0.9565, 13.0, Clock::Exact)),
    }
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) }
}

/// Modified Bessel function of the first kind and order 0, by its power series.
fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut sum, mut term, mut k) = (1.0, 1.0, 1.0);
    while term > sum * 1e-17 {
        term *= quarter / (k * k);
        sum += term;
        k += 1.0;
    }
    sum
}
