//! One network against another: what a paired difference allows one to say.

use serde::{Deserialize, Serialize};
use sermetrics::{Interval, MetricError, PairedDifference, holm};

/// Sentences say "better" or "worse" where the adjusted p is below it.
pub const SIGNIFICANCE: f64 = 0.05;

/// A difference of two networks in UAR or WAR, as shares.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Mean difference and its interval, not adjusted for other comparisons.
    pub interval: Interval,
    /// p value of "no difference", not adjusted.
    pub p: f64,
    /// p value adjusted by Holm's method over the comparisons of one table, corpus, protocol and measure.
    pub adjusted_p: f64,
}

/// What a comparison allows one to say of the first network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tell {
    /// It is better.
    Better,
    /// It is worse.
    Worse,
    /// Neither.
    CannotTell,
}

impl Comparison {
    /// A comparison that stands alone.
    #[must_use]
    pub fn of(difference: &PairedDifference) -> Self {
        Self { interval: difference.interval, p: difference.p, adjusted_p: difference.p }
    }

    /// Adjusts the p values of one family of comparisons.
    ///
    /// # Errors
    /// A p value outside [0, 1].
    pub fn adjust(family: &mut [&mut Self]) -> Result<(), MetricError> {
        let adjusted = holm(&family.iter().map(|c| c.p).collect::<Vec<_>>())?;
        family.iter_mut().zip(adjusted).for_each(|(c, p)| c.adjusted_p = p);
        Ok(())
    }

    /// What it allows one to say.
    #[must_use]
    pub fn tell(&self) -> Tell {
        match self.interval.estimate {
            _ if self.adjusted_p >= SIGNIFICANCE => Tell::CannotTell,
            d if d > 0.0 => Tell::Better,
            _ => Tell::Worse,
        }
    }

    /// "worse", or "this run cannot tell (it would have found 4.87 points four times in five)".
    #[must_use]
    pub fn verdict(&self) -> String {
        match self.tell() {
            Tell::Better => "better".to_owned(),
            Tell::Worse => "worse".to_owned(),
            Tell::CannotTell => {
                let found = 100.0 * self.interval.detectable();
                format!("this run cannot tell (it would have found {found:.2} points four times in five)")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use sermetrics::paired_difference;

    use super::*;

    fn of(differences: &[f64]) -> Comparison {
        Comparison::of(&paired_difference(differences, &vec![0.0; differences.len()], 1.0 / 9.0, 0.95).unwrap())
    }

    #[test]
    fn a_difference_is_told_only_where_the_adjusted_p_allows_it() {
        let clear = [-0.08, -0.1, -0.09, -0.11, -0.07, -0.1, -0.09, -0.08, -0.1, -0.12];
        assert_eq!((of(&clear).tell(), of(&clear.map(|d| -d)).tell()), (Tell::Worse, Tell::Better));
        // Alone it would be told; as one of four it is not.
        let near = [-0.02, -0.05, 0.01, -0.06, -0.03, -0.07, 0.0, -0.05, -0.02, -0.06];
        let alone = of(&near);
        assert!(alone.tell() == Tell::Worse && alone.interval.high < 0.0, "{alone:?}");
        let mut family = [alone; 4];
        Comparison::adjust(&mut family.each_mut()).unwrap();
        assert_eq!((family[0].tell(), family[0].interval), (Tell::CannotTell, alone.interval));
        let half = (alone.interval.high - alone.interval.low) / 2.0;
        let said = format!("{:.2} points four times in five", 140.0 * half);
        assert!(family[0].verdict().contains(&said), "{} {said}", family[0].verdict());
    }
}
