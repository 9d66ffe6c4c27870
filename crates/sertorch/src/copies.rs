//! Networks of one layout over one data set, trained side by side in single operations.

use serengine::{
    Adam, Batch, Dataset, EngineError, EngineFacts, Layout, Objective, Predictions, Site, StepOutcome, TrainState,
    TrainingInputs, Weights, check_indices,
};
use tch::{Device, Kind, TchError, Tensor};

use crate::{
    criterion::Criterion,
    network::{Network, Pass, backend, to_vec},
    weights::{DeviceWeights, rows},
};

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
    fn of(&self, all: &Tensor) -> Result<Tensor, TchError> {
        match &self.rows {
            None => Ok(all.shallow_clone()),
            Some(rows) => all.f_index_select(0, rows),
        }
    }

    fn put(&self, all: &mut Tensor, rows: Tensor) -> Result<(), TchError> {
        match &self.rows {
            None => *all = rows,
            Some(numbers) => _ = all.f_index_copy_(0, numbers, &rows)?,
        }
        Ok(())
    }
}

/// All copies' networks and optimisers.
#[derive(Debug)]
pub(crate) struct Copies {
    network: Box<dyn Network>,
    weights: DeviceWeights,
    /// [copies, parameters]
    first_moment: Tensor,
    /// [copies, parameters]
    second_moment: Tensor,
    steps: Vec<u64>,
    /// SHA-256 of the data set.
    data: String,
    utterances: usize,
    criterion: Criterion,
    /// [utterances, frames, coefficients]
    features: Tensor,
    /// [utterances]
    labels: Tensor,
    device: Device,
    kind: Kind,
}

impl Copies {
    pub fn new(
        network: Box<dyn Network>,
        states: &[TrainState],
        data: &Dataset,
        objective: Objective,
        device: Device,
        kind: Kind,
    ) -> Result<Self, EngineError> {
        if states.is_empty() {
            return Err(EngineError::Shape("no network to train".into()));
        }
        let layout = network.layout();
        objective.check(layout, data.len())?;
        states.iter().try_for_each(|state| check(state, layout))?;
        data.check(layout)?;
        let shape = [data.len() as i64, data.frames() as i64, data.coefficients() as i64];
        let features = Tensor::f_from_slice(data.features())
            .and_then(|t| t.f_view(shape.as_slice()))
            .and_then(|t| t.f_to(device))
            .and_then(|t| t.f_to_kind(kind))
            .map_err(backend)?;
        let labels: Vec<i64> = data.labels().iter().map(|&l| l as i64).collect();
        let labels = Tensor::f_from_slice(&labels).and_then(|t| t.f_to(device)).map_err(backend)?;
        let weights: Vec<&Weights> = states.iter().map(|s| &s.weights).collect();
        let weights = DeviceWeights::copies(layout, &weights, device, kind)?;
        let moment = |of: fn(&TrainState) -> &Vec<f32>| {
            rows(states.iter().map(|s| &of(s)[..]), layout.trainable(), device, kind).map_err(backend)
        };
        let criterion = Criterion::new(objective, layout, data.len(), device, kind)?;
        Ok(Self {
            first_moment: moment(|s| &s.first_moment)?,
            second_moment: moment(|s| &s.second_moment)?,
            steps: states.iter().map(|s| s.steps).collect(),
            network,
            weights,
            data: data.sha256(),
            utterances: data.len(),
            criterion,
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
        TrainingInputs { data: self.data.clone(), objective: self.criterion.objective.clone() }
    }

    /// Each copy's batches in order, the copies' n-th batches together where they are of one size.
    pub fn train(&mut self, epochs: &[(usize, &[Batch])]) -> Result<Vec<Vec<StepOutcome>>, EngineError> {
        let all = epochs.iter().flat_map(|(_, batches)| *batches);
        all.into_iter().try_for_each(|batch| batch.check(self.layout(), self.utterances))?;
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
                let together = self.group(copies).map_err(backend)?;
                let (loss, right) = self.step(&together, &batches).map_err(backend)?;
                losses.push(loss);
                correct.push(right);
                places.extend(group.iter().map(|(at, _)| *at));
            }
        }
        let mut out: Vec<Vec<StepOutcome>> = epochs.iter().map(|_| Vec::new()).collect();
        if !losses.is_empty() {
            let losses = Tensor::f_cat(&losses, 0).and_then(|all| to_vec(&all)).map_err(backend)?;
            let correct = Tensor::f_cat(&correct, 0).and_then(|all| all.f_to_device(Device::Cpu)).map_err(backend)?;
            let correct: Vec<i64> = Vec::try_from(correct).map_err(backend)?;
            for ((at, loss), n) in places.into_iter().zip(losses).zip(correct) {
                out[at].push(StepOutcome { loss, correct: n as u32 });
            }
        }
        Ok(out)
    }

