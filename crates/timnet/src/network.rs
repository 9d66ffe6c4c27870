//! The forward pass.

use tch::{Device, Kind, Tensor};
use timnet_core::{Layout, ModelConfig, TcnPooling, Variant, Weights};

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

impl Network {
    /// The network in `kind`: `Kind::Float`, or `Kind::Double` where rounding must not matter (gradient checks).
    ///
    /// # Errors
    /// Weights whose lengths do not fit their configuration.
    pub fn new(weights: &Weights, device: Device, kind: Kind) -> Result<Self, timnet_core::WeightsError> {
        Self::copies(&weights.config, &[weights], device, kind)
    }

    /// Several networks of one configuration.
    pub(crate) fn copies(
        config: &ModelConfig,
        weights: &[&Weights],
        device: Device,
        kind: Kind,
    ) -> Result<Self, timnet_core::WeightsError> {
        let layout = Layout::new(config);
        weights.iter().try_for_each(|w| w.check_lengths(&layout))?;
        let tensor = |values: Vec<f32>| {
            Tensor::from_slice(&values).to_device(device).to_kind(kind).view([weights.len() as i64, -1])
        };
        let parameters = tensor(weights.iter().flat_map(|w| w.parameters.iter().copied()).collect());
        let mut running = Vec::new();
        for block in &layout.blocks {
            for sub in 0..2 {
                let gather = |range: fn(&timnet_core::SubBlock) -> timnet_core::Range| {
                    let of =
                        |w: &&Weights| block.iter().flat_map(|d| w.statistics[range(&d[sub]).all()].to_vec()).collect();
                    tensor(weights.iter().flat_map(|w| -> Vec<f32> { of(w) }).collect())
                };
                running.push((gather(|s| s.running_mean), gather(|s| s.running_var)));
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
    pub fn weights(&self) -> Result<Weights, tch::TchError> {
        self.weights_of(0)
    }

    pub(crate) fn weights_of(&self, copy: usize) -> Result<Weights, tch::TchError> {
        let row = |tensor: &Tensor| to_vec(&tensor.select(0, copy as i64));
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

    /// Inference of one network. `features` is [batch, frames, coefficients] on the network's device.
    pub fn forward(&self, features: &Tensor) -> Activations {
        let pass = Pass {
            config: &self.config,
            layout: &self.layout,
            parameters: &self.parameters.narrow(0, 0, 1),
            running: &self.running.iter().map(|(m, v)| (m.select(0, 0), v.select(0, 0))).collect::<Vec<_>>(),
        };
        let Activations { logits, embedding, scales } =
            tch::no_grad(|| pass.run(&features.unsqueeze(0), &Mode::Inference));
        Activations {
            logits: logits.squeeze_dim(0),
            embedding: embedding.squeeze_dim(0),
            scales: scales.squeeze_dim(1),
        }
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
    pub fn run(&self, features: &Tensor, mode: &Mode) -> Activations {
        let p = Parameters::split(self.layout, self.parameters);
        let (copies, directions, c) =
            (features.size()[0], self.config.directions() as i64, self.config.coefficients as i64);
        let input = features.permute([0, 3, 1, 2]);
        let mut x = match directions {
            1 => input.contiguous(),
            _ => Tensor::stack(&[&input, &input.flip([3])], 1).flatten(0, 1),
        };
        if self.config.has_stem() {
            let kernel = p.stack(self.layout.stems.iter().map(|s| s.0), &[c, c]);
            let bias = p.stack(self.layout.stems.iter().map(|s| s.1), &[c, 1]);
            x = convolve(&x, &kernel, &bias);
        }
        // [copies, channels, batch] from [copies * directions, channels, batch]
        let both = |g: Tensor| g.unflatten(0, [copies, directions]).sum_dim_intlist([1i64].as_slice(), false, None);
        let mut scales = Vec::new();
        for (j, block) in self.layout.blocks.iter().enumerate() {
            let a = self.sub_block(&x, &p, block, j, 0, mode);
            let b = self.sub_block(&a, &p, block, j, 1, mode);
            x = match self.config.variant {
                Variant::Tcn => (b + x).relu(),
                _ => x * b.sigmoid(),
            };
            if self.config.variant != Variant::Tcn {
                scales.push(both(x.mean_dim([3i64].as_slice(), false, None)));
            }
        }
        if self.config.variant == Variant::Tcn {
            scales.push(match self.config.tcn_pooling {
                TcnPooling::Last => x.select(3, -1),
                TcnPooling::Mean => x.mean_dim([3i64].as_slice(), false, None),
            });
        }
        // [scales, copies, channels, batch]
        let scales = Tensor::stack(&scales, 0);
        let fused = match (self.layout.fusion, self.config.variant) {
            (Some(w), _) => {
                let w = p.get(w).transpose(0, 1).unsqueeze(-1).unsqueeze(-1);
                (&scales * w).sum_dim_intlist([0i64].as_slice(), false, None)
            }
            (None, Variant::NoDf) => scales.mean_dim([0i64].as_slice(), false, None),
            (None, _) => scales.select(0, -1),
        };
        let embedding = fused.transpose(1, 2);
        let head = p.get(self.layout.head).view([copies, -1, c]);
        let logits = p.get(self.layout.head_bias).unsqueeze(1).baddbmm(&embedding, &head.transpose(1, 2), 1.0, 1.0);
        Activations { logits, embedding, scales: scales.transpose(2, 3) }
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
    ) -> Tensor {
        let (n, c, b, t) = dimensions(x);
        let shift = (self.config.dilation(j) as i64).min(t);
        let earlier = x.narrow(3, 0, t - shift).constant_pad_nd([shift, 0]);
        // [out, in, tap] to [out, tap * in]: the earlier frames' channels first.
        let kernel = p.stack(block.iter().map(|s| s[sub].kernel), &[c, c, 2]).transpose(2, 3).reshape([n, c, 2 * c]);
        let bias = p.stack(block.iter().map(|s| s[sub].bias), &[c, 1]);
        let y = convolve(&Tensor::cat(&[&earlier, x], 1), &kernel, &bias);
        let gamma = p.stack(block.iter().map(|s| s[sub].gamma), &[c]);
        let beta = p.stack(block.iter().map(|s| s[sub].beta), &[c]);
        let (mean, var) = &self.running[2 * j + sub];
        let training = matches!(mode, Mode::Training { .. });
        let y = y
            .view([1, n * c, b * t])
            .batch_norm(
                Some(&gamma.view([-1])),
                Some(&beta.view([-1])),
                Some(mean),
                Some(var),
                training,
                1.0 - ModelConfig::BATCH_NORM_KEEP,
                ModelConfig::BATCH_NORM_EPS,
                false,
            )
            .view([n, c, b, t])
            .relu();
        match mode {
            Mode::Training { dropout: Some(masks) } => {
                let d = self.config.directions() as i64;
                let site = 2 * d * j as i64 + sub as i64;
                // sites j.forward.sub and j.backward.sub, [copy and direction, batch, channel]
                let mask = masks.slice(1, site, site + 2 * d - 1, 2).flatten(0, 1).transpose(1, 2).unsqueeze(3);
                y * mask
            }
            _ => y,
        }
    }
}

/// [n, in, batch, frame] times [n, out, in] plus [n, out, 1].
fn convolve(x: &Tensor, kernel: &Tensor, bias: &Tensor) -> Tensor {
    let (d, c, b, t) = dimensions(x);
    bias.baddbmm(kernel, &x.view([d, c, b * t]), 1.0, 1.0).view([d, -1, b, t])
}

fn dimensions(x: &Tensor) -> (i64, i64, i64, i64) {
    let size = x.size();
    (size[0], size[1], size[2], size[3])
}

pub(crate) fn to_vec(tensor: &Tensor) -> Result<Vec<f32>, tch::TchError> {
    Vec::try_from(tensor.detach().to_kind(Kind::Float).to_device(Device::Cpu).contiguous().view([-1]))
}

/// The flat parameters, [copies, parameters], as one tensor for each of the layout's, in one operation of the graph.
struct Parameters<'a> {
    layout: &'a Layout,
    tensors: Vec<Tensor>,
}

impl<'a> Parameters<'a> {
    fn split(layout: &'a Layout, flat: &Tensor) -> Self {
        let sizes: Vec<i64> = layout.tensors.iter().map(|t| t.range.len as i64).collect();
        Self { layout, tensors: flat.split_with_sizes(sizes.as_slice(), 1) }
    }

    fn get(&self, range: timnet_core::Range) -> &Tensor {
        // The layout's tensors tile the vector in order.
        let i = self.layout.tensors.partition_point(|t| t.range.start < range.start);
        &self.tensors[i]
    }

    /// One tensor a direction, as [copies * directions, shape].
    fn stack(&self, ranges: impl Iterator<Item = timnet_core::Range>, shape: &[i64]) -> Tensor {
        let tensors: Vec<Tensor> = ranges.map(|r| self.get(r).unflatten(1, shape)).collect();
        Tensor::stack(&tensors, 1).flatten(0, 1)
    }
}
