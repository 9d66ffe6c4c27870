//! Training and inference over a data set.

use tch::{Device, Kind, TchError, Tensor};
use timnet_core::{
    Adam, Batch, Dataset, Engine, EngineError, ModelConfig, Objective, Predictions, StepOutcome, TrainState, Weights,
};

use crate::network::{Mode, Network, to_vec};

/// Utterances per inference call: bounds memory, changes no result.
const PREDICT_BATCH: usize = 64;

/// [`timnet_core::Engine`] on libtorch.
#[derive(Debug)]
pub struct TorchEngine {
    network: Network,
    first_moment: Tensor,
    second_moment: Tensor,
    steps: u64,
    objective: Objective,
    /// [utterances, frames, coefficients]
    features: Tensor,
    /// [utterances]
    labels: Tensor,
    device: Device,
    kind: Kind,
}

impl TorchEngine {
    /// Puts the data and the state on `device`, to compute in single precision.
    ///
    /// # Errors
    /// Data or weights that do not fit the configuration; a device without the memory.
    pub fn new(state: &TrainState, data: &Dataset, objective: Objective, device: Device) -> Result<Self, EngineError> {
        Self::with_kind(state, data, objective, device, Kind::Float)
    }

    /// [`Self::new`] in `kind`: `Kind::Double` where rounding must not matter.
    ///
    /// # Errors
    /// Data or weights that do not fit the configuration; a device without the memory.
    pub fn with_kind(
        state: &TrainState,
        data: &Dataset,
        objective: Objective,
        device: Device,
        kind: Kind,
    ) -> Result<Self, EngineError> {
        data.check(&state.weights.config)?;
        let shape = [data.len() as i64, data.frames as i64, data.coefficients as i64];
        let features = Tensor::f_from_slice(&data.features)
            .and_then(|t| t.f_view(shape.as_slice()))
            .and_then(|t| t.f_to(device))
            .and_then(|t| t.f_to_kind(kind))
            .map_err(backend)?;
        let labels: Vec<i64> = data.labels.iter().map(|&l| l as i64).collect();
        let labels = Tensor::f_from_slice(&labels).and_then(|t| t.f_to(device)).map_err(backend)?;
        let network = network(&state.weights, device, kind)?;
        let mut engine = Self {
            first_moment: Tensor::new(),
            second_moment: Tensor::new(),
            network,
            steps: 0,
            objective,
            features,
            labels,
            device,
            kind,
        };
        engine.restore(state)?;
        Ok(engine)
    }

    /// The network as it is now.
    pub fn network(&self) -> &Network {
        &self.network
    }

    fn config(&self) -> &ModelConfig {
        self.network.config()
    }

    /// The batch's mean loss and its number of right answers, as scalars on the device.
    fn objective(&self, batch: &Batch) -> Result<(Tensor, Tensor), EngineError> {
        let (x, labels) = self.select(&batch.indices)?;
        let dropout = self.dropout(batch)?;
        let logits = self.network.run(&x, &Mode::Training { dropout: dropout.as_ref() }).logits;
        let loss = logits.cross_entropy_loss::<Tensor>(
            &labels,
            None,
            tch::Reduction::Mean,
            -100,
            self.objective.label_smoothing,
        );
        let correct = logits.detach().argmax(1, false).eq_tensor(&labels).sum(Kind::Int64);
        Ok((loss, correct))
    }

    /// Gradient of the batch's loss with respect to the flat parameters, by autograd; moves the running statistics.
    ///
    /// # Errors
    /// A batch that does not fit.
    pub fn gradient(&mut self, batch: &Batch) -> Result<(f32, Vec<f32>), EngineError> {
        let (loss, _) = self.objective(batch)?;
        let gradient = self.backward(&loss)?;
        Ok((loss.double_value(&[]) as f32, to_vec(&gradient).map_err(backend)?))
    }

    fn backward(&self, loss: &Tensor) -> Result<Tensor, EngineError> {
        let mut gradients =
            Tensor::f_run_backward(&[loss], &[&self.network.parameters], false, false).map_err(backend)?;
        gradients.pop().ok_or_else(|| EngineError::Shape("the loss depends on no parameter".into()))
    }

