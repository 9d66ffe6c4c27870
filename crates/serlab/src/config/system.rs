//! System files: `configs/systems/gm-tcn.toml` and its like. TIM-Net and its ablations have none: the experiment's file is theirs.

use std::collections::BTreeMap;

use sercorpus::CorpusName;
use serde::{Deserialize, Serialize};
use sermfcc::FrontEnd;
use serrun::{FeatureSettings, Preparation, System};

use super::{
    experiment::{Origin, Preview, TrainingSettings},
    files::Configs,
    front_end::FrontEndChoice,
    overrides::{Overrides, Target},
};
use crate::error::{LabError, Result};

/// A system's settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SystemConfig {
    /// The front end, where the system has one of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub front_end: Option<FrontEndChoice>,
    /// What is done with the samples beside padding and cropping; with a front end of its own only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prepare: Option<Preparation>,
    /// Samples after padding or cropping; with a front end of its own only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<usize>,
    /// The same for corpora that have another.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lengths: BTreeMap<CorpusName, usize>,
    /// The training.
    pub training: TrainingSettings,
    /// What a preview on a corpus that comes along leaves out.
    pub preview: Preview,
}

/// A system's own front end.
pub struct OwnFrontEnd<'a> {
    /// The front end.
    pub front_end: FrontEnd,
    /// As `[features]` of an experiment.
    pub settings: FeatureSettings,
    length: usize,
    lengths: &'a BTreeMap<CorpusName, usize>,
}

impl OwnFrontEnd<'_> {
    /// Samples of a corpus' recordings after padding or cropping.
    pub fn length(&self, corpus: &CorpusName) -> usize {
        self.lengths.get(corpus).copied().unwrap_or(self.length)
    }
}

impl SystemConfig {
    /// Reads a system's file with the command line's values in place of its own; None for a system without a file.
    ///
    /// # Errors
    /// As [`Configs::read`]; an override that does not fit, by its text; a value that cannot be used.
    pub fn load(
        configs: &Configs,
        system: &System,
        overrides: &Overrides,
        origin: Origin,
        full: bool,
    ) -> Result<Option<Self>> {
        let Some(file) = configs.system(system)? else { return Ok(None) };
        file.parse::<Self>()?;
        let target = Target::System(system.clone());
        let mut loaded: Self = overrides.apply(&target, file.parse()?)?;
        if origin != Origin::Given && !(origin == Origin::Bundled && full) {
            loaded.training.epochs = loaded.preview.epochs;
            // What was asked for in so many words counts all the same.
            loaded = overrides.apply(&target, toml::Table::try_from(&loaded).map_err(LabError::work)?)?;
        }
        loaded.training.validate().map_err(|e| LabError::Input(format!("{}: {e}", file.path)))?;
        if let Some(key) = loaded.training.of_timnet_alone() {
            return Err(LabError::Input(format!(
                "{}: `training.{key}` is TIM-Net's, and {system} has its own; leave it out",
                file.path
            )));
        }
        match (loaded.front_end.is_some(), loaded.length, loaded.lengths.is_empty() && loaded.prepare.is_none()) {
            (true, Some(_), _) | (false, None, true) => Ok(Some(loaded)),
            _ => Err(LabError::Input(format!(
                "{}: `front_end` and `length` belong together: give both, or neither to take the experiment's and the corpus'",
                file.path
            ))),
        }
    }

    /// The system's own front end; None where it takes the experiment's.
    ///
    /// # Errors
    /// A name that is no preset's or no resampler's; settings that cannot be used.
    pub fn own_front_end(&self) -> Result<Option<OwnFrontEnd<'_>>> {
        let Some((choice, length)) = self.front_end.as_ref().zip(self.length) else { return Ok(None) };
        let mut settings = FeatureSettings::default();
        settings.prepare = self.prepare;
        Ok(Some(OwnFrontEnd { front_end: choice.resolve()?, settings, length, lengths: &self.lengths }))
    }
}
