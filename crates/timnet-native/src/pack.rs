//! Between the flat vectors' libtorch shapes and the kernels' matrices.
//!
//! The network's input may be wider than its channels. It is cut into parts of as many coefficients as there are channels, a tile of
//! [frames, p] each, the last filled up with zeros; the first convolution adds up the products of the parts. An input as wide as the
//! channels is one part.

use crate::kernels::Shape;

/// Parts of an input of `inputs` coefficients.
pub(crate) fn parts(shape: Shape, inputs: usize) -> usize {
    inputs.div_ceil(shape.channels)
}

/// A [out, in, taps] kernel as [taps, in, p]: what the convolution multiplies by. Each output may be scaled.
pub(crate) fn forward(kernel: &[f32], shape: Shape, scale: impl Fn(usize) -> f32, to: &mut Vec<f32>) {
    let Shape { channels, p, .. } = shape;
    each(kernel, shape, (channels, channels), |o, i, tap| (tap * channels + i) * p + o, scale, to);
}

/// A [out, in, taps] kernel as [taps, out, p]: its transpose, for the gradient of the convolution's input.
pub(crate) fn transposed(kernel: &[f32], shape: Shape, to: &mut Vec<f32>) {
    let Shape { channels, p, .. } = shape;
    each(kernel, shape, (channels, channels), |o, i, tap| (tap * channels + o) * p + i, |_| 1.0, to);
}

/// The first convolution's [out, inputs] kernel as [parts][channels, p].
pub(crate) fn stem(kernel: &[f32], shape: Shape, inputs: usize, to: &mut Vec<f32>) {
    let rows = parts(shape, inputs) * shape.channels;
    each(kernel, shape, (inputs, rows), |o, i, _| i * shape.p + o, |_| 1.0, to);
}

/// `inputs` of a kernel as `rows` rows a tap; the rows past the inputs are zero.
fn each(
    kernel: &[f32],
    shape: Shape,
    (inputs, rows): (usize, usize),
    place: impl Fn(usize, usize, usize) -> usize,
    scale: impl Fn(usize) -> f32,
    to: &mut Vec<f32>,
) {
    let taps = kernel.len() / (shape.channels * inputs);
    to.clear();
    to.resize(taps * rows * shape.p, 0.0);
    for (o, row) in kernel.chunks_exact(inputs * taps).enumerate() {
        let scale = scale(o);
        for (i, pair) in row.chunks_exact(taps).enumerate() {
            for (tap, &w) in pair.iter().enumerate() {
                to[place(o, i, tap)] = w * scale;
            }
        }
    }
}

/// A [taps][p, p] gradient (out by in) into the [out, in, taps] of the flat vector.
pub(crate) fn gradient(from: &[f32], shape: Shape, to: &mut [f32]) {
    let Shape { channels, p, .. } = shape;
    let taps = from.len() / (p * p);
    for (o, row) in to.chunks_exact_mut(channels * taps).enumerate() {
        for (i, pair) in row.chunks_exact_mut(taps).enumerate() {
            for (tap, g) in pair.iter_mut().enumerate() {
                *g = from[(tap * p + o) * p + i];
            }
        }
    }
}

/// The first convolution's [parts][p, p] gradient (out by in) into the [out, inputs] of the flat vector.
pub(crate) fn stem_gradient(from: &[f32], shape: Shape, inputs: usize, to: &mut [f32]) {
    let Shape { channels, p, .. } = shape;
    for (o, row) in to.chunks_exact_mut(inputs).enumerate() {
        for (i, g) in row.iter_mut().enumerate() {
            *g = from[(i / channels * p + o) * p + i % channels];
        }
    }
}

/// [channels] padded with zeros to [p].
pub(crate) fn vector(values: &[f32], p: usize) -> Vec<f32> {
    let mut out = values.to_vec();
    out.resize(p, 0.0);
    out
}

/// Copies [frames, inputs] rows into the parts' [frames, p] ones, in time or against it.
pub(crate) fn frames(features: &[f32], shape: Shape, inputs: usize, reverse: bool, to: &mut [f32]) {
    let frames = features.len() / inputs;
    for (part, tile) in to.chunks_exact_mut(frames * shape.p).enumerate() {
        let start = part * shape.channels;
        let width = shape.channels.min(inputs - start);
        let mut copy = |from: &mut dyn Iterator<Item = &[f32]>| {
            for (to, from) in tile.chunks_exact_mut(shape.p).zip(from) {
                to[..width].copy_from_slice(&from[start..start + width]);
                to[width..].fill(0.0);
            }
        };
        let mut rows = features.chunks_exact(inputs);
        if reverse { copy(&mut rows.rev()) } else { copy(&mut rows) }
    }
}
