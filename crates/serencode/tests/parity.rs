//! Equal to PyTorch: every file and output of `../shared/data/encoders` (its README says how they were made), two of them copied to
//! `fixtures/encoders` by the script that lies there.

#![allow(clippy::unwrap_used)]

use std::fs::File;
use std::path::{Path, PathBuf};

use ndarray::{Array1, ArrayD, IxDyn};
use ndarray_npy::NpzReader;
use serencode::{Classifier, Encoder, Layers, Scaling, Settings};

/// Largest difference to PyTorch, as the specification wants it.
const LIMIT: f32 = 2e-5;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/encoders")
}

fn shared(part: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(part)
}

fn array(file: &Path, name: &str) -> ArrayD<f32> {
    NpzReader::new(File::open(file).unwrap()).unwrap().by_name::<ndarray::OwnedRepr<f32>, IxDyn>(name).unwrap()
}

fn samples(file: &Path, name: &str) -> Vec<f32> {
    let samples: Array1<i16> = NpzReader::new(File::open(file).unwrap()).unwrap().by_name(name).unwrap();
    samples.iter().map(|&sample| f32::from(sample) / 32768.0).collect()
}

fn raw() -> Settings {
    Settings::default().with(|s| s.input = Some(Scaling::None))
}

/// Compares with [1, T, D] or [1, D].
fn compare(found: &ndarray::Array2<f32>, expected: &ArrayD<f32>, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}: {:?} and {:?}", found.dim(), expected.shape());
    let difference = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    eprintln!("{what}: {difference:e}");
    assert!(difference <= LIMIT, "{what}: {difference}");
}

fn compare_layers(model: &Path, outputs: &Path, key: &str, samples: &[f32], what: &str) {
    let expected = array(outputs, key);
    let [_, layers, time, width] = expected.shape()[..] else { panic!("{:?}", expected.shape()) };
    for layer in 0..layers {
        let encoder = Encoder::open(model, &raw().with(|s| s.layers = Some(Layers::One(layer)))).unwrap();
        let expected = expected.index_axis(ndarray::Axis(1), layer).to_owned();
        compare(&encoder.frames(samples).unwrap(), &expected, &format!("{what}, layer {layer}"));
    }
    for (setting, range) in [(Layers::Mean, 0..=layers - 1), (Layers::Range(1..=2), 1..=2)] {
        let mut mean = ArrayD::zeros(IxDyn(&[1, time, width]));
        range.clone().for_each(|layer| mean += &expected.index_axis(ndarray::Axis(1), layer));
        mean /= range.count() as f32;
        let encoder = Encoder::open(model, &raw().with(|s| s.layers = Some(setting.clone()))).unwrap();
        compare(&encoder.frames(samples).unwrap(), &mean, &format!("{what}, layers {setting}"));
    }
}

fn compare_classifier(folder: &Path, logits: &ArrayD<f32>, hidden: &ArrayD<f32>, samples: &[f32], what: &str) {
    let encoder = Encoder::open(folder, &Settings::default()).unwrap();
    assert!(encoder.is_vector());
    compare(&encoder.frames(samples).unwrap(), hidden, &format!("{what}, hidden_states"));
    let logits_too =
        Encoder::open(folder, &Settings::default().with(|s| s.output = Some("logits".to_owned()))).unwrap();
    compare(&logits_too.frames(samples).unwrap(), logits, &format!("{what}, logits"));
    let classifier = Classifier::open(folder, &Settings::default()).unwrap();
    assert_eq!(classifier.labels(), ["ang", "hap", "neu", "sad"]);
    let weights: Vec<f64> = logits.iter().map(|&logit| f64::from(logit).exp()).collect();
    for (found, weight) in classifier.classify(samples).unwrap().iter().zip(&weights) {
        assert!(
            (f64::from(*found) - weight / weights.iter().sum::<f64>()).abs() <= f64::from(LIMIT),
            "{what}: {found}"
        );
    }
}

#[test]
fn layers_of_wavlm() {
    let (outputs, signals) = (fixtures().join("outputs.npz"), fixtures().join("signals.npz"));
    for signal in ["half", "noise"] {
        let key = format!("wavlm-layers-{signal}-hidden_states");
        compare_layers(&fixtures().join("wavlm-layers.onnx"), &outputs, &key, &samples(&signals, signal), signal);
    }
}

#[test]
fn classifier_as_optimum_lays_it_out() {
    let (outputs, signals) = (fixtures().join("outputs.npz"), fixtures().join("signals.npz"));
    for signal in ["half", "noise"] {
        let logits = array(&outputs, &format!("classifier-{signal}-logits"));
        let hidden = array(&outputs, &format!("classifier-{signal}-hidden_states"));
        compare_classifier(&fixtures().join("classifier"), &logits, &hidden, &samples(&signals, signal), signal);
    }
}

#[test]
#[ignore = "needs ../shared/data/encoders"]
fn every_file_and_output() {
    let (outputs, signals) = (shared("encoders/outputs.npz"), shared("presets/signals.npz"));
    let speech = samples(&signals, "speech");
    let signals =
        [("speech", speech.clone()), ("half", speech[..16_000].to_vec()), ("noise", samples(&signals, "noise"))];
    for (signal, samples) in &signals {
        for name in ["wav2vec2", "wavlm", "hubert", "wav2vec2-large-style", "wav2vec2-dynamo"] {
            let encoder = Encoder::open(&shared("encoders").join(format!("{name}.onnx")), &raw()).unwrap();
            let expected = array(&outputs, &format!("{name}/{signal}/y"));
            compare(&encoder.frames(samples).unwrap(), &expected, &format!("{name}, {signal}"));
        }
        let key = format!("wavlm-layers/{signal}/hidden_states");
        compare_layers(
            &shared("encoders/wavlm-layers.onnx"),
            &outputs,
            &key,
            samples,
            &format!("wavlm-layers, {signal}"),
        );
        let logits = array(&outputs, &format!("classifier/{signal}/logits"));
        let hidden = array(&outputs, &format!("classifier/{signal}/hidden_states"));
        compare_classifier(&shared("encoders/classifier"), &logits, &hidden, samples, &format!("classifier, {signal}"));
    }
    // 30,372 samples are speech in 95 of the 1,500 frames; 400 are kept in the data.
    let whisper = Encoder::open(&shared("encoders/whisper-encoder.onnx"), &Settings::default()).unwrap();
    let expected = array(&outputs, "whisper-encoder/speech/y").slice_axis(ndarray::Axis(1), (0..95).into()).to_owned();
    compare(&whisper.frames(&speech).unwrap(), &expected, "whisper-encoder, speech");
}
