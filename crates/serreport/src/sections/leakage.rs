//! Which speakers and texts a fold's test part shares with its training part.

use std::collections::{BTreeMap, BTreeSet};

use serrun::{Division, Mark};

use super::{Context, trainings};
use crate::{document::Block, group::with_apart, names};

/// Speakers, or texts, of a test part, and those of them that are in the training part too.
type Counts = [usize; 2];

/// What is shared, over the folds of one corpus and division.
#[derive(Debug, Default)]
struct Shared<'a> {
    /// Speakers and texts by test part, so that the systems trained on the same folds count once. None where those of some utterance are
    /// not known.
    folds: BTreeMap<BTreeSet<&'a str>, [Option<Counts>; 2]>,
    /// Whether the figures are marked as of shared texts.
    marked: bool,
}

/// One line for each corpus and division. The training part is the corpus without the test part; a validation part cut out of it counts
/// as training.
pub fn blocks(context: &Context) -> Vec<Block> {
    let mut found: BTreeMap<String, Shared> = BTreeMap::new();
    let all = trainings(context);
    for group in all.iter().filter(|g| g.name.division != Division::CrossCorpus) {
        let corpus = with_apart(&names::corpus(&group.name.corpus), &group.apart);
        let title = format!("{corpus}, {}", group.name.division.title());
        for (run, training) in &group.members {
            let Some(speakers) = run.speakers.get(&training.name.corpus) else { continue };
            let texts = run.texts.get(&training.name.corpus);
            let tested = training.predictions.values().flatten().filter(|t| t.target.is_none());
            let mut parts: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
            for row in tested.flat_map(|t| &t.predictions.rows) {
                parts.entry(row.fold).or_default().insert(&row.id);
            }
            let shared = found.entry(title.clone()).or_default();
            shared.marked |= group.marks.values().flatten().any(|m| *m == Mark::TextsShared);
            for part in parts.into_values() {
                let counts = [counts(&part, speakers), texts.and_then(|texts| counts(&part, texts))];
                shared.folds.insert(part, counts);
            }
        }
    }
    found.retain(|_, shared| !shared.folds.is_empty());
    if found.is_empty() {
        return Vec::new();
    }
    let lines = found.iter().map(|(title, shared)| line(title, shared)).collect();
    let text =
        "Speakers and texts of a fold's test part that are in its training part too, each fold counted by itself:";
    vec![Block::Text(text.to_owned()), Block::List(lines)]
}

/// None where the word of an utterance of the test part is not known.
fn counts(part: &BTreeSet<&str>, words: &BTreeMap<String, String>) -> Option<Counts> {
    let tested = part.iter().map(|&id| words.get(id)).collect::<Option<BTreeSet<&String>>>()?;
    let trained: BTreeSet<&String> =
        words.iter().filter(|(id, _)| !part.contains(id.as_str())).map(|(_, word)| word).collect();
    Some([tested.len(), tested.intersection(&trained).count()])
}

fn line(title: &str, shared: &Shared) -> String {
    let folds = shared.folds.len();
    let plural = if folds == 1 { "" } else { "s" };
    let sum = |which: usize| -> Option<Counts> {
        let known = shared.folds.values().map(|counts| counts[which]).collect::<Option<Vec<Counts>>>()?;
        Some([0, 1].map(|i| known.iter().map(|c| c[i]).sum()))
    };
    let said = |[tested, both]: Counts, of: &str| format!("{both} of {tested} {of} are shared in {folds} fold{plural}");
    let speakers = sum(0).map_or_else(
        || "the speaker of some utterance is not known, so nothing is counted".to_owned(),
        |counts| said(counts, "speakers"),
    );
    let texts = match (sum(1), shared.marked) {
        (Some(counts), _) => said(counts, "texts"),
        (None, true) => "texts are shared; how many is not known, since corpora/NAME.csv does not name them".to_owned(),
        (None, false) => "whether texts are shared is not known, since corpora/NAME.csv does not name them".to_owned(),
    };
    format!("{title}: {speakers}; {texts}.")
}
