//! Against librosa and NumPy, on the golden files that fixtures/mfcc/generate.py made.

#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use ndarray::{Array1, Array2};
use sermfcc::{
    Centre, DctNorm, Extractor, FrontEnd, Log, Mel, MelNorm, MelScale, Output, Shape, Window, compare, delta,
};

/// Identical samples in: the tolerances promised for the two precisions.
const DOUBLE: f64 = 2e-4;
const SINGLE: f64 = 5e-3;

fn path(name: &str) -> PathBuf {
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/mfcc/golden");
    PathBuf::from(golden).join(format!("{name}.npy"))
}

fn golden(name: &str) -> Array2<f32> {
    ndarray_npy::read_npy(path(name)).unwrap()
}

fn golden_f64(name: &str) -> Array2<f64> {
    ndarray_npy::read_npy(path(name)).unwrap()
}

fn samples(signal: &str) -> Vec<f32> {
    let samples: Array1<f32> = ndarray_npy::read_npy(path(&format!("samples-{signal}"))).unwrap();
    samples.to_vec()
}

#[track_caller]
fn assert_near<A: sermfcc::Float, B: sermfcc::Float>(found: &Array2<A>, expected: &Array2<B>, tolerance: f64) {
    assert_eq!(found.dim(), expected.dim());
    let comparison = compare::features(expected.view(), found.view()).unwrap();
    assert!(comparison.max <= tolerance, "more than {tolerance:e} apart: {comparison}");
}

#[test]
fn presets_equal_their_librosa() {
    for preset in ["librosa-0.8.1", "librosa-0.9", "librosa-0.10"] {
        let front_end = FrontEnd::preset(preset).unwrap();
        let double = Extractor::<f64>::new(&front_end).unwrap();
        let single = Extractor::<f32>::new(&front_end).unwrap();
        for signal in ["silence", "impulse", "clipping", "one-sample", "1024-samples", "voice"] {
            let expected = golden(&format!("mfcc-{preset}-{signal}"));
            let samples = samples(signal);
            assert_near(&double.mfcc(&samples).unwrap(), &expected, DOUBLE);
            assert_near(&single.mfcc(&samples).unwrap(), &expected, SINGLE);
        }
    }
}

#[test]
fn paper_equals_numpy_from_the_formulas() {
    let front_end = FrontEnd::preset("paper").unwrap();
    let expected = golden_f64("paper-voice");
    assert_near(&Extractor::<f64>::new(&front_end).unwrap().mfcc(&samples("voice")).unwrap(), &expected, 1e-9);
    assert_near(&Extractor::<f32>::new(&front_end).unwrap().mfcc(&samples("voice")).unwrap(), &expected, SINGLE);
}

#[test]
fn deltas_equal_librosa() {
    let mfcc = golden("mfcc-librosa-0.10-voice").mapv(f64::from);
    for order in [1, 2] {
        let expected = golden_f64(&format!("delta-{order}-voice"));
        assert_near(&delta(mfcc.view(), 9, order).unwrap(), &expected, 1e-9);
    }
}

#[test]
fn free_settings_equal_librosa() {
    let base = FrontEnd::preset("librosa-0.10").unwrap();
    let with = |coefficients, change: fn(&mut FrontEnd)| {
        let mut front_end = FrontEnd { coefficients, ..base.clone() };
        change(&mut front_end);
        front_end
    };
    let short = |front_end: &mut FrontEnd, shape, centre| {
        (front_end.n_fft, front_end.hop, front_end.centre) = (512, 160, centre);
        front_end.window = Window { shape, length: 400, periodic: true };
        front_end.mel.bands = 40;
    };
    let mut short_edge = with(13, |_| ());
    short(&mut short_edge, Shape::Hamming, Centre::Edge);
    let mut uncentred = with(13, |_| ());
    short(&mut uncentred, Shape::Blackman, Centre::None);
    let htk = with(13, |f| {
        f.mel = Mel { bands: 40, scale: MelScale::Htk, low: 50.0, high: Some(8000.0), ..f.mel.clone() };
    });
    let magnitude = with(20, |f| (f.power, f.mel.norm) = (1.0, MelNorm::None));
    for (name, front_end) in [
        ("htk", htk),
        ("dct3-lifter", with(20, |f| (f.dct.kind, f.lifter) = (3, 22.0))),
        ("dct1", with(20, |f| f.dct.kind = 1)),
        ("dct2-plain", with(20, |f| f.dct.norm = DctNorm::None)),
        ("magnitude", magnitude),
        ("short-edge", short_edge),
        ("uncentred", uncentred),
    ] {
        let found = Extractor::<f64>::new(&front_end).unwrap().mfcc(&samples("voice")).unwrap();
        let expected = golden(&format!("free-{name}"));
        // The plain transform has values 16 times as large, the lifter 12 times.
        let scale = if matches!(name, "dct2-plain" | "dct3-lifter") { 16.0 } else { 1.0 };
        let comparison = compare::features(expected.view(), found.view()).unwrap();
        assert_eq!(found.dim(), expected.dim(), "{name}");
        assert!(comparison.max <= scale * DOUBLE, "{name}: {comparison}");
    }
}

#[test]
fn mel_spectrogram_equals_librosa() {
    let found = Extractor::<f64>::new(&FrontEnd::preset("librosa-0.10").unwrap())
        .unwrap()
        .compute(Output::Mel, &samples("voice"))
        .unwrap();
    let expected = golden_f64("mel-voice");
    // librosa keeps the filters in float32, so six digits agree.
    let relative = (&found - &expected).mapv(f64::abs) / expected.mapv(|x| x.max(1e-12));
    let worst = relative.iter().copied().fold(0.0, f64::max);
    assert!(worst < 1e-5, "relative difference {worst:e}");
}

/// generate.py: np.abs(librosa.stft(voice in float64, n_fft, hop, center=True))**power, for the even length of the presets and for
/// an odd one, which is transformed by other code.
#[test]
fn power_equals_librosa() {
    let preset = FrontEnd::preset("librosa-0.10").unwrap();
    let odd = FrontEnd {
        n_fft: 601,
        hop: 1500,
        power: 1.0,
        window: Window { length: 601, ..Window::default() },
        ..preset.clone()
    };
    for (name, front_end) in [("power-voice", preset), ("magnitude-odd-voice", odd)] {
        let expected = golden_f64(name);
        let largest = expected.iter().copied().fold(0.0, f64::max);
        let double = Extractor::<f64>::new(&front_end).unwrap().compute(Output::Power, &samples("voice")).unwrap();
        assert_near(&double, &expected, 1e-13 * largest);
        let single = Extractor::<f32>::new(&front_end).unwrap().compute(Output::Power, &samples("voice")).unwrap();
        assert_near(&single, &expected, 1e-6 * largest);
    }
}

#[test]
fn outputs_belong_together() {
    let front_end = FrontEnd { log: Log { floor: sermfcc::Floor::None, ..Log::default() }, ..FrontEnd::default() };
    let extractor = Extractor::<f64>::new(&front_end).unwrap();
    let samples = samples("voice");
    let mel = extractor.compute(Output::Mel, &samples).unwrap();
    let log_mel = extractor.compute(Output::LogMel, &samples).unwrap();
    assert_near(&mel.mapv(|x| 10.0 * x.max(1e-10).log10()), &log_mel, 1e-9);
}
