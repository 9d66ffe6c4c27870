use std::collections::BTreeMap;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::MetricError;
use crate::confusion::{Confusion, confusion};
use crate::error::{all_finite, all_within, same_length};
use crate::student::t_quantile;

/// Fewer groups than this give no interval: a standard error over three or four speakers says nothing.
pub const FEWEST_GROUPS: usize = 5;

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

impl Interval {
    /// Half of the interval's width.
    #[must_use]
    pub fn half(&self) -> f64 {
        0.5 * (self.high - self.low)
    }

    /// The true difference that such a comparison finds four times in five: 1.4 times half of a 95 % interval
    /// ((1.96 + 0.84) / 1.96 standard errors).
    #[must_use]
    pub fn detectable(&self) -> f64 {
        1.4 * self.half()
    }

    /// Whether `value` lies in the interval, ends included.
    #[must_use]
    pub fn contains(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    fn clamp(self, low: f64, high: f64) -> Self {
        Self { low: self.low.max(low), high: self.high.min(high), ..self }
    }
}

/// The bootstrap (Efron and Tibshirani 1993): how far a figure would move if other utterances, or other speakers, had been
/// drawn. Same seed, same interval. The trained models are taken as they are: how far another training would move the
/// figure is not in the interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bootstrap {
    /// Number of resamples, at least 1; 2,000 fix the ends of a 95 % interval to about a tenth of its standard error.
    pub resamples: usize,
    /// Confidence level, between 0 and 1.
    pub level: f64,
    /// Seed of the resampling.
    pub seed: u64,
}

impl Default for Bootstrap {
    /// 2,000 resamples, 95 %, seed 0.
    fn default() -> Self {
        Self { resamples: 2000, level: 0.95, seed: 0 }
    }
}

impl Bootstrap {
    /// Percentile interval of `metric` over utterances (Efron and Tibshirani, chapter 13).
    ///
    /// It treats utterances as independent. Where the figure is to hold for new speakers, use
    /// [`grouped_interval`](Self::grouped_interval).
    ///
    /// # Errors
    /// As [`confusion`](crate::confusion()), and for no resamples or a level outside (0, 1).
    pub fn interval(
        &self,
        truth: &[usize],
        predicted: &[usize],
        classes: usize,
        metric: impl Fn(&Confusion) -> f64,
    ) -> Result<Interval, MetricError> {
        confusion(truth, predicted, classes)?;
        let mut counts = Confusion::zeros(classes);
        self.statistic(truth.len(), |indices| {
            counts.fill(truth, predicted, indices);
            metric(&counts)
        })
    }

    /// Interval of `metric`, a share between 0 and 1, over whole groups (speakers): `groups[i]` is the group of utterance `i`, any
    /// numbering. `None` with fewer than [`FEWEST_GROUPS`] groups.
    ///
    /// The ends are estimate ± t(G - 1) · se · √(G / (G - 1)), where se is the bootstrap's standard error over the G groups:
    /// percentile intervals over few groups are too short (simulated coverage of a 95 % one: 89 % with ten groups).
    ///
    /// # Errors
    /// As [`interval`](Self::interval), and for `groups` of another length.
    pub fn grouped_interval(
        &self,
        truth: &[usize],
        predicted: &[usize],
        groups: &[usize],
        classes: usize,
        metric: impl Fn(&Confusion) -> f64,
    ) -> Result<Option<Interval>, MetricError> {
        confusion(truth, predicted, classes)?;
        same_length("truth", truth.len(), "groups", groups.len())?;
        let mut counts = Confusion::zeros(classes);
        let interval = self.grouped_statistic(groups, |indices| {
            counts.fill(truth, predicted, indices);
            metric(&counts)
        })?;
        Ok(interval.map(|i| i.clamp(0.0, 1.0)))
    }

    /// Percentile interval of the difference `metric(a) - metric(b)` of two trained systems on the same utterances: both are
    /// scored on the same resample each time, so what is hard for both cancels.
    ///
    /// # Errors
    /// As [`interval`](Self::interval).
    pub fn paired_interval(
        &self,
        truth: &[usize],
        predicted_a: &[usize],
        predicted_b: &[usize],
        classes: usize,
        metric: impl Fn(&Confusion) -> f64,
    ) -> Result<Interval, MetricError> {
        let difference = paired(truth, predicted_a, predicted_b, classes, metric)?;
        self.statistic(truth.len(), difference)
    }

