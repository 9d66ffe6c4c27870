//! Where TIM-Net's tensors lie in the flat vectors.

use serengine::{Init, Layout, Range, Settings};

use crate::config::{ConfigError, ModelConfig};

/// The convolution and BatchNorm of a sub-block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubBlock {
    /// [out, in, taps]; the last tap meets the current frame, each before it the frame `dilation` earlier.
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

/// The places of a configuration's tensors.
#[derive(Clone, Debug, PartialEq)]
pub struct Places {
    /// Kernel [filters, coefficients, 1] and bias `[filters]` of the 1x1 convolution of each direction; empty without
    /// ([`ModelConfig::has_stem`]).
    pub stems: Vec<(Range, Range)>,
    /// `blocks[j][direction]`; direction 0 is forward.
    pub blocks: Vec<Vec<Block>>,
    /// w_j, `[blocks]`; None where the variant has none.
    pub fusion: Option<Range>,
    /// [classes, filters]
    pub head: Range,
    /// `[classes]`
    pub head_bias: Range,
}

impl Places {
    /// The places in [`ModelConfig`]'s layout.
    pub fn of(config: &ModelConfig) -> Self {
        lay_out(config).1
    }
}

impl Settings for ModelConfig {
    const FAMILY: &'static str = "timnet";
    type Error = ConfigError;

    /// # Errors
    /// As [`ModelConfig::validate`].
    fn layout(&self) -> Result<Layout, ConfigError> {
        self.validate()?;
        Ok(lay_out(self).0)
    }
}

