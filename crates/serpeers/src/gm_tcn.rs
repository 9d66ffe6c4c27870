//! GM-TCN (GM-TCNet, Speech Communication 145, 2022).
//!
//! ```text
//! x = Conv1(X)                                                          39 -> 39, kernel 1
//! for j = 1..7, d = 2^(j-1):
//!     y = x
//!     for level l = 1, 2:                                               causal, kernel 2, dilation l * d
//!         y = mean over 3 pairs of ReLU(ConvA(y)) * sigmoid(ReLU(ConvB(y)))
//!     x = x + y ;  s_j = y
//! embedding = mean over time of LeakyReLU(sum_j s_j)
//! logits    = Linear(embedding)
//! ```
//!
//! The six convolutions of a level read the same frames: they are one matrix product. The leaky ReLU is left out: s_j are products of a ReLU and a
//! sigmoid, so their sum is never negative.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serengine::{Adam, Init, Layout, Objective, Range, Settings, Weights, WeightsError};
use sertorch::{
    Answer, Network, Pass,
    tch::{Device, TchError, Tensor},
};

use crate::{
    error::{PeerError, range},
    parts::Linear,
};

/// Parallel pairs of convolutions of a level.
const PAIRS: usize = 3;
const LEVELS: usize = 2;
const TAPS: usize = 2;

/// Settings of a GM-TCN.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GmTcnConfig {
    /// Blocks, 7 in the paper; block j has the dilations 2^(j-1) and 2^j.
    pub blocks: usize,
    /// Number of classes.
    pub classes: usize,
    /// Coefficients of a frame, and channels of every convolution.
    pub coefficients: usize,
}

impl GmTcnConfig {
    /// As published, on 39 MFCCs.
    pub fn new(classes: usize) -> Self {
        Self { blocks: 7, classes, coefficients: 39 }
    }

    /// Loss and optimiser of the published training. Batches have 64 utterances, there are 300 epochs.
    pub fn objective() -> Objective {
        let adam = Adam { learning_rate: 1e-3, beta1: 0.93, beta2: 0.98, eps: 1e-8, ..Adam::default() };
        Objective { label_smoothing: 0.0, adam, ..Objective::default() }
    }

    /// Number of parameters.
    ///
    /// # Errors
    /// Settings that can't be used.
    pub fn parameters(&self) -> Result<usize, PeerError> {
        Ok(self.layout()?.trainable())
    }

    /// Multiply-adds of the forward pass of an utterance of so many frames.
    pub fn multiply_adds(&self, frames: usize) -> u64 {
        let c = self.coefficients;
        let a_frame = c * c * (1 + self.blocks * LEVELS * 2 * PAIRS * TAPS);
        (frames * a_frame + c * self.classes) as u64
    }
}

/// The places of a configuration's tensors.
#[derive(Debug)]
struct Places {
    input: (Range, Range),
    /// Kernel [2 * pairs * out, in, tap] and bias of each level of each block: the first half are the pairs' ConvA, the second ConvB.
    levels: Vec<[(Range, Range); LEVELS]>,
    head: Linear,
}

impl Settings for GmTcnConfig {
    const FAMILY: &'static str = "gm-tcn";
    type Error = PeerError;

    /// # Errors
    /// A setting out of its range, by name.
    fn layout(&self) -> Result<Layout, PeerError> {
        range("blocks", self.blocks, 1, 16)?;
        range("classes", self.classes, 2, 1000)?;
        range("coefficients", self.coefficients, 1, 1024)?;
        Ok(lay_out(self).0)
    }
}

fn lay_out(config: &GmTcnConfig) -> (Layout, Places) {
    let c = config.coefficients;
    let mut layout = Layout::new(config, c, config.classes);
    let mut conv = |name: String, outputs: usize, taps: usize| {
        // Each convolution's own fans: those of a level are separate layers.
        let init = Init::glorot(taps * c, taps * c);
        let kernel = layout.parameter(format!("{name}.weight"), &[outputs, c, taps], init);
        (kernel, layout.parameter(format!("{name}.bias"), &[outputs], Init::Constant(0.0)))
    };
    let input = conv("input".into(), c, 1);
    let all = 2 * PAIRS * c;
    let levels = (1..=config.blocks).map(|j| [1, 2].map(|l| conv(format!("blocks.{j}.{l}"), all, TAPS))).collect();
    let head = Linear::lay_out(&mut layout, "head", c, config.classes);
    (layout, Places { input, levels, head })
}

