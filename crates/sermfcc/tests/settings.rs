//! Presets, hashes, errors that name the setting, and the comparer.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use sermfcc::{
    AminRule, C0, DctNorm, DeltaRule, Extractor, FeatureError, Floor, Framing, FrontEnd, FrontEndError, LogScale,
    MelBins, MelNorm, MelScale, Output, PRESETS, PadMode, PreEmphasis, Triangles, Window, compare, delta, normalise,
};

fn tone(samples: usize) -> Vec<f32> {
    (0..samples).map(|n| (n as f32 * 0.07).sin() * 0.4).collect()
}

#[test]
fn presets_are_distinct_and_known_by_name() {
    let mut hashes = Vec::new();
    for preset in PRESETS {
        let front_end = FrontEnd::preset(preset.name).unwrap();
        assert_eq!(front_end.preset_name(), Some(preset.name));
        hashes.push(front_end.fingerprint());
    }
    hashes.sort();
    hashes.dedup();
    assert_eq!(hashes.len(), PRESETS.len());
    for (old, new) in [("official", "timnet-0.8.1"), ("paper", "timnet-paper")] {
        let error = FrontEnd::preset(old).unwrap_err();
        assert!(matches!(error, FrontEndError::RenamedPreset { .. }));
        assert_eq!(error.to_string(), format!("preset `{old}` is called `{new}` now"));
    }
    let error = FrontEnd::preset("librosa").unwrap_err().to_string();
    assert!(
        error.contains("librosa-0.8.1, librosa-0.9, librosa-0.10, timnet-0.8.1, timnet-0.9, timnet-0.10, timnet-paper, librosa-0.10-htk, torch"),
        "{error}"
    );
}

/// A front end that shares no setting with the default.
fn other() -> FrontEnd {
    FrontEnd::default().with(|f| {
        (f.sample_rate, f.resampler) = (1, String::new());
        (f.n_fft, f.hop_length, f.win_length, f.window, f.periodic) = (1, 1, Some(7), Window::Hamming, false);
        (f.center, f.pad_mode, f.power) = (false, PadMode::Edge, 1.0);
        (f.n_mels, f.fmin, f.fmax, f.mel_scale, f.mel_norm) = (1, 1.0, Some(9.0), MelScale::Htk, MelNorm::None);
        (f.log_scale, f.amin, f.top_db) = (LogScale::Natural, 1.0, Floor::None);
        (f.dct_type, f.dct_norm, f.n_mfcc, f.lifter) = (1, DctNorm::None, 1, 1.0);
        (f.sample_scale, f.framing, f.drop_last_frame, f.remove_mean) = (2.0, Framing::Rounded, true, true);
        (f.pre_emphasis, f.spectrum_scale) = (PreEmphasis::Signal(0.5), 0.5);
        (f.mel_triangles, f.mel_bins, f.amin_rule) = (Triangles::Mel, MelBins::Htk, AminRule::Add);
        (f.log_gain, f.log_offset, f.lifter_start) = (2.0, 1.0, 0);
        (f.c0, f.energy_floor, f.c0_last, f.clip) = (C0::RawEnergy, 1.0, true, 1.0);
        (f.delta_order, f.delta_rule, f.delta_width) = (1, DeltaRule::Regression, 5);
    })
}

/// A setting that is left out of the list would be left out of comparisons.
#[test]
fn every_setting_is_compared_and_written() {
    let other = other();
    let json = serde_json::to_value(&other).unwrap();
    // What is not librosa's is not written where it is librosa's.
    assert_eq!(serde_json::to_value(FrontEnd::default()).unwrap().as_object().unwrap().len(), 20);
    let again: FrontEnd = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(again, other);
    let front_end = FrontEnd::default();
    let keys: BTreeSet<&str> = front_end.differences(&other).iter().map(|difference| difference.key).collect();
    assert_eq!(keys, json.as_object().unwrap().keys().map(String::as_str).collect());
}

