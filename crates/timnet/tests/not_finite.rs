//! NaN and infinity in features, weights, running statistics and settings: an error that names the place, never a figure.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use serengine::{
    Batch, Dataset, Engine, EngineError, Objective, Predictions, Settings, StepOutcome, TrainState, Weights,
    streams::{self, Key},
};
use sertorch::{
    StackedEngine, TorchEngine,
    tch::{self, Device, Kind, Tensor},
};
use timnet::{Classifier, TimNet};
use timnet_core::{ModelConfig, Places, TcnPooling, Variant};

const KEY: Key = Key { seed: 1, fold: 0 };
const FRAMES: usize = 9;

/// What is spoiled, with which value, and what the error has to say.
struct Case {
    features: Vec<f32>,
    weights: Weights,
    objective: Objective,
    says: String,
}

fn networks() -> Vec<ModelConfig> {
    let mut all: Vec<ModelConfig> = Variant::ALL.iter().map(|&v| ModelConfig::of(v, 2, 3)).collect();
    all.push(ModelConfig { tcn_pooling: TcnPooling::Mean, ..ModelConfig::of(Variant::Tcn, 2, 3) });
    all.extend([Variant::TimNet, Variant::Tcn].map(|v| ModelConfig { filters: 16, ..ModelConfig::of(v, 2, 3) }));
    all
}

fn initial(config: &ModelConfig) -> Weights {
    streams::initial(&Arc::new(config.layout().unwrap()), KEY)
}

/// One case for a feature, for a whole tensor of each kind, for a running mean, for a running variance, and for the learning rate.
fn cases(config: &ModelConfig, bad: f32) -> Vec<Case> {
    let fine = || Case {
        features: (0..4 * FRAMES * 39).map(|i| (i % 17) as f32 / 8.0 - 1.0).collect(),
        weights: initial(config),
        objective: Objective::default(),
        says: String::new(),
    };
    let layout = config.layout().unwrap();
    let mut all = Vec::new();
    let mut case = fine();
    case.features[2 * FRAMES * 39 + 5 * 39 + 7] = bad;
    case.says = "utterance 2, frame 5, coefficient 7".into();
    all.push(case);
    for t in layout.tensors() {
        let mut case = fine();
        case.weights.parameters[t.range.all()].fill(bad);
        case.says = format!("`{}` has {bad}", t.name);
        all.push(case);
    }
    for t in layout.running() {
        let mut case = fine();
        case.weights.statistics[t.range.start + 3] = bad;
        case.says = format!("`{}` has {bad} at element 3", t.name);
        all.push(case);
    }
    let mut case = fine();
    case.objective.adam.learning_rate = f64::from(bad);
    case.says = format!("`learning_rate` is {bad}");
    all.push(case);
    all
}

/// All that can be asked of the engine: a figure, if nothing stops it.
fn run(case: &Case) -> Result<(Vec<StepOutcome>, Predictions), EngineError> {
    let data = Dataset::new(case.features.clone(), vec![0, 1, 2, 0], FRAMES, 39)?;
    let state = TrainState::start(case.weights.clone());
    let mut engine = TorchEngine::new(TimNet::of(&state.weights)?, &state, &data, case.objective.clone(), Device::Cpu)?;
    let outcomes = engine.train(&streams::epoch(&case.weights.layout, KEY, 1, &[0, 1, 2, 3], 4))?;
    Ok((outcomes, engine.predict(&[0, 1, 2, 3])?))
}

#[test]
fn every_place_is_named_and_there_is_no_figure() {
    tch::set_num_threads(1);
    for config in networks() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for case in cases(&config, bad) {
                let text = run(&case).map(|_| ()).unwrap_err().to_string();
                assert!(text.contains(&case.says), "{config:?} {bad}: {text}; expected {}", case.says);
            }
        }
    }
}

