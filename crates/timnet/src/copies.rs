//! Networks of one configuration over one data set, trained side by side in single operations.

use tch::{Device, Kind, TchError, Tensor};
use timnet_core::{
    Adam, Batch, Dataset, EngineError, EngineFacts, ModelConfig, Objective, Predictions, StepOutcome, TrainState,
    TrainingInputs, Weights,
};

use crate::network::{Mode, Network, Pass, to_vec};

/// Utterances of a copy per inference call: bounds memory, changes no result.
const PREDICT_BATCH: usize = 64;

/// Raised whenever the same inputs give other numbers than before, libtorch's own changes included.
pub const NUMERICS_VERSION: u32 = 1;

/// What the engines on libtorch say of themselves on a device, before there is one. libtorch does not say which SIMD level it
/// chose.
pub fn facts(device: Device) -> EngineFacts {
    let device = match device {
        Device::Cpu => "cpu".into(),
        Device::Cuda(i) => format!("cuda:{i}"),
        Device::Mps => "mps".into(),
        Device::Vulkan => "vulkan".into(),
    };
    EngineFacts { name: "libtorch".into(), numerics: NUMERICS_VERSION, device, simd: None }
}

/// Copies that take part in an operation, in rising order.
#[derive(Debug)]
struct Group {
    copies: Vec<usize>,
    /// Their numbers on the device; None where they are all.
    rows: Option<Tensor>,
}

impl Group {
    /// The group's rows of a [copies, ..] tensor: a view where it is all of them.
    fn of(&self, all: &Tensor) -> Tensor {
        match &self.rows {
            None => all.shallow_clone(),
            Some(rows) => all.index_select(0, rows),
        }
    }

    fn put(&self, all: &mut Tensor, rows: Tensor) {
        match &self.rows {
            None => *all = rows,
            Some(numbers) => _ = all.index_copy_(0, numbers, &rows),
        }
    }
}

/// All copies' networks and optimisers.
#[derive(Debug)]
pub(crate) struct Copies {
    network: Network,
    /// [copies, parameters]
    first_moment: Tensor,
    /// [copies, parameters]
    second_moment: Tensor,
    steps: Vec<u64>,
    /// SHA-256 of the data set.
    data: String,
    objective: Objective,
    /// [utterances, frames, coefficients]
    features: Tensor,
    /// [utterances]
    labels: Tensor,
    device: Device,
    kind: Kind,
}

impl Copies {
    pub fn new(
        states: &[TrainState],
        data: &Dataset,
        objective: Objective,
        device: Device,
        kind: Kind,
    ) -> Result<Self, EngineError> {
        let first = states.first().ok_or_else(|| EngineError::Shape("no network to train".into()))?;
        let config = &first.weights.config;
        data.check(config)?;
        let shape = [data.len() as i64, data.frames as i64, data.coefficients as i64];
        let features = Tensor::f_from_slice(&data.features)
            .and_then(|t| t.f_view(shape.as_slice()))
            .and_then(|t| t.f_to(device))
            .and_then(|t| t.f_to_kind(kind))
            .map_err(backend)?;
        let labels: Vec<i64> = data.labels.iter().map(|&l| l as i64).collect();
        let labels = Tensor::f_from_slice(&labels).and_then(|t| t.f_to(device)).map_err(backend)?;
        states.iter().try_for_each(|state| check(state, config))?;
        let weights: Vec<&Weights> = states.iter().map(|s| &s.weights).collect();
        let network = Network::copies(config, &weights, device, kind).map_err(|e| EngineError::Shape(e.to_string()))?;
        let moment = |of: fn(&TrainState) -> &Vec<f32>| {
            let values: Vec<f32> = states.iter().flat_map(|s| of(s).iter().copied()).collect();
            Tensor::from_slice(&values).to_device(device).to_kind(kind).view([states.len() as i64, -1])
        };
        Ok(Self {
            first_moment: moment(|s| &s.first_moment),
            second_moment: moment(|s| &s.second_moment),
            steps: states.iter().map(|s| s.steps).collect(),
            network,
            data: data.sha256(),
            objective,
            features,
            labels,
            device,
            kind,
        })
    }

