//! Training and inference against a small run recorded in Keras.
//!
//! fixtures/timnet/parity.safetensors is made by `benches/keras_peer.py fixture`: two blocks, three classes, twelve
//! utterances of 16 frames, twenty steps of eight without dropout.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::{fs, path::Path, sync::Arc};

use safetensors::SafeTensors;
use serengine::{Batch, Dataset, Engine, Objective, Settings, Tensor, TrainState, Weights};
use sertorch::{
    TorchEngine,
    tch::{Device, Kind},
};
use timnet::TimNet;
use timnet_core::ModelConfig;

struct Recorded(Vec<u8>);

impl Recorded {
    fn load() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/timnet/parity.safetensors");
        Self(fs::read(path).unwrap())
    }

    fn floats(&self, name: &str) -> Vec<f32> {
        let file = SafeTensors::deserialize(&self.0).unwrap();
        file.tensor(name).unwrap().data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
    }

    fn integers(&self, name: &str) -> Vec<usize> {
        let file = SafeTensors::deserialize(&self.0).unwrap();
        let data = file.tensor(name).unwrap();
        data.data().as_chunks::<8>().0.iter().map(|b| i64::from_le_bytes(*b) as usize).collect()
    }

    fn state(&self) -> TrainState {
        let config = ModelConfig { dropout: 0.0, ..ModelConfig::timnet(2, 3) };
        let layout = Arc::new(config.layout().unwrap());
        let read = |tensors: &[Tensor]| tensors.iter().flat_map(|t| self.floats(&format!("init.{}", t.name))).collect();
        let (parameters, statistics) = (read(layout.tensors()), read(layout.running()));
        TrainState::start(Weights { layout, parameters, statistics })
    }

    fn engine(&self, kind: Kind) -> TorchEngine {
        let data = Dataset::new(self.floats("features"), self.integers("labels"), 16, 39).unwrap();
        let state = self.state();
        let network = TimNet::of(&state.weights).unwrap();
        TorchEngine::with_kind(network, &state, &data, Objective::default(), Device::Cpu, kind).unwrap()
    }

    fn batches(&self) -> Vec<Batch> {
        let indices = self.integers("batch_indices");
        indices
            .chunks_exact(8)
            .map(|c| Batch { indices: c.iter().map(|&i| i as u32).collect(), dropout: Vec::new() })
            .collect()
    }
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn twenty_steps_equal_keras() {
    let recorded = Recorded::load();
    for kind in [Kind::Float, Kind::Double] {
        let mut engine = recorded.engine(kind);
        let losses: Vec<f32> = engine.train(&recorded.batches()).unwrap().iter().map(|o| o.loss).collect();
        let all: Vec<usize> = (0..12).collect();
        let trained = engine.predict(&all).unwrap();
        let differences = [
            largest_difference(&losses, &recorded.floats("losses")),
            largest_difference(&trained.embeddings, &recorded.floats("final.g_drf")),
            largest_difference(&trained.logits, &recorded.floats("final.logits")),
            largest_difference(&trained.probabilities(3).concat(), &recorded.floats("final.probabilities")),
        ];
        println!("{kind:?}: losses, g_drf, logits, probabilities differ by at most {differences:?}");
        assert!(differences[0] < 2e-4 && differences[1..].iter().all(|d| *d < 1e-3), "{kind:?} {differences:?}");
    }
}

#[test]
fn a_restored_engine_goes_on_to_the_same_bytes() {
    let recorded = Recorded::load();
    let batches = recorded.batches();
    let mut whole = recorded.engine(Kind::Float);
    whole.train(&batches).unwrap();
    let mut first = recorded.engine(Kind::Float);
    first.train(&batches[..7]).unwrap();
    let mut second = recorded.engine(Kind::Float);
    second.restore(&first.state().unwrap()).unwrap();
    second.train(&batches[7..]).unwrap();
    assert_eq!(second.state().unwrap(), whole.state().unwrap());
}

#[test]
fn data_of_another_shape_is_an_error() {
    let recorded = Recorded::load();
    let new = |features: Vec<f32>, labels: Vec<usize>, coefficients| {
        let data = Dataset::new(features, labels, 4, coefficients).unwrap();
        let state = recorded.state();
        let network = TimNet::of(&state.weights).unwrap();
        TorchEngine::new(network, &state, &data, Objective::default(), Device::Cpu).unwrap_err().to_string()
    };
    assert_eq!(
        new(vec![0.0; 80], vec![0], 20),
        "shapes do not fit: features have 20 coefficients, the network takes 39"
    );
    assert_eq!(new(vec![0.0; 156], vec![3], 39), "shapes do not fit: label 3 of a network of 3 classes");
    assert!(Dataset::new(vec![0.0; 10], vec![0], 4, 39).is_err());
}
