//! CAAM, the cross-corpus network of CTL-MTNet (IJCAI 2022): CPAC's encoder e, a classifier h and an adversary h', trained together on a
//! source corpus with labels and a target corpus without (margin disparity discrepancy, Zhang et al., ICML 2019).
//!
//! ```text
//! p_s = h(e(x_s))   p_t = h(e(x_t))   q_s = h'(R(e(x_s)))   q_t = h'(R(e(x_t)))
//! loss = mean CE(y_s, p_s) + mean [ gamma CE(sg(p_s), q_s) + CE(sg(p_t), (1 - q_t) / sum(1 - q_t)) ]
//! ```
//!
//! sg stops the gradient, R reverses it: what comes back is times -k, k = 2 / (1 + exp(-(i + 1) / 1000)) - 1 at step i = 1, 2, ...
//!
//! The network reads pairs: an utterance of the source and one of the target, one after the other in time ([`pairs`] makes them). So any engine
//! trains it, in any fold store and with any checkpoint. Inference reads the first half alone.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serengine::{Adam, Dataset, EngineError, Layout, Loss, Objective, Settings, Weights, WeightsError};
use sertorch::{
    Answer, Network, Pass,
    tch::{Device, TchError, Tensor},
};

use crate::{
    capsules::{self, DEAD_STATISTICS, Encoder, WIDTH},
    error::{PeerError, range, rates},
    parts::Linear,
};

/// Probabilities are held between this and 1 less this before their logarithm is taken.
const CLIP: f64 = 1e-7;
/// Steps over which the reversal rises.
const RAMP: f64 = 1000.0;
/// Dropout sites of a pass through the encoder.
const SITES: usize = 3;

/// Settings of a CAAM.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaamConfig {
    /// Number of classes.
    pub classes: usize,
    /// Coefficients of a frame, at least 38.
    pub coefficients: usize,
    /// Frames of every utterance, at least 38. A pair has twice as many.
    pub frames: usize,
    /// Rates of the element-wise dropout behind the three pools.
    pub dropout: [f64; 3],
    /// Weight of the adversary's term on the source.
    pub gamma: f64,
    /// Counter of the reversal before the first step: k = 2 / (1 + exp(-(counter + 1) / 1000)) - 1. 1 as published, where k stays below
    /// 0.12 in all trainings; 1000 begins at 0.46.
    pub reversal_counter: u64,
}

impl CaamConfig {
    /// As published, on 39 MFCCs.
    pub fn new(classes: usize, frames: usize) -> Self {
        Self { classes, coefficients: 39, frames, dropout: [0.25; 3], gamma: 1.5, reversal_counter: 1 }
    }

    /// Loss of the classifier and optimiser of the published training. Batches have 512 pairs, there are 120 epochs.
    pub fn objective() -> Objective {
        let adam = Adam { learning_rate: 0.01, beta1: 0.975, beta2: 0.935, eps: 1e-8, ..Adam::default() };
        Objective { loss: Loss::ClippedCrossEntropy { clip: CLIP }, label_smoothing: 0.0, adam, ..Objective::default() }
    }

    /// Number of parameters of encoder, classifier and adversary, with the 384 statistics that the published network counts and never
    /// uses.
    ///
    /// # Errors
    /// Settings that can't be used.
    pub fn parameters(&self) -> Result<usize, PeerError> {
        Ok(self.layout()?.trainable() + DEAD_STATISTICS)
    }

    /// Multiply-adds of the forward pass of a pair in training: twice the encoder and both heads. Inference takes half.
    ///
    /// # Errors
    /// Settings that can't be used.
    pub fn multiply_adds(&self) -> Result<u64, PeerError> {
        self.check()?;
        Ok(2 * (capsules::multiply_adds(self.frames, self.coefficients) + (2 * WIDTH * self.classes) as u64))
    }

    fn check(&self) -> Result<(), PeerError> {
        range("classes", self.classes, 2, 1000)?;
        capsules::check(self.frames, self.coefficients)?;
        if !(0.0..=1e3).contains(&self.gamma) {
            return Err(PeerError::Range { key: "gamma", value: self.gamma, min: 0.0, max: 1e3 });
        }
        rates(&self.dropout)
    }
}

/// The data set that CAAM trains on: first the pairs, then the utterances to be scored.
#[derive(Clone, Debug)]
pub struct Pairs {
    /// What the engine reads, [pairs + scored, 2 * frames, coefficients]. The target's and the scored utterances' labels are not in it.
    pub data: Dataset,
    /// Indices of the pairs: the training part.
    pub train: std::ops::Range<usize>,
    /// Indices of the scored utterances, in their order.
    pub scored: std::ops::Range<usize>,
}

impl Pairs {
    /// The class of each index: that of a pair's source, then `truth`, the classes of the scored utterances, which are needed for the score
    /// alone.
    pub fn labels(&self, truth: &[usize]) -> Vec<usize> {
        self.data.labels()[self.train.clone()].iter().chain(truth).copied().collect()
    }
}