    /// Inference for utterances of each copy.
    pub fn predict(&self, parts: &[(usize, &[usize])]) -> Result<Vec<Predictions>, EngineError> {
        for (copy, part) in parts {
            check_indices(part.iter().copied(), self.utterances)?;
            self.weights.weights_of(*copy).map_err(backend)?.check()?;
        }
        let group = self.group(parts.iter().map(|(copy, _)| *copy).collect()).map_err(backend)?;
        let mut out = vec![Predictions::default(); parts.len()];
        let longest = parts.iter().map(|(_, part)| part.len()).max().unwrap_or(0);
        let parameters = group.of(&self.weights.parameters).map_err(backend)?;
        let statistics = group.of(&self.weights.statistics).map_err(backend)?;
        for start in (0..longest).step_by(PREDICT_BATCH) {
            let size = PREDICT_BATCH.min(longest - start);
            // Shorter parts are filled up with utterance 0, whose answers are dropped.
            let at = |part: &[usize], i: usize| part.get(start + i).copied().unwrap_or(0) as u32;
            let indices = parts.iter().flat_map(|(_, part)| (0..size).map(move |i| at(part, i))).collect::<Vec<u32>>();
            let (x, _) = self.select(&indices, parts.len()).map_err(backend)?;
            let answer = tch::no_grad(|| {
                let flat = (&parameters, statistics.shallow_clone());
                self.network.forward(&Pass::new(self.layout(), x, flat, Vec::new(), None)?)
            })
            .map_err(backend)?;
            let rows = |tensor: &Tensor| -> Result<(Vec<f32>, usize), EngineError> {
                let width = tensor.size().last().map_or(0, |&w| w as usize);
                Ok((to_vec(tensor).map_err(backend)?, width))
            };
            let ((logits, classes), (embeddings, c)) = (rows(&answer.logits)?, rows(&answer.embedding)?);
            for (i, ((_, part), out)) in parts.iter().zip(&mut out).enumerate() {
                let used = part.len().saturating_sub(start).min(size);
                out.logits.extend(&logits[i * size * classes..][..used * classes]);
                out.embeddings.extend(&embeddings[i * size * c..][..used * c]);
            }
        }
        out.iter().try_for_each(Predictions::check)?;
        Ok(out)
    }

    pub fn state(&self, copy: usize) -> Result<TrainState, EngineError> {
        let row = |tensor: &Tensor| tensor.f_select(0, copy as i64).and_then(|t| to_vec(&t)).map_err(backend);
        Ok(TrainState {
            weights: self.weights.weights_of(copy).map_err(backend)?,
            first_moment: row(&self.first_moment)?,
            second_moment: row(&self.second_moment)?,
            steps: self.steps[copy],
        })
    }

    pub fn restore(&mut self, copy: usize, state: &TrainState) -> Result<(), EngineError> {
        check(state, self.layout())?;
        let put = |to: &Tensor, values: &[f32]| {
            let row = Tensor::f_from_slice(values)?.f_to_device(self.device)?.f_to_kind(self.kind)?;
            to.f_select(0, copy as i64)?.f_copy_(&row)
        };
        tch::no_grad(|| {
            put(&self.weights.parameters, &state.weights.parameters)?;
            put(&self.weights.statistics, &state.weights.statistics)?;
            put(&self.first_moment, &state.first_moment)?;
            put(&self.second_moment, &state.second_moment)
        })
        .map_err(backend)?;
        self.steps[copy] = state.steps;
        Ok(())
    }

