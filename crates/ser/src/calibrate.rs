//! Temperature and threshold: fitted on utterances that the network did not learn from, judged on others still.

use sercorpus::split::Fold;
use serengine::{argmax, log_softmax, softmax};

/// What a model, or the network of a fold, says of one utterance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// The most probable class.
    pub label: usize,
    /// Its calibrated probability.
    pub confidence: f64,
    /// Whether the confidence reaches the threshold; true where there is none. Otherwise the answer is "unknown".
    pub given: bool,
}

impl Answer {
    /// The answer with the highest of the calibrated `probabilities`, the first of equal ones.
    pub fn of(probabilities: &[f64], threshold: Option<f64>) -> Self {
        let label = argmax(probabilities);
        // A sum of rounded probabilities may exceed 1 by a rounding.
        let confidence = probabilities.get(label).copied().unwrap_or(0.0).min(1.0);
        Self { label, confidence, given: threshold.is_none_or(|threshold| confidence >= threshold) }
    }
}

/// Temperature and threshold of a model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// What logits are divided by.
    pub temperature: f64,
    /// The confidence below which the answer is "unknown"; none where every answer is given.
    pub threshold: Option<f64>,
}

/// Fits the temperature, then the threshold: the lowest confidence at or above which at least `answer_at` of the answers are
/// right. No threshold where none does that, or where all answers together do. `rows` are logits up to a constant a row.
pub fn fit(rows: &[Vec<f64>], truth: &[usize], answer_at: f64) -> Fit {
    let temperature = temperature(rows, truth);
    let answers: Vec<Answer> = rows.iter().map(|row| Answer::of(&softmax(row, temperature), None)).collect();
    let confidence: Vec<f64> = answers.iter().map(|a| a.confidence).collect();
    let correct: Vec<bool> = answers.iter().zip(truth).map(|(a, &t)| a.label == t).collect();
    let point = threshold(&abstain_curve(&confidence, &correct), answer_at);
    Fit { temperature, threshold: point.filter(|p| p.answers < rows.len()).map(|p| p.threshold) }
}

/// The answer to every utterance with a temperature and a threshold that were fitted on the test parts of all other folds.
/// Every utterance is in the test part of one fold.
///
/// Fitted and judged on the same utterances, a threshold would be right as often as it was asked to be, whatever the model.
pub fn cross_fit(rows: &[Vec<f64>], truth: &[usize], folds: &[Fold], answer_at: f64) -> Vec<Answer> {
    let mut answers = vec![Answer { label: 0, confidence: 0.0, given: false }; rows.len()];
    for (k, fold) in folds.iter().enumerate() {
        let others =
            folds.iter().enumerate().filter(|(j, _)| *j != k).flat_map(|(_, other)| other.test.iter().copied());
        let mut others: Vec<usize> = others.collect();
        others.sort_unstable();
        let (logits, classes): (Vec<_>, Vec<_>) = others.into_iter().map(|i| (rows[i].clone(), truth[i])).unzip();
        let fit = fit(&logits, &classes, answer_at);
        for &i in &fold.test {
            answers[i] = Answer::of(&softmax(&rows[i], fit.temperature), fit.threshold);
        }
    }
    answers
}

/// The temperature T that minimises the mean of -ln p(truth), p = softmax(logits / T) (Guo et al. 2017, "On Calibration of
/// Modern Neural Networks"). `rows` are logits up to a constant a row, so that logarithms of probabilities will do.
///
/// Golden-section search over ln T: the mean is convex in 1 / T, so it has one minimum. 1 where there is nothing to fit.
pub fn temperature(rows: &[Vec<f64>], truth: &[usize]) -> f64 {
    const RANGE: (f64, f64) = (-3.0, 3.0);
    let ratio = (5f64.sqrt() - 1.0) / 2.0;
    if rows.is_empty() {
        return 1.0;
    }
    let loss = |ln_t: f64| mean_loss(rows, truth, ln_t.exp());
    let (mut low, mut high) = RANGE;
    let (mut a, mut b) = (high - ratio * (high - low), low + ratio * (high - low));
    let (mut at_a, mut at_b) = (loss(a), loss(b));
    for _ in 0..60 {
        if at_a <= at_b {
            (high, b, at_b) = (b, a, at_a);
            a = high - ratio * (high - low);
            at_a = loss(a);
        } else {
            (low, a, at_a) = (a, b, at_b);
            b = low + ratio * (high - low);
            at_b = loss(b);
        }
    }
    (0.5 * (low + high)).exp()
}

