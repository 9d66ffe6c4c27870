//! `ser evaluate`: what a model is worth on recordings with known labels.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
};

use sercorpus::{Corpus, Utterance, nearest};
use sermodel::{Figure, Model};

use crate::{
    calibrate::Answer,
    corpus,
    failure::{Failure, Result},
    figures::{Calibrated, Figures, Scores},
    lookup,
    output::{self, Target},
    parts, perturb, recordings,
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

/// Those of the test, each of which the model can be asked about.
///
/// # Errors
/// Recordings that can't be used; no test row.
pub fn corpus_of(root: &corpus::Root, split: &parts::Split) -> Result<Corpus> {
    let corpus = root.open_with(&split.columns())?;
    recordings::complete(&corpus)?;
    split.test(corpus)
}

/// A model and labelled recordings to test it on.
pub struct Test<'a> {
    pub model: &'a Model,
    pub corpus: &'a Corpus,
    /// The model's class that each utterance is of.
    pub truth: Vec<usize>,
}

impl Test<'_> {
    /// `each` of every utterance's samples at the model's rate, its number and itself, in parallel, with a bar.
    ///
    /// # Errors
    /// A recording that can't be used, by name.
    pub fn each<T: Send>(&self, each: impl Fn(&[f32], usize, &Utterance) -> Result<T> + Sync) -> Result<Vec<T>> {
        let (rate, resampler) = (self.model.card().front_end.sample_rate, self.model.resampler());
        let done = AtomicUsize::new(0);
        output::with_progress(|progress| {
            recordings::all(self.corpus, |i, u| {
                let answer = each(&recordings::read(u, rate, resampler)?, i, u)?;
                progress(done.fetch_add(1, Ordering::Relaxed) + 1, self.truth.len());
                Ok(answer)
            })
        })
    }

    /// The speaker of each utterance, where all are known.
    pub fn speakers(&self) -> Option<Vec<String>> {
        let speakers = self.corpus.speakers().ok()?;
        Some(speakers.into_iter().map(str::to_owned).collect())
    }
}

/// The model's answer, given samples at its rate.
///
/// # Errors
/// Samples that are not finite.
pub fn answer(model: &Model, samples: &[f32]) -> Result<Answer> {
    let prediction = model.predict(samples, model.card().front_end.sample_rate).map_err(Failure::input)?;
    let probabilities: Vec<f64> = prediction.probabilities.into_iter().map(f64::from).collect();
    Ok(Answer::of(&probabilities, model.card().threshold))
}

/// The model's class of each utterance's label.
///
/// # Errors
/// A label that the model does not know.
pub fn truth(model: &Model, corpus: &Corpus, map: &[(String, String)]) -> Result<Vec<usize>> {
    if let Some((from, _)) = map.iter().find(|(from, _)| !corpus.labels.contains(from)) {
        let hint = nearest::hint(from, corpus.labels.iter().map(String::as_str));
        let known = corpus.labels.join(", ");
        return Err(Failure::Input(format!("--map {from}=..: the corpus has no label `{from}`{hint}; it has {known}")));
    }
    // Letter case aside, where no label is written the same.
    let known = |wanted: &str| {
        let exact = model.labels().iter().position(|label| label == wanted);
        exact.or_else(|| model.labels().iter().position(|label| label.to_lowercase() == wanted.to_lowercase()))
    };
    let translate = |label: &str| {
        let to = map.iter().find(|(from, _)| from == label).map_or(label, |(_, to)| to);
        known(to).ok_or_else(|| to.to_owned())
    };
    let classes: Vec<_> = corpus.utterances.iter().map(|u| translate(&u.label)).collect();
    let unknown: BTreeSet<&String> = classes.iter().filter_map(|c| c.as_ref().err()).collect();
    if !unknown.is_empty() {
        let unknown = unknown.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        return Err(Failure::Input(format!(
            "the model does not know the label(s) {unknown}; it knows {}. Map them (--map A=B) or leave them out with a \
             label map (--labels FILE.toml)",
            model.labels().join(", ")
        )));
    }
    Ok(classes.into_iter().flatten().collect())
}
