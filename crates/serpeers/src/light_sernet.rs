//! Light-SERNet (ICASSP 2022): three parallel convolutions over MFCCs as an image, then five more. It takes any number of frames: 184 of
//! 3 s and 434 of 7 s at 16 kHz in the published trainings.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serengine::{Adam, Init, L2, Layout, Loss, Objective, Range, RateSchedule, Settings, Weights, WeightsError};
use sertorch::{
    Answer, Network, Pass,
    tch::{TchError, Tensor},
};

use crate::{
    error::{PeerError, range, rates},
    parts::{Kernel, Linear, NORM_EPS, convolve, images},
};

/// Height (frames) and width (coefficients) of the three paths' kernels.
const PATHS: [[usize; 2]; 3] = [[11, 1], [1, 9], [3, 3]];
/// Channels of a path.
const PATH: usize = 32;
/// Channels, side of the kernel and pool (frames, coefficients) of the convolutions behind the paths.
const STAGES: [(usize, usize, [usize; 2]); 5] =
    [(64, 3, [2, 2]), (96, 3, [2, 2]), (128, 3, [2, 1]), (160, 3, [2, 1]), (320, 1, [1, 1])];
/// Channels of the last convolution.
const WIDTH: usize = 320;
/// BatchNorm momentum, Keras convention (0.99 is libtorch's 0.01).
const NORM_KEEP: f64 = 0.99;

/// Settings of a Light-SERNet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LightSerNetConfig {
    /// Number of classes.
    pub classes: usize,
    /// Coefficients of a frame.
    pub coefficients: usize,
    /// Rate of the element-wise dropout before the head.
    pub dropout: f64,
}

impl LightSerNetConfig {
    /// As published, on 40 MFCCs.
    pub fn new(classes: usize) -> Self {
        Self { classes, coefficients: 40, dropout: 0.3 }
    }

    /// Loss and optimiser of the published training: cross entropy, or [`Self::focal`] in its place. Batches have 32 utterances, there are
    /// 300 epochs. `steps` are those of an epoch, on which the schedule depends: from epoch 60 (counted from 0) on, the learning rate is
    /// exp(-0.15) times as much every 20 epochs.
    pub fn objective(steps: u64) -> Objective {
        let schedule = RateSchedule::StepFrom { first: 60 * steps, every: 20 * steps, factor: (-0.15f64).exp() };
        let adam = Adam { learning_rate: 1e-4, beta1: 0.9, beta2: 0.999, eps: 1e-7, schedule };
        let l2 = L2::new(1e-6, (0..STAGES.len()).map(stage_name));
        Objective { label_smoothing: 0.0, l2: Some(l2), adam, ..Objective::default() }
    }

    /// The other loss of the published trainings.
    pub fn focal() -> Loss {
        Loss::Focal { gamma: 2.0 }
    }

    /// Number of parameters, running statistics included.
    ///
    /// # Errors
    /// Settings that can't be used.
    pub fn parameters(&self) -> Result<usize, PeerError> {
        let layout = self.layout()?;
        Ok(layout.trainable() + layout.statistics())
    }

    /// Multiply-adds of the forward pass of an utterance of so many frames.
    pub fn multiply_adds(&self, frames: usize) -> u64 {
        let taps: usize = PATHS.iter().map(|[h, w]| h * w).sum();
        let mut total = frames * self.coefficients * taps * PATH;
        let (mut h, mut w) = (frames.div_ceil(2), self.coefficients.div_ceil(2));
        let mut inputs = PATHS.len() * PATH;
        for (channels, side, pool) in STAGES {
            total += h * w * side * side * inputs * channels;
            (h, w, inputs) = (h.div_ceil(pool[0]), w.div_ceil(pool[1]), channels);
        }
        (total + WIDTH * self.classes) as u64
    }
}

fn stage_name(i: usize) -> String {
    format!("conv{}.weight", i + 1)
}

/// A BatchNorm over all utterances, frames and coefficients of a batch.
#[derive(Debug)]
struct Norm {
    gamma: Range,
    beta: Range,
    mean: Range,
    var: Range,
}

impl Norm {
    fn lay_out(layout: &mut Layout, name: &str, channels: usize) -> Self {
        let shape = [channels];
        Self {
            gamma: layout.parameter(format!("{name}.weight"), &shape, Init::Constant(1.0)),
            beta: layout.parameter(format!("{name}.bias"), &shape, Init::Constant(0.0)),
            mean: layout.statistic(format!("{name}.running_mean"), &shape, Init::Constant(0.0)),
            var: layout.statistic(format!("{name}.running_var"), &shape, Init::Constant(1.0)),
        }
    }

