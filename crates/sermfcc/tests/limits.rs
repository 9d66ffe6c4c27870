//! Settings, sizes and buffers at and beyond their limits: an error that says so, never a panic.

#![allow(clippy::unwrap_used)]

use ndarray::Array2;
use sermfcc::{Extractor, FeatureError, Floor, Framing, FrontEnd, Output, PadMode};

fn tone(samples: usize) -> Vec<f32> {
    (0..samples).map(|n| (n as f32 * 0.07).sin() * 0.4).collect()
}

const OUTPUTS: [Output; 5] = [Output::Power, Output::Mel, Output::LogMel, Output::Mfcc, Output::Deltas];

/// Smaller and larger, odd and even, plain and prepared frames: what a workspace computed before changes nothing.
#[test]
fn a_workspace_used_before_changes_nothing() {
    let sized = |sizes| FrontEnd::default().with(|f| (f.n_fft, f.n_mfcc, f.n_mels) = sizes);
    let odd = FrontEnd::kaldi_mfcc().with(|f| (f.n_fft, f.win_length) = (401, Some(399)));
    for front_end in [sized((2048, 39, 128)), sized((601, 20, 128)), FrontEnd::htk_mfcc_e(), odd] {
        let extractor = Extractor::<f32>::new(&front_end).unwrap();
        let mut workspace = extractor.workspace();
        for samples in [tone(9000), tone(3000), vec![0.0; 2500], tone(5000)] {
            for output in OUTPUTS {
                let expected = extractor.compute(output, &samples).unwrap();
                // By columns, so that rows are not contiguous.
                let mut found = Array2::zeros((expected.ncols(), expected.nrows()));
                workspace.compute_into(output, &samples, found.view_mut().reversed_axes()).unwrap();
                assert_eq!(found.t(), expected, "{output:?}");
            }
        }
    }
}

/// The formulas of `../shared/spec/presets.md`, section 3, and the shortest signal with a frame.
#[test]
fn frames_are_counted_by_each_rule() {
    let front_end = |framing, drop| {
        let kaldi = FrontEnd::kaldi_mfcc().with(|f| (f.framing, f.drop_last_frame, f.center) = (framing, drop, true));
        kaldi.with(|f| (f.n_fft, f.win_length, f.hop_length) = (32, Some(25), 10))
    };
    for samples in 1usize..200 {
        for (framing, expected) in [
            (Framing::Stft, 1 + samples / 10),
            (Framing::Complete, if samples < 25 { 0 } else { 1 + (samples - 25) / 10 }),
            (Framing::Rounded, (samples + 5) / 10),
            (Framing::Covering, 1 + samples.saturating_sub(25).div_ceil(10)),
            (Framing::PastEnd, 1 + samples.div_ceil(10)),
        ] {
            let whole = front_end(framing, false);
            assert_eq!(whole.frames(samples), expected, "{framing:?}, {samples} samples");
            let dropped = front_end(framing, true);
            assert_eq!(dropped.frames(samples), expected.saturating_sub(1));
            for front_end in [whole, dropped] {
                assert_eq!(front_end.frames(samples) > 0, samples >= front_end.shortest(), "{framing:?}, {samples}");
            }
        }
    }
    // Frame 2 begins at 20, 20 + 5 - 12 and 20 - 13; its centre is 12 samples later.
    let centre = |framing| front_end(framing, false).frame_times(3)[2] * 16_000.0;
    let centres = [Framing::Complete, Framing::Covering, Framing::Rounded, Framing::PastEnd].map(centre);
    for (found, expected) in centres.into_iter().zip([32.0f64, 32.0, 25.0, 19.0]) {
        assert!((found - expected).abs() < 1e-9, "{centres:?}");
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
    assert_eq!(single.stream(Output::Mfcc).unwrap().push(&loud, |_| ()), Err(error));
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
        (r#"{"fmax": 0.0}"#, "fmax"),
        (r#"{"fmin": 1e400}"#, "number out of range"),
        (r#"{"top_db": -1.0}"#, "top_db"),
        (r#"{"top_db": {"fixed": 1e300}}"#, "top_db"),
        (r#"{"top_db": "much"}"#, "top_db is a number of decibels below the maximum"),
        (r#"{"dct_type": 4}"#, "dct_type"),
        (r#"{"n_mfcc": 0}"#, "n_mfcc"),
        (r#"{"sample_rate": 0}"#, "sample_rate"),
        (r#"{"hop_length": 1, "hop_length": 2}"#, "`hop_length` is given twice"),
        (r#"{"power": 1e308}"#, "power"),
        (r#"{"fmax": -12000.0}"#, "fmax"),
        (r#"{"sample_scale": 0.0}"#, "sample_scale"),
        (r#"{"spectrum_scale": -1.0}"#, "spectrum_scale"),
        (r#"{"pre_emphasis": {"frame": 1.5}}"#, "pre_emphasis"),
        (r#"{"pre_emphasis": {"signal": 0.0}}"#, "pre_emphasis"),
        (r#"{"framing": "loose"}"#, "unknown variant `loose`"),
        (r#"{"log_gain": 0.0}"#, "log_gain"),
        (r#"{"log_offset": 1e7}"#, "log_offset"),
        (r#"{"dct_type": 3, "dct_norm": "htk"}"#, "dct_norm"),
        (r#"{"lifter_start": 2}"#, "lifter_start"),
        (r#"{"energy_floor": -1.0}"#, "energy_floor"),
        (r#"{"clip": -1.0}"#, "clip"),
        (r#"{"delta_order": 4}"#, "delta_order"),
        (r#"{"delta_order": 3, "delta_width": 3}"#, "delta_order"),
        (r#"{"delta_width": 4}"#, "delta_width"),
    ] {
        let Err(error) = json(text) else { panic!("{text} is taken") };
        assert!(error.contains(part), "{text}: {error}");
    }
}
