//! The CPU engine against libtorch: its gradients against autograd in double precision, and training side by side.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::sync::Arc;

use proptest::prelude::*;
use serengine::{
    Adam, Batch, Dataset, Engine, Layout, Objective, RateSchedule, Settings, TrainState, Weights,
    streams::{self, Key},
};
use sertorch::{
    TorchEngine,
    tch::{self, Device, Kind},
};
use timnet::TimNet;
use timnet_core::{ModelConfig, TcnPooling, Variant};
use timnet_native::NativeEngine;

/// Smooth made-up features in which the class shows, and weights away from their symmetric start.
fn setting(config: &ModelConfig, utterances: usize, frames: usize, key: Key) -> (Weights, Arc<Dataset>) {
    let mut weights = streams::initial(&Arc::new(config.layout().unwrap()), key);
    let noise = |i: usize| ((i as f32 + key.seed as f32).sin() * 43_758.547).fract();
    weights.parameters.iter_mut().enumerate().for_each(|(i, p)| *p += 0.1 * noise(i));
    let labels: Vec<usize> = (0..utterances).map(|i| i % config.classes).collect();
    let size = frames * config.coefficients;
    let features = (0..utterances * size).map(|i| noise(i) * 2.0 + noise(i / size % config.classes + i % 7)).collect();
    let data = Dataset::new(features, labels, frames, config.coefficients).unwrap();
    (weights, Arc::new(data))
}

fn batches(layout: &Layout, key: Key, epoch: u32, utterances: usize, size: usize) -> Vec<Batch> {
    streams::epoch(layout, key, epoch, &(0..utterances).collect::<Vec<_>>(), size)
}

prop_compose! {
    fn cases()(
        variant in prop::sample::select(Variant::ALL.to_vec()),
        mean in any::<bool>(),
        blocks in 1usize..=6,
        classes in 2usize..8,
        frames in 5usize..80,
        utterances in 3usize..12,
        dropout in prop::sample::select(vec![0.0, 0.1, 0.4]),
        coefficients in prop::sample::select(vec![39, 39, 20, 100]),
        seed in 0u64..10_000,
    ) -> (ModelConfig, usize, usize, Key) {
        let tcn_pooling = if mean { TcnPooling::Mean } else { TcnPooling::Last };
        let config = ModelConfig { coefficients, dropout, tcn_pooling, ..ModelConfig::of(variant, blocks, classes) };
        (config, utterances, frames, Key { seed, fold: 0 })
    }
}

/// Norm of the difference of each tensor, relative to the tensor's own; a bias before BatchNorm has gradient 0 but for rounding.
fn apart(layout: &Layout, found: &[f32], expected: &[f32]) -> Vec<(String, f64)> {
    let norm = |values: &mut dyn Iterator<Item = f32>| values.map(|v| f64::from(v).powi(2)).sum::<f64>().sqrt();
    let tensors = layout.tensors().iter();
    tensors
        .map(|t| {
            let (found, expected) = (&found[t.range.all()], &expected[t.range.all()]);
            let size = norm(&mut expected.iter().copied()).max(1e-3);
            (t.name.clone(), norm(&mut found.iter().zip(expected).map(|(a, b)| a - b)) / size)
        })
        .collect()
}

/// Weights moved by at most 2e-6 of their size: about what single precision's rounding does to a ReLU's argument.
fn nudged(weights: &Weights, round: u32) -> Weights {
    let mut moved = weights.clone();
    let noise = streams::initial(&weights.layout, Key { seed: u64::from(round), fold: 9 }).parameters;
    for (i, p) in moved.parameters.iter_mut().enumerate() {
        let r = ((i as f32 + noise[i % 1000] * 1e3).sin() * 43_758.547).fract();
        *p *= 1.0 + 2e-6 * r;
    }
    moved
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 50, failure_persistence: None, ..ProptestConfig::default() })]

    /// Adam's first moment after one step is (1 - beta1) times the gradient.
    ///
    /// Where a frame sits on a ReLU's corner its slope is either one, and rounding decides: then the gradient has to be
    /// autograd's at weights that differ by rounding, for all tensors at once.
    #[test]
    fn gradients_equal_autograds((config, utterances, frames, key) in cases()) {
        tch::set_num_threads(1);
        let (weights, data) = setting(&config, utterances, frames, key);
        let batch = batches(&weights.layout, key, 1, utterances, utterances).remove(0);
        let mut native = NativeEngine::new(Arc::clone(&data), weights.clone(), Objective::default()).unwrap();
        let loss = native.train(std::slice::from_ref(&batch)).unwrap()[0].loss;
        let state = native.state().unwrap();
        let scale = 1.0 / (1.0 - Objective::default().adam.beta1) as f32;
        let found: Vec<f32> = state.first_moment.iter().map(|m| m * scale).collect();
        let autograd = |weights: Weights, kind| {
            let network = TimNet::of(&weights).unwrap();
            let start = TrainState::start(weights);
            let mut engine = TorchEngine::with_kind(network, &start, &data, Objective::default(), Device::Cpu, kind).unwrap();
            let gradient = engine.gradient(&batch).unwrap();
            (gradient, engine.state().unwrap().weights)
        };
        let ((expected_loss, expected), after) = autograd(weights.clone(), Kind::Double);
        let ((_, single), _) = autograd(weights.clone(), Kind::Float);
        prop_assert!((loss - expected_loss).abs() < 1e-5 * expected_loss.abs().max(1.0), "{loss} {expected_loss}");
        for (o, t) in state.weights.statistics.iter().zip(&after.statistics) {
            prop_assert!((o - t).abs() < 1e-5 * t.abs().max(1.0), "running statistics: {o} {t}");
        }
        // Where three utterances of five frames make BatchNorm ill-conditioned, single precision itself is off.
        let libtorchs = apart(&weights.layout, &single, &expected);
        let equal = |expected: &[f32]| {
            let ours = apart(&weights.layout, &found, expected);
            ours.into_iter().zip(&libtorchs).find(|((_, ours), (_, theirs))| *ours >= f64::max(1e-4, 3.0 * theirs))
        };
        let Some(first) = equal(&expected) else { return Ok(()) };
        let near = (1..=32).any(|round| equal(&autograd(nudged(&weights, round), Kind::Double).0.1).is_none());
        prop_assert!(near, "{first:?} (ours, libtorch's own rounding)");
    }
}

