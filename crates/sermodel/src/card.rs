//! What a model file says about its weights.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashSet},
    str::FromStr,
};

use serde::{Deserialize, Serialize};
use sermfcc::FrontEnd;
use timnet_core::ModelConfig;

use crate::ModelError;

/// Raised when the card's meaning changes.
const VERSION: u32 = 1;
/// The card's key in the file's metadata.
const KEY: &str = "card";

/// A figure that the model, or models trained exactly so, reached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// `speaker-independent`, `last-epoch`, `validated`, `best-epoch` (it selects on test data) or `other-corpus`.
    pub protocol: String,
    /// Mean over classes of recall, 0 to 1.
    pub uar: f64,
    /// Accuracy, 0 to 1.
    pub war: f64,
    /// On what and how it was measured.
    #[serde(default)]
    pub note: String,
}

impl Figure {
    /// The protocol of voices that were not in training: the figure that tells what to expect of a new one.
    pub const SPEAKER_INDEPENDENT: &'static str = "speaker-independent";
    /// The protocol of a corpus that the model did not learn from: other speakers, other rooms, perhaps another language.
    pub const OTHER_CORPUS: &'static str = "other-corpus";
}

/// Over which frames features are normalised to mean 0 and variance 1 of each coefficient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Normalise {
    /// Not at all, as in the paper.
    #[default]
    None,
    /// Those of the utterance. Features are then taken of the whole utterance, and zero frames pad them, or frames are cropped about
    /// the centre, where otherwise samples are.
    Utterance,
}

impl Normalise {
    /// `none` or `utterance`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Utterance => "utterance",
        }
    }

    fn is_none(&self) -> bool {
        *self == Self::None
    }
}

impl FromStr for Normalise {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = [Self::None, Self::Utterance].into_iter().find(|known| known.name() == name);
        known.ok_or_else(|| match name {
            "speaker" | "corpus" => {
                format!(
                    "a model that is asked about one recording cannot normalise by {name}; none or utterance is wanted"
                )
            }
            _ => format!("`{name}` is not known; none or utterance is wanted"),
        })
    }
}

/// All that a model file holds beside configuration and weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// Names of the classes, in the order of the logits.
    pub labels: Vec<String>,
    /// How samples become features, resampler included.
    pub front_end: FrontEnd,
    /// Length of the training utterances, in samples at the front end's rate: shorter ones are padded with zeros on both
    /// sides, longer ones cut to their middle.
    pub length: usize,
    /// Over which frames features are normalised; absent in files where they are not.
    #[serde(default, skip_serializing_if = "Normalise::is_none")]
    pub normalise: Normalise,
    /// How much softer than the loudest frame silence at both ends is that is cut off first, in decibels (1 to 200), as
    /// `librosa.effects.trim` cuts it; nothing is cut where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trim: Option<f64>,
    /// What it was trained on.
    #[serde(default)]
    pub corpus: String,
    /// How it was trained: which utterances, how many epochs, which one was kept.
    #[serde(default)]
    pub protocol: String,
    /// Speaker-independent ones first.
    #[serde(default)]
    pub figures: Vec<Figure>,
    /// Licence of the training data.
    #[serde(default)]
    pub licence: String,
    /// Anything a user should know: what the model is for and what it is not for.
    #[serde(default)]
    pub notes: String,
    /// Versions of what made it.
    #[serde(default)]
    pub versions: BTreeMap<String, String>,
    /// What logits are divided by before the softmax, fitted on what networks of the same recipe said of recordings that they
    /// had not learned from; 1 where absent.
    #[serde(default)]
    pub temperature: Option<f64>,
    /// Confidence below which the model abstains; it never does where absent.
    #[serde(default)]
    pub threshold: Option<f64>,
}

#[derive(Serialize, Deserialize)]
struct File {
    version: u32,
    /// Of the front end, as the writer computed it.
    front_end_hash: String,
    card: Card,
}

impl Card {
    /// A card with what prediction needs; the rest is empty.
    pub fn new(labels: impl IntoIterator<Item = impl Into<String>>, front_end: FrontEnd, length: usize) -> Self {
        Self {
            labels: labels.into_iter().map(Into::into).collect(),
            front_end,
            length,
            normalise: Normalise::None,
            trim: None,
            corpus: String::new(),
            protocol: String::new(),
            figures: Vec::new(),
            licence: String::new(),
            notes: String::new(),
            versions: BTreeMap::from([("sermodel".to_owned(), env!("CARGO_PKG_VERSION").to_owned())]),
            temperature: None,
            threshold: None,
        }
    }

