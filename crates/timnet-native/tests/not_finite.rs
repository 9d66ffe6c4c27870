//! NaN and infinity in features, weights, running statistics and settings: an error that names the place, never a figure.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use serengine::{
    Batch, Dataset, Engine, EngineError, Objective, Predictions, Settings, StepOutcome, TrainState, Weights,
    streams::{self, Key},
};
use timnet_core::{ModelConfig, Places, TcnPooling, Variant};
use timnet_native::{NativeEngine, Network, Simd};

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
fn run(case: &Case, simd: Simd) -> Result<(Vec<StepOutcome>, Predictions), EngineError> {
    let data = Arc::new(Dataset::new(case.features.clone(), vec![0, 1, 2, 0], FRAMES, 39)?);
    let mut engine = NativeEngine::with_simd(data, case.weights.clone(), case.objective.clone(), simd)?;
    let outcomes = engine.train(&streams::epoch(&case.weights.layout, KEY, 1, &[0, 1, 2, 3], 4))?;
    Ok((outcomes, engine.predict(&[0, 1, 2, 3])?))
}

#[test]
fn every_place_is_named_and_there_is_no_figure() {
    for simd in Simd::available() {
        for config in networks() {
            for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                for case in cases(&config, bad) {
                    let text = run(&case, simd).map(|_| ()).unwrap_err().to_string();
                    assert!(text.contains(&case.says), "{config:?} {bad}: {text}; expected {}", case.says);
                }
            }
        }
    }
}

/// The same for inference alone, where the features come from outside a data set.
#[test]
fn inference_refuses_too() {
    for config in networks() {
        let good = initial(&config);
        let network = Network::from_weights(&good).unwrap();
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for case in cases(&config, bad).iter().filter(|case| case.weights != good) {
                let text = Network::from_weights(&case.weights).unwrap_err().to_string();
                assert!(text.contains(&case.says), "{text}");
            }
            let mut features = vec![0.5; FRAMES * 39];
            features[4 * 39 + 38] = bad;
            let text = network.forward(&features, FRAMES).unwrap_err().to_string();
            assert!(text.contains("frame 4, coefficient 38"), "{text}");
            assert!(network.embed(&features, FRAMES).is_err());
        }
        let mut negative = good.clone();
        let var = Places::of(&config).blocks[1][0][1].running_var;
        negative.statistics[var.start] = -1.0;
        let text = Network::from_weights(&negative).unwrap_err().to_string();
        assert!(text.contains("`forward.2.b.norm.running_var` has -1 at element 0"), "{text}");
        // Finite, but beyond single precision once computed with.
        let text = network.forward(&vec![f32::MAX; FRAMES * 39], FRAMES).unwrap_err().to_string();
        assert!(text.contains("of the network's answer") && text.contains("too large"), "{text}");
        let mut huge = good.clone();
        huge.parameters[Places::of(&config).blocks[0][0][0].gamma.all()].fill(f32::MAX);
        huge.statistics[Places::of(&config).blocks[0][0][0].running_var.all()].fill(0.0);
        let text = Network::from_weights(&huge).unwrap_err().to_string();
        assert!(text.contains("block 0, kernel times BatchNorm's scale"), "{text}");
    }
}

/// A learning rate that is a number but makes the weights leave them: NaN reaches the loss, through every ReLU and gate.
#[test]
fn training_that_fails_shows_it() {
    for simd in Simd::available() {
        for config in networks() {
            let mut case = cases(&config, f32::NAN).pop().unwrap();
            case.objective.adam.learning_rate = 1e3;
            case.features.iter_mut().for_each(|f| *f *= 1e30);
            let data = Arc::new(Dataset::new(case.features, vec![0, 1, 2, 0], FRAMES, 39).unwrap());
            let mut engine = NativeEngine::with_simd(data, case.weights, case.objective, simd).unwrap();
            let mut failed = false;
            for epoch in 1..=3 {
                let batches = streams::epoch(&initial(&config).layout, KEY, epoch, &[0, 1, 2, 3], 4);
                failed |= engine.train(&batches).unwrap().iter().any(|o| !o.loss.is_finite());
                failed |= engine.state().unwrap().check().is_err();
            }
            assert!(failed, "{config:?}");
            assert!(engine.predict(&[0]).is_err(), "{config:?}");
        }
    }
}

#[test]
fn states_and_batches_are_looked_at() {
    let config = ModelConfig::timnet(2, 3);
    let case = cases(&config, f32::NAN).pop().unwrap();
    let data = Arc::new(Dataset::new(case.features, vec![0, 1, 2, 0], FRAMES, 39).unwrap());
    let mut engine = NativeEngine::new(data, case.weights.clone(), Objective::default()).unwrap();
    let mut state = TrainState::start(case.weights.clone());
    state.second_moment[0] = f32::NAN;
    assert!(engine.restore(&state).unwrap_err().to_string().contains("second moment of `forward.stem.weight`"));
    let mut batch = streams::epoch(&case.weights.layout, KEY, 1, &[0, 1], 2).remove(0);
    batch.dropout[7] = f32::INFINITY;
    assert!(engine.train(&[batch]).unwrap_err().to_string().contains("dropout factor 7"));
    assert!(engine.train(&[Batch { indices: vec![4], dropout: Vec::new() }]).is_err());
}
