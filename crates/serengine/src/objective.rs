//! What training minimises.

use serde::{Deserialize, Serialize};

use crate::{
    adam::Adam,
    layout::Layout,
    setting::{SettingError, setting},
};

/// What training minimises and how: the mean over a batch of w_y l, l being the cross entropy of an utterance against smoothed targets and
/// w_y the weight of its class (Keras' `class_weight`: the mean is over utterances, not over weights as in PyTorch).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Objective {
    /// s of the targets (1 - s) onehot + s / classes.
    pub label_smoothing: f64,
    /// Weight of each class, in the order of the labels; empty for 1 each, and then absent in files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub class_weights: Vec<f64>,
    /// The optimiser.
    pub adam: Adam,
}

impl Default for Objective {
    fn default() -> Self {
        Self { label_smoothing: 0.1, class_weights: Vec::new(), adam: Adam::default() }
    }
}

impl Objective {
    /// # Errors
    /// [`SettingError::Value`] for a value that is not finite or out of its range, by name; [`SettingError::ClassWeights`] for weights of
    /// another number of classes than the network's.
    pub fn check(&self, layout: &Layout) -> Result<(), SettingError> {
        let s = self.label_smoothing;
        setting("label_smoothing", s, (0.0..1.0).contains(&s), "at least 0 and below 1")?;
        for &w in &self.class_weights {
            setting("class_weights", w, 0.0 < w && w <= 1e6, "above 0 and at most 1e6")?;
        }
        let (found, classes) = (self.class_weights.len(), layout.classes());
        if found != 0 && found != classes {
            return Err(SettingError::ClassWeights { found, classes });
        }
        self.adam.validate()
    }

    /// Weight of a class of the network.
    pub fn class_weight(&self, class: usize) -> f64 {
        self.class_weights.get(class).copied().unwrap_or(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::toy::TOY;

    #[test]
    fn settings_out_of_range_are_named() {
        let layout = TOY.made();
        Objective::default().check(&layout).unwrap();
        Objective { class_weights: vec![0.5, 1.0, 2.0], ..Objective::default() }.check(&layout).unwrap();
        let with = |change: &dyn Fn(&mut Objective)| {
            let mut objective = Objective::default();
            change(&mut objective);
            objective.check(&layout).unwrap_err().to_string()
        };
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0] {
            let named = [
                ("label_smoothing", with(&|o| o.label_smoothing = bad)),
                ("learning_rate", with(&|o| o.adam.learning_rate = bad)),
                ("beta1", with(&|o| o.adam.beta1 = bad)),
                ("beta2", with(&|o| o.adam.beta2 = bad)),
                ("eps", with(&|o| o.adam.eps = bad)),
                ("class_weights", with(&|o| o.class_weights = vec![1.0, bad, 1.0])),
            ];
            for (key, text) in named {
                assert!(text.starts_with(&format!("training setting `{key}` is {bad}; it must be")), "{text}");
            }
        }
        with(&|o| o.adam.learning_rate = 0.0);
        with(&|o| o.adam.eps = 0.0);
        with(&|o| o.adam.beta1 = 1.0);
        let text = with(&|o| o.class_weights = vec![1.0, 2.0]);
        assert_eq!(
            text,
            "training setting `class_weights` has 2 values for 3 classes; give one for each class, in the order of the labels, or none"
        );
    }

    /// The text in finished runs and checkpoints.
    #[test]
    fn no_class_weights_are_not_written() {
        let text = serde_json::to_string(&Objective::default()).unwrap();
        assert!(text.starts_with(r#"{"label_smoothing":0.1,"adam":{"#), "{text}");
        assert_eq!(serde_json::from_str::<Objective>(&text).unwrap(), Objective::default());
        let weighted = Objective { class_weights: vec![0.5, 2.0], ..Objective::default() };
        let text = serde_json::to_string(&weighted).unwrap();
        assert!(text.contains(r#""class_weights":[0.5,2.0]"#), "{text}");
        assert_eq!(serde_json::from_str::<Objective>(&text).unwrap(), weighted);
    }
}
