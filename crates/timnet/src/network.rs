//! The forward pass.

use tch::{Device, Kind, TchError, Tensor};
use timnet_core::{EngineError, Layout, ModelConfig, Predictions, TcnPooling, Variant, Weights, first_not_finite};

/// What the forward pass of a batch gives; of several copies, with their axis before the batch's.
#[derive(Debug)]
pub struct Activations {
    /// [batch, classes]
    pub logits: Tensor,
    /// g_drf (paper, eq. 7), or the TCN's pooled output: [batch, coefficients]
    pub embedding: Tensor,
    /// g_j of each block, [blocks, batch, coefficients]; for the TCN its pooled output alone, [1, batch, coefficients].
    pub scales: Tensor,
}

/// The tensors of one network on a device, or of several of one configuration that compute side by side.
#[derive(Debug)]
pub struct Network {
    pub(crate) config: ModelConfig,
    pub(crate) layout: Layout,
    /// All trainable parameters, [copies, parameters].
    pub(crate) parameters: Tensor,
    /// Running mean and variance of each block and sub-block, [copies, directions * channels].
    pub(crate) running: Vec<(Tensor, Tensor)>,
}

/// How BatchNorm and dropout behave.
pub(crate) enum Mode<'a> {
    /// Running statistics, no dropout.
    Inference,
    /// Batch statistics, which also move the running ones, and these dropout factors: [copies, sites, batch, channels].
    Training { dropout: Option<&'a Tensor> },
}

/// libtorch failed: a device that is not there, no memory, or a fault of this crate.
pub(crate) fn backend(error: TchError) -> EngineError {
    EngineError::Backend { backend: "libtorch", message: error.to_string() }
}

impl Network {
    /// The network in `kind`: `Kind::Float`, or `Kind::Double` where rounding must not matter (gradient checks).
    ///
    /// # Errors
    /// [`EngineError::Weights`] for weights that do not fit their configuration or are not finite; a device that is not there.
    pub fn new(weights: &Weights, device: Device, kind: Kind) -> Result<Self, EngineError> {
        Self::copies(&weights.config, &[weights], device, kind)
    }

    /// Several networks of one configuration.
    pub(crate) fn copies(
        config: &ModelConfig,
        weights: &[&Weights],
        device: Device,
        kind: Kind,
    ) -> Result<Self, EngineError> {
        weights.iter().try_for_each(|w| w.check())?;
        let layout = Layout::new(config);
        let tensor = |values: Vec<f32>| -> Result<Tensor, TchError> {
            Tensor::f_from_slice(&values)?.f_to_device(device)?.f_to_kind(kind)?.f_view([weights.len() as i64, -1])
        };
        let parameters =
            tensor(weights.iter().flat_map(|w| w.parameters.iter().copied()).collect()).map_err(backend)?;
        let mut running = Vec::new();
        for block in &layout.blocks {
            for sub in 0..2 {
                let gather = |range: fn(&timnet_core::SubBlock) -> timnet_core::Range| {
                    let of =
                        |w: &&Weights| block.iter().flat_map(|d| w.statistics[range(&d[sub]).all()].to_vec()).collect();
                    tensor(weights.iter().flat_map(|w| -> Vec<f32> { of(w) }).collect()).map_err(backend)
                };
                running.push((gather(|s| s.running_mean)?, gather(|s| s.running_var)?));
            }
        }
        Ok(Self { config: config.clone(), layout, parameters, running })
    }

    /// The configuration.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// A copy of the weights as they are now.
    ///
    /// # Errors
    /// A failure of libtorch.
    pub fn weights(&self) -> Result<Weights, EngineError> {
        self.weights_of(0).map_err(backend)
    }

    pub(crate) fn weights_of(&self, copy: usize) -> Result<Weights, TchError> {
        let row = |tensor: &Tensor| to_vec(&tensor.f_select(0, copy as i64)?);
        let mut statistics = vec![0.0; self.layout.statistics()];
        for (block, running) in self.layout.blocks.iter().zip(self.running.chunks_exact(2)) {
            for (sub, (mean, var)) in running.iter().enumerate() {
                let (mean, var) = (row(mean)?, row(var)?);
                for (direction, d) in block.iter().enumerate() {
                    let c = self.config.coefficients;
                    let from = direction * c..(direction + 1) * c;
                    statistics[d[sub].running_mean.all()].copy_from_slice(&mean[from.clone()]);
                    statistics[d[sub].running_var.all()].copy_from_slice(&var[from]);
                }
            }
        }
        Ok(Weights { config: self.config.clone(), parameters: row(&self.parameters)?, statistics })
    }

