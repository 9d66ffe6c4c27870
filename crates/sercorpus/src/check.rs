use std::collections::{HashMap, HashSet};
use std::fmt;

use serde::Serialize;

use crate::inspect::{ContentHash, Heard, Progress, Unreadable, each_file, inspect};
use crate::sample_list;
use crate::{Corpus, CorpusKind, Finding, FindingKind, Severity};

/// Of recordings that vary, so many of the same length to the sample mean that somebody cut them.
const UNIFORM_SHARE: f64 = 0.9;
const UNIFORM_AT_LEAST: usize = 10;

/// What [`check`] found.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct CheckReport {
    /// Name of the corpus.
    pub corpus: String,
    /// Utterances it has.
    pub utterances: usize,
    /// Audio in recordings that can be read, in seconds.
    pub seconds: f64,
    /// All that is to be said, the gravest first.
    pub findings: Vec<Finding>,
}

impl CheckReport {
    /// Is the corpus what it should be? Notes and warnings do not count against it.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.iter().all(|f| f.severity < Severity::Error)
    }
}

impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "{finding}")?;
        }
        let count = |severity| self.findings.iter().filter(|f| f.severity == severity).count();
        let verdict = if self.is_clean() { "clean" } else { "not what it should be" };
        write!(
            f,
            "{}: {verdict}; {} utterances, {:.1} min; {} errors, {} warnings, {} notes",
            self.corpus,
            self.utterances,
            self.seconds / 60.0,
            count(Severity::Error),
            count(Severity::Warning),
            count(Severity::Note)
        )
    }
}

/// Read every recording of a corpus and report what is wrong with it: files that cannot be used, a rate or lengths
/// that the original does not have, recordings that occur twice, samples that `samples.sha256` of the corpus (if there is one)
/// does not list; and what [`open`](crate::open()) found.
#[must_use]
pub fn check(corpus: &Corpus, progress: Progress<'_>) -> CheckReport {
    let inspections = each_file(corpus, progress, inspect);
    let mut findings = corpus.findings.clone();
    findings.extend(unusable(corpus, &inspections));
    let heard: Vec<(usize, &Heard)> =
        inspections.iter().enumerate().filter_map(|(i, inspection)| Some((i, inspection.as_ref().ok()?))).collect();
    findings.extend(named(corpus, &heard, |h| h.silent, (Severity::Error, FindingKind::Silent), "are digital silence"));
    findings.extend(named(
        corpus,
        &heard,
        |h| h.open_ended,
        (Severity::Warning, FindingKind::OpenEnded),
        "have a header that was never completed: the rest of the file was read as samples",
    ));
    findings.extend(wrong_rates(corpus, &heard));
    findings.extend(beyond_end(corpus, &heard));
    findings.extend(uniform_lengths(corpus, &heard));
    findings.extend(implausible_mean(corpus, &heard));
    findings.extend(duplicates(corpus, &heard));
    findings.extend(sample_list::compare(corpus, progress));
    findings.sort_by_key(|f| std::cmp::Reverse(f.severity));
    CheckReport {
        corpus: corpus.name.clone(),
        utterances: corpus.utterances.len(),
        seconds: heard.iter().map(|(_, h)| h.seconds()).sum(),
        findings,
    }
}

