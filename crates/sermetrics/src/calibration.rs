use crate::MetricError;
use crate::error::{all_within, classes_in_range, same_length};

/// One bin of a reliability diagram.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ReliabilityBin {
    /// The bin holds confidences in (low, high].
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Utterances in the bin.
    pub count: usize,
    /// Their mean confidence (0 in an empty bin).
    pub confidence: f64,
    /// The part of them that is right (0 in an empty bin).
    pub accuracy: f64,
}

/// How far confidences can be believed (Guo et al. 2017, "On Calibration of Modern Neural Networks").
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Calibration {
    /// Bins of equal width over (0, 1].
    pub bins: Vec<ReliabilityBin>,
    /// Expected calibration error: mean over utterances of |accuracy - confidence| of their bin.
    pub ece: f64,
    /// Maximum calibration error: the largest |accuracy - confidence| of a bin that is not empty.
    pub mce: f64,
}

impl Calibration {
    /// Bin the confidence (highest probability) of each utterance by equal width. Bin k of n holds ((k - 1) / n, k / n], the edges
    /// being the f64 nearest to them and compared exactly; a confidence of 0 is in the first bin.
    ///
    /// # Errors
    /// Different lengths, no utterance, no bin, or a confidence outside [0, 1].
    pub fn of(confidence: &[f64], correct: &[bool], bins: usize) -> Result<Self, MetricError> {
        same_length("confidence", confidence.len(), "correct", correct.len())?;
        if confidence.is_empty() || bins == 0 {
            return Err(MetricError::Empty { what: "utterances or bins", needed: 1 });
        }
        all_within("confidence", confidence, 0.0..=1.0, "a probability")?;
        let mut sums = vec![(0usize, 0.0, 0usize); bins];
        for (&c, &right) in confidence.iter().zip(correct) {
            let bin = bin_of(c, bins);
            sums[bin].0 += 1;
            sums[bin].1 += c;
            sums[bin].2 += usize::from(right);
        }
        let edges = bins as f64;
        let bins: Vec<ReliabilityBin> = sums
            .iter()
            .enumerate()
            .map(|(i, &(count, sum, right))| ReliabilityBin {
                low: i as f64 / edges,
                high: (i + 1) as f64 / edges,
                count,
                confidence: sum / count.max(1) as f64,
                accuracy: right as f64 / count.max(1) as f64,
            })
            .collect();
        let gap = |bin: &ReliabilityBin| (bin.accuracy - bin.confidence).abs();
        let n = confidence.len() as f64;
        let ece = bins.iter().map(|bin| gap(bin) * bin.count as f64 / n).sum();
        let mce = bins.iter().map(gap).fold(0.0, f64::max);
        Ok(Self { bins, ece, mce })
    }
}

/// The bin of (low, high] that holds `confidence`, 0-based. `confidence * bins` may round to the wrong side of an edge, so the edges
/// themselves decide.
fn bin_of(confidence: f64, bins: usize) -> usize {
    let edge = |k: usize| k as f64 / bins as f64;
    let mut k = ((confidence * bins as f64) as usize).clamp(1, bins);
    while k > 1 && confidence <= edge(k - 1) {
        k -= 1;
    }
    while k < bins && confidence > edge(k) {
        k += 1;
    }
    k - 1
}

/// Mean over utterances of the squared distance between the probabilities and the one-hot truth (0 .. 2).
///
/// `probabilities` is `[utterances, classes]`, flattened row by row.
///
/// # Errors
/// Sizes that do not fit, no utterance, a class out of range or a number outside [0, 1].
pub fn brier_score(truth: &[usize], probabilities: &[f64], classes: usize) -> Result<f64, MetricError> {
    check(truth, probabilities, classes)?;
    let rows = truth.iter().zip(probabilities.chunks_exact(classes));
    let sum: f64 = rows
        .map(|(&t, row)| row.iter().enumerate().map(|(c, p)| (p - f64::from(u8::from(c == t))).powi(2)).sum::<f64>())
        .sum();
    Ok(sum / truth.len() as f64)
}

/// Mean negative log probability of the truth, in nats; probabilities are clipped at f64's epsilon, as in
/// scikit-learn's `log_loss`.
///
/// # Errors
/// As [`brier_score`].
pub fn log_loss(truth: &[usize], probabilities: &[f64], classes: usize) -> Result<f64, MetricError> {
    check(truth, probabilities, classes)?;
    let rows = truth.iter().zip(probabilities.chunks_exact(classes));
    let sum: f64 = rows.map(|(&t, row)| -row[t].clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln()).sum();
    Ok(sum / truth.len() as f64)
}

fn check(truth: &[usize], probabilities: &[f64], classes: usize) -> Result<(), MetricError> {
    if truth.is_empty() || classes == 0 {
        return Err(MetricError::Empty { what: "utterances or classes", needed: 1 });
    }
    same_length("truth x classes", truth.len() * classes, "probabilities", probabilities.len())?;
    classes_in_range("truth", truth, classes)?;
    all_within("probabilities", probabilities, 0.0..=1.0, "a probability")
}