    pub fn facts(&self) -> EngineFacts {
        facts(self.device)
    }

    pub fn inputs(&self) -> TrainingInputs {
        TrainingInputs { data: self.data.clone(), objective: self.objective }
    }

    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Each copy's batches in order, the copies' n-th batches together where they are of one size.
    pub fn train(&mut self, epochs: &[(usize, &[Batch])]) -> Result<Vec<Vec<StepOutcome>>, EngineError> {
        let longest = epochs.iter().map(|(_, batches)| batches.len()).max().unwrap_or(0);
        // Losses and right answers, [group] each, read back once: a read in the loop would make a GPU wait after each step.
        let (mut losses, mut correct, mut places) = (Vec::new(), Vec::new(), Vec::new());
        for step in 0..longest {
            let mut members: Vec<(usize, &Batch)> =
                epochs.iter().enumerate().filter_map(|(at, (_, batches))| Some((at, batches.get(step)?))).collect();
            members.sort_by_key(|(_, batch)| batch.indices.len());
            for group in members.chunk_by(|a, b| a.1.indices.len() == b.1.indices.len()) {
                let batches: Vec<&Batch> = group.iter().map(|(_, batch)| *batch).collect();
                let copies = group.iter().map(|(at, _)| epochs[*at].0).collect();
                let (loss, right) = self.step(&self.group(copies), &batches)?;
                losses.push(loss);
                correct.push(right);
                places.extend(group.iter().map(|(at, _)| *at));
            }
        }
        let mut out: Vec<Vec<StepOutcome>> = epochs.iter().map(|_| Vec::new()).collect();
        if !losses.is_empty() {
            let losses = to_vec(&Tensor::cat(&losses, 0)).map_err(backend)?;
            let correct: Vec<i64> = Vec::try_from(Tensor::cat(&correct, 0).to_device(Device::Cpu)).map_err(backend)?;
            for ((at, loss), n) in places.into_iter().zip(losses).zip(correct) {
                out[at].push(StepOutcome { loss, correct: n as u32 });
            }
        }
        Ok(out)
    }

    /// Inference for utterances of each copy.
    pub fn predict(&self, parts: &[(usize, &[usize])]) -> Result<Vec<Predictions>, EngineError> {
        let group = self.group(parts.iter().map(|(copy, _)| *copy).collect());
        let mut out = vec![Predictions::default(); parts.len()];
        let longest = parts.iter().map(|(_, part)| part.len()).max().unwrap_or(0);
        let (parameters, running) = (group.of(&self.network.parameters), self.running(&group));
        for start in (0..longest).step_by(PREDICT_BATCH) {
            let size = PREDICT_BATCH.min(longest - start);
            // Shorter parts are filled up with utterance 0, whose answers are dropped.
            let at = |part: &[usize], i: usize| part.get(start + i).copied().unwrap_or(0) as u32;
            let indices = parts.iter().flat_map(|(_, part)| (0..size).map(move |i| at(part, i))).collect::<Vec<u32>>();
            let (x, _) = self.select(&indices, parts.len())?;
            let activations = tch::no_grad(|| self.pass(&parameters, &running).run(&x, &Mode::Inference));
            let rows = |tensor: &Tensor| -> Result<(Vec<f32>, usize), EngineError> {
                let width = tensor.size().last().map_or(0, |&w| w as usize);
                Ok((to_vec(tensor).map_err(backend)?, width))
            };
            let ((logits, classes), (embeddings, c)) = (rows(&activations.logits)?, rows(&activations.embedding)?);
            for (i, ((_, part), out)) in parts.iter().zip(&mut out).enumerate() {
                let used = part.len().saturating_sub(start).min(size);
                out.logits.extend(&logits[i * size * classes..][..used * classes]);
                out.embeddings.extend(&embeddings[i * size * c..][..used * c]);
            }
        }
        Ok(out)
    }

