//! What CPAC and CAAM share: an image to a vector of 64 by convolutions, self-attention over capsules and routing.

use serengine::{Init, Layout, Range};
use sertorch::{
    Pass,
    tch::{TchError, Tensor},
};

use crate::{
    error::{PeerError, range},
    parts::{Kernel, NORM_EPS, convolve, drop_images, images},
};

/// Channels of the first three convolutions, and of a capsule.
pub(crate) const WIDTH: usize = 64;
/// Capsules that the last convolution makes of a place, and routing capsules.
const CAPSULES: usize = 6;
const ROUTING_ITERATIONS: usize = 3;
/// Running statistics that the official network holds and never moves: mean and variance of three norms.
pub(crate) const DEAD_STATISTICS: usize = 2 * 3 * WIDTH;

/// A convolution, its bias and the frozen norm behind it.
#[derive(Debug)]
struct Stage {
    kernel: Kernel,
    bias: Range,
    gamma: Range,
    beta: Range,
}

/// The encoder's places and its attention's scalar.
#[derive(Debug)]
pub(crate) struct Encoder {
    stages: [Stage; 3],
    primary: (Kernel, Range),
    /// Scalar of the attention; None where it is fixed at 1.
    scale: Option<Range>,
    /// [routing capsules * 64, 64]
    routing: Range,
}

/// Sizes (height, width) of the images behind each of the three stages and behind the last convolution.
pub(crate) fn sizes(frames: usize, coefficients: usize) -> [(usize, usize); 4] {
    let valid = |(h, w): (usize, usize)| (h.saturating_sub(2), w.saturating_sub(2));
    let pooled = |size| {
        let (h, w) = valid(size);
        (h / 2, w / 2)
    };
    let first = pooled((frames, coefficients));
    let second = pooled(first);
    let third = pooled(second);
    [first, second, third, valid(third)]
}

/// Capsules that the attention sees.
pub(crate) fn capsules(frames: usize, coefficients: usize) -> usize {
    let (h, w) = sizes(frames, coefficients)[3];
    CAPSULES * h * w
}

/// # Errors
/// Images that are too small to have a capsule, or so large that their attention has no room.
pub(crate) fn check(frames: usize, coefficients: usize) -> Result<(), PeerError> {
    // Three times (n - 2) / 2, then 3 are needed for a last window.
    range("frames", frames, 38, 10_000)?;
    range("coefficients", coefficients, 38, 1024)
}

/// Multiply-adds of the encoder, the products of the description: each capsule times each routing matrix included.
pub(crate) fn multiply_adds(frames: usize, coefficients: usize) -> u64 {
    let sizes = sizes(frames, coefficients);
    let inputs = [(frames, coefficients), sizes[0], sizes[1], sizes[2]];
    let channels = [1, WIDTH, WIDTH, WIDTH, CAPSULES * WIDTH];
    let convolution = |i: usize| (inputs[i].0 - 2) * (inputs[i].1 - 2) * 9 * channels[i] * channels[i + 1];
    let n = capsules(frames, coefficients);
    let attention = 2 * n * n * WIDTH;
    let predictions = n * WIDTH * CAPSULES * WIDTH;
    let agreements = (2 * ROUTING_ITERATIONS - 1) * n * CAPSULES * WIDTH;
    ((0..4).map(convolution).sum::<usize>() + attention + predictions + agreements) as u64
}

impl Encoder {
    pub fn lay_out(layout: &mut Layout, trains_scale: bool) -> Self {
        let vector = |layout: &mut Layout, name: String, value| layout.parameter(name, &[WIDTH], Init::Constant(value));
        let stages = [1, 2, 3].map(|i| Stage {
            kernel: Kernel::lay_out(layout, format!("conv{i}.weight"), [WIDTH, if i == 1 { 1 } else { WIDTH }, 3, 3]),
            bias: vector(layout, format!("conv{i}.bias"), 0.0),
            gamma: vector(layout, format!("norm{i}.weight"), 1.0),
            beta: vector(layout, format!("norm{i}.bias"), 0.0),
        });
        let all = CAPSULES * WIDTH;
        let kernel = Kernel::lay_out(layout, "primary.weight".into(), [all, WIDTH, 3, 3]);
        let primary = (kernel, layout.parameter("primary.bias", &[all], Init::Constant(0.0)));
        let scale = trains_scale.then(|| layout.parameter("attention.scale", &[1], Init::Constant(1.0)));
        let routing = layout.parameter("routing.weight", &[all, WIDTH], Init::glorot(WIDTH, all));
        Self { stages, primary, scale, routing }
    }

    /// Appends the dropout sites of the three stages.
    pub fn sites(layout: &mut Layout, frames: usize, coefficients: usize, rates: &[f64; 3]) {
        for ((h, w), &rate) in sizes(frames, coefficients).into_iter().zip(rates) {
            layout.site(&[WIDTH, h, w], rate);
        }
    }

