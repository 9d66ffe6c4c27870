//! How far a run is: bars for cells, folds and work on a terminal, plain lines otherwise.

use std::{
    io::{self, IsTerminal},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use indicatif::ProgressBar;
use serrun::EpochRecord;

use crate::{
    bars::{EVERY, bar},
    plan::{Place, Plan},
};

/// How far this process is. Epochs cost what their utterances and frames make them cost, so time left is told by
/// utterance-frames.
pub struct Progress<'a> {
    plan: &'a Plan,
    /// Frames of each of the plan's materials.
    frames: &'a [usize],
    /// Folds still to do, by training.
    open: Vec<AtomicUsize>,
    cells: ProgressBar,
    folds: ProgressBar,
    work: ProgressBar,
    /// Epochs done and in all, those of finished folds included.
    epochs: (AtomicUsize, usize),
    terminal: bool,
    /// Work done since the last plain line, and when that was.
    since: Mutex<(u64, Instant)>,
}

impl<'a> Progress<'a> {
    /// For the folds of this process.
    pub fn new(plan: &'a Plan, frames: &'a [usize], places: &[Place]) -> Self {
        let mut open = vec![0; plan.trainings.len()];
        places.iter().for_each(|p| open[p.training] += 1);
        let cells = open.iter().filter(|&&n| n > 0).count();
        let epochs = places.iter().map(|p| plan.trainings[p.training].settings.epochs as usize).sum();
        let progress = Self {
            plan,
            frames,
            open: open.into_iter().map(AtomicUsize::new).collect(),
            cells: bar(cells as u64, "cells  {bar:30} {pos}/{len}"),
            folds: bar(places.len() as u64, "folds  {bar:30} {pos}/{len}"),
            work: bar(0, "epochs {bar:30} {msg}, {elapsed_precise} elapsed, {eta_precise} left"),
            epochs: (AtomicUsize::new(0), epochs),
            terminal: io::stderr().is_terminal(),
            since: Mutex::new((0, Instant::now())),
        };
        let total = places.iter().map(|&p| progress.cost(p) * u64::from(progress.of(p))).sum();
        progress.work.set_length(total);
        progress
    }

    fn of(&self, place: Place) -> u32 {
        self.plan.trainings[place.training].settings.epochs
    }

    /// Of one epoch.
    fn cost(&self, place: Place) -> u64 {
        let training = &self.plan.trainings[place.training];
        (training.folds[place.fold].train.len() * self.frames[training.material] * training.network.layers()) as u64
    }

    /// `epochs` of a fold were found done.
    pub fn skip(&self, place: Place, epochs: u32) {
        self.epochs.0.fetch_add(epochs as usize, Ordering::Relaxed);
        self.work.inc(self.cost(place) * u64::from(epochs));
        self.work.reset_eta();
    }

    /// A fold is finished.
    pub fn finished(&self, place: Place) {
        self.folds.inc(1);
        if self.open[place.training].fetch_sub(1, Ordering::Relaxed) == 1 {
            self.cells.inc(1);
        }
    }

    /// One epoch of a fold is done.
    pub fn epoch(&self, place: Place, name: &str, record: &EpochRecord) {
        let done = self.epochs.0.fetch_add(1, Ordering::Relaxed) + 1;
        let cost = self.cost(place);
        self.work.inc(cost);
        let message = format!("{done}/{}, {name}: loss {:.3}", self.epochs.1, record.train_loss);
        if self.terminal {
            self.work.set_message(message);
            return;
        }
        let Ok(mut since) = self.since.lock() else { return };
        since.0 += cost;
        let elapsed = since.1.elapsed();
        if elapsed >= EVERY {
            let left = self.work.length().unwrap_or(0).saturating_sub(self.work.position());
            let left = sercli::duration(left as f64 * elapsed.as_secs_f64() / since.0 as f64);
            let (folds, all) = (self.folds.position(), self.folds.length().unwrap_or(0));
            tracing::info!("{folds}/{all} folds, about {left} left; epochs {message}");
            *since = (0, Instant::now());
        }
    }

    /// Removes the bars.
    pub fn finish(&self) {
        [&self.cells, &self.folds, &self.work].into_iter().for_each(ProgressBar::finish_and_clear);
    }
}
