//! Checkpoints: all that a fold's training needs to go on, in one safetensors file, and the trajectory that it belongs to.

use std::{collections::HashMap, io, path::Path, sync::Arc};

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serengine::{EngineFacts, Layout, TrainState, TrainingInputs, Weights, WeightsError, sha256_of};
use serrun::{EpochRecord, Scored, write_atomic};

use crate::task::{FoldOutcome, FoldTask, Schedule, Selected};

/// A fold in training, or at its end.
pub(crate) struct Checkpoint {
    pub state: TrainState,
    pub records: Vec<EpochRecord>,
    /// The test part after the last epoch, once the fold is finished.
    pub last: Option<Scored>,
    pub best: Selected,
    pub validated: Option<Selected>,
}

impl Checkpoint {
    /// Before the first epoch.
    pub fn start(state: TrainState, validated: bool) -> Self {
        let none = Selected { scored: Scored::default(), weights: state.weights.clone() };
        Self { state, records: Vec::new(), last: None, validated: validated.then(|| none.clone()), best: none }
    }

    /// The finished fold; None where it is not finished.
    pub fn outcome(self) -> Option<FoldOutcome> {
        let last = Selected { scored: self.last?, weights: self.state.weights };
        Some(FoldOutcome { records: self.records, last, best: self.best, validated: self.validated })
    }

    /// Takes back the scores of an epoch that was the last and is no more, where only the last epoch is scored.
    pub fn forget_scores(&mut self) {
        for r in &mut self.records {
            *r = EpochRecord {
                epoch: r.epoch,
                train_loss: r.train_loss,
                train_accuracy: r.train_accuracy,
                ..EpochRecord::default()
            };
        }
        for selected in std::iter::once(&mut self.best).chain(&mut self.validated) {
            selected.scored = Scored::default();
        }
    }

    /// What makes this no state of `task` after its records' epochs, if anything does.
    fn check(&self, task: &FoldTask) -> Result<(), String> {
        let text = |e: WeightsError| e.to_string();
        self.state.check().map_err(text)?;
        for (i, record) in self.records.iter().enumerate() {
            if record.epoch as usize != i + 1 {
                return Err(format!("its record {} is of epoch {}", i + 1, record.epoch));
            }
        }
        if self.validated.is_some() == task.validation.is_empty() {
            return Err("its scores on a validation part do not fit the task's".into());
        }
        let selected = std::iter::once(&self.best).chain(&self.validated);
        selected.clone().try_for_each(|s| s.weights.check()).map_err(text)?;
        for scored in selected.map(|s| &s.scored).chain(&self.last) {
            let rows = if scored.epoch == 0 { 0 } else { task.test.len() };
            let fits = scored.probabilities.len() == rows
                && scored.probabilities.iter().all(|row| row.len() == task.classes)
                && scored.epoch as usize <= self.records.len();
            if !fits {
                return Err(format!("its scores of epoch {} do not fit the test part", scored.epoch));
            }
        }
        Ok(())
    }
}

/// Raised when the file's meaning changes.
const VERSION: u32 = 3;
/// The metadata entry with a hash, a space and the header. The hash is BLAKE3 of the header and of the tensors by name: what a disk or a
/// copy changed is seen. One entry, because several are written in no fixed order.
const KEY: &str = "sertrain.checkpoint";

/// What a checkpoint and the task that goes on from it must have in common: all that the trajectory depends on. The number of
/// epochs is not in it (more epochs go on from fewer), nor is the SIMD level.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Identity {
    engine: String,
    numerics: u32,
    device_kind: String,
    /// Data set and objective.
    inputs: TrainingInputs,
    /// Settings of the network.
    config: Value,
    seed: u64,
    fold: u32,
    batch_size: usize,
    test_every_epoch: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    patience: Option<u32>,
    classes: usize,
    /// SHA-256 of each list, in its order.
    labels: String,
    train: String,
    validation: String,
    test: String,
}

