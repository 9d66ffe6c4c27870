//! Where each parameter lies in the flat vectors.

use crate::config::{KERNEL, ModelConfig};

/// How a tensor starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// Uniform in [-a, a]; Glorot's a = sqrt(6 / (fan_in + fan_out)) is already in it.
    Uniform(f32),
    /// One value.
    Constant(f32),
}

/// A place in a flat vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// First element.
    pub start: usize,
    /// Number of elements.
    pub len: usize,
}

impl Range {
    /// As an index range.
    pub fn all(self) -> std::ops::Range<usize> {
        self.start..self.start + self.len
    }
}

/// One named tensor of the network.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Name in weight files.
    pub name: String,
    /// Shape, libtorch's order: convolution kernels are [out, in, taps], the head [classes, coefficients].
    pub shape: Vec<usize>,
    /// Place in its vector.
    pub range: Range,
    /// How it starts.
    pub init: Init,
}

/// The convolution and BatchNorm of a sub-block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubBlock {
    /// [out, in, 2]; tap 0 meets the frame `dilation` earlier, tap 1 the current one.
    pub kernel: Range,
    /// `[out]`
    pub bias: Range,
    /// `[channels]`
    pub gamma: Range,
    /// `[channels]`
    pub beta: Range,
    /// `[channels]`, in the statistics vector.
    pub running_mean: Range,
    /// `[channels]`, in the statistics vector.
    pub running_var: Range,
}

/// The two sub-blocks of one block in one direction.
pub type Block = [SubBlock; 2];

/// The parameter layout of a configuration: trainable parameters in one flat vector, BatchNorm's running statistics in
/// another.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// All trainable tensors, in the vector's order.
    pub tensors: Vec<Tensor>,
    /// All running statistics, in the vector's order.
    pub running: Vec<Tensor>,
    /// Kernel `[out, in]` and bias `[out]` of the 1x1 convolution of each direction; empty for the TCN.
    pub stems: Vec<(Range, Range)>,
    /// `blocks[j][direction]`; direction 0 is forward.
    pub blocks: Vec<Vec<Block>>,
    /// w_j, `[blocks]`; None where the variant has none.
    pub fusion: Option<Range>,
    /// [classes, coefficients]
    pub head: Range,
    /// `[classes]`
    pub head_bias: Range,
}

impl Layout {
    /// Lays out `config`.
    pub fn new(config: &ModelConfig) -> Self {
        let c = config.coefficients;
        let glorot = |fan_in: usize, fan_out: usize| Init::Uniform((6.0 / (fan_in + fan_out) as f64).sqrt() as f32);
        let mut tensors = Vec::new();
        let mut running = Vec::new();
        let directions = &["forward", "backward"][..config.directions()];
        let stems = directions
            .iter()
            .filter(|_| config.has_stem())
            .map(|d| {
                (
                    push(&mut tensors, format!("{d}.stem.weight"), &[c, c, 1], glorot(c, c)),
                    push(&mut tensors, format!("{d}.stem.bias"), &[c], Init::Constant(0.0)),
                )
            })
            .collect();
        let mut sub = |d: &str, j: usize, s: &str| {
            let p = format!("{d}.{j}.{s}");
            SubBlock {
                kernel: push(&mut tensors, format!("{p}.conv.weight"), &[c, c, KERNEL], glorot(c * KERNEL, c * KERNEL)),
                bias: push(&mut tensors, format!("{p}.conv.bias"), &[c], Init::Constant(0.0)),
                gamma: push(&mut tensors, format!("{p}.norm.weight"), &[c], Init::Constant(1.0)),
                beta: push(&mut tensors, format!("{p}.norm.bias"), &[c], Init::Constant(0.0)),
                running_mean: push(&mut running, format!("{p}.norm.running_mean"), &[c], Init::Constant(0.0)),
                running_var: push(&mut running, format!("{p}.norm.running_var"), &[c], Init::Constant(1.0)),
            }
        };
        let blocks = (1..=config.blocks)
            .map(|j| directions.iter().map(|d| [sub(d, j, "a"), sub(d, j, "b")]).collect())
            .collect();
        let fusion = config
            .has_fusion()
            .then(|| push(&mut tensors, "fusion.weight".into(), &[config.blocks], Init::Uniform(0.05)));
        let head = push(&mut tensors, "head.weight".into(), &[config.classes, c], glorot(c, config.classes));
        let head_bias = push(&mut tensors, "head.bias".into(), &[config.classes], Init::Constant(0.0));
        Self { tensors, running, stems, blocks, fusion, head, head_bias }
    }

    /// Length of the trainable vector.
    pub fn trainable(&self) -> usize {
        self.head_bias.start + self.head_bias.len
    }

    /// Length of the statistics vector.
    pub fn statistics(&self) -> usize {
        self.running.last().map_or(0, |t| t.range.start + t.range.len)
    }
}

fn push(into: &mut Vec<Tensor>, name: String, shape: &[usize], init: Init) -> Range {
    let start = into.last().map_or(0, |t| t.range.start + t.range.len);
    let range = Range { start, len: shape.iter().product() };
    into.push(Tensor { name, shape: shape.to_vec(), range, init });
    range
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Variant;

    /// Measured on the official code: 106,992 parameters of which 104,496 trainable; n = 10, 4 classes: 132,770.
    #[test]
    fn parameter_counts_equal_the_official_ones() {
        let eight = Layout::new(&ModelConfig::timnet(8, 7));
        assert_eq!((eight.trainable(), eight.trainable() + eight.statistics()), (104_496, 106_992));
        let ten = Layout::new(&ModelConfig::timnet(10, 4));
        assert_eq!(ten.trainable() + ten.statistics(), 132_770);
    }

    #[test]
    fn tensors_tile_the_vectors() {
        for variant in Variant::ALL {
            let layout = Layout::new(&ModelConfig::of(variant, 3, 5));
            for tensors in [&layout.tensors, &layout.running] {
                let mut next = 0;
                for t in tensors {
                    assert_eq!(t.range.start, next, "{}", t.name);
                    next += t.range.len;
                }
            }
        }
    }
}
