//! What holds for every signal and every setting.

#![allow(clippy::unwrap_used)]

use ndarray::{Array2, ArrayView2, s};
use proptest::collection::vec;
use proptest::prelude::*;
use sermfcc::{
    AminRule, C0, DctNorm, DeltaRule, Extractor, FeatureError, Floor, Framing, FrontEnd, LogScale, MelBins, MelNorm,
    MelScale, Output, PadMode, PreEmphasis, Stream, Triangles, Window,
};

const OUTPUTS: [Output; 5] = [Output::Power, Output::Mel, Output::LogMel, Output::Mfcc, Output::Deltas];

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

fn one_of<T: Copy + std::fmt::Debug + 'static>(values: &'static [T]) -> impl Strategy<Value = T> {
    proptest::sample::select(values)
}

/// Pad modes and framings with what else decides which samples a frame holds and what is done to them.
fn cutting() -> impl Strategy<Value = FrontEnd> {
    use Framing::{Complete, Covering, PastEnd, Rounded, Stft};
    use PadMode::{Constant, Edge, Reflect, Symmetric};
    let emphasis = prop_oneof![
        Just(PreEmphasis::None),
        (0.01f64..1.0).prop_map(PreEmphasis::Frame),
        (0.01f64..1.0).prop_map(PreEmphasis::Signal)
    ];
    let c0 = one_of(&[C0::Kept, C0::RawEnergy, C0::WindowedEnergy, C0::SpectralEnergy]);
    let place = (one_of(&[Stft, Complete, Rounded, Covering, PastEnd]), any::<bool>(), any::<bool>());
    let mode = one_of(&[Constant, Reflect, Edge, Symmetric]);
    let sizes = (1usize..300, proptest::option::of(1usize..300), 1usize..200);
    let delta = (0u8..4, one_of(&[DeltaRule::Polynomial, DeltaRule::Regression]), one_of(&[3usize, 5, 9]));
    (place, mode, sizes, emphasis, any::<bool>(), c0, delta).prop_map(
        |(place, mode, sizes, emphasis, mean, c0, delta)| {
            FrontEnd::default().with(|f| {
                (f.sample_rate, f.resampler, f.n_mels, f.n_mfcc) = (8000, "none".into(), 12, 8);
                ((f.framing, f.center, f.drop_last_frame), f.pad_mode) = (place, mode);
                (f.n_fft, f.win_length, f.hop_length) = sizes;
                (f.pre_emphasis, f.remove_mean, f.c0) = (emphasis, mean, c0);
                (f.delta_order, f.delta_rule, f.delta_width) = delta;
            })
        },
    )
}

/// Settings that mostly are valid, with values at the edges of what is allowed.
fn any_front_end() -> impl Strategy<Value = FrontEnd> {
    use Window::{Blackman, Hamming, Hann, Povey, Rectangular};
    let window = (one_of(&[Hann, Hamming, Blackman, Rectangular, Povey]), any::<bool>());
    let scale = one_of(&[MelScale::Slaney, MelScale::Htk]);
    let norm = one_of(&[MelNorm::Slaney, MelNorm::None, MelNorm::UnitSum]);
    let shape = one_of(&[Triangles::Hz, Triangles::Mel, Triangles::Bins]);
    let bins = one_of(&[MelBins::All, MelBins::BelowNyquist, MelBins::Htk, MelBins::KaldiHtk]);
    let edges = (0.0f64..3000.0, proptest::option::of(prop_oneof![1000.0f64..6000.0, -3000.0f64..-1.0]));
    let mel = (1usize..80, scale, norm, shape, bins, edges);
    let floor = prop_oneof![
        (0.1f64..200.0).prop_map(Floor::BelowMaximum),
        (-200.0f64..200.0).prop_map(Floor::Fixed),
        Just(Floor::None)
    ];
    let unit = one_of(&[LogScale::Decibel, LogScale::Natural, LogScale::Log10, LogScale::DecibelAmplitude]);
    let rule = one_of(&[AminRule::Max, AminRule::ReplaceZero, AminRule::Add]);
    let linear = (prop_oneof![Just(1.0), -2.0f64..2.0], prop_oneof![Just(0.0), -5.0f64..5.0]);
    let log = (unit, 1e-36f64..1e36, rule, floor, linear);
    let dct = (0u8..4, one_of(&[DctNorm::Ortho, DctNorm::None, DctNorm::Htk]), 1usize..80, 0.0f64..50.0, 0u8..2);
    let scales = (prop_oneof![Just(1.0), 1e-6f64..1e6], prop_oneof![Just(1.0), 1e-6f64..1e6], 0.01f64..8.0);
    let end = (prop_oneof![Just(0.0), 0.0f64..100.0], any::<bool>(), prop_oneof![Just(0.0), 0.0f64..100.0]);
    (cutting(), window, mel, log, dct, scales, end).prop_map(|(cutting, window, mel, log, dct, scales, end)| {
        cutting.with(|f| {
            (f.window, f.periodic) = window;
            (f.n_mels, f.mel_scale, f.mel_norm, f.mel_triangles, f.mel_bins, (f.fmin, f.fmax)) = mel;
            (f.log_scale, f.amin, f.amin_rule, f.top_db, (f.log_gain, f.log_offset)) = log;
            (f.dct_type, f.dct_norm, f.n_mfcc, f.lifter, f.lifter_start) = dct;
            (f.sample_scale, f.spectrum_scale, f.power) = scales;
            (f.energy_floor, f.c0_last, f.clip) = end;
        })
    })
}

fn stream(stream: &mut Stream, samples: &[f32], cuts: &[usize]) -> Result<Vec<f32>, FeatureError> {
    let (mut rest, mut out, mut given) = (samples, Vec::new(), 0);
    for &cut in cuts.iter().cycle() {
        let (chunk, after) = rest.split_at(cut.min(rest.len()));
        if chunk.is_empty() {
            break;
        }
        rest = after;
        given += stream.push(chunk, |frame| out.extend_from_slice(frame))?;
    }
    given += stream.finish(|frame| out.extend_from_slice(frame))?;
    assert_eq!(given * stream.width(), out.len());
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

    /// A stream is the batch to the last bit, however it is cut up, also after a reset.
    #[test]
    fn chunking_changes_nothing(
        samples in signal(1..600), cuts in vec(1usize..200, 1..40), front_end in cutting(), fixed in any::<bool>(),
    ) {
        let front_end = front_end.with(|f| f.top_db = if fixed { Floor::Fixed(-20.0) } else { Floor::None });
        prop_assume!(front_end.validate().is_ok());
        let extractor = Extractor::<f32>::new(&front_end).unwrap();
        for output in OUTPUTS {
            let batch = extractor.compute(output, &samples);
            let mut once = extractor.stream(output).unwrap();
            for _ in 0..2 {
                let streamed = stream(&mut once, &samples, &cuts);
                match &batch {
                    Ok(batch) => prop_assert_eq!(streamed.unwrap(), batch.clone().into_raw_vec_and_offset().0),
                    Err(error) => prop_assert_eq!(&streamed.unwrap_err(), error),
                }
                once.reset();
            }
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
            for output in OUTPUTS {
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
