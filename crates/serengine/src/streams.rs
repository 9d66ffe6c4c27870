//! The random draws of a run, each a pure function of a [`Key`].
//!
//! A draw never depends on how many draws came before it, on threads or on the engine: a run resumed at epoch 137 sees
//! the same order and masks as one never stopped, and two engines can be compared step by step.

use std::sync::Arc;

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

use crate::{
    data::Batch,
    layout::{Init, Layout, Tensor},
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

/// A network before its first step, each tensor as its [`Init`] says.
pub fn initial(layout: &Arc<Layout>, key: Key) -> Weights {
    let mut rng = key.stream(Purpose::Init, 0);
    let mut fill = |tensors: &[Tensor]| {
        let mut out = Vec::new();
        for t in tensors {
            match t.init {
                Init::Constant(value) => out.resize(out.len() + t.range.len, value),
                Init::Uniform(a) => out.extend((0..t.range.len).map(|_| a * (2.0 * unit(&mut rng) - 1.0))),
            }
        }
        out
    };
    let (parameters, statistics) = (fill(layout.tensors()), fill(layout.running()));
    Weights { layout: Arc::clone(layout), parameters, statistics }
}

/// The batches of one epoch: `train` reshuffled and cut into `batch_size`, the last batch smaller, each with its dropout
/// masks.
pub fn epoch(layout: &Layout, key: Key, epoch: u32, train: &[usize], batch_size: usize) -> Vec<Batch> {
    let mut order: Vec<u32> = train.iter().map(|&i| i as u32).collect();
    let mut rng = key.stream(Purpose::Order, epoch);
    for i in (1..order.len()).rev() {
        order.swap(i, below(&mut rng, i as u32 + 1) as usize);
    }
    let mut rng = key.stream(Purpose::Dropout, epoch);
    order
        .chunks(batch_size.max(1))
        .map(|chunk| Batch { indices: chunk.to_vec(), dropout: masks(layout, &mut rng, chunk.len()) })
        .collect()
}

/// The factors of every site in turn, [batch, site's shape] each; empty if nothing is ever dropped.
fn masks(layout: &Layout, rng: &mut ChaCha8Rng, batch: usize) -> Vec<f32> {
    if layout.sites().iter().all(|site| site.rate as f32 == 0.0) {
        return Vec::new();
    }
    let mut out = Vec::new();
    for site in layout.sites() {
        let p = site.rate as f32;
        let kept = 1.0 / (1.0 - p);
        out.extend((0..batch * site.len()).map(|_| if unit(rng) < p { 0.0 } else { kept }));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::toy::{TOY, Toy};

    const KEY: Key = Key { seed: 46, fold: 3 };

    #[test]
    fn an_epoch_visits_every_utterance_once() {
        let train: Vec<usize> = (0..101).map(|i| i * 3).collect();
        let batches = epoch(&TOY.made(), KEY, 7, &train, 32);
        assert_eq!(batches.iter().map(|b| b.indices.len()).collect::<Vec<_>>(), [32, 32, 32, 5]);
        let mut seen: Vec<usize> = batches.iter().flat_map(|b| &b.indices).map(|&i| i as usize).collect();
        assert_ne!(seen, train);
        seen.sort_unstable();
        assert_eq!(seen, train);
    }

    #[test]
    fn draws_depend_on_seed_fold_and_epoch_alone() {
        let layout = TOY.made();
        let train: Vec<usize> = (0..50).collect();
        let base = epoch(&layout, KEY, 7, &train, 32);
        assert_eq!(base, epoch(&layout, KEY, 7, &train, 32));
        assert_ne!(base, epoch(&layout, KEY, 8, &train, 32));
        assert_ne!(base, epoch(&layout, Key { fold: 4, ..KEY }, 7, &train, 32));
        assert_ne!(base, epoch(&layout, Key { seed: 47, ..KEY }, 7, &train, 32));
    }

    /// A tenth of the first site's factors, half of the second's; a kept factor makes up for the dropped ones.
    #[test]
    fn every_site_drops_its_own_share() {
        let train: Vec<usize> = (0..10_000).collect();
        let factors = epoch(&TOY.made(), KEY, 0, &train, 10_000).remove(0).dropout;
        let (first, second) = factors.split_at(4 * 10_000);
        assert_eq!(second.len(), 6 * 10_000);
        for (site, rate) in [(first, 0.1), (second, 0.5)] {
            let dropped = site.iter().filter(|&&v| v == 0.0).count() as f64 / site.len() as f64;
            // Five standard deviations are 0.0075 and 0.0102.
            assert!((dropped - rate).abs() < 0.011, "{dropped} {rate}");
            assert!(site.iter().all(|&v| v == 0.0 || v == 1.0 / (1.0 - rate as f32)));
        }
        let none = Toy { rates: [0.0, 0.0], ..TOY };
        assert!(epoch(&none.made(), KEY, 0, &train, 64)[0].dropout.is_empty());
    }

    #[test]
    fn initial_kernels_fill_their_range() {
        let toy = Toy { coefficients: 5000, ..TOY };
        let Weights { parameters, statistics, .. } = initial(&toy.made(), KEY);
        assert_eq!((parameters.len(), statistics.len()), (30_003, 6));
        let a = (6.0f32 / 13.0).sqrt();
        let max = parameters[..30_000].iter().fold(0.0f32, |m, v| m.max(v.abs()));
        assert!(max <= a && max > 0.999 * a, "{max} against {a}");
        assert_eq!(parameters[30_000..], [1.0; 3]);
    }
}