    /// Inference of one network. `features` is [batch, frames, coefficients], on the network's device and of its kind.
    ///
    /// # Errors
    /// [`EngineError::Shape`] for another shape, device or kind; [`EngineError::NotFinite`] for a feature that is NaN or infinite, by
    /// its place, and for logits that are; a failure of libtorch.
    pub fn forward(&self, features: &Tensor) -> Result<Activations, EngineError> {
        let (size, c) = (features.size(), self.config.coefficients as i64);
        if !matches!(size[..], [batch, frames, coefficients] if batch > 0 && frames > 0 && coefficients == c) {
            return Err(EngineError::Shape(format!("features are {size:?}; the network takes [batch, frames, {c}]")));
        }
        let found = (features.device(), features.f_kind().map_err(backend)?);
        let expected = (self.parameters.device(), self.parameters.f_kind().map_err(backend)?);
        if found != expected {
            return Err(EngineError::Shape(format!("features are on {found:?}, the network on {expected:?}")));
        }
        let values = to_vec(features).map_err(backend)?;
        if let Some(i) = first_not_finite(&values) {
            let (frame, frames) = (i / size[2] as usize, size[1] as usize);
            return Err(EngineError::NotFinite {
                place: format!(
                    "utterance {}, frame {}, coefficient {} of the features",
                    frame / frames,
                    frame % frames,
                    i % size[2] as usize
                ),
                value: values[i],
                advice: "look at that recording",
            });
        }
        let answer = tch::no_grad(|| self.infer(features)).map_err(backend)?;
        let vector = |tensor: &Tensor| to_vec(tensor).map_err(backend);
        Predictions { logits: vector(&answer.logits)?, embeddings: vector(&answer.embedding)? }.check()?;
        Ok(answer)
    }

    fn infer(&self, features: &Tensor) -> Result<Activations, TchError> {
        let first = |(mean, var): &(Tensor, Tensor)| Ok((mean.f_select(0, 0)?, var.f_select(0, 0)?));
        let pass = Pass {
            config: &self.config,
            layout: &self.layout,
            parameters: &self.parameters.f_narrow(0, 0, 1)?,
            running: &self.running.iter().map(first).collect::<Result<Vec<_>, TchError>>()?,
        };
        let Activations { logits, embedding, scales } = pass.run(&features.f_unsqueeze(0)?, &Mode::Inference)?;
        Ok(Activations {
            logits: logits.f_squeeze_dim(0)?,
            embedding: embedding.f_squeeze_dim(0)?,
            scales: scales.f_squeeze_dim(1)?,
        })
    }
}

/// A forward pass of some copies at once. They share nothing but the operations: a copy's group of channels meets its own
/// kernels and its own statistics.
pub(crate) struct Pass<'a> {
    pub config: &'a ModelConfig,
    pub layout: &'a Layout,
    /// [copies, parameters]
    pub parameters: &'a Tensor,
    /// [copies * directions * channels] each; training moves them.
    pub running: &'a [(Tensor, Tensor)],
}