    pub fn state(&self, copy: usize) -> Result<TrainState, EngineError> {
        let row = |tensor: &Tensor| to_vec(&tensor.select(0, copy as i64)).map_err(backend);
        Ok(TrainState {
            weights: self.network.weights_of(copy).map_err(backend)?,
            first_moment: row(&self.first_moment)?,
            second_moment: row(&self.second_moment)?,
            steps: self.steps[copy],
        })
    }

    pub fn restore(&mut self, copy: usize, state: &TrainState) -> Result<(), EngineError> {
        check(state, &self.network.config)?;
        let one =
            Network::new(&state.weights, self.device, self.kind).map_err(|e| EngineError::Shape(e.to_string()))?;
        let row = |values: &[f32]| Tensor::from_slice(values).to_device(self.device).to_kind(self.kind);
        let at = |tensor: &Tensor| tensor.select(0, copy as i64);
        tch::no_grad(|| {
            at(&self.network.parameters).copy_(&one.parameters.select(0, 0));
            for ((mean, var), (from_mean, from_var)) in self.network.running.iter().zip(&one.running) {
                at(mean).copy_(&from_mean.select(0, 0));
                at(var).copy_(&from_var.select(0, 0));
            }
            at(&self.first_moment).copy_(&row(&state.first_moment));
            at(&self.second_moment).copy_(&row(&state.second_moment));
        });
        self.steps[copy] = state.steps;
        Ok(())
    }

    /// Gradient of the mean loss of copy 0's batch with respect to its flat parameters; moves the running statistics.
    pub fn gradient(&mut self, batch: &Batch) -> Result<(f32, Vec<f32>), EngineError> {
        let (losses, _, gradient) = self.backward(&self.group(vec![0]), &[batch])?;
        Ok((losses.double_value(&[0]) as f32, to_vec(&gradient).map_err(backend)?))
    }

    fn group(&self, copies: Vec<usize>) -> Group {
        let numbers: Vec<i64> = copies.iter().map(|&copy| copy as i64).collect();
        let all = copies.iter().copied().eq(0..self.steps.len());
        Group { copies, rows: (!all).then(|| Tensor::from_slice(&numbers).to_device(self.device)) }
    }

    fn running(&self, group: &Group) -> Vec<(Tensor, Tensor)> {
        let flat = |tensor: &Tensor| group.of(tensor).view([-1]);
        self.network.running.iter().map(|(mean, var)| (flat(mean), flat(var))).collect()
    }

