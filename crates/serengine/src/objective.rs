//! What training minimises.

use serde::{Deserialize, Serialize};

use crate::{
    adam::Adam,
    setting::{SettingError, setting},
};

/// What training minimises and how.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Objective {
    /// Cross entropy is taken against (1 - s) onehot + s / classes.
    pub label_smoothing: f64,
    /// The optimiser.
    pub adam: Adam,
}

impl Default for Objective {
    fn default() -> Self {
        Self { label_smoothing: 0.1, adam: Adam::default() }
    }
}

impl Objective {
    /// # Errors
    /// [`SettingError::Value`] for a value that is not finite or out of its range, by name.
    pub fn validate(&self) -> Result<(), SettingError> {
        let s = self.label_smoothing;
        setting("label_smoothing", s, (0.0..1.0).contains(&s), "at least 0 and below 1")?;
        self.adam.validate()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_out_of_range_are_named() {
        let fine = Objective::default();
        fine.validate().unwrap();
        let with = |change: &dyn Fn(&mut Objective)| {
            let mut objective = fine;
            change(&mut objective);
            objective.validate().unwrap_err().to_string()
        };
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0] {
            let named = [
                ("label_smoothing", with(&|o| o.label_smoothing = bad)),
                ("learning_rate", with(&|o| o.adam.learning_rate = bad)),
                ("beta1", with(&|o| o.adam.beta1 = bad)),
                ("beta2", with(&|o| o.adam.beta2 = bad)),
                ("eps", with(&|o| o.adam.eps = bad)),
            ];
            for (key, text) in named {
                assert!(text.starts_with(&format!("training setting `{key}` is {bad}; it must be")), "{text}");
            }
        }
        with(&|o| o.adam.learning_rate = 0.0);
        with(&|o| o.adam.eps = 0.0);
        with(&|o| o.adam.beta1 = 1.0);
    }
}
