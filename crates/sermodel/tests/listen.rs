//! Windows and voice activity.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod support;

use sermodel::{Listener, Model, Window, Windows};
use support::{model, tone, voice};

fn windows(model: &Model, samples: &[f32], rate: u32, windows: Windows, voice: bool, piece: usize) -> Vec<Window> {
    let mut listener = Listener::new(model, rate, windows, voice).unwrap();
    let mut out: Vec<Window> = samples.chunks(piece).flat_map(|piece| listener.push(piece)).collect();
    out.extend(listener.finish());
    out
}

#[test]
fn windows_cover_a_recording_and_hold_its_samples() {
    let model = model();
    let samples = tone(16_000, 5.3);
    let resampled = seraudio::resample(&samples, 16_000, 22_050, model.resampler()).unwrap();
    let cut = Windows { length: 1.0, hop: 0.5 };
    let found = windows(&model, &samples, 16_000, cut, false, 777);
    let starts: Vec<f64> = found.iter().map(|w| (w.start * 100.0).round() / 100.0).collect();
    assert_eq!(starts, [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.3]);
    for window in &found {
        let at = (window.start * 22_050.0).round() as usize;
        assert_eq!(window.samples, resampled[at..at + 22_050]);
        assert_eq!((window.speech, window.is_speech()), (None, true));
    }
    assert!((found[9].end - 5.3).abs() < 1e-4);
    assert_eq!(windows(&model, &samples, 16_000, cut, false, 16_000), found);
    let whole = windows(&model, &samples[..16_000], 16_000, Windows::of(&model), false, 5000);
    assert_eq!(whole.len(), 1);
    let (a, b) = (model.predict(&whole[0].samples, 22_050), model.predict(&samples[..16_000], 16_000));
    assert_eq!(a.unwrap(), b.unwrap());
}

#[test]
fn windows_that_make_no_sense_are_errors() {
    let model = model();
    for (length, hop, part) in [
        (0.0, 0.1, "window"),
        (f64::NAN, 0.1, "window"),
        (2.1, 1.0, "window"),
        (1.0, 0.0, "hop"),
        (1.0, 1.5, "hop"),
        (1e-9, 1e-9, "window"),
        (f64::INFINITY, 0.1, "window"),
        (2.0, 1e-5, "hop of 0.00001 s; it must be at least 0.01 s"),
        (2.0, f64::NAN, "hop"),
    ] {
        let error = Listener::new(&model, 16_000, Windows { length, hop }, true).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

/// Two seconds of silence, three of voice, three of silence, two of noise, in windows of half a second.
#[test]
fn voice_is_told_from_silence_and_noise() {
    let model = model();
    for rate in [8000, 16_000, 44_100] {
        let mut samples = vec![0.0; 2 * rate as usize];
        samples.extend(voice(rate, 3.0));
        samples.extend(vec![0.0; 3 * rate as usize]);
        let mut seed = 1u32;
        samples.extend((0..2 * rate).map(|_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            0.02 * (seed as f32 / u32::MAX as f32 - 0.5)
        }));
        let found = windows(&model, &samples, rate, Windows { length: 0.5, hop: 0.5 }, true, 4000);
        let speech: Vec<f64> = found.iter().map(|w| w.speech.unwrap()).collect();
        println!("{rate} Hz: {speech:.2?}");
        assert_eq!(speech.len(), 20);
        assert!(speech[4..10].iter().all(|&s| s > 0.35), "{rate}: {speech:?}");
        assert!(speech[..4].iter().chain(&speech[11..16]).all(|&s| s < 0.1), "{rate}: {speech:?}");
        // The detector needs a moment to see that a sudden noise is no voice, and the band above 4 kHz that a
        // recording at 8 kHz does not have.
        if rate == 16_000 {
            assert!(speech[17..].iter().all(|&s| s < 0.1), "{speech:?}");
        }
    }
}

/// One sample that is no number makes its own window unanswerable, and the detector is as good as before afterwards.
#[test]
fn a_sample_that_is_no_number_is_not_remembered() {
    let model = model();
    let mut samples = voice(16_000, 4.0);
    let cut = Windows { length: 0.5, hop: 0.5 };
    let plain = windows(&model, &samples, 16_000, cut, true, 4000);
    samples[5000] = f32::NAN;
    let found = windows(&model, &samples, 16_000, cut, true, 4000);
    assert!(model.predict(&found[0].samples, 22_050).is_err());
    for (with, without) in found.iter().zip(&plain).skip(2) {
        assert!((with.speech.unwrap() - without.speech.unwrap()).abs() < 0.1, "{with:?}, {without:?}");
        assert_eq!(with.samples, without.samples);
    }
}
