//! What a fold trains on and in what steps, and what comes out of it.

use std::time::Duration;

use serengine::{Weights, streams};
use serrun::{EpochRecord, Scored};

/// How long and in what steps a fold trains.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// Passes over the training part.
    pub epochs: u32,
    /// Utterances a step; the last step of an epoch takes what is left.
    pub batch_size: usize,
    /// Least time between two checkpoints.
    pub checkpoint_every: Duration,
    /// Whether the test and validation parts are scored after every epoch, for curves and the selection of an epoch, or after
    /// the last alone: then the records before have no figures of them, and the selected epoch is the last.
    pub test_every_epoch: bool,
    /// Training ends where the accuracy on the validation part has not risen for so many epochs; None: never before
    /// [`Self::epochs`].
    pub patience: Option<u32>,
}

/// One fold: what to train on and what to score. No utterance is in two parts, or twice in one.
#[derive(Clone, Debug, PartialEq)]
pub struct FoldTask<'a> {
    /// What the fold's random draws depend on.
    pub key: streams::Key,
    /// Class of every utterance of the engine's data set.
    pub labels: &'a [usize],
    /// Number of classes.
    pub classes: usize,
    /// Utterances to train on.
    pub train: &'a [usize],
    /// Utterances to choose an epoch on; may be empty.
    pub validation: &'a [usize],
    /// Utterances to score.
    pub test: &'a [usize],
}

/// An epoch that a protocol selected, with the network as it was.
#[derive(Clone, Debug, PartialEq)]
pub struct Selected {
    /// Its scores.
    pub scored: Scored,
    /// Its weights.
    pub weights: Weights,
}

/// A finished fold.
#[derive(Clone, Debug, PartialEq)]
pub struct FoldOutcome {
    /// One record an epoch.
    pub records: Vec<EpochRecord>,
    /// The last epoch.
    pub last: Selected,
    /// The earliest epoch with the best accuracy on the TEST part.
    pub best: Selected,
    /// The earliest epoch with the best accuracy on the validation part, if there is one.
    pub validated: Option<Selected>,
}