/// What differs between two identities, for a message.
fn differences(saved: &Value, task: &Value, path: &str, out: &mut Vec<String>) {
    if let (Value::Object(saved), Value::Object(task)) = (saved, task) {
        for (key, value) in task {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            differences(saved.get(key).unwrap_or(&Value::Null), value, &path, out);
        }
    } else if saved != task {
        let short = |value: &Value| match value.as_str() {
            Some(hash) if hash.len() == 64 => {
                format!("a list with the hash {}", &hash.chars().take(12).collect::<String>())
            }
            _ => value.to_string(),
        };
        out.push(format!("`{path}` is {} in the checkpoint and {} in this task", short(saved), short(task)));
    }
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

#[derive(Serialize, Deserialize)]
struct Header {
    version: u32,
    identity: Identity,
    steps: u64,
    records: Vec<EpochRecord>,
    last: Option<Scored>,
    best: Scored,
    validated: Option<Scored>,
}

/// Why a checkpoint can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The file system refused.
    #[error("cannot {verb} checkpoint {path}: {source}")]
    Io {
        /// "read" or "write".
        verb: &'static str,
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// Not a checkpoint of this version.
    #[error("checkpoint {path} cannot be used ({reason}); delete it to train this fold from its start")]
    Unusable {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// A checkpoint of other data, another fold or other settings.
    #[error(
        "checkpoint {path} belongs to another task: {differences}. Give the task that it was made for, or delete it to train \
         this fold from its start"
    )]
    OtherTask {
        /// The file.
        path: String,
        /// What differs, and how.
        differences: String,
    },
    /// A checkpoint of more epochs than are asked for.
    #[error(
        "checkpoint {path} holds {found} epochs and {wanted} are asked for, but no epoch can be taken back: ask for {found} \
         or more, or delete it to train this fold from its start"
    )]
    Longer {
        /// The file.
        path: String,
        /// Epochs in it.
        found: usize,
        /// Epochs asked for.
        wanted: u32,
    },
}

/// All that the states of a fold's training depend on, but the number of epochs: more epochs go on from fewer.
pub struct Trajectory<'a> {
    task: &'a FoldTask<'a>,
    layout: Arc<Layout>,
    identity: Identity,
}

impl<'a> Trajectory<'a> {
    /// Of `task` with a network of `layout`, on an engine that says `facts` and `inputs` of itself.
    pub fn new(
        facts: EngineFacts,
        inputs: TrainingInputs,
        layout: &Arc<Layout>,
        task: &'a FoldTask<'a>,
        schedule: &Schedule,
    ) -> Self {
        let identity = Identity {
            device_kind: facts.device_kind().to_owned(),
            engine: facts.name,
            numerics: facts.numerics,
            inputs,
            config: serde_json::from_str(layout.settings()).unwrap_or_default(),
            seed: task.key.seed,
            fold: task.key.fold,
            batch_size: schedule.batch_size,
            test_every_epoch: schedule.test_every_epoch,
            patience: schedule.patience,
            classes: task.classes,
            labels: sha256_of(task.labels),
            train: sha256_of(task.train),
            validation: sha256_of(task.validation),
            test: sha256_of(task.test),
        };
        Self { task, layout: Arc::clone(layout), identity }
    }

    /// The hash of all of it, 32 hexadecimal digits.
    ///
    /// # Errors
    /// None that numbers and names can meet.
    pub fn key(&self) -> Result<String, serde_json::Error> {
        Ok(blake3::hash(&serde_json::to_vec(&self.identity)?).to_hex()[..32].to_owned())
    }

    /// Writes a checkpoint.
    pub(crate) fn save(&self, path: &Path, run: &Checkpoint) -> Result<(), CheckpointError> {
        let file = self.encode(run).map_err(|reason| unusable(path, reason))?;
        write_atomic(path, &file).map_err(|source| CheckpointError::Io { verb: "write", path: shown(path), source })
    }

    fn encode(&self, run: &Checkpoint) -> Result<Vec<u8>, safetensors::SafeTensorError> {
        let header = serde_json::json!({
            "version": VERSION,
            "identity": self.identity,
            "steps": run.state.steps,
            "records": run.records,
            "last": run.last,
            "best": run.best.scored,
            "validated": run.validated.as_ref().map(|v| &v.scored),
        })
        .to_string();
        let mut vectors = vec![
            ("parameters", &run.state.weights.parameters),
            ("statistics", &run.state.weights.statistics),
            ("first_moment", &run.state.first_moment),
            ("second_moment", &run.state.second_moment),
            ("best.parameters", &run.best.weights.parameters),
            ("best.statistics", &run.best.weights.statistics),
        ];
        if let Some(validated) = &run.validated {
            vectors.push(("validated.parameters", &validated.weights.parameters));
            vectors.push(("validated.statistics", &validated.weights.statistics));
        }
        // The order in which they are hashed.
        vectors.sort_unstable_by_key(|(name, _)| *name);
        let bytes: Vec<(&str, Vec<u8>)> =
            vectors.into_iter().map(|(n, v)| (n, v.iter().flat_map(|x| x.to_le_bytes()).collect())).collect();
        let views = bytes
            .iter()
            .map(|(name, data)| Ok((*name, TensorView::new(Dtype::F32, vec![data.len() / 4], data)?)))
            .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
        let hash = hash(&header, bytes.iter().map(|(name, data)| (*name, &data[..])));
        safetensors::serialize(views, Some(HashMap::from([(KEY.to_owned(), format!("{hash} {header}"))])))
    }

