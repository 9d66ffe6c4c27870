//! CPAC, the single-corpus network of CTL-MTNet (IJCAI 2022): a convolutional network over MFCCs as an image, self-attention over capsules,
//! routing, and the mean of the routing capsules.

use std::{collections::HashSet, sync::Arc};

use serde::{Deserialize, Serialize};
use serengine::{Adam, Layout, Loss, Objective, Settings, Weights, WeightsError};
use sertorch::{
    Answer, Network, Pass,
    tch::{Device, TchError},
};

use crate::{
    capsules::{self, DEAD_STATISTICS, Encoder, WIDTH},
    error::{PeerError, range, rates},
    parts::Linear,
};

/// Settings of a CPAC.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CpacConfig {
    /// Number of classes.
    pub classes: usize,
    /// Coefficients of a frame, at least 38.
    pub coefficients: usize,
    /// Frames of every utterance, at least 38.
    pub frames: usize,
    /// Rates of the element-wise dropout behind the three pools and before the head.
    pub dropout: [f64; 4],
}

impl CpacConfig {
    /// As published, on 39 MFCCs.
    pub fn new(classes: usize, frames: usize) -> Self {
        Self { classes, coefficients: 39, frames, dropout: [0.5, 0.25, 0.25, 0.2] }
    }

    /// Loss and optimiser of the published training, targets smoothed once. Batches have 64 utterances, there are 300 epochs.
    pub fn objective() -> Objective {
        let adam = Adam { learning_rate: 1e-3, beta1: 0.975, beta2: 0.932, eps: 1e-8, ..Adam::default() };
        let loss = Loss::Margin { present: 0.9, absent: 0.1, weight: 0.5 };
        Objective { loss, label_smoothing: 0.1, adam, ..Objective::default() }
    }

    /// Number of parameters, with the 384 statistics that the published network counts and never uses: it is
    /// [`Layout::trainable`] of the layout that training changes.
    ///
    /// # Errors
    /// Settings that can't be used.
    pub fn parameters(&self) -> Result<usize, PeerError> {
        Ok(self.layout()?.trainable() + DEAD_STATISTICS)
    }

    /// Multiply-adds of the forward pass of an utterance.
    ///
    /// # Errors
    /// Settings that can't be used.
    pub fn multiply_adds(&self) -> Result<u64, PeerError> {
        self.check()?;
        Ok(capsules::multiply_adds(self.frames, self.coefficients) + (WIDTH * self.classes) as u64)
    }

    fn check(&self) -> Result<(), PeerError> {
        range("classes", self.classes, 2, 1000)?;
        capsules::check(self.frames, self.coefficients)?;
        rates(&self.dropout)
    }
}

/// How often the published training has smoothed the target of each of `utterances` utterances when it trains fold `fold` (counted from
/// 0): it smooths the training part's targets in place, so those of earlier folds stay smoothed. For
/// [`Objective::smoothing_rounds`], whose default smooths once. `tests` has each fold's test part.
pub fn compounded_rounds(tests: &[Vec<usize>], fold: usize, utterances: usize) -> Vec<u32> {
    let tests: Vec<HashSet<usize>> = tests.iter().take(fold + 1).map(|part| part.iter().copied().collect()).collect();
    (0..utterances).map(|i| tests.iter().filter(|test| !test.contains(&i)).count() as u32).collect()
}

impl Settings for CpacConfig {
    const FAMILY: &'static str = "cpac";
    type Error = PeerError;

    /// # Errors
    /// A setting out of its range, by name.
    fn layout(&self) -> Result<Layout, PeerError> {
        self.check()?;
        Ok(lay_out(self).0)
    }
}

fn lay_out(config: &CpacConfig) -> (Layout, Encoder, Linear) {
    let CpacConfig { classes, coefficients, frames, dropout: [first, second, third, last] } = *config;
    let mut layout = Layout::new(config, coefficients, classes).of_frames(frames);
    let encoder = Encoder::lay_out(&mut layout, true);
    let head = Linear::lay_out(&mut layout, "head", WIDTH, classes);
    Encoder::sites(&mut layout, frames, coefficients, &[first, second, third]);
    layout.site(&[WIDTH], last);
    (layout, encoder, head)
}

/// CPAC: [`sertorch::Network`] of a [`CpacConfig`].
#[derive(Debug)]
pub struct Cpac {
    layout: Arc<Layout>,
    encoder: Encoder,
    head: Linear,
}

impl Cpac {
    /// The network that these weights belong to.
    ///
    /// # Errors
    /// [`WeightsError::Family`] for weights of another family of networks.
    pub fn of(weights: &Weights) -> Result<Self, WeightsError> {
        let (_, encoder, head) = lay_out(&weights.settings()?);
        Ok(Self { layout: Arc::clone(&weights.layout), encoder, head })
    }
}

impl Network for Cpac {
    fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    fn forward(&self, pass: &Pass) -> Result<Answer, TchError> {
        let embedding = self.encoder.run(pass, pass.features(), 0)?;
        let read = match pass.factors(3) {
            None => embedding.shallow_clone(),
            Some(factors) => embedding.f_mul(factors)?,
        };
        Ok(Answer::new(self.head.run(pass, &read)?, embedding))
    }

    fn part(&self, device: Device) -> usize {
        if device == Device::Cpu { 8 } else { usize::MAX }
    }
}
