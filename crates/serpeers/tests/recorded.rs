//! The networks and five training steps of each against what the official TensorFlow models computed (`fixtures/peers/README.md`).
//!
//! Nobody drops anything here: a batch without factors.

#![allow(clippy::unwrap_used)]
mod support;

use serengine::{Batch, Dataset, Engine, Objective, Settings, TrainState};
use serpeers::{
    Caam, CaamConfig, Cpac, CpacConfig, GmTcn, GmTcnConfig, LightSerNet, LightSerNetConfig,
    caam::{self, Pairs},
};
use sertorch::{
    Network, TorchEngine,
    tch::{self, Device, Kind},
};
use support::{Recorded, assert_near};

fn engine(network: impl Network + 'static, state: &TrainState, data: &Dataset, objective: Objective) -> TorchEngine {
    tch::set_num_threads(1);
    TorchEngine::new(network, state, data, objective, Device::Cpu).unwrap()
}

fn batch() -> Batch {
    Batch { indices: (0..8).collect(), dropout: Vec::new() }
}

/// Losses before each of five steps on all eight.
fn five_steps(engine: &mut TorchEngine) -> Vec<f32> {
    engine.train(&vec![batch(); 5]).unwrap().iter().map(|o| o.loss).collect()
}

fn all(engine: &mut TorchEngine, classes: usize) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    let answers = engine.predict(&(0..8).collect::<Vec<_>>()).unwrap();
    (answers.probabilities(classes).concat(), answers.embeddings, answers.logits)
}

/// `blocks.J.L` holds the features of three pairs, then their gates.
fn gm_tcn_parts(name: &str) -> Vec<String> {
    let at: Vec<&str> = name.split('.').collect();
    match at[..] {
        ["blocks", j, l, _] => ["feature", "gate"]
            .iter()
            .flat_map(|half| (1..=3).map(move |pair| format!("block{j}.level{l}.pair{pair}.{half}")))
            .collect(),
        ["input", _] => vec!["input_conv".into()],
        _ => vec!["head".into()],
    }
}

#[test]
fn gm_tcn() {
    let recorded = Recorded::load("gmtcn");
    let state = recorded.state(GmTcnConfig::new(7).layout().unwrap(), gm_tcn_parts);
    let data = recorded.mfcc("rows", "labels");
    let mut engine = engine(GmTcn::of(&state.weights).unwrap(), &state, &data, GmTcnConfig::objective());
    let (probabilities, embedding, logits) = all(&mut engine, 7);
    assert_near("embedding", &embedding, &recorded.values("init_out/embedding"), 1e-5);
    assert_near("logits", &logits, &recorded.values("init_out/logits"), 1e-5);
    assert_near("probabilities", &probabilities, &recorded.values("init_out/probabilities"), 1e-5);
    let layout = &state.weights.layout;
    recorded.assert_norms("grad_norm_step1", layout, &engine.gradient(&batch()).unwrap().1, gm_tcn_parts, 1e-4);
    assert_near("losses", &five_steps(&mut engine), &recorded.values("losses"), 1e-5);
    let (probabilities, embedding, logits) = all(&mut engine, 7);
    assert_near("embedding after", &embedding, &recorded.values("after5/embedding"), 1e-5);
    assert_near("logits after", &logits, &recorded.values("after5/logits"), 1e-5);
    assert_near("probabilities after", &probabilities, &recorded.values("after5/probabilities"), 1e-4);
    let after = engine.state().unwrap().weights.parameters;
    recorded.assert_norms("after5/weight_norm", layout, &after, gm_tcn_parts, 1e-4);
}

fn capsule_parts(name: &str) -> Vec<String> {
    let (first, _) = name.split_once('.').unwrap();
    vec![first.replace("norm", "bn")]
}

#[test]
fn cpac() {
    let recorded = Recorded::load("cpac");
    let state = recorded.state(CpacConfig::new(7, 188).layout().unwrap(), capsule_parts);
    let data = recorded.mfcc("rows", "labels");
    let mut engine = engine(Cpac::of(&state.weights).unwrap(), &state, &data, CpacConfig::objective());
    let (probabilities, embedding, _) = all(&mut engine, 7);
    assert_near("embedding", &embedding, &recorded.values("init_out/embedding"), 1e-5);
    assert_near("probabilities", &probabilities, &recorded.values("init_out/probabilities"), 1e-5);
    let layout = &state.weights.layout;
    recorded.assert_norms("grad_norm_step1", layout, &engine.gradient(&batch()).unwrap().1, capsule_parts, 1e-4);
    assert_near("losses", &five_steps(&mut engine), &recorded.values("losses"), 1e-5);
    let (probabilities, embedding, _) = all(&mut engine, 7);
    assert_near("embedding after", &embedding, &recorded.values("after5/embedding"), 1e-4);
    assert_near("probabilities after", &probabilities, &recorded.values("after5/probabilities"), 1e-5);
    let after = engine.state().unwrap().weights.parameters;
    recorded.assert_norms("after5/weight_norm", layout, &after, capsule_parts, 1e-4);
}

