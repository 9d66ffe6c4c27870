//! `[front_end]`: a preset of `sermfcc` and settings over it.

use serde::{Deserialize, Serialize};
use sermfcc::FrontEnd;
use toml::{Table, Value};

use crate::error::{LabError, Result};

const PRESET: &str = "preset";

/// The keys of a table `[front_end]`: `preset`, and any key of [`FrontEnd`]. Keys and the types of their values are checked when it is
/// read; values by [`Self::resolve`], because they depend on one another.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Table", into = "Table")]
pub struct FrontEndChoice(Table);

impl FrontEndChoice {
    /// With the keys of `other` in place of its own; `other` alone where that names a preset.
    pub fn with(&self, other: &Self) -> Self {
        if other.0.contains_key(PRESET) {
            return other.clone();
        }
        Self(self.0.iter().chain(&other.0).map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    /// The front end that it means.
    ///
    /// # Errors
    /// A value that cannot be used, by its key.
    pub fn resolve(&self) -> Result<FrontEnd> {
        let front_end = self.read()?;
        front_end.validate().map_err(|e| LabError::Input(format!("`front_end`: {e}")))?;
        Ok(front_end)
    }

    fn read(&self) -> Result<FrontEnd> {
        let bad = |e: &dyn std::fmt::Display| LabError::Input(format!("`front_end`: {e}"));
        let mut given = self.0.clone();
        let preset = match given.remove(PRESET) {
            None => FrontEnd::default(),
            Some(Value::String(name)) => FrontEnd::preset(&name).map_err(|e| bad(&e))?,
            Some(other) => return Err(bad(&format!("preset = {other}: the name of a preset is a string"))),
        };
        let mut all = Table::try_from(preset).map_err(|e| bad(&e))?;
        all.extend(given);
        all.try_into().map_err(|e| bad(&e))
    }
}

impl TryFrom<Table> for FrontEndChoice {
    type Error = LabError;

    fn try_from(given: Table) -> Result<Self> {
        let choice = Self(given);
        choice.read().map(|_| choice)
    }
}

impl From<FrontEndChoice> for Table {
    fn from(FrontEndChoice(given): FrontEndChoice) -> Self {
        given
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn choice(text: &str) -> std::result::Result<FrontEndChoice, toml::de::Error> {
        toml::from_str(text)
    }

    /// Every key that a preset has, of whatever version of `sermfcc`, is taken over another preset.
    #[test]
    fn every_setting_goes_over_a_preset() {
        let paper = FrontEnd::preset("timnet-paper").unwrap();
        let text = format!("preset = \"librosa-0.10\"\n{}", toml::to_string(&paper).unwrap());
        assert_eq!(choice(&text).unwrap().resolve().unwrap(), paper);
        let one = choice("preset = \"librosa-0.10\"\nn_mels = 64").unwrap().resolve().unwrap();
        let differ: Vec<_> =
            one.differences(&FrontEnd::preset("librosa-0.10").unwrap()).into_iter().map(|d| d.key).collect();
        assert_eq!(differ, ["n_mels"]);
    }

    #[test]
    fn a_corpus_keys_go_over_those_of_an_experiment() {
        let experiment = choice("preset = \"timnet-0.9\"\nn_mels = 64\nfmin = 50.0").unwrap();
        let own = |text| experiment.with(&choice(text).unwrap()).resolve().unwrap();
        let (over, alone) = (own("n_mels = 80"), own("preset = \"timnet-0.8.1\""));
        assert_eq!((over.n_mels, over.fmin), (80, 50.0));
        assert_eq!(alone, FrontEnd::preset("timnet-0.8.1").unwrap());
    }

    #[test]
    fn wrong_keys_and_values_are_told() {
        for (text, part) in [
            ("n_mel = 64", "n_mel"),
            ("preset = \"librosa-7\"", "librosa-7"),
            ("preset = 7", "the name of a preset is a string"),
            ("n_mels = \"many\"", "n_mels"),
            ("hop = 512", "hop_length"),
        ] {
            let said = choice(text).unwrap_err().to_string();
            assert!(said.contains(part) && said.contains("`front_end`"), "{text}: {said}");
        }
        let said = choice("fmax = 20000.0").unwrap().resolve().unwrap_err().to_string();
        assert!(said.contains("fmax"), "{said}");
        assert_eq!(choice("fmax = 20000.0\nsample_rate = 44100").unwrap().resolve().unwrap().fmax, Some(20000.0));
    }
}
