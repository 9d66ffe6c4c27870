//! What a user may set.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{EncodeError, limits};

/// What the files do not say, and what is wanted of them. Make one with `Settings::default()` and change its fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Settings {
    /// Name of the output; needed where the file has several that fit.
    pub output: Option<String>,
    /// Layers of an output that has several.
    pub layers: Option<Layers>,
    /// Scaling of the samples; needed where no file beside the model says it.
    pub input: Option<Scaling>,
    /// Sample rate in Hz; needed where it is not 16,000 and no file says it.
    pub rate: Option<u32>,
    /// Labels of a classifier in the order of its outputs; needed where no file says them.
    pub labels: Option<Vec<String>>,
    /// Longest recording in seconds that is computed in one piece, 30 by default.
    pub window: f64,
    /// What becomes of a longer one.
    pub longer: Longer,
    /// Threads of one run, 1 by default. Utterances side by side, each on one thread, are faster than several threads on one.
    pub threads: usize,
    /// Most bytes that one run may take, beside the model's own; 8 GiB by default.
    pub memory: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            output: None,
            layers: None,
            input: None,
            rate: None,
            labels: None,
            window: limits::WINDOW,
            longer: Longer::Windows,
            threads: 1,
            memory: limits::MEMORY,
        }
    }
}

impl Settings {
    /// These settings after `change`, which may set any field.
    #[must_use]
    pub fn with<T>(mut self, change: impl FnOnce(&mut Settings) -> T) -> Settings {
        change(&mut self);
        self
    }

    pub(crate) fn check(&self) -> Result<(), EncodeError> {
        let wrong = |key, value: String, allowed| Err(EncodeError::Setting { key, value, allowed });
        if !(0.1..=3600.0).contains(&self.window) {
            return wrong("window", self.window.to_string(), "0.1 to 3600 seconds");
        }
        if !(1..=limits::THREADS).contains(&self.threads) {
            return wrong("threads", self.threads.to_string(), "1 to 256");
        }
        match self.rate {
            Some(rate) if !(1000..=768_000).contains(&rate) => wrong("rate", rate.to_string(), "1000 to 768000 Hz"),
            _ => Ok(()),
        }
    }
}

/// Scaling of the samples before they enter the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Scaling {
    /// As they are, -1 to 1 (`do_normalize` false).
    None,
    /// (x - mean) / sqrt(variance + 1e-7) over the utterance (`do_normalize` true).
    ZeroMeanUnitVariance,
}

impl fmt::Display for Scaling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Scaling::None => "none",
            Scaling::ZeroMeanUnitVariance => "zero-mean-unit-variance",
        })
    }
}

impl FromStr for Scaling {
    type Err = EncodeError;

    fn from_str(text: &str) -> Result<Self, EncodeError> {
        match text {
            "none" => Ok(Scaling::None),
            "zero-mean-unit-variance" => Ok(Scaling::ZeroMeanUnitVariance),
            _ => Err(EncodeError::Setting {
                key: "input",
                value: text.to_owned(),
                allowed: "none, zero-mean-unit-variance",
            }),
        }
    }
}

/// What becomes of a recording longer than the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Longer {
    /// Equal windows without overlap: frames one after the other, the mean of vectors and of probabilities.
    Windows,
    /// An error.
    Refuse,
}

impl FromStr for Longer {
    type Err = EncodeError;

    fn from_str(text: &str) -> Result<Self, EncodeError> {
        match text {
            "windows" => Ok(Longer::Windows),
            "refuse" => Ok(Longer::Refuse),
            _ => Err(EncodeError::Setting { key: "longer", value: text.to_owned(), allowed: "windows, refuse" }),
        }
    }
}

/// Layers of an encoder, 0 being the first of the output (in transformers' `hidden_states`: what enters the first layer). Written as `6`,
/// `mean` or `3-8`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Form", into = "Form")]
#[non_exhaustive]
pub enum Layers {
    /// One layer.
    One(usize),
    /// Mean of all layers.
    Mean,
    /// Mean of the layers from the first to the last named, both included.
    Range(RangeInclusive<usize>),
}

/// A number or a text.
#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "layers are a number, \"mean\" or \"FIRST-LAST\"")]
enum Form {
    Number(usize),
    Text(String),
}

impl TryFrom<Form> for Layers {
    type Error = EncodeError;

    fn try_from(form: Form) -> Result<Self, EncodeError> {
        match form {
            Form::Number(number) => Ok(Layers::One(number)),
            Form::Text(text) => text.parse(),
        }
    }
}

impl From<Layers> for Form {
    fn from(layers: Layers) -> Form {
        match layers {
            Layers::One(number) => Form::Number(number),
            other => Form::Text(other.to_string()),
        }
    }
}

impl fmt::Display for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Layers::One(layer) => write!(f, "{layer}"),
            Layers::Mean => f.write_str("mean"),
            Layers::Range(range) => write!(f, "{}-{}", range.start(), range.end()),
        }
    }
}

impl FromStr for Layers {
    type Err = EncodeError;

    fn from_str(text: &str) -> Result<Self, EncodeError> {
        let range = || {
            let (first, last) = text.split_once('-')?;
            let (first, last) = (first.parse().ok()?, last.parse().ok()?);
            (first <= last).then_some(Layers::Range(first..=last))
        };
        let one = text.parse().ok().map(Layers::One);
        let layers = if text == "mean" { Some(Layers::Mean) } else { one.or_else(range) };
        layers.ok_or_else(|| EncodeError::Setting {
            key: "layers",
            value: text.to_owned(),
            allowed: "a number, mean, FIRST-LAST",
        })
    }
}

impl Layers {
    /// The layers of an output that has `count`, and none where it has fewer.
    pub(crate) fn resolve(&self, count: usize) -> Option<RangeInclusive<usize>> {
        let range = match self {
            Layers::One(layer) => *layer..=*layer,
            Layers::Mean => 0..=count.checked_sub(1)?,
            Layers::Range(range) => range.clone(),
        };
        (range.start() <= range.end() && *range.end() < count).then_some(range)
    }
}
