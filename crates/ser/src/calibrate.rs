//! How far confidences can be believed, and below which a model had better not answer.
//!
//! Both are fitted on utterances that the network did not learn from: those held out by folds, or a corpus of their own.

/// The temperature T that minimises the mean of -ln softmax(logits / T)[truth] (Guo et al. 2017, "On Calibration of
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
    let each = rows.iter().zip(truth).map(|(row, &t)| {
        let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = row.iter().map(|v| ((v - largest) / temperature).exp()).sum();
        sum.ln() - (row[t] - largest) / temperature
    });
    each.sum::<f64>() / rows.len() as f64
}

/// softmax(row / temperature)
pub fn softmax(row: &[f64], temperature: f64) -> Vec<f64> {
    let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = row.iter().map(|v| ((v - largest) / temperature).exp()).collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|w| w / sum).collect()
}

/// What happens if a model only answers at or above a confidence.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Point {
    /// The confidence.
    pub threshold: f64,
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
    let mut right = 0;
    for (n, &i) in order.iter().enumerate() {
        right += usize::from(correct[i]);
        let answered = (n + 1) as f64;
        let point = Point {
            threshold: confidence[i],
            coverage: answered / confidence.len() as f64,
            accuracy: right as f64 / answered,
        };
        match curve.last_mut().filter(|last| last.threshold == point.threshold) {
            Some(last) => *last = point,
            None => curve.push(point),
        }
    }
    curve
}

/// Fewer answers than this say nothing about their accuracy.
const LEAST_ANSWERS: f64 = 20.0;

/// The point of most answers among those where at least `accuracy` of the answers are right.
pub fn threshold(curve: &[Point], utterances: usize, accuracy: f64) -> Option<Point> {
    let enough = |p: &&Point| p.accuracy >= accuracy && p.coverage * utterances as f64 >= LEAST_ANSWERS - 0.5;
    curve.iter().rev().find(enough).copied()
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
        let at = threshold(&curve, 100, 0.8).unwrap();
        assert_eq!((at.threshold, at.coverage), (0.25, 0.75));
        assert_eq!(threshold(&curve, 100, 0.5).unwrap().coverage, 1.0);
        let wrong = abstain_curve(&many, &[false; 100]);
        assert_eq!(threshold(&wrong, 100, 0.8), None);
    }
}
