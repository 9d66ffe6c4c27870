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
}

/// What a forward pass gives.
#[derive(Debug)]
pub struct Answer {
    /// [copies, batch, classes]
    pub logits: Tensor,
    /// What the last layer reads, [copies, batch, width].
    pub embedding: Tensor,
}

/// What a forward pass is given.
#[derive(Debug)]
pub struct Pass<'a> {
    layout: &'a Layout,
    features: Tensor,
    parameters: Vec<Tensor>,
    statistics: Tensor,
    factors: Vec<Tensor>,
    training: bool,
}

impl<'a> Pass<'a> {
    /// `features` is [copies, batch, frames, coefficients], `parameters` and `statistics` are flat, [copies, length] each; `factors` are
    /// those of each dropout site, [copies, batch, site's shape], or none.
    pub(crate) fn new(
        layout: &'a Layout,
        features: Tensor,
        (parameters, statistics): (&Tensor, Tensor),
        factors: Vec<Tensor>,
        training: bool,
    ) -> Result<Self, TchError> {
        let sizes: Vec<i64> = layout.tensors().iter().map(|t| t.range.len as i64).collect();
        // One operation of autograd's graph for all tensors.
        let parameters = parameters.f_split_with_sizes(sizes.as_slice(), 1)?;
        Ok(Self { layout, features, parameters, statistics, factors, training })
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
        self.training
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