/// The encoder's weights are CPAC's.
fn caam_start(recorded: &Recorded, counter: u64) -> TrainState {
    let config = CaamConfig { reversal_counter: counter, ..CaamConfig::new(5, 188) };
    let layout = config.layout().unwrap();
    let cpac = Recorded::load("cpac");
    let heads = recorded.state(config.layout().unwrap(), |name| match name.split_once('.').unwrap().0 {
        head @ ("task" | "adversary") => vec![head.into()],
        // Any seed: the encoder's values are not taken from here.
        _ => vec!["task".into()],
    });
    let mut state = cpac.state(layout, |name| match name.split_once('.').unwrap().0 {
        "task" | "adversary" => vec!["head".into()],
        _ => capsule_parts(name),
    });
    for t in heads.weights.layout.tensors().iter().filter(|t| t.name.starts_with(['t', 'a'])) {
        state.weights.parameters[t.range.all()].copy_from_slice(&heads.weights.parameters[t.range.all()]);
    }
    state
}

/// The reversal hardly acts in the published training; `late` begins where it does, which shows a wrong sign.
#[test]
fn caam() {
    let recorded = Recorded::load("caam");
    let source = recorded.mfcc("source_rows", "source_labels");
    let target = recorded.mfcc("target_rows", "target_labels");
    let Pairs { data, train, scored } = caam::pairs(&source, &target, &target).unwrap();
    assert_eq!((train, scored.clone()), (0..8, 8..16));
    for (run, counter) in [("official", 1), ("late", 1000)] {
        let name = |what: &str| format!("{run}/{what}");
        let state = caam_start(&recorded, counter);
        let mut engine = engine(Caam::of(&state.weights).unwrap(), &state, &data, CaamConfig::objective());
        let targets = |engine: &mut TorchEngine| {
            let answers = engine.predict(&scored.clone().collect::<Vec<_>>()).unwrap();
            (answers.probabilities(5).concat(), answers.embeddings)
        };
        let (task, embedding, _) = all(&mut engine, 5);
        assert_near("source embedding", &embedding, &recorded.values("init_out/source_embedding"), 1e-5);
        assert_near("source task", &task, &recorded.values("init_out/source_task"), 1e-5);
        let (task, embedding) = targets(&mut engine);
        assert_near("target embedding", &embedding, &recorded.values("init_out/target_embedding"), 1e-5);
        assert_near("target task", &task, &recorded.values("init_out/target_task"), 1e-5);
        let (loss, gradient) = engine.gradient(&batch()).unwrap();
        assert_near("loss", &[loss], &recorded.values("init_out/loss_parts")[3..], 1e-6);
        recorded.assert_norms(&name("grad_norm_step1"), &state.weights.layout, &gradient, capsule_parts, 1e-5);
        assert_near("losses", &five_steps(&mut engine), &recorded.values(&name("losses")), 1e-5);
        let (task, embedding, _) = all(&mut engine, 5);
        assert_near("source embedding after", &embedding, &recorded.values(&name("after5/source_embedding")), 1e-4);
        assert_near("source task after", &task, &recorded.values(&name("after5/source_task")), 1e-4);
        let (task, embedding) = targets(&mut engine);
        assert_near("target embedding after", &embedding, &recorded.values(&name("after5/target_embedding")), 1e-4);
        assert_near("target task after", &task, &recorded.values(&name("after5/target_task")), 1e-4);
        let (loss, _) = engine.gradient(&batch()).unwrap();
        assert_near("loss after", &[loss], &recorded.values(&name("after5/loss_parts"))[3..], 1e-4);
    }
}

const STAGES: [&str; 5] = ["conv64", "conv96", "conv128", "conv160", "conv320"];

fn light_sernet_parts(name: &str) -> Vec<String> {
    let paths = ["path_11x1", "path_1x9", "path_3x3"];
    let number = |s: &str| s.parse::<usize>().unwrap() - 1;
    match name.split('.').collect::<Vec<_>>()[..] {
        ["paths", "bias"] => paths.map(String::from).to_vec(),
        ["paths", "norm", _] => paths.map(|path| format!("{path}.bn")).to_vec(),
        ["paths", n, _] => vec![paths[number(n)].into()],
        ["head", _] => vec!["head".into()],
        [first, _] => match (first.strip_prefix("conv"), first.strip_prefix("norm")) {
            (Some(n), _) => vec![STAGES[number(n)].into()],
            (_, n) => vec![format!("{}.bn", STAGES[number(n.unwrap())])],
        },
        _ => panic!("{name}"),
    }
}