    /// Gradient of the mean loss of copy 0's batch with respect to its flat parameters; moves the running statistics.
    pub fn gradient(&mut self, batch: &Batch) -> Result<(f32, Vec<f32>), EngineError> {
        batch.check(self.layout(), self.utterances)?;
        self.gradient_of(batch).map_err(backend)
    }

    fn gradient_of(&mut self, batch: &Batch) -> Result<(f32, Vec<f32>), TchError> {
        let (losses, _, gradient) = self.backward(&self.group(vec![0])?, &[batch])?;
        Ok((losses.f_double_value(&[0])? as f32, to_vec(&gradient)?))
    }

    fn group(&self, copies: Vec<usize>) -> Result<Group, TchError> {
        let numbers: Vec<i64> = copies.iter().map(|&copy| copy as i64).collect();
        let all = copies.iter().copied().eq(0..self.steps.len());
        let rows = if all { None } else { Some(Tensor::f_from_slice(&numbers)?.f_to_device(self.device)?) };
        Ok(Group { copies, rows })
    }

    fn layout(&self) -> &Layout {
        self.network.layout()
    }

    /// Each copy's mean loss and right answers, [group], and its gradient, [group, parameters].
    fn backward(&mut self, group: &Group, batches: &[&Batch]) -> Result<(Tensor, Tensor, Tensor), TchError> {
        let size = batches.first().map_or(0, |batch| batch.indices.len() as i64);
        let indices: Vec<u32> = batches.iter().flat_map(|batch| batch.indices.iter().copied()).collect();
        let (x, indices) = self.select(&indices, batches.len())?;
        let factors = self.factors(batches)?;
        let steps: Vec<u64> = group.copies.iter().map(|&copy| self.steps[copy]).collect();
        let statistics = group.of(&self.weights.statistics)?;
        let parameters = group.of(&self.weights.parameters)?.f_detach()?.f_set_requires_grad(true)?;
        let part = i64::try_from(self.network.part(self.device)).unwrap_or(size).clamp(1, size.max(1));
        let mut sums: Option<(Tensor, Tensor, Tensor)> = None;
        for start in (0..size).step_by(part as usize) {
            let of = |all: &Tensor| all.f_narrow(1, start, part.min(size - start));
            let factors = factors.iter().map(of).collect::<Result<Vec<_>, _>>()?;
            let flat = (&parameters, statistics.shallow_clone());
            let answer =
                self.network.forward(&Pass::new(self.layout(), of(&x)?, flat, factors, Some(steps.clone()))?)?;
            let indices = of(&indices)?.f_reshape([-1])?;
            let labels = self.labels.f_index_select(0, &indices)?;
            let logits = answer.logits.f_flatten(0, 1)?;
            let losses = self.criterion.losses(&logits, &labels, &indices)?.f_view([batches.len() as i64, -1])?;
            let losses = match &answer.further_loss {
                None => losses,
                Some(further) => losses.f_add(further)?,
            };
            let losses = losses.f_sum_dim_intlist([1i64].as_slice(), false, None)?.f_div_scalar(size)?;
            let correct =
                logits.f_detach()?.f_argmax(1, false)?.f_eq_tensor(&labels)?.f_view([batches.len() as i64, -1])?;
            let correct = correct.f_sum_dim_intlist([1i64].as_slice(), false, Kind::Int64)?;
            // The copies share no parameter, so the gradient of the sum is each one's own.
            let mut gradients = Tensor::f_run_backward(&[losses.f_sum(self.kind)?], &[&parameters], false, false)?;
            let gradient = gradients.pop().ok_or_else(|| TchError::Torch("the loss depends on no parameter".into()))?;
            let losses = losses.f_detach()?;
            sums = Some(match sums {
                None => (losses, correct, gradient),
                Some((l, c, g)) => (l.f_add(&losses)?, c.f_add(&correct)?, g.f_add(&gradient)?),
            });
        }
        let (losses, correct, gradient) = sums.ok_or_else(|| TchError::Torch("a batch without utterances".into()))?;
        let (losses, gradient) = self.criterion.penalise(losses, gradient, &parameters.f_detach()?)?;
        group.put(&mut self.weights.statistics, statistics)?;
        Ok((losses, correct, gradient))
    }

