//! What holds of every variant.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use serengine::{
    Dataset, Engine, Objective, Settings, TrainState, Weights,
    streams::{self, Key},
};
use sertorch::{TorchEngine, tch, tch::Device};
use timnet::TimNet;
use timnet_core::{ModelConfig, TcnPooling, Variant};

const KEY: Key = Key { seed: 46, fold: 0 };

fn weights(config: &ModelConfig) -> Weights {
    streams::initial(&Arc::new(config.layout().unwrap()), KEY)
}

fn data(classes: usize, frames: usize) -> Dataset {
    let labels: Vec<usize> = (0..24).map(|i| i % classes).collect();
    let features = (0..labels.len() * frames * 39)
        .map(|i| ((i as f32 * 0.37).sin() + (i as f32 * 0.011).cos()) * 3.0 + (i / (frames * 39) % classes) as f32)
        .collect();
    Dataset::new(features, labels, frames, 39).unwrap()
}

fn configs() -> Vec<ModelConfig> {
    let mut all: Vec<ModelConfig> = Variant::ALL.iter().map(|&v| ModelConfig::of(v, 3, 4)).collect();
    all.push(ModelConfig { tcn_pooling: TcnPooling::Mean, ..ModelConfig::of(Variant::Tcn, 3, 4) });
    all
}

#[test]
fn training_lowers_the_loss_and_repeats_to_the_byte_on_another_thread() {
    for config in configs() {
        let variant = config.variant;
        let run = move || {
            tch::set_num_threads(1);
            let state = TrainState::start(weights(&config));
            let network = TimNet::of(&state.weights).unwrap();
            let mut engine =
                TorchEngine::new(network, &state, &data(4, 19), Objective::default(), Device::Cpu).unwrap();
            let all: Vec<usize> = (0..24).collect();
            let losses: Vec<f32> = (1..=30)
                .flat_map(|e| engine.train(&streams::epoch(&state.weights.layout, KEY, e, &all, 8)).unwrap())
                .map(|o| o.loss)
                .collect();
            (losses, engine.state().unwrap())
        };
        let (a, b) = (std::thread::spawn(run.clone()), std::thread::spawn(run));
        let ((losses, state), again) = (a.join().unwrap(), b.join().unwrap());
        assert_eq!((&losses, &state), (&again.0, &again.1));
        let mean = |l: &[f32]| l.iter().sum::<f32>() / l.len() as f32;
        assert!(mean(&losses[80..]) < mean(&losses[..10]) - 0.1, "{variant}: {losses:?}");
    }
}
