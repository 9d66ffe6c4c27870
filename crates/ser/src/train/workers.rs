//! The networks of the folds and the one for the file, trained side by side.

use std::{
    fs,
    io::IsTerminal,
    ops::ControlFlow,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sercorpus::split::Fold;
use serde::{Deserialize, Serialize};
use serengine::{Layout, Weights, streams};
use sertrain::{FoldOutcome, FoldTask, PoolError, Schedule, TrainError, train_fold, train_unscored};
use timnet_core::ModelConfig;

use super::{Train, engine, features::Data, work::Work};
use crate::{
    failure::{Failure, Result},
    output,
};

/// Least time between two checkpoints of a network.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(10);
/// Time between two lines of progress where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(30);

/// What all networks share.
pub struct Trainings<'a> {
    pub args: &'a Train,
    pub layout: &'a Arc<Layout>,
    pub data: &'a Data,
    pub folds: &'a [Fold],
    pub work: &'a Work,
    pub stop: &'a AtomicBool,
}

/// A finished fold, as its file has it.
#[derive(Serialize, Deserialize)]
struct FoldFile {
    /// The epoch taken.
    epoch: u32,
    /// Class probabilities of the fold's test part.
    probabilities: Vec<Vec<f32>>,
}

/// What to train: a fold's network, or the one that learns from everything, for so many epochs.
#[derive(Clone, Copy)]
enum Task {
    Fold(usize),
    Everything(u32),
}

/// What a task ends in.
enum Trained {
    Fold(Box<FoldOutcome>),
    Everything(Weights),
}

impl Trainings<'_> {
    /// Trains whatever is not finished, `jobs` networks at a time, a thread each. Returns the class probabilities of
    /// every utterance from the fold that did not learn from it (none without folds), and the network for the file.
    ///
    /// # Errors
    /// The first failure, the others being stopped and saved; Ctrl-C.
    pub fn run(&self, jobs: usize) -> Result<(Option<Vec<Vec<f32>>>, Weights)> {
        let progress = Progress::new((self.folds.len() as u64 + 1) * u64::from(self.args.epochs));
        let mut tasks: Vec<Task> = (0..self.folds.len()).map(Task::Fold).collect();
        // With a validation part the folds say how many epochs; otherwise the longest training starts first.
        let first = self.args.validation.is_none().then_some(Task::Everything(self.args.epochs));
        tasks.splice(..0, first);
        self.side_by_side(&tasks, jobs, &progress)?;
        let folds: Vec<FoldFile> = (0..self.folds.len()).map(|i| self.fold_file(i)).collect::<Result<_>>()?;
        let mut epochs: Vec<u32> = folds.iter().map(|f| f.epoch).collect();
        epochs.sort_unstable();
        let epochs = epochs.get(epochs.len() / 2).copied().unwrap_or(self.args.epochs);
        self.side_by_side(&[Task::Everything(epochs)], jobs, &progress)?;
        progress.bar.finish_and_clear();
        let weights = Weights::load::<ModelConfig>(&self.work.path("everything.safetensors")).map_err(Failure::work)?.0;
        if folds.is_empty() {
            return Ok((None, weights));
        }
        let mut held_out = vec![Vec::new(); self.data.plain.len()];
        for (fold, file) in self.folds.iter().zip(folds) {
            fold.test.iter().zip(file.probabilities).for_each(|(&i, row)| held_out[i] = row);
        }
        Ok((Some(held_out), weights))
    }

    fn side_by_side(&self, tasks: &[Task], jobs: usize, progress: &Progress) -> Result<()> {
        match sertrain::side_by_side(tasks, jobs, self.stop, |task| self.train(*task, progress)) {
            Ok(ControlFlow::Continue(())) => Ok(()),
            Ok(ControlFlow::Break(())) => Err(Failure::Work("stopped; the same command goes on from here".into())),
            Err(PoolError::Work(e)) => Err(e),
            Err(PoolError::Panicked) => Err(Failure::Work("a training thread panicked".into())),
        }
    }

    /// Break where it was stopped.
    fn train(&self, task: Task, progress: &Progress) -> Result<ControlFlow<()>> {
        let everything: Vec<usize> = (0..self.data.plain.len()).collect();
        let (name, done, number, epochs, fold) = match task {
            Task::Fold(i) => {
                let fold = self.folds[i].clone();
                (format!("fold {}", i + 1), format!("fold-{i:02}.json"), i, self.args.epochs, fold)
            }
            Task::Everything(epochs) => {
                let fold = Fold { test: Vec::new(), train: everything, validation: Vec::new() };
                let number = self.folds.len();
                ("the model".to_owned(), "everything.safetensors".to_owned(), number, epochs, fold)
            }
        };
        let done = self.work.path(&done);
        if done.is_file() {
            progress.skip(u64::from(epochs));
            return Ok(ControlFlow::Continue(()));
        }
        let key = streams::Key { seed: u64::from(self.args.seed), fold: number as u32 };
        let weights = streams::initial(self.layout, key);
        let mut engine = engine::engine(self.data, weights, self.args.objective()).map_err(Failure::work)?;
        let fold_task = FoldTask {
            key,
            labels: self.data.plain.labels(),
            classes: self.layout.classes(),
            train: &fold.train,
            validation: &fold.validation,
            test: &fold.test,
        };
        let schedule = Schedule {
            epochs,
            batch_size: self.args.batch_size as usize,
            checkpoint_every: CHECKPOINT_EVERY,
            // Only the choice of an epoch needs a score of each.
            test_every_epoch: !fold.validation.is_empty(),
            patience: None,
        };
        let checkpoint = done.with_extension("checkpoint");
        let mut first = true;
        let mut observe = |record: &sertrain::EpochRecord| {
            if std::mem::take(&mut first) {
                progress.skip(u64::from(record.epoch) - 1);
            }
            progress.epoch(&format!("{name}: epoch {}, training loss {:.3}", record.epoch, record.train_loss));
            if self.stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let (engine, checkpoint_file) = (engine.as_mut(), Some(checkpoint.as_path()));
        let trained = match task {
            Task::Everything(_) => {
                train_unscored(engine, &fold_task, &schedule, checkpoint_file, &mut observe).map(Trained::Everything)
            }
            Task::Fold(_) => train_fold(engine, &fold_task, &schedule, checkpoint_file, &mut observe)
                .map(|outcome| Trained::Fold(Box::new(outcome))),
        };
        let bytes = match trained {
            Ok(Trained::Everything(weights)) => weights.to_safetensors(&Default::default()).map_err(Failure::work)?,
            Ok(Trained::Fold(outcome)) => {
                let scored = outcome.validated.unwrap_or(outcome.last).scored;
                let file = FoldFile { epoch: scored.epoch, probabilities: scored.probabilities };
                serde_json::to_vec(&file).map_err(Failure::work)?
            }
            Err(TrainError::Stopped(_)) => return Ok(ControlFlow::Break(())),
            Err(e) => return Err(Failure::Work(format!("{name}: {e}"))),
        };
        output::save(&done, &bytes)?;
        // What it held is in the file now.
        let _ = fs::remove_file(checkpoint);
        Ok(ControlFlow::Continue(()))
    }

    fn fold_file(&self, i: usize) -> Result<FoldFile> {
        let path = self.work.path(&format!("fold-{i:02}.json"));
        let unusable = |e: &dyn std::fmt::Display, path: &Path| {
            Failure::Work(format!("{} cannot be used ({e}); delete it to train this fold again", path.display()))
        };
        let bytes = fs::read(&path).map_err(|e| unusable(&e, &path))?;
        let file: FoldFile = serde_json::from_slice(&bytes).map_err(|e| unusable(&e, &path))?;
        let whole = file.probabilities.iter().all(|row| row.len() == self.layout.classes());
        if whole && file.probabilities.len() == self.folds[i].test.len() {
            Ok(file)
        } else {
            Err(unusable(&"it has other utterances or classes", &path))
        }
    }
}

