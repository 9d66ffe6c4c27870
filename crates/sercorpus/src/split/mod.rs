//! Splits of a corpus into train, validation and test parts.
//!
//! Each splitter takes what it needs (a size, labels, groups) and gives index sets into
//! [`Corpus::utterances`](crate::Corpus), ascending. Those named after scikit-learn's give the same indices as
//! scikit-learn 1.9 with the same arguments, index for index:
//!
//! | here | scikit-learn |
//! |---|---|
//! | [`kfold`] | `KFold(k, shuffle=True, random_state=seed)` |
//! | [`repeated_kfold`] | `RepeatedKFold(n_splits=k, n_repeats=repeats, random_state=seed)` |
//! | [`stratified_kfold`] | `StratifiedKFold(k, shuffle=True, random_state=seed)` |
//! | [`group_kfold`] | `GroupKFold(k)` |
//! | [`leave_one_group_out`] | `LeaveOneGroupOut()` |
//! | [`hold_out`] | `ShuffleSplit(1, test_size=share, random_state=seed)`, i.e. `train_test_split` |
//! | [`stratified_hold_out`] | `StratifiedShuffleSplit(1, test_size=share, random_state=seed)` |

mod crossed;
mod file;
mod group;
mod hold_out;
mod kfold;
mod leakage;
mod numpy;
mod scheme;

pub use crossed::crossed_group_kfold;
pub use file::{read_csv, read_emobox, write_csv};
pub use group::{group_kfold, leave_one_group_out};
pub use hold_out::{hold_out, stratified_hold_out, train_validation_test, with_validation};
pub use kfold::{kfold, repeated_kfold, stratified_kfold};
pub use leakage::{FoldLeakage, LeakageReport, leakage};
pub use scheme::Scheme;

use serde::{Deserialize, Serialize};

/// One division of the utterances: indices, ascending, no index in two parts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Fold {
    /// What the model learns from.
    pub train: Vec<usize>,
    /// What the epoch is chosen on; empty where the protocol has none.
    pub validation: Vec<usize>,
    /// What the figure is computed on.
    pub test: Vec<usize>,
}

impl Fold {
    /// Test on the utterances where `is_test` holds, train on all others of `0..n`.
    fn by_test(n: usize, is_test: impl Fn(usize) -> bool) -> Self {
        let (test, train) = (0..n).partition(|&i| is_test(i));
        Self { train, validation: Vec::new(), test }
    }
}

/// Why a split cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SplitError {
    /// k-fold needs 2 <= k <= what there is to divide.
    #[error("cannot make {k} folds of {available} {what}: between 2 and {available} folds are possible")]
    TooManyFolds {
        /// Folds asked for.
        k: usize,
        /// How many there are.
        available: usize,
        /// Of what: utterances, groups, utterances of the largest class.
        what: &'static str,
    },
    /// A share outside (0, 1), or one that leaves a part empty.
    #[error("a share of {share} of {n} utterances leaves nothing for the {part} part")]
    EmptyPart {
        /// The share asked for, as text.
        share: String,
        /// How many utterances there are.
        n: usize,
        /// Which part would be empty.
        part: &'static str,
    },
    /// A stratified part smaller than the number of classes.
    #[error("a {part} part of {count} of {n} utterances has no room for {classes} classes: take a larger share")]
    TooSmall {
        /// Which part.
        part: &'static str,
        /// Utterances in it.
        count: usize,
        /// How many utterances there are.
        n: usize,
        /// How many classes there are.
        classes: usize,
    },
    /// Stratification needs two utterances of each class, and room for each class in both parts.
    #[error("class {class} has {count} utterances: a stratified split needs at least {needed}")]
    ClassTooSmall {
        /// Position of the class, in order of first appearance.
        class: usize,
        /// How many utterances it has.
        count: usize,
        /// How many are needed.
        needed: usize,
    },
    /// The manifest's split column leaves a part empty.
    #[error(
        "no utterance is marked `{part}`: the list needs a column `split` with train and test, or --column split=NAME that names it"
    )]
    NoPart {
        /// Which part.
        part: &'static str,
    },
    /// Utterances without a speaker (or session) cannot be grouped by it.
    #[error(
        "{missing} of {n} utterances have no {what} ({first} is the first): {what}s are needed for this split; give every row one, or \
         leave those rows out"
    )]
    NoGroup {
        /// What is missing: speaker, session.
        what: &'static str,
        /// How many lack it.
        missing: usize,
        /// How many utterances there are.
        n: usize,
        /// Id of the first that lacks it.
        first: String,
    },
}
