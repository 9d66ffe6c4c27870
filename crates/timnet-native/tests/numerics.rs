//! The arithmetic's bytes: hashes of a tiny training of every network, one a SIMD level. Changed arithmetic cannot land without a
//! new numerics version.
//!
//! The hashes hold on every machine of a level. Single precision is IEEE 754 addition, multiplication, division, square root
//! and (AVX2, AVX-512) fused multiply-add, in an order that the code fixes. The platform's `exp`, `ln` and `pow` are called in
//! double precision alone (softmax, loss, Adam's step size) and their results are rounded to single precision, in which another
//! library's last bit all but never shows.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use serengine::{
    Dataset, Engine, Objective, Settings,
    streams::{self, Key},
};
use timnet_core::{ModelConfig, TcnPooling, Variant};
use timnet_native::{NUMERICS_VERSION, NativeEngine, Simd};

/// (numerics version, hash at `portable`, hash at `avx2` and `avx512`), oldest first. After a change that is meant, raise
/// `NUMERICS_VERSION` and add a line; no line ever changes.
const HISTORY: &[(u32, u64, u64)] = &[(1, 0x2edc_ee5b_1b43_415e, 0xcecd_665a_3098_ff0f)];

const KEY: Key = Key { seed: 46, fold: 1 };
const UTTERANCES: usize = 7;
const FRAMES: usize = 21;

fn networks() -> Vec<ModelConfig> {
    let mut all: Vec<ModelConfig> = Variant::ALL.iter().map(|&v| ModelConfig::of(v, 3, 4)).collect();
    all.push(ModelConfig { tcn_pooling: TcnPooling::Mean, ..ModelConfig::of(Variant::Tcn, 3, 4) });
    all
}

/// Uniform in [-2, 2) without a library function (the generator of Knuth's MMIX).
fn dataset(config: &ModelConfig) -> Arc<Dataset> {
    let mut state = 1u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 22) as f32 - 2.0
    };
    let features = (0..UTTERANCES * FRAMES * config.coefficients).map(|_| noise()).collect();
    let labels = (0..UTTERANCES).map(|i| i % config.classes).collect();
    Arc::new(Dataset::new(features, labels, FRAMES, config.coefficients).unwrap())
}

/// Weights, running statistics and moments after four epochs in batches of four and three, with every loss, and the answers.
fn training(config: &ModelConfig, simd: Simd) -> Vec<f32> {
    let (data, layout) = (dataset(config), Arc::new(config.layout().unwrap()));
    let mut engine = NativeEngine::with_simd(data, streams::initial(&layout, KEY), Objective::default(), simd).unwrap();
    let all: Vec<usize> = (0..UTTERANCES).collect();
    let mut out = Vec::new();
    for epoch in 1..=4 {
        let outcomes = engine.train(&streams::epoch(&layout, KEY, epoch, &all, 4)).unwrap();
        out.extend(outcomes.iter().map(|o| o.loss));
    }
    let (state, answers) = (engine.state().unwrap(), engine.predict(&all).unwrap());
    for part in [state.weights.parameters, state.weights.statistics, state.first_moment, state.second_moment] {
        out.extend(part);
    }
    out.extend(answers.logits);
    out.extend(answers.embeddings);
    out
}

/// FNV-1a over the little-endian bytes.
fn fnv(values: &[f32]) -> u64 {
    let bytes = values.iter().flat_map(|v| v.to_le_bytes());
    bytes.fold(0xCBF2_9CE4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01B3))
}

#[test]
fn the_bytes_are_those_of_the_numerics_version() {
    let &(version, portable, fused) = HISTORY.last().unwrap();
    assert_eq!(version, NUMERICS_VERSION, "HISTORY's last line is of the numerics version");
    for simd in Simd::available() {
        let all: Vec<f32> = networks().iter().flat_map(|config| training(config, simd)).collect();
        let expected = if simd.name() == "portable" { portable } else { fused };
        assert_eq!(
            fnv(&all),
            expected,
            "{}: {:#018x} is the new hash. The arithmetic changed; if that is meant, raise NUMERICS_VERSION",
            simd.name(),
            fnv(&all)
        );
    }
}

#[test]
fn no_two_versions_share_a_hash() {
    for (i, a) in HISTORY.iter().enumerate() {
        assert_eq!(a.0 as usize, i + 1);
        assert!(HISTORY[..i].iter().all(|b| a.1 != b.1 || a.2 != b.2), "{a:?}");
    }
}

/// Level against level: the same network but for rounding, and the same bytes on the levels that fuse multiply and add.
#[test]
fn levels_agree() {
    for config in networks() {
        let portable = training(&config, Simd::available()[0]);
        let others: Vec<Vec<f32>> = Simd::available()[1..].iter().map(|&simd| training(&config, simd)).collect();
        for other in &others {
            assert_eq!(fnv(other), fnv(&others[0]), "{config:?}");
            for (i, (a, b)) in portable.iter().zip(other).enumerate() {
                // Adam's first steps have the size of the learning rate whatever the gradient's: eight steps of 1e-3.
                assert!((a - b).abs() <= 2e-3 * a.abs().max(1.0), "{config:?} value {i}: {a} {b}");
            }
        }
    }
}
