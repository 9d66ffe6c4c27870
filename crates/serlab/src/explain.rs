//! What a trained network sees, for figures: the embeddings of a fold's test utterances, and where in time it looked.
//!
//! Computed by `timnet-native` from the weights of the last epoch, whatever engine trained them.

use std::path::Path;

use serde::Serialize;
use serengine::{Dataset, Weights, argmax};
use timnet_core::ModelConfig;
use timnet_native::Network;

use crate::{
    data::Roster,
    disk::put,
    error::{LabError, Result},
    folder::FoldFile,
};

/// `attention.json`: how open each block's gate is at each frame of one utterance.
#[derive(Serialize)]
struct Attention<'a> {
    version: u32,
    id: &'a str,
    label: &'a str,
    predicted: &'a str,
    hop_seconds: f64,
    frames: usize,
    blocks: usize,
    /// `[blocks, frames]`, 0.5 (closed) to 1
    attention: Vec<&'a [f32]>,
}

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
    file: &FoldFile,
) -> Result<()> {
    let embeddings = fold_file.with_file_name("embeddings.csv");
    let attention = fold_file.with_file_name("attention.json");
    let gates = model.has_gate();
    if embeddings.exists() && (attention.exists() || !gates) {
        return Ok(());
    }
    let weights_file = fold_file.with_extension("last.safetensors");
    let (weights, _) = Weights::load::<ModelConfig>(&weights_file).map_err(LabError::work)?;
    let network = Network::from_weights(&weights).map_err(LabError::work)?;
    let label = |class: usize| roster.labels.get(class).map_or("", String::as_str);
    let mut out = csv::Writer::from_writer(Vec::new());
    let names = (0..model.filters).map(|i| format!("e{i}"));
    let header = ["id", "fold", "label", "predicted"].into_iter().map(str::to_owned).chain(names);
    out.write_record(header).map_err(LabError::work)?;
    for (n, (&i, probabilities)) in test.iter().zip(&file.last.probabilities).enumerate() {
        let (row, predicted) = (&roster.rows[i], label(argmax(probabilities)));
        let (embedding, _) = network.embed(data.utterance(i), data.frames()).map_err(LabError::work)?;
        let start = [row.id.clone(), "0".to_owned(), row.label.clone(), predicted.to_owned()];
        out.write_record(start.into_iter().chain(embedding.iter().map(f32::to_string))).map_err(LabError::work)?;
        if n == 0 && gates {
            let seen = network.forward(data.utterance(i), data.frames()).map_err(LabError::work)?;
            let (frames, blocks) = (data.frames(), model.blocks);
            let rows = seen.attention.chunks_exact(frames).collect();
            let (id, label) = (row.id.as_str(), row.label.as_str());
            let value = Attention { version: 1, id, label, predicted, hop_seconds, frames, blocks, attention: rows };
            put(&attention, &serde_json::to_vec(&value).map_err(LabError::work)?)?;
        }
    }
    put(&embeddings, &out.into_inner().map_err(LabError::work)?)
}
