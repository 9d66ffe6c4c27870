use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::MetricError;
use crate::confusion::{Confusion, confusion};
use crate::error::same_length;
use crate::spread::check_level;

/// An estimate and its confidence interval.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Interval {
    /// The figure itself.
    pub estimate: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Confidence level, e.g. 0.95.
    pub level: f64,
}

/// Percentile bootstrap over utterances: resample them with replacement `resamples` times and take the
/// (1 ± level) / 2 quantiles of `metric` (Efron & Tibshirani 1993, chapter 13). Same seed, same interval.
///
/// It treats utterances as independent. Where a few speakers said them all, use
/// [`grouped_bootstrap_interval`], which is wider and more honest about new voices.
///
/// # Errors
/// As [`confusion`](crate::confusion()), and for no resamples or a `level` outside (0, 1).
pub fn bootstrap_interval(
    truth: &[usize],
    predicted: &[usize],
    classes: usize,
    metric: impl Fn(&Confusion) -> f64,
    resamples: usize,
    level: f64,
    seed: u64,
) -> Result<Interval, MetricError> {
    let each_alone: Vec<usize> = (0..truth.len()).collect();
    grouped_bootstrap_interval(truth, predicted, &each_alone, classes, metric, resamples, level, seed)
}

/// Percentile bootstrap over whole groups (speakers): `groups[i]` is the group of utterance `i`, any numbering.
///
/// # Errors
/// As [`bootstrap_interval`], and for `groups` of another length.
#[allow(clippy::too_many_arguments)]
pub fn grouped_bootstrap_interval(
    truth: &[usize],
    predicted: &[usize],
    groups: &[usize],
    classes: usize,
    metric: impl Fn(&Confusion) -> f64,
    resamples: usize,
    level: f64,
    seed: u64,
) -> Result<Interval, MetricError> {
    let estimate = metric(&confusion(truth, predicted, classes)?);
    same_length("truth", truth.len(), "groups", groups.len())?;
    let mut members = std::collections::BTreeMap::<usize, Vec<usize>>::new();
    for (i, &group) in groups.iter().enumerate() {
        members.entry(group).or_default().push(i);
    }
    let members: Vec<Vec<usize>> = members.into_values().collect();
    let mut counts = Confusion::zeros(classes);
    let mut draw = |random: &mut Uniform| {
        counts.clear();
        for _ in 0..members.len() {
            for &i in &members[random.below(members.len())] {
                counts.add(truth[i], predicted[i]);
            }
        }
        metric(&counts)
    };
    percentile(estimate, &mut draw, resamples, level, seed)
}

/// Interval of the difference `metric(a) - metric(b)` of two systems on the same utterances: both are scored on
/// the same resample each time, so what is hard for both cancels.
///
/// # Errors
/// As [`bootstrap_interval`].
#[allow(clippy::too_many_arguments)]
pub fn paired_bootstrap(
    truth: &[usize],
    predicted_a: &[usize],
    predicted_b: &[usize],
    classes: usize,
    metric: impl Fn(&Confusion) -> f64,
    resamples: usize,
    level: f64,
    seed: u64,
) -> Result<Interval, MetricError> {
    let estimate = metric(&confusion(truth, predicted_a, classes)?) - metric(&confusion(truth, predicted_b, classes)?);
    let (mut a, mut b) = (Confusion::zeros(classes), Confusion::zeros(classes));
    let mut draw = |random: &mut Uniform| {
        a.clear();
        b.clear();
        for _ in 0..truth.len() {
            let i = random.below(truth.len());
            a.add(truth[i], predicted_a[i]);
            b.add(truth[i], predicted_b[i]);
        }
        metric(&a) - metric(&b)
    };
    percentile(estimate, &mut draw, resamples, level, seed)
}

fn percentile(
    estimate: f64,
    draw: &mut dyn FnMut(&mut Uniform) -> f64,
    resamples: usize,
    level: f64,
    seed: u64,
) -> Result<Interval, MetricError> {
    check_level(level)?;
    if resamples == 0 {
        return Err(MetricError::Empty { what: "resamples", needed: 1 });
    }
    let mut random = Uniform(ChaCha8Rng::seed_from_u64(seed));
    let mut figures: Vec<f64> = (0..resamples).map(|_| draw(&mut random)).collect();
    figures.sort_by(f64::total_cmp);
    let at = |q: f64| quantile(&figures, q);
    Ok(Interval { estimate, low: at(0.5 - level / 2.0), high: at(0.5 + level / 2.0), level })
}

/// Linear interpolation between order statistics, `numpy.quantile`'s default.
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let position = q * (sorted.len() - 1) as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * (position - below as f64)
}

struct Uniform(ChaCha8Rng);

impl Uniform {
    /// Uniform in `0..n`; the bias of the multiplication is below n / 2^64.
    fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.0.next_u64()) * n as u128) >> 64) as usize
    }
}
