//! The network's configuration (paper, section 2; ablations of Table 3).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Which network: TIM-Net, one of the paper's ablations, or its TCN baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Variant {
    /// Both directions, all scales, learned fusion.
    TimNet,
    /// `w/o BD`: forward direction only.
    NoBd,
    /// `w/o MS`: the last block's feature alone.
    NoMs,
    /// `w/o DF`: the mean over blocks in place of the learned fusion.
    NoDf,
    /// The temporal convolutional network of Bai et al. 2018 at the same width and depth.
    Tcn,
}

impl Variant {
    /// All variants, in the order of Table 3.
    pub const ALL: [Self; 5] = [Self::Tcn, Self::NoBd, Self::NoMs, Self::NoDf, Self::TimNet];

    /// The name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::TimNet => "tim-net",
            Self::NoBd => "no-bd",
            Self::NoMs => "no-ms",
            Self::NoDf => "no-df",
            Self::Tcn => "tcn",
        }
    }

    /// The name in the paper's tables.
    pub fn title(self) -> &'static str {
        match self {
            Self::TimNet => "TIM-Net",
            Self::NoBd => "w/o BD",
            Self::NoMs => "w/o MS",
            Self::NoDf => "w/o DF",
            Self::Tcn => "TCN",
        }
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Variant {
    type Err = ConfigError;

    fn from_str(name: &str) -> Result<Self, ConfigError> {
        Self::ALL.into_iter().find(|v| v.name() == name).ok_or_else(|| ConfigError::Variant(name.to_owned()))
    }
}

/// How the TCN turns its last block's frames into one vector. The paper does not say; Bai et al. take the last frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TcnPooling {
    /// The last frame.
    #[default]
    Last,
    /// The mean over frames.
    Mean,
}

/// What makes two networks interchangeable: equal configurations have equal parameter layouts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Keys", into = "Keys")]
pub struct ModelConfig {
    /// Which network.
    pub variant: Variant,
    /// Temporal-aware blocks n; block j has dilation 2^(j-1). 10 for IEMOCAP, 8 elsewhere.
    pub blocks: usize,
    /// Number of classes.
    pub classes: usize,
    /// Coefficients of an input frame. The paper has 39.
    pub coefficients: usize,
    /// Channels of every convolution. The paper has 39; in settings without the key, as many as coefficients.
    pub filters: usize,
    /// Taps of every dilated convolution, 2 in the paper; in settings without the key 2.
    pub kernel_size: usize,
    /// Probability that spatial dropout drops a channel.
    pub dropout: f64,
    /// Only read by [`Variant::Tcn`].
    pub tcn_pooling: TcnPooling,
}

/// [`ModelConfig`] in files.
#[derive(Serialize, Deserialize)]
#[serde(rename = "ModelConfig", deny_unknown_fields)]
struct Keys {
    #[serde(default = "defaults::variant")]
    variant: Variant,
    blocks: usize,
    classes: usize,
    #[serde(default = "defaults::width")]
    coefficients: usize,
    /// Absent where equal to `coefficients`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    filters: Option<usize>,
    /// Absent where it is the paper's.
    #[serde(default = "defaults::kernel_size", skip_serializing_if = "defaults::is_kernel_size")]
    kernel_size: usize,
    #[serde(default = "defaults::dropout")]
    dropout: f64,
    #[serde(default)]
    tcn_pooling: TcnPooling,
}

impl From<Keys> for ModelConfig {
    fn from(keys: Keys) -> Self {
        let Keys { variant, blocks, classes, coefficients, filters, kernel_size, dropout, tcn_pooling } = keys;
        let filters = filters.unwrap_or(coefficients);
        Self { variant, blocks, classes, coefficients, filters, kernel_size, dropout, tcn_pooling }
    }
}

impl From<ModelConfig> for Keys {
    fn from(config: ModelConfig) -> Self {
        let ModelConfig { variant, blocks, classes, coefficients, filters, kernel_size, dropout, tcn_pooling } = config;
        let filters = (filters != coefficients).then_some(filters);
        Self { variant, blocks, classes, coefficients, filters, kernel_size, dropout, tcn_pooling }
    }
}

mod defaults {
    pub fn variant() -> super::Variant {
        super::Variant::TimNet
    }
    pub fn width() -> usize {
        39
    }
    pub fn kernel_size() -> usize {
        2
    }
    pub fn is_kernel_size(size: &usize) -> bool {
        *size == kernel_size()
    }
    pub fn dropout() -> f64 {
        0.1
    }
}

impl ModelConfig {
    /// Variance offset of BatchNorm.
    pub const BATCH_NORM_EPS: f64 = 1e-3;
    /// BatchNorm momentum, Keras convention (0.99 is libtorch's 0.01).
    pub const BATCH_NORM_KEEP: f64 = 0.99;

    /// TIM-Net as in the paper with `blocks` blocks.
    pub fn timnet(blocks: usize, classes: usize) -> Self {
        Self::of(Variant::TimNet, blocks, classes)
    }

    /// Any variant, otherwise as in the paper.
    pub fn of(variant: Variant, blocks: usize, classes: usize) -> Self {
        Self {
            variant,
            blocks,
            classes,
            coefficients: defaults::width(),
            filters: defaults::width(),
            kernel_size: defaults::kernel_size(),
            dropout: defaults::dropout(),
            tcn_pooling: TcnPooling::default(),
        }
    }

    /// 2 where the network also reads time backwards, otherwise 1.
    pub fn directions(&self) -> usize {
        match self.variant {
            Variant::TimNet | Variant::NoMs | Variant::NoDf => 2,
            Variant::NoBd | Variant::Tcn => 1,
        }
    }

