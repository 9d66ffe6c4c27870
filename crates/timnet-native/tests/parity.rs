//! The engine against a training run that Keras recorded (fixtures/timnet).

mod support;

use std::sync::Arc;

use safetensors::SafeTensors;
use support::{fixture, floats, integers, weights, worst};
use timnet_core::{Batch, Dataset, Engine, Layout, ModelConfig, Objective};
use timnet_native::{NativeEngine, Network, Simd};

#[test]
fn a_recorded_keras_run_is_reproduced() {
    let bytes = fixture();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let config = ModelConfig { dropout: 0.0, ..ModelConfig::timnet(2, 3) };
    let dataset =
        Arc::new(Dataset::new(floats(&file, "features"), integers(&file, "labels"), 16, config.coefficients).unwrap());
    let batches: Vec<Batch> = integers(&file, "batch_indices")
        .chunks(8)
        .map(|indices| Batch { indices: indices.iter().map(|&i| i as u32).collect(), dropout: Vec::new() })
        .collect();
    for simd in Simd::available() {
        let weights = weights(&file, "init", &config);
        let mut engine = NativeEngine::with_simd(dataset.clone(), weights, Objective::default(), simd).unwrap();
        let losses: Vec<f32> = engine.train(&batches).unwrap().iter().map(|o| o.loss).collect();
        let state = engine.state().unwrap();
        let running: Vec<f32> =
            Layout::new(&config).running.iter().flat_map(|t| floats(&file, &format!("final.{}", t.name))).collect();
        let all: Vec<usize> = (0..dataset.len()).collect();
        let predictions = engine.predict(&all).unwrap();
        let probabilities = predictions.probabilities(3).concat();
        let differences = [
            ("losses", worst(&losses, &floats(&file, "losses")), 1e-6),
            ("running statistics", worst(&state.weights.statistics, &running), 1e-5),
            ("g_drf", worst(&predictions.embeddings, &floats(&file, "final.g_drf")), 1e-5),
            ("logits", worst(&predictions.logits, &floats(&file, "final.logits")), 1e-5),
            ("probabilities", worst(&probabilities, &floats(&file, "final.probabilities")), 1e-6),
        ];
        println!("{}: {differences:?}", simd.name());
        for (what, difference, tolerance) in differences {
            assert!(difference <= tolerance, "{}: {what} differ by {difference}", simd.name());
        }
        let network = Network::with_simd(&state.weights, simd).unwrap();
        let output = network.forward(dataset.utterance(3), 16).unwrap();
        assert_eq!(output.logits, predictions.logits[9..12]);
        assert_eq!(output.attention.len(), 2 * 16);
        assert!(output.attention.iter().all(|a| (0.5..1.0).contains(a)));
    }
}

/// The official network's own run on EMODB, in the form that `benches/keras_peer.py convert` writes.
#[test]
fn the_official_run_is_reproduced() {
    let Some(path) = std::env::var_os("SER_KERAS_RUN") else {
        println!("skipped: SER_KERAS_RUN names no file");
        return;
    };
    let bytes = std::fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let config = ModelConfig { dropout: 0.0, ..ModelConfig::timnet(8, 7) };
    let dataset = Arc::new(Dataset::new(floats(&file, "features"), integers(&file, "labels"), 188, 39).unwrap());

    let trained = Network::from_weights(&weights(&file, "trained", &config)).unwrap();
    let (mut scales, mut embeddings, mut probabilities) = (Vec::new(), Vec::new(), Vec::new());
    for i in integers(&file, "eval_indices") {
        let output = trained.forward(dataset.utterance(i), 188).unwrap();
        scales.extend(output.scales);
        embeddings.extend(output.embedding);
        probabilities.extend(output.probabilities);
    }
    let stacked = floats(&file, "stacked_g");
    let relative = worst(&scales, &stacked) / stacked.iter().fold(0.0f32, |m, v| m.max(v.abs()));
    let inference = [
        ("g_j, relative to the largest", relative, 1e-5),
        ("g_drf", worst(&embeddings, &floats(&file, "g_drf")), 1e-3),
        ("probabilities", worst(&probabilities, &floats(&file, "probabilities")), 1e-5),
    ];
    println!("{inference:?}");
    for (what, difference, tolerance) in inference {
        assert!(difference <= tolerance, "{what} differ by {difference}");
    }

    let batches: Vec<Batch> = integers(&file, "batch_indices")
        .chunks(64)
        .map(|indices| Batch { indices: indices.iter().map(|&i| i as u32).collect(), dropout: Vec::new() })
        .collect();
    let mut engine = NativeEngine::new(dataset, weights(&file, "init", &config), Objective::default()).unwrap();
    let losses: Vec<f32> = engine.train(&batches).unwrap().iter().map(|o| o.loss).collect();
    let apart =
        |name: &str| -> Vec<f32> { losses.iter().zip(floats(&file, name)).map(|(a, b)| (a - b).abs()).collect() };
    let (recorded, exact) = (apart("losses"), apart("losses_f64"));
    println!("losses, from the recorded run: {recorded:?}\nfrom Keras in f64: {exact:?}");
    // Training amplifies rounding about fivefold a step (fixtures/timnet/README.md), so late losses can only be near.
    assert!(exact[..4].iter().all(|&d| d < 1e-5) && recorded[..4].iter().all(|&d| d < 2e-4));
    assert!(exact.iter().chain(&recorded).all(|&d| d < 3e-2));
}