/// Ctrl-C asks to stop after the epochs in hand; the second one ends the process at once.
pub fn stop_on_ctrl_c(stop: &'static AtomicBool) {
    let handler = ctrlc::set_handler(|| {
        if stop.swap(true, Ordering::Relaxed) {
            std::process::exit(1);
        }
        tracing::info!("stopping after the epochs in hand; press Ctrl-C again to stop at once");
    });
    if let Err(e) = handler {
        tracing::warn!("Ctrl-C will not save: {e}");
    }
}

/// Epochs over all networks: a bar on a terminal, plain lines otherwise.
struct Progress {
    bar: ProgressBar,
    terminal: bool,
    /// Epochs since the last line, and when that was.
    since: Mutex<(u64, Instant)>,
}

impl Progress {
    fn new(epochs: u64) -> Self {
        let terminal = std::io::stderr().is_terminal() && sercli::shows_progress();
        let target = if terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(epochs), target);
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} epochs, {eta_precise} left  {msg}") {
            bar.set_style(style);
        }
        Self { bar, terminal, since: Mutex::new((0, Instant::now())) }
    }

    fn skip(&self, epochs: u64) {
        self.bar.inc(epochs);
        self.bar.reset_eta();
    }

    fn epoch(&self, message: &str) {
        self.bar.inc(1);
        if self.terminal {
            self.bar.set_message(message.to_owned());
            return;
        }
        let Ok(mut since) = self.since.lock() else { return };
        since.0 += 1;
        let elapsed = since.1.elapsed();
        if elapsed >= LINE_EVERY {
            let (position, length) = (self.bar.position(), self.bar.length().unwrap_or(0));
            let left = length.saturating_sub(position) as f64 * elapsed.as_secs_f64() / since.0 as f64;
            tracing::info!("{position}/{length} epochs, about {} left; {message}", sercli::duration(left));
            *since = (0, Instant::now());
        }
    }
}
