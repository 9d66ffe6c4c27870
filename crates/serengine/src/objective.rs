//! What training minimises.

use serde::{Deserialize, Serialize};

use crate::{
    adam::Adam,
    layout::{Layout, Range},
    loss::Loss,
    setting::{SettingError, setting},
};

/// What training minimises and how: the mean over a batch of w_y l, l being the loss of an utterance against smoothed targets and
/// w_y the weight of its class (Keras' `class_weight`: the mean is over utterances, not over weights as in PyTorch), plus the L2 penalty.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Objective {
    /// The loss of an utterance; absent in files where cross entropy.
    #[serde(skip_serializing_if = "Loss::is_cross_entropy")]
    pub loss: Loss,
    /// s of the targets (1 - s) onehot + s / classes.
    pub label_smoothing: f64,
    /// How often the target of each utterance of the data set is smoothed: m rounds make (1 - s)^m onehot + (1 - (1 - s)^m) / classes.
    /// Empty for once each, and then absent in files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub smoothing_rounds: Vec<u32>,
    /// Weight of each class, in the order of the labels; empty for 1 each, and then absent in files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub class_weights: Vec<f64>,
    /// Penalty on kernels; absent in files where none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub l2: Option<L2>,
    /// The optimiser.
    pub adam: Adam,
}

impl Default for Objective {
    fn default() -> Self {
        Self {
            loss: Loss::default(),
            label_smoothing: 0.1,
            smoothing_rounds: Vec::new(),
            class_weights: Vec::new(),
            l2: None,
            adam: Adam::default(),
        }
    }
}

/// L2 penalty: `weight` times the sum of squares of the named tensors, added to the loss of every batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct L2 {
    /// Factor of the sum of squares, 0 to 1000.
    pub weight: f64,
    /// Names in [`Layout::tensors`].
    pub tensors: Vec<String>,
}

impl L2 {
    /// A penalty on the named tensors.
    pub fn new(weight: f64, tensors: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { weight, tensors: tensors.into_iter().map(Into::into).collect() }
    }

    /// Places of the tensors.
    ///
    /// # Errors
    /// [`SettingError::Tensor`] for a name that the layout does not have.
    pub fn places(&self, layout: &Layout) -> Result<Vec<Range>, SettingError> {
        let find = |name: &String| layout.tensors().iter().find(|t| t.name == *name).map(|t| t.range);
        let unknown = |name: &String| SettingError::Tensor {
            name: name.clone(),
            family: layout.family(),
            known: layout.tensors().iter().map(|t| &t.name[..]).collect::<Vec<_>>().join(", "),
        };
        self.tensors.iter().map(|name| find(name).ok_or_else(|| unknown(name))).collect()
    }
}

impl Objective {
    /// # Errors
    /// [`SettingError::Value`] for a value that is not finite or out of its range, by name; [`SettingError::ClassWeights`] for weights of
    /// another number of classes than the network's, [`SettingError::Rounds`] for rounds of smoothing of another number of utterances,
    /// [`SettingError::Tensor`] for a penalty on a tensor that is not there.
    pub fn check(&self, layout: &Layout, utterances: usize) -> Result<(), SettingError> {
        self.loss.validate()?;
        let s = self.label_smoothing;
        setting("label_smoothing", s, (0.0..1.0).contains(&s), "at least 0 and below 1")?;
        for &w in &self.class_weights {
            setting("class_weights", w, 0.0 < w && w <= 1e6, "above 0 and at most 1e6")?;
        }
        let (found, classes) = (self.class_weights.len(), layout.classes());
        if found != 0 && found != classes {
            return Err(SettingError::ClassWeights { found, classes });
        }
        let found = self.smoothing_rounds.len();
        if found != 0 && found != utterances {
            return Err(SettingError::Rounds { found, utterances });
        }
        if let Some(l2) = &self.l2 {
            setting("l2.weight", l2.weight, (0.0..=1e3).contains(&l2.weight), "at least 0 and at most 1000")?;
            l2.places(layout)?;
        }
        self.adam.validate()
    }

