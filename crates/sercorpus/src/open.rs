use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::adapters::{Seen, expected_ids, iemocap, recognise};
use crate::finding::{Finding, FindingKind, Severity};
use crate::scan::{Census, scan_counting};
use crate::walk::walk;
use crate::{Corpus, CorpusError, CorpusKind};

/// How IEMOCAP's actors were directed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IemocapStyle {
    /// Improvised scenes (`impro`).
    Improvised,
    /// Scripted scenes (`script`).
    Scripted,
}

/// Choices in reading a corpus; the default is the official protocol's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OpenOptions {
    /// IEMOCAP: count `exc` (excited) as happy; else it is left out.
    pub excited_as_happy: bool,
    /// IEMOCAP: only this style; `None` for both.
    pub iemocap_style: Option<IemocapStyle>,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self { excited_as_happy: true, iemocap_style: None }
    }
}

/// Tell which of the six corpora is below `root`, by the names of its files.
///
/// # Errors
/// `root` is not a folder that can be read, holds none of them, or two side by side.
pub fn detect(root: &Path) -> Result<CorpusKind, CorpusError> {
    // Recordings by the corpora that they fit, a bit each, and one of the folders that hold them.
    let mut hits = BTreeMap::<u8, (usize, PathBuf)>::new();
    let mut recordings = 0;
    let mut seen = Census::default();
    walk(root, &mut Vec::new(), |entry| {
        seen.count(entry);
        if entry.is_audio() {
            recordings += 1;
            // A song of RAVDESS or a dialog of IEMOCAP speaks for the corpus too.
            let fits = |kind| !matches!(recognise(kind, entry.folders_from_root, entry.stem), Seen::Unknown(_));
            let mask = (0..).zip(CorpusKind::ALL).map(|(bit, kind)| u8::from(fits(kind)) << bit).sum();
            let top = || entry.folders.first().map_or_else(|| root.to_owned(), |top| root.join(top));
            hits.entry(mask).or_insert_with(|| (0, top())).0 += 1;
        }
    })?;
    let count = |wanted: u8, not: u8| {
        let fitting = hits.iter().filter(|(mask, _)| **mask & wanted != 0 && **mask & not == 0);
        fitting.map(|(_, (count, _))| count).sum::<usize>()
    };
    let most = |not: u8| {
        let counts = (0..).zip(CorpusKind::ALL).map(|(bit, kind)| (count(1 << bit, not), 1u8 << bit, kind));
        counts.max_by_key(|&(count, ..)| count).filter(|&(count, ..)| count > 0)
    };
    // Most files: a few that are named alike do not make a corpus.
    let Some((first, bit, kind)) = most(0).filter(|&(count, ..)| 2 * count >= recordings) else {
        return Err(CorpusError::NotRecognised { root: root.to_owned(), seen: seen.to_string(), hint: None });
    };
    // Nor do a few of another beside it.
    if let Some((second, other_bit, other)) = most(bit).filter(|&(count, ..)| 20 * count >= recordings) {
        let folder = |bit: u8| hits.iter().find(|(mask, _)| **mask & bit != 0).map_or(root, |(_, (_, top))| top);
        let message = format!(
            "two corpora lie side by side: {first} recordings are named as those of {kind}, {second} as those of {other}; give \
             the folder of one ({} or {}), or choose one with --corpus {kind} or --corpus {other}",
            folder(bit).display(),
            folder(other_bit).display()
        );
        return Err(CorpusError::Ambiguous { root: root.to_owned(), message });
    }
    Ok(kind)
}

/// Read the corpus below `root`: names only, no recording is opened. Whatever the letter case and nesting of
/// folders, recordings are told by their names; each is taken once.
///
/// A partial corpus is a corpus: what is missing or surplus is among [`Corpus::findings`].
///
/// # Errors
/// `root` is not a folder that can be read, or no recording of the corpus is below it.
pub fn open(kind: CorpusKind, root: &Path, options: &OpenOptions) -> Result<Corpus, CorpusError> {
    let mut seen = Census::default();
    let mut utterances = Vec::new();
    let findings = scan_counting(kind, root, options, &mut seen, &mut |u| utterances.push(u))?;
    if utterances.is_empty() {
        return Err(CorpusError::NoRecordings {
            root: root.to_owned(),
            name: kind.name(),
            seen: seen.to_string(),
            layout: kind.layout(),
            source_terms: kind.source(),
        });
    }
    let labels = kind.labels().iter().map(|&label| label.to_owned()).collect();
    let mut corpus =
        Corpus { name: kind.name().to_owned(), kind: Some(kind), root: root.to_owned(), labels, utterances, findings };
    corpus.sort();
    drop_copies(&mut corpus);
    compare_with_expected(&mut corpus, kind, options);
    corpus.utterances.shrink_to_fit();
    Ok(corpus)
}

/// Of several files with one id keep the one that sorts first: the least nested.
fn drop_copies(corpus: &mut Corpus) {
    let mut copies = Vec::new();
    corpus.utterances.dedup_by(|later, kept| {
        let same = later.id == kept.id;
        if same {
            let below = later.path.strip_prefix(&corpus.root).unwrap_or(&later.path);
            copies.push(below.display().to_string());
        }
        same
    });
    if !copies.is_empty() {
        let message = format!("{} further copies of recordings (same name) skipped", copies.len());
        corpus.findings.push(Finding::new(Severity::Warning, FindingKind::Copy, message).of(copies));
    }
}

fn compare_with_expected(corpus: &mut Corpus, kind: CorpusKind, options: &OpenOptions) {
    let total = kind.expected_total();
    let Some(expected) = expected_ids(kind) else {
        // How many are improvised is not known here.
        if options.iemocap_style.is_none() {
            compare_counts(corpus, kind, options);
        }
        return;
    };
    let found: HashSet<&str> = corpus.utterances.iter().map(|u| u.id.as_str()).collect();
    let missing: Vec<String> = expected.iter().filter(|id| !found.contains(id.as_str())).cloned().collect();
    let expected: HashSet<String> = expected.into_iter().collect();
    let surplus: Vec<String> =
        corpus.utterances.iter().map(|u| &u.id).filter(|id| !expected.contains(*id)).cloned().collect();
    if !missing.is_empty() {
        let message = format!("{} of {total} recordings of {kind} are missing", missing.len());
        corpus.findings.push(Finding::new(Severity::Error, FindingKind::Missing, message).of(missing));
    }
    if !surplus.is_empty() {
        let message = format!("{} recordings that {kind} does not have", surplus.len());
        corpus.findings.push(Finding::new(Severity::Error, FindingKind::Surplus, message).of(surplus));
    }
}

/// IEMOCAP: which utterances there are, the label files say; how many, is known.
fn compare_counts(corpus: &mut Corpus, kind: CorpusKind, options: &OpenOptions) {
    let found = corpus.label_counts();
    for ((&label, &expected), found) in kind.labels().iter().zip(kind.expected_counts()).zip(found) {
        let expected = if label == "happy" && !options.excited_as_happy { iemocap::HAPPY_ALONE } else { expected };
        let finding_kind = match found.cmp(&expected) {
            std::cmp::Ordering::Equal => continue,
            std::cmp::Ordering::Less => FindingKind::Missing,
            std::cmp::Ordering::Greater => FindingKind::Surplus,
        };
        let message = format!("{found} recordings of `{label}`, {kind} has {expected}");
        corpus.findings.push(Finding::new(Severity::Error, finding_kind, message));
    }
}
