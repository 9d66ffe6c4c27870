//! Presets, hashes, errors that name the setting, and the comparer.

#![allow(clippy::unwrap_used)]

use sermfcc::{
    Centre, Extractor, FeatureError, Floor, FrontEnd, FrontEndError, Log, Output, PRESETS, Stream, compare, delta,
    normalise,
};

fn tone(samples: usize) -> Vec<f32> {
    (0..samples).map(|n| (n as f32 * 0.07).sin() * 0.4).collect()
}

#[test]
fn presets_are_distinct_and_known_by_name() {
    let mut hashes = Vec::new();
    for (name, _) in PRESETS {
        let front_end = FrontEnd::preset(name).unwrap();
        assert_eq!(front_end.preset_name(), Some(name));
        hashes.push(front_end.hash());
    }
    hashes.sort();
    hashes.dedup();
    assert_eq!(hashes.len(), PRESETS.len());
    assert_eq!(FrontEnd::preset("official"), FrontEnd::preset("librosa-0.8.1"));
    let error = FrontEnd::preset("librosa").unwrap_err().to_string();
    assert!(error.contains("librosa-0.8.1, librosa-0.9, librosa-0.10, paper"), "{error}");
}

/// A setting that is left out of the list would be left out of comparisons.
#[test]
fn every_setting_is_compared() {
    let front_end = FrontEnd { mel: sermfcc::Mel { high: Some(8000.0), ..Default::default() }, ..Default::default() };
    let json = serde_json::to_value(&front_end).unwrap();
    let leaves = json.as_object().unwrap().iter().map(|(key, value)| match value {
        serde_json::Value::Object(table) if key != "floor" => table.len(),
        _ => 1,
    });
    let other = FrontEnd {
        rate: 1,
        resampler: String::new(),
        n_fft: 1,
        hop: 1,
        centre: Centre::None,
        power: 1.0,
        coefficients: 1,
        lifter: 1.0,
        window: sermfcc::Window { shape: sermfcc::Shape::Hamming, length: 1, periodic: false },
        mel: sermfcc::Mel {
            bands: 1,
            scale: sermfcc::MelScale::Htk,
            norm: sermfcc::MelNorm::None,
            low: 1.0,
            high: None,
        },
        log: Log { scale: sermfcc::LogScale::Natural, least: 1.0, floor: Floor::None },
        dct: sermfcc::Dct { kind: 1, norm: sermfcc::DctNorm::None },
    };
    assert_eq!(front_end.differences(&other).len(), leaves.sum::<usize>());
}

#[test]
fn a_wrong_setting_is_named() {
    let wrong = |change: fn(&mut FrontEnd)| {
        let mut front_end = FrontEnd::default();
        change(&mut front_end);
        Extractor::<f32>::new(&front_end).unwrap_err().to_string()
    };
    assert_eq!(wrong(|f| f.hop = 0), "hop = 0 is not allowed: 1 to 16777216 samples");
    assert!(wrong(|f| f.window.length = 4096).starts_with("window.length = 4096"));
    assert!(wrong(|f| f.coefficients = 129).contains("1 to mel.bands"));
    assert!(wrong(|f| f.mel.high = Some(20_000.0)).contains("half the rate"));
    assert!(wrong(|f| f.mel.high = Some(f64::NAN)).starts_with("mel.high"));
    assert!(wrong(|f| f.mel.low = f64::NAN).starts_with("mel.low"));
    assert!(wrong(|f| f.lifter = f64::NAN).starts_with("lifter"));
    assert!(wrong(|f| f.log.floor = Floor::Fixed(f64::NAN)).starts_with("log.floor"));
    assert!(wrong(|f| f.power = f64::NAN).starts_with("power"));
    assert!(wrong(|f| f.log.least = 0.0).starts_with("log.least"));
    assert!(wrong(|f| f.dct.kind = 4).starts_with("dct.type"));
    assert!(serde_json::from_str::<FrontEnd>(r#"{"hopp": 1}"#).unwrap_err().to_string().contains("hopp"));
}

#[cfg(feature = "toml")]
#[test]
fn toml_errors_name_line_and_key() {
    let error = FrontEnd::from_toml("hop = 512\nn_ftt = 2048").unwrap_err().to_string();
    assert!(error.contains("n_ftt"), "{error}");
    let error = FrontEnd::from_toml("hop = 512\nhop = ").unwrap_err().to_string();
    assert!(error.contains("line 2"), "{error}");
    for (name, _) in PRESETS {
        let front_end = FrontEnd::preset(name).unwrap();
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
    let mut buffer = ndarray::Array2::zeros((2, 39));
    let error = extractor.compute_into(Output::Mfcc, &tone(512), buffer.view_mut(), &mut extractor.workspace());
    assert!(error.is_ok());
    let error = extractor.compute_into(Output::Mfcc, &tone(100), buffer.view_mut(), &mut extractor.workspace());
    assert_eq!(error, Err(FeatureError::Shape { expected: (1, 39), found: (2, 39) }));
}

#[test]
fn a_stream_refuses_what_it_cannot_know() {
    let extractor = Extractor::<f32>::new(&FrontEnd::default()).unwrap();
    assert_eq!(Stream::new(&extractor).unwrap_err(), FrontEndError::StreamFloor);
    let front_end = FrontEnd { log: Log { floor: Floor::None, ..Log::default() }, ..FrontEnd::default() };
    let mut stream = Stream::new(&Extractor::<f32>::new(&front_end).unwrap()).unwrap();
    stream.push(&tone(3000), |_| ()).unwrap();
    let error = stream.push(&[0.0, f32::INFINITY], |_| ()).unwrap_err();
    assert!(matches!(error, FeatureError::NotFinite { index: 3001, .. }), "{error}");
    assert_eq!(stream.received(), 3000);
    stream.finish(|_| ()).unwrap();
    assert_eq!(stream.finish(|_| ()), Err(FeatureError::Finished));
    assert_eq!(stream.push(&[0.0], |_| ()), Err(FeatureError::Finished));
}

#[cfg(feature = "rayon")]
#[test]
fn a_batch_is_the_signals_one_by_one() {
    let extractor = Extractor::<f32>::new(&FrontEnd::default()).unwrap();
    let signals: Vec<Vec<f32>> = [5000, 1, 0, 30_000, 700].map(tone).into();
    let one_by_one: Vec<_> = signals.iter().map(|signal| extractor.mfcc(signal)).collect();
    assert_eq!(extractor.mfcc_batch(&signals), one_by_one);
}

#[test]
fn times_are_those_of_frame_centres() {
    let front_end = FrontEnd::default();
    assert_eq!(front_end.frame_times(2), [0.0, 512.0 / 22_050.0]);
    let uncentred = FrontEnd { centre: Centre::None, ..front_end };
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
    let a = FrontEnd::preset("librosa-0.8.1").unwrap();
    let mut b = FrontEnd { centre: Centre::Zeros, ..a.clone() };
    b.mel.scale = sermfcc::MelScale::Htk;
    let samples = tone(20_000);
    let report = compare::front_ends(&a, &b, |_| Ok(samples.clone())).unwrap();
    let keys: Vec<&str> = report.effects.iter().map(|effect| effect.difference.key).collect();
    assert_eq!(keys, ["mel.scale", "centre"]);
    assert!(report.effects[0].alone.as_ref().unwrap().mean > 1.0);
    assert!(report.to_string().contains("mel.scale: Slaney -> Htk"));

    let candidates: Vec<FrontEnd> =
        ["paper", "librosa-0.10", "librosa-0.8.1"].iter().map(|name| FrontEnd::preset(name).unwrap()).collect();
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