/// As `light_sernet_parts`, but for the biases of the paths, whose gradient is 0: Adam makes steps of its rounding.
fn but_path_biases(name: &str) -> Vec<String> {
    if name == "paths.bias" { vec!["left out".into()] } else { light_sernet_parts(name) }
}

fn light_sernet_runs() -> [(&'static str, Objective); 2] {
    let plain = LightSerNetConfig::objective(1);
    let focal = Objective { loss: LightSerNetConfig::focal(), ..plain.clone() };
    [("cross_entropy", plain), ("focal", focal)]
}

fn light_sernet_start(recorded: &Recorded) -> (TrainState, Dataset) {
    let state = recorded.state(LightSerNetConfig::new(7).layout().unwrap(), light_sernet_parts);
    (state, Dataset::new(recorded.values("features"), recorded.numbers("labels"), 184, 40).unwrap())
}

/// Against the official run in single precision. A ReLU's argument of 5e-6 has the other sign there at the first step, and others follow: the
/// last loss of the focal run is 2.8e-4 from the one in double precision, against which
/// `light_sernet_is_the_description_in_double_precision` is exact.
#[test]
fn light_sernet() {
    let recorded = Recorded::load("lightsernet");
    let (state, data) = light_sernet_start(&recorded);
    let layout = &state.weights.layout;
    let fresh = |objective| engine(LightSerNet::of(&state.weights).unwrap(), &state, &data, objective);
    for (run, objective) in light_sernet_runs() {
        let name = |what: &str| format!("{run}/{what}");
        let (_, gradient) = fresh(objective.clone()).gradient(&batch()).unwrap();
        recorded.assert_norms(&name("grad_norm_step1"), layout, &gradient, but_path_biases, 2e-3);
        let mut engine = fresh(objective);
        let (probabilities, embedding, logits) = all(&mut engine, 7);
        assert_near("embedding", &embedding, &recorded.values("init_out/embedding"), 1e-5);
        assert_near("logits", &logits, &recorded.values("init_out/logits"), 1e-5);
        assert_near("probabilities", &probabilities, &recorded.values("init_out/probabilities"), 1e-5);
        let (losses, expected) = (five_steps(&mut engine), recorded.values(&name("losses")));
        assert_near("losses", &losses[..4], &expected[..4], 1e-4);
        assert_near("last loss", &losses[4..], &expected[4..], 4e-4);
        let (probabilities, embedding, logits) = all(&mut engine, 7);
        assert_near("embedding after", &embedding, &recorded.values(&name("after5/embedding")), 1e-2);
        assert_near("logits after", &logits, &recorded.values(&name("after5/logits")), 5e-3);
        assert_near("probabilities after", &probabilities, &recorded.values(&name("after5/probabilities")), 1e-3);
        let after = engine.state().unwrap().weights;
        // The running means of the paths see their biases.
        for t in layout.running().iter().filter(|t| t.name != "paths.norm.running_mean") {
            let (norm, kind) = t.name.rsplit_once(".running_").unwrap();
            let kind = if kind == "mean" { "moving_mean" } else { "moving_variance" };
            let names = light_sernet_parts(&format!("{norm}.weight"));
            let expected: Vec<f32> =
                names.iter().flat_map(|n| recorded.values(&name(&format!("after5/{n}.{kind}")))).collect();
            assert_near(&t.name, &after.statistics[t.range.all()], &expected, 5e-3);
        }
        recorded.assert_norms(&name("after5/weight_norm"), layout, &after.parameters, but_path_biases, 1e-4);
    }
}

/// `scripts/peers_double.py` writes the description out in double precision, with running statistics and Adam of its own.
#[test]
fn light_sernet_is_the_description_in_double_precision() {
    let double = Recorded::load("lightsernet_double");
    let (state, data) = light_sernet_start(&Recorded::load("lightsernet"));
    for (run, objective) in light_sernet_runs() {
        let name = |what: &str| format!("{run}/{what}");
        let network = LightSerNet::of(&state.weights).unwrap();
        let mut engine = TorchEngine::with_kind(network, &state, &data, objective, Device::Cpu, Kind::Double).unwrap();
        let (_, gradient) = engine.gradient(&batch()).unwrap();
        double.assert_norms(&name("grad_norm_step1"), &state.weights.layout, &gradient, but_path_biases, 1e-6);
        engine.restore(&state).unwrap();
        assert_near("losses", &five_steps(&mut engine), &double.values(&name("losses")), 1e-6);
        assert_near("logits", &all(&mut engine, 7).2, &double.values(&name("logits")), 1e-4);
    }
}
