use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::folded;
use crate::{Corpus, CorpusError, limits};

/// What becomes of labels that the map does not list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unlisted {
    /// They are an error: nothing is mapped by accident.
    #[default]
    Error,
    /// They stay as they are.
    Keep,
    /// Their utterances are left out.
    Drop,
}

/// A translation of labels, as a TOML file:
///
/// ```toml
/// order = ["negative", "neutral", "positive"]  # the classes and their order; optional
/// drop = ["surprise"]                          # utterances to leave out; optional
/// unlisted = "error"                           # or "keep", "drop"
///
/// [map]
/// angry = "negative"
/// W = "negative"
/// happy = "positive"
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelMap {
    #[serde(default)]
    map: BTreeMap<String, String>,
    #[serde(default)]
    drop: Vec<String>,
    #[serde(default)]
    order: Option<Vec<String>>,
    #[serde(default)]
    unlisted: Unlisted,
    #[serde(skip)]
    file: PathBuf,
}

impl LabelMap {
    /// Read a label map from a TOML file.
    ///
    /// # Errors
    /// The file cannot be read or is no label map (with the line), or maps to a label that its `order` lacks.
    pub fn read(path: &Path) -> Result<Self, CorpusError> {
        let text = super::list::read_text(path, limits::LABEL_MAP_BYTES)?;
        let mut map: Self = toml::from_str(&text).map_err(|error| {
            let line = error.span().map_or(1, |span| 1 + text[..span.start.min(text.len())].matches('\n').count());
            CorpusError::line(path, line as u64, error.message())
        })?;
        path.clone_into(&mut map.file);
        if let Some(order) = &map.order
            && let Some((from, to)) = map.map.iter().find(|(_, to)| !order.contains(to))
        {
            return Err(CorpusError::file(path, format!("`{from}` becomes `{to}`, which `order` does not list")));
        }
        Ok(map)
    }

    /// The classes in their order, where the map states it.
    #[must_use]
    pub fn order(&self) -> Option<&[String]> {
        self.order.as_deref()
    }

    /// The new label, letter case and blanks aside; `None` where the utterance is to be left out.
    ///
    /// # Errors
    /// The label is not listed, and unlisted labels are an error: a message that says so.
    pub fn translate(&self, label: &str) -> Result<Option<String>, String> {
        let same = |known: &str| folded(known) == folded(label);
        if let Some(new) =
            self.map.get(label).or_else(|| self.map.iter().find(|(known, _)| same(known)).map(|(_, new)| new))
        {
            return Ok(Some(new.clone()));
        }
        if self.drop.iter().any(|dropped| same(dropped)) {
            return Ok(None);
        }
        if let Some(known) = self.order.iter().flatten().find(|known| same(known)) {
            return Ok(Some(known.clone()));
        }
        match self.unlisted {
            Unlisted::Drop => Ok(None),
            Unlisted::Keep if self.order.is_none() => Ok(Some(label.to_owned())),
            _ => Err(format!("unknown label `{label}`: list it under [map], drop or order in {}", self.file.display())),
        }
    }

    /// Translate the labels of a corpus; the classes are those that remain, in the map's order or else sorted.
    ///
    /// # Errors
    /// A label that is not listed, where that is an error.
    pub fn apply(&self, mut corpus: Corpus) -> Result<Corpus, CorpusError> {
        let mut kept = Vec::with_capacity(corpus.utterances.len());
        for mut utterance in std::mem::take(&mut corpus.utterances) {
            match self.translate(&utterance.label) {
                Ok(Some(label)) => {
                    utterance.label = label;
                    kept.push(utterance);
                }
                Ok(None) => {}
                Err(message) => return Err(CorpusError::file(utterance.path, message)),
            }
        }
        corpus.utterances = kept;
        super::class_order(&mut corpus, self.order());
        Ok(corpus)
    }
}
