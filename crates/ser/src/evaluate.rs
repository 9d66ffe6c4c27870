//! `ser evaluate`: what a model is worth on recordings with known labels.

use std::path::PathBuf;

use sermodel::{Figure, Model};

use crate::{
    corpus,
    failure::{Failure, Result},
    figures::{Calibrated, Figures, Scores},
    labelled::{Test, answer, corpus_of, truth},
    lookup,
    output::{self, Target},
    parts, perturb,
};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ser evaluate calls.safetensors test-calls/
  ser evaluate emodb.safetensors savee/ --map surprise=fear --json
  ser evaluate emodb.safetensors emodb/ --perturb --plot robustness.svg
  ser evaluate emodb.safetensors ravdess/ --labels five.toml --record known.safetensors

Each recording is heard as in training: padded with silence, or cut to its middle where it is longer than the model's
training length. Recordings that the model learned from say nothing about its worth: those of a test are others, of other speakers.
Of a list with a column `split`, or folders train and test, the test rows are scored.
With --perturb the recordings are changed in ways that real ones are (level, noise, room, telephone, cut, rate, speed),
one way at a time, and the figures of each are set beside those of the recordings as they are.")]
pub struct Evaluate {
    /// The model file, or `builtin`.
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    #[command(flatten)]
    root: corpus::Root,
    #[command(flatten)]
    split: parts::Split,
    /// The corpus' label A is the model's label B; may be repeated. A label map (--labels) can leave labels out, too.
    #[arg(long, value_name = "A=B", value_parser = corpus::pair)]
    map: Vec<(String, String)>,
    /// As JSON.
    #[arg(long)]
    json: bool,
    /// Measure what the model withstands.
    #[arg(long)]
    perturb: bool,
    /// Draw what --perturb measured.
    #[arg(long, value_name = "OUT.svg", requires = "perturb")]
    plot: Option<PathBuf>,
    /// Write the model to this file with these figures added to its card, as those of a corpus that it did not learn from.
    #[arg(long, value_name = "OUT.safetensors", conflicts_with = "perturb")]
    record: Option<PathBuf>,
}

/// Scores the model and prints the figures.
///
/// # Errors
/// A model or corpus that can't be used; labels that the model does not know.
pub fn run(args: &Evaluate) -> Result<()> {
    let inputs = || args.root.inputs().chain([args.model.as_path()]);
    let target = |path: &Option<PathBuf>, kind| path.as_ref().map(|p| Target::file(p, kind, inputs())).transpose();
    let (plot, record) = (target(&args.plot, output::SVG)?, target(&args.record, output::MODEL)?);
    let model = lookup::load(&args.model)?;
    let corpus = corpus_of(&args.root, &args.split)?;
    let test = Test { truth: truth(&model, &corpus, &args.map)?, model: &model, corpus: &corpus };
    if args.perturb {
        return perturb::run(&test, args.json, plot.as_ref());
    }
    let answers = test.each(|samples, _, _| answer(&model, samples))?;
    let speakers = test.speakers();
    let scores = Scores { truth: &test.truth, answers: &answers, speakers: speakers.as_deref() };
    let figures = Figures::of(&scores, model.labels().len(), corpus.name.clone(), Calibrated::Model);
    let figures = figures.map_err(Failure::work)?;
    if let Some(record) = record {
        let mut card = model.card().clone();
        let (uar, war) = (figures.uar.estimate, figures.war.estimate);
        card.figures.push(Figure { protocol: Figure::OTHER_CORPUS.to_owned(), uar, war, note: figures.note() });
        let recorded = Model::new(model.weights().clone(), card).map_err(Failure::work)?;
        record.write(&recorded.to_bytes().map_err(Failure::work)?)?;
    }
    if args.json { output::print_json(&figures) } else { output::print(&figures.table(model.labels())) }
}
