//! Random draws as functions, not sequences.

use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use rand_distr::{Distribution, StandardUniform};

/// What the random draws for one utterance depend on: nothing else does, not threads, not what was drawn before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Draw {
    /// The run's seed.
    pub seed: u64,
    /// The epoch, or the number of the augmented copy.
    pub epoch: u32,
    /// The utterance's number in its corpus.
    pub utterance: u32,
}

impl Draw {
    /// The stream of one purpose; purposes do not share numbers, so that one step more or less changes no other.
    pub(crate) fn stream(self, purpose: u8) -> ChaCha8Rng {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&self.seed.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.epoch.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.utterance.to_le_bytes());
        bytes[16] = purpose;
        // Apart from the streams of `serengine`, which leave these bytes zero.
        bytes[24..].copy_from_slice(b"seraugm1");
        ChaCha8Rng::from_seed(bytes)
    }

    /// A copy's number in `0..copies`, for this epoch and utterance.
    pub fn copy(self, copies: u32) -> u32 {
        let unit = unit(&mut self.stream(0));
        ((unit * f64::from(copies)) as u32).min(copies.saturating_sub(1))
    }
}

/// Uniform in [0, 1).
pub(crate) fn unit(rng: &mut ChaCha8Rng) -> f64 {
    StandardUniform.sample(rng)
}

/// Uniform in [low, high).
pub(crate) fn between(rng: &mut ChaCha8Rng, low: f64, high: f64) -> f64 {
    low + (high - low) * unit(rng)
}

/// Uniform in 0..n; 0 for none.
pub(crate) fn below(rng: &mut ChaCha8Rng, n: usize) -> usize {
    ((unit(rng) * n as f64) as usize).min(n.saturating_sub(1))
}
