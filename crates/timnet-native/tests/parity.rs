//! The engine against a training run that Keras recorded (fixtures/timnet).

mod support;

use std::{fs::File, path::PathBuf, sync::Arc};

use ndarray::{Array1, Array2, Array3};
use ndarray_npy::NpzReader;
use safetensors::SafeTensors;
use serengine::{Batch, Dataset, Engine, Objective, Settings, Weights};
use support::{fixture, floats, integers, weights, worst};
use timnet_core::ModelConfig;
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
        let running: Vec<f32> = config
            .layout()
            .unwrap()
            .running()
            .iter()
            .flat_map(|t| floats(&file, &format!("final.{}", t.name)))
            .collect();
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

/// The official network's own run on EMODB, in SER_KERAS or in shared/data/keras beside the repository.
#[test]
#[ignore = "needs ../shared/data/keras (or SER_KERAS)"]
fn the_official_run_is_reproduced() {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/keras");
    let folder = std::env::var_os("SER_KERAS").map_or_else(beside, PathBuf::from);
    let path = folder.join("timnet_n8.npz");
    let file = File::open(&path).unwrap_or_else(|e| panic!("{}: {e}; SER_KERAS may name its folder", path.display()));
    let mut npz = NpzReader::new(file).unwrap();
    let weights = |name: &str| {
        let weights = timnet_keras::read(&folder.join(name)).unwrap();
        let config = ModelConfig { dropout: 0.0, ..weights.settings().unwrap() };
        Weights { layout: Arc::new(config.layout().unwrap()), ..weights }
    };
    let features: Array3<f32> = npz.by_name("features").unwrap();
    let labels: Array1<i64> = npz.by_name("labels").unwrap();
    let labels = labels.iter().map(|&label| label as usize).collect();
    let dataset = Arc::new(Dataset::new(features.into_raw_vec_and_offset().0, labels, 188, 39).unwrap());

    let trained = Network::from_weights(&weights("timnet_n8_after20.hdf5")).unwrap();
    let (mut scales, mut embeddings, mut probabilities) = (Vec::new(), Vec::new(), Vec::new());
    let eval: Array1<i64> = npz.by_name("eval_indices").unwrap();
    for &i in &eval {
        let output = trained.forward(dataset.utterance(i as usize), 188).unwrap();
        scales.extend(output.scales);
        embeddings.extend(output.embedding);
        probabilities.extend(output.probabilities);
    }
    let stacked: Array3<f32> = npz.by_name("stacked_g").unwrap();
    let stacked = stacked.into_raw_vec_and_offset().0;
    let mut recorded = |name: &str| -> Vec<f32> {
        let values: Array2<f32> = npz.by_name(name).unwrap();
        values.into_raw_vec_and_offset().0
    };
    let relative = worst(&scales, &stacked) / stacked.iter().fold(0.0f32, |m, v| m.max(v.abs()));
    let inference = [
        ("g_j, relative to the largest", relative, 1e-5),
        ("g_drf", worst(&embeddings, &recorded("g_drf")), 1e-3),
        ("probabilities", worst(&probabilities, &recorded("probabilities")), 1e-5),
    ];
    println!("{inference:?}");
    for (what, difference, tolerance) in inference {
        assert!(difference <= tolerance, "{what} differ by {difference}");
    }

    let indices: Array2<i64> = npz.by_name("batch_indices").unwrap();
    let batches: Vec<Batch> = indices
        .rows()
        .into_iter()
        .map(|row| Batch { indices: row.iter().map(|&i| i as u32).collect(), dropout: Vec::new() })
        .collect();
    let start = weights("timnet_n8_init.hdf5");
    let mut engine = NativeEngine::new(dataset, start, Objective::default()).unwrap();
    let losses: Vec<f32> = engine.train(&batches).unwrap().iter().map(|o| o.loss).collect();
    let apart = |expected: &[f64]| -> Vec<f64> {
        losses.iter().zip(expected).map(|(&a, b)| (f64::from(a) - b).abs()).collect()
    };
    let single: Array1<f64> = npz.by_name("losses").unwrap();
    let double = include_str!("../../../fixtures/timnet/official_losses_f64.txt");
    let double: Vec<f64> = double.lines().map(|line| line.parse().unwrap()).collect();
    let (recorded, exact) = (apart(&single.to_vec()), apart(&double));
    assert_eq!((recorded.len(), exact.len()), (20, 20));
    println!("losses, from the recorded run: {recorded:?}\nfrom Keras in f64: {exact:?}");
    // Training amplifies rounding about fivefold a step (fixtures/timnet/README.md), so late losses can only be near.
    assert!(exact[..4].iter().all(|&d| d < 1e-5) && recorded[..4].iter().all(|&d| d < 2e-4));
    assert!(exact.iter().chain(&recorded).all(|&d| d < 3e-2));
}
