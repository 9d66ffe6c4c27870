//! What holds for every signal and every setting.

#![allow(clippy::unwrap_used)]

use ndarray::{Array2, ArrayView2, s};
use proptest::collection::vec;
use proptest::prelude::*;
use sermfcc::{
    DctNorm, Extractor, FeatureError, Floor, FrontEnd, LogScale, MelNorm, MelScale, Output, PadMode, Stream, Window,
};

/// `center` and `pad_mode`.
type Edges = (bool, PadMode);

/// Small, so that many cases run: 64-sample frames, 12 bands.
fn small(edges: Edges, floor: Floor) -> FrontEnd {
    FrontEnd::default().with(|f| {
        (f.sample_rate, f.n_fft, f.hop_length, f.n_mels, f.n_mfcc) = (8000, 64, 16, 12, 8);
        ((f.center, f.pad_mode), f.top_db) = (edges, floor);
    })
}

fn edges() -> impl Strategy<Value = Edges> {
    (any::<bool>(), prop_oneof![Just(PadMode::Constant), Just(PadMode::Reflect), Just(PadMode::Edge)])
}

fn signal(length: std::ops::Range<usize>) -> impl Strategy<Value = Vec<f32>> {
    vec(-1.0f32..1.0, length)
}

/// Settings that mostly are valid, with values at the edges of what is allowed.
fn any_front_end() -> impl Strategy<Value = FrontEnd> {
    let window =
        prop_oneof![Just(Window::Hann), Just(Window::Hamming), Just(Window::Blackman), Just(Window::Rectangular)];
    let window = (window, proptest::option::of(1usize..300), any::<bool>());
    let scale = prop_oneof![Just(MelScale::Slaney), Just(MelScale::Htk)];
    let norm = prop_oneof![Just(MelNorm::Slaney), Just(MelNorm::None)];
    let mel = (1usize..80, scale, norm, 0.0f64..3000.0, proptest::option::of(1000.0f64..6000.0));
    let floor = prop_oneof![
        (0.1f64..200.0).prop_map(Floor::BelowMaximum),
        (-200.0f64..200.0).prop_map(Floor::Fixed),
        Just(Floor::None)
    ];
    let log = (prop_oneof![Just(LogScale::Decibel), Just(LogScale::Natural)], 1e-36f64..1e36, floor);
    let dct = (1u8..4, prop_oneof![Just(DctNorm::Ortho), Just(DctNorm::None)]);
    let rest = (1usize..300, edges(), 0.01f64..8.0, 1usize..80, 0.0f64..50.0, 1usize..200);
    (window, mel, log, dct, rest).prop_map(|(window, mel, log, dct, rest)| {
        FrontEnd::default().with(|f| {
            (f.sample_rate, f.resampler) = (8000, "none".into());
            (f.window, f.win_length, f.periodic) = window;
            (f.n_mels, f.mel_scale, f.mel_norm, f.fmin, f.fmax) = mel;
            (f.log_scale, f.amin, f.top_db) = log;
            (f.dct_type, f.dct_norm) = dct;
            (f.n_fft, (f.center, f.pad_mode), f.power, f.n_mfcc, f.lifter, f.hop_length) = rest;
        })
    })
}

fn stream<'a>(front_end: &FrontEnd, chunks: impl Iterator<Item = &'a [f32]>) -> Result<Vec<f32>, FeatureError> {
    let mut stream = Stream::new(&Extractor::<f32>::new(front_end).unwrap()).unwrap();
    let mut out = Vec::new();
    for chunk in chunks {
        stream.push(chunk, |frame| out.extend_from_slice(frame))?;
    }
    stream.finish(|frame| out.extend_from_slice(frame))?;
    Ok(out)
}

fn largest(a: ArrayView2<f64>, b: ArrayView2<f64>) -> f64 {
    sermfcc::compare::features(a, b).unwrap().max
}

