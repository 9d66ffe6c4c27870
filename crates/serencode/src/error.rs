use std::path::PathBuf;

/// Why a file or a recording gives no features or probabilities.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// A file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A folder without a model, or with several.
    #[error("{folder} has no model.onnx, and {found} other ONNX files: name the file itself")]
    NoModel {
        /// The folder.
        folder: PathBuf,
        /// Number of `.onnx` files in it.
        found: usize,
    },
    /// A JSON file beside the model that is not as transformers writes it.
    #[error("{path}: {what}")]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the key.
        what: String,
    },
    /// A file that is no ONNX file, or a damaged one.
    #[error("{path} cannot be read as an ONNX file: {what}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// External data where none may be.
    #[error("{path}: tensor `{tensor}` has its data in `{location}`: {why}")]
    External {
        /// The ONNX file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// The place that the file names.
        location: String,
        /// What is wrong with it.
        why: String,
    },
    /// A file larger than a limit.
    #[error("{path} has {bytes} bytes; the limit is {limit}")]
    TooLarge {
        /// The file, or the ONNX file whose external data is too large.
        path: PathBuf,
        /// Bytes.
        bytes: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// A graph that this crate cannot run, or not within its limits.
    #[error("{path}: {what}")]
    Graph {
        /// The ONNX file.
        path: PathBuf,
        /// What is wrong, and with which operator.
        what: String,
    },
    /// A run that would take more memory than the setting `memory` allows.
    #[error(
        "{path}: a run over {seconds:.2} s would take more than the {limit} bytes that the setting `memory` allows (at operator {at}): \
         set a shorter `window` or more `memory`"
    )]
    Memory {
        /// The ONNX file.
        path: PathBuf,
        /// Length of the recording, or of its window, in seconds.
        seconds: f64,
        /// Bytes allowed.
        limit: u64,
        /// The operator that went beyond the limit.
        at: String,
    },
    /// The runtime refused the file, or stopped at an operator.
    #[error("{path}: the ONNX runtime says: {what}")]
    Runtime {
        /// The ONNX file.
        path: PathBuf,
        /// Its message.
        what: String,
    },
    /// The runtime panicked: a fault in it, or a graph that it does not check.
    #[error("{path}: the ONNX runtime failed inside: {what}")]
    Panic {
        /// The ONNX file.
        path: PathBuf,
        /// The message of the panic.
        what: String,
    },
    /// A setting out of its range.
    #[error("{key} = {value}: allowed are {allowed}")]
    Setting {
        /// The key.
        key: &'static str,
        /// What was given.
        value: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// A setting that is needed, because no file says it.
    #[error("{path}: {what}")]
    Needed {
        /// The ONNX file.
        path: PathBuf,
        /// What is not known, where it was looked for, and the setting that says it.
        what: String,
    },
    /// An output that is not there, does not fit, or has to be chosen.
    #[error("{path}: {what}; outputs of this file: {offered}")]
    Output {
        /// The ONNX file.
        path: PathBuf,
        /// What is wrong.
        what: String,
        /// Names and shapes of the outputs.
        offered: String,
    },
    /// A regressor where a classifier is wanted.
    #[error("{path}: output `{output}` gives {} as numbers, not classes: it is a regressor, and cannot be a classifier", names.join(", "))]
    Regressor {
        /// The ONNX file.
        path: PathBuf,
        /// The output.
        output: String,
        /// What its numbers are.
        names: Vec<String>,
    },
    /// A recording shorter than the network's first frame.
    #[error("the recording has {samples} samples; {path} needs at least {least} at {rate} Hz")]
    TooShort {
        /// The ONNX file.
        path: PathBuf,
        /// Samples of the recording.
        samples: usize,
        /// Samples of the shortest one that gives a frame.
        least: usize,
        /// Sample rate in Hz.
        rate: u32,
    },
    /// A recording longer than the window, where longer ones are refused.
    #[error("the recording has {seconds:.2} s; refused, because the window is {window} s and longer = \"refuse\"")]
    TooLong {
        /// Length of the recording in seconds.
        seconds: f64,
        /// Length of the window in seconds.
        window: f64,
    },
    /// A sample that is not a number or infinite.
    #[error("sample {index} of the recording is {value}")]
    Sample {
        /// Its index.
        index: usize,
        /// Its value.
        value: f32,
    },
    /// Values that are not numbers or infinite, from a recording without any.
    #[error("{path}: output `{output}` is not finite: the network cannot be used with this recording")]
    NotFinite {
        /// The ONNX file.
        path: PathBuf,
        /// The output.
        output: String,
    },
    /// Whisper's log-mel of the recording.
    #[error(transparent)]
    LogMel(#[from] sermfcc::FeatureError),
    /// The settings of Whisper's log-mel.
    #[error(transparent)]
    LogMelSettings(#[from] sermfcc::FrontEndError),
}
