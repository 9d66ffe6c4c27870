//! Training and inference over a data set, one network at a time.

use serengine::{
    Batch, Dataset, Engine, EngineError, EngineFacts, Objective, Predictions, StepOutcome, TrainState, TrainingInputs,
};
use tch::{Device, Kind};

use crate::{copies::Copies, network::Network};

/// [`serengine::Engine`] on libtorch.
#[derive(Debug)]
pub struct TorchEngine(Copies);

impl TorchEngine {
    /// Puts the data and the state on `device`, to compute in single precision.
    ///
    /// # Errors
    /// Data or weights that do not fit the network; a device without the memory.
    pub fn new(
        network: impl Network + 'static,
        state: &TrainState,
        data: &Dataset,
        objective: Objective,
        device: Device,
    ) -> Result<Self, EngineError> {
        Self::with_kind(network, state, data, objective, device, Kind::Float)
    }

    /// [`Self::new`] in `kind`: `Kind::Double` where rounding must not matter.
    ///
    /// # Errors
    /// Data or weights that do not fit the network; a device without the memory.
    pub fn with_kind(
        network: impl Network + 'static,
        state: &TrainState,
        data: &Dataset,
        objective: Objective,
        device: Device,
        kind: Kind,
    ) -> Result<Self, EngineError> {
        Copies::new(Box::new(network), std::slice::from_ref(state), data, objective, device, kind).map(Self)
    }

    /// Gradient of the batch's loss with respect to the flat parameters, by autograd; moves the running statistics.
    ///
    /// # Errors
    /// A batch that does not fit.
    pub fn gradient(&mut self, batch: &Batch) -> Result<(f32, Vec<f32>), EngineError> {
        self.0.gradient(batch)
    }
}

impl Engine for TorchEngine {
    fn describe(&self) -> EngineFacts {
        self.0.facts()
    }

    fn inputs(&self) -> TrainingInputs {
        self.0.inputs()
    }

    fn train(&mut self, batches: &[Batch]) -> Result<Vec<StepOutcome>, EngineError> {
        Ok(self.0.train(&[(0, batches)])?.pop().unwrap_or_default())
    }

    fn predict(&mut self, indices: &[usize]) -> Result<Predictions, EngineError> {
        Ok(self.0.predict(&[(0, indices)])?.pop().unwrap_or_default())
    }

    fn state(&self) -> Result<TrainState, EngineError> {
        self.0.state(0)
    }

    fn restore(&mut self, state: &TrainState) -> Result<(), EngineError> {
        self.0.restore(0, state)
    }
}
