//! The engine's hand-derived gradients against derivatives taken value by value in f64, for random networks.

#![allow(clippy::unwrap_used)]
mod support;

use std::sync::Arc;

use proptest::prelude::*;
use serengine::{
    Batch, Dataset, Engine, Objective, Settings, Weights,
    streams::{self, Key},
};
use support::{Mode, naive};
use timnet_core::{ModelConfig, TcnPooling, Variant};
use timnet_native::{NativeEngine, Network, Simd};

#[derive(Clone, Debug)]
struct Case {
    config: ModelConfig,
    frames: usize,
    batch: usize,
    seed: u64,
    simd: Simd,
    weighted: bool,
}

impl Case {
    /// Where weighted, the classes have weights 0.5, 1.25, 2 and so on.
    fn objective(&self) -> Objective {
        let weights = (0..self.config.classes).map(|class| 0.5 + 0.75 * class as f64);
        Objective { class_weights: weights.filter(|_| self.weighted).collect(), ..Objective::default() }
    }
}

prop_compose! {
    fn cases()(
        variant in prop::sample::select(Variant::ALL.to_vec()),
        mean in any::<bool>(),
        blocks in 1usize..=4,
        classes in 2usize..6,
        filters in prop::sample::select(vec![3, 8, 13, 39, 39, 50]),
        // As many coefficients as filters, fewer, one more, many more.
        wider in prop::sample::select(vec![0, 0, -2, 1, 60]),
        kernel_size in prop::sample::select(vec![2, 2, 1, 3, 5]),
        dropout in prop::sample::select(vec![0.0, 0.1, 0.4]),
        frames in 5usize..24,
        batch in 3usize..5,
        seed in any::<u64>(),
        simd in prop::sample::select(Simd::available()),
        weighted in any::<bool>(),
    ) -> Case {
        let tcn_pooling = if mean { TcnPooling::Mean } else { TcnPooling::Last };
        let coefficients = (filters as i64 + wider) as usize;
        let sizes = ModelConfig { coefficients, filters, ..ModelConfig::of(variant, blocks, classes) };
        let config = ModelConfig { kernel_size, dropout, tcn_pooling, ..sizes };
        Case { config, frames, batch, seed, simd, weighted }
    }
}

/// Weights away from their initial symmetric values, features with means, and one batch with masks.
fn setting(case: &Case) -> (Weights, Arc<Dataset>, Batch) {
    let Case { config, frames, batch, seed, .. } = case;
    let key = Key { seed: *seed, fold: 0 };
    let mut weights = streams::initial(&Arc::new(config.layout().unwrap()), key);
    let mut state = seed | 1;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    weights.parameters.iter_mut().for_each(|p| *p += 0.1 * noise());
    weights.statistics.iter_mut().for_each(|p| *p += 0.3 * noise());
    let features = (0..batch * frames * config.coefficients).map(|_| 2.0 * noise() + 0.5).collect();
    let labels = (0..*batch).map(|i| i % config.classes).collect();
    let dataset = Dataset::new(features, labels, *frames, config.coefficients).unwrap();
    let order: Vec<usize> = (0..*batch).collect();
    let batch = streams::epoch(&weights.layout, key, 0, &order, *batch).remove(0);
    (weights, Arc::new(dataset), batch)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(50) })]
    #[test]
    fn gradients_are_the_derivatives(case in cases()) {
        let (weights, dataset, batch) = setting(&case);
        let (config, parameters) = (&case.config, &weights.parameters);
        let objective = case.objective();
        let wide: Vec<f64> = parameters.iter().map(|&p| f64::from(p)).collect();
        let x: Vec<&[f32]> = batch.indices.iter().map(|&i| dataset.utterance(i as usize)).collect();
        let labels: Vec<usize> = batch.indices.iter().map(|&i| dataset.labels()[i as usize]).collect();
        let expected = naive(config, &wide, &x, &labels, &objective, &Mode::Train { dropout: &batch.dropout });
        prop_assume!(expected.kink > 3e-6);

        let mut engine = NativeEngine::with_simd(dataset.clone(), weights.clone(), objective.clone(), case.simd).unwrap();
        let outcome = engine.train(std::slice::from_ref(&batch)).unwrap()[0];
        prop_assert!((f64::from(outcome.loss) - expected.loss).abs() < 1e-5, "{} {}", outcome.loss, expected.loss);
        // After one step Adam's first moment is (1 - beta1) times the gradient.
        let state = engine.state().unwrap();
        let largest_of = |gradient: &[f64]| gradient.iter().fold(0.0f64, |m, g| m.max(g.abs()));
        // Terms of the size of all gradients cancel in a small one, and what single precision loses is of their size: a fusion weight
        // of one block was once 2.6e-4 where others were near 1.
        let least = (0.01 * largest_of(&expected.gradient)).max(1e-4);
        for t in weights.layout.tensors() {
            let largest = largest_of(&expected.gradient[t.range.all()]).max(least);
            for i in t.range.all() {
                let found = f64::from(state.first_moment[i]) / (1.0 - objective.adam.beta1);
                let error = (found - expected.gradient[i]).abs() / largest;
                prop_assert!(error < 1e-4, "{}[{}]: {found}, expected {}", t.name, i - t.range.start, expected.gradient[i]);
            }
        }
    }

    #[test]
    fn inference_is_the_naive_network(case in cases()) {
        let (weights, dataset, _) = setting(&case);
        let network = Network::with_simd(&weights, case.simd).unwrap();
        let wide: Vec<f64> = weights.parameters.iter().map(|&p| f64::from(p)).collect();
        let x = dataset.utterance(0);
        let mode = Mode::Infer { statistics: &weights.statistics };
        let expected = naive(&case.config, &wide, &[x], &[0], &case.objective(), &mode);
        let output = network.forward(x, case.frames).unwrap();
        let scale = expected.logits[0].iter().fold(1.0f64, |m, v| m.max(v.abs()));
        for (found, expected) in output.logits.iter().zip(&expected.logits[0]) {
            prop_assert!((f64::from(*found) - expected).abs() < 1e-5 * scale, "{found} {expected}");
        }
        let (embedding, logits) = network.embed(x, case.frames).unwrap();
        prop_assert_eq!((embedding, logits), (output.embedding, output.logits));
    }
}

