//! Training: one optimiser step after another, on the caller's thread.

use std::sync::Arc;

use serengine::{
    Batch, Dataset, Engine, EngineError, EngineFacts, Objective, Predictions, Range, StepOutcome, TrainState,
    TrainingInputs, Weights, argmax, check_indices,
};
use timnet_core::{ModelConfig, Places};

use crate::{
    backward::Gradients,
    forward::{Scratch, Step, Trace},
    head,
    kernels::{Shape, Simd},
    network::Network,
};

/// The CPU engine. It runs on one thread and shares nothing but the data set: train folds side by side, one engine on
/// each thread. Equal inputs give equal bytes on CPUs of one [`Simd`] level.
#[derive(Debug)]
pub struct NativeEngine {
    dataset: Arc<Dataset>,
    config: ModelConfig,
    places: Places,
    objective: Objective,
    /// Weight and place of each tensor with an L2 penalty.
    penalties: Vec<(f64, Range)>,
    shape: Shape,
    state: TrainState,
    gradient: Vec<f32>,
    traces: Vec<Trace>,
    scratch: Scratch,
    grads: Gradients,
}

/// Raised whenever the same inputs give other bytes than before at some SIMD level (`tests/numerics.rs` holds the hashes).
pub const NUMERICS_VERSION: u32 = 1;

/// What [`NativeEngine`] says of itself at a SIMD level, before there is an engine.
pub fn facts(simd: Simd) -> EngineFacts {
    EngineFacts {
        name: "native".into(),
        numerics: NUMERICS_VERSION,
        device: "cpu".into(),
        simd: Some(simd.name().into()),
    }
}

impl NativeEngine {
    /// An engine at its first step.
    ///
    /// # Errors
    /// [`EngineError::Shape`] where configuration and data do not fit together; weights, statistics or settings that can't be used
    /// ([`EngineError::Weights`], [`EngineError::Setting`]).
    pub fn new(dataset: Arc<Dataset>, weights: Weights, objective: Objective) -> Result<Self, EngineError> {
        Self::with_simd(dataset, weights, objective, Simd::detect())
    }

    /// [`Self::new`] on a chosen instruction set.
    ///
    /// # Errors
    /// As there.
    pub fn with_simd(
        dataset: Arc<Dataset>,
        weights: Weights,
        objective: Objective,
        simd: Simd,
    ) -> Result<Self, EngineError> {
        objective.check(&weights.layout, dataset.len())?;
        weights.check()?;
        dataset.check(&weights.layout)?;
        let config: ModelConfig = weights.settings()?;
        let mut penalties = Vec::new();
        if let Some(l2) = &objective.l2 {
            penalties.extend(l2.places(&weights.layout)?.into_iter().map(|place| (l2.weight, place)));
        }
        Ok(Self {
            penalties,
            shape: Shape::new(simd, config.filters),
            gradient: vec![0.0; weights.parameters.len()],
            traces: (0..config.directions()).map(|_| Trace::default()).collect(),
            scratch: Scratch::default(),
            grads: Gradients::default(),
            state: TrainState::start(weights),
            dataset,
            places: Places::of(&config),
            config,
            objective,
        })
    }

    /// Goes on with other utterances: an epoch's variations of those before, for instance.
    ///
    /// # Errors
    /// [`EngineError::Shape`] where the data does not fit the network.
    pub fn set_dataset(&mut self, dataset: Arc<Dataset>) -> Result<(), EngineError> {
        dataset.check(&self.state.weights.layout)?;
        self.dataset = dataset;
        Ok(())
    }

    /// Optimiser steps taken.
    pub fn steps(&self) -> u64 {
        self.state.steps
    }