/// GM-TCN: [`sertorch::Network`] of a [`GmTcnConfig`].
#[derive(Debug)]
pub struct GmTcn {
    layout: Arc<Layout>,
    channels: i64,
    places: Places,
}

impl GmTcn {
    /// The network that these weights belong to.
    ///
    /// # Errors
    /// [`WeightsError::Family`] for weights of another family of networks.
    pub fn of(weights: &Weights) -> Result<Self, WeightsError> {
        let config: GmTcnConfig = weights.settings()?;
        let layout = Arc::clone(&weights.layout);
        Ok(Self { channels: config.coefficients as i64, places: lay_out(&config).1, layout })
    }

    /// The mean of the gated pairs; x is [copies, channel, batch, frame].
    fn level(&self, pass: &Pass, x: &Tensor, place: (Range, Range), dilation: i64) -> Result<Tensor, TchError> {
        let size = x.size();
        let (copies, c, batch, frames) = (size[0], size[1], size[2], size[3]);
        let half = PAIRS as i64 * c;
        let shift = dilation.min(frames);
        let earlier = x.f_narrow(3, 0, frames - shift)?.f_constant_pad_nd([shift, 0])?;
        // [out, in, tap] to [out, tap * in]: the earlier frames' channels first.
        let kernel = pass.parameter(place.0).f_unflatten(1, [2 * half, c, TAPS as i64])?;
        let kernel = kernel.f_transpose(2, 3)?.f_reshape([copies, 2 * half, TAPS as i64 * c])?;
        let bias = pass.parameter(place.1).f_unsqueeze(2)?;
        let both = Tensor::f_cat(&[&earlier, x], 1)?.f_view([copies, TAPS as i64 * c, batch * frames])?;
        let y = bias.f_baddbmm(&kernel, &both, 1.0, 1.0)?.f_relu_()?;
        let gated = y.f_narrow(1, 0, half)?.f_mul(&y.f_narrow(1, half, half)?.f_sigmoid()?)?;
        let mean =
            gated.f_view([copies, PAIRS as i64, c, batch * frames])?.f_mean_dim([1i64].as_slice(), false, None)?;
        mean.f_view([copies, c, batch, frames])
    }
}

impl Network for GmTcn {
    fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    fn forward(&self, pass: &Pass) -> Result<Answer, TchError> {
        let size = pass.features().size();
        let (copies, batch, frames, c) = (size[0], size[1], size[2], self.channels);
        let kernel = pass.parameter(self.places.input.0).f_unflatten(1, [c, c])?;
        let bias = pass.parameter(self.places.input.1).f_unsqueeze(2)?;
        let x = pass.features().f_permute([0, 3, 1, 2])?.f_reshape([copies, c, batch * frames])?;
        let mut x = bias.f_baddbmm(&kernel, &x, 1.0, 1.0)?.f_view([copies, c, batch, frames])?;
        let mut sum: Option<Tensor> = None;
        for (j, [first, second]) in self.places.levels.iter().enumerate() {
            let dilation = 1 << j;
            let y = self.level(pass, &self.level(pass, &x, *first, dilation)?, *second, 2 * dilation)?;
            if j + 1 < self.places.levels.len() {
                x = x.f_add(&y)?;
            }
            sum = Some(match sum {
                None => y,
                Some(sum) => sum.f_add(&y)?,
            });
        }
        let embedding = sum.unwrap_or(x).f_mean_dim([3i64].as_slice(), false, None)?.f_transpose(1, 2)?;
        Ok(Answer::new(self.places.head.run(pass, &embedding)?, embedding))
    }

    fn part(&self, device: Device) -> usize {
        if device == Device::Cpu { 8 } else { usize::MAX }
    }
}
