use std::path::Path;

use super::{OwnOptions, class_order, name_of};
use crate::finding::{Finding, FindingKind, Severity};
use crate::scan::hidden_files;
use crate::walk::walk;
use crate::{Corpus, CorpusError, Utterance};

/// Read a folder that has a folder per class: `<root>/<label>/.../<recording>`.
///
/// # Errors
/// `root` cannot be read, or has fewer than two folders with recordings; a label that the label map does not list.
pub fn open_folder(root: &Path, options: &OwnOptions) -> Result<Corpus, CorpusError> {
    let mut utterances = Vec::new();
    let mut findings = Vec::new();
    let mut loose = 0;
    let hidden = walk(root, &mut findings, |entry| {
        if !entry.is_audio() {
            return;
        }
        let Some(label) = entry.folders.first() else {
            loose += 1;
            return;
        };
        let id = entry.folders.iter().chain([&entry.stem]).copied().collect::<Vec<_>>().join("/");
        utterances.push(Utterance::new(id, entry.path, *label));
    })?;
    if loose > 0 {
        let message = format!("{loose} recordings lie beside the class folders and were left out");
        findings.push(Finding::new(Severity::Warning, FindingKind::Unrecognised, message).at(root));
    }
    findings.extend(hidden_files(hidden));
    let mut corpus = Corpus {
        name: name_of(root, options),
        kind: None,
        root: root.to_owned(),
        labels: Vec::new(),
        utterances,
        findings,
    };
    class_order(&mut corpus, None);
    // The same name with two extensions is one recording twice.
    for i in 1..corpus.utterances.len() {
        if corpus.utterances[i].id == corpus.utterances[i - 1].id {
            let (one, other) = (&corpus.utterances[i - 1].path, &corpus.utterances[i].path);
            let message = format!("has the same id as {}: rename or remove one of them", one.display());
            return Err(CorpusError::file(other, message));
        }
    }
    if let Some(map) = &options.labels {
        corpus = map.apply(corpus)?;
    }
    if corpus.labels.len() < 2 {
        let message = "is not a corpus with a folder per class: at least two folders with recordings are wanted";
        return Err(CorpusError::file(root, message));
    }
    Ok(corpus)
}
