use std::cmp::Ordering;
use std::collections::HashMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::split::{Fold, SplitError, leave_one_group_out};
use crate::{CorpusKind, CorpusName, Finding, natural_cmp};

/// Sex of a speaker, as the corpus states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sex {
    /// A woman.
    Female,
    /// A man.
    Male,
}

impl Sex {
    /// `female` or `male`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Female => "female",
            Self::Male => "male",
        }
    }

    /// Read `f`, `female`, `m`, `male`, ... in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "f" | "female" | "w" | "woman" => Some(Self::Female),
            "m" | "male" | "man" => Some(Self::Male),
            _ => None,
        }
    }
}

/// The part of a split that a manifest assigns an utterance to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Learnt from.
    Train,
    /// Chosen on.
    Validation,
    /// Scored on.
    Test,
}

impl Part {
    /// `train`, `validation` or `test`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }

    /// Read a part's name in any case, maybe numbered (`Test1`) or with `set` behind it (`test_set`); `val`, `valid`, `dev`, `devel`,
    /// `development` mean validation, `eval` means test.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let joints = [' ', '_', '-'];
        let text = text.trim().to_ascii_lowercase();
        let text = text.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches(joints);
        let text = text.strip_suffix("set").unwrap_or(text).trim_end_matches(joints);
        match text {
            "train" | "training" => Some(Self::Train),
            "validation" | "valid" | "val" | "dev" | "devel" | "development" => Some(Self::Validation),
            "test" | "testing" | "eval" | "evaluation" => Some(Self::Test),
            _ => None,
        }
    }
}

/// One recording (or a stretch of one) with its label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Utterance {
    /// Unique in the corpus and the same in every layout of it: `03a01Fa`, `DC_sa01`, `liuchanhg-angry-201`.
    pub id: String,
    /// Where the recording is: the corpus' root joined with the path below it.
    pub path: PathBuf,
    /// The unified label.
    pub label: String,
    /// Who speaks.
    pub speaker: Option<String>,
    /// The speaker's sex.
    pub sex: Option<Sex>,
    /// Recording session (IEMOCAP).
    pub session: Option<String>,
    /// Which text is spoken: equal ids, equal words.
    pub text: Option<String>,
    /// Which repetition or version.
    pub take: Option<String>,
    /// Acted intensity (RAVDESS: `normal`, `strong`).
    pub intensity: Option<String>,
    /// What the `split` column of a manifest says, as it is written there.
    #[serde(default)]
    pub split: Option<String>,
    /// The part that `split` means; `None` for a value that is no part's name.
    pub part: Option<Part>,
    /// Where in the recording it starts, in seconds; from the beginning if absent.
    pub start: Option<f64>,
    /// Where in the recording it ends, in seconds; at the end if absent.
    pub end: Option<f64>,
}

impl Utterance {
    /// An utterance of which only this is known.
    #[must_use]
    pub fn new(id: impl Into<String>, path: impl Into<PathBuf>, label: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            path: path.into(),
            label: label.into(),
            speaker: None,
            sex: None,
            session: None,
            text: None,
            take: None,
            intensity: None,
            split: None,
            part: None,
            start: None,
            end: None,
        }
    }

    /// Duration in seconds, given that of the whole recording.
    #[must_use]
    pub(crate) fn seconds(&self, of_recording: Option<f64>) -> Option<f64> {
        let end = match (self.end, of_recording) {
            (Some(end), Some(whole)) => Some(end.min(whole)),
            (end, whole) => end.or(whole),
        };
        end.map(|end| (end - self.start.unwrap_or(0.0)).max(0.0))
    }
}

/// A corpus as found on disk: its utterances in official order, and what is to be said about them.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Corpus {
    /// `emodb`, or the name given to one's own.
    pub name: String,
    /// Which of the six it is; `None` for one's own.
    pub kind: Option<CorpusKind>,
    /// The folder it was read from.
    pub root: PathBuf,
    /// The classes, in official order.
    pub labels: Vec<String>,
    /// Classes in label order; inside a class, file stems in natural sort order.
    pub utterances: Vec<Utterance>,
    /// What is missing, surplus, skipped or odd.
    pub findings: Vec<Finding>,
}

impl Corpus {
    /// Of utterances that are known already, in the order given; nothing is looked up on disk.
    #[must_use]
    pub fn new(name: &CorpusName, labels: Vec<String>, utterances: Vec<Utterance>) -> Self {
        let (root, findings) = Default::default();
        Self { name: name.to_string(), kind: name.kind(), root, labels, utterances, findings }
    }

    /// The class index of each utterance.
    #[must_use]
    pub fn label_indices(&self) -> Vec<usize> {
        let index: HashMap<&str, usize> =
            self.labels.iter().enumerate().map(|(i, label)| (label.as_str(), i)).collect();
        // Every constructor keeps utterance labels within `labels`; an edited one falls in the last class + 1,
        // which scoring then rejects by name.
        self.utterances.iter().map(|u| index.get(u.label.as_str()).copied().unwrap_or(self.labels.len())).collect()
    }

