//! From configuration files and the command line to the resolved configuration of a run.

mod corpus;
mod division;
mod experiment;
pub mod files;
mod overrides;
mod resolved;

pub use corpus::CorpusConfig;
pub use division::{Division, Split};
pub use experiment::{Experiment, Origin, Training};
pub use files::Configs;
pub use overrides::Overrides;
pub use resolved::{Part, RunConfig, RunCorpus, difference};
