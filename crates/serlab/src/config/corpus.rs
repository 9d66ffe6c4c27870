//! Corpus files.

use std::path::PathBuf;

use sercorpus::{CorpusKind, OpenOptions};
use serde::{Deserialize, Serialize};
use timnet_core::ModelConfig;

use super::{
    files::Configs,
    overrides::{Overrides, Target},
};
use crate::error::{LabError, Result};

/// What is wrong with a seed that NumPy cannot take.
pub const TOO_LARGE_A_SEED: &str = "must lie below 2^32: NumPy's RandomState takes no larger one";

/// A corpus' part: `configs/corpora/emodb.toml` and its like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorpusConfig {
    /// The folder it was unpacked into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// Samples after centre padding or cropping.
    pub length: usize,
    /// Blocks of the network.
    pub blocks: usize,
    /// Published seed.
    pub seed: u64,
    /// Choices in reading it (IEMOCAP's excited utterances and styles).
    #[serde(default)]
    pub options: OpenOptions,
}

impl CorpusConfig {
    /// Reads `kind`'s file with the command line's values in place of its own.
    ///
    /// # Errors
    /// As [`Configs::read`]; an override that does not fit, by its text.
    pub fn load(configs: &Configs, kind: CorpusKind, overrides: &Overrides) -> Result<Self> {
        let file = configs.file(&format!("corpora/{kind}.toml"))?;
        file.parse::<Self>()?;
        let loaded: Self = overrides.apply(&Target::Corpus(kind), file.parse()?)?;
        loaded.validate().map_err(|e| LabError::Input(format!("{}: {e}", file.path)))?;
        Ok(loaded)
    }

    /// What would otherwise show only after the features are computed, or not at all.
    fn validate(&self) -> Result<()> {
        let bad = |key: &str, why: &str| Err(LabError::Input(format!("`{key}` {why}")));
        match () {
            () if !(1..=1 << 31).contains(&self.length) => bad("length", "must be at least 1 and at most 2^31 samples"),
            () if self.seed > u64::from(u32::MAX) => bad("seed", TOO_LARGE_A_SEED),
            () => ModelConfig::timnet(self.blocks, 2)
                .validate()
                .or_else(|e| bad("blocks", &format!("cannot be used: {e}"))),
        }
    }
}
