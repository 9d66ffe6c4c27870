//! Settings of the loss and the optimiser that can't be used.

/// Why settings of the loss or the optimiser can't be used.
#[derive(Debug, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum SettingError {
    /// A value out of range.
    #[error("training setting `{key}` is {value}; it must be {must}")]
    Value {
        /// The setting.
        key: &'static str,
        /// Its value.
        value: f64,
        /// What it must be.
        must: &'static str,
    },
    /// A penalty on a tensor that the network does not have.
    #[error(
        "training setting `l2` names the tensor `{name}`, which a `{family}` network does not have; it has {known}"
    )]
    Tensor {
        /// The name.
        name: String,
        /// Family of the network.
        family: &'static str,
        /// The network's tensors.
        known: String,
    },
    /// Rounds of smoothing of another number of utterances.
    #[error(
        "training setting `smoothing_rounds` has {found} values for {utterances} utterances; give one for each utterance of the data \
         set, or none"
    )]
    Rounds {
        /// Number of values.
        found: usize,
        /// Number of utterances.
        utterances: usize,
    },
    /// Class weights of another number of classes.
    #[error(
        "training setting `class_weights` has {found} values for {classes} classes; give one for each class, in the order of the \
         labels, or none"
    )]
    ClassWeights {
        /// Number of weights.
        found: usize,
        /// Number of classes.
        classes: usize,
    },
}

/// [`SettingError::Value`] unless `fine`.
pub(crate) fn setting(key: &'static str, value: f64, fine: bool, must: &'static str) -> Result<(), SettingError> {
    if fine { Ok(()) } else { Err(SettingError::Value { key, value, must }) }
}
