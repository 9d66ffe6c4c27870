#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod comparison;
mod config;
mod disk;
mod division;
mod environment;
mod error;
mod features;
mod file;
mod fold;
mod identity;
mod mark;
mod metrics;
mod over;
mod predictions;
mod protocol;
mod provenance;
mod published;
mod roster;
mod system;
mod training;

pub use comparison::{Comparison, SIGNIFICANCE, Tell};
pub use config::{Difference, OwnFeatures, RunConfig, RunCorpus, RunEngine, RunExperiment, RunSystem, difference};
pub use disk::{create_folder, is_partial, sync_folder, write_atomic};
pub use division::{Division, FoldsBy, OtherFolds, Split, UnknownDivision};
pub use environment::{Environment, Environments, Session};
pub use error::{Result, RunError};
pub use features::{FeatureKind, FeatureSettings, Normalise};
pub use file::{put, put_json, text};
pub use fold::{EpochRecord, FinishedFold, Scored, fold_file};
pub use identity::{Identity, RUN_VERSION};
pub use mark::{Mark, UnknownMark};
pub use metrics::{Cell, FoldScore, METRICS_VERSION, Metrics, Paired, Summary, SummaryOver};
pub use over::{Over, Unit};
pub use predictions::{Prediction, Predictions};
pub use protocol::{Protocol, UnknownProtocol};
pub use provenance::{FoldLog, Maker, Provenance};
pub use published::{OtherSystem, PaperCorpus, PaperSetting, PaperTraining, Published, PublishedRuns, table2_pairs};
pub use roster::Utterance;
pub use system::{BadSystemName, System};
pub use training::{Attention, Embedding, Embeddings, Epoch, Fusion, TrainingName};