proptest! {
    #[test]
    fn frames_follow_the_formula(samples in signal(1..500), edges in edges(), hop in 1usize..100) {
        let front_end = small(edges, Floor::None).with(|f| f.hop_length = hop);
        let result = Extractor::<f32>::new(&front_end).unwrap().mfcc(&samples);
        let n = samples.len();
        match edges {
            (false, _) if n < 64 => prop_assert_eq!(result, Err(FeatureError::TooShort { samples: n, needed: 64 })),
            (false, _) => prop_assert_eq!(result.unwrap().dim(), (1 + (n - 64) / hop, 8)),
            _ => prop_assert_eq!(result.unwrap().dim(), (1 + n / hop, 8)),
        }
    }

    /// A signal one hop later has the same frames one frame later.
    #[test]
    fn a_shift_by_one_hop_shifts_the_frames(samples in signal(80..400)) {
        let extractor = Extractor::<f64>::new(&small((false, PadMode::Constant), Floor::None)).unwrap();
        let whole = extractor.mfcc(&samples).unwrap();
        let shifted = extractor.mfcc(&samples[16..]).unwrap();
        prop_assert_eq!(whole.slice(s![1.., ..]), shifted.view());
    }

    /// Twice as loud is 6.02 dB in every band, so only c0 moves: by 20 log10(2) sqrt(bands).
    #[test]
    fn loudness_moves_c0_alone(samples in signal(64..300), gain in 0.25f32..4.0) {
        let front_end = small((true, PadMode::Constant), Floor::BelowMaximum(80.0)).with(|f| f.amin = 1e-36);
        prop_assume!(samples.iter().any(|x| x.abs() > 1e-3));
        let extractor = Extractor::<f64>::new(&front_end).unwrap();
        let quiet = extractor.mfcc(&samples).unwrap();
        let loud: Vec<f32> = samples.iter().map(|x| x * gain).collect();
        let mut expected = quiet;
        expected.column_mut(0).mapv_inplace(|c0| c0 + 20.0 * f64::from(gain).log10() * 12f64.sqrt());
        // The scaled samples are rounded to f32.
        prop_assert!(largest(extractor.mfcc(&loud).unwrap().view(), expected.view()) < 0.05);
    }

    /// Up to the logarithm the chain is linear in power: mel(x + y) + mel(x - y) = 2 mel(x) + 2 mel(y).
    #[test]
    fn mel_is_linear_in_power(pairs in vec((-1.0f32..1.0, -1.0f32..1.0), 64..300)) {
        // Multiples of 2^-12 add and subtract without rounding.
        let round = |x: f32| (x * 4096.0).round() / 4096.0;
        let mel = |f: fn(f32, f32) -> f32| -> Array2<f64> {
            let samples: Vec<f32> = pairs.iter().map(|&(x, y)| f(round(x), round(y))).collect();
            Extractor::new(&small((true, PadMode::Reflect), Floor::None)).unwrap().compute(Output::Mel, &samples).unwrap()
        };
        let sum = mel(|x, y| x + y) + mel(|x, y| x - y);
        let parts = (mel(|x, _| x) + mel(|_, y| y)) * 2.0;
        let scale = parts.iter().copied().fold(1e-12, f64::max);
        prop_assert!(largest(sum.view(), parts.view()) < 1e-10 * scale);
    }

    /// A stream is the batch to the last bit, however it is cut up.
    #[test]
    fn chunking_changes_nothing(
        samples in signal(1..600), cuts in vec(1usize..200, 1..40), edges in edges(), hop in 1usize..150, fixed in any::<bool>(),
    ) {
        let floor = if fixed { Floor::Fixed(-20.0) } else { Floor::None };
        let front_end = small(edges, floor).with(|f| f.hop_length = hop);
        let mut rest = &samples[..];
        let chunks = cuts.iter().cycle().map_while(|&cut| {
            let (chunk, after) = rest.split_at(cut.min(rest.len()));
            rest = after;
            (!chunk.is_empty()).then_some(chunk)
        });
        let streamed = stream(&front_end, chunks);
        let batch = Extractor::<f32>::new(&front_end).unwrap().mfcc(&samples);
        match batch {
            Ok(batch) => prop_assert_eq!(streamed.unwrap(), batch.into_raw_vec_and_offset().0),
            Err(error) => prop_assert_eq!(streamed.unwrap_err(), error),
        }
    }

    /// Any setting and any finite sample: an error, or finite features.
    #[test]
    fn no_nan_and_no_panic(front_end in any_front_end(), samples in vec(any::<f32>(), 0..600), scale in -40i32..38) {
        let built = (Extractor::<f32>::new(&front_end), Extractor::<f64>::new(&front_end));
        prop_assert_eq!(built.0.is_ok(), front_end.validate().is_ok());
        let (Ok(single), Ok(double)) = built else { return Ok(()) };
        // Any bit pattern, and the same brought to a common size.
        let tame: Vec<f32> = samples.iter().map(|x| (x.to_bits() as f32 / 4e9) * 10f32.powi(scale)).collect();
        for samples in [&samples, &tame] {
            for output in [Output::Power, Output::Mel, Output::LogMel, Output::Mfcc] {
                if let Ok(features) = single.compute(output, samples) {
                    prop_assert!(features.iter().all(|x| x.is_finite()), "{:?} {:?}", output, features);
                }
                if let Ok(features) = double.compute(output, samples) {
                    prop_assert!(features.iter().all(|x| x.is_finite()), "{:?} {:?}", output, features);
                }
            }
        }
        if samples.iter().any(|x| !x.is_finite()) {
            prop_assert!(double.mfcc(&samples).is_err());
        }
    }

    /// Equal settings, equal texts; different settings, different texts, though a resampler's name imitates other lines.
    #[test]
    fn texts_are_equal_where_settings_are(a in any_front_end(), b in any_front_end(), name in "[a-z0-9:=\n]{0,12}") {
        prop_assert_eq!(a.canonical() == b.canonical(), a == b);
        let renamed = a.clone().with(|f| f.resampler = name);
        prop_assert_eq!(renamed.canonical() == a.canonical(), renamed == a);
    }

    #[test]
    fn serialisation_keeps_settings_and_hash(front_end in any_front_end()) {
        let text = toml::to_string(&front_end).unwrap();
        let again: FrontEnd = toml::from_str(&text).unwrap();
        prop_assert_eq!(again.canonical(), front_end.canonical());
        prop_assert_eq!(again, front_end);
    }
}
