//! How corpora, systems and trainings are called in print, and in which order they stand.

use sercorpus::CorpusName;
use serrun::{Division, Protocol, System, TrainingName};

/// EMODB for emodb; a corpus of one's own as it is.
pub fn corpus(name: &CorpusName) -> String {
    if name.kind().is_some() { name.as_str().to_uppercase() } else { name.to_string() }
}

/// "CASIA to EMOVO", or the corpus alone.
pub fn pair(corpus_: &CorpusName, target: Option<&CorpusName>) -> String {
    std::iter::once(corpus_).chain(target).map(corpus).collect::<Vec<_>>().join(" to ")
}

/// The systems' order in Table 3, with others behind.
pub fn system_rank(system: &System) -> usize {
    let order = ["tcn", "no-bd", "no-ms", "no-df", "tim-net"];
    order.iter().position(|v| *v == system.as_str()).unwrap_or(order.len())
}

/// "EMODB, TIM-Net, random folds".
pub fn training(name: &TrainingName) -> String {
    format!("{}, {}, {}", corpus(&name.corpus), name.system.title(), name.division.title())
}

/// "last-epoch", or "last-epoch, 6 groups of speakers" on folds that are not those of the protocol's name.
pub fn protocol(protocol: Protocol, division: Division) -> String {
    match division.beside_protocol() {
        None => protocol.name().to_owned(),
        Some(folds) => format!("{protocol}, {folds}"),
    }
}

/// Hold-out before random folds before others: how well a training's division suits a figure of one network.
pub fn division_rank(division: Division) -> usize {
    match division {
        Division::HoldOut => 0,
        Division::Random => 1,
        _ => 2,
    }
}

/// Where a training stands among others: TIM-Net first, then as its division and its name say.
pub fn training_order(name: &TrainingName) -> (bool, usize, String) {
    (!name.system.is_tim_net(), division_rank(name.division), name.stem())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn trainings_read_as_sentences() {
        let name = |corpus: &str, system: &str, division| TrainingName {
            corpus: corpus.parse().unwrap(),
            system: system.parse().unwrap(),
            division,
            seed: 46,
            training_seed: None,
        };
        assert_eq!(training(&name("emodb", "tim-net", Division::Random)), "EMODB, TIM-Net, random folds");
        assert_eq!(training(&name("mine", "no-bd", Division::CrossCorpus)), "mine, w/o BD, across corpora");
        let casia = "casia".parse().unwrap();
        assert_eq!(pair(&casia, Some(&"mine".parse().unwrap())), "CASIA to mine");
    }
}