    /// s of the targets of an utterance of the data set, all rounds of smoothing taken together.
    pub fn smoothing(&self, utterance: usize) -> f64 {
        match self.smoothing_rounds.get(utterance) {
            None | Some(1) => self.label_smoothing,
            Some(&rounds) => 1.0 - (1.0 - self.label_smoothing).powf(f64::from(rounds)),
        }
    }

    /// Loss of an utterance of the data set with the class `label`, without its class weight, and its gradient in the logits.
    pub fn loss_of(&self, logits: &[f32], label: usize, utterance: usize) -> (f64, Vec<f64>) {
        let (smoothing, classes) = (self.smoothing(utterance), logits.len() as f64);
        self.loss.of(logits, |k| smoothing / classes + if k == label { 1.0 - smoothing } else { 0.0 })
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
        Objective::default().check(&layout, 4).unwrap();
        Objective { class_weights: vec![0.5, 1.0, 2.0], ..Objective::default() }.check(&layout, 4).unwrap();
        let with = |change: &dyn Fn(&mut Objective)| {
            let mut objective = Objective::default();
            change(&mut objective);
            objective.check(&layout, 4).unwrap_err().to_string()
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
        let text = with(&|o| o.smoothing_rounds = vec![1; 3]);
        assert!(text.starts_with("training setting `smoothing_rounds` has 3 values for 4 utterances"), "{text}");
        assert!(with(&|o| o.l2 = Some(L2::new(-1.0, ["scale"]))).contains("`l2.weight` is -1"));
        let text = with(&|o| o.l2 = Some(L2::new(0.1, ["scale", "kernel"])));
        assert_eq!(
            text,
            "training setting `l2` names the tensor `kernel`, which a `toy` network does not have; it has weight, scale"
        );
        assert!(with(&|o| o.loss = Loss::Focal { gamma: 0.0 }).contains("`loss.gamma` is 0"));
    }

    /// `t = np.eye(4)[1]; for _ in range(m): t = 0.9 * t + 0.1 / 4`, then `t[1]` for m = 0, 1, 2, 7.
    #[test]
    fn rounds_of_smoothing_compound() {
        let objective = Objective { smoothing_rounds: vec![0, 1, 2, 7], ..Objective::default() };
        for (utterance, expected) in [1.0, 0.925, 0.8575, 0.608_722_675].into_iter().enumerate() {
            let s = objective.smoothing(utterance);
            assert!((1.0 - s + s / 4.0 - expected).abs() < 1e-12, "{utterance}");
        }
        assert_eq!(objective.smoothing(1), 0.1);
        assert_eq!(Objective::default().smoothing(9), 0.1);
        // The smaller the target, the smaller the loss of an answer that is wrong.
        let loss = |utterance| objective.loss_of(&[3.0, -3.0, 0.0, 0.0], 1, utterance).0;
        assert!(loss(0) > loss(1) && loss(1) > loss(2) && loss(2) > loss(3));
    }

    /// The text in finished runs and checkpoints.
    #[test]
    fn what_is_not_asked_for_is_not_written() {
        let text = serde_json::to_string(&Objective::default()).unwrap();
        assert!(text.starts_with(r#"{"label_smoothing":0.1,"adam":{"#), "{text}");
        assert_eq!(serde_json::from_str::<Objective>(&text).unwrap(), Objective::default());
        let weighted = Objective { class_weights: vec![0.5, 2.0], ..Objective::default() };
        let text = serde_json::to_string(&weighted).unwrap();
        assert!(text.contains(r#""class_weights":[0.5,2.0]"#), "{text}");
        assert_eq!(serde_json::from_str::<Objective>(&text).unwrap(), weighted);
        let margin = Loss::Margin { present: 0.9, absent: 0.1, weight: 0.5 };
        let l2 = Some(L2::new(1e-6, ["weight"]));
        let all = Objective { loss: margin, smoothing_rounds: vec![1, 2], l2, ..Objective::default() };
        let text = serde_json::to_string(&all).unwrap();
        assert!(text.contains(r#""loss":{"kind":"margin","present":0.9,"absent":0.1,"weight":0.5}"#), "{text}");
        assert!(text.contains(r#""l2":{"weight":1e-6,"tensors":["weight"]}"#), "{text}");
        assert_eq!(serde_json::from_str::<Objective>(&text).unwrap(), all);
    }
}
