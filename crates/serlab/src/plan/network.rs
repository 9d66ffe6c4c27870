//! The networks that systems train.

use serengine::{Layout, Settings as _};
use serrun::System;
use timnet_core::{ModelConfig, Variant};

#[cfg(feature = "libtorch")]
use crate::peers;
use crate::{
    config::TrainingSettings,
    error::{LabError, Result},
    systems::is_compared,
};

/// A network and its sizes.
#[derive(Clone, Debug, PartialEq)]
pub enum Network {
    /// TIM-Net, one of its ablations, or the TCN.
    TimNet(ModelConfig),
    /// A system that it is compared with.
    Compared {
        /// Its name.
        system: System,
        /// Number of classes.
        classes: usize,
        /// [frames, coefficients]
        shape: [usize; 2],
    },
}

impl Network {
    /// The network of a system for [frames, coefficients] and so many classes; `blocks` are TIM-Net's on the corpus.
    ///
    /// # Errors
    /// A system that this program does not have.
    pub fn of(
        system: &System,
        settings: &TrainingSettings,
        shape: [usize; 2],
        classes: usize,
        blocks: usize,
    ) -> Result<Self> {
        if is_compared(system) {
            return Ok(Self::Compared { system: system.clone(), classes, shape });
        }
        let coefficients = shape[1];
        let variant: Variant = system.as_str().parse().map_err(LabError::input)?;
        let model = ModelConfig::of(variant, blocks, classes);
        Ok(Self::TimNet(ModelConfig {
            coefficients,
            filters: settings.filters.unwrap_or(model.filters),
            kernel_size: settings.kernel_size.unwrap_or(model.kernel_size),
            dropout: settings.dropout.unwrap_or(model.dropout),
            tcn_pooling: settings.tcn_pooling.unwrap_or_default(),
            ..model
        }))
    }

    /// Where its tensors lie.
    ///
    /// # Errors
    /// Sizes that no network can have.
    pub fn layout(&self) -> Result<Layout> {
        match self {
            Self::TimNet(model) => model.layout().map_err(LabError::input),
            #[cfg(feature = "libtorch")]
            Self::Compared { system, classes, shape } => peers::layout(system.as_str(), *shape, *classes),
            #[cfg(not(feature = "libtorch"))]
            Self::Compared { system, shape: [frames, coefficients], .. } => Err(LabError::Input(format!(
                "{system} on [{frames}, {coefficients}] needs libtorch, which this program was built without"
            ))),
        }
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        match self {
            Self::TimNet(model) => model.classes,
            Self::Compared { classes, .. } => *classes,
        }
    }

    /// TIM-Net's settings, of TIM-Net and its ablations.
    pub fn timnet(&self) -> Option<&ModelConfig> {
        match self {
            Self::TimNet(model) => Some(model),
            Self::Compared { .. } => None,
        }
    }

    /// Blocks whose outputs are fused with learned weights; None where there are none.
    pub fn fused_blocks(&self) -> Option<usize> {
        self.timnet().filter(|model| model.has_fusion()).map(|model| model.blocks)
    }

    /// Cost of an utterance's frame beside that of other networks, in layers of TIM-Net.
    pub fn layers(&self) -> usize {
        match self {
            Self::TimNet(model) => model.blocks * model.directions(),
            // About twice TIM-Net's sixteen.
            Self::Compared { .. } => 32,
        }
    }
}
