//! The optimiser.

use serde::{Deserialize, Serialize};

use crate::setting::{SettingError, setting};

/// The learning rate over the optimiser's steps: a factor on [`Adam::learning_rate`] that depends on the step alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum RateSchedule {
    /// 1 at every step.
    #[default]
    Constant,
    /// From 1 to `share` along half a cosine over `steps` steps, `share` from then on; Keras' CosineDecay.
    Cosine {
        /// Steps from the first to the one that has `share`, at least 1.
        steps: u64,
        /// Factor at the end, 0 to 1.
        share: f64,
    },
    /// 1 for the first `every` steps, then `factor` times as much after every `every` steps; Keras' ExponentialDecay with staircase.
    Step {
        /// Steps between two changes, at least 1.
        every: u64,
        /// Factor of each change, above 0 and at most 1.
        factor: f64,
    },
    /// 1 for the first `first` steps, then `factor` times as much, and again after every further `every` steps.
    StepFrom {
        /// Steps before the first change, at least 1.
        first: u64,
        /// Steps between two changes after it, at least 1.
        every: u64,
        /// Factor of each change, above 0 and at most 1.
        factor: f64,
    },
}

impl RateSchedule {
    /// The factor at step `t`, counted from 1.
    pub fn factor(self, t: u64) -> f64 {
        let before = t.saturating_sub(1);
        match self {
            Self::Constant => 1.0,
            Self::Cosine { steps, share } => {
                let done = before.min(steps) as f64 / steps as f64;
                share + (1.0 - share) * 0.5 * (1.0 + (std::f64::consts::PI * done).cos())
            }
            Self::Step { every, factor } => factor.powf((before / every) as f64),
            Self::StepFrom { first, every, factor } => {
                factor.powf(before.checked_sub(first).map_or(0, |later| 1 + later / every) as f64)
            }
        }
    }

    fn is_constant(&self) -> bool {
        *self == Self::Constant
    }

    fn validate(self) -> Result<(), SettingError> {
        match self {
            Self::Constant => Ok(()),
            Self::Cosine { steps, share } => {
                setting("schedule.steps", steps as f64, steps > 0, "at least 1")?;
                setting("schedule.share", share, (0.0..=1.0).contains(&share), "at least 0 and at most 1")
            }
            Self::Step { every, factor } => Self::StepFrom { first: every, every, factor }.validate(),
            Self::StepFrom { first, every, factor } => {
                setting("schedule.every", every as f64, every > 0, "at least 1")?;
                setting("schedule.first", first as f64, first > 0, "at least 1")?;
                setting("schedule.factor", factor, 0.0 < factor && factor <= 1.0, "above 0 and at most 1")
            }
        }
    }
}

/// Adam (Kingma and Ba 2015) in Keras' form:
/// p -= lr sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(v) + eps), lr being the learning rate at step t.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Adam {
    /// Learning rate.
    pub learning_rate: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub eps: f64,
    /// The learning rate over the steps; absent in files where constant.
    #[serde(skip_serializing_if = "RateSchedule::is_constant")]
    pub schedule: RateSchedule,
}

impl Default for Adam {
    fn default() -> Self {
        Self { learning_rate: 1e-3, beta1: 0.93, beta2: 0.98, eps: 1e-8, schedule: RateSchedule::Constant }
    }
}

impl Adam {
    /// # Errors
    /// [`SettingError::Value`] for a value that is not finite or out of its range, by name.
    pub fn validate(&self) -> Result<(), SettingError> {
        let decay = "at least 0 and below 1";
        setting(
            "learning_rate",
            self.learning_rate,
            0.0 < self.learning_rate && self.learning_rate <= 1e3,
            "above 0 and at most 1000",
        )?;
        setting("beta1", self.beta1, (0.0..1.0).contains(&self.beta1), decay)?;
        setting("beta2", self.beta2, (0.0..1.0).contains(&self.beta2), decay)?;
        // Below that, eps is 0 in single precision, and a parameter without a gradient becomes 0 / 0.
        setting("eps", self.eps, (1e-30..=1.0).contains(&self.eps), "at least 1e-30 and at most 1")?;
        self.schedule.validate()
    }