    /// Number of utterances of each label, in label order.
    #[must_use]
    pub fn label_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.labels.len() + 1];
        self.label_indices().into_iter().for_each(|class| counts[class] += 1);
        counts.truncate(self.labels.len());
        counts
    }

    /// Is it one of the six, with every recording there and none besides?
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let complete = |kind: CorpusKind| self.utterances.len() == kind.expected_total();
        self.kind.is_some_and(complete) && !self.findings.iter().any(|f| f.kind.concerns_completeness())
    }

    /// Only the utterances of these labels, which become the classes in the order given: the shared classes of
    /// cross-corpus experiments.
    #[must_use]
    pub fn with_labels(&self, labels: &[&str]) -> Self {
        let mut part = self.clone();
        part.labels = labels.iter().map(|&label| label.to_owned()).collect();
        part.utterances.retain(|u| labels.contains(&u.label.as_str()));
        part.sort();
        part
    }

    /// Does a manifest's `split` column say which utterances are for training and which for testing? A column without
    /// any known part does not.
    #[must_use]
    pub fn is_split(&self) -> bool {
        self.utterances.iter().any(|u| u.part.is_some())
    }

    /// The utterances that a model may learn from, and be chosen on: where the corpus [is split](Self::is_split), those
    /// marked train or validation ([`Utterance::part`] tells which), else all. The classes stay the same.
    #[must_use]
    pub fn for_training(&self) -> Self {
        self.with_parts(&[Part::Train, Part::Validation])
    }

    /// The utterances that a model is scored on: where the corpus [is split](Self::is_split), those marked test, else all.
    /// The classes stay the same.
    #[must_use]
    pub fn for_testing(&self) -> Self {
        self.with_parts(&[Part::Test])
    }

    fn with_parts(&self, parts: &[Part]) -> Self {
        let mut corpus = self.clone();
        if self.is_split() {
            corpus.utterances.retain(|u| u.part.is_some_and(|part| parts.contains(&part)));
        }
        corpus
    }

    /// The speaker of each utterance.
    ///
    /// # Errors
    /// An utterance without one.
    pub fn speakers(&self) -> Result<Vec<&str>, SplitError> {
        self.groups("speaker", |u| u.speaker.as_deref())
    }

    /// The session of each utterance.
    ///
    /// # Errors
    /// An utterance without one.
    pub fn sessions(&self) -> Result<Vec<&str>, SplitError> {
        self.groups("session", |u| u.session.as_deref())
    }

    /// The text (sentence) of each utterance.
    ///
    /// # Errors
    /// An utterance without one.
    pub fn texts(&self) -> Result<Vec<&str>, SplitError> {
        self.groups("text", |u| u.text.as_deref())
    }

    /// The folds of the protocol `speaker-independent`: leave one session out on a corpus that has them
    /// (IEMOCAP), else leave one speaker out.
    ///
    /// # Errors
    /// An utterance without speaker or session, or only one of them.
    pub fn speaker_independent_folds(&self) -> Result<Vec<Fold>, SplitError> {
        if self.utterances.iter().any(|u| u.session.is_some()) {
            return leave_one_group_out(&self.sessions()?);
        }
        leave_one_group_out(&self.speakers()?)
    }

    fn groups<'a>(
        &'a self,
        what: &'static str,
        group: impl Fn(&'a Utterance) -> Option<&'a str>,
    ) -> Result<Vec<&'a str>, SplitError> {
        let groups: Vec<&str> = self.utterances.iter().filter_map(&group).collect();
        let n = self.utterances.len();
        match self.utterances.iter().find(|u| group(u).is_none()) {
            None => Ok(groups),
            Some(first) => Err(SplitError::NoGroup { what, missing: n - groups.len(), n, first: first.id.clone() }),
        }
    }

    /// Put the utterances in official order.
    pub(crate) fn sort(&mut self) {
        let rank: HashMap<&str, usize> = self.labels.iter().enumerate().map(|(i, label)| (label.as_str(), i)).collect();
        let key = |u: &Utterance| rank.get(u.label.as_str()).copied();
        let kind = self.kind;
        self.utterances.sort_by(|a, b| key(a).cmp(&key(b)).then_with(|| stem_order(kind, a, b)));
    }
}

/// Natural order of file stems. Ids are stems in the original layout, whatever the layout found, so that folds do
/// not depend on it. CASIA's stems (`201`) are the same for every speaker: the stem counts first, then the speaker.
fn stem_order(kind: Option<CorpusKind>, a: &Utterance, b: &Utterance) -> Ordering {
    let by_stem = match kind {
        Some(CorpusKind::Casia) => natural_cmp(a.text.as_deref().unwrap_or(""), b.text.as_deref().unwrap_or("")),
        _ => Ordering::Equal,
    };
    by_stem
        .then_with(|| natural_cmp(&a.id, &b.id))
        .then_with(|| a.id.cmp(&b.id))
        .then_with(|| a.path.components().count().cmp(&b.path.components().count()))
        .then_with(|| a.path.cmp(&b.path))
}