    /// The checkpoint to go on from to `epochs`; None where there is no such file.
    pub(crate) fn load(&self, path: &Path, epochs: u32) -> Result<Option<Checkpoint>, CheckpointError> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(CheckpointError::Io { verb: "read", path: shown(path), source }),
        };
        let file = SafeTensors::deserialize(&bytes).map_err(|e| unusable(path, e))?;
        let header = header(&bytes, &file).map_err(|reason| unusable(path, reason))?;
        if header.identity != self.identity {
            let value = |identity: &Identity| serde_json::to_value(identity).map_err(|e| unusable(path, e));
            let mut all = Vec::new();
            differences(&value(&header.identity)?, &value(&self.identity)?, "", &mut all);
            return Err(CheckpointError::OtherTask { path: shown(path), differences: all.join("; ") });
        }
        let run = checkpoint(header, &file, &self.layout).map_err(|reason| unusable(path, reason))?;
        run.check(self.task).map_err(|reason| unusable(path, reason))?;
        let found = run.records.len();
        if found > epochs as usize {
            return Err(CheckpointError::Longer { path: shown(path), found, wanted: epochs });
        }
        Ok(Some(run))
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn unusable(path: &Path, reason: impl std::fmt::Display) -> CheckpointError {
    CheckpointError::Unusable { path: shown(path), reason: reason.to_string() }
}

fn hash<'a>(header: &str, tensors: impl Iterator<Item = (&'a str, &'a [u8])>) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(header.as_bytes());
    for (name, data) in tensors {
        hasher.update(name.as_bytes()).update(&(data.len() as u64).to_le_bytes()).update(data);
    }
    hasher.finalize().to_hex().to_string()
}

fn header(bytes: &[u8], file: &SafeTensors) -> Result<Header, String> {
    let json = |e: serde_json::Error| e.to_string();
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|e| e.to_string())?;
    let entry = metadata.metadata().as_ref().and_then(|m| m.get(KEY)).ok_or("not a checkpoint of this program")?;
    let (written, header) = entry.split_once(' ').ok_or("it has no hash")?;
    let Version { version } = serde_json::from_str(header).map_err(json)?;
    if version != VERSION {
        return Err(format!("it has version {version}, this program writes version {VERSION}"));
    }
    let mut tensors = file.tensors();
    tensors.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    if written != hash(header, tensors.iter().map(|(name, view)| (&name[..], view.data()))) {
        return Err("its content is not what was written".into());
    }
    serde_json::from_str(header).map_err(json)
}

fn checkpoint(header: Header, file: &SafeTensors, layout: &Arc<Layout>) -> Result<Checkpoint, String> {
    let vector = |name: &str| -> Result<Vec<f32>, String> {
        let view = file.tensor(name).map_err(|e| e.to_string())?;
        if view.dtype() != Dtype::F32 {
            return Err(format!("`{name}` is {:?}, expected F32", view.dtype()));
        }
        Ok(view.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect())
    };
    let weights = |prefix: &str| -> Result<Weights, String> {
        Ok(Weights {
            layout: Arc::clone(layout),
            parameters: vector(&format!("{prefix}parameters"))?,
            statistics: vector(&format!("{prefix}statistics"))?,
        })
    };
    let selected =
        |scored, prefix: &str| -> Result<Selected, String> { Ok(Selected { scored, weights: weights(prefix)? }) };
    Ok(Checkpoint {
        state: TrainState {
            weights: weights("")?,
            first_moment: vector("first_moment")?,
            second_moment: vector("second_moment")?,
            steps: header.steps,
        },
        best: selected(header.best, "best.")?,
        validated: header.validated.map(|scored| selected(scored, "validated.")).transpose()?,
        records: header.records,
        last: header.last,
    })
}