    /// Whether the fusion weights w_j exist.
    pub fn has_fusion(&self) -> bool {
        matches!(self.variant, Variant::TimNet | Variant::NoBd)
    }

    /// Whether blocks have a gate; those of the TCN have a residual sum in its place.
    pub fn has_gate(&self) -> bool {
        self.variant != Variant::Tcn
    }

    /// Whether a 1x1 convolution stands before the blocks: always but in a TCN of as many coefficients as filters.
    pub fn has_stem(&self) -> bool {
        self.has_gate() || self.coefficients != self.filters
    }

    /// Whether the TCN's last frame stands for all of them.
    pub fn takes_last(&self) -> bool {
        self.variant == Variant::Tcn && self.tcn_pooling == TcnPooling::Last
    }

    /// Dilation of block `j`, counted from 0.
    pub fn dilation(&self, j: usize) -> usize {
        1 << j
    }

    /// Dropout site of a sub-block: they stand in the order block, direction, sub-block.
    pub fn site(&self, block: usize, direction: usize, sub_block: usize) -> usize {
        (block * self.directions() + direction) * 2 + sub_block
    }

    /// Frames that one output frame sees: 1 + 2 (k - 1) (2^n - 1) with kernels of k taps.
    pub fn receptive_field(&self) -> usize {
        1 + 2 * (self.kernel_size - 1) * ((1 << self.blocks) - 1)
    }

    /// # Errors
    /// A field out of its range, by name.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let range = |key, value: usize, min, max| {
            if (min..=max).contains(&value) { Ok(()) } else { Err(ConfigError::Range { key, value, min, max }) }
        };
        range("blocks", self.blocks, 1, 16)?;
        range("classes", self.classes, 2, 1000)?;
        range("coefficients", self.coefficients, 1, 4096)?;
        range("filters", self.filters, 1, 1024)?;
        range("kernel_size", self.kernel_size, 1, 16)?;
        // The masks are single precision: 0.999,999,999 is 1 there, and 1 / (1 - p) infinite.
        if (0.0..1.0).contains(&self.dropout) && (self.dropout as f32) < 1.0 {
            Ok(())
        } else {
            Err(ConfigError::Dropout(self.dropout))
        }
    }
}

/// Why a configuration can't be used.
#[derive(Debug, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum ConfigError {
    /// Unknown variant.
    #[error("unknown model variant `{0}`; known: tcn, no-bd, no-ms, no-df, tim-net")]
    Variant(String),
    /// A number out of range.
    #[error("model key `{key}` is {value}; it must lie between {min} and {max}")]
    Range {
        /// The key.
        key: &'static str,
        /// Its value.
        value: usize,
        /// Smallest allowed value.
        min: usize,
        /// Largest allowed value.
        max: usize,
    },
    /// Dropout out of range.
    #[error("model key `dropout` is {0}; it must be at least 0 and below 1")]
    Dropout(f64),
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text in finished model files and checkpoints.
    #[test]
    fn keys_that_the_paper_does_not_vary_are_there_only_where_they_say_something() {
        let square =
            r#"{"variant":"tim-net","blocks":8,"classes":7,"coefficients":39,"dropout":0.1,"tcn_pooling":"last"}"#;
        assert_eq!(serde_json::to_string(&ModelConfig::timnet(8, 7)).unwrap(), square);
        assert_eq!(serde_json::from_str::<ModelConfig>(square).unwrap(), ModelConfig::timnet(8, 7));
        let thin: ModelConfig = serde_json::from_str(r#"{"blocks":2,"classes":3,"coefficients":13}"#).unwrap();
        assert_eq!((thin.coefficients, thin.filters), (13, 13));
        let wide = ModelConfig { coefficients: 768, ..ModelConfig::timnet(8, 7) };
        let text = serde_json::to_string(&wide).unwrap();
        assert!(text.contains(r#""coefficients":768,"filters":39,"dropout""#), "{text}");
        assert_eq!(serde_json::from_str::<ModelConfig>(&text).unwrap(), wide);
        let long = ModelConfig { kernel_size: 3, ..ModelConfig::timnet(8, 7) };
        let text = serde_json::to_string(&long).unwrap();
        assert!(text.contains(r#""coefficients":39,"kernel_size":3,"dropout""#), "{text}");
        assert_eq!(serde_json::from_str::<ModelConfig>(&text).unwrap(), long);
        let unknown = serde_json::from_str::<ModelConfig>(r#"{"blocks":2,"classes":3,"filter":13}"#).unwrap_err();
        assert!(unknown.to_string().contains("unknown field `filter`"), "{unknown}");
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let fine = ModelConfig::timnet(8, 7);
        fine.validate().unwrap();
        ModelConfig { coefficients: 4096, filters: 1024, ..fine.clone() }.validate().unwrap();
        let says = |config: ModelConfig| config.validate().unwrap_err().to_string();
        let text = says(ModelConfig { coefficients: 4097, ..fine.clone() });
        assert_eq!(text, "model key `coefficients` is 4097; it must lie between 1 and 4096");
        let text = says(ModelConfig { filters: 0, ..fine.clone() });
        assert_eq!(text, "model key `filters` is 0; it must lie between 1 and 1024");
        let text = says(ModelConfig { kernel_size: 17, ..fine.clone() });
        assert_eq!(text, "model key `kernel_size` is 17; it must lie between 1 and 16");
        let text = says(ModelConfig { dropout: 0.999_999_999, ..fine });
        assert!(text.starts_with("model key `dropout` is 0.999999999"), "{text}");
    }
}
