//! From the blocks' features to the loss and back: small, so in plain loops and f64.

use serengine::{log_softmax, softmax};
use timnet_core::{ModelConfig, Places, Variant};

/// Fusion weight w_j of each block, [blocks]: learned, 1 / n, or 0 but for the last block.
pub(crate) fn coefficients(config: &ModelConfig, places: &Places, parameters: &[f32]) -> Vec<f32> {
    let n = config.blocks;
    match (config.variant, places.fusion) {
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

/// Cross entropy against (1 - s) onehot + s / classes, and its gradient in the logits.
pub(crate) fn cross_entropy(logits: &[f32], label: usize, smoothing: f64) -> (f64, Vec<f64>) {
    let classes = logits.len() as f64;
    let target = |k: usize| smoothing / classes + if k == label { 1.0 - smoothing } else { 0.0 };
    let mut gradient = softmax(logits, 1.0);
    let loss = -log_softmax(logits, 1.0).iter().enumerate().map(|(k, p)| target(k) * p).sum::<f64>();
    for (k, g) in gradient.iter_mut().enumerate() {
        *g -= target(k);
    }
    (loss, gradient)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `-(t * scipy.special.log_softmax(x)).sum()` for t = 0.9 onehot(label) + 0.1 / 3: also where a probability is below the smallest
    /// double, and NaN of NaN.
    #[test]
    fn the_loss_is_scipys() {
        for (logits, label, expected) in
            [([1.0, -2.0, 0.5], 1, 3.321_263_569_008_950_3), ([0.0, 2000.0, -1000.0], 2, 2_866.666_666_666_666_5)]
        {
            let (loss, gradient) = cross_entropy(&logits, label, 0.1);
            assert!((loss - expected).abs() < 1e-12 * expected, "{loss} {expected}");
            assert!(gradient.iter().sum::<f64>().abs() < 1e-12);
        }
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert!(cross_entropy(&[0.0, bad, 1.0], 0, 0.1).0.is_nan(), "{bad}");
        }
    }
}