#[test]
fn inference_refuses_too() {
    tch::set_num_threads(1);
    let shape = [1, FRAMES as i64, 39];
    for config in networks() {
        let good = initial(&config);
        let network = Classifier::new(&good, Device::Cpu, Kind::Float).unwrap();
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for case in cases(&config, bad).iter().filter(|case| case.weights != good) {
                let text = Classifier::new(&case.weights, Device::Cpu, Kind::Float).unwrap_err().to_string();
                assert!(text.contains(&case.says), "{text}");
            }
            let mut features = vec![0.5; FRAMES * 39];
            features[4 * 39 + 38] = bad;
            let text = network.forward(&Tensor::from_slice(&features).view(shape)).unwrap_err().to_string();
            assert!(text.contains("utterance 0, frame 4, coefficient 38"), "{text}");
        }
        let mut negative = good.clone();
        let var = Places::of(&config).blocks[1][0][1].running_var;
        negative.statistics[var.start] = -1.0;
        let text = Classifier::new(&negative, Device::Cpu, Kind::Float).unwrap_err().to_string();
        assert!(text.contains("`forward.2.b.norm.running_var` has -1 at element 0"), "{text}");
        let huge = Tensor::from_slice(&vec![f32::MAX; FRAMES * 39]).view(shape);
        let text = network.forward(&huge).unwrap_err().to_string();
        assert!(text.contains("of the network's answer") && text.contains("too large"), "{text}");
    }
}

/// Each was a panic inside libtorch's binding.
#[test]
fn what_does_not_fit_is_an_error() {
    tch::set_num_threads(1);
    let config = ModelConfig::timnet(2, 3);
    let network = Classifier::new(&initial(&config), Device::Cpu, Kind::Float).unwrap();
    for shape in [&[9, 39][..], &[1, 9, 38], &[1, 0, 39], &[0, 9, 39], &[1, 1, 9, 39]] {
        let features = Tensor::zeros(shape, (Kind::Float, Device::Cpu));
        assert!(matches!(network.forward(&features), Err(EngineError::Shape(_))), "{shape:?}");
    }
    let double = Tensor::zeros([1, 9, 39], (Kind::Double, Device::Cpu));
    assert!(matches!(network.forward(&double), Err(EngineError::Shape(_))));
    if !tch::Cuda::is_available() {
        let text = Classifier::new(&initial(&config), Device::Cuda(0), Kind::Float).unwrap_err().to_string();
        assert!(text.starts_with("libtorch: "), "{text}");
    }
}

#[test]
fn states_and_batches_are_looked_at() {
    tch::set_num_threads(1);
    let config = ModelConfig::timnet(2, 3);
    let case = cases(&config, f32::NAN).pop().unwrap();
    let data = Dataset::new(case.features, vec![0, 1, 2, 0], FRAMES, 39).unwrap();
    let network = || TimNet::of(&initial(&config)).unwrap();
    let mut state = TrainState::start(case.weights);
    let mut engine = TorchEngine::new(network(), &state, &data, Objective::default(), Device::Cpu).unwrap();
    assert!(engine.predict(&[4]).unwrap_err().to_string().contains("utterance 4 of a data set of 4"));
    let mut batch = streams::epoch(&initial(&config).layout, KEY, 1, &[0, 1], 2).remove(0);
    batch.dropout[7] = f32::INFINITY;
    assert!(engine.train(&[batch]).unwrap_err().to_string().contains("dropout factor 7"));
    let beyond = Batch { indices: vec![4], dropout: Vec::new() };
    assert!(engine.train(std::slice::from_ref(&beyond)).is_err() && engine.gradient(&beyond).is_err());
    assert!(engine.train(&[Batch { indices: Vec::new(), dropout: Vec::new() }]).is_err());
    state.second_moment[0] = f32::NAN;
    assert!(engine.restore(&state).unwrap_err().to_string().contains("second moment of `forward.stem.weight`"));
    let stack = StackedEngine::stack(network(), &[state], &data, Objective::default(), Device::Cpu, Kind::Float);
    assert!(stack.unwrap_err().to_string().contains("second moment of `forward.stem.weight`"));
}