    fn step(&mut self, group: &Group, batches: &[&Batch]) -> Result<(Tensor, Tensor), TchError> {
        let (losses, correct, g) = self.backward(group, batches)?;
        let adam = self.criterion.objective.adam;
        let Adam { beta1, beta2, eps, .. } = adam;
        let rates: Vec<f64> = group
            .copies
            .iter()
            .map(|&copy| {
                self.steps[copy] += 1;
                adam.rate(self.steps[copy])
            })
            .collect();
        let rates = Tensor::f_from_slice(&rates)?.f_to_kind(self.kind)?.f_to_device(self.device)?.f_unsqueeze(1)?;
        tch::no_grad(|| {
            // first = beta1 first + (1 - beta1) g; second = beta2 second + (1 - beta2) g^2
            let decay = |moment: &Tensor, beta: f64, g: &Tensor| {
                group.of(moment)?.f_mul_scalar(beta)?.f_add(&g.f_mul_scalar(1.0 - beta)?)
            };
            let first = decay(&self.first_moment, beta1, &g)?;
            let second = decay(&self.second_moment, beta2, &g.f_mul(&g)?)?;
            let update = first.f_mul(&rates)?.f_div(&second.f_sqrt()?.f_add_scalar(eps)?)?;
            let parameters = group.of(&self.weights.parameters)?.f_sub(&update)?;
            group.put(&mut self.first_moment, first)?;
            group.put(&mut self.second_moment, second)?;
            group.put(&mut self.weights.parameters, parameters)
        })?;
        Ok((losses, correct))
    }

    /// Features [copies, batch, frames, coefficients] and numbers [copies, batch] of the utterances of all copies.
    fn select(&self, indices: &[u32], copies: usize) -> Result<(Tensor, Tensor), TchError> {
        let indices: Vec<i64> = indices.iter().map(|&i| i64::from(i)).collect();
        let indices = Tensor::f_from_slice(&indices)?.f_to(self.device)?;
        let x = self.features.f_index_select(0, &indices)?.f_unflatten(0, [copies as i64, -1])?;
        Ok((x, indices.f_view([copies as i64, -1])?))
    }

    /// The factors of each dropout site, [copies, batch, site's shape]; none where nothing is dropped.
    fn factors(&self, batches: &[&Batch]) -> Result<Vec<Tensor>, TchError> {
        if batches.iter().all(|batch| batch.dropout.is_empty()) {
            return Ok(Vec::new());
        }
        let size = batches.first().map_or(0, |batch| batch.indices.len());
        let flat: Vec<f32> = batches.iter().flat_map(|batch| batch.dropout.iter().copied()).collect();
        let flat = Tensor::f_from_slice(&flat)?.f_view([batches.len() as i64, -1])?;
        let flat = flat.f_to(self.device)?.f_to_kind(self.kind)?;
        let sites = self.layout().sites();
        let sizes: Vec<i64> = sites.iter().map(|site| (size * site.len()) as i64).collect();
        let all = flat.f_split_with_sizes(sizes.as_slice(), 1)?;
        let shape = |site: &Site| [&[batches.len(), size], &site.shape[..]].concat();
        let shaped = |(factors, site): (Tensor, &Site)| {
            factors.f_view(shape(site).into_iter().map(|n| n as i64).collect::<Vec<_>>().as_slice())
        };
        all.into_iter().zip(sites).map(shaped).collect()
    }
}

fn check(state: &TrainState, layout: &Layout) -> Result<(), EngineError> {
    if *state.weights.layout != *layout {
        return Err(EngineError::Shape("the state belongs to another network configuration".into()));
    }
    Ok(state.check()?)
}