    /// The factor on m / (sqrt(v) + eps) at step `t`, counted from 1.
    pub fn rate(&self, t: u64) -> f64 {
        let rate = self.learning_rate * self.schedule.factor(t);
        rate * (1.0 - self.beta2.powf(t as f64)).sqrt() / (1.0 - self.beta1.powf(t as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ```python
    /// s = np.arange(0, 13)                                              # Keras' iterations, before the step
    /// 0.1 + 0.9 * 0.5 * (1 + np.cos(np.pi * np.minimum(s, 8) / 8))      # CosineDecay(1, 8, alpha=0.1)
    /// 0.5 ** (s // 5)                                                   # ExponentialDecay(1, 5, 0.5, staircase=True)
    /// np.cumprod([0.5 if i in (3, 8) else 1 for i in s])                # changed at iterations 3, 8, 13, ..
    /// ```
    #[test]
    fn schedules_are_keras() {
        let cosine = [
            1.0,
            0.965_745_789_630_079_1,
            0.868_198_051_533_946_4,
            0.722_207_544_564_290_4,
            0.55,
            0.377_792_455_435_709_6,
            0.231_801_948_466_053_67,
            0.134_254_210_369_920_97,
            0.1,
            0.1,
            0.1,
            0.1,
            0.1,
        ];
        let step = [1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25];
        let late = [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.25];
        for (t, ((cosine, step), late)) in (1..).zip(cosine.into_iter().zip(step).zip(late)) {
            let near = |schedule: RateSchedule, expected: f64| {
                assert!((schedule.factor(t) - expected).abs() < 1e-12, "{schedule:?} at {t}: {expected}");
                let adam = Adam { schedule, ..Adam::default() };
                let rate = Adam::default().rate(t) * expected;
                assert!((adam.rate(t) - rate).abs() < 1e-12 * rate, "{schedule:?} at {t}");
            };
            near(RateSchedule::Cosine { steps: 8, share: 0.1 }, cosine);
            near(RateSchedule::Step { every: 5, factor: 0.5 }, step);
            near(RateSchedule::StepFrom { first: 3, every: 5, factor: 0.5 }, late);
            near(RateSchedule::Constant, 1.0);
        }
    }

    /// The text in finished runs and checkpoints, and how a schedule is written.
    #[test]
    fn a_constant_rate_is_not_written() {
        let text = r#"{"learning_rate":0.001,"beta1":0.93,"beta2":0.98,"eps":1e-8}"#;
        assert_eq!(serde_json::to_string(&Adam::default()).unwrap(), text);
        assert_eq!(serde_json::from_str::<Adam>(text).unwrap(), Adam::default());
        for (schedule, text) in [
            (RateSchedule::Cosine { steps: 100, share: 0.01 }, r#"{"kind":"cosine","steps":100,"share":0.01}"#),
            (RateSchedule::Step { every: 20, factor: 0.5 }, r#"{"kind":"step","every":20,"factor":0.5}"#),
            (
                RateSchedule::StepFrom { first: 60, every: 20, factor: 0.5 },
                r#"{"kind":"step-from","first":60,"every":20,"factor":0.5}"#,
            ),
        ] {
            let written = serde_json::to_string(&Adam { schedule, ..Adam::default() }).unwrap();
            assert!(written.contains(&format!(r#""schedule":{text}"#)), "{written}");
            assert_eq!(serde_json::from_str::<Adam>(&written).unwrap().schedule, schedule);
        }
        let unknown = r#"{"schedule":{"kind":"step","every":20,"factor":0.5,"from":3}}"#;
        assert!(serde_json::from_str::<Adam>(unknown).unwrap_err().to_string().contains("unknown field `from`"));
    }

    #[test]
    fn schedules_out_of_range_are_named() {
        for (schedule, says) in [
            (RateSchedule::Cosine { steps: 0, share: 0.1 }, "`schedule.steps` is 0; it must be at least 1"),
            (RateSchedule::Cosine { steps: 9, share: 1.5 }, "`schedule.share` is 1.5; it must be at least 0"),
            (RateSchedule::Cosine { steps: 9, share: f64::NAN }, "`schedule.share` is NaN"),
            (RateSchedule::Step { every: 0, factor: 0.1 }, "`schedule.every` is 0; it must be at least 1"),
            (RateSchedule::Step { every: 9, factor: 0.0 }, "`schedule.factor` is 0; it must be above 0"),
            (RateSchedule::Step { every: 9, factor: f64::INFINITY }, "`schedule.factor` is inf"),
            (
                RateSchedule::StepFrom { first: 0, every: 9, factor: 0.1 },
                "`schedule.first` is 0; it must be at least 1",
            ),
        ] {
            let text = Adam { schedule, ..Adam::default() }.validate().unwrap_err().to_string();
            assert!(text.contains(says), "{text}");
        }
    }
}
