//! What a trained network sees, for figures: the embeddings of a fold's test utterances, and where in time it looked.
//!
//! Computed by `timnet-native` from the weights of the last epoch, whatever engine trained them.

use std::path::Path;

use serengine::{Dataset, Weights, argmax};
use serrun::{Attention, Embedding, Embeddings, FinishedFold};
use timnet_core::ModelConfig;
use timnet_native::Network;

use crate::{
    data::Roster,
    error::{LabError, Result},
};

/// Writes `embeddings.csv` and, for networks with gates, `attention.json` beside the fold file of the first fold.
/// What is there already stays.
///
/// # Errors
/// Weights that can't be read; those of the file system.
pub fn write(
    fold_file: &Path,
    model: &ModelConfig,
    roster: &Roster,
    data: &Dataset,
    test: &[usize],
    hop_seconds: f64,
    file: &FinishedFold,
) -> Result<()> {
    let folder = fold_file.parent().unwrap_or(Path::new(""));
    let gates = model.has_gate();
    if Embeddings::file(folder).exists() && (Attention::file(folder).exists() || !gates) {
        return Ok(());
    }
    let weights_file = fold_file.with_extension("last.safetensors");
    let (weights, _) = Weights::load::<ModelConfig>(&weights_file).map_err(LabError::work)?;
    let network = Network::from_weights(&weights).map_err(LabError::work)?;
    let label = |class: usize| roster.labels.get(class).cloned().unwrap_or_default();
    let mut embeddings = Vec::with_capacity(test.len());
    for (n, (&i, probabilities)) in test.iter().zip(&file.last.probabilities).enumerate() {
        let (row, predicted) = (&roster.rows[i], label(argmax(probabilities)));
        let (values, _) = network.embed(data.utterance(i), data.frames()).map_err(LabError::work)?;
        if n == 0 && gates {
            let seen = network.forward(data.utterance(i), data.frames()).map_err(LabError::work)?;
            let attention = Attention {
                version: Attention::VERSION,
                id: row.id.clone(),
                label: row.label.clone(),
                predicted: predicted.clone(),
                hop_seconds,
                frames: data.frames(),
                blocks: model.blocks,
                attention: seen.attention.chunks_exact(data.frames()).map(<[f32]>::to_vec).collect(),
            };
            attention.write(folder)?;
        }
        embeddings.push(Embedding { id: row.id.clone(), fold: 0, label: row.label.clone(), predicted, values });
    }
    Ok(Embeddings(embeddings).write(model.filters, folder)?)
}