/// The tape itself, against finite differences.
#[test]
fn the_reference_is_differentiated_rightly() {
    for variant in Variant::ALL {
        let config = ModelConfig { coefficients: 4, filters: 3, kernel_size: 3, ..ModelConfig::of(variant, 2, 3) };
        let case = Case { config: config.clone(), frames: 6, batch: 3, seed: 5, simd: Simd::detect(), weighted: false };
        let (weights, dataset, batch) = setting(&case);
        let x: Vec<&[f32]> = (0..3).map(|i| dataset.utterance(i)).collect();
        let mode = Mode::Train { dropout: &batch.dropout };
        let mut p: Vec<f64> = weights.parameters.iter().map(|&p| f64::from(p)).collect();
        let gradient = naive(&config, &p, &x, dataset.labels(), &case.objective(), &mode).gradient;
        for i in 0..p.len() {
            let (at, step) = (p[i], 1e-6);
            p[i] = at + step;
            let above = naive(&config, &p, &x, dataset.labels(), &case.objective(), &mode).loss;
            p[i] = at - step;
            let below = naive(&config, &p, &x, dataset.labels(), &case.objective(), &mode).loss;
            p[i] = at;
            let slope = (above - below) / (2.0 * step);
            assert!((slope - gradient[i]).abs() < 1e-7, "{variant} {i}: {slope} {}", gradient[i]);
        }
    }
}

#[test]
fn a_run_repeats_byte_for_byte_and_resumes() {
    let config = ModelConfig::timnet(3, 4);
    let case = Case { config, frames: 20, batch: 7, seed: 9, simd: Simd::detect(), weighted: false };
    let (weights, dataset, batch) = setting(&case);
    let engine = || NativeEngine::new(dataset.clone(), weights.clone(), Objective::default()).unwrap();
    let (mut once, mut again) = (engine(), engine());
    let batches = vec![batch; 4];
    once.train(&batches).unwrap();
    again.train(&batches[..1]).unwrap();
    let saved = again.state().unwrap();
    let mut resumed = engine();
    resumed.restore(&saved).unwrap();
    resumed.train(&batches[1..]).unwrap();
    assert_eq!(once.state().unwrap(), resumed.state().unwrap());
}

#[test]
fn what_does_not_fit_is_an_error() {
    let case =
        Case { config: ModelConfig::timnet(2, 3), frames: 5, batch: 3, seed: 1, simd: Simd::detect(), weighted: false };
    let (weights, dataset, batch) = setting(&case);
    let mut engine = NativeEngine::new(dataset.clone(), weights.clone(), Objective::default()).unwrap();
    let train = |engine: &mut NativeEngine, b: Batch| engine.train(&[b]).unwrap_err().to_string();
    assert!(train(&mut engine, Batch { indices: vec![], dropout: vec![] }).contains("without utterances"));
    assert!(train(&mut engine, Batch { indices: vec![3], dropout: vec![] }).contains("utterance 3"));
    assert!(train(&mut engine, Batch { indices: vec![0], ..batch }).contains("dropout factors"));
    assert!(engine.predict(&[9]).is_err());
    let network = Network::from_weights(&weights).unwrap();
    assert!(network.forward(&[], 0).is_err());
    assert!(network.forward(&[0.0; 40], 1).is_err());
    let short = Weights { parameters: vec![0.0; 3], ..weights };
    assert!(Network::from_weights(&short).is_err());
    assert!(NativeEngine::new(dataset, short, Objective::default()).is_err());
}
