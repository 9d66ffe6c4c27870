//! Between the flat vectors' libtorch shapes and the kernels' matrices.

/// A [out, in, taps] kernel as [taps, in, p]: what the convolution multiplies by. Each output may be scaled.
pub(crate) fn forward(kernel: &[f32], channels: usize, p: usize, scale: impl Fn(usize) -> f32, to: &mut Vec<f32>) {
    each(kernel, channels, |o, i, tap| (tap * channels + i) * p + o, p, scale, to);
}

/// A [out, in, taps] kernel as [taps, out, p]: its transpose, for the gradient of the convolution's input.
pub(crate) fn transposed(kernel: &[f32], channels: usize, p: usize, to: &mut Vec<f32>) {
    each(kernel, channels, |o, i, tap| (tap * channels + o) * p + i, p, |_| 1.0, to);
}

fn each(
    kernel: &[f32],
    channels: usize,
    place: impl Fn(usize, usize, usize) -> usize,
    p: usize,
    scale: impl Fn(usize) -> f32,
    to: &mut Vec<f32>,
) {
    let taps = kernel.len() / (channels * channels);
    to.clear();
    to.resize(taps * channels * p, 0.0);
    for (o, row) in kernel.chunks_exact(channels * taps).enumerate() {
        let scale = scale(o);
        for (i, pair) in row.chunks_exact(taps).enumerate() {
            for (tap, &w) in pair.iter().enumerate() {
                to[place(o, i, tap)] = w * scale;
            }
        }
    }
}

/// A [taps][p, p] gradient (out by in) into the [out, in, taps] of the flat vector.
pub(crate) fn gradient(from: &[f32], channels: usize, p: usize, to: &mut [f32]) {
    let taps = from.len() / (p * p);
    for (o, row) in to.chunks_exact_mut(channels * taps).enumerate() {
        for (i, pair) in row.chunks_exact_mut(taps).enumerate() {
            for (tap, g) in pair.iter_mut().enumerate() {
                *g = from[(tap * p + o) * p + i];
            }
        }
    }
}

/// [channels] padded with zeros to [p].
pub(crate) fn vector(values: &[f32], p: usize) -> Vec<f32> {
    let mut out = values.to_vec();
    out.resize(p, 0.0);
    out
}

/// Copies [frames, channels] rows into [frames, p] ones, in time or against it.
pub(crate) fn frames(features: &[f32], channels: usize, p: usize, reverse: bool, to: &mut [f32]) {
    let mut copy = |from: &mut dyn Iterator<Item = &[f32]>| {
        for (to, from) in to.chunks_exact_mut(p).zip(from) {
            to[..channels].copy_from_slice(from);
            to[channels..].fill(0.0);
        }
    };
    let mut rows = features.chunks_exact(channels);
    if reverse { copy(&mut rows.rev()) } else { copy(&mut rows) }
}
