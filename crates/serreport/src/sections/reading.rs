//! What words mean here.

use crate::document::{Block, Mark, Section};

pub fn section() -> Section {
    let facts = [
        (
            "UAR",
            "unweighted average recall: the mean over classes of recall; classes absent from a fold's truth are left out",
        ),
        ("WAR", "weighted average recall: the part of utterances that are recognised (accuracy)"),
        ("last-epoch", "random folds; the last epoch is scored; * in the paper"),
        (
            "best-epoch",
            "random folds; the epoch with the best accuracy on the test fold is scored, which makes it optimistic; ** in the paper",
        ),
        (
            "validated",
            "random folds; the epoch is chosen on a part cut out of the training part, and scored once on the test fold",
        ),
        (
            "speaker-independent",
            "one speaker (IEMOCAP: one session) is left out of training and scored; the last epoch",
        ),
    ];
    let mut facts: Vec<(String, String)> = facts.map(|(a, b)| (a.to_owned(), b.to_owned())).to_vec();
    for mark in [Mark::Optimistic, Mark::Synthetic, Mark::Caveat] {
        facts.push((format!("mark {}", mark.short()), mark.meaning().to_owned()));
    }
    Section { id: "reading", title: "How to read the figures", blocks: vec![Block::Facts(facts)] }
}