    fn step(&mut self, batch: &Batch) -> Result<(Tensor, Tensor), EngineError> {
        let (loss, correct) = self.objective(batch)?;
        let g = self.backward(&loss)?;
        self.steps += 1;
        let Adam { beta1, beta2, eps, .. } = self.objective.adam;
        let rate = self.objective.adam.rate(self.steps);
        tch::no_grad(|| {
            self.first_moment = &self.first_moment * beta1 + &g * (1.0 - beta1);
            self.second_moment = &self.second_moment * beta2 + (&g * &g) * (1.0 - beta2);
            self.network.parameters -= &self.first_moment * rate / (self.second_moment.sqrt() + eps);
        });
        Ok((loss.detach(), correct))
    }

    fn select(&self, indices: &[u32]) -> Result<(Tensor, Tensor), EngineError> {
        let indices: Vec<i64> = indices.iter().map(|&i| i64::from(i)).collect();
        let indices = Tensor::f_from_slice(&indices).and_then(|t| t.f_to(self.device)).map_err(backend)?;
        let x = self.features.f_index_select(0, &indices).map_err(backend)?;
        let labels = self.labels.f_index_select(0, &indices).map_err(backend)?;
        Ok((x, labels))
    }

    fn dropout(&self, batch: &Batch) -> Result<Option<Tensor>, EngineError> {
        if batch.dropout.is_empty() {
            return Ok(None);
        }
        let config = self.config();
        let shape = [config.sites() as i64, batch.indices.len() as i64, config.coefficients as i64];
        Tensor::f_from_slice(&batch.dropout)
            .and_then(|t| t.f_view(shape.as_slice()))
            .and_then(|t| t.f_to(self.device))
            .and_then(|t| t.f_to_kind(self.kind))
            .map(Some)
            .map_err(backend)
    }
}

impl Engine for TorchEngine {
    fn train(&mut self, batches: &[Batch]) -> Result<Vec<StepOutcome>, EngineError> {
        // Read back once: a read in the loop would make a GPU wait after each step.
        let outcomes = batches.iter().map(|batch| self.step(batch)).collect::<Result<Vec<_>, _>>()?;
        let (losses, correct): (Vec<_>, Vec<_>) = outcomes.into_iter().unzip();
        if losses.is_empty() {
            return Ok(Vec::new());
        }
        let losses = to_vec(&Tensor::stack(&losses, 0)).map_err(backend)?;
        let correct: Vec<i64> = Vec::try_from(Tensor::stack(&correct, 0).to_device(Device::Cpu)).map_err(backend)?;
        Ok(losses.into_iter().zip(correct).map(|(loss, n)| StepOutcome { loss, correct: n as u32 }).collect())
    }

    fn predict(&mut self, indices: &[usize]) -> Result<Predictions, EngineError> {
        let mut out = Predictions::default();
        for chunk in indices.chunks(PREDICT_BATCH) {
            let chunk: Vec<u32> = chunk.iter().map(|&i| i as u32).collect();
            let (x, _) = self.select(&chunk)?;
            let activations = self.network.forward(&x);
            out.logits.extend(to_vec(&activations.logits).map_err(backend)?);
            out.embeddings.extend(to_vec(&activations.embedding).map_err(backend)?);
        }
        Ok(out)
    }

    fn state(&self) -> Result<TrainState, EngineError> {
        Ok(TrainState {
            weights: self.network.weights().map_err(backend)?,
            first_moment: to_vec(&self.first_moment).map_err(backend)?,
            second_moment: to_vec(&self.second_moment).map_err(backend)?,
            steps: self.steps,
        })
    }

    fn restore(&mut self, state: &TrainState) -> Result<(), EngineError> {
        if state.weights.config != *self.config() {
            return Err(EngineError::Shape("the state belongs to another network configuration".into()));
        }
        let length = state.weights.parameters.len();
        if state.first_moment.len() != length || state.second_moment.len() != length {
            return Err(EngineError::Shape(format!("moments of another length than the {length} parameters")));
        }
        self.network = network(&state.weights, self.device, self.kind)?;
        self.first_moment = Tensor::from_slice(&state.first_moment).to_device(self.device).to_kind(self.kind);
        self.second_moment = Tensor::from_slice(&state.second_moment).to_device(self.device).to_kind(self.kind);
        self.steps = state.steps;
        Ok(())
    }
}

fn network(weights: &Weights, device: Device, kind: Kind) -> Result<Network, EngineError> {
    Network::new(weights, device, kind).map_err(|e| EngineError::Shape(e.to_string()))
}

fn backend(error: TchError) -> EngineError {
    EngineError::Backend { backend: "libtorch", message: error.to_string() }
}
