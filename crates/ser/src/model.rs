//! `ser model`: models from and to other programs.

use std::{collections::BTreeMap, path::PathBuf};

use clap::Subcommand;
use sercorpus::CorpusKind;
use sermfcc::FrontEnd;
use sermodel::{Card, Model, Normalise};

use crate::{
    failure::{Failure, Result},
    lookup,
    output::{self, Target},
};

#[derive(Debug, Subcommand)]
pub enum Convert {
    /// A model file from the weights of the official TIM-Net code (Keras, HDF5).
    #[command(after_help = "Examples:
  ser model import-keras emodb.hdf5 --corpus emodb -o emodb.safetensors
  ser model import-keras mine.hdf5 --labels calm,stressed --length 96000 -o mine.safetensors

The weights of any fold will do: layers are told apart by the order of their numbers. The file says how many classes there
are, not what they are called, nor on which features it was trained, so say so: --corpus gives labels and length of one of
the six corpora, and --preset the librosa that the features were made with.")]
    ImportKeras {
        /// What `save_weights` or `save` wrote.
        #[arg(value_name = "FILE.hdf5")]
        file: PathBuf,
        /// The model file.
        #[arg(short, long, value_name = "MODEL.safetensors")]
        output: PathBuf,
        /// casia, emodb, emovo, iemocap, ravdess or savee: labels and length. Needed unless --labels is given or only one
        /// of the six has as many classes as the file.
        #[arg(long, value_name = "NAME")]
        corpus: Option<CorpusKind>,
        /// Names of the classes, in the order of the network's outputs.
        #[arg(long, value_name = "A,B,..", value_delimiter = ',')]
        labels: Vec<String>,
        /// Front end of the features it was trained on: timnet-0.8.1, timnet-0.9, timnet-0.10 or timnet-paper.
        #[arg(long, default_value = "timnet-0.8.1")]
        preset: String,
        /// Length of the training utterances, in samples at 22,050 Hz; the corpus' where not given.
        #[arg(long, value_name = "SAMPLES")]
        length: Option<usize>,
        /// Licence of the training data.
        #[arg(long, default_value = "", value_name = "TEXT")]
        licence: String,
    },
    /// An ONNX graph from MFCCs to probabilities, for onnxruntime, tract and others.
    #[command(after_help = "Example:
  ser model export-onnx model.safetensors -o model.onnx

Input `mfcc`: float32 [batch, frames, 39], any batch, any number of frames, made by the front end that the file's metadata
names. Output `probabilities`: float32 [batch, classes], calibrated where the model is. Metadata: labels, front end and its
hash, training length, licence.")]
    ExportOnnx {
        /// The model file, or `builtin`.
        model: PathBuf,
        /// The ONNX file.
        #[arg(short, long, value_name = "FILE.onnx")]
        output: PathBuf,
    },
}

/// Runs a `ser model` command.
///
/// # Errors
/// A file that can't be read or used; one that can't be written.
pub fn run(command: &Convert) -> Result<()> {
    match command {
        Convert::ImportKeras { file, output: to, corpus, labels, preset, length, licence } => {
            let target = Target::file(to, output::MODEL, [file.as_path()])?;
            let weights = timnet_keras::read(file).map_err(|e| Failure::Input(format!("{}: {e}", file.display())))?;
            let classes = weights.layout.classes();
            let corpus = match corpus {
                None if labels.is_empty() => Some(by_classes(classes)?),
                given => *given,
            };
            let Some(length) = length.or_else(|| corpus.map(CorpusKind::length_samples)) else {
                return Err(Failure::Input(
                    "give --corpus, or --length: how long were the training utterances?".into(),
                ));
            };
            let labels = match corpus {
                Some(corpus) if labels.is_empty() => corpus.labels().iter().map(|&l| l.to_owned()).collect(),
                _ => labels.clone(),
            };
            let mut card = Card::new(labels, FrontEnd::preset(preset).map_err(Failure::input)?, length);
            card.corpus = corpus.map(|c| c.name().to_uppercase()).unwrap_or_default();
            card.protocol =
                "imported from Keras weights of the official code; how they were selected is not known".into();
            card.licence.clone_from(licence);
            card.versions.insert("ser".into(), env!("CARGO_PKG_VERSION").into());
            let model = Model::new(weights, card).map_err(Failure::input)?;
            target.write(&model.to_bytes().map_err(Failure::work)?)?;
            let (blocks, labels) = (model.network().config().blocks, model.labels().join(", "));
            tracing::info!("{blocks} blocks, {classes} classes ({labels}), features as {preset}, {length} samples");
            Ok(())
        }
        Convert::ExportOnnx { model: path, output: to } => {
            let target = Target::file(to, output::ONNX, [path.as_path()])?;
            let model = lookup::load(path)?;
            let card = model.card();
            let front_end = serde_json::to_string(&card.front_end).map_err(Failure::work)?;
            let metadata = [
                ("labels", card.labels.join(",")),
                ("front_end", front_end),
                ("front_end_hash", card.front_end.fingerprint()),
                ("length", card.length.to_string()),
                ("corpus", card.corpus.clone()),
                ("licence", card.licence.clone()),
            ];
            let mut metadata: BTreeMap<String, String> = metadata.map(|(key, value)| (key.to_owned(), value)).into();
            // The graph starts behind them: whoever feeds it does both first.
            if card.normalise != Normalise::None {
                metadata.insert("normalise".to_owned(), card.normalise.name().to_owned());
            }
            metadata.extend(card.trim.map(|decibels| ("trim".to_owned(), decibels.to_string())));
            let temperature = card.temperature.unwrap_or(1.0);
            let bytes = timnet_onnx::export(model.weights(), temperature, &metadata).map_err(Failure::work)?;
            target.write(&bytes)
        }
    }
}

/// The only corpus of the six with that many classes.
fn by_classes(classes: usize) -> Result<CorpusKind> {
    let fit: Vec<CorpusKind> = CorpusKind::ALL.into_iter().filter(|c| c.labels().len() == classes).collect();
    match fit[..] {
        [only] => Ok(only),
        [] => {
            Err(Failure::Input(format!("{classes} classes, as none of the six corpora has: name them with --labels")))
        }
        _ => {
            let names: Vec<&str> = fit.iter().map(|c| c.name()).collect();
            let names = names.join(", ");
            Err(Failure::Input(format!(
                "{classes} classes, as {names} have: say which with --corpus, or give --labels"
            )))
        }
    }
}
