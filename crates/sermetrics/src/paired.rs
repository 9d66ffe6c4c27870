//! Two systems on the same folds, runs or utterances.

use crate::MetricError;
use crate::error::{all_finite, all_within, same_length};
use crate::interval::{Interval, check_level};
use crate::spread::Spread;
use crate::student::{binomial_tail, t_quantile, t_two_sided};

/// The fold-by-fold (or run-by-run) difference of two systems, `a - b`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PairedDifference {
    /// Mean and deviation of the differences.
    pub spread: Spread,
    /// Student's t interval of the mean difference.
    pub interval: Interval,
    /// Two-sided p value of "no difference". 0 where all differences are the same and not 0.
    pub p: f64,
}

/// Compare two systems scored on the same folds or with the same seeds: one figure a fold for each (average the trainings of a
/// fold first).
///
/// The folds of a cross-validation share training data, so the variance of the mean of J differences is
/// s² (1 / J + n_test / n_train), not s² / J (Nadeau and Bengio, Machine Learning 52, 2003). `test_to_train` is
/// n_test / n_train, averaged over folds: 1 / (k - 1) for k folds, 0 for runs that share nothing. Student's t with J - 1 degrees of
/// freedom.
///
/// # Errors
/// Different lengths, fewer than two pairs, a value that is not finite, a negative ratio or a `level` outside (0, 1).
pub fn paired_difference(
    a: &[f64],
    b: &[f64],
    test_to_train: f64,
    level: f64,
) -> Result<PairedDifference, MetricError> {
    same_length("a", a.len(), "b", b.len())?;
    if a.len() < 2 {
        return Err(MetricError::Empty { what: "pairs to compare", needed: 2 });
    }
    all_finite("a", a)?;
    all_finite("b", b)?;
    all_within("test_to_train", &[test_to_train], 0.0..=f64::MAX, "the ratio n_test / n_train")?;
    check_level(level)?;
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    let spread = Spread::of(&differences)?;
    let pairs = spread.count as f64;
    let error = spread.std.unwrap_or(0.0) * (1.0 / pairs + test_to_train).sqrt();
    let half = t_quantile(0.5 + level / 2.0, pairs - 1.0) * error;
    let p = match (spread.mean == 0.0, error == 0.0) {
        (true, _) => 1.0,
        (false, true) => 0.0,
        (false, false) => t_two_sided(spread.mean / error, pairs - 1.0),
    };
    let interval = Interval { estimate: spread.mean, low: spread.mean - half, high: spread.mean + half, level };
    Ok(PairedDifference { spread, interval, p })
}

/// p values of a family of comparisons, adjusted by Holm's method (Scandinavian Journal of Statistics 6, 1979), in the order given.
///
/// # Errors
/// A p value outside [0, 1].
pub fn holm(p: &[f64]) -> Result<Vec<f64>, MetricError> {
    all_within("p", p, 0.0..=1.0, "a p value")?;
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&i, &j| p[i].total_cmp(&p[j]));
    let mut adjusted = vec![0.0; p.len()];
    let mut largest = 0.0f64;
    for (rank, &i) in order.iter().enumerate() {
        largest = largest.max(((p.len() - rank) as f64 * p[i]).min(1.0));
        adjusted[i] = largest;
    }
    Ok(adjusted)
}

/// McNemar's test of two trained systems on the same utterances.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct McNemar {
    /// Utterances that only the first system has right.
    pub only_a: u64,
    /// Utterances that only the second system has right.
    pub only_b: u64,
    /// Exact two-sided p value of "both have the same accuracy" (binomial, not the chi-square approximation).
    pub p: f64,
}

/// McNemar's exact test (Psychometrika 12, 1947): do two trained systems differ in WAR on these utterances? It compares two trained
/// models, not two ways of training.
///
/// # Errors
/// Slices of different lengths or no utterance.
pub fn mcnemar(truth: &[usize], predicted_a: &[usize], predicted_b: &[usize]) -> Result<McNemar, MetricError> {
    same_length("truth", truth.len(), "predicted_a", predicted_a.len())?;
    same_length("truth", truth.len(), "predicted_b", predicted_b.len())?;
    if truth.is_empty() {
        return Err(MetricError::Empty { what: "utterances to score", needed: 1 });
    }
    let (mut only_a, mut only_b) = (0, 0);
    for ((t, a), b) in truth.iter().zip(predicted_a).zip(predicted_b) {
        only_a += u64::from(a == t && b != t);
        only_b += u64::from(b == t && a != t);
    }
    let p = (2.0 * binomial_tail(only_a.min(only_b), only_a + only_b)).min(1.0);
    Ok(McNemar { only_a, only_b, p })
}

