//! What a network is to the engines.

use std::sync::Arc;

use serengine::{EngineError, Layout, Range};
use tch::{Device, Kind, TchError, Tensor};

/// A network on libtorch: its layout and its forward pass.
pub trait Network: std::fmt::Debug + Send {
    /// Parameters, running statistics and dropout sites.
    fn layout(&self) -> &Arc<Layout>;

    /// The forward pass of all copies at once. In training it moves the running statistics of [`Pass::statistics`] in place.
    ///
    /// # Errors
    /// A failure of libtorch.
    fn forward(&self, pass: &Pass) -> Result<Answer, TchError>;

    /// Most utterances of a copy in one forward pass of training on `device`. Larger batches are taken in parts whose gradients are added:
    /// less memory, and on a CPU what fits its caches. It must depend on nothing but the settings and the kind of device, and only a
    /// network whose utterances do not see each other in training (no BatchNorm with batch statistics) may limit it: its gradient is then
    /// that of the whole batch but for rounding.
    fn part(&self, _device: Device) -> usize {
        usize::MAX
    }
}

/// What a forward pass gives.
#[derive(Debug)]
#[non_exhaustive]
pub struct Answer {
    /// [copies, batch, classes]
    pub logits: Tensor,
    /// What the last layer reads, [copies, batch, width].
    pub embedding: Tensor,
    /// A term of each utterance's loss beside the objective's, [copies, batch]; None for no such term.
    pub further_loss: Option<Tensor>,
}

impl Answer {
    /// An answer whose loss is the objective's alone.
    pub fn new(logits: Tensor, embedding: Tensor) -> Self {
        Self { logits, embedding, further_loss: None }
    }

    /// The answer with a further term of each utterance's loss, [copies, batch].
    pub fn with_loss(self, further: Tensor) -> Self {
        Self { further_loss: Some(further), ..self }
    }
}

/// What a forward pass is given.
#[derive(Debug)]
pub struct Pass<'a> {
    layout: &'a Layout,
    features: Tensor,
    parameters: Vec<Tensor>,
    statistics: Tensor,
    factors: Vec<Tensor>,
    /// None in inference.
    steps: Option<Vec<u64>>,
}

impl<'a> Pass<'a> {
    /// `features` is [copies, batch, frames, coefficients], `parameters` and `statistics` are flat, [copies, length] each; `factors` are
    /// those of each dropout site, [copies, batch, site's shape], or none; `steps` are those that each copy has taken, in training.
    pub(crate) fn new(
        layout: &'a Layout,
        features: Tensor,
        (parameters, statistics): (&Tensor, Tensor),
        factors: Vec<Tensor>,
        steps: Option<Vec<u64>>,
    ) -> Result<Self, TchError> {
        let sizes: Vec<i64> = layout.tensors().iter().map(|t| t.range.len as i64).collect();
        // One operation of autograd's graph for all tensors.
        let parameters = parameters.f_split_with_sizes(sizes.as_slice(), 1)?;
        Ok(Self { layout, features, parameters, statistics, factors, steps })
    }

    /// [copies, batch, frames, coefficients]
    pub fn features(&self) -> &Tensor {
        &self.features
    }

    /// The tensor at a place of the layout, [copies, length], a view whose rows are not contiguous. `place` is what [`Layout::parameter`]
    /// returned.
    pub fn parameter(&self, place: Range) -> &Tensor {
        // The layout's tensors tile the vector in order.
        let i = self.layout.tensors().partition_point(|t| t.range.start < place.start);
        &self.parameters[i]
    }

    /// All running statistics, [copies, length].
    pub fn statistics(&self) -> &Tensor {
        &self.statistics
    }

    /// Factors of a dropout site, [copies, batch, site's shape]; None where nothing is dropped.
    pub fn factors(&self, site: usize) -> Option<&Tensor> {
        self.factors.get(site)
    }

    /// Whether BatchNorm normalises with the batch's statistics and moves the running ones.
    pub fn is_training(&self) -> bool {
        self.steps.is_some()
    }

    /// Optimiser steps that each copy has taken before this one; empty in inference.
    pub fn steps(&self) -> &[u64] {
        self.steps.as_deref().unwrap_or_default()
    }
}

/// libtorch failed: a device that is not there, no memory, or a fault of the network.
pub(crate) fn backend(error: TchError) -> EngineError {
    EngineError::Backend { backend: "libtorch", message: error.to_string() }
}

pub(crate) fn to_vec(tensor: &Tensor) -> Result<Vec<f32>, TchError> {
    let tensor = tensor.f_detach()?.f_to_kind(Kind::Float)?.f_to_device(Device::Cpu)?;
    Vec::try_from(tensor.f_contiguous()?.f_view([-1])?)
}
