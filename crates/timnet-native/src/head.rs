//! From the blocks' features to the loss and back: small, so in plain loops and f64.

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