fn lay_out(config: &ModelConfig) -> (Layout, Places) {
    let (inputs, f, taps) = (config.coefficients, config.filters, config.kernel_size);
    let mut layout = Layout::new(config, inputs, config.classes);
    let directions = &["forward", "backward"][..config.directions()];
    let mut stems = Vec::new();
    for d in directions.iter().filter(|_| config.has_stem()) {
        let kernel = layout.parameter(format!("{d}.stem.weight"), &[f, inputs, 1], Init::glorot(inputs, f));
        stems.push((kernel, layout.parameter(format!("{d}.stem.bias"), &[f], Init::Constant(0.0))));
    }
    let mut sub = |d: &str, j: usize, s: &str| {
        let p = format!("{d}.{j}.{s}");
        layout.site(&[f], config.dropout);
        let glorot = Init::glorot(f * taps, f * taps);
        SubBlock {
            kernel: layout.parameter(format!("{p}.conv.weight"), &[f, f, taps], glorot),
            bias: layout.parameter(format!("{p}.conv.bias"), &[f], Init::Constant(0.0)),
            gamma: layout.parameter(format!("{p}.norm.weight"), &[f], Init::Constant(1.0)),
            beta: layout.parameter(format!("{p}.norm.bias"), &[f], Init::Constant(0.0)),
            running_mean: layout.statistic(format!("{p}.norm.running_mean"), &[f], Init::Constant(0.0)),
            running_var: layout.statistic(format!("{p}.norm.running_var"), &[f], Init::Constant(1.0)),
        }
    };
    let blocks =
        (1..=config.blocks).map(|j| directions.iter().map(|d| [sub(d, j, "a"), sub(d, j, "b")]).collect()).collect();
    let fusion = config.has_fusion().then(|| layout.parameter("fusion.weight", &[config.blocks], Init::Uniform(0.05)));
    let head = layout.parameter("head.weight", &[config.classes, f], Init::glorot(f, config.classes));
    let head_bias = layout.parameter("head.bias", &[config.classes], Init::Constant(0.0));
    let places = Places { stems, blocks, fusion, head, head_bias };
    (layout, places)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use serengine::{
        Weights,
        streams::{self, Key},
    };

    use super::*;
    use crate::Variant;

    fn weights(config: &ModelConfig) -> Weights {
        streams::initial(&Arc::new(config.layout().unwrap()), Key { seed: 1, fold: 0 })
    }

    /// Measured on the official code: 106,992 parameters of which 104,496 trainable; n = 10, 4 classes: 132,770.
    #[test]
    fn parameter_counts_equal_the_official_ones() {
        let eight = ModelConfig::timnet(8, 7).layout().unwrap();
        assert_eq!((eight.trainable(), eight.trainable() + eight.statistics()), (104_496, 106_992));
        let ten = ModelConfig::timnet(10, 4).layout().unwrap();
        assert_eq!(ten.trainable() + ten.statistics(), 132_770);
    }

    /// By the formula of the paper's network with k taps: each of 4n convolutions has f * f * (k - 2) more.
    #[test]
    fn more_taps_are_more_parameters() {
        let of = |kernel_size| ModelConfig { kernel_size, ..ModelConfig::timnet(8, 7) }.layout().unwrap().trainable();
        assert_eq!(of(2), 104_496);
        assert_eq!((of(1), of(5)), (104_496 - 32 * 39 * 39, 104_496 + 3 * 32 * 39 * 39));
    }

    /// Every variant, square and with 768 coefficients; the TCN has a stem in the second case alone.
    #[test]
    fn files_hold_the_configuration() {
        for variant in Variant::ALL {
            for coefficients in [39, 768] {
                let config = ModelConfig { coefficients, ..ModelConfig::of(variant, 3, 4) };
                let written = weights(&config);
                let bytes = written.to_safetensors(&BTreeMap::new()).unwrap();
                let (read, _) = Weights::from_safetensors::<ModelConfig>(&bytes).unwrap();
                assert_eq!((read.settings::<ModelConfig>().unwrap(), &read), (config.clone(), &written));
                let places = Places::of(&config);
                let stems = if variant == Variant::Tcn && coefficients == 39 { 0 } else { config.directions() };
                assert_eq!(places.stems.len(), stems);
                assert!(places.stems.iter().all(|(kernel, bias)| (kernel.len, bias.len) == (39 * coefficients, 39)));
                assert_eq!(places.head_bias.all().end, written.parameters.len());
            }
        }
    }

    /// FNV-1a of the files of `ModelConfig::of(variant, 3, 4)` at seed 46, fold 1, before settings, layout and weights were general.
    #[test]
    fn files_have_the_bytes_that_they_always_had() {
        let hashes = [
            0xf044_373d_3099_fd39,
            0x16bb_074f_74e9_f877,
            0xb283_a0f6_7219_ea1a,
            0x0c0e_9be0_c8f5_03ac,
            0xf8f7_916d_1fc7_0829,
        ];
        for (variant, expected) in Variant::ALL.into_iter().zip(hashes) {
            let layout = Arc::new(ModelConfig::of(variant, 3, 4).layout().unwrap());
            let weights = streams::initial(&layout, Key { seed: 46, fold: 1 });
            let bytes = weights.to_safetensors(&BTreeMap::from([("a".to_owned(), "b".to_owned())])).unwrap();
            let fnv = |h: u64, b: &u8| (h ^ u64::from(*b)).wrapping_mul(0x100_0000_01B3);
            assert_eq!(bytes.iter().fold(0xCBF2_9CE4_8422_2325, fnv), expected, "{variant}");
        }
    }

    #[test]
    fn unusable_settings_in_a_file_are_named() {
        let bytes = weights(&ModelConfig::timnet(1, 2)).to_safetensors(&BTreeMap::new()).unwrap();
        let edited = |from: &str, to: &str| {
            let at = bytes.windows(from.len()).position(|w| w == from.as_bytes()).unwrap();
            let mut bytes = bytes.clone();
            bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
            Weights::from_safetensors::<ModelConfig>(&bytes).unwrap_err().to_string()
        };
        let text = edited("\\\"classes\\\":2", "\\\"classes\\\":1");
        assert!(text.starts_with("the file's `timnet` entry cannot be used: model key `classes` is 1"), "{text}");
        assert!(edited("\\\"dropout\\\"", "\\\"dropped\\\"").contains("unknown field `dropped`"));
        assert!(edited("head.bias", "head.b1as").contains("tensor `head.bias` is missing"));
    }
}
