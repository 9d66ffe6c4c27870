use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::hash::Hash;

use serde::Serialize;

use super::Fold;
use crate::{ContentHash, Corpus, Utterance};

/// What one fold's test part shares with what was learnt from or chosen on (train and validation).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FoldLeakage {
    /// Speakers on both sides.
    pub shared_speakers: usize,
    /// Speakers of the test part.
    pub test_speakers: usize,
    /// Texts on both sides.
    pub shared_texts: usize,
    /// Texts of the test part.
    pub test_texts: usize,
    /// Test utterances whose very audio is on the other side too; `None` where hashes were not computed.
    pub shared_recordings: Option<usize>,
    /// Utterances of the test part.
    pub test_utterances: usize,
}

/// [`FoldLeakage`] of each fold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LeakageReport {
    /// Fold by fold.
    pub folds: Vec<FoldLeakage>,
    /// Speakers of the whole corpus.
    pub speakers: usize,
    /// Speakers that are on both sides of at least one fold.
    pub leaking_speakers: usize,
}

/// Count the speakers, texts and recordings that folds have on both sides. `hashes` are those of
/// [`content_hashes`](crate::content_hashes), one an utterance; without them recordings are not compared.
#[must_use]
pub fn leakage(corpus: &Corpus, folds: &[Fold], hashes: Option<&[Option<ContentHash>]>) -> LeakageReport {
    let mut leaking = BTreeSet::new();
    let folds = folds
        .iter()
        .map(|fold| {
            let learnt: Vec<usize> = fold.train.iter().chain(&fold.validation).copied().collect();
            let speakers = Sides::of(&fold.test, &learnt, |i| utterance(corpus, i)?.speaker.as_deref());
            let texts = Sides::of(&fold.test, &learnt, |i| utterance(corpus, i)?.text.as_deref());
            leaking.extend(speakers.shared.iter().copied());
            let shared_recordings = hashes.map(|hashes| {
                let known = |i: usize| hashes.get(i).copied().flatten();
                let learnt: HashSet<ContentHash> = learnt.iter().filter_map(|&i| known(i)).collect();
                fold.test.iter().filter(|&&i| known(i).is_some_and(|hash| learnt.contains(&hash))).count()
            });
            FoldLeakage {
                shared_speakers: speakers.shared.len(),
                test_speakers: speakers.test,
                shared_texts: texts.shared.len(),
                test_texts: texts.test,
                shared_recordings,
                test_utterances: fold.test.len(),
            }
        })
        .collect();
    let speakers: HashSet<&str> = corpus.utterances.iter().filter_map(|u| u.speaker.as_deref()).collect();
    LeakageReport { folds, speakers: speakers.len(), leaking_speakers: leaking.len() }
}

fn utterance(corpus: &Corpus, index: usize) -> Option<&Utterance> {
    corpus.utterances.get(index)
}

struct Sides<T> {
    test: usize,
    shared: Vec<T>,
}

impl<T: Copy + Eq + Hash> Sides<T> {
    fn of(test: &[usize], learnt: &[usize], value: impl Fn(usize) -> Option<T>) -> Self {
        let learnt: HashSet<T> = learnt.iter().filter_map(|&i| value(i)).collect();
        let test: HashSet<T> = test.iter().filter_map(|&i| value(i)).collect();
        Self { test: test.len(), shared: test.intersection(&learnt).copied().collect() }
    }
}

impl fmt::Display for LeakageReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "fold  test utterances  speakers shared  texts shared  recordings shared")?;
        for (number, fold) in self.folds.iter().enumerate() {
            let recordings = fold.shared_recordings.map_or_else(|| "not compared".to_owned(), |n| n.to_string());
            writeln!(
                f,
                "{number:4}  {:15}  {:>15}  {:>12}  {recordings:>17}",
                fold.test_utterances,
                format!("{} of {}", fold.shared_speakers, fold.test_speakers),
                format!("{} of {}", fold.shared_texts, fold.test_texts),
            )?;
        }
        let (leaking, all) = (self.leaking_speakers, self.speakers);
        write!(f, "{leaking} of {all} speakers are on both sides of a fold")?;
        if leaking > 0 {
            write!(f, ": figures say nothing about new voices")?;
        }
        Ok(())
    }
}