fn unusable(corpus: &Corpus, inspections: &[Result<Heard, Unreadable>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut told = HashSet::new();
    for (utterance, inspection) in corpus.utterances.iter().zip(inspections) {
        if let Err(Unreadable { kind, reason }) = inspection
            && told.insert(&utterance.path)
        {
            findings.push(Finding::new(Severity::Error, *kind, reason).at(&utterance.path));
        }
    }
    findings
}

/// One finding for all recordings where `is_odd` holds.
fn named(
    corpus: &Corpus,
    heard: &[(usize, &Heard)],
    is_odd: impl Fn(&Heard) -> bool,
    (severity, kind): (Severity, FindingKind),
    words: &str,
) -> Option<Finding> {
    let odd = heard.iter().filter(|(_, h)| is_odd(h));
    let ids: Vec<String> = odd.map(|(i, _)| corpus.utterances[*i].id.clone()).collect();
    let message = format!("{} recordings {words}", ids.len());
    (!ids.is_empty()).then(|| Finding::new(severity, kind, message).of(ids))
}

fn wrong_rates(corpus: &Corpus, heard: &[(usize, &Heard)]) -> Vec<Finding> {
    let Some(kind) = corpus.kind else {
        return Vec::new();
    };
    let mut by_rate = std::collections::BTreeMap::<u32, Vec<String>>::new();
    for (i, recording) in heard.iter().filter(|(_, h)| h.rate != kind.sample_rate()) {
        by_rate.entry(recording.rate).or_default().push(corpus.utterances[*i].id.clone());
    }
    by_rate
        .into_iter()
        .map(|(rate, ids)| {
            let message = format!(
                "{} recordings are at {rate} Hz where {kind} has {} Hz: a modified (resampled) copy",
                ids.len(),
                kind.sample_rate()
            );
            Finding::new(Severity::Error, FindingKind::WrongRate, message).of(ids)
        })
        .collect()
}

/// Segments that start or end behind the end of their recording: one finding for each list or folder, with ids and times.
fn beyond_end(corpus: &Corpus, heard: &[(usize, &Heard)]) -> Option<Finding> {
    /// Lists round times.
    const TOLERANCE: f64 = 0.01;
    let beyond = heard.iter().filter_map(|(i, recording)| {
        let utterance = &corpus.utterances[*i];
        let last = utterance.end.or(utterance.start)?;
        let seconds = recording.seconds();
        (last > seconds + TOLERANCE || utterance.start.is_some_and(|start| start >= seconds))
            .then(|| format!("{} ({last} s of {seconds:.3} s)", utterance.id))
    });
    let beyond: Vec<String> = beyond.collect();
    let message =
        format!("{} segments start or end behind the end of their recording; mend start and end", beyond.len());
    (!beyond.is_empty()).then(|| Finding::new(Severity::Error, FindingKind::BeyondEnd, message).of(beyond))
}

fn uniform_lengths(corpus: &Corpus, heard: &[(usize, &Heard)]) -> Option<Finding> {
    let mut counts = HashMap::<(u64, u32), usize>::new();
    heard.iter().for_each(|(_, h)| *counts.entry((h.frames, h.rate)).or_default() += 1);
    let (&(frames, rate), &count) = counts.iter().max_by_key(|&(&length, &count)| (count, length))?;
    if count < UNIFORM_AT_LEAST || (count as f64) < UNIFORM_SHARE * heard.len() as f64 {
        return None;
    }
    // One's own recordings may be cut on purpose.
    let severity = if corpus.kind.is_some() { Severity::Error } else { Severity::Warning };
    let message = format!(
        "{count} of {} recordings are exactly {:.3} s long: a modified copy (cut or padded to one length)",
        heard.len(),
        frames as f64 / f64::from(rate)
    );
    Some(Finding::new(severity, FindingKind::ModifiedDurations, message))
}

fn implausible_mean(corpus: &Corpus, heard: &[(usize, &Heard)]) -> Option<Finding> {
    let kind = corpus.kind.filter(|_| corpus.is_complete())?;
    let mean = heard.iter().map(|(_, h)| h.seconds()).sum::<f64>() / heard.len().max(1) as f64;
    let (low, high) = kind.plausible_mean_seconds();
    let message = format!(
        "recordings last {mean:.2} s on average; of the original {low} .. {high} s is expected: perhaps a modified copy"
    );
    (!heard.is_empty() && !(low..=high).contains(&mean))
        .then(|| Finding::new(Severity::Warning, FindingKind::ModifiedDurations, message))
}

/// Recordings with the same audio under different names: in a random split they end up on both sides.
fn duplicates(corpus: &Corpus, heard: &[(usize, &Heard)]) -> Vec<Finding> {
    let mut by_hash: Vec<(ContentHash, usize)> = heard.iter().map(|(i, recording)| (recording.hash, *i)).collect();
    by_hash.sort_unstable();
    let mut findings = Vec::new();
    for group in by_hash.chunk_by(|a, b| a.0 == b.0) {
        let mut members: Vec<_> = group.iter().map(|&(_, i)| &corpus.utterances[i]).collect();
        members.dedup_by_key(|u| &u.path);
        if members.len() < 2 {
            continue;
        }
        let ids: Vec<String> = members.iter().map(|u| u.id.clone()).collect();
        let severity = match corpus.kind {
            Some(CorpusKind::Ravdess) if ids == ["03-01-03-01-02-01-07", "03-01-03-01-02-02-07"] => Severity::Note,
            Some(_) => Severity::Error,
            None => Severity::Warning,
        };
        let known = if severity == Severity::Note { " (as in the original)" } else { "" };
        let message = format!("{} recordings have the same audio{known}: leakage in a random split", ids.len());
        findings.push(Finding::new(severity, FindingKind::DuplicateContent, message).of(ids));
    }
    findings
}
