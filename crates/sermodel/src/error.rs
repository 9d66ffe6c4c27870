/// Why a model can't be read or does not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// Weights that can't be read or do not fit.
    #[error(transparent)]
    Weights(#[from] serengine::WeightsError),
    /// Weights alone: no labels, no front end.
    #[error(
        "the file holds weights but no usable model card ({0}), so neither labels nor front end are known; \
         `ser train` and `ser model import-keras` write model files"
    )]
    NoCard(String),
    /// A card of a later version.
    #[error("the model card has version {found}, this program knows {known}: use a newer one")]
    Version {
        /// What the file has.
        found: u32,
        /// What is known.
        known: u32,
    },
    /// A value of the card that can't be used.
    #[error("model card, `{key}`: {reason}")]
    Card {
        /// The key.
        key: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The settings in the file are not those it was written with.
    #[error(
        "the model's front end has hash {computed}, the file says {recorded}: it was edited, or written by a program in \
         which these settings mean something else"
    )]
    Hash {
        /// In the file.
        recorded: String,
        /// Of the settings in the file.
        computed: String,
    },
    /// Features that were made otherwise than the model's.
    #[error(
        "features of front end {found}, but the model was trained on front end {expected}; they differ in {differences}"
    )]
    OtherFrontEnd {
        /// Hash of the features' front end.
        found: String,
        /// Hash of the model's.
        expected: String,
        /// `key = theirs, not ours`, separated by semicolons.
        differences: String,
    },
    /// A file larger than any model.
    #[error("{path}: more than {most} bytes, so this is no model file")]
    TooLarge {
        /// The file.
        path: String,
        /// Bytes of the largest file that is read.
        most: u64,
    },
    /// Values that are not finite.
    #[error("{what} are not all finite: value {index} is {value}, so no answer can be given")]
    NotFinite {
        /// `the weights`, `the features` or `the logits`.
        what: &'static str,
        /// Index of the first such value.
        index: usize,
        /// The value.
        value: f32,
    },
    /// A class that the model does not have.
    #[error("class {class} of a model of {classes} classes, counted from 0")]
    Class {
        /// What was asked for.
        class: usize,
        /// Classes of the model.
        classes: usize,
    },
    /// Windows that the model can't answer for.
    #[error("a {what} of {seconds} s; it must be at least {least} s and at most {longest:.3} s")]
    Window {
        /// `window`, `hop` or `stretch`.
        what: &'static str,
        /// What was asked for.
        seconds: f64,
        /// The shortest there is.
        least: f64,
        /// The longest there is: the model's training length for a window, the window for a hop.
        longest: f64,
    },
    /// A rate that can't be changed to the model's.
    #[error(transparent)]
    Audio(#[from] seraudio::AudioError),
    /// Samples or values that features can't be made of.
    #[error(transparent)]
    Features(#[from] sermfcc::FeatureError),
    /// The network refuses the features.
    #[error(transparent)]
    Engine(#[from] serengine::EngineError),
}