fn mean_loss(rows: &[Vec<f64>], truth: &[usize], temperature: f64) -> f64 {
    let each = rows.iter().zip(truth).map(|(row, &t)| -log_softmax(row, temperature)[t]);
    each.sum::<f64>() / rows.len() as f64
}

/// What happens if a model only answers at or above a confidence.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Point {
    /// The confidence.
    pub threshold: f64,
    /// How many utterances get an answer.
    pub answers: usize,
    /// Share of utterances that get an answer.
    pub coverage: f64,
    /// Share of the answers that are right.
    pub accuracy: f64,
}

/// A point for every distinct confidence, from the most certain answer down to all of them.
pub fn abstain_curve(confidence: &[f64], correct: &[bool]) -> Vec<Point> {
    let mut order: Vec<usize> = (0..confidence.len()).collect();
    order.sort_by(|&a, &b| confidence[b].total_cmp(&confidence[a]));
    let mut curve: Vec<Point> = Vec::new();
    let mut right = 0u32;
    for (n, &i) in order.iter().enumerate() {
        right += u32::from(correct[i]);
        let answers = n + 1;
        let point = Point {
            threshold: confidence[i],
            answers,
            coverage: answers as f64 / confidence.len() as f64,
            accuracy: f64::from(right) / answers as f64,
        };
        match curve.last_mut().filter(|last| last.threshold == point.threshold) {
            Some(last) => *last = point,
            None => curve.push(point),
        }
    }
    curve
}

/// Fewer answers than this say nothing about their accuracy.
const LEAST_ANSWERS: usize = 20;

