//! Which speakers a fold's test part shares with its training part.

use std::collections::{BTreeMap, BTreeSet};

use serrun::{Division, Mark};

use super::{Context, trainings};
use crate::{document::Block, group::with_apart, names};

/// What is shared, over the folds of one corpus and division.
#[derive(Debug, Default)]
struct Shared<'a> {
    /// By test part, so that the systems trained on the same folds count once: speakers in it, and those of them in the training part.
    /// None where the speaker of some utterance is not known.
    folds: BTreeMap<BTreeSet<&'a str>, Option<[usize; 2]>>,
    texts: bool,
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
            let tested = training.predictions.values().flatten().filter(|t| t.target.is_none());
            let mut parts: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
            for row in tested.flat_map(|t| &t.predictions.rows) {
                parts.entry(row.fold).or_default().insert(&row.id);
            }
            let shared = found.entry(title.clone()).or_default();
            shared.texts |= group.marks.values().flatten().any(|m| *m == Mark::TextsShared);
            for part in parts.into_values() {
                let counts = counts(&part, speakers);
                shared.folds.insert(part, counts);
            }
        }
    }
    found.retain(|_, shared| !shared.folds.is_empty());
    if found.is_empty() {
        return Vec::new();
    }
    let lines = found.iter().map(|(title, shared)| line(title, shared)).collect();
    let text = "Speakers of a fold's test part that are in its training part too, each fold counted by itself:";
    vec![Block::Text(text.to_owned()), Block::List(lines)]
}

/// Speakers of a test part, and those of them who speak outside it.
fn counts(part: &BTreeSet<&str>, speakers: &BTreeMap<String, String>) -> Option<[usize; 2]> {
    let tested = part.iter().map(|&id| speakers.get(id)).collect::<Option<BTreeSet<&String>>>()?;
    let trained: BTreeSet<&String> =
        speakers.iter().filter(|(id, _)| !part.contains(id.as_str())).map(|(_, speaker)| speaker).collect();
    Some([tested.len(), tested.intersection(&trained).count()])
}

fn line(title: &str, shared: &Shared) -> String {
    let known: Option<Vec<[usize; 2]>> = shared.folds.values().copied().collect();
    let folds = shared.folds.len();
    let plural = if folds == 1 { "" } else { "s" };
    let speakers = known.map_or_else(
        || "the speaker of some utterance is not known, so nothing is counted".to_owned(),
        |k| {
            let [tested, both] = [0, 1].map(|i| k.iter().map(|c| c[i]).sum::<usize>());
            format!("{both} of {tested} speakers are shared in {folds} fold{plural}")
        },
    );
    let texts = match shared.texts {
        true => "texts are shared; how many is not known, since corpora/NAME.csv does not name them",
        false => "whether texts are shared is not known, since corpora/NAME.csv does not name them",
    };
    format!("{title}: {speakers}; {texts}.")
}