/// What computes the same is equal: samples added where none are, a window length written out.
#[test]
fn settings_without_effect_are_no_difference() {
    let uncentred = FrontEnd::default().with(|f| f.center = false);
    assert_eq!(uncentred.clone().with(|f| f.pad_mode = PadMode::Edge), uncentred);
    let written = FrontEnd::default().with(|f| f.win_length = Some(2048));
    assert_eq!(written, FrontEnd::default());
    let complete = FrontEnd::kaldi_mfcc();
    assert_eq!(complete.clone().with(|f| (f.center, f.pad_mode) = (false, PadMode::Edge)), complete);
    let plain = FrontEnd::default().with(|f| {
        (f.lifter_start, f.energy_floor, f.delta_rule, f.delta_width) = (0, 1.0, DeltaRule::Regression, 5);
    });
    assert_eq!((&plain, plain.canonical()), (&FrontEnd::default(), FrontEnd::default().canonical()));
    // Of another n_fft the same length is a window of another kind.
    let keys = |a: &FrontEnd, b: &FrontEnd| a.differences(b).iter().map(|d| d.key).collect::<Vec<_>>();
    assert_eq!(keys(&written, &FrontEnd::default().with(|f| f.n_fft = 4096)), ["n_fft", "win_length"]);
    assert_eq!(keys(&FrontEnd::default(), &FrontEnd::default().with(|f| f.pad_mode = PadMode::Edge)), ["pad_mode"]);
}