    fn pass<'a>(&'a self, parameters: &'a Tensor, running: &'a [(Tensor, Tensor)]) -> Pass<'a> {
        Pass { config: &self.network.config, layout: &self.network.layout, parameters, running }
    }

    /// Each copy's mean loss and right answers, [group], and its gradient, [group, parameters].
    fn backward(&mut self, group: &Group, batches: &[&Batch]) -> Result<(Tensor, Tensor, Tensor), EngineError> {
        let size = batches.first().map_or(0, |batch| batch.indices.len() as i64);
        let indices: Vec<u32> = batches.iter().flat_map(|batch| batch.indices.iter().copied()).collect();
        let (x, labels) = self.select(&indices, batches.len())?;
        let dropout = self.dropout(batches)?;
        let running = self.running(group);
        let parameters = group.of(&self.network.parameters).detach().set_requires_grad(true);
        let logits = self
            .pass(&parameters, &running)
            .run(&x, &Mode::Training { dropout: dropout.as_ref() })
            .logits
            .flatten(0, 1);
        let smoothing = self.objective.label_smoothing;
        let losses = logits.cross_entropy_loss::<Tensor>(&labels, None, tch::Reduction::None, -100, smoothing);
        let losses = losses.view([-1, size]).mean_dim([1i64].as_slice(), false, None);
        let correct = logits.detach().argmax(1, false).eq_tensor(&labels).view([-1, size]);
        let correct = correct.sum_dim_intlist([1i64].as_slice(), false, Kind::Int64);
        // The copies share no parameter, so the gradient of the sum is each one's own.
        let total = losses.sum(self.kind);
        let mut gradients = Tensor::f_run_backward(&[total], &[&parameters], false, false).map_err(backend)?;
        let gradient = gradients.pop().ok_or_else(|| EngineError::Shape("the loss depends on no parameter".into()))?;
        for ((mean, var), (new_mean, new_var)) in self.network.running.iter_mut().zip(running) {
            group.put(mean, new_mean.view([group.copies.len() as i64, -1]));
            group.put(var, new_var.view([group.copies.len() as i64, -1]));
        }
        Ok((losses.detach(), correct, gradient))
    }

    fn step(&mut self, group: &Group, batches: &[&Batch]) -> Result<(Tensor, Tensor), EngineError> {
        let (losses, correct, g) = self.backward(group, batches)?;
        let Adam { beta1, beta2, eps, .. } = self.objective.adam;
        let rates: Vec<f64> = group
            .copies
            .iter()
            .map(|&copy| {
                self.steps[copy] += 1;
                self.objective.adam.rate(self.steps[copy])
            })
            .collect();
        let rates = Tensor::from_slice(&rates).to_kind(self.kind).to_device(self.device).unsqueeze(1);
        tch::no_grad(|| {
            let first = group.of(&self.first_moment) * beta1 + &g * (1.0 - beta1);
            let second = group.of(&self.second_moment) * beta2 + (&g * &g) * (1.0 - beta2);
            let parameters = group.of(&self.network.parameters) - &first * rates / (second.sqrt() + eps);
            group.put(&mut self.first_moment, first);
            group.put(&mut self.second_moment, second);
            group.put(&mut self.network.parameters, parameters);
        });
        Ok((losses, correct))
    }

    /// Features [copies, batch, frames, coefficients] and labels [copies * batch] of the utterances of all copies.
    fn select(&self, indices: &[u32], copies: usize) -> Result<(Tensor, Tensor), EngineError> {
        let indices: Vec<i64> = indices.iter().map(|&i| i64::from(i)).collect();
        let indices = Tensor::f_from_slice(&indices).and_then(|t| t.f_to(self.device)).map_err(backend)?;
        let x = self.features.f_index_select(0, &indices).map_err(backend)?;
        let x = x.f_unflatten(0, [copies as i64, -1]).map_err(backend)?;
        let labels = self.labels.f_index_select(0, &indices).map_err(backend)?;
        Ok((x, labels))
    }

    /// [copies, sites, batch, channels]
    fn dropout(&self, batches: &[&Batch]) -> Result<Option<Tensor>, EngineError> {
        if batches.iter().all(|batch| batch.dropout.is_empty()) {
            return Ok(None);
        }
        let config = &self.network.config;
        let size = batches.first().map_or(0, |batch| batch.indices.len());
        let shape = [batches.len(), config.sites(), size, config.coefficients].map(|n| n as i64);
        let factors: Vec<f32> = batches.iter().flat_map(|batch| batch.dropout.iter().copied()).collect();
        Tensor::f_from_slice(&factors)
            .and_then(|t| t.f_view(shape))
            .and_then(|t| t.f_to(self.device))
            .and_then(|t| t.f_to_kind(self.kind))
            .map(Some)
            .map_err(backend)
    }
}

fn check(state: &TrainState, config: &ModelConfig) -> Result<(), EngineError> {
    if state.weights.config != *config {
        return Err(EngineError::Shape("the state belongs to another network configuration".into()));
    }
    let length = state.weights.parameters.len();
    if state.first_moment.len() != length || state.second_moment.len() != length {
        return Err(EngineError::Shape(format!("moments of another length than the {length} parameters")));
    }
    Ok(())
}

fn backend(error: TchError) -> EngineError {
    EngineError::Backend { backend: "libtorch", message: error.to_string() }
}
