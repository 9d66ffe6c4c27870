//! Stacked engines against engines alone: the same networks, whatever sizes the folds have and whoever leaves first.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use serengine::{
    Dataset, Engine, Layout, Objective, Settings, TrainState,
    streams::{self, Key},
};
use sertorch::{
    StackedEngine, TorchEngine,
    tch::{self, Device, Kind},
};
use timnet::TimNet;
use timnet_core::{ModelConfig, Variant};

const UTTERANCES: usize = 24;

/// What a fold does with its engine: `epochs` times training and a prediction of its first utterances.
fn fold(engine: &mut dyn Engine, layout: &Layout, key: Key) -> (TrainState, Vec<f32>) {
    let train: Vec<usize> = (0..UTTERANCES - 1 - key.fold as usize).collect();
    let mut seen = Vec::new();
    for epoch in 1..=3 + key.fold {
        let outcomes = engine.train(&streams::epoch(layout, key, epoch, &train, 8)).unwrap();
        assert_eq!(outcomes.len(), 3);
        seen.extend(outcomes.iter().flat_map(|o| [o.loss, o.correct as f32]));
        let predictions = engine.predict(&train[..5 + key.fold as usize]).unwrap();
        seen.extend(predictions.logits.iter().chain(&predictions.embeddings));
    }
    // A state put back and gone on from, as a resumed fold does.
    let state = engine.state().unwrap();
    engine.restore(&state).unwrap();
    seen.extend(engine.train(&streams::epoch(layout, key, 99, &train, 8)).unwrap().iter().map(|o| o.loss));
    (engine.state().unwrap(), seen)
}

#[test]
fn stacked_folds_equal_folds_alone() {
    tch::set_num_threads(1);
    for variant in [Variant::TimNet, Variant::NoBd, Variant::Tcn] {
        let config = ModelConfig::of(variant, 3, 4);
        let layout = Arc::new(config.layout().unwrap());
        let size = 30 * config.coefficients;
        let noise = |i: usize| ((i as f32).sin() * 43_758.547).fract();
        let features = (0..UTTERANCES * size).map(|i| noise(i) + noise(i / size % 4)).collect();
        let labels = (0..UTTERANCES).map(|i| i % 4).collect();
        let data = Dataset::new(features, labels, 30, config.coefficients).unwrap();
        let keys: Vec<Key> = (0..4).map(|fold| Key { seed: 5, fold }).collect();
        let states: Vec<TrainState> =
            keys.iter().map(|&key| TrainState::start(streams::initial(&layout, key))).collect();
        let objective = Objective::default();
        let network = || TimNet::of(&states[0].weights).unwrap();
        let stack =
            StackedEngine::stack(network(), &states, &data, objective.clone(), Device::Cpu, Kind::Double).unwrap();
        let together = std::thread::scope(|scope| {
            let folds: Vec<_> = stack
                .into_iter()
                .zip(&keys)
                .map(|(mut engine, &key)| {
                    scope.spawn({
                        let layout = &layout;
                        move || fold(&mut engine, layout, key)
                    })
                })
                .collect();
            folds.into_iter().map(|fold| fold.join().unwrap()).collect::<Vec<_>>()
        });
        for ((state, key), (stacked, seen)) in states.iter().zip(keys).zip(together) {
            let mut engine =
                TorchEngine::with_kind(network(), state, &data, objective.clone(), Device::Cpu, Kind::Double).unwrap();
            let (alone, expected) = fold(&mut engine, &layout, key);
            let near = |a: &[f32], b: &[f32]| {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-5 * b.abs().max(1.0))
            };
            assert!(near(&seen, &expected), "{variant} fold {}", key.fold);
            assert!(near(&stacked.weights.parameters, &alone.weights.parameters), "{variant} fold {}", key.fold);
            assert!(near(&stacked.weights.statistics, &alone.weights.statistics), "{variant} fold {}", key.fold);
            assert_eq!(stacked.steps, alone.steps);
        }
    }
}

#[test]
fn a_failure_reaches_every_member() {
    let layout = Arc::new(ModelConfig::timnet(1, 2).layout().unwrap());
    let data = Dataset::new(vec![0.5; 4 * 5 * 39], vec![0, 1, 0, 1], 5, 39).unwrap();
    let states = vec![TrainState::start(streams::initial(&layout, Key { seed: 1, fold: 0 })); 2];
    let network = || TimNet::of(&states[0].weights).unwrap();
    let stack =
        StackedEngine::stack(network(), &states, &data, Objective::default(), Device::Cpu, Kind::Float).unwrap();
    std::thread::scope(|scope| {
        for (i, mut engine) in stack.into_iter().enumerate() {
            scope.spawn(move || assert!(engine.predict(&[if i == 0 { 99 } else { 0 }]).is_err()));
        }
    });
    assert!(StackedEngine::stack(network(), &[], &data, Objective::default(), Device::Cpu, Kind::Float).is_err());
}