#[test]
fn keys_of_an_older_version_are_named() {
    let read = |text: &str| serde_json::from_str::<FrontEnd>(text).unwrap_err().to_string();
    assert!(read(r#"{"hop": 512}"#).starts_with("front_end key `hop` is called `hop_length` now"));
    // As a model card of version 0.1 has them.
    let card = read(
        r#"{"rate":22050,"resampler":"soxr_hq","n_fft":2048,"hop":512,"centre":"reflect","power":2.0,"coefficients":39,"lifter":0.0,
        "window":{"shape":"hann","length":2048,"periodic":true},"mel":{"bands":128,"scale":"slaney","norm":"slaney","low":0.0},
        "log":{"scale":"decibel","least":1e-10,"floor":{"below-maximum":80.0}},"dct":{"type":2,"norm":"ortho"}}"#,
    );
    for (old, new) in [
        ("rate", "`sample_rate`"),
        ("hop", "`hop_length`"),
        ("centre", "`center` (true or false) and `pad_mode`"),
        ("coefficients", "`n_mfcc`"),
        ("window.shape", "`window`"),
        ("window.length", "`win_length`"),
        ("window.periodic", "`periodic`"),
        ("mel.bands", "`n_mels`"),
        ("mel.scale", "`mel_scale`"),
        ("mel.norm", "`mel_norm`"),
        ("mel.low", "`fmin`"),
        ("log.scale", "`log_scale`"),
        ("log.least", "`amin`"),
        ("log.floor", "`top_db`"),
        ("dct.type", "`dct_type`"),
        ("dct.norm", "`dct_norm`"),
    ] {
        assert!(card.contains(&format!("front_end key `{old}` is called {new} now")), "{old}: {card}");
    }
    assert!(!card.contains("n_fft") && !card.contains("unknown"), "{card}");
    assert!(read(r#"{"mel": {"bands": 40, "slope": 1}}"#).contains("unknown front_end key `mel.slope`"));
    assert!(read(r#"{"mel": {}}"#).contains("unknown front_end key `mel`"));
    assert!(read(r#"{"window": "hat"}"#).contains("unknown variant `hat`, expected one of `hann`"));
}

#[test]
fn a_wrong_setting_is_named() {
    let wrong =
        |change: fn(&mut FrontEnd)| Extractor::<f32>::new(&FrontEnd::default().with(change)).unwrap_err().to_string();
    assert_eq!(wrong(|f| f.hop_length = 0), "hop_length = 0 is not allowed: 1 to 16777216 samples");
    assert!(wrong(|f| f.win_length = Some(4096)).starts_with("win_length = 4096"));
    assert!(wrong(|f| f.n_mfcc = 129).contains("1 to n_mels"));
    assert!(wrong(|f| f.fmax = Some(20_000.0)).contains("half the sample_rate"));
    assert!(wrong(|f| f.fmax = Some(f64::NAN)).starts_with("fmax"));
    assert!(wrong(|f| f.fmin = f64::NAN).starts_with("fmin"));
    assert!(wrong(|f| f.lifter = f64::NAN).starts_with("lifter"));
    assert!(wrong(|f| f.top_db = Floor::Fixed(f64::NAN)).starts_with("top_db"));
    assert!(wrong(|f| f.power = f64::NAN).starts_with("power"));
    assert!(wrong(|f| f.amin = 0.0).starts_with("amin"));
    assert!(wrong(|f| f.dct_type = 4).starts_with("dct_type"));
    assert!(serde_json::from_str::<FrontEnd>(r#"{"hopp": 1}"#).unwrap_err().to_string().contains("hopp"));
}

#[cfg(feature = "toml")]
#[test]
fn toml_errors_name_line_and_key() {
    let error = FrontEnd::from_toml("hop_length = 512\nn_ftt = 2048").unwrap_err().to_string();
    assert!(error.contains("n_ftt"), "{error}");
    let error = FrontEnd::from_toml("hop_length = 512\nhop_length = ").unwrap_err().to_string();
    assert!(error.contains("line 2"), "{error}");
    let error = FrontEnd::from_toml("hop_length = 512\nhop_length = ").unwrap_err();
    assert!(matches!(error, FrontEndError::Parse { line: Some(2), .. }), "{error:?}");
    let error = FrontEnd::from_toml("preset = \"librosa-0.10\"\n[window]\nlength = 400").unwrap_err().to_string();
    assert!(error.contains("front_end key `window.length` is called `win_length` now"), "{error}");
    let read =
        FrontEnd::from_toml("preset = \"librosa-0.10\"\nn_fft = 400\ntop_db = { fixed = -80 }\nwindow = \"hamming\"");
    let changed =
        FrontEnd::librosa_0_10().with(|f| (f.n_fft, f.top_db, f.window) = (400, Floor::Fixed(-80.0), Window::Hamming));
    assert_eq!(read, Ok(changed));
    for (text, floor) in [("60", Floor::BelowMaximum(60.0)), ("\"none\"", Floor::None)] {
        assert_eq!(FrontEnd::from_toml(&format!("top_db = {text}")).unwrap().top_db, floor);
    }
    for preset in PRESETS {
        let front_end = (preset.front_end)();
        assert_eq!(FrontEnd::from_toml(&front_end.to_toml().unwrap()), Ok(front_end));
    }
}

#[test]
fn a_wrong_signal_is_named() {
    let extractor = Extractor::<f32>::new(&FrontEnd::default()).unwrap();
    assert_eq!(extractor.mfcc(&[]), Err(FeatureError::TooShort { samples: 0, needed: 1 }));
    let error = extractor.mfcc(&[0.0, f32::NAN]).unwrap_err();
    assert!(matches!(error, FeatureError::NotFinite { index: 1, .. }), "{error}");
    let error = extractor.mfcc(&[1e30]).unwrap_err();
    assert!(matches!(error, FeatureError::OutOfRange { index: 0, .. }), "{error}");
    assert!(Extractor::<f64>::new(&FrontEnd::default()).unwrap().mfcc(&[1e30]).is_ok());
    let (mut buffer, mut workspace) = (ndarray::Array2::zeros((2, 39)), extractor.workspace());
    assert_eq!(workspace.compute_into(Output::Mfcc, &tone(512), buffer.view_mut()), Ok(()));
    let error = workspace.compute_into(Output::Mfcc, &tone(100), buffer.view_mut());
    assert_eq!(error, Err(FeatureError::Shape { expected: (1, 39), found: (2, 39) }));
}

#[test]
fn a_stream_refuses_what_it_cannot_know() {
    let extractor = Extractor::<f32>::new(&FrontEnd::default()).unwrap();
    for output in [Output::LogMel, Output::Mfcc, Output::Deltas] {
        assert_eq!(extractor.stream(output).unwrap_err(), FrontEndError::StreamFloor { range: 80.0 });
    }
    // The floor is behind these.
    assert!(extractor.stream(Output::Power).is_ok() && extractor.stream(Output::Mel).is_ok());
    assert!(Extractor::<f32>::new(&FrontEnd::whisper_80()).unwrap().stream(Output::LogMel).is_err());
    let front_end = FrontEnd::default().with(|f| f.top_db = Floor::None);
    let mut stream = Extractor::<f32>::new(&front_end).unwrap().stream(Output::Mfcc).unwrap();
    stream.push(&tone(3000), |_| ()).unwrap();
    let error = stream.push(&[0.0, f32::INFINITY], |_| ()).unwrap_err();
    assert!(matches!(error, FeatureError::NotFinite { index: 3001, .. }), "{error}");
    assert_eq!(stream.received(), 3000);
    stream.finish(|_| ()).unwrap();
    assert_eq!(stream.finish(|_| ()), Err(FeatureError::Finished));
    assert_eq!(stream.push(&[0.0], |_| ()), Err(FeatureError::Finished));
    stream.reset();
    assert_eq!(stream.received(), 0);
    stream.push(&[0.0], |_| ()).unwrap();
}

#[cfg(feature = "rayon")]
#[test]
fn a_batch_is_the_signals_one_by_one() {
    let extractor = Extractor::<f32>::new(&FrontEnd::default()).unwrap();
    let signals: Vec<Vec<f32>> = [5000, 1, 0, 30_000, 700].map(tone).into();
    for output in [Output::Mel, Output::Mfcc, Output::Deltas] {
        let one_by_one: Vec<_> = signals.iter().map(|signal| extractor.compute(output, signal)).collect();
        assert_eq!(extractor.batch(output, &signals), one_by_one);
    }
}

#[test]
fn times_are_those_of_frame_centres() {
    let front_end = FrontEnd::default();
    assert_eq!(front_end.frame_times(2), [0.0, 512.0 / 22_050.0]);
    let uncentred = front_end.with(|f| f.center = false);
    assert_eq!(uncentred.frame_times(1), [1024.0 / 22_050.0]);
}

#[test]
fn normalising_centres_and_scales() {
    let mut features = ndarray::array![[1.0f64, 5.0], [3.0, 5.0]];
    normalise(features.view_mut(), true);
    assert_eq!(features, ndarray::array![[-1.0, 0.0], [1.0, 0.0]]);
    let mut features = ndarray::array![[1.0f32, 5.0], [3.0, 5.0]];
    normalise(features.view_mut(), false);
    assert_eq!(features, ndarray::array![[-1.0, 0.0], [1.0, 0.0]]);
    // The sum of ten times 0.1 is not 1, so the computed mean is not 0.1.
    let mut features = ndarray::Array2::from_elem((10, 1), 0.1f64);
    normalise(features.view_mut(), true);
    assert_eq!(features, ndarray::Array2::<f64>::zeros((10, 1)));
}

#[test]
fn a_delta_that_does_not_fit_is_an_error() {
    let features = ndarray::Array2::<f32>::zeros((5, 2));
    // 5000 frames fit, but the 4000th derivative is beyond double precision.
    let long = ndarray::Array2::<f32>::zeros((5000, 2));
    assert!(delta(long.view(), 4999, 4000).is_err());
    for (width, order) in [(9, 1), (4, 1), (1, 1), (3, 0), (3, 3)] {
        assert!(delta(features.view(), width, order).is_err(), "width {width}, order {order}");
    }
}

#[test]
fn the_comparer_finds_the_setting_that_matters() {
    let a = FrontEnd::timnet_0_8_1();
    let b = a.clone().with(|f| (f.pad_mode, f.mel_scale) = (PadMode::Constant, MelScale::Htk));
    let samples = tone(20_000);
    let report = compare::front_ends(&a, &b, |_| Ok(samples.clone())).unwrap();
    let keys: Vec<&str> = report.effects.iter().map(|effect| effect.difference.key).collect();
    assert_eq!(keys, ["mel_scale", "pad_mode"]);
    assert!(report.effects[0].alone.as_ref().unwrap().mean > 1.0);
    assert!(report.to_string().contains("mel_scale: Slaney -> Htk"));

    let candidates = [FrontEnd::timnet_paper(), FrontEnd::timnet_0_10(), FrontEnd::timnet_0_8_1()];
    let found = Extractor::<f32>::new(&a).unwrap().mfcc(&samples).unwrap();
    let ranking = compare::identify(found.view(), &candidates, |_| Ok(samples.clone()));
    assert_eq!(ranking[0].0, 2);
    assert!(ranking[0].1.max < 1e-3);
}

#[test]
fn nothing_is_equal_to_features_without_frames() {
    let (ten, none) = (ndarray::Array2::<f32>::ones((10, 39)), ndarray::Array2::<f32>::ones((0, 39)));
    let error = compare::features(ten.view(), none.view()).unwrap_err().to_string();
    assert!(error.contains("[10, 39]") && error.contains("[0, 39]"), "{error}");
    assert!(compare::features(ten.slice(ndarray::s![.., ..0]), ten.view()).is_err());
    // Other lengths are compared as far as both go, and both shapes are shown.
    let nine = compare::features(ten.view(), ten.slice(ndarray::s![..9, ..])).unwrap();
    assert_eq!((nine.max, nine.shape_b), (0.0, (9, 39)));
    assert!(nine.to_string().contains("shapes differ"));
}
