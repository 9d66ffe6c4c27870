//! The random draws of a run, each a pure function of a [`Key`].
//!
//! A draw never depends on how many draws came before it, on threads or on the engine: a run resumed at epoch 137 sees
//! the same order and masks as one never stopped, and two engines can be compared step by step.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

use crate::{
    config::ModelConfig,
    engine::Batch,
    layout::{Init, Layout},
    weights::Weights,
};

/// What a run's draws depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The run's seed.
    pub seed: u64,
    /// The fold (or, in cross-corpus runs, the source corpus' number).
    pub fold: u32,
}

#[derive(Clone, Copy)]
enum Purpose {
    Init = 1,
    Order = 2,
    Dropout = 3,
}

impl Key {
    fn stream(self, purpose: Purpose, epoch: u32) -> ChaCha8Rng {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&self.seed.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.fold.to_le_bytes());
        bytes[12..16].copy_from_slice(&epoch.to_le_bytes());
        bytes[16] = purpose as u8;
        ChaCha8Rng::from_seed(bytes)
    }
}

/// Uniform in [0, 1), 24 bits.
fn unit(rng: &mut ChaCha8Rng) -> f32 {
    (rng.next_u32() >> 8) as f32 * (1.0 / 16_777_216.0)
}

/// Uniform in [0, n), without bias.
fn below(rng: &mut ChaCha8Rng, n: u32) -> u32 {
    let zone = u32::MAX - u32::MAX % n;
    loop {
        let draw = rng.next_u32();
        if draw < zone {
            return draw % n;
        }
    }
}

/// A network before its first step: Glorot-uniform kernels, zero biases, unit BatchNorm, fusion weights uniform in
/// [-0.05, 0.05].
pub fn initial(config: &ModelConfig, key: Key) -> Weights {
    let layout = Layout::new(config);
    let mut rng = key.stream(Purpose::Init, 0);
    let mut fill = |tensors: &[crate::Tensor]| {
        let mut out = Vec::new();
        for t in tensors {
            match t.init {
                Init::Constant(value) => out.resize(out.len() + t.range.len, value),
                Init::Uniform(a) => out.extend((0..t.range.len).map(|_| a * (2.0 * unit(&mut rng) - 1.0))),
            }
        }
        out
    };
    let (parameters, statistics) = (fill(&layout.tensors), fill(&layout.running));
    Weights { config: config.clone(), parameters, statistics }
}

/// The batches of one epoch: `train` reshuffled and cut into `batch_size`, the last batch smaller, each with its dropout
/// masks.
pub fn epoch(config: &ModelConfig, key: Key, epoch: u32, train: &[usize], batch_size: usize) -> Vec<Batch> {
    let mut order: Vec<u32> = train.iter().map(|&i| i as u32).collect();
    let mut rng = key.stream(Purpose::Order, epoch);
    for i in (1..order.len()).rev() {
        order.swap(i, below(&mut rng, i as u32 + 1) as usize);
    }
    let mut rng = key.stream(Purpose::Dropout, epoch);
    order
        .chunks(batch_size.max(1))
        .map(|chunk| Batch { indices: chunk.to_vec(), dropout: masks(config, &mut rng, chunk.len()) })
        .collect()
}

/// [sites, batch, channels]: 0 where a channel of an utterance is dropped, otherwise 1 / (1 - p). Empty if p = 0.
fn masks(config: &ModelConfig, rng: &mut ChaCha8Rng, batch: usize) -> Vec<f32> {
    let p = config.dropout as f32;
    if p == 0.0 {
        return Vec::new();
    }
    let kept = 1.0 / (1.0 - p);
    (0..config.sites() * batch * config.coefficients).map(|_| if unit(rng) < p { 0.0 } else { kept }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = Key { seed: 46, fold: 3 };

    #[test]
    fn an_epoch_visits_every_utterance_once() {
        let train: Vec<usize> = (0..101).map(|i| i * 3).collect();
        let config = ModelConfig::timnet(2, 3);
        let batches = epoch(&config, KEY, 7, &train, 32);
        assert_eq!(batches.iter().map(|b| b.indices.len()).collect::<Vec<_>>(), [32, 32, 32, 5]);
        let mut seen: Vec<usize> = batches.iter().flat_map(|b| &b.indices).map(|&i| i as usize).collect();
        assert_ne!(seen, train);
        seen.sort_unstable();
        assert_eq!(seen, train);
    }

    #[test]
    fn draws_depend_on_seed_fold_and_epoch_alone() {
        let config = ModelConfig::timnet(2, 3);
        let train: Vec<usize> = (0..50).collect();
        let base = epoch(&config, KEY, 7, &train, 32);
        assert_eq!(base, epoch(&config, KEY, 7, &train, 32));
        assert_ne!(base, epoch(&config, KEY, 8, &train, 32));
        assert_ne!(base, epoch(&config, Key { fold: 4, ..KEY }, 7, &train, 32));
        assert_ne!(base, epoch(&config, Key { seed: 47, ..KEY }, 7, &train, 32));
    }

    #[test]
    fn dropout_drops_a_tenth_and_keeps_the_mean() {
        let config = ModelConfig::timnet(8, 7);
        let train: Vec<usize> = (0..482).collect();
        let values: Vec<f32> = epoch(&config, KEY, 0, &train, 64).into_iter().flat_map(|b| b.dropout).collect();
        let dropped = values.iter().filter(|&&v| v == 0.0).count() as f64 / values.len() as f64;
        // 601,536 draws: five standard deviations are 0.0019.
        assert!((dropped - 0.1).abs() < 0.002, "{dropped}");
    }

    #[test]
    fn initial_kernels_fill_glorots_range() {
        let config = ModelConfig::timnet(8, 7);
        let layout = Layout::new(&config);
        let Weights { parameters, statistics, .. } = initial(&config, KEY);
        assert_eq!((parameters.len(), statistics.len()), (104_496, 2_496));
        let kernel = &parameters[layout.blocks[0][0][0].kernel.all()];
        let a = (6.0f32 / 156.0).sqrt();
        let max = kernel.iter().fold(0.0f32, |m, v| m.max(v.abs()));
        assert!(max <= a && max > 0.98 * a, "{max} against {a}");
    }
}