#[test]
fn a_hundred_steps_side_by_side() {
    tch::set_num_threads(1);
    let config = ModelConfig::timnet(5, 4);
    let key = Key { seed: 7, fold: 0 };
    let (weights, data) = setting(&config, 40, 60, key);
    let mut native = NativeEngine::new(Arc::clone(&data), weights.clone(), Objective::default()).unwrap();
    let (network, layout) = (TimNet::of(&weights).unwrap(), Arc::clone(&weights.layout));
    let start = TrainState::start(weights);
    let mut torch = TorchEngine::new(network, &start, &data, Objective::default(), Device::Cpu).unwrap();
    let all: Vec<usize> = (0..40).collect();
    let mut largest = 0f32;
    for epoch in 1..=20 {
        let batches = batches(&layout, key, epoch, 40, 8);
        let pairs = native.train(&batches).unwrap().into_iter().zip(torch.train(&batches).unwrap());
        largest = pairs.fold(largest, |m, (a, b)| m.max((a.loss - b.loss).abs()));
    }
    let (a, b) = (native.predict(&all).unwrap(), torch.predict(&all).unwrap());
    let apart = |a: Vec<Vec<f32>>, b: Vec<Vec<f32>>| {
        a.concat().iter().zip(b.concat()).map(|(a, b)| (a - b).abs()).fold(0f32, f32::max)
    };
    let probabilities = apart(a.probabilities(4), b.probabilities(4));
    println!("100 steps: losses differ by at most {largest:e}, probabilities by {probabilities:e}");
    assert!(largest < 2e-3 && probabilities < 1e-2, "{largest} {probabilities}");
}

#[test]
fn inference_equals_libtorch() {
    tch::set_num_threads(1);
    for variant in Variant::ALL {
        let config = ModelConfig::of(variant, 8, 7);
        let key = Key { seed: 3, fold: 0 };
        let (weights, data) = setting(&config, 6, 188, key);
        let mut native = NativeEngine::new(Arc::clone(&data), weights.clone(), Objective::default()).unwrap();
        let network = TimNet::of(&weights).unwrap();
        let mut torch =
            TorchEngine::new(network, &TrainState::start(weights), &data, Objective::default(), Device::Cpu).unwrap();
        let all: Vec<usize> = (0..6).collect();
        let (a, b) = (native.predict(&all).unwrap(), torch.predict(&all).unwrap());
        let scale = b.logits.iter().fold(1f32, |m, v| m.max(v.abs()));
        for (a, b) in a.logits.iter().zip(&b.logits) {
            assert!((a - b).abs() < 1e-5 * scale, "{variant}: {a} {b}");
        }
    }
}

/// The features of a speech encoder: 768 coefficients a frame to 39 filters, every network.
#[test]
fn wide_features_equal_libtorch() {
    for variant in Variant::ALL {
        equal_libtorch(&ModelConfig { coefficients: 768, ..ModelConfig::of(variant, 3, 4) });
    }
}

/// Kernels of one, three and five taps, every network; the last reach beyond the first of the 20 frames.
#[test]
fn kernels_of_any_size_equal_libtorch() {
    for (variant, kernel_size) in Variant::ALL.into_iter().flat_map(|v| [1, 3, 5].map(|k| (v, k))) {
        equal_libtorch(&ModelConfig { kernel_size, ..ModelConfig::of(variant, 3, 4) });
    }
}

