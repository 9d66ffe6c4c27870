//! Losses of one utterance.

use serde::{Deserialize, Serialize};

use crate::{
    numbers::{log_softmax, softmax},
    setting::{SettingError, setting},
};

/// Loss of an utterance, of its probabilities p = softmax(logits) and its targets t, which sum to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Loss {
    /// -sum_c t_c ln p_c, computed of the logits: right for any p.
    #[default]
    CrossEntropy,
    /// -sum_c t_c ln of p_c held between `clip` and 1 - `clip`: no gradient of a p_c beyond.
    ClippedCrossEntropy {
        /// Above 0 and below 0.5.
        clip: f64,
    },
    /// Focal loss (Lin et al. 2017): -sum_c t_c (1 - p_c)^gamma ln p_c.
    Focal {
        /// 1 to 10.
        gamma: f64,
    },
    /// Margin loss (Sabour et al. 2017) of probabilities:
    /// sum_c t_c max(0, `present` - p_c)^2 + `weight` (1 - t_c) max(0, p_c - `absent`)^2.
    Margin {
        /// A class that is present costs nothing from this probability on, 0 to 1.
        present: f64,
        /// A class that is absent costs nothing up to this probability, 0 to 1.
        absent: f64,
        /// Weight of the classes that are absent, 0 to 1000.
        weight: f64,
    },
}

impl Loss {
    /// # Errors
    /// [`SettingError::Value`] for a value that is not finite or out of its range, by name.
    pub fn validate(self) -> Result<(), SettingError> {
        let share = |key, value: f64| setting(key, value, (0.0..=1.0).contains(&value), "at least 0 and at most 1");
        match self {
            Self::CrossEntropy => Ok(()),
            Self::ClippedCrossEntropy { clip } => {
                setting("loss.clip", clip, 0.0 < clip && clip < 0.5, "above 0 and below 0.5")
            }
            Self::Focal { gamma } => {
                setting("loss.gamma", gamma, (1.0..=10.0).contains(&gamma), "at least 1 and at most 10")
            }
            Self::Margin { present, absent, weight } => {
                share("loss.present", present)?;
                share("loss.absent", absent)?;
                setting("loss.weight", weight, (0.0..=1e3).contains(&weight), "at least 0 and at most 1000")
            }
        }
    }

    pub(crate) fn is_cross_entropy(&self) -> bool {
        *self == Self::CrossEntropy
    }

