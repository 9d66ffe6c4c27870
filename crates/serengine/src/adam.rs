//! The optimiser.

use serde::{Deserialize, Serialize};

use crate::setting::{SettingError, setting};

/// Adam (Kingma and Ba 2015) in Keras' form:
/// p -= lr sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(v) + eps).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Adam {
    /// Step size.
    pub learning_rate: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub eps: f64,
}

impl Default for Adam {
    fn default() -> Self {
        Self { learning_rate: 1e-3, beta1: 0.93, beta2: 0.98, eps: 1e-8 }
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
        setting("eps", self.eps, (1e-30..=1.0).contains(&self.eps), "at least 1e-30 and at most 1")
    }

    /// The factor on m / (sqrt(v) + eps) at step `t`, counted from 1.
    pub fn rate(&self, t: u64) -> f64 {
        self.learning_rate * (1.0 - self.beta2.powf(t as f64)).sqrt() / (1.0 - self.beta1.powf(t as f64))
    }
}