/// Loss, gradient, statistics, one step, answers.
fn equal_libtorch(config: &ModelConfig) {
    tch::set_num_threads(1);
    // Adam's first step is then smooth in the gradient, whose sign is otherwise all that counts.
    let objective = Objective { adam: Adam { eps: 1e-3, ..Adam::default() }, ..Objective::default() };
    let variant = format!("{} of {} taps", config.variant, config.kernel_size);
    let key = Key { seed: 11, fold: 0 };
    let (weights, data) = setting(config, 8, 20, key);
    let layout = Arc::clone(&weights.layout);
    let batch = batches(&layout, key, 1, 8, 8);
    let mut native = NativeEngine::new(Arc::clone(&data), weights.clone(), objective.clone()).unwrap();
    let torch = |kind| {
        let (network, start) = (TimNet::of(&weights).unwrap(), TrainState::start(weights.clone()));
        TorchEngine::with_kind(network, &start, &data, objective.clone(), Device::Cpu, kind).unwrap()
    };
    let (expected_loss, gradient) = torch(Kind::Double).gradient(&batch[0]).unwrap();
    let mut double = torch(Kind::Double);
    double.train(&batch).unwrap();
    let loss = native.train(&batch).unwrap()[0].loss;
    assert!((loss - expected_loss).abs() < 1e-5, "{variant}: {loss} {expected_loss}");
    let (found, expected) = (native.state().unwrap(), double.state().unwrap());
    let scale = 1.0 / (1.0 - objective.adam.beta1) as f32;
    let found_gradient: Vec<f32> = found.first_moment.iter().map(|m| m * scale).collect();
    let largest = |differences: Vec<(String, f64)>| differences.into_iter().fold(0.0, |m: f64, (_, d)| m.max(d));
    let gradients = largest(apart(&layout, &found_gradient, &gradient));
    let steps = largest(apart(&layout, &found.weights.parameters, &expected.weights.parameters));
    let near = |a: &[f32], b: &[f32]| a.iter().zip(b).fold(0f32, |m, (a, b)| m.max((a - b).abs() / b.abs().max(1.0)));
    let statistics = near(&found.weights.statistics, &expected.weights.statistics);
    let all: Vec<usize> = (0..8).collect();
    let (found, expected) = (native.predict(&all).unwrap(), double.predict(&all).unwrap());
    let logits = near(&found.logits, &expected.logits);
    println!("{variant}: gradients {gradients:e}, parameters {steps:e}, statistics {statistics:e}, logits {logits:e}");
    assert!(gradients < 1e-4 && steps < 1e-5 && statistics < 1e-5 && logits < 1e-4, "{variant}");
    assert_eq!((found.embeddings.len(), expected.embeddings.len()), (8 * 39, 8 * 39));
}

/// Class weights and both schedules, twelve steps each: losses, parameters and answers.
#[test]
fn class_weights_and_schedules_equal_libtorch() {
    tch::set_num_threads(1);
    let config = ModelConfig::timnet(3, 4);
    let key = Key { seed: 5, fold: 0 };
    let (weights, data) = setting(&config, 12, 20, key);
    let layout = Arc::clone(&weights.layout);
    let schedules = [RateSchedule::Cosine { steps: 9, share: 0.1 }, RateSchedule::Step { every: 4, factor: 0.3 }];
    let plain = Objective { adam: Adam { eps: 1e-3, ..Adam::default() }, ..Objective::default() };
    let train = |engine: &mut dyn Engine| {
        let outcomes = (1..=4).flat_map(|epoch| engine.train(&batches(&layout, key, epoch, 12, 4)).unwrap());
        let losses: Vec<f32> = outcomes.map(|o| o.loss).collect();
        (losses, engine.state().unwrap().weights.parameters)
    };
    let native = |objective: &Objective| {
        train(&mut NativeEngine::new(Arc::clone(&data), weights.clone(), objective.clone()).unwrap())
    };
    let (plain_losses, plain_parameters) = native(&plain);
    for schedule in schedules {
        let adam = Adam { schedule, ..plain.adam };
        let objective = Objective { adam, class_weights: vec![0.25, 3.0, 1.0, 0.5], ..plain.clone() };
        let (losses, parameters) = native(&objective);
        let (network, start) = (TimNet::of(&weights).unwrap(), TrainState::start(weights.clone()));
        let mut torch = TorchEngine::new(network, &start, &data, objective, Device::Cpu).unwrap();
        let (expected_losses, expected) = train(&mut torch);
        let far = |a: &[f32], b: &[f32]| a.iter().zip(b).fold(0f32, |m, (a, b)| m.max((a - b).abs()));
        let (losses_apart, parameters_apart) = (far(&losses, &expected_losses), far(&parameters, &expected));
        println!("{schedule:?}: losses differ by {losses_apart:e}, parameters by {parameters_apart:e}");
        assert!(losses_apart < 1e-4 && parameters_apart < 1e-4, "{schedule:?}");
        assert!(far(&losses, &plain_losses) > 0.1 && far(&parameters, &plain_parameters) > 1e-3, "{schedule:?}");
    }
}
