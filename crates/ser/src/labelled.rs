//! Recordings with known labels, and what a model answers for them.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicUsize, Ordering},
};

use sercorpus::{Corpus, Utterance, nearest};
use sermodel::Model;

use crate::{
    calibrate::Answer,
    corpus,
    failure::{Failure, Result},
    output, parts, recordings,
};

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
