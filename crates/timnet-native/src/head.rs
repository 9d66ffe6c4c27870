//! From the blocks' features to the loss and back: small, so in plain loops and f64.

use timnet_core::{Layout, ModelConfig, Variant};

/// What each block's g_j counts in g_drf: learned, the mean, or the last block alone.
pub(crate) fn coefficients(config: &ModelConfig, layout: &Layout, parameters: &[f32]) -> Vec<f32> {
    let n = config.blocks;
    match (config.variant, layout.fusion) {
        (_, Some(range)) => parameters[range.all()].to_vec(),
        (Variant::NoDf, None) => vec![1.0 / n as f32; n],
        (_, None) => (0..n).map(|j| if j + 1 == n { 1.0 } else { 0.0 }).collect(),
    }
}

/// g_drf = sum_j w_j g_j; `scales` is [blocks, stride] of which the first `out.len()` of each row count.
pub(crate) fn fuse<'a>(coefficients: &[f32], scales: impl Iterator<Item = &'a [f32]>, out: &mut [f32]) {
    out.fill(0.0);
    for (&w, g) in coefficients.iter().zip(scales) {
        for (out, &g) in out.iter_mut().zip(g) {
            *out += w * g;
        }
    }
}

/// logits = head g_drf + bias
pub(crate) fn logits(head: &[f32], bias: &[f32], embedding: &[f32]) -> Vec<f32> {
    let dot = |row: &[f32]| row.iter().zip(embedding).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
    head.chunks_exact(embedding.len()).zip(bias).map(|(row, &b)| (dot(row) + f64::from(b)) as f32).collect()
}

/// Softmax of logits / temperature.
pub fn softmax(logits: &[f32], temperature: f64) -> Vec<f64> {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exp: Vec<f64> = logits.iter().map(|&v| (f64::from(v - max) / temperature).exp()).collect();
    let sum: f64 = exp.iter().sum();
    exp.into_iter().map(|v| v / sum).collect()
}

/// Cross entropy against (1 - s) onehot + s / classes, and its gradient in the logits.
pub(crate) fn cross_entropy(logits: &[f32], label: usize, smoothing: f64) -> (f64, Vec<f64>) {
    let classes = logits.len() as f64;
    let target = |k: usize| smoothing / classes + if k == label { 1.0 - smoothing } else { 0.0 };
    let mut gradient = softmax(logits, 1.0);
    let loss = -gradient.iter().enumerate().map(|(k, p)| target(k) * p.max(f64::MIN_POSITIVE).ln()).sum::<f64>();
    for (k, g) in gradient.iter_mut().enumerate() {
        *g -= target(k);
    }
    (loss, gradient)
}

/// Index of the largest, the first of equals; 0 of nothing.
pub fn largest(logits: &[f32]) -> usize {
    (1..logits.len()).fold(0, |best, k| if logits[k] > logits[best] { k } else { best })
}
