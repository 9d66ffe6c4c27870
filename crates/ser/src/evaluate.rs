//! `ser evaluate`: what a model is worth on recordings with known labels.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
};

use sercorpus::{Corpus, Utterance};
use sermodel::Model;

use crate::{
    corpus,
    failure::{Failure, Result},
    figures::{Figures, Scores},
    lookup, output, perturb, recordings,
};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ser evaluate calls.safetensors test-calls/
  ser evaluate emodb.safetensors savee/ --map surprise=fear --json
  ser evaluate emodb.safetensors emodb/ --perturb --plot robustness.svg

Each recording is heard as in training: padded with silence, or cut to its middle where it is longer than the model's
training length. Recordings that the model learned from say nothing about its worth: those of a test are others, of other speakers.
With --perturb the recordings are changed in ways that real ones are (level, noise, room, telephone, cut, rate, speed),
one way at a time, and the figures of each are set beside those of the recordings as they are.")]
pub struct Evaluate {
    /// The model file.
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    #[command(flatten)]
    root: corpus::Root,
    /// The corpus' label A is the model's label B; may be repeated. A label map (--labels) can leave labels out, too.
    #[arg(long, value_name = "A=B", value_parser = pair)]
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
}

fn pair(text: &str) -> std::result::Result<(String, String), String> {
    let (from, to) = text.split_once('=').filter(|(a, b)| !a.is_empty() && !b.is_empty()).ok_or("A=B is wanted")?;
    Ok((from.to_owned(), to.to_owned()))
}

/// Scores the model and prints the figures.
///
/// # Errors
/// A model or corpus that can't be used; labels that the model does not know.
pub fn run(args: &Evaluate) -> Result<()> {
    let model = lookup::load(&args.model)?;
    let corpus = args.root.open()?;
    recordings::complete(&corpus)?;
    let test = Test { truth: truth(&model, &corpus, &args.map)?, model: &model, corpus: &corpus };
    if args.perturb {
        return perturb::run(&test, args.json, args.plot.as_deref());
    }
    let answers = test.each(|samples, _, _| answer(&model, samples))?;
    let figures = test.figures(answers)?;
    if args.json { output::print_json(&figures) } else { output::print(&figures.table(model.labels())) }
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
        let (rate, resampler) = (self.model.card().front_end.rate, self.model.resampler());
        let done = AtomicUsize::new(0);
        output::with_progress(|progress| {
            recordings::all(self.corpus, |i, u| {
                let answer = each(&recordings::read(u, rate, resampler)?, i, u)?;
                progress(done.fetch_add(1, Ordering::Relaxed) + 1, self.truth.len());
                Ok(answer)
            })
        })
    }

    /// The figures of one answer for each utterance.
    ///
    /// # Errors
    /// None for a model's own answers.
    pub fn figures(&self, probabilities: Vec<Vec<f64>>) -> Result<Figures> {
        let speakers = self.corpus.speakers().ok();
        let speakers: Option<Vec<String>> = speakers.map(|all| all.into_iter().map(str::to_owned).collect());
        let scores = Scores { truth: &self.truth, probabilities, speakers: speakers.as_deref() };
        Figures::of(&scores, self.model.labels().len(), self.model.card().threshold).map_err(Failure::work)
    }
}

/// The model's calibrated probabilities, given samples at its rate.
///
/// # Errors
/// Samples that are not finite.
pub fn answer(model: &Model, samples: &[f32]) -> Result<Vec<f64>> {
    let prediction = model.predict(samples, model.card().front_end.rate).map_err(Failure::input)?;
    Ok(prediction.probabilities.into_iter().map(f64::from).collect())
}

/// The model's class of each utterance's label.
fn truth(model: &Model, corpus: &Corpus, map: &[(String, String)]) -> Result<Vec<usize>> {
    if let Some((from, _)) = map.iter().find(|(from, _)| !corpus.labels.contains(from)) {
        let known = corpus.labels.join(", ");
        return Err(Failure::Input(format!("--map {from}=..: the corpus has no label `{from}`; it has {known}")));
    }
    let translate = |label: &str| {
        let to = map.iter().find(|(from, _)| from == label).map_or(label, |(_, to)| to);
        model.labels().iter().position(|known| known == to).ok_or_else(|| to.to_owned())
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
