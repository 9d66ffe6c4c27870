//! Resampled signals against resampy (both generations) and soxr, from the golden files of fixtures/mfcc/generate.py.

#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use ndarray::Array1;
use proptest::prelude::*;
use seraudio::{ResampleStream, Resampler, resample, resampled_length};

fn golden(name: &str) -> Vec<f32> {
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/mfcc/golden");
    let array: Array1<f32> = ndarray_npy::read_npy(PathBuf::from(golden).join(format!("{name}.npy"))).unwrap();
    array.to_vec()
}

/// The largest difference, relative to the largest sample.
fn distance(resampler: Resampler, rate: u32) -> f32 {
    let expected = golden(&format!("resampled-{resampler}-{rate}"));
    let found = resample(&golden("recording"), rate, 22_050, resampler).unwrap();
    assert_eq!(found.len(), expected.len());
    let peak = expected.iter().fold(0.0f32, |peak, x| peak.max(x.abs()));
    found.iter().zip(&expected).fold(0.0f32, |worst, (a, b)| worst.max((a - b).abs())) / peak
}

#[test]
fn kaiser_best_equals_resampy() {
    for resampler in [Resampler::KaiserBest02, Resampler::KaiserBest03] {
        for rate in [16_000, 44_100, 48_000] {
            let distance = distance(resampler, rate);
            // resampy adds up in float32, 128 terms one after the other.
            assert!(distance < 1e-6, "{resampler} from {rate} Hz: {distance:e}");
        }
    }
}

#[test]
fn soxr_hq_is_close_to_soxr() {
    for rate in [16_000, 44_100, 48_000] {
        let distance = distance(Resampler::SoxrHq, rate);
        assert!(distance < 3e-4, "from {rate} Hz: {distance:e}");
    }
}

#[test]
fn a_tone_keeps_its_amplitude_and_phase() {
    let tone = |rate: u32| -> Vec<f32> {
        (0..rate).map(|i| (std::f64::consts::TAU * 500.0 * f64::from(i) / f64::from(rate)).sin() as f32).collect()
    };
    for resampler in Resampler::ALL {
        for (from, to) in [(16_000, 22_050), (44_100, 16_000), (8000, 44_100), (22_050, 22_051), (48_000, 47_999)] {
            let found = resample(&tone(from), from, to, resampler).unwrap();
            let expected = tone(to);
            // Away from the edges, where the filter reaches over nothing but zeros.
            let edge = to as usize / 20;
            let worst = (edge..to as usize - edge).fold(0.0f32, |w, i| w.max((found[i] - expected[i]).abs()));
            let tolerance = match resampler {
                // rubato's delay is known in whole output samples only.
                Resampler::Sinc => 3200.0 / to as f32,
                // resampy steps through its table in whole points when downsampling.
                Resampler::KaiserBest02 | Resampler::KaiserBest03 if to < from => 5e-3,
                _ => 1e-5,
            };
            assert!(worst < tolerance, "{resampler} from {from} to {to} Hz: {worst:e}");
        }
    }
}

#[test]
fn a_rate_of_zero_is_an_error() {
    for resampler in Resampler::ALL {
        assert!(resample(&[0.0], 0, 22_050, resampler).is_err());
        assert!(resample(&[0.0], 16_000, 0, resampler).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Length as promised, finite values, for any rates and short signals.
    #[test]
    fn any_rates(from in 100u32..200_000, to in 100u32..200_000, n in 1usize..300, which in 0usize..4) {
        let resampler = Resampler::ALL[which];
        let samples = vec![1.0; n];
        let out = resample(&samples, from, to, resampler).unwrap();
        prop_assert_eq!(out.len(), resampled_length(n, from, to));
        prop_assert!(out.iter().all(|x| x.is_finite() && x.abs() < 2.0));
    }
}

#[test]
fn a_stream_equals_the_batch_however_it_is_cut() {
    let signal: Vec<f32> = golden("recording").into_iter().take(9000).collect();
    for resampler in Resampler::ALL {
        for (from, to) in [(16_000, 22_050), (48_000, 22_050), (22_050, 16_000), (8000, 8000), (384_000, 1000)] {
            for length in [1, 700, signal.len()] {
                let expected = resample(&signal[..length], from, to, resampler).unwrap();
                for piece in [1, 333, 4096, 9000] {
                    let mut stream = ResampleStream::new(from, to, resampler).unwrap();
                    let mut found = Vec::new();
                    signal[..length].chunks(piece).for_each(|piece| stream.push(piece, &mut found));
                    stream.finish(&mut found);
                    assert_eq!(
                        found, expected,
                        "{resampler}, {from} to {to} Hz, {length} samples in pieces of {piece}"
                    );
                }
            }
        }
    }
}
