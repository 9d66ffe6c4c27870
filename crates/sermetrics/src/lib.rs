//! Metrics of speech emotion recognition, computed on plain slices.
//!
//! Everything starts from class indices: the truth and the prediction of each utterance, in
//! `0..classes`. [`confusion`] counts them; the [`Confusion`] matrix answers UAR, WAR and the
//! per-class figures. [`Spread`] summarises folds or runs, [`Bootstrap`] puts intervals on pooled
//! predictions (over utterances or over whole speakers), [`paired_difference`], [`holm`] and [`mcnemar`]
//! compare systems, [`equivalence`] compares trainings with a published figure, and [`Calibration`]
//! judges probabilities.
//!
//! ```
//! let truth = [0, 0, 0, 0, 1, 1];
//! let predicted = [0, 0, 0, 0, 1, 0];
//! let confusion = sermetrics::confusion(&truth, &predicted, 3)?;
//! assert_eq!(confusion.war(), 5.0 / 6.0); // accuracy
//! assert_eq!(confusion.uar(), 0.75);      // (4/4 + 1/2) / 2: class 2 never occurs, so it has no recall
//! # Ok::<(), sermetrics::MetricError>(())
//! ```
//!
//! Definitions follow scikit-learn (`balanced_accuracy_score`, `confusion_matrix`,
//! `precision_recall_fscore_support` with `zero_division=0`); `tests/reference.rs` compares with it.

mod calibration;
mod confusion;
mod error;
mod interval;
mod paired;
mod spread;
mod student;

pub use calibration::{Calibration, ReliabilityBin, brier_score, log_loss};
pub use confusion::{ClassScores, Confusion, confusion};
pub use error::MetricError;
pub use interval::{Bootstrap, FEWEST_GROUPS, Interval};
pub use paired::{
    Equivalence, FEWEST_TRAININGS, McNemar, PairedDifference, Verdict, equivalence, holm, mcnemar, paired_difference,
};
pub use spread::Spread;
