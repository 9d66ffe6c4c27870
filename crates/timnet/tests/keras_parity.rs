//! The network and its training against the official TensorFlow model's recorded values.

use std::path::PathBuf;

use ndarray::{Array1, Array2, Array3};
use ndarray_npy::NpzReader;
use timnet::{
    TorchEngine, Weights,
    tch::{Device, Kind},
};
use timnet_core::{Batch, Dataset, Engine, Objective, TrainState};

#[test]
fn double() {
    run(Kind::Double)
}
#[test]
fn single() {
    run(Kind::Float)
}
fn run(kind: Kind) {
    let mut npz =
        NpzReader::new(std::fs::File::open(PathBuf::from("/work/shared/data/keras/timnet_n8.npz")).unwrap()).unwrap();
    let features: Array3<f32> = npz.by_name("features").unwrap();
    let labels: Array1<i64> = npz.by_name("labels").unwrap();
    let batches: Array2<i64> = npz.by_name("batch_indices").unwrap();
    let losses: Array1<f64> = npz.by_name("losses").unwrap();
    let g: Array2<f32> = npz.by_name("g_drf").unwrap();
    let probabilities: Array2<f32> = npz.by_name("probabilities").unwrap();
    let eval: Array1<i64> = npz.by_name("eval_indices").unwrap();
    let frames = features.shape()[1];
    let data =
        Dataset::new(features.into_raw_vec_and_offset().0, labels.iter().map(|&l| l as usize).collect(), frames, 39)
            .unwrap();
    let (weights, _) = Weights::load(&PathBuf::from("/tmp/init.safetensors")).unwrap();
    let mut engine =
        TorchEngine::with_kind(&TrainState::start(weights), &data, Objective::default(), Device::Cpu, kind).unwrap();
    let batches: Vec<Batch> = batches
        .rows()
        .into_iter()
        .map(|r| Batch { indices: r.iter().map(|&i| i as u32).collect(), dropout: vec![] })
        .collect();
    let t = std::time::Instant::now();
    let out = engine.train(&batches).unwrap();
    println!("{:?} per step", t.elapsed() / 20);
    for (o, l) in out.iter().zip(&losses) {
        println!("{} {} {:.1e}", o.loss, l, (o.loss as f64 - l).abs());
    }
    std::fs::write(
        "/tmp/ours20.safetensors",
        engine.state().unwrap().weights.to_safetensors(&Default::default()).unwrap(),
    )
    .unwrap();
    let eval: Vec<usize> = eval.iter().map(|&i| i as usize).collect();
    let p = engine.predict(&eval).unwrap();
    let dg = p.embeddings.iter().zip(&g).map(|(a, b)| (a - b).abs()).fold(0.0f32, f32::max);
    let dp = p.probabilities(7).concat().iter().zip(&probabilities).map(|(a, b)| (a - b).abs()).fold(0.0f32, f32::max);
    println!("g {dg:.1e} p {dp:.1e}");
}
