//! The forward pass.

use std::sync::Arc;

use serengine::{Layout, Range, Weights, WeightsError};
use sertorch::{
    Answer, Network, Pass,
    tch::{TchError, Tensor},
};
use timnet_core::{ModelConfig, Places, TcnPooling, Variant};

/// TIM-Net, its ablations and the TCN: [`sertorch::Network`] of a [`ModelConfig`].
#[derive(Debug)]
pub struct TimNet {
    config: ModelConfig,
    layout: Arc<Layout>,
    places: Places,
}

impl TimNet {
    /// The network that these weights belong to.
    ///
    /// # Errors
    /// [`WeightsError::Family`] for weights of another family of networks.
    pub fn of(weights: &Weights) -> Result<Self, WeightsError> {
        let config: ModelConfig = weights.settings()?;
        Ok(Self { places: Places::of(&config), config, layout: Arc::clone(&weights.layout) })
    }

    /// The answer of all copies, and their blocks' features g_j, [blocks, copies, batch, filters]; of the TCN its pooled output alone.
    pub(crate) fn run(&self, pass: &Pass) -> Result<(Answer, Tensor), TchError> {
        let config = &self.config;
        let copies = pass.features().size()[0];
        let (directions, inputs, f) = (config.directions() as i64, config.coefficients as i64, config.filters as i64);
        let input = pass.features().f_permute([0, 3, 1, 2])?;
        let mut x = match directions {
            1 => input.f_contiguous()?,
            _ => Tensor::f_stack(&[&input, &input.f_flip([3])?], 1)?.f_flatten(0, 1)?,
        };
        if config.has_stem() {
            let kernel = stack(pass, self.places.stems.iter().map(|s| s.0), &[f, inputs])?;
            let bias = stack(pass, self.places.stems.iter().map(|s| s.1), &[f, 1])?;
            x = convolve(&x, &kernel, &bias)?;
        }
        // [copies, channels, batch] from [copies * directions, channels, batch]
        let both =
            |g: Tensor| g.f_unflatten(0, [copies, directions])?.f_sum_dim_intlist([1i64].as_slice(), false, None);
        let mean = |x: &Tensor| x.f_mean_dim([3i64].as_slice(), false, None);
        let running = self.running(pass, copies)?;
        let mut scales = Vec::new();
        for j in 0..config.blocks {
            let a = self.sub_block(&x, pass, &running, (j, 0))?;
            let b = self.sub_block(&a, pass, &running, (j, 1))?;
            if config.has_gate() {
                x = x.f_mul(&b.f_sigmoid()?)?;
                scales.push(both(mean(&x)?)?);
            } else {
                x = b.f_add(&x)?.f_relu()?;
            }
        }
        if pass.is_training() {
            // The statistics' own order: the view of `running` undone.
            let from = running.f_view(self.running_shape(copies))?.f_permute([3, 0, 4, 1, 2, 5])?;
            pass.statistics().shallow_clone().f_copy_(&from.f_reshape([copies, -1])?)?;
        }
        if !config.has_gate() {
            scales.push(match config.tcn_pooling {
                TcnPooling::Last => x.f_select(3, -1)?,
                TcnPooling::Mean => mean(&x)?,
            });
        }
        // [scales, copies, channels, batch]
        let scales = Tensor::f_stack(&scales, 0)?;
        let fused = match (self.places.fusion, config.variant) {
            (Some(w), _) => {
                let w = pass.parameter(w).f_transpose(0, 1)?.f_unsqueeze(-1)?.f_unsqueeze(-1)?;
                scales.f_mul(&w)?.f_sum_dim_intlist([0i64].as_slice(), false, None)?
            }
            (None, Variant::NoDf) => scales.f_mean_dim([0i64].as_slice(), false, None)?,
            (None, _) => scales.f_select(0, -1)?,
        };
        let embedding = fused.f_transpose(1, 2)?;
        let head = pass.parameter(self.places.head).f_view([copies, -1, f])?;
        let bias = pass.parameter(self.places.head_bias).f_unsqueeze(1)?;
        let logits = bias.f_baddbmm(&embedding, &head.f_transpose(1, 2)?, 1.0, 1.0)?;
        Ok((Answer::new(logits, embedding), scales.f_transpose(2, 3)?))
    }