impl Pass<'_> {
    /// `features` is [copies, batch, frames, coefficients]; what comes out has the copies before the batch.
    pub fn run(&self, features: &Tensor, mode: &Mode) -> Result<Activations, TchError> {
        let p = Parameters::split(self.layout, self.parameters)?;
        let (copies, directions, c) =
            (features.size()[0], self.config.directions() as i64, self.config.coefficients as i64);
        let input = features.f_permute([0, 3, 1, 2])?;
        let mut x = match directions {
            1 => input.f_contiguous()?,
            _ => Tensor::f_stack(&[&input, &input.f_flip([3])?], 1)?.f_flatten(0, 1)?,
        };
        if self.config.has_stem() {
            let kernel = p.stack(self.layout.stems.iter().map(|s| s.0), &[c, c])?;
            let bias = p.stack(self.layout.stems.iter().map(|s| s.1), &[c, 1])?;
            x = convolve(&x, &kernel, &bias)?;
        }
        // [copies, channels, batch] from [copies * directions, channels, batch]
        let both =
            |g: Tensor| g.f_unflatten(0, [copies, directions])?.f_sum_dim_intlist([1i64].as_slice(), false, None);
        let mean = |x: &Tensor| x.f_mean_dim([3i64].as_slice(), false, None);
        let mut scales = Vec::new();
        for (j, block) in self.layout.blocks.iter().enumerate() {
            let a = self.sub_block(&x, &p, block, j, 0, mode)?;
            let b = self.sub_block(&a, &p, block, j, 1, mode)?;
            x = match self.config.variant {
                Variant::Tcn => b.f_add(&x)?.f_relu()?,
                _ => x.f_mul(&b.f_sigmoid()?)?,
            };
            if self.config.variant != Variant::Tcn {
                scales.push(both(mean(&x)?)?);
            }
        }
        if self.config.variant == Variant::Tcn {
            scales.push(match self.config.tcn_pooling {
                TcnPooling::Last => x.f_select(3, -1)?,
                TcnPooling::Mean => mean(&x)?,
            });
        }
        // [scales, copies, channels, batch]
        let scales = Tensor::f_stack(&scales, 0)?;
        let fused = match (self.layout.fusion, self.config.variant) {
            (Some(w), _) => {
                let w = p.get(w).f_transpose(0, 1)?.f_unsqueeze(-1)?.f_unsqueeze(-1)?;
                scales.f_mul(&w)?.f_sum_dim_intlist([0i64].as_slice(), false, None)?
            }
            (None, Variant::NoDf) => scales.f_mean_dim([0i64].as_slice(), false, None)?,
            (None, _) => scales.f_select(0, -1)?,
        };
        let embedding = fused.f_transpose(1, 2)?;
        let head = p.get(self.layout.head).f_view([copies, -1, c])?;
        let bias = p.get(self.layout.head_bias).f_unsqueeze(1)?;
        let logits = bias.f_baddbmm(&embedding, &head.f_transpose(1, 2)?, 1.0, 1.0)?;
        Ok(Activations { logits, embedding, scales: scales.f_transpose(2, 3)? })
    }

    /// Causal dilated convolution, BatchNorm, ReLU, spatial dropout; x is [copy and direction, channel, batch, frame].
    fn sub_block(
        &self,
        x: &Tensor,
        p: &Parameters,
        block: &[timnet_core::Block],
        j: usize,
        sub: usize,
        mode: &Mode,
    ) -> Result<Tensor, TchError> {
        let (n, c, b, t) = dimensions(x);
        let shift = (self.config.dilation(j) as i64).min(t);
        let earlier = x.f_narrow(3, 0, t - shift)?.f_constant_pad_nd([shift, 0])?;
        // [out, in, tap] to [out, tap * in]: the earlier frames' channels first.
        let kernel = p.stack(block.iter().map(|s| s[sub].kernel), &[c, c, 2])?;
        let kernel = kernel.f_transpose(2, 3)?.f_reshape([n, c, 2 * c])?;
        let bias = p.stack(block.iter().map(|s| s[sub].bias), &[c, 1])?;
        let y = convolve(&Tensor::f_cat(&[&earlier, x], 1)?, &kernel, &bias)?;
        let gamma = p.stack(block.iter().map(|s| s[sub].gamma), &[c])?;
        let beta = p.stack(block.iter().map(|s| s[sub].beta), &[c])?;
        let (mean, var) = &self.running[2 * j + sub];
        let training = matches!(mode, Mode::Training { .. });
        let y = y
            .f_view([1, n * c, b * t])?
            .f_batch_norm(
                Some(&gamma.f_view([-1])?),
                Some(&beta.f_view([-1])?),
                Some(mean),
                Some(var),
                training,
                1.0 - ModelConfig::BATCH_NORM_KEEP,
                ModelConfig::BATCH_NORM_EPS,
                false,
            )?
            .f_view([n, c, b, t])?
            .f_relu()?;
        match mode {
            Mode::Training { dropout: Some(masks) } => {
                let d = self.config.directions() as i64;
                let site = 2 * d * j as i64 + sub as i64;
                // sites j.forward.sub and j.backward.sub, [copy and direction, batch, channel]
                let mask = masks.f_slice(1, site, site + 2 * d - 1, 2)?.f_flatten(0, 1)?;
                y.f_mul(&mask.f_transpose(1, 2)?.f_unsqueeze(3)?)
            }
            _ => Ok(y),
        }
    }
}

/// [n, in, batch, frame] times [n, out, in] plus [n, out, 1].
fn convolve(x: &Tensor, kernel: &Tensor, bias: &Tensor) -> Result<Tensor, TchError> {
    let (d, c, b, t) = dimensions(x);
    bias.f_baddbmm(kernel, &x.f_view([d, c, b * t])?, 1.0, 1.0)?.f_view([d, -1, b, t])
}

fn dimensions(x: &Tensor) -> (i64, i64, i64, i64) {
    let size = x.size();
    (size[0], size[1], size[2], size[3])
}

pub(crate) fn to_vec(tensor: &Tensor) -> Result<Vec<f32>, TchError> {
    let tensor = tensor.f_detach()?.f_to_kind(Kind::Float)?.f_to_device(Device::Cpu)?;
    Vec::try_from(tensor.f_contiguous()?.f_view([-1])?)
}

/// The flat parameters, [copies, parameters], as one tensor for each of the layout's, in one operation of the graph.
struct Parameters<'a> {
    layout: &'a Layout,
    tensors: Vec<Tensor>,
}

impl<'a> Parameters<'a> {
    fn split(layout: &'a Layout, flat: &Tensor) -> Result<Self, TchError> {
        let sizes: Vec<i64> = layout.tensors.iter().map(|t| t.range.len as i64).collect();
        Ok(Self { layout, tensors: flat.f_split_with_sizes(sizes.as_slice(), 1)? })
    }

    fn get(&self, range: timnet_core::Range) -> &Tensor {
        // The layout's tensors tile the vector in order.
        let i = self.layout.tensors.partition_point(|t| t.range.start < range.start);
        &self.tensors[i]
    }

    /// One tensor a direction, as [copies * directions, shape].
    fn stack(&self, ranges: impl Iterator<Item = timnet_core::Range>, shape: &[i64]) -> Result<Tensor, TchError> {
        let tensors = ranges.map(|r| self.get(r).f_unflatten(1, shape)).collect::<Result<Vec<_>, _>>()?;
        Tensor::f_stack(&tensors, 1)?.f_flatten(0, 1)
    }
}
