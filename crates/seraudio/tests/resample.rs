//! Resampled signals against resampy (both generations) and soxr, from the golden files of fixtures/mfcc/generate.py.

#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use ndarray::Array1;
use proptest::prelude::*;
use seraudio::{AudioError, ResampleStream, Resampler, resample, resampled_length};

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
fn rates_and_lengths_have_limits() {
    for resampler in Resampler::ALL {
        for (from, to) in [(0, 22_050), (16_000, 0), (u32::MAX, 22_050), (16_000, 4_000_000_000)] {
            let error = resample(&[0.0], from, to, resampler).unwrap_err();
            assert!(matches!(error, AudioError::ResampleRate { limit: 16_777_216, .. }), "{error}");
        }
        for (from, to) in [(8193, 1), (1, 8193), (16_000_000, 1000), (1, 16_777_216)] {
            let error = ResampleStream::new(from, to, resampler).unwrap_err();
            assert!(matches!(error, AudioError::ResampleRatio { limit: 8192, .. }), "{error}");
        }
        assert_eq!(resample(&[1.0; 3], 8192, 1, resampler).unwrap().len(), 1);
        assert_eq!(resample(&[1.0; 3], 1, 8192, resampler).unwrap().len(), 3 * 8192);
    }
    let error = resample(&vec![0.0; 1 << 19], 1, 8192, Resampler::SoxrHq).unwrap_err();
    assert!(matches!(error, AudioError::ResampleLength { length: 524_288, .. }), "{error}");
    assert_eq!(resampled_length(1001, 16_000, 22_050).unwrap(), 1380);
    for (length, from, to) in [(1, 0, 5), (1, 5, 0), (usize::MAX, 1, 1), (1 << 20, 1, 8192), (1, 1, u32::MAX)] {
        assert!(resampled_length(length, from, to).is_err(), "{length}, {from}, {to}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Length as promised, finite values, for any rates and short signals.
    #[test]
    fn any_rates(
        from in 100u32..200_000,
        to in 100u32..200_000,
        samples in prop::collection::vec(-1f32..1.0, 1..300),
        which in 0usize..4,
    ) {
        let resampler = Resampler::ALL[which];
        let out = resample(&samples, from, to, resampler).unwrap();
        prop_assert_eq!(out.len(), resampled_length(samples.len(), from, to).unwrap());
        // The absolute sum of a windowed sinc of hundred zero crossings is below 4.
        prop_assert!(out.iter().all(|x| x.is_finite() && x.abs() < 4.0));
        // Filters are linear: half of the signal gives half of the result, to the last bit.
        let half: Vec<f32> = samples.iter().map(|x| x / 2.0).collect();
        let halved: Vec<f32> = out.iter().map(|x| x / 2.0).collect();
        let of_half = resample(&half, from, to, resampler).unwrap();
        prop_assert!(of_half.iter().zip(&halved).all(|(a, b)| (a - b).abs() < 1e-6));
    }

    /// A tone well below both Nyquist frequencies keeps its amplitude and phase at any two rates.
    #[test]
    fn any_rates_keep_a_tone(from in 4000u32..48_000, to in 4000u32..48_000, period in 20f64..60.0, which in 0usize..4) {
        let resampler = Resampler::ALL[which];
        let hertz = f64::from(from.min(to)) / period;
        let tone = |rate: u32, length: usize| -> Vec<f32> {
            (0..length).map(|i| (std::f64::consts::TAU * hertz * i as f64 / f64::from(rate)).sin() as f32).collect()
        };
        // 0.3 s of the lower rate and more, of which the filters reach over less than a third.
        let length = from as usize / 2;
        let found = resample(&tone(from, length), from, to, resampler).unwrap();
        let expected = tone(to, found.len());
        let inside = found.len() / 3..found.len() * 2 / 3;
        let worst = inside.clone().fold(0.0f32, |worst, i| worst.max((found[i] - expected[i]).abs()));
        let tolerance = match resampler {
            // rubato's delay is known in whole output samples only: 1.03 samples were seen (9,757 to 33,616 Hz).
            Resampler::Sinc => 1.1 * (std::f64::consts::TAU * hertz / f64::from(to)) as f32 + 1e-3,
            // resampy steps through its table in whole points when downsampling: by up to a fortieth too short.
            Resampler::KaiserBest02 | Resampler::KaiserBest03 if to < from => 0.03,
            _ => 1e-4,
        };
        prop_assert!(worst < tolerance, "{} from {} to {} Hz, {} Hz: {:e}", resampler, from, to, hertz, worst);
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
