//! Inference: BatchNorm folded into the convolutions, one utterance at a time.

use serengine::{EngineError, Predictions, Range, Weights, first_not_finite, softmax};
use timnet_core::{ModelConfig, Places, SubBlock as Place};

use crate::{
    head,
    kernels::{Reach, Shape, Simd, SubBlock},
    pack,
};

/// A trained network, ready for inference. It never changes, so threads may share it.
#[derive(Clone, Debug)]
pub struct Network {
    config: ModelConfig,
    shape: Shape,
    stems: Vec<Affine>,
    /// [block][direction][sub-block]
    blocks: Vec<Vec<[Affine; 2]>>,
    coefficients: Vec<f32>,
    head: Vec<f32>,
    head_bias: Vec<f32>,
    identity: Vectors,
}

#[derive(Clone, Debug)]
struct Affine {
    kernel: Vec<f32>,
    bias: Vec<f32>,
}

#[derive(Clone, Debug)]
struct Vectors {
    ones: Vec<f32>,
    zeros: Vec<f32>,
}

impl Vectors {
    /// h = relu(y)
    fn relu(&self) -> SubBlock<'_> {
        SubBlock { scale: &self.ones, offset: &self.zeros, mask: &self.ones }
    }
}

/// What the network says of one utterance.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// `[classes]`
    pub logits: Vec<f32>,
    /// Softmax of the logits, `[classes]`.
    pub probabilities: Vec<f32>,
    /// g_drf, `[filters]`: what the head sees.
    pub embedding: Vec<f32>,
    /// g_j, [blocks, filters].
    pub scales: Vec<f32>,
    /// How open each block's gate is at each frame, 0.5 (closed as it gets, since the gate is sigmoid(ReLU)) to 1: the mean of the
    /// sigmoid over channels and directions, [blocks, frames], both directions in the utterance's order. Empty for
    /// the TCN, which has no gate.
    pub attention: Vec<f32>,
}

struct Scratch {
    x: Vec<f32>,
    f: Vec<f32>,
    y: Vec<f32>,
    h: Vec<f32>,
}

impl Network {
    /// # Errors
    /// [`EngineError::Weights`] where they are of another family of networks, the vectors do not fit the layout or a value is NaN, infinite
    /// or a negative variance, by its tensor; [`EngineError::NotFinite`] where BatchNorm scales a kernel beyond single precision.
    pub fn from_weights(weights: &Weights) -> Result<Self, EngineError> {
        Self::with_simd(weights, Simd::detect())
    }

    /// [`Self::from_weights`] on a chosen instruction set.
    ///
    /// # Errors
    /// As there.
    pub fn with_simd(weights: &Weights, simd: Simd) -> Result<Self, EngineError> {
        let values = &weights.parameters;
        weights.check()?;
        let config: ModelConfig = weights.settings()?;
        let places = Places::of(&config);
        let shape = Shape::new(simd, config.filters);
        let (c, p) = (shape.channels, shape.p);
        let stems = places.stems.iter().map(|(kernel, bias)| {
            let mut packed = Vec::new();
            pack::stem(&values[kernel.all()], shape, config.coefficients, &mut packed);
            Affine { kernel: packed, bias: pack::vector(&values[bias.all()], p) }
        });
        let fold = |j: usize, place: &Place| {
            let of = |range: Range| &values[range.all()];
            let (mean, var) =
                (&weights.statistics[place.running_mean.all()], &weights.statistics[place.running_var.all()]);
            let scale: Vec<f32> = of(place.gamma)
                .iter()
                .zip(var)
                .map(|(&g, &v)| (f64::from(g) / (f64::from(v) + ModelConfig::BATCH_NORM_EPS).sqrt()) as f32)
                .collect();
            let mut kernel = Vec::new();
            pack::forward(of(place.kernel), shape, |o| scale[o], &mut kernel);
            let bias = (0..c).map(|o| (of(place.bias)[o] - mean[o]) * scale[o] + of(place.beta)[o]);
            let bias = pack::vector(&bias.collect::<Vec<_>>(), p);
            for (what, values) in [("kernel", &kernel), ("bias", &bias)] {
                if let Some(i) = first_not_finite(values) {
                    return Err(EngineError::NotFinite {
                        place: format!("block {j}, {what} times BatchNorm's scale, value {i}"),
                        value: values[i],
                        advice: "these weights are too large for single precision",
                    });
                }
            }
            Ok(Affine { kernel, bias })
        };
        let block = |(j, directions): (usize, &Vec<[Place; 2]>)| {
            directions.iter().map(|[a, b]| Ok([fold(j, a)?, fold(j, b)?])).collect::<Result<_, _>>()
        };
        Ok(Self {
            shape,
            stems: stems.collect(),
            blocks: places.blocks.iter().enumerate().map(block).collect::<Result<_, EngineError>>()?,
            coefficients: head::coefficients(&config, &places, values),
            head: values[places.head.all()].to_vec(),
            head_bias: values[places.head_bias.all()].to_vec(),
            identity: Vectors { ones: pack::vector(&vec![1.0; c], p), zeros: vec![0.0; p] },
            config,
        })
    }

    /// Which network this is.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// Fusion weight w_j of each block, `[blocks]`.
    pub fn fusion(&self) -> &[f32] {
        &self.coefficients
    }

