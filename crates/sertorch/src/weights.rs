//! Weights on a device.

use std::sync::Arc;

use serengine::{EngineError, Layout, Predictions, Weights, first_not_finite};
use tch::{Device, Kind, TchError, Tensor};

use crate::network::{Answer, Pass, backend, to_vec};

/// The weights of one network on a device, or of several of one layout that compute side by side.
#[derive(Debug)]
pub struct DeviceWeights {
    pub(crate) layout: Arc<Layout>,
    /// [copies, parameters]
    pub(crate) parameters: Tensor,
    /// [copies, statistics]
    pub(crate) statistics: Tensor,
}

impl DeviceWeights {
    /// One network's weights in `kind`: `Kind::Float`, or `Kind::Double` where rounding must not matter.
    ///
    /// # Errors
    /// [`EngineError::Weights`] for weights that do not fit their layout or are not finite; a device that is not there.
    pub fn new(weights: &Weights, device: Device, kind: Kind) -> Result<Self, EngineError> {
        Self::copies(&weights.layout, &[weights], device, kind)
    }

    pub(crate) fn copies(
        layout: &Arc<Layout>,
        weights: &[&Weights],
        device: Device,
        kind: Kind,
    ) -> Result<Self, EngineError> {
        weights.iter().try_for_each(|w| w.check())?;
        let tensor = |of: fn(&Weights) -> &Vec<f32>, length: usize| {
            rows(weights.iter().map(|w| &of(w)[..]), length, device, kind).map_err(backend)
        };
        Ok(Self {
            parameters: tensor(|w| &w.parameters, layout.trainable())?,
            statistics: tensor(|w| &w.statistics, layout.statistics())?,
            layout: Arc::clone(layout),
        })
    }

    pub(crate) fn weights_of(&self, copy: usize) -> Result<Weights, TchError> {
        let row = |tensor: &Tensor| to_vec(&tensor.f_select(0, copy as i64)?);
        let (parameters, statistics) = (row(&self.parameters)?, row(&self.statistics)?);
        Ok(Weights { layout: Arc::clone(&self.layout), parameters, statistics })
    }

    /// Inference of one network: running statistics, no dropout. `features` is [batch, frames, coefficients], on the weights' device and
    /// of their kind. `forward` may give more than the answer; what it gives has one copy, the answer returned none: [batch, classes] and
    /// [batch, width].
    ///
    /// # Errors
    /// [`EngineError::Shape`] for features of another shape, kind or device, [`EngineError::NotFinite`] for features or answers that are NaN
    /// or infinite; a failure of libtorch.
    pub fn infer<T>(
        &self,
        features: &Tensor,
        forward: impl FnOnce(&Pass) -> Result<(Answer, T), TchError>,
    ) -> Result<(Answer, T), EngineError> {
        self.check(features)?;
        let run = || {
            let flat = (&self.parameters, self.statistics.shallow_clone());
            let pass = Pass::new(&self.layout, features.f_unsqueeze(0)?, flat, Vec::new(), None)?;
            let (Answer { logits, embedding, .. }, more) = forward(&pass)?;
            Ok((Answer::new(logits.f_squeeze_dim(0)?, embedding.f_squeeze_dim(0)?), more))
        };
        let (answer, more) = tch::no_grad(run).map_err(backend)?;
        let vector = |tensor: &Tensor| to_vec(tensor).map_err(backend);
        Predictions { logits: vector(&answer.logits)?, embeddings: vector(&answer.embedding)? }.check()?;
        Ok((answer, more))
    }

    fn check(&self, features: &Tensor) -> Result<(), EngineError> {
        let (size, c) = (features.size(), self.layout.coefficients());
        if size.len() != 3 || size[2] != c as i64 || size.contains(&0) {
            return Err(EngineError::Shape(format!("features are {size:?}; the network takes [batch, frames, {c}]")));
        }
        let frames = size[1] as usize;
        if let Some(expected) = self.layout.frames().filter(|&expected| expected != frames) {
            return Err(EngineError::Shape(format!("features have {frames} frames, the network takes {expected}")));
        }
        let found = (features.device(), features.f_kind().map_err(backend)?);
        let expected = (self.parameters.device(), self.parameters.f_kind().map_err(backend)?);
        if found != expected {
            return Err(EngineError::Shape(format!("features are on {found:?}, the network on {expected:?}")));
        }
        let values = to_vec(features).map_err(backend)?;
        match first_not_finite(&values) {
            None => Ok(()),
            Some(i) => {
                let frame = i / c;
                let place = format!(
                    "utterance {}, frame {}, coefficient {} of the features",
                    frame / frames,
                    frame % frames,
                    i % c
                );
                Err(EngineError::NotFinite { place, value: values[i], advice: "look at that recording" })
            }
        }
    }
}

/// Vectors of one length as a tensor, [vectors, length].
pub(crate) fn rows<'a>(
    vectors: impl ExactSizeIterator<Item = &'a [f32]>,
    length: usize,
    device: Device,
    kind: Kind,
) -> Result<Tensor, TchError> {
    let shape = [vectors.len() as i64, length as i64];
    let values: Vec<f32> = vectors.flatten().copied().collect();
    Tensor::f_from_slice(&values)?.f_to_device(device)?.f_to_kind(kind)?.f_view(shape)
}
