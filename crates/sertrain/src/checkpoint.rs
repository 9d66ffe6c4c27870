//! Checkpoints: all that a fold's training needs to go on, in one safetensors file.

use std::{collections::HashMap, io, path::Path};

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::{Deserialize, Serialize};
use timnet_core::{ModelConfig, TrainState, Weights};

use crate::{
    files::write_atomic,
    fold::{EpochRecord, Scored, Selected},
};

/// A fold in training.
pub(crate) struct Checkpoint {
    pub state: TrainState,
    pub records: Vec<EpochRecord>,
    pub best: Selected,
    pub validated: Option<Selected>,
}

impl Checkpoint {
    /// Before the first epoch.
    pub fn start(state: TrainState, validated: bool) -> Self {
        let none = Selected { scored: Scored::default(), weights: state.weights.clone() };
        Self { state, records: Vec::new(), validated: validated.then(|| none.clone()), best: none }
    }
}

/// Raised when the file's meaning changes.
const VERSION: u32 = 1;
const KEY: &str = "sertrain.checkpoint";

#[derive(Serialize, Deserialize)]
struct Header {
    version: u32,
    config: ModelConfig,
    steps: u64,
    records: Vec<EpochRecord>,
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
}

pub(crate) fn save(path: &Path, run: &Checkpoint) -> Result<(), CheckpointError> {
    let header = Header {
        version: VERSION,
        config: run.state.weights.config.clone(),
        steps: run.state.steps,
        records: run.records.clone(),
        best: run.best.scored.clone(),
        validated: run.validated.as_ref().map(|v| v.scored.clone()),
    };
    let unusable = |e: &dyn std::fmt::Display| CheckpointError::Unusable {
        path: path.display().to_string(),
        reason: e.to_string(),
    };
    let header = serde_json::to_string(&header).map_err(|e| unusable(&e))?;
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
    let bytes: Vec<(&str, Vec<u8>)> =
        vectors.into_iter().map(|(n, v)| (n, v.iter().flat_map(|x| x.to_le_bytes()).collect())).collect();
    let views = bytes
        .iter()
        .map(|(name, data)| Ok((*name, TensorView::new(Dtype::F32, vec![data.len() / 4], data)?)))
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()
        .map_err(|e| unusable(&e))?;
    let file =
        safetensors::serialize(views, Some(HashMap::from([(KEY.to_owned(), header)]))).map_err(|e| unusable(&e))?;
    write_atomic(path, &file).map_err(|source| CheckpointError::Io {
        verb: "write",
        path: path.display().to_string(),
        source,
    })
}

/// None where there is no such file.
pub(crate) fn load(path: &Path) -> Result<Option<Checkpoint>, CheckpointError> {
    let shown = path.display().to_string();
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(CheckpointError::Io { verb: "read", path: shown, source }),
    };
    parse(&bytes).map(Some).map_err(|reason| CheckpointError::Unusable { path: shown, reason })
}

fn parse(bytes: &[u8]) -> Result<Checkpoint, String> {
    let text = |e: safetensors::SafeTensorError| e.to_string();
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(text)?;
    let file = SafeTensors::deserialize(bytes).map_err(text)?;
    let header = metadata.metadata().as_ref().and_then(|m| m.get(KEY)).ok_or("not a checkpoint of this program")?;
    let header: Header = serde_json::from_str(header).map_err(|e| e.to_string())?;
    if header.version != VERSION {
        return Err(format!("it has version {}, this program writes version {VERSION}", header.version));
    }
    let vector = |name: &str| -> Result<Vec<f32>, String> {
        let view = file.tensor(name).map_err(text)?;
        if view.dtype() != Dtype::F32 {
            return Err(format!("`{name}` is {:?}, expected F32", view.dtype()));
        }
        Ok(view.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect())
    };
    let weights = |prefix: &str| -> Result<Weights, String> {
        Ok(Weights {
            config: header.config.clone(),
            parameters: vector(&format!("{prefix}parameters"))?,
            statistics: vector(&format!("{prefix}statistics"))?,
        })
    };
    let validated = match header.validated {
        Some(ref scored) => Some(Selected { scored: scored.clone(), weights: weights("validated.")? }),
        None => None,
    };
    Ok(Checkpoint {
        state: TrainState {
            weights: weights("")?,
            first_moment: vector("first_moment")?,
            second_moment: vector("second_moment")?,
            steps: header.steps,
        },
        best: Selected { scored: header.best.clone(), weights: weights("best.")? },
        validated,
        records: header.records,
    })
}