/// Pairs of a source and a target: as many as the larger of the two has utterances, the smaller repeated in its order. `scored` is the
/// target itself where the target is the test set, or other utterances of its corpus. No label of `target` or `scored` is read.
///
/// # Errors
/// [`EngineError::Shape`] for utterances of different shapes.
pub fn pairs(source: &Dataset, target: &Dataset, scored: &Dataset) -> Result<Pairs, EngineError> {
    let shape = |data: &Dataset| (data.frames(), data.coefficients());
    for (name, data) in [("target", target), ("scored", scored)] {
        if shape(data) != shape(source) {
            return Err(EngineError::Shape(format!(
                "the {name} utterances have (frames, coefficients) {:?}, the source has {:?}",
                shape(data),
                shape(source)
            )));
        }
    }
    let pairs = source.len().max(target.len());
    let mut features = Vec::with_capacity(2 * (pairs + scored.len()) * source.frames() * source.coefficients());
    let mut labels = Vec::with_capacity(pairs + scored.len());
    for i in 0..pairs {
        features.extend_from_slice(source.utterance(i % source.len()));
        features.extend_from_slice(target.utterance(i % target.len()));
        labels.push(source.labels()[i % source.len()]);
    }
    for i in 0..scored.len() {
        features.extend_from_slice(scored.utterance(i));
        // Inference does not read the second half, and training no scored utterance.
        features.resize(features.len() + scored.utterance(i).len(), 0.0);
        labels.push(0);
    }
    let (train, scored) = (0..pairs, pairs..pairs + scored.len());
    Ok(Pairs { data: Dataset::new(features, labels, 2 * source.frames(), source.coefficients())?, train, scored })
}

impl Settings for CaamConfig {
    const FAMILY: &'static str = "caam";
    type Error = PeerError;

    /// # Errors
    /// A setting out of its range, by name.
    fn layout(&self) -> Result<Layout, PeerError> {
        self.check()?;
        Ok(lay_out(self).0)
    }
}

fn lay_out(config: &CaamConfig) -> (Layout, Encoder, [Linear; 2]) {
    let CaamConfig { classes, coefficients, frames, dropout, .. } = config;
    let mut layout = Layout::new(config, *coefficients, *classes).of_frames(2 * frames);
    let encoder = Encoder::lay_out(&mut layout, false);
    let heads = ["task", "adversary"].map(|name| Linear::lay_out(&mut layout, name, WIDTH, *classes));
    for _domain in ["source", "target"] {
        Encoder::sites(&mut layout, *frames, *coefficients, dropout);
    }
    (layout, encoder, heads)
}

/// CAAM: [`sertorch::Network`] of a [`CaamConfig`].
#[derive(Debug)]
pub struct Caam {
    layout: Arc<Layout>,
    config: CaamConfig,
    encoder: Encoder,
    task: Linear,
    adversary: Linear,
}

impl Caam {
    /// The network that these weights belong to.
    ///
    /// # Errors
    /// [`WeightsError::Family`] for weights of another family of networks.
    pub fn of(weights: &Weights) -> Result<Self, WeightsError> {
        let config: CaamConfig = weights.settings()?;
        let (_, encoder, [task, adversary]) = lay_out(&config);
        Ok(Self { layout: Arc::clone(&weights.layout), config, encoder, task, adversary })
    }

    /// k of each copy at its next step, [copies, 1, 1].
    fn reversal(&self, pass: &Pass) -> Result<Tensor, TchError> {
        let k = |&steps: &u64| {
            let counter = self.config.reversal_counter.saturating_add(steps).saturating_add(1);
            2.0 / (1.0 + (-(counter as f64) / RAMP).exp()) - 1.0
        };
        let all: Vec<f64> = pass.steps().iter().map(k).collect();
        let features = pass.features();
        Tensor::f_from_slice(&all)?.f_to_kind(features.f_kind()?)?.f_to_device(features.device())?.f_view([-1, 1, 1])
    }

    /// The adversary's terms of each pair, [copies, batch].
    fn adversarial(&self, pass: &Pass, source: &Tensor, target: &Tensor, logits: &Tensor) -> Result<Tensor, TchError> {
        let minus_k = self.reversal(pass)?.f_neg()?;
        // e in value, -k e in gradient.
        let reversed = |e: &Tensor| {
            let still = e.f_detach()?;
            still.f_add(&e.f_sub(&still)?.f_mul(&minus_k)?)
        };
        let adversary = |e: &Tensor| self.adversary.run(pass, &reversed(e)?.f_relu()?)?.f_softmax(-1, None);
        let p_t = self.task.run(pass, &target.f_relu()?)?.f_softmax(-1, None)?;
        let others = adversary(target)?.f_neg()?.f_add_scalar(1.0)?;
        let sum = others.f_sum_dim_intlist([-1i64].as_slice(), true, None)?;
        let on_source = soft_cross_entropy(&logits.f_softmax(-1, None)?, &adversary(source)?)?;
        let on_target = soft_cross_entropy(&p_t, &others.f_div(&sum)?)?;
        on_source.f_mul_scalar(self.config.gamma)?.f_add(&on_target)
    }
}

/// -sum_c t_c ln p_c of probabilities `p`; targets pass no gradient.
fn soft_cross_entropy(targets: &Tensor, p: &Tensor) -> Result<Tensor, TchError> {
    let log = p.f_clamp(CLIP, 1.0 - CLIP)?.f_log()?;
    log.f_mul(&targets.f_detach()?)?.f_sum_dim_intlist([-1i64].as_slice(), false, None)?.f_neg()
}

impl Network for Caam {
    fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    fn forward(&self, pass: &Pass) -> Result<Answer, TchError> {
        let frames = self.config.frames as i64;
        let half = |i: i64| pass.features().f_narrow(2, i * frames, frames);
        let source = self.encoder.run(pass, &half(0)?, 0)?;
        let logits = self.task.run(pass, &source.f_relu()?)?;
        if !pass.is_training() {
            return Ok(Answer::new(logits, source));
        }
        let target = self.encoder.run(pass, &half(1)?, SITES)?;
        let further = self.adversarial(pass, &source, &target, &logits)?;
        Ok(Answer::new(logits, source).with_loss(further))
    }

    fn part(&self, device: Device) -> usize {
        if device == Device::Cpu { 4 } else { 64 }
    }
}