    /// [blocks, sub-blocks, mean and variance, copies, directions, channels]: what one BatchNorm over all copies and directions moves is
    /// contiguous.
    fn running_shape(&self, copies: i64) -> [i64; 6] {
        let c = &self.config;
        [c.blocks as i64, 2, 2, copies, c.directions() as i64, c.filters as i64]
    }

    /// A copy of the running statistics, [2 * blocks, mean and variance, copies * directions * channels].
    fn running(&self, pass: &Pass, copies: i64) -> Result<Tensor, TchError> {
        let [blocks, subs, moments, _, directions, f] = self.running_shape(copies);
        // In the layout: block, direction, sub-block, mean and variance.
        let all = pass.statistics().f_view([copies, blocks, directions, subs, moments, f])?;
        all.f_permute_copy([1, 3, 4, 0, 2, 5])?.f_view([blocks * subs, moments, copies * directions * f])
    }

    /// Causal dilated convolution, BatchNorm, ReLU, spatial dropout; x is [copy and direction, channel, batch, frame].
    fn sub_block(
        &self,
        x: &Tensor,
        pass: &Pass,
        running: &Tensor,
        (j, sub): (usize, usize),
    ) -> Result<Tensor, TchError> {
        let (n, c, b, t) = dimensions(x);
        let block = &self.places.blocks[j];
        let taps = self.config.kernel_size;
        let earlier = |taps: usize| -> Result<Tensor, TchError> {
            let shift = ((taps * self.config.dilation(j)) as i64).min(t);
            x.f_narrow(3, 0, t - shift)?.f_constant_pad_nd([shift, 0])
        };
        let mut frames = (1..taps).rev().map(earlier).collect::<Result<Vec<_>, _>>()?;
        frames.push(x.shallow_clone());
        // [out, in, tap] to [out, tap * in]: the earlier frames' channels first.
        let kernel = stack(pass, block.iter().map(|s| s[sub].kernel), &[c, c, taps as i64])?;
        let kernel = kernel.f_transpose(2, 3)?.f_reshape([n, c, taps as i64 * c])?;
        let bias = stack(pass, block.iter().map(|s| s[sub].bias), &[c, 1])?;
        let y = convolve(&Tensor::f_cat(&frames, 1)?, &kernel, &bias)?;
        let gamma = stack(pass, block.iter().map(|s| s[sub].gamma), &[c])?;
        let beta = stack(pass, block.iter().map(|s| s[sub].beta), &[c])?;
        let running = running.f_select(0, 2 * j as i64 + sub as i64)?;
        let y = y
            .f_view([1, n * c, b * t])?
            .f_batch_norm(
                Some(&gamma.f_view([-1])?),
                Some(&beta.f_view([-1])?),
                Some(&running.f_select(0, 0)?),
                Some(&running.f_select(0, 1)?),
                pass.is_training(),
                1.0 - ModelConfig::BATCH_NORM_KEEP,
                ModelConfig::BATCH_NORM_EPS,
                false,
            )?
            .f_view([n, c, b, t])?
            .f_relu()?;
        // One mask a direction, each [copies, batch, channel].
        let masks: Vec<&Tensor> =
            (0..block.len()).filter_map(|direction| pass.factors(self.config.site(j, direction, sub))).collect();
        if masks.is_empty() {
            return Ok(y);
        }
        let mask = Tensor::f_stack(&masks, 1)?.f_flatten(0, 1)?;
        y.f_mul(&mask.f_transpose(1, 2)?.f_unsqueeze(3)?)
    }
}

impl Network for TimNet {
    fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    fn forward(&self, pass: &Pass) -> Result<Answer, TchError> {
        Ok(self.run(pass)?.0)
    }
}

/// One tensor a direction, as [copies * directions, shape].
fn stack(pass: &Pass, places: impl Iterator<Item = Range>, shape: &[i64]) -> Result<Tensor, TchError> {
    let tensors = places.map(|place| pass.parameter(place).f_unflatten(1, shape)).collect::<Result<Vec<_>, _>>()?;
    Tensor::f_stack(&tensors, 1)?.f_flatten(0, 1)
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
