//! What a trained network sees, for figures: the embeddings of a fold's test utterances, and where in time it looked.
//!
//! Computed from the weights of the last epoch: TIM-Net's by `timnet-native`, whatever engine trained them, those of other systems by their
//! own engine.

use std::{path::Path, sync::Arc};

use serengine::{Dataset, Weights, argmax};
use serrun::{Attention, Embedding, Embeddings, FinishedFold};
use timnet_core::ModelConfig;
use timnet_native::Network;

use crate::{
    backend::Backend,
    error::{LabError, Result},
    plan::{Material, Network as System},
};

/// Writes `embeddings.csv` and, for networks with gates, `attention.json` beside the fold file of the first fold.
/// What is there already stays.
///
/// # Errors
/// Weights that can't be read; those of the file system.
pub fn write(
    fold_file: &Path,
    (network, backend): (&System, Backend),
    (material, data): (&Material, &Arc<Dataset>),
    test: &[usize],
    hop_seconds: f64,
    file: &FinishedFold,
) -> Result<()> {
    let folder = fold_file.parent().unwrap_or(Path::new(""));
    let gates = network.timnet().is_some_and(ModelConfig::has_gate);
    if Embeddings::file(folder).exists() && (Attention::file(folder).exists() || !gates) {
        return Ok(());
    }
    let weights_file = fold_file.with_extension("last.safetensors");
    let label = |class: usize| material.roster.labels.get(class).cloned().unwrap_or_default();
    let values = match network {
        System::TimNet(model) => {
            let (weights, _) = Weights::load::<ModelConfig>(&weights_file).map_err(LabError::work)?;
            let network = Network::from_weights(&weights).map_err(LabError::work)?;
            if let Some(&i) = test.first().filter(|_| gates) {
                let seen = network.forward(data.utterance(i), data.frames()).map_err(LabError::work)?;
                let row = &material.roster.rows[i];
                let attention = Attention {
                    version: Attention::VERSION,
                    id: row.id.clone(),
                    label: row.label.clone(),
                    predicted: file.last.probabilities.first().map(|p| label(argmax(p))).unwrap_or_default(),
                    hop_seconds,
                    frames: data.frames(),
                    blocks: model.blocks,
                    attention: seen.attention.chunks_exact(data.frames()).map(<[f32]>::to_vec).collect(),
                };
                attention.write(folder)?;
            }
            let embed = |&i: &usize| Ok(network.embed(data.utterance(i), data.frames()).map_err(LabError::work)?.0);
            test.iter().map(embed).collect::<Result<Vec<_>>>()?
        }
        #[cfg(feature = "libtorch")]
        System::Compared { system, .. } => {
            let weights = crate::peers::load(system.as_str(), &weights_file)?;
            let mut engine = backend.engine(weights, data, serengine::Objective::default()).map_err(LabError::work)?;
            let embeddings = engine.predict(test).map_err(LabError::work)?.embeddings;
            embeddings.chunks((embeddings.len() / test.len().max(1)).max(1)).map(<[f32]>::to_vec).collect()
        }
        #[cfg(not(feature = "libtorch"))]
        System::Compared { system, .. } => return Err(LabError::Work(format!("{system} needs libtorch, {backend:?}"))),
    };
    let width = values.first().map_or(0, Vec::len);
    let embedding = |((&i, probabilities), values): ((&usize, &Vec<f32>), Vec<f32>)| Embedding {
        id: material.roster.rows[i].id.clone(),
        fold: 0,
        label: material.roster.rows[i].label.clone(),
        predicted: label(argmax(probabilities)),
        values,
    };
    let rows = test.iter().zip(&file.last.probabilities).zip(values).map(embedding).collect();
    Ok(Embeddings(rows).write(width, folder)?)
}
