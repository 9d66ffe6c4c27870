//! From configuration files and the command line to the configuration of a run.

mod corpus;
mod experiment;
pub mod files;
mod overrides;

use sermfcc::FrontEnd;

pub use corpus::CorpusConfig;
pub use experiment::{Experiment, Origin, TrainingSettings};
pub use files::Configs;
pub use overrides::Overrides;

/// `config.toml`: all that the figures of a run depend on.
pub type RunConfig = serrun::RunConfig<TrainingSettings, FrontEnd>;

/// One experiment of a run.
pub type Part = serrun::Part<TrainingSettings>;

/// The paper's figures.
pub type Published = serrun::Published<FrontEnd>;
