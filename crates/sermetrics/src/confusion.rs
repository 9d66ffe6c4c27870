use crate::MetricError;
use crate::error::{classes_in_range, same_length};

/// Counts of (truth, prediction) pairs: row = truth, column = prediction.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(try_from = "Matrix"))]
pub struct Confusion {
    matrix: Vec<Vec<u64>>,
}

/// A matrix as it was written, before it is known to be square.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
struct Matrix {
    matrix: Vec<Vec<u64>>,
}

#[cfg(feature = "serde")]
impl TryFrom<Matrix> for Confusion {
    type Error = MetricError;

    fn try_from(Matrix { matrix }: Matrix) -> Result<Self, MetricError> {
        for row in &matrix {
            same_length("the confusion matrix", matrix.len(), "one of its rows", row.len())?;
        }
        let total = matrix.iter().flatten().try_fold(0u64, |sum, &count| sum.checked_add(count));
        total.map(|_| Self { matrix }).ok_or(MetricError::TooLarge { what: "the counts of the confusion matrix" })
    }
}

/// Precision, recall and F1 of one class; 0 where a denominator is 0, as scikit-learn's default.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ClassScores {
    /// Utterances that are of this class.
    pub support: u64,
    /// Utterances that were taken for this class.
    pub predicted: u64,
    /// Of those taken for this class, the part that is.
    pub precision: f64,
    /// Of those that are of this class, the part that was found.
    pub recall: f64,
    /// Harmonic mean of precision and recall.
    pub f1: f64,
}

/// Count the pairs of `truth` and `predicted`, class indices in `0..classes`.
///
/// # Errors
/// Slices of different lengths, no utterance at all, or a class index not below `classes`.
pub fn confusion(truth: &[usize], predicted: &[usize], classes: usize) -> Result<Confusion, MetricError> {
    same_length("truth", truth.len(), "predicted", predicted.len())?;
    if truth.is_empty() {
        return Err(MetricError::Empty { what: "utterances to score", needed: 1 });
    }
    classes_in_range("truth", truth, classes)?;
    classes_in_range("predicted", predicted, classes)?;
    let mut counts = Confusion::zeros(classes);
    for (&t, &p) in truth.iter().zip(predicted) {
        counts.matrix[t][p] += 1;
    }
    Ok(counts)
}

impl Confusion {
    pub(crate) fn zeros(classes: usize) -> Self {
        Self { matrix: vec![vec![0; classes]; classes] }
    }

    /// Count the utterances at `indices` anew. Classes must have been checked.
    pub(crate) fn fill(&mut self, truth: &[usize], predicted: &[usize], indices: &[usize]) {
        self.matrix.iter_mut().for_each(|row| row.fill(0));
        for &i in indices {
            self.matrix[truth[i]][predicted[i]] += 1;
        }
    }

    /// The counts, `[classes][classes]`, row = truth, column = prediction.
    #[must_use]
    pub fn matrix(&self) -> &[Vec<u64>] {
        &self.matrix
    }

    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.matrix.len()
    }

    /// Number of utterances counted.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.matrix.iter().flatten().sum()
    }

    /// Weighted average recall = accuracy: correct utterances / all utterances.
    #[must_use]
    pub fn war(&self) -> f64 {
        let correct: u64 = (0..self.classes()).map(|c| self.matrix[c][c]).sum();
        ratio(correct, self.total())
    }

    /// Unweighted average recall: mean over classes of recall. Classes absent from the truth are
    /// left out of the mean, as in scikit-learn's `balanced_accuracy_score`.
    #[must_use]
    pub fn uar(&self) -> f64 {
        let recalls: Vec<f64> = self.rows().filter(|s| s.support > 0).map(|s| s.recall).collect();
        mean(&recalls)
    }

    /// Mean F1 over the classes that occur in the truth or among the predictions, as scikit-learn's
    /// `f1_score(average="macro")` has it.
    #[must_use]
    pub fn macro_f1(&self) -> f64 {
        let f1: Vec<f64> = self.rows().filter(|s| s.support + s.predicted > 0).map(|s| s.f1).collect();
        mean(&f1)
    }

    /// Mean F1 weighted by support, as `f1_score(average="weighted")`.
    #[must_use]
    pub fn weighted_f1(&self) -> f64 {
        let sum: f64 = self.rows().map(|s| s.f1 * s.support as f64).sum();
        sum / self.total().max(1) as f64
    }

    /// Precision, recall, F1 and support of each class.
    #[must_use]
    pub fn per_class(&self) -> Vec<ClassScores> {
        self.rows().collect()
    }

    /// Rows divided by their sums: `[truth][predicted]` rates; a class absent from the truth has a row of zeros.
    #[must_use]
    pub fn normalised(&self) -> Vec<Vec<f64>> {
        let rates = |row: &Vec<u64>| {
            let support = row.iter().sum();
            row.iter().map(|&count| ratio(count, support)).collect()
        };
        self.matrix.iter().map(rates).collect()
    }

    /// Add another matrix of the same classes, e.g. to pool the folds of a cross-validation.
    ///
    /// # Errors
    /// A different number of classes, or more utterances than 64 bits count.
    pub fn merge(&mut self, other: &Self) -> Result<(), MetricError> {
        same_length("this matrix", self.classes(), "the other matrix", other.classes())?;
        self.total()
            .checked_add(other.total())
            .ok_or(MetricError::TooLarge { what: "the sum of two confusion matrices" })?;
        for (row, other_row) in self.matrix.iter_mut().zip(&other.matrix) {
            row.iter_mut().zip(other_row).for_each(|(count, more)| *count += more);
        }
        Ok(())
    }

    fn rows(&self) -> impl Iterator<Item = ClassScores> + '_ {
        (0..self.classes()).map(|class| {
            let hits = self.matrix[class][class];
            let support = self.matrix[class].iter().sum();
            let predicted = self.matrix.iter().map(|row| row[class]).sum();
            ClassScores {
                support,
                predicted,
                precision: ratio(hits, predicted),
                recall: ratio(hits, support),
                f1: if hits == 0 { 0.0 } else { hits as f64 / (0.5 * support as f64 + 0.5 * predicted as f64) },
            }
        })
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}
