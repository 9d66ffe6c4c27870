//! Errors of construction apart from errors of a signal.

/// A front end that cannot be built.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FrontEndError {
    /// No such preset.
    #[error("no preset named {name:?}; there are {}", known.join(", "))]
    UnknownPreset {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: Vec<&'static str>,
    },
    /// A preset under the name that it had in an older version.
    #[error("preset `{old}` is called `{new}` now")]
    RenamedPreset {
        /// The name asked for.
        old: String,
        /// The name today.
        new: &'static str,
    },
    /// A setting with a value that is not allowed.
    #[error("{key} = {value} is not allowed: {allowed}")]
    Setting {
        /// The key as in the TOML form, for example `n_mels`.
        key: &'static str,
        /// Its value.
        value: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// A configuration that cannot be read or written as TOML.
    #[error("front end configuration: {message}")]
    Parse {
        /// Line of the fault, counted from 1, where it has one.
        line: Option<usize>,
        /// What is wrong, with the line and the key where they are known.
        message: String,
    },
    /// A stream was asked for with a floor that needs the whole utterance.
    #[error(
        "a stream cannot know the maximum of an utterance that is not over, and top_db = {range} is counted from it: \
         set top_db to \"none\" or to {{ fixed = .. }}, or ask for power or mel"
    )]
    StreamFloor {
        /// The setting `top_db`.
        range: f64,
    },
}

/// A signal or a matrix that features cannot be made of.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FeatureError {
    /// Too few samples for one frame.
    #[error("{samples} sample(s) give no frame: at least {needed} are needed")]
    TooShort {
        /// Samples given.
        samples: usize,
        /// Samples of the shortest signal with a frame.
        needed: usize,
    },
    /// A sample that is not a number.
    #[error("sample {index} is not finite ({value})")]
    NotFinite {
        /// Index of the first such sample.
        index: usize,
        /// Its value.
        value: f32,
    },
    /// A sample so large that its features could overflow in this precision with these settings.
    #[error("sample {index} is {value:e}, beyond {limit:e}; audio is in [-1, 1], or use the f64 extractor")]
    OutOfRange {
        /// Index of the first such sample.
        index: usize,
        /// Its value.
        value: f32,
        /// The largest magnitude allowed.
        limit: f32,
    },
    /// A signal with more frames than can be held at once.
    #[error(
        "{frames} frames of {width} values are more than {most} values: cut the signal into parts, use a larger hop_length, or \
         take its frames from a stream"
    )]
    TooLarge {
        /// Frames of the signal.
        frames: usize,
        /// Values per frame: bands, or the width of the output where that is more.
        width: usize,
        /// The most values that are held at once.
        most: usize,
    },
    /// A buffer of another shape than the output.
    #[error("the output has shape [{}, {}], the buffer [{}, {}]", expected.0, expected.1, found.0, found.1)]
    Shape {
        /// [frames, width] of the output.
        expected: (usize, usize),
        /// Shape of the buffer given.
        found: (usize, usize),
    },
    /// A delta filter that does not fit.
    #[error("delta of width {width} and order {order} over {frames} frame(s): {reason}")]
    Delta {
        /// Width asked for, in frames.
        width: usize,
        /// Order asked for.
        order: usize,
        /// Frames of the features.
        frames: usize,
        /// What is wrong.
        reason: &'static str,
    },
    /// A stream was used after its end.
    #[error("the stream is finished; reset it or make another one")]
    Finished,
}
