//! The networks that systems train.

use serengine::{Layout, Settings};
use serrun::System;
use timnet_core::{ModelConfig, Variant};

use crate::{
    config::TrainingSettings,
    error::{LabError, Result},
};

/// A network and its sizes.
#[derive(Clone, Debug, PartialEq)]
pub enum Network {
    /// TIM-Net, one of its ablations, or the TCN.
    TimNet(ModelConfig),
}

impl Network {
    /// The network of a system for [frames, coefficients] and so many classes; `blocks` are TIM-Net's on the corpus.
    ///
    /// # Errors
    /// A system that this program does not have.
    pub fn of(
        system: &System,
        settings: &TrainingSettings,
        [_, coefficients]: [usize; 2],
        classes: usize,
        blocks: usize,
    ) -> Result<Self> {
        let variant: Variant = system.as_str().parse().map_err(LabError::input)?;
        let model = ModelConfig::of(variant, blocks, classes);
        Ok(Self::TimNet(ModelConfig {
            coefficients,
            filters: settings.filters.unwrap_or(model.filters),
            kernel_size: settings.kernel_size.unwrap_or(model.kernel_size),
            dropout: settings.dropout,
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
        }
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        match self {
            Self::TimNet(model) => model.classes,
        }
    }

    /// TIM-Net's settings, of TIM-Net and its ablations.
    pub fn timnet(&self) -> Option<&ModelConfig> {
        match self {
            Self::TimNet(model) => Some(model),
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
        }
    }
}