    /// As [`paired_interval`](Self::paired_interval) over whole groups, with the ends of
    /// [`grouped_interval`](Self::grouped_interval).
    ///
    /// # Errors
    /// As [`grouped_interval`](Self::grouped_interval).
    pub fn paired_grouped_interval(
        &self,
        truth: &[usize],
        predicted_a: &[usize],
        predicted_b: &[usize],
        groups: &[usize],
        classes: usize,
        metric: impl Fn(&Confusion) -> f64,
    ) -> Result<Option<Interval>, MetricError> {
        let difference = paired(truth, predicted_a, predicted_b, classes, metric)?;
        same_length("truth", truth.len(), "groups", groups.len())?;
        Ok(self.grouped_statistic(groups, difference)?.map(|i| i.clamp(-1.0, 1.0)))
    }

    /// Percentile interval of any statistic of `units` things: it is given the indices of a resample.
    ///
    /// # Errors
    /// Nothing to resample, no resamples, a level outside (0, 1), or a statistic of all units that is not finite. Resamples whose
    /// statistic is not finite (a share of nothing) are left out.
    pub fn statistic(&self, units: usize, mut statistic: impl FnMut(&[usize]) -> f64) -> Result<Interval, MetricError> {
        let members: Vec<Vec<usize>> = (0..units).map(|i| vec![i]).collect();
        let (estimate, figures) = self.draw(&members, &mut statistic)?;
        let at = |q: f64| quantile(&figures, q);
        let (low, high) = (at(0.5 - self.level / 2.0), at(0.5 + self.level / 2.0));
        Ok(Interval { estimate, low, high, level: self.level })
    }

    /// Interval of any statistic over whole groups, with the ends of [`grouped_interval`](Self::grouped_interval) and no bounds:
    /// `groups[i]` is the group of unit `i`; the statistic is given the units of a resample.
    ///
    /// # Errors
    /// As [`statistic`](Self::statistic).
    pub fn grouped_statistic(
        &self,
        groups: &[usize],
        mut statistic: impl FnMut(&[usize]) -> f64,
    ) -> Result<Option<Interval>, MetricError> {
        let mut members = BTreeMap::<usize, Vec<usize>>::new();
        for (i, &group) in groups.iter().enumerate() {
            members.entry(group).or_default().push(i);
        }
        let members: Vec<Vec<usize>> = members.into_values().collect();
        let (estimate, figures) = self.draw(&members, &mut statistic)?;
        let n = members.len() as f64;
        if members.len() < FEWEST_GROUPS {
            return Ok(None);
        }
        let mean = figures.iter().sum::<f64>() / figures.len() as f64;
        let variance = figures.iter().map(|f| (f - mean).powi(2)).sum::<f64>() / figures.len() as f64;
        let half = t_quantile(0.5 + self.level / 2.0, n - 1.0) * (variance * n / (n - 1.0)).sqrt();
        Ok(Some(Interval { estimate, low: estimate - half, high: estimate + half, level: self.level }))
    }

    /// The statistic of all units in their order, and those of the resamples, sorted.
    fn draw(
        &self,
        members: &[Vec<usize>],
        statistic: &mut dyn FnMut(&[usize]) -> f64,
    ) -> Result<(f64, Vec<f64>), MetricError> {
        check_level(self.level)?;
        if self.resamples == 0 || members.is_empty() {
            return Err(MetricError::Empty { what: "resamples or utterances", needed: 1 });
        }
        let mut indices: Vec<usize> = members.iter().flatten().copied().collect();
        indices.sort_unstable();
        let estimate = statistic(&indices);
        all_finite("statistic", &[estimate])?;
        let mut random = Uniform(ChaCha8Rng::seed_from_u64(self.seed));
        let mut figures = Vec::new();
        for _ in 0..self.resamples {
            indices.clear();
            for _ in 0..members.len() {
                indices.extend_from_slice(&members[random.below(members.len())]);
            }
            figures.push(statistic(&indices));
        }
        figures.retain(|figure| figure.is_finite());
        if figures.is_empty() {
            figures.push(estimate);
        }
        figures.sort_by(f64::total_cmp);
        Ok((estimate, figures))
    }
}

/// The difference of `metric` between two systems on the utterances of a resample.
fn paired<'a>(
    truth: &'a [usize],
    predicted_a: &'a [usize],
    predicted_b: &'a [usize],
    classes: usize,
    metric: impl Fn(&Confusion) -> f64 + 'a,
) -> Result<impl FnMut(&[usize]) -> f64 + 'a, MetricError> {
    confusion(truth, predicted_a, classes)?;
    confusion(truth, predicted_b, classes)?;
    let mut counts = Confusion::zeros(classes);
    Ok(move |indices: &[usize]| {
        counts.fill(truth, predicted_a, indices);
        let a = metric(&counts);
        counts.fill(truth, predicted_b, indices);
        a - metric(&counts)
    })
}

pub(crate) fn check_level(level: f64) -> Result<(), MetricError> {
    all_within("level", &[level], f64::EPSILON..=1.0 - f64::EPSILON, "a confidence level between 0 and 1")
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
