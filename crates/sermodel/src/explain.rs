//! What carried a decision.

use timnet_core::Places;
use timnet_native::Output;

use crate::{Model, ModelError, listen::SHORTEST};

/// A logit taken apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Contributions {
    /// What each block's feature adds, w_j head . g_j, `[blocks]`.
    pub blocks: Vec<f64>,
    /// The head's bias.
    pub bias: f64,
}

/// What a stretch of an utterance does for a class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// In seconds from the start of the fitted utterance.
    pub start: f64,
    /// In seconds.
    pub end: f64,
    /// The class's probability, less its probability with silence in place of this stretch.
    pub effect: f32,
}

impl Model {
    /// What each time scale adds to a class's logit; with the bias they add up to it. `class` counts from 0; one
    /// beyond the last is taken as the last.
    pub fn contributions(&self, output: &Output, class: usize) -> Contributions {
        let (config, parameters) = (self.network().config(), &self.weights().parameters);
        let class = class.min(config.classes - 1);
        let (places, f) = (Places::of(config), config.filters);
        let head = &parameters[places.head.start + class * f..][..f];
        let dot = |g: &[f32]| head.iter().zip(g).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
        let scales = output.scales.chunks_exact(f).zip(self.network().fusion());
        Contributions {
            blocks: scales.map(|(g, &w)| f64::from(w) * dot(g)).collect(),
            bias: f64::from(parameters[places.head_bias.start + class]),
        }
    }

    /// Puts silence in place of each stretch of `seconds` of an utterance in turn and asks how far the probability of
    /// `class` falls. The stretches tile the fitted utterance ([`Model::fitted`]).
    ///
    /// # Errors
    /// As [`Model::predict`]; stretches below 10 ms; a class that the model does not have.
    pub fn occlusion(&self, samples: &[f32], rate: u32, class: usize, seconds: f64) -> Result<Vec<Span>, ModelError> {
        let fitted = self.fitted(samples, rate)?;
        let to = self.card().front_end.sample_rate;
        let length = fitted.len() as f64 / f64::from(to);
        if !(seconds >= SHORTEST && seconds.is_finite()) {
            return Err(ModelError::Window { what: "stretch", seconds, least: SHORTEST, longest: length });
        }
        let classes = self.labels().len();
        if class >= classes {
            return Err(ModelError::Class { class, classes });
        }
        let probability = |samples: &[f32]| Ok::<f32, ModelError>(self.predict(samples, to)?.probabilities[class]);
        let whole = probability(&fitted)?;
        let step = ((seconds * f64::from(to)).round() as usize).max(1);
        let mut spans = Vec::new();
        for start in (0..fitted.len()).step_by(step) {
            let end = (start + step).min(fitted.len());
            let mut occluded = fitted.clone();
            occluded[start..end].fill(0.0);
            let [from, until] = [start, end].map(|at| at as f64 / f64::from(to));
            spans.push(Span { start: from, end: until, effect: whole - probability(&occluded)? });
        }
        Ok(spans)
    }
}
