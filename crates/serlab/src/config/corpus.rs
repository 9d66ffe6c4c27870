//! Corpus files: `configs/corpora/emodb.toml` and its like.

use std::path::PathBuf;

use sercorpus::{CorpusName, OpenOptions};
use serde::Deserialize;
use timnet_core::ModelConfig;
use toml::Table;

use super::{
    files::Configs,
    front_end::FrontEndChoice,
    overrides::{Overrides, Target},
};
use crate::error::{LabError, Result};

/// Blocks of the network on a corpus of one's own whose file does not say.
const BLOCKS: usize = 8;
/// Seed of the folds of a corpus of one's own whose file does not say.
const SEED: u64 = 46;

/// What is wrong with a seed that NumPy cannot take.
pub const TOO_LARGE_A_SEED: &str = "must lie below 2^32: NumPy's RandomState takes no larger one";

/// The keys of a corpus' file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CorpusFile {
    path: Option<PathBuf>,
    length: Option<usize>,
    features: Option<PathBuf>,
    frames: Option<usize>,
    blocks: Option<usize>,
    seed: Option<u64>,
    label_map: Option<PathBuf>,
    folds: Option<PathBuf>,
    #[serde(default)]
    front_end: FrontEndChoice,
    #[serde(default)]
    options: OpenOptions,
}

/// A corpus' settings.
#[derive(Clone, Debug, PartialEq)]
pub struct CorpusConfig {
    /// The folder it was unpacked into; of a corpus of one's own the folder or manifest.
    pub path: Option<PathBuf>,
    /// Samples after centre padding or cropping; of a corpus of one's own chosen from the recordings where it is None.
    pub length: Option<usize>,
    /// Features that another program made: a folder of `.npy` files, or one file. Used where an experiment's features are files.
    pub features: Option<PathBuf>,
    /// Frames of those after padding or cropping about the centre; chosen from the files where it is None.
    pub frames: Option<usize>,
    /// Blocks of the network.
    pub blocks: usize,
    /// Seed of the folds where an experiment names none.
    pub seed: u64,
    /// A file that translates labels ([`sercorpus::LabelMap`]); only of a corpus of one's own.
    pub label_map: Option<PathBuf>,
    /// The corpus' own folds, in place of random ones: a CSV of id, fold, part, or a corpus' folder of EmoBox.
    pub folds: Option<PathBuf>,
    /// Settings of the front end over the experiment's.
    pub front_end: FrontEndChoice,
    /// Choices in reading it (IEMOCAP's excited utterances and styles).
    pub options: OpenOptions,
}

impl CorpusConfig {
    /// Reads the corpus' file with the command line's values in place of its own. A corpus of one's own needs no file.
    ///
    /// # Errors
    /// As [`Configs::read`]; an override that does not fit, by its text; a key that a known corpus lacks.
    pub fn load(configs: &Configs, name: &CorpusName, overrides: &Overrides) -> Result<Self> {
        let known = name.kind().is_some();
        let file_name = format!("corpora/{name}.toml");
        let file = if known { Some(configs.file(&file_name)?) } else { configs.own(&file_name)? };
        if let Some(file) = &file {
            file.parse::<CorpusFile>()?;
        }
        let table = file.as_ref().map_or_else(|| Ok(Table::new()), |file| file.parse())?;
        let found: CorpusFile = overrides.apply(&Target::Corpus(name.clone()), table)?;
        let place = file.map_or(file_name, |file| file.path);
        let at = |e: LabError| LabError::Input(format!("{place}: {e}"));
        let absent =
            [("length", found.length.is_none()), ("blocks", found.blocks.is_none()), ("seed", found.seed.is_none())];
        if let Some((key, _)) = absent.into_iter().find(|(_, absent)| known && *absent) {
            return Err(LabError::Input(format!(
                "{place}: `{key}` is missing; `serlab config show corpora/{name}` has it"
            )));
        }
        if known && found.label_map.is_some() {
            return Err(LabError::Input(format!(
                "{place}: `label_map` is for a corpus of one's own, and the classes of {name} are known; give the corpus another name"
            )));
        }
        let loaded = Self {
            path: found.path,
            length: found.length,
            features: found.features,
            frames: found.frames,
            blocks: found.blocks.unwrap_or(BLOCKS),
            seed: found.seed.unwrap_or(SEED),
            label_map: found.label_map,
            folds: found.folds,
            front_end: found.front_end,
            options: found.options,
        };
        loaded.validate().map_err(at)?;
        Ok(loaded)
    }

    /// What would otherwise show only after the features are computed, or not at all.
    fn validate(&self) -> Result<()> {
        let bad = |key: &str, why: &str| Err(LabError::Input(format!("`{key}` {why}")));
        match () {
            () if self.length.is_some_and(|length| !(1..=1 << 31).contains(&length)) => {
                bad("length", "must be at least 1 and at most 2^31 samples")
            }
            () if self.frames.is_some_and(|frames| !(1..=1 << 20).contains(&frames)) => {
                bad("frames", "must be at least 1 and at most 2^20")
            }
            () if self.seed > u64::from(u32::MAX) => bad("seed", TOO_LARGE_A_SEED),
            () => ModelConfig::timnet(self.blocks, 2)
                .validate()
                .or_else(|e| bad("blocks", &format!("cannot be used: {e}"))),
        }
    }
}
