//! One trained network, for inference.

use serengine::{EngineError, Weights};
use sertorch::{
    DeviceWeights,
    tch::{Device, Kind, Tensor},
};

use crate::network::TimNet;

/// A trained network on a device.
#[derive(Debug)]
pub struct Classifier {
    network: TimNet,
    weights: DeviceWeights,
}

/// All that the forward pass of a batch gives.
#[derive(Debug)]
pub struct Activations {
    /// [batch, classes]
    pub logits: Tensor,
    /// g_drf (paper, eq. 7), or the TCN's pooled output: [batch, filters]
    pub embedding: Tensor,
    /// g_j of each block, [blocks, batch, filters]; for the TCN its pooled output alone, [1, batch, filters].
    pub scales: Tensor,
}

impl Classifier {
    /// The network in `kind`: `Kind::Float`, or `Kind::Double` where rounding must not matter.
    ///
    /// # Errors
    /// [`EngineError::Weights`] for weights of another family, or which do not fit their layout or are not finite; a device that is not there.
    pub fn new(weights: &Weights, device: Device, kind: Kind) -> Result<Self, EngineError> {
        Ok(Self { network: TimNet::of(weights)?, weights: DeviceWeights::new(weights, device, kind)? })
    }

    /// Inference. `features` is [batch, frames, coefficients], on the network's device and of its kind.
    ///
    /// # Errors
    /// As [`DeviceWeights::infer`].
    pub fn forward(&self, features: &Tensor) -> Result<Activations, EngineError> {
        let (answer, scales) = self.weights.infer(features, |pass| {
            let (answer, scales) = self.network.run(pass)?;
            Ok((answer, scales.f_squeeze_dim(1)?))
        })?;
        Ok(Activations { logits: answer.logits, embedding: answer.embedding, scales })
    }
}
