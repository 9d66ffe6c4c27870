//! From configuration files and the command line to the configuration of a run.

mod corpus;
mod experiment;
pub mod files;
mod front_end;
mod overrides;
mod system;

use sermfcc::FrontEnd;

pub use corpus::CorpusConfig;
pub use experiment::{Experiment, Origin, TrainingSettings};
pub use files::Configs;
pub use front_end::FrontEndChoice;
pub use overrides::Overrides;
pub use system::{OwnFrontEnd, SystemConfig};

/// `config.toml`: all that the figures of a run depend on.
pub type RunConfig = serrun::RunConfig<TrainingSettings, FrontEnd>;

/// One experiment of a run.
pub type RunExperiment = serrun::RunExperiment<TrainingSettings>;

/// The paper's figures.
pub type Published = serrun::Published<FrontEnd>;

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of this version: its hash must stay what it was, in the types that write it.
    #[test]
    fn a_run_reads_and_writes_as_ever() {
        let text = include_str!("../../../serrun/tests/config-v3.toml");
        assert_eq!(RunConfig::from_toml(text).unwrap().to_toml().unwrap(), text);
        let older = RunConfig::from_toml(&text.replace("hop_length", "hop")).unwrap_err().to_string();
        assert!(older.contains("front_end key `hop` is called `hop_length` now"), "{older}");
    }
}
