//! Evaluation protocols.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Which epoch of which folds a figure reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// Random folds, the last epoch (`*` in the paper).
    LastEpoch,
    /// Random folds, the best epoch on the test fold (`**` in the paper). Optimistic.
    BestEpoch,
    /// Random folds, the best epoch on a stratified validation part of the training data.
    Validated,
    /// Leave one speaker (IEMOCAP: session) out, the last epoch.
    SpeakerIndependent,
}

impl Protocol {
    /// All protocols.
    pub const ALL: [Self; 4] = [Self::LastEpoch, Self::BestEpoch, Self::Validated, Self::SpeakerIndependent];

    /// The name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::LastEpoch => "last-epoch",
            Self::BestEpoch => "best-epoch",
            Self::Validated => "validated",
            Self::SpeakerIndependent => "speaker-independent",
        }
    }

    /// What every report has to say beside the figure, if anything.
    pub fn caveat(self) -> Option<&'static str> {
        (self == Self::BestEpoch).then_some("optimistic: the epoch is selected on the test fold")
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A protocol that does not exist.
#[derive(Debug, thiserror::Error)]
#[error("unknown protocol `{0}`; known: last-epoch, best-epoch, validated, speaker-independent")]
pub struct UnknownProtocol(String);

impl FromStr for Protocol {
    type Err = UnknownProtocol;

    fn from_str(name: &str) -> Result<Self, UnknownProtocol> {
        Self::ALL.into_iter().find(|p| p.name() == name).ok_or_else(|| UnknownProtocol(name.to_owned()))
    }
}