/// What several trainings say about a published figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Verdict {
    /// The 90 % interval of our mean lies within the margin around the published figure.
    Agrees,
    /// The published figure lies outside what one more training would give, and further away than the margin.
    Differs,
    /// Neither: more trainings would be needed.
    NotResolved,
}

/// Ours beside a published figure.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Equivalence {
    /// Trainings of every fold.
    pub trainings: usize,
    /// Our mean over folds and trainings.
    pub mean: f64,
    /// Our mean minus the published figure.
    pub difference: f64,
    /// 90 % interval of our mean over trainings on the same folds; `None` for a single training.
    pub interval: Option<Interval>,
    /// The margin within which figures count as equal.
    pub margin: f64,
    /// The verdict; never other than `NotResolved` with fewer than [`FEWEST_TRAININGS`].
    pub verdict: Verdict,
}

impl Equivalence {
    /// Half of the 90 % interval: no margin below it can ever be met with these trainings.
    #[must_use]
    pub fn resolution(&self) -> Option<f64> {
        self.interval.map(|i| i.half())
    }
}

/// Fewer trainings on the same folds than this resolve nothing.
pub const FEWEST_TRAININGS: usize = 3;

/// Compare the figures of several trainings on the published folds, `folds[fold][training]`, with the published mean over folds.
///
/// The published figure has no spread, so the noise is ours: s_f² is the variance over the J trainings of fold f,
/// v = Σ s_f² / k² that of a mean over k folds, and Var(m) = v / J with k (J - 1) degrees of freedom (trainings of different folds are
/// independent). Two one-sided tests at 5 % are one 90 % interval (Schuirmann 1987). The published figure is one training itself, so it
/// differs if it is outside m ± t · √(v (1 + 1 / J)) at 95 % and beyond the margin. A noisier run never agrees more easily.
///
/// # Errors
/// No fold, folds with different numbers of trainings, a figure that is not finite, or a margin that is not positive.
pub fn equivalence(folds: &[Vec<f64>], published: f64, margin: f64) -> Result<Equivalence, MetricError> {
    let trainings = folds.first().map_or(0, Vec::len);
    if trainings == 0 {
        return Err(MetricError::Empty { what: "trainings", needed: 1 });
    }
    for fold in folds {
        same_length("the first fold", trainings, "another fold", fold.len())?;
    }
    all_finite("published", &[published])?;
    all_within("margin", &[margin], f64::MIN_POSITIVE..=f64::MAX, "a positive margin")?;
    let spreads = folds.iter().map(|fold| Spread::of(fold)).collect::<Result<Vec<_>, _>>()?;
    let (k, j) = (folds.len() as f64, trainings as f64);
    let mean = spreads.iter().map(|s| s.mean).sum::<f64>() / k;
    let difference = mean - published;
    let mut result = Equivalence { trainings, mean, difference, interval: None, margin, verdict: Verdict::NotResolved };
    if trainings < 2 {
        return Ok(result);
    }
    let v = spreads.iter().map(|s| s.std.unwrap_or(0.0).powi(2)).sum::<f64>() / (k * k);
    let degrees = k * (j - 1.0);
    let half = t_quantile(0.95, degrees) * (v / j).sqrt();
    result.interval = Some(Interval { estimate: mean, low: mean - half, high: mean + half, level: 0.9 });
    if trainings < FEWEST_TRAININGS {
        return Ok(result);
    }
    let further = t_quantile(0.975, degrees) * (v * (1.0 + 1.0 / j)).sqrt();
    if difference.abs() + half <= margin {
        result.verdict = Verdict::Agrees;
    } else if difference.abs() > further && difference.abs() > margin {
        result.verdict = Verdict::Differs;
    }
    Ok(result)
}
