//! Labels that are one class though they are written differently.

use std::collections::BTreeMap;

use crate::finding::{Finding, FindingKind, Severity};
use crate::{Corpus, Utterance};

/// What labels that differ in letter case and blanks only have in common.
#[must_use]
pub(crate) fn folded(label: &str) -> String {
    label.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Give labels that differ in letter case and blanks only one spelling: the most frequent; of several the one with most
/// lower-case letters. It is told.
pub(super) fn merge(corpus: &mut Corpus) {
    let mut spellings = BTreeMap::<String, BTreeMap<&str, usize>>::new();
    for Utterance { label, .. } in &corpus.utterances {
        *spellings.entry(folded(label)).or_default().entry(label).or_default() += 1;
    }
    spellings.retain(|_, of_one| of_one.len() > 1);
    if spellings.is_empty() {
        return;
    }
    let mut chosen = BTreeMap::new();
    let mut told = Vec::new();
    for (key, of_one) in spellings {
        let lower = |label: &str| label.chars().filter(|c| c.is_lowercase()).count();
        let best = of_one.iter().max_by_key(|&(&label, &count)| (count, lower(label))).map_or("", |(&label, _)| label);
        let all: Vec<&str> = of_one.into_keys().collect();
        told.push(format!("`{}` are one class, `{best}`", all.join("`, `")));
        chosen.insert(key, best.to_owned());
    }
    let message = format!("labels that differ in letter case or blanks only: {}", told.join("; "));
    for utterance in &mut corpus.utterances {
        if let Some(best) = chosen.get(&folded(&utterance.label)) {
            utterance.label.clone_from(best);
        }
    }
    corpus.findings.push(Finding::new(Severity::Warning, FindingKind::MergedLabels, message).at(&corpus.root));
}
