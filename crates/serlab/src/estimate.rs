//! How long a plan takes, from a short measurement.
//!
//! A step and an evaluation cost what the network and the number of frames make them cost, not what is in the features; so a
//! batch of noise of the real shapes is trained on and scored, once for each shape in the plan.

use std::{path::Path, sync::Arc, time::Instant};

use sercli::duration;
use serengine::{Dataset, EngineError, streams};

use crate::{
    backend::Backend,
    config::RunConfig,
    error::{LabError, Result},
    folder::fold_path,
    machine,
    plan::{Plan, Training, shape},
};

/// One thread's seconds for one utterance.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Cost {
    train: f64,
    predict: f64,
}

/// How long a plan takes.
pub struct Estimate {
    /// A line a training.
    pub trainings: String,
    /// All of it, in a sentence.
    pub total: String,
    /// Folds that are not finished.
    pub unfinished: usize,
}

/// Measures and adds up. Folds that are finished in `dir` count as done.
///
/// # Errors
/// A network that can't be built.
pub fn of(plan: &Plan, config: &RunConfig, backend: Backend, jobs: usize, dir: Option<&Path>) -> Result<Estimate> {
    let mut known: Vec<(&Training, usize, Cost)> = Vec::new();
    let mut trainings = String::new();
    let (mut seconds, mut folds, mut done) = (0.0, 0, 0);
    for t in &plan.trainings {
        let [frames, coefficients] = shape(config, plan.material(t));
        let same = |(k, f, _): &&(&Training, usize, Cost)| {
            k.network == t.network && *f == frames && k.settings.batch_size == t.settings.batch_size
        };
        let cost = match known.iter().find(same) {
            Some(&(_, _, cost)) => cost,
            None => {
                let cost = measure(t, frames, coefficients, backend.of(t.system())?).map_err(LabError::work)?;
                known.push((t, frames, cost));
                cost
            }
        };
        let finished = |fold: &usize| dir.is_some_and(|dir| fold_path(dir, t, *fold).is_file());
        let there = (0..t.folds.len()).filter(finished).count();
        let (train, score) = t.utterances();
        let left = 1.0 - there as f64 / t.folds.len() as f64;
        let epoch = train as f64 * cost.train + score as f64 * cost.predict;
        let cpu = left * f64::from(t.settings.epochs) * epoch;
        seconds += cpu;
        folds += t.folds.len();
        done += there;
        let (n, epochs) = (t.folds.len(), t.settings.epochs);
        let utterances = plan.material(t).roster.rows.len();
        trainings.push_str(&format!(
            "{}: {n} folds x {epochs} epochs, {utterances} utterances, {}\n",
            t.name,
            duration(cpu)
        ));
    }
    let side = jobs.min(folds - done).max(1);
    let total = format!(
        "{folds} folds, {done} of them finished; {} of work left, about {} with {side} folds side by side and nothing else to do, \
         by a short measurement on this machine",
        duration(seconds),
        duration(seconds / side as f64)
    );
    Ok(Estimate { trainings, total, unfinished: folds - done })
}

/// The fastest of three batches after one that warms up.
fn measure(
    t: &Training,
    frames: usize,
    coefficients: usize,
    backend: Backend,
) -> std::result::Result<Cost, EngineError> {
    let n = t.settings.batch_size.min(t.folds.first().map_or(1, |f| f.train.len()));
    // Any numbers will do; these differ from frame to frame.
    let features = (0..n * frames * coefficients).map(|i| (i % 97) as f32 / 97.0 - 0.5).collect();
    let data = Arc::new(Dataset::new(features, vec![0; n], frames, coefficients)?);
    let key = t.key(0);
    let layout = t.network.layout().map_err(|e| EngineError::Shape(e.to_string()))?.into();
    let mut engine = backend.engine(streams::initial(&layout, key), &data, t.settings.objective(&[]))?;
    let all: Vec<usize> = (0..n).collect();
    let batches = streams::epoch(&layout, key, 1, &all, n);
    // On a CPU its own time counts, not that of what else the machine does; on a GPU it only waits.
    let start = Instant::now();
    let now = || if backend.is_elsewhere() { start.elapsed().as_secs_f64() } else { machine::cpu_seconds() };
    let (mut train, mut predict) = (f64::MAX, f64::MAX);
    for round in 0..4 {
        let started = now();
        engine.train(&batches)?;
        let trained = now();
        engine.predict(&all)?;
        if round > 0 {
            train = train.min(trained - started);
            predict = predict.min(now() - trained);
        }
    }
    Ok(Cost { train: train / n as f64, predict: predict / n as f64 })
}