    /// The running variance takes the unbiased variance of the batch, as Keras does for images.
    fn run(&self, pass: &Pass, x: &Tensor) -> Result<Tensor, TchError> {
        let flat = |place: Range| pass.parameter(place).f_reshape([-1]);
        let all = pass.statistics();
        let copy = |place: Range| all.f_narrow_copy(1, place.start as i64, place.len as i64)?.f_view([-1]);
        let (mean, var) = (copy(self.mean)?, copy(self.var)?);
        let (gamma, beta) = (flat(self.gamma)?, flat(self.beta)?);
        let training = pass.is_training();
        let momentum = 1.0 - NORM_KEEP;
        let y =
            x.f_batch_norm(Some(&gamma), Some(&beta), Some(&mean), Some(&var), training, momentum, NORM_EPS, false)?;
        if training {
            for (place, moved) in [(self.mean, mean), (self.var, var)] {
                let mut to = all.f_narrow(1, place.start as i64, place.len as i64)?;
                to.f_copy_(&moved.f_view(to.size().as_slice())?)?;
            }
        }
        Ok(y)
    }
}

/// The places of a configuration's tensors.
#[derive(Debug)]
struct Places {
    paths: [Kernel; 3],
    /// Biases of the three paths, one after the other. A BatchNorm takes them out again: their gradient is 0.
    path_bias: Range,
    path_norm: Norm,
    stages: Vec<(Kernel, Norm, [i64; 2])>,
    head: Linear,
}

impl Settings for LightSerNetConfig {
    const FAMILY: &'static str = "light-sernet";
    type Error = PeerError;

    /// # Errors
    /// A setting out of its range, by name.
    fn layout(&self) -> Result<Layout, PeerError> {
        range("classes", self.classes, 2, 1000)?;
        range("coefficients", self.coefficients, 1, 1024)?;
        rates(&[self.dropout])?;
        Ok(lay_out(self).0)
    }
}

fn lay_out(config: &LightSerNetConfig) -> (Layout, Places) {
    let mut layout = Layout::new(config, config.coefficients, config.classes);
    let mut all = PATHS.len() * PATH;
    let paths = [0, 1, 2].map(|i| {
        let [height, width] = PATHS[i];
        Kernel::lay_out(&mut layout, format!("paths.{}.weight", i + 1), [PATH, 1, height, width])
    });
    let path_bias = layout.parameter("paths.bias", &[all], Init::Constant(0.0));
    let path_norm = Norm::lay_out(&mut layout, "paths.norm", all);
    let stages = STAGES.iter().enumerate().map(|(i, &(channels, side, pool))| {
        let kernel = Kernel::lay_out(&mut layout, stage_name(i), [channels, all, side, side]);
        all = channels;
        (kernel, Norm::lay_out(&mut layout, &format!("norm{}", i + 1), channels), pool.map(|n| n as i64))
    });
    let stages = stages.collect();
    let head = Linear::lay_out(&mut layout, "head", WIDTH, config.classes);
    layout.site(&[WIDTH], config.dropout);
    (layout, Places { paths, path_bias, path_norm, stages, head })
}

/// Light-SERNet: [`sertorch::Network`] of a [`LightSerNetConfig`].
#[derive(Debug)]
pub struct LightSerNet {
    layout: Arc<Layout>,
    places: Places,
}

impl LightSerNet {
    /// The network that these weights belong to.
    ///
    /// # Errors
    /// [`WeightsError::Family`] for weights of another family of networks.
    pub fn of(weights: &Weights) -> Result<Self, WeightsError> {
        Ok(Self { places: lay_out(&weights.settings()?).1, layout: Arc::clone(&weights.layout) })
    }
}

/// ReLU, then means of `size` places; a window at the edge is the mean of what it has.
fn pool(mut x: Tensor, size: [i64; 2]) -> Result<Tensor, TchError> {
    let x = x.f_relu_()?;
    if size == [1, 1] { Ok(x) } else { x.f_avg_pool2d(size, size, [0i64, 0], true, false, None) }
}

impl Network for LightSerNet {
    fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    fn forward(&self, pass: &Pass) -> Result<Answer, TchError> {
        let size = pass.features().size();
        let (copies, batch, frames, coefficients) = (size[0], size[1], size[2], size[3]);
        let same = |kernel: Kernel| [kernel.shape[2] / 2, kernel.shape[3] / 2];
        let x = images(pass.features())?;
        let biases = pass.parameter(self.places.path_bias);
        let path = |(i, &kernel): (usize, &Kernel)| {
            let bias = biases.f_narrow(1, (i * PATH) as i64, PATH as i64)?;
            let y = convolve(&x, &kernel.of(pass)?, Some(&bias), same(kernel))?;
            y.f_view([batch, copies, PATH as i64, frames, coefficients])
        };
        let paths = self.places.paths.iter().enumerate().map(path).collect::<Result<Vec<_>, _>>()?;
        let x = Tensor::f_cat(&paths, 2)?.f_flatten(1, 2)?;
        let mut x = pool(self.places.path_norm.run(pass, &x)?, [2, 2])?;
        for (kernel, norm, size) in &self.places.stages {
            let y = convolve(&x, &kernel.of(pass)?, None, same(*kernel))?;
            x = pool(norm.run(pass, &y)?, *size)?;
        }
        let mean = x.f_mean_dim([2i64, 3].as_slice(), false, None)?;
        let embedding = mean.f_view([batch, copies, WIDTH as i64])?.f_transpose(0, 1)?;
        let read = match pass.factors(0) {
            None => embedding.shallow_clone(),
            Some(factors) => embedding.f_mul(factors)?,
        };
        Ok(Answer::new(self.places.head.run(pass, &read)?, embedding))
    }
}