    /// Checks the card against the network it belongs to, and puts its figures in order.
    pub(crate) fn settle(&mut self, config: &ModelConfig) -> Result<(), ModelError> {
        let check = |ok: bool, key: &'static str, reason: String| {
            if ok { Ok(()) } else { Err(ModelError::Card { key, reason }) }
        };
        let labels = &self.labels;
        check(
            labels.len() == config.classes,
            "labels",
            format!("{} names ({}) for a network of {} classes", labels.len(), labels.join(", "), config.classes),
        )?;
        let distinct = labels.iter().filter(|l| !l.trim().is_empty()).collect::<HashSet<_>>().len();
        check(distinct == labels.len(), "labels", format!("empty or double names among {labels:?}"))?;
        self.front_end.validate().map_err(|e| ModelError::Card { key: "front_end", reason: e.to_string() })?;
        let (features, network) = (self.front_end.n_mfcc, config.coefficients);
        check(
            features == network,
            "front_end",
            format!(
                "{features} coefficients for a network that reads {network}: use a front end with n_mfcc = {network}"
            ),
        )?;
        check(
            self.length <= 1 << 28 && self.front_end.frames(self.length) > 0,
            "length",
            format!("{} samples; it takes at least {}, at most {}", self.length, self.front_end.shortest(), 1 << 28),
        )?;
        let trim = self.trim.unwrap_or(60.0);
        check((1.0..=200.0).contains(&trim), "trim", format!("{trim} decibels; 1 to 200 wanted"))?;
        let temperature = self.temperature.unwrap_or(1.0);
        check(temperature > 0.0 && temperature.is_finite(), "temperature", format!("{temperature}, above 0 wanted"))?;
        let threshold = self.threshold.unwrap_or(0.0);
        check((0.0..=1.0).contains(&threshold), "threshold", format!("{threshold}, 0 to 1 wanted"))?;
        for Figure { protocol, uar, war, .. } in &self.figures {
            let shares = [uar, war].into_iter().all(|share| (0.0..=1.0).contains(share));
            check(shares, "figures", format!("{protocol}: UAR {uar}, WAR {war}; 0 to 1 wanted"))?;
        }
        self.figures.sort_by_key(|figure| Reverse(figure.protocol == Figure::SPEAKER_INDEPENDENT));
        Ok(())
    }

    pub(crate) fn to_metadata(&self) -> Result<BTreeMap<String, String>, ModelError> {
        let file = File { version: VERSION, front_end_hash: self.front_end.fingerprint(), card: self.clone() };
        let text = serde_json::to_string(&file).map_err(|e| ModelError::NoCard(e.to_string()))?;
        Ok(BTreeMap::from([(KEY.to_owned(), text)]))
    }

    pub(crate) fn from_metadata(metadata: &BTreeMap<String, String>) -> Result<Self, ModelError> {
        let text = metadata.get(KEY).ok_or_else(|| ModelError::NoCard("there is none".to_owned()))?;
        let file: File = serde_json::from_str(text).map_err(|e| ModelError::NoCard(e.to_string()))?;
        if file.version != VERSION {
            return Err(ModelError::Version { found: file.version, known: VERSION });
        }
        let computed = file.card.front_end.fingerprint();
        if computed != file.front_end_hash {
            return Err(ModelError::Hash { recorded: file.front_end_hash, computed });
        }
        Ok(file.card)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_out_of_range_are_refused_by_key() {
        let config = ModelConfig::timnet(2, 2);
        let figure = |uar, war| Figure { protocol: "validated".into(), uar, war, note: String::new() };
        let card = || Card::new(["a", "b"], FrontEnd::default(), 22_050);
        assert!(card().settle(&config).is_ok());
        type Change<'a> = &'a dyn Fn(&mut Card);
        let changes: [(Change, &str); 10] = [
            (&|c| c.trim = Some(0.5), "trim"),
            (&|c| c.trim = Some(f64::NAN), "trim"),
            (&|c| c.temperature = Some(0.0), "temperature"),
            (&|c| c.temperature = Some(-1.0), "temperature"),
            (&|c| c.temperature = Some(f64::NAN), "temperature"),
            (&|c| c.temperature = Some(f64::INFINITY), "temperature"),
            (&|c| c.threshold = Some(f64::NAN), "threshold"),
            (&|c| c.threshold = Some(1.1), "threshold"),
            (&|c| c.figures.push(figure(f64::NAN, 0.5)), "figures"),
            (&|c| c.figures.push(figure(0.5, 90.3)), "figures"),
        ];
        for (change, key) in changes {
            let mut card = card();
            change(&mut card);
            let error = card.settle(&config).unwrap_err();
            assert!(matches!(error, ModelError::Card { key: found, .. } if found == key), "{error}");
        }
    }
}
