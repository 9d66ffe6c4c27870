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
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// Which network.
    #[serde(default = "defaults::variant")]
    pub variant: Variant,
    /// Temporal-aware blocks n; block j has dilation 2^(j-1). 10 for IEMOCAP, 8 elsewhere.
    pub blocks: usize,
    /// Number of classes.
    pub classes: usize,
    /// Input coefficients, which is also the number of filters. The paper has 39.
    #[serde(default = "defaults::coefficients")]
    pub coefficients: usize,
    /// Probability that spatial dropout drops a channel.
    #[serde(default = "defaults::dropout")]
    pub dropout: f64,
    /// Only read by [`Variant::Tcn`].
    #[serde(default)]
    pub tcn_pooling: TcnPooling,
}

mod defaults {
    pub fn variant() -> super::Variant {
        super::Variant::TimNet
    }
    pub fn coefficients() -> usize {
        39
    }
    pub fn dropout() -> f64 {
        0.1
    }
}

/// Taps of every dilated convolution.
pub(crate) const KERNEL: usize = 2;

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
            coefficients: defaults::coefficients(),
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

    /// Whether the 1x1 convolutions before the blocks exist.
    pub fn has_stem(&self) -> bool {
        self.variant != Variant::Tcn
    }

    /// Dilation of block `j`, counted from 0.
    pub fn dilation(&self, j: usize) -> usize {
        1 << j
    }

    /// Dropout sites: one for each sub-block, in the order block, direction, sub-block.
    pub fn sites(&self) -> usize {
        self.blocks * self.directions() * 2
    }

    /// Frames that one output frame sees: 1 + 2 (2^n - 1).
    pub fn receptive_field(&self) -> usize {
        1 + 2 * ((1 << self.blocks) - 1)
    }

    /// # Errors
    /// A field out of its range, by name.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let range = |key, value: usize, min, max| {
            if (min..=max).contains(&value) { Ok(()) } else { Err(ConfigError::Range { key, value, min, max }) }
        };
        range("blocks", self.blocks, 1, 16)?;
        range("classes", self.classes, 2, 1000)?;
        range("coefficients", self.coefficients, 1, 1024)?;
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
    /// A setting of the loss or the optimiser out of range.
    #[error("training setting `{key}` is {value}; it must be {must}")]
    Setting {
        /// The setting.
        key: &'static str,
        /// Its value.
        value: f64,
        /// What it must be.
        must: &'static str,
    },
}