    /// Everything about one utterance of any length: `features` is [frames, coefficients].
    ///
    /// # Errors
    /// [`EngineError::Shape`] for no frames or values that do not make `frames` rows; [`EngineError::NotFinite`] for a feature that is NaN
    /// or infinite, and for logits that are, which finite but huge features can make.
    pub fn forward(&self, features: &[f32], frames: usize) -> Result<Output, EngineError> {
        let mut attention = vec![0.0; if self.config.has_gate() { self.config.blocks * frames } else { 0 }];
        let (scales, embedding, logits) = self.run(features, frames, Some(&mut attention))?;
        let probabilities = softmax(&logits, 1.0).into_iter().map(|v| v as f32).collect();
        Ok(Output { logits, probabilities, embedding, scales, attention })
    }

    /// (embedding, logits) alone.
    ///
    /// # Errors
    /// As [`Self::forward`].
    pub fn embed(&self, features: &[f32], frames: usize) -> Result<(Vec<f32>, Vec<f32>), EngineError> {
        let (_, embedding, logits) = self.run(features, frames, None)?;
        Ok((embedding, logits))
    }

    #[allow(clippy::type_complexity)]
    fn run(
        &self,
        features: &[f32],
        frames: usize,
        mut attention: Option<&mut [f32]>,
    ) -> Result<(Vec<f32>, Vec<f32>, Vec<f32>), EngineError> {
        let (c, p, inputs) = (self.shape.channels, self.shape.p, self.config.coefficients);
        if frames == 0 || frames.checked_mul(inputs) != Some(features.len()) {
            return Err(EngineError::Shape(format!(
                "{} feature values for {frames} frames x {inputs} coefficients",
                features.len()
            )));
        }
        if let Some(i) = first_not_finite(features) {
            return Err(EngineError::NotFinite {
                place: format!("frame {}, coefficient {} of the features", i / inputs, i % inputs),
                value: features[i],
                advice: "look at the recording",
            });
        }
        let (tile, parts) = (frames * p, pack::parts(self.shape, inputs));
        let zeros = || vec![0.0; tile];
        let mut s = Scratch { x: zeros(), f: zeros(), y: zeros(), h: zeros() };
        let mut scales = vec![0.0; self.config.blocks * c];
        for direction in 0..self.config.directions() {
            s.x.resize(parts * tile, 0.0);
            pack::frames(features, self.shape, inputs, direction == 1, &mut s.x);
            match self.stems.get(direction) {
                Some(stem) => self.shape.pointwise(&mut s.f, &s.x, &stem.kernel, &stem.bias),
                None => std::mem::swap(&mut s.f, &mut s.x),
            }
            s.x.truncate(tile);
            for (j, g) in scales.chunks_exact_mut(c).enumerate() {
                self.block(j, direction, &mut s, g);
                if let Some(attention) = attention.as_deref_mut().filter(|a| !a.is_empty()) {
                    self.attend(direction, &mut s, &mut attention[j * frames..(j + 1) * frames]);
                }
                std::mem::swap(&mut s.f, &mut s.x);
            }
        }
        let mut embedding = vec![0.0; c];
        head::fuse(&self.coefficients, scales.chunks_exact(c), &mut embedding);
        let logits = head::logits(&self.head, &self.head_bias, &embedding);
        let answer = Predictions { logits, embeddings: embedding };
        answer.check()?;
        Ok((scales, answer.embeddings, answer.logits))
    }

    /// Block j from `s.f` into `s.x`, leaving the second convolution in `s.y`; adds its feature to `g`.
    fn block(&self, j: usize, direction: usize, s: &mut Scratch, g: &mut [f32]) {
        let (shape, relu) = (&self.shape, self.identity.relu());
        let [a, b] = &self.blocks[j][direction];
        let reach = Reach::Earlier(self.config.dilation(j));
        shape.convolve(&mut s.y, &s.f, &a.kernel, reach, Some(&a.bias), []);
        shape.activate(&mut s.h, &s.y, relu);
        shape.convolve(&mut s.y, &s.h, &b.kernel, reach, Some(&b.bias), []);
        let mut sums = vec![0.0; shape.p];
        shape.join(&mut s.x, &s.f, &s.y, relu, !self.config.has_gate(), &mut sums);
        let frames = s.x.len() / shape.p;
        if self.config.takes_last() {
            g.copy_from_slice(&s.x[(frames - 1) * shape.p..][..g.len()]);
        } else {
            g.iter_mut().zip(sums).for_each(|(g, sum)| *g += sum / frames as f32);
        }
    }

    /// Adds this direction's share of the gate's mean over channels.
    fn attend(&self, direction: usize, s: &mut Scratch, to: &mut [f32]) {
        let (c, p) = (self.shape.channels, self.shape.p);
        s.f.chunks_exact_mut(p).for_each(|row| row.copy_from_slice(&self.identity.ones));
        self.shape.join(&mut s.h, &s.f, &s.y, self.identity.relu(), false, &mut vec![0.0; p]);
        let share = 1.0 / (c * self.config.directions()) as f32;
        let means = s.h.chunks_exact(p).map(|row| row.iter().sum::<f32>() * share);
        let add = |(to, mean): (&mut f32, f32)| *to += mean;
        if direction == 1 {
            to.iter_mut().rev().zip(means).for_each(add)
        } else {
            to.iter_mut().zip(means).for_each(add)
        }
    }
}
