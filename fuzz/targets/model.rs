//! Any bytes as a model file, and a good one with some bytes changed: an error, or a model that is written as it was read and whose
//! every answer is a distribution.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sermfcc::FrontEnd;
use sermodel::{Card, Listener, Model, Windows};
use serengine::{Settings, streams};
use timnet_core::ModelConfig;

#[path = "../patched.rs"]
mod patched;

/// One block, two coefficients: most of the file is header.
static GOOD: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let config = ModelConfig { coefficients: 2, filters: 2, ..ModelConfig::timnet(1, 2) };
    let weights = streams::initial(&config.layout().expect("a layout").into(), streams::Key { seed: 1, fold: 0 });
    let front_end = FrontEnd::timnet_0_8_1()
        .with(|f| (f.sample_rate, f.n_fft, f.hop_length, f.n_mels, f.n_mfcc) = (8000, 256, 128, 16, 2));
    let model = Model::new(weights, Card::new(["calm", "excited"], front_end, 4000));
    model.expect("a model").to_bytes().expect("a model can be written")
});

fuzz_target!(|data: &[u8]| {
    let Some(bytes) = patched::bytes(data, &GOOD) else { return };
    let Ok(model) = Model::from_bytes(&bytes) else { return };
    let written = model.to_bytes().expect("a model that was read can be written");
    let again = Model::from_bytes(&written).expect("what was written can be read");
    assert_eq!(again.to_bytes().expect("and written again"), written);
    // Long utterances are slow and show nothing that short ones do not.
    let (rate, length) = (model.card().front_end.sample_rate, model.card().length);
    if length > 20_000 {
        return;
    }
    let samples: Vec<f32> = (0..length).map(|n| (n as f32 * 0.1).sin()).collect();
    if let Ok(answer) = model.predict(&samples, rate) {
        let sum: f32 = answer.probabilities.iter().sum();
        assert!((sum - 1.0).abs() < 1e-4 && answer.label < model.labels().len(), "{answer:?}");
    }
    if let Ok(mut listener) = Listener::new(&model, rate, Windows::of(&model), true) {
        let windows = listener.push(&samples).len() + listener.finish().len();
        assert!(windows > 0);
    }
});
