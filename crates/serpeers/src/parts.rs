//! What several of the networks are made of. Copies of an image network are groups of channels: [batch, copies * channels, height, width].

use serengine::{Init, Layout, Range};
use sertorch::{
    Pass,
    tch::{TchError, Tensor},
};

/// Variance offset of every BatchNorm.
pub(crate) const NORM_EPS: f64 = 1e-3;

/// A linear layer's weight [out, in] and bias.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Linear {
    weight: Range,
    bias: Range,
    inputs: i64,
}

impl Linear {
    pub fn lay_out(layout: &mut Layout, name: &str, inputs: usize, outputs: usize) -> Self {
        Self {
            weight: layout.parameter(format!("{name}.weight"), &[outputs, inputs], Init::glorot(inputs, outputs)),
            bias: layout.parameter(format!("{name}.bias"), &[outputs], Init::Constant(0.0)),
            inputs: inputs as i64,
        }
    }

    /// [copies, batch, in] to [copies, batch, out].
    pub fn run(self, pass: &Pass, x: &Tensor) -> Result<Tensor, TchError> {
        let weight = pass.parameter(self.weight).f_unflatten(1, [-1, self.inputs])?;
        pass.parameter(self.bias).f_unsqueeze(1)?.f_baddbmm(x, &weight.f_transpose(1, 2)?, 1.0, 1.0)
    }
}

/// The kernel [out, in, height, width] of a convolution on images.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kernel {
    pub place: Range,
    pub shape: [i64; 4],
}

impl Kernel {
    pub fn lay_out(layout: &mut Layout, name: String, shape: [usize; 4]) -> Self {
        let [outputs, inputs, height, width] = shape;
        let taps = height * width;
        let place = layout.parameter(name, &shape, Init::glorot(taps * inputs, taps * outputs));
        Self { place, shape: shape.map(|n| n as i64) }
    }

    /// All copies' kernels, [copies, out, in, height, width].
    pub fn of(self, pass: &Pass) -> Result<Tensor, TchError> {
        pass.parameter(self.place).f_unflatten(1, self.shape)
    }
}

/// Convolution of every copy's channels with its own `kernel`, [copies, out, in, height, width]; `bias` is [copies, out].
pub(crate) fn convolve(
    x: &Tensor,
    kernel: &Tensor,
    bias: Option<&Tensor>,
    padding: [i64; 2],
) -> Result<Tensor, TchError> {
    let copies = kernel.size()[0];
    let bias = bias.map(|bias| bias.f_reshape([-1])).transpose()?;
    x.f_conv2d(&kernel.f_flatten(0, 1)?, bias.as_ref(), [1i64, 1], padding, [1i64, 1], copies)
}

/// [copies, batch, frames, coefficients] as images of one channel, [batch, copies, frames, coefficients].
pub(crate) fn images(features: &Tensor) -> Result<Tensor, TchError> {
    features.f_transpose(0, 1)?.f_contiguous()
}

/// `x` times the factors of an element-wise dropout site, [copies, batch, shape], of which copies are groups of channels in `x`.
pub(crate) fn drop_images(x: Tensor, factors: Option<&Tensor>) -> Result<Tensor, TchError> {
    let Some(factors) = factors else { return Ok(x) };
    x.f_mul(&factors.f_transpose(0, 1)?.f_reshape(x.size())?)
}
