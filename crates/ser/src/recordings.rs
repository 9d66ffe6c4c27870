//! From utterances to samples.

use rayon::prelude::*;
use seraudio::{LoadOptions, Resampler};
use sercorpus::{Corpus, Severity, Utterance};

use crate::failure::{Failure, Result};

/// How many problems of one kind are told.
const TOLD: usize = 5;

/// Mono samples of an utterance at `rate`, of its part of the recording where it has one.
///
/// # Errors
/// A recording that can't be used, by its path; a part that lies beyond its end.
pub fn read(utterance: &Utterance, rate: u32, resampler: Resampler) -> Result<Vec<f32>> {
    let options = LoadOptions { rate: Some(rate), resampler, ..LoadOptions::default() };
    let samples = seraudio::load(&utterance.path, &options).map_err(Failure::input)?.samples;
    let at = |seconds: f64| ((seconds * f64::from(rate)).round() as usize).min(samples.len());
    let (start, end) = (at(utterance.start.unwrap_or(0.0)), utterance.end.map_or(samples.len(), at));
    if start >= end {
        let seconds = samples.len() as f64 / f64::from(rate);
        let (id, path) = (&utterance.id, utterance.path.display());
        return Err(Failure::Input(format!("{path}: {id} starts beyond the recording's end at {seconds:.2} s")));
    }
    Ok(samples[start..end].to_vec())
}

/// Applies `each` to every utterance, in parallel, and tells all that went wrong, not only what did so first.
///
/// # Errors
/// Those of `each`, the first few of them, in corpus order.
pub fn all<T: Send>(corpus: &Corpus, each: impl Fn(usize, &Utterance) -> Result<T> + Sync) -> Result<Vec<T>> {
    let results: Vec<Result<T>> = corpus.utterances.par_iter().enumerate().map(|(i, u)| each(i, u)).collect();
    let mut done = Vec::with_capacity(results.len());
    let mut problems = Vec::new();
    for result in results {
        match result {
            Ok(value) => done.push(value),
            Err(Failure::Input(message)) => problems.push(message),
            Err(other) => return Err(other),
        }
    }
    if problems.is_empty() { Ok(done) } else { Err(Failure::Input(listed(&problems))) }
}

fn listed(problems: &[String]) -> String {
    let mut text = problems.iter().take(TOLD).map(String::as_str).collect::<Vec<_>>().join("\n  ");
    if problems.len() > TOLD {
        text.push_str(&format!("\n  and {} more", problems.len() - TOLD));
    }
    text
}

/// Refuses a corpus of one's own with recordings missing; says on stderr what a partial known corpus lacks.
///
/// # Errors
/// The findings that are errors, with file and line.
pub fn complete(corpus: &Corpus) -> Result<()> {
    let wrong = corpus.findings.iter().filter(|f| f.severity == Severity::Error);
    let wrong: Vec<String> = wrong.map(|f| f.to_string().trim_start_matches("error: ").to_owned()).collect();
    if wrong.is_empty() {
        return Ok(());
    }
    if corpus.kind.is_none() {
        return Err(Failure::Input(listed(&wrong)));
    }
    tracing::warn!("{}", listed(&wrong));
    Ok(())
}

/// Samples of an utterance at `rate`, from the recording's header where that says it.
///
/// # Errors
/// As [`read`].
pub fn length(utterance: &Utterance, rate: u32) -> Result<usize> {
    let info = seraudio::probe(&utterance.path).map_err(Failure::input)?;
    match info.seconds() {
        Some(seconds) => {
            let end = utterance.end.unwrap_or(seconds).min(seconds);
            let part = (end - utterance.start.unwrap_or(0.0)).max(0.0);
            Ok((part * f64::from(rate)).ceil() as usize)
        }
        None => Ok(read(utterance, rate, Resampler::default())?.len()),
    }
}