    /// [copies, batch, frames, coefficients] to [copies, batch, 64]; the first of the three dropout sites is number `site`.
    pub fn run(&self, pass: &Pass, features: &Tensor, site: usize) -> Result<Tensor, TchError> {
        let [copies, batch] = [features.size()[0], features.size()[1]];
        let (width, all) = (WIDTH as i64, (CAPSULES * WIDTH) as i64);
        let mut x = images(features)?;
        for (i, stage) in self.stages.iter().enumerate() {
            // The norm's statistics are mean 0 and variance 1 for ever: it is a factor and an offset, and the convolution takes them.
            let factor = pass.parameter(stage.gamma).f_div_scalar((1.0 + NORM_EPS).sqrt())?;
            let kernel = stage.kernel.of(pass)?.f_mul(&factor.f_reshape([copies, width, 1, 1, 1])?)?;
            let bias = pass.parameter(stage.bias).f_mul(&factor)?.f_add(pass.parameter(stage.beta))?;
            let y = convolve(&x, &kernel, Some(&bias), [0, 0])?.f_elu_()?;
            let y = y.f_avg_pool2d([2i64, 2], [2i64, 2], [0i64, 0], false, true, None)?;
            x = drop_images(y, pass.factors(site + i))?;
        }
        let kernel = self.primary.0.of(pass)?;
        let y = convolve(&x, &kernel, Some(pass.parameter(self.primary.1)), [0, 0])?;
        // Channels last, then cut into capsules: [copies, batch, capsules, 64].
        let y = y.f_view([batch, copies, all, -1])?.f_permute([1, 0, 3, 2])?.f_reshape([copies, batch, -1, width])?;
        let attended = self.attend(pass, &squash(&y)?)?;
        self.route(pass, &attended)
    }

    /// U * (A U), A being the softmax over keys of scale * U U^T; `u` is [copies, batch, capsules, 64].
    fn attend(&self, pass: &Pass, u: &Tensor) -> Result<Tensor, TchError> {
        let flat = u.f_flatten(0, 1)?;
        let queries = match self.scale {
            None => flat.shallow_clone(),
            Some(scale) => u.f_mul(&pass.parameter(scale).f_reshape([-1, 1, 1, 1])?)?.f_flatten(0, 1)?,
        };
        let attention = queries.f_bmm(&flat.f_transpose(1, 2)?)?.f_softmax(2, None)?;
        flat.f_mul(&attention.f_bmm(&flat)?)?.f_view(u.size().as_slice())
    }

    /// Mean of the routing capsules, [copies, batch, 64], of `u`, [copies, batch, capsules, 64].
    ///
    /// A capsule's predictions v = W_k u are not made: sum_n c_n W_k u_n = W_k sum_n c_n u_n, and <o, W_k u_n> = <W_k^T o, u_n>.
    fn route(&self, pass: &Pass, u: &Tensor) -> Result<Tensor, TchError> {
        let size = u.size();
        let (copies, batch, n) = (size[0], size[1], size[2]);
        let (width, k) = (WIDTH as i64, CAPSULES as i64);
        let flat = u.f_flatten(0, 1)?;
        // [copies * k, out, in]
        let kernels = pass.parameter(self.routing).f_reshape([copies * k, width, width])?;
        // [copies * batch, k, 64] times each capsule's own matrix.
        let times = |x: &Tensor, matrices: &Tensor| -> Result<Tensor, TchError> {
            let x = x.f_view([copies, batch, k, width])?.f_transpose(1, 2)?.f_reshape([copies * k, batch, width])?;
            let y = x.f_bmm(matrices)?.f_view([copies, k, batch, width])?.f_transpose(1, 2)?;
            y.f_reshape([copies * batch, k, width])
        };
        // The first coupling is the softmax of zeros.
        let mean = flat.f_sum_dim_intlist([1i64].as_slice(), true, None)?.f_div_scalar(k)?;
        let mut pooled = mean.f_expand([copies * batch, k, width], false)?.f_contiguous()?;
        for last in (0..ROUTING_ITERATIONS).map(|i| i + 1 == ROUTING_ITERATIONS) {
            let o = times(&pooled, &kernels.f_transpose(1, 2)?)?;
            if last {
                let mean = squash(&o)?.f_mean_dim([1i64].as_slice(), false, None)?;
                return mean.f_view([copies, batch, width]);
            }
            let norm = square_norm(&o)?.f_clamp_min(1e-12)?.f_sqrt()?;
            let agreement = flat.f_bmm(&times(&o.f_div(&norm)?, &kernels)?.f_transpose(1, 2)?)?;
            let coupling = agreement.f_view([copies * batch, n, k])?.f_softmax(2, None)?;
            pooled = coupling.f_transpose(1, 2)?.f_bmm(&flat)?;
        }
        Err(TchError::Torch("routing has no iteration".into()))
    }
}

fn square_norm(x: &Tensor) -> Result<Tensor, TchError> {
    x.f_square()?.f_sum_dim_intlist([-1i64].as_slice(), true, None)
}

/// |s|^2 / (1 + |s|^2) s / sqrt(|s|^2 + 1e-7)
fn squash(s: &Tensor) -> Result<Tensor, TchError> {
    let n = square_norm(s)?;
    let root = n.f_add_scalar(1e-7)?.f_sqrt()?;
    s.f_mul(&n.f_div(&n.f_add_scalar(1.0)?)?.f_div(&root)?)
}