/// The point of most answers among those where at least `accuracy` of the answers are right.
fn threshold(curve: &[Point], accuracy: f64) -> Option<Point> {
    curve.iter().rev().find(|p| p.accuracy >= accuracy && p.answers >= LEAST_ANSWERS).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// import numpy as np, scipy.optimize as so
    /// i, k = np.arange(200)[:, None], np.arange(5)[None]
    /// z = 4 * np.sin(1.7 * i + 2.3 * k * k) + 0.02 * i * np.cos(k); t = (z + 6 * np.sin(5.1 * i * (k + 1))).argmax(1)
    /// def f(s): w = z / np.exp(s); return np.mean(np.log(np.exp(w).sum(1)) - w[np.arange(200), t])
    /// r = so.minimize_scalar(f, bounds=(-3, 3), method="bounded", options={"xatol": 1e-12}); np.exp(r.x), r.fun
    #[test]
    fn the_temperature_is_scipys() {
        let rows: Vec<Vec<f64>> = (0..200)
            .map(|i| {
                let i = f64::from(i);
                (0..5).map(f64::from).map(|k| 4.0 * (1.7 * i + 2.3 * k * k).sin() + 0.02 * i * k.cos()).collect()
            })
            .collect();
        let truth: Vec<usize> = rows
            .iter()
            .enumerate()
            .map(|(i, row)| {
                let noisy = |k: usize| row[k] + 6.0 * (5.1 * i as f64 * (k as f64 + 1.0)).sin();
                (1..5).fold(0, |best, k| if noisy(k) > noisy(best) { k } else { best })
            })
            .collect();
        let t = temperature(&rows, &truth);
        assert!((t - 2.839_572_372_590_914_6).abs() < 1e-6, "{t}");
        assert!((mean_loss(&rows, &truth, t) - 1.159_498_540_142_000_6).abs() < 1e-12);
        let probabilities: Vec<Vec<f64>> = rows.iter().map(|r| softmax(r, 1.0)).collect();
        let logs: Vec<Vec<f64>> = probabilities.iter().map(|r| r.iter().map(|p| p.ln()).collect()).collect();
        assert!((temperature(&logs, &truth) - t).abs() < 1e-6, "logarithms of probabilities are logits");
    }

    #[test]
    fn the_curve_counts_answers_and_the_threshold_takes_the_most_of_them() {
        let confidence = [0.9, 0.5, 0.9, 0.7, 0.6];
        let curve = abstain_curve(&confidence, &[true, false, false, true, true]);
        let of = |p: &Point| (p.threshold, p.coverage, (p.accuracy * 60.0).round());
        assert_eq!(
            curve.iter().map(of).collect::<Vec<_>>(),
            [(0.9, 0.4, 30.0), (0.7, 0.6, 40.0), (0.6, 0.8, 45.0), (0.5, 1.0, 36.0)]
        );
        let many: Vec<f64> = (0..100).map(|i| f64::from(i) / 100.0).collect();
        let correct: Vec<bool> = (0..100).map(|i| i >= 40).collect();
        let curve = abstain_curve(&many, &correct);
        let at = threshold(&curve, 0.8).unwrap();
        assert_eq!((at.threshold, at.coverage), (0.25, 0.75));
        assert_eq!(threshold(&curve, 0.5).unwrap().coverage, 1.0);
        let wrong = abstain_curve(&many, &[false; 100]);
        assert_eq!(threshold(&wrong, 0.8), None);
    }

    /// 400 utterances of two classes, right with probability 1/2 whatever their confidence, in 20 folds. In Python:
    ///
    /// M, state = 2**64 - 1, 1
    /// def rnd():
    ///     global state; state = (state * 6364136223846793005 + 1442695040888963407) & M; return (state >> 33) / 2**31
    /// u = [4 * rnd() for _ in range(400)]; wrong = [rnd() < 0.5 for _ in range(400)]
    /// def threshold(indices):
    ///     best, right = 0, 0
    ///     for n, i in enumerate(sorted(indices, key=lambda i: -u[i]), 1):
    ///         right += not wrong[i]
    ///         if n >= 20 and right / n >= 0.57: best = u[i]
    ///     return best
    /// same = [i for i in range(400) if u[i] >= threshold(range(400))]
    /// others = [threshold([i for i in range(400) if i % 20 != k]) for k in range(20)]
    /// cross = [i for i in range(400) if u[i] >= others[i % 20]]
    /// print(*[(len(g), sum(not wrong[i] for i in g)) for g in (same, cross)])  # (59, 34) (61, 32)
    fn chance() -> (Vec<Vec<f64>>, Vec<usize>, Vec<Fold>) {
        // A linear congruential generator (Knuth's MMIX constants), upper bits.
        let mut state = 1u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as f64 / f64::from(1u32 << 31)
        };
        let rows: Vec<Vec<f64>> = (0..400).map(|_| vec![4.0 * random(), 0.0]).collect();
        let truth = (0..400).map(|_| usize::from(random() < 0.5)).collect();
        let part = |k: usize| (0..400).filter(move |i| i % 20 == k).collect::<Vec<_>>();
        let folds = (0..20).map(|k| Fold { train: Vec::new(), validation: Vec::new(), test: part(k) });
        (rows, truth, folds.collect())
    }

    #[test]
    fn what_is_fitted_is_judged_on_other_folds() {
        let (rows, truth, folds) = chance();
        let answers = cross_fit(&rows, &truth, &folds, 0.57);
        // Each fold by hand: fitted on the 380 others.
        for (k, fold) in folds.iter().enumerate() {
            let others: Vec<usize> = (0..400).filter(|i| i % 20 != k).collect();
            let logits: Vec<Vec<f64>> = others.iter().map(|&i| rows[i].clone()).collect();
            let classes: Vec<usize> = others.iter().map(|&i| truth[i]).collect();
            let own = fit(&logits, &classes, 0.57);
            for &i in &fold.test {
                let p = softmax(&rows[i], own.temperature);
                assert_eq!(answers[i], Answer::of(&p, own.threshold), "utterance {i}");
            }
        }
        // Judged on the utterances that it was fitted on, a threshold keeps what was asked of it by construction: 34 of 59 right are
        // above 57 %. On others half of the answers are right, as they must be.
        let count = |answers: &[Answer]| {
            let given = answers.iter().zip(&truth).filter(|(a, _)| a.given);
            given.fold((0, 0), |(n, right), (a, &t)| (n + 1, right + usize::from(a.label == t)))
        };
        let all = fit(&rows, &truth, 0.57);
        let same: Vec<Answer> = rows.iter().map(|r| Answer::of(&softmax(r, all.temperature), all.threshold)).collect();
        assert_eq!((count(&same), count(&answers)), ((59, 34), (61, 32)));
    }

    #[test]
    fn a_model_that_is_always_right_never_abstains_and_one_that_is_always_wrong_has_no_threshold() {
        let rows: Vec<Vec<f64>> = (0..60).map(|i| vec![f64::from(i) / 10.0, 0.0]).collect();
        assert_eq!(fit(&rows, &[0; 60], 0.9).threshold, None);
        assert_eq!(fit(&rows, &[1; 60], 0.9).threshold, None);
        let equal = Answer::of(&[0.25, 0.5, 0.25], Some(0.5));
        assert_eq!(equal, Answer { label: 1, confidence: 0.5, given: true });
        assert!(!Answer::of(&[0.25, 0.5, 0.25], Some(0.51)).given);
    }
}
