//! Figure 2: accuracy and loss against the epoch.

use std::collections::{BTreeMap, BTreeSet};

use serrun::Epoch;

use super::{Absent, Context, Trainings, note_absent, trainings};
use crate::{
    document::{Block, Figure},
    figures::{Curve, curves},
    group::{mean_and_std, slug},
};

pub fn blocks(context: &Context, absent: &mut Absent) -> Vec<Block> {
    let mut all = trainings(context);
    let total: usize = all.iter().map(|g| g.members.len()).sum();
    all.iter_mut().for_each(|g| g.members.retain(|(_, t)| tested_along(&t.epochs)));
    let have = all.iter().map(|g| g.members.len()).sum();
    note_absent(absent, "Figure 2", "epochs.csv with tests after every epoch", have, total);
    let figures: Vec<Figure> = all.iter().filter(|g| !g.members.is_empty()).flat_map(pair).collect();
    if figures.is_empty() {
        return Vec::new();
    }
    let text = "Mean over folds (and seeds); the band is one standard deviation (divisor n - 1) to each side. Training accuracy and loss are \
        those of the steps taken during the epoch, with dropout; test figures are for judging afterwards, and only best-epoch \
        selects on them.";
    vec![Block::Text(text.to_owned()), Block::Figures(figures)]
}

/// Whether more than one epoch was tested; training across corpora tests the last alone.
fn tested_along(epochs: &[Epoch]) -> bool {
    epochs.iter().filter(|e| e.test_loss.is_some()).map(|e| e.epoch).collect::<BTreeSet<_>>().len() > 1
}

fn pair(group: &Trainings) -> [Figure; 2] {
    let title = group.title();
    let marks = group.unselected();
    let folds: usize =
        group.members.iter().map(|(_, t)| t.epochs.iter().map(|e| e.fold).collect::<BTreeSet<_>>().len()).sum();
    let caption = |what: &str| format!("{title}: {what} over {folds} folds ({}).", group.origin());
    let id = |what: &str| format!("figure2-{}-{what}", slug(&group.name.stem()));
    let lines = |train: fn(&Epoch) -> Option<f64>, test: fn(&Epoch) -> Option<f64>| {
        [
            Curve { name: "training", points: over_folds(group, train) },
            Curve { name: "test", points: over_folds(group, test) },
        ]
    };
    let accuracy = lines(|e| Some(e.train_accuracy), |e| e.test_accuracy);
    let loss = lines(|e| Some(e.train_loss), |e| e.test_loss);
    [
        Figure {
            id: id("accuracy"),
            caption: caption("accuracy"),
            svg: curves(&title, "accuracy", &accuracy, Some(1.0), &marks),
            marks: marks.clone(),
        },
        Figure { id: id("loss"), caption: caption("loss"), svg: curves(&title, "loss", &loss, None, &marks), marks },
    ]
}

/// (epoch, mean, standard deviation) over all folds of all seeds.
fn over_folds(group: &Trainings, of: fn(&Epoch) -> Option<f64>) -> Vec<(f64, f64, f64)> {
    let mut epochs: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    for epoch in group.members.iter().flat_map(|(_, t)| &t.epochs) {
        epochs.entry(epoch.epoch).or_default().extend(of(epoch));
    }
    let point = |(epoch, values): (u32, Vec<f64>)| {
        let (mean, std) = mean_and_std(values.into_iter());
        (f64::from(epoch), mean, std.unwrap_or(0.0))
    };
    epochs.into_iter().map(point).filter(|p| p.1.is_finite()).collect()
}