    /// The loss of a batch, with `self.gradient` its gradient; running statistics move on.
    fn step(&mut self, batch: &Batch) -> StepOutcome {
        let Self { dataset, config, places, objective, penalties, shape, state, gradient, traces, scratch, grads } =
            self;
        let Weights { parameters, statistics, .. } = &mut state.weights;
        let step = Step {
            config,
            places,
            shape: *shape,
            parameters,
            inputs: batch.indices.iter().map(|&i| dataset.utterance(i as usize)).collect(),
            frames: dataset.frames(),
            dropout: &batch.dropout,
        };
        let (size, c, p) = (batch.indices.len(), shape.channels, shape.p);
        let mut scales = vec![0.0; config.blocks * size * p];
        for (direction, trace) in traces.iter_mut().enumerate() {
            step.forward(direction, trace, scratch, statistics, &mut scales);
        }

        gradient.fill(0.0);
        let coefficients = head::coefficients(config, places, parameters);
        let weight = |k: usize| &parameters[places.head.start + k * c..][..c];
        let mut head_gradient = vec![0.0f64; places.head.len + places.head_bias.len];
        let mut fusion = vec![0.0f64; config.blocks];
        let mut pooled = vec![0.0; scales.len()];
        let mut last = vec![0.0; if config.takes_last() { size * p } else { 0 }];
        let (mut loss, mut correct) = (0.0, 0);
        let mut embedding = vec![0.0; c];
        for (s, &i) in batch.indices.iter().enumerate() {
            let of = |j: usize| (j * size + s) * p;
            head::fuse(&coefficients, (0..config.blocks).map(|j| &scales[of(j)..][..c]), &mut embedding);
            let logits = head::logits(&parameters[places.head.all()], &parameters[places.head_bias.all()], &embedding);
            let label = dataset.labels()[i as usize];
            let (l, d_logits) = objective.loss_of(&logits, label, i as usize);
            let weight_of_class = objective.class_weight(label);
            loss += weight_of_class * l;
            correct += u32::from(argmax(&logits) == label);
            let mut d_embedding = vec![0.0f64; c];
            for (k, d) in d_logits.into_iter().enumerate() {
                let d = weight_of_class * d / size as f64;
                head_gradient[places.head.len + k] += d;
                for (i, &g) in embedding.iter().enumerate() {
                    head_gradient[k * c + i] += d * f64::from(g);
                    d_embedding[i] += d * f64::from(weight(k)[i]);
                }
            }
            for (j, &w) in coefficients.iter().enumerate() {
                for (i, d) in d_embedding.iter().enumerate() {
                    fusion[j] += d * f64::from(scales[of(j) + i]);
                    pooled[of(j) + i] = (d * f64::from(w) / dataset.frames() as f64) as f32;
                }
            }
            if !last.is_empty() {
                last[s * p..][..c].iter_mut().zip(&d_embedding).for_each(|(to, &d)| *to = d as f32);
            }
        }
        if !last.is_empty() {
            pooled.fill(0.0);
        }
        let write = |to: &mut [f32], from: &[f64]| to.iter_mut().zip(from).for_each(|(to, &v)| *to = v as f32);
        write(&mut gradient[places.head.all()], &head_gradient);
        write(&mut gradient[places.head_bias.all()], &head_gradient[places.head.len..]);
        if let Some(range) = places.fusion {
            write(&mut gradient[range.all()], &fusion);
        }
        // The direction that ran last is still in the cache.
        for (direction, trace) in traces.iter().enumerate().rev() {
            step.backward(direction, trace, scratch, grads, (&pooled, &last), gradient);
        }
        let mut loss = loss / size as f64;
        for (weight, place) in penalties.iter() {
            for (g, &p) in gradient[place.all()].iter_mut().zip(&parameters[place.all()]) {
                loss += weight * f64::from(p) * f64::from(p);
                *g += (2.0 * weight * f64::from(p)) as f32;
            }
        }
        StepOutcome { loss: loss as f32, correct }
    }

    fn adam(&mut self) {
        self.state.steps += 1;
        let adam = &self.objective.adam;
        let (b1, b2, eps) = (adam.beta1 as f32, adam.beta2 as f32, adam.eps as f32);
        let (c1, c2) = ((1.0 - adam.beta1) as f32, (1.0 - adam.beta2) as f32);
        let rate = adam.rate(self.state.steps) as f32;
        let TrainState { weights, first_moment, second_moment, .. } = &mut self.state;
        for (((p, m), v), &g) in weights.parameters.iter_mut().zip(first_moment).zip(second_moment).zip(&self.gradient)
        {
            *m = b1 * *m + c1 * g;
            *v = b2 * *v + c2 * g * g;
            *p -= rate * *m / (v.sqrt() + eps);
        }
    }
}

impl Engine for NativeEngine {
    fn describe(&self) -> EngineFacts {
        facts(self.shape.simd)
    }

    fn inputs(&self) -> TrainingInputs {
        TrainingInputs { data: self.dataset.sha256(), objective: self.objective.clone() }
    }

    fn train(&mut self, batches: &[Batch]) -> Result<Vec<StepOutcome>, EngineError> {
        batches
            .iter()
            .map(|batch| {
                batch.check(&self.state.weights.layout, self.dataset.len())?;
                let outcome = self.step(batch);
                self.adam();
                Ok(outcome)
            })
            .collect()
    }

    fn predict(&mut self, indices: &[usize]) -> Result<Predictions, EngineError> {
        check_indices(indices.iter().copied(), self.dataset.len())?;
        let network = Network::with_simd(&self.state.weights, self.shape.simd)?;
        let mut predictions = Predictions::default();
        for &i in indices {
            let (embedding, logits) = network.embed(self.dataset.utterance(i), self.dataset.frames())?;
            predictions.embeddings.extend(embedding);
            predictions.logits.extend(logits);
        }
        Ok(predictions)
    }

    fn state(&self) -> Result<TrainState, EngineError> {
        Ok(self.state.clone())
    }

    fn restore(&mut self, state: &TrainState) -> Result<(), EngineError> {
        let (found, expected) = (&state.weights.layout, &self.state.weights.layout);
        if found != expected {
            let (found, expected) = (found.settings(), expected.settings());
            return Err(EngineError::Shape(format!("a state of the network {found} for an engine of {expected}")));
        }
        state.check()?;
        self.state = state.clone();
        Ok(())
    }
}
