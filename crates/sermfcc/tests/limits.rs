//! Settings, sizes and buffers at and beyond their limits: an error that says so, never a panic.

#![allow(clippy::unwrap_used)]

use ndarray::Array2;
use sermfcc::{Extractor, FeatureError, Floor, FrontEnd, Output, PadMode, Stream};

fn tone(samples: usize) -> Vec<f32> {
    (0..samples).map(|n| (n as f32 * 0.07).sin() * 0.4).collect()
}

const OUTPUTS: [Output; 4] = [Output::Power, Output::Mel, Output::LogMel, Output::Mfcc];

/// Smaller and larger, odd and even, of another number of coefficients: each workspace with each extractor.
#[test]
fn a_workspace_of_another_extractor_changes_nothing() {
    let front_ends = [(2048, 39, 128), (512, 13, 40), (601, 20, 128), (1024, 128, 128)]
        .map(|sizes| FrontEnd::default().with(|f| (f.n_fft, f.n_mfcc, f.n_mels) = sizes));
    let extractors = front_ends.map(|front_end| Extractor::<f32>::new(&front_end).unwrap());
    let samples = tone(3000);
    for a in &extractors {
        for b in &extractors {
            let mut workspace = a.workspace();
            for output in OUTPUTS {
                a.compute_into(output, &samples, a.compute(output, &samples).unwrap().view_mut(), &mut workspace)
                    .unwrap();
                let expected = b.compute(output, &samples).unwrap();
                // By columns, so that rows are not contiguous.
                let mut found = Array2::zeros((expected.ncols(), expected.nrows()));
                b.compute_into(output, &samples, found.view_mut().reversed_axes(), &mut workspace).unwrap();
                assert_eq!(found.t(), expected, "{output:?}");
            }
        }
    }
}

#[test]
fn frames_of_any_length_are_counted() {
    for (center, pad_mode, hop) in [
        (true, PadMode::Reflect, 512),
        (false, PadMode::Reflect, 512),
        (true, PadMode::Constant, 1),
        (true, PadMode::Edge, 0),
    ] {
        let front_end = FrontEnd::default().with(|f| (f.center, f.pad_mode, f.hop_length) = (center, pad_mode, hop));
        let expected = match (center, hop) {
            (false, hop) => 1 + (usize::MAX - 2048) / hop,
            (true, 512) => 1 + usize::MAX / 512,
            // One more than there are numbers.
            _ => usize::MAX,
        };
        assert_eq!(front_end.frames(usize::MAX), expected, "{center} {pad_mode:?}, hop {hop}");
    }
    let huge = FrontEnd::default().with(|f| f.n_fft = usize::MAX);
    assert_eq!((huge.frames(0), huge.frames(1), huge.frames(512)), (0, 1, 1));
    assert_eq!(huge.with(|f| f.center = false).frames(5), 0);
    let late = FrontEnd::default().with(|f| f.hop_length = usize::MAX);
    assert!(late.frame_times(3).is_sorted() && late.frame_times(3)[2] > 1e15);
}

/// 5,001 frames of 524,289 bins would be 10 GiB.
#[test]
fn more_than_memory_is_an_error() {
    let front_end = FrontEnd::default().with(|f| (f.n_fft, f.hop_length) = (1 << 20, 1));
    let extractor = Extractor::<f32>::new(&front_end).unwrap();
    let error = extractor.compute(Output::Power, &tone(5000)).unwrap_err();
    assert_eq!(error, FeatureError::TooLarge { frames: 5001, width: 524_289, most: 1 << 30 });
    assert!(error.to_string().contains("larger hop_length"), "{error}");
}

/// Of a power of 8 loud samples overflow single precision: bands were cut to the largest number there is, all alike.
#[test]
fn samples_that_overflow_are_an_error() {
    let front_end = FrontEnd::default().with(|f| (f.power, f.top_db) = (8.0, Floor::None));
    let single = Extractor::<f32>::new(&front_end).unwrap();
    let loud: Vec<f32> = tone(4000).iter().map(|x| x * 32_768.0).collect();
    let error = single.mfcc(&loud).unwrap_err();
    assert!(matches!(error, FeatureError::OutOfRange { .. }), "{error}");
    assert_eq!(Stream::new(&single).unwrap().push(&loud, |_| ()), Err(error));
    // Audio in [-1, 1] is no trouble, and double precision takes the rest.
    let double = Extractor::<f64>::new(&front_end).unwrap();
    let near = single.mfcc(&tone(4000)).unwrap().mapv(f64::from) - double.mfcc(&tone(4000)).unwrap();
    assert!(near.iter().all(|x| x.abs() < 0.1), "{near}");
    assert!(double.mfcc(&loud).is_ok());
}

/// Numbers that passed every check and made weights of 0 / 0.
#[test]
fn edges_that_meet_and_lifters_near_zero_are_errors() {
    let wrong = |change: fn(&mut FrontEnd)| FrontEnd::default().with(change).validate().unwrap_err().to_string();
    let error = wrong(|f| (f.fmin, f.fmax) = (1000.0, Some(1_000.000_000_000_1)));
    assert!(error.starts_with("fmin = 1000") && error.contains("0.5 Hz"), "{error}");
    let error = wrong(|f| f.lifter = 5e-324);
    assert!(error.starts_with("lifter"), "{error}");
}

#[test]
fn hostile_settings_are_errors() {
    let json = |text: &str| {
        let front_end: Result<FrontEnd, String> =
            serde_json::from_str(text).map_err(|e: serde_json::Error| e.to_string());
        front_end.and_then(|f| f.validate().map_err(|e| e.to_string()))
    };
    for (text, part) in [
        (r#"{"n_fft": 18446744073709551615}"#, "n_fft"),
        (r#"{"n_fft": 1048577}"#, "n_fft"),
        (r#"{"hop_length": 0}"#, "hop_length"),
        (r#"{"n_mels": 0}"#, "n_mels"),
        (r#"{"n_mels": 4294967296}"#, "n_mels"),
        (r#"{"fmax": -1.0}"#, "fmax"),
        (r#"{"fmin": 1e400}"#, "number out of range"),
        (r#"{"top_db": -1.0}"#, "top_db"),
        (r#"{"top_db": {"fixed": 1e300}}"#, "top_db"),
        (r#"{"top_db": "much"}"#, "top_db is a number of decibels below the maximum"),
        (r#"{"dct_type": 4}"#, "dct_type"),
        (r#"{"n_mfcc": 0}"#, "n_mfcc"),
        (r#"{"sample_rate": 0}"#, "sample_rate"),
        (r#"{"hop_length": 1, "hop_length": 2}"#, "`hop_length` is given twice"),
        (r#"{"power": 1e308}"#, "power"),
    ] {
        let error = json(text).unwrap_err();
        assert!(error.contains(part), "{text}: {error}");
    }
}
