//! What words mean here.

use serrun::Mark;

use crate::document::{Block, Section};

/// With the meaning of the `marks` that occur.
pub fn section(marks: &[Mark]) -> Section {
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
    facts.extend(marks.iter().map(|m| (format!("mark {}", m.short()), m.meaning())));
    Section { id: "reading", title: "How to read the figures", blocks: vec![Block::Facts(facts)] }
}