    /// The loss and its gradient in the logits, in double precision; NaN of a logit that is NaN or infinite.
    pub fn of(self, logits: &[f32], target: impl Fn(usize) -> f64) -> (f64, Vec<f64>) {
        let (p, ln) = (softmax(logits, 1.0), log_softmax(logits, 1.0));
        if self == Self::CrossEntropy {
            let loss = -ln.iter().enumerate().map(|(k, ln)| target(k) * ln).sum::<f64>();
            return (loss, p.into_iter().enumerate().map(|(k, p)| p - target(k)).collect());
        }
        // Loss of a class and p times its derivative in p.
        let class = |k: usize| -> (f64, f64) {
            let (t, p, ln) = (target(k), p[k], ln[k]);
            match self {
                Self::ClippedCrossEntropy { clip } if p < clip || p > 1.0 - clip => {
                    (-t * p.clamp(clip, 1.0 - clip).ln(), 0.0)
                }
                Self::CrossEntropy | Self::ClippedCrossEntropy { .. } => (-t * ln, -t),
                Self::Focal { gamma } => {
                    let easy = (1.0 - p).powf(gamma);
                    (-t * easy * ln, t * (gamma * (1.0 - p).powf(gamma - 1.0) * p * ln - easy))
                }
                Self::Margin { present, absent, weight } => {
                    let (low, high) = ((present - p).max(0.0), weight * (1.0 - t) * (p - absent).max(0.0));
                    (t * low * low + high * (p - absent), 2.0 * p * (high - t * low))
                }
            }
        };
        let (losses, slopes): (Vec<f64>, Vec<f64>) = (0..p.len()).map(class).unzip();
        let mean: f64 = slopes.iter().sum();
        (losses.into_iter().sum(), slopes.into_iter().zip(&p).map(|(slope, p)| slope - p * mean).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOSSES: [Loss; 4] = [
        Loss::CrossEntropy,
        Loss::ClippedCrossEntropy { clip: 0.1 },
        Loss::Focal { gamma: 2.0 },
        Loss::Margin { present: 0.9, absent: 0.1, weight: 0.5 },
    ];

    /// Slopes by complex steps, which lose nothing to differences:
    ///
    /// ```python
    /// x, t = np.array([1, -2, 0.5, 3]), np.array([0.1, 0.6, 0.1, 0.2])
    /// relu = lambda v: np.where(v.real > 0, v, 0)
    /// for f in [
    ///     lambda p: -(t * np.log(p)).sum(),
    ///     lambda p: -(t * np.log(np.where((p.real >= 0.1) & (p.real <= 0.9), p, p.real.clip(0.1, 0.9)))).sum(),
    ///     lambda p: -(t * (1 - p) ** 2 * np.log(p)).sum(),
    ///     lambda p: (t * relu(0.9 - p) ** 2 + 0.5 * (1 - t) * relu(p - 0.1) ** 2).sum(),
    /// ]:
    ///     at = lambda z: f(np.exp(z) / np.exp(z).sum())
    ///     print(at(x + 0j).real, [at(x + 1e-30j * (np.arange(4) == k)).imag / 1e-30 for k in range(4)])
    /// ```
    #[test]
    fn losses_and_gradients_are_numpys() {
        let targets = [0.1, 0.6, 0.1, 0.2];
        let expected = [
            (3.652253447679352, [0.010553750361739181, -0.5944958528724162, -0.03294576085938852, 0.6168878633700657]),
            (
                1.8724855993996372,
                [-0.06683387489147827, 0.0016512441382751022, 0.020116271742183448, 0.04506635901101972],
            ),
            (3.4978665174628474, [-0.02406619819229037, -0.6226880044725722, -0.06119265354720239, 0.707946856212065]),
            (
                0.818779031294697,
                [-0.06149478863483061, -0.00815300417489681, -0.038518746375684754, 0.10816653918541214],
            ),
        ];
        for (loss, (value, gradient)) in LOSSES.into_iter().zip(expected) {
            let (found, slopes) = loss.of(&[1.0, -2.0, 0.5, 3.0], |k| targets[k]);
            assert!((found - value).abs() < 1e-12, "{loss:?}: {found} {value}");
            assert!(
                slopes.iter().zip(gradient).all(|(a, b)| (a - b).abs() < 1e-12),
                "{loss:?}: {slopes:?} {gradient:?}"
            );
        }
    }

    /// `-(t * scipy.special.log_softmax(x)).sum()` for t = 0.9 onehot(label) + 0.1 / 3: also where a probability is below the smallest
    /// double, and NaN of NaN.
    #[test]
    fn cross_entropy_is_scipys() {
        for (logits, label, expected) in
            [([1.0, -2.0, 0.5], 1, 3.321_263_569_008_950_3), ([0.0, 2000.0, -1000.0], 2, 2_866.666_666_666_666_5)]
        {
            let target = |k| 0.1 / 3.0 + if k == label { 0.9 } else { 0.0 };
            let (loss, gradient) = Loss::CrossEntropy.of(&logits, target);
            assert!((loss - expected).abs() < 1e-12 * expected, "{loss} {expected}");
            assert!(gradient.iter().sum::<f64>().abs() < 1e-12);
        }
        let loss = Loss::CrossEntropy.of(&[0.0, f32::NEG_INFINITY, 1.0], |_| 1.0 / 3.0).0;
        assert!(loss.is_nan());
    }

    #[test]
    fn a_logit_that_is_no_number_makes_every_loss_nan() {
        for (loss, bad) in LOSSES.into_iter().flat_map(|loss| [f32::NAN, f32::INFINITY].map(|bad| (loss, bad))) {
            assert!(loss.of(&[0.0, bad, 1.0], |k| if k == 0 { 1.0 } else { 0.0 }).0.is_nan(), "{loss:?} {bad}");
        }
    }

    #[test]
    fn losses_out_of_range_are_named() {
        for (loss, says) in [
            (Loss::ClippedCrossEntropy { clip: 0.0 }, "`loss.clip` is 0; it must be above 0"),
            (Loss::Focal { gamma: 0.5 }, "`loss.gamma` is 0.5; it must be at least 1"),
            (Loss::Focal { gamma: f64::NAN }, "`loss.gamma` is NaN"),
            (Loss::Margin { present: 1.5, absent: 0.1, weight: 0.5 }, "`loss.present` is 1.5"),
            (Loss::Margin { present: 0.9, absent: -0.1, weight: 0.5 }, "`loss.absent` is -0.1"),
            (Loss::Margin { present: 0.9, absent: 0.1, weight: f64::INFINITY }, "`loss.weight` is inf"),
        ] {
            let text = loss.validate().unwrap_err().to_string();
            assert!(text.contains(says), "{text}");
        }
    }
}
