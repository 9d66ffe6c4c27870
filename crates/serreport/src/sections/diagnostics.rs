//! Fusion weights, attention, calibration.

use std::collections::BTreeMap;

use sermetrics::{Calibration, MetricError, ReliabilityBin, brier_score, log_loss};

use serrun::{Mark, Protocol};

use super::{Absent, Context, Trainings, note_absent, shown, trainings};
use crate::{
    document::{Block, Entry, Figure, Table, columns},
    figures::{Dot, Row, attention, dots, reliability},
    group::{mean_and_std, slug},
    names,
    training::Tested,
};

/// Bins of the reliability diagrams, as in Guo et al. 2017.
const BINS: usize = 15;

pub fn network(context: &Context, absent: &mut Absent) -> Vec<Block> {
    let all = trainings(context);
    let members = || all.iter().flat_map(|g| &g.members);
    let total = members().count();
    let fused = members().filter(|(_, t)| !t.fusion.is_empty()).count();
    note_absent(absent, "Fusion weights", "fusion.csv", fused, total);
    note_absent(absent, "Attention", "attention.json", members().filter(|(_, t)| t.attention.is_some()).count(), total);
    let mut blocks = Vec::new();
    let weights: Vec<Figure> = all.iter().filter_map(fusion).collect();
    if !weights.is_empty() {
        blocks.push(Block::Heading("Fusion weights".to_owned()));
        let text = "The weight w_j of each block's vector g_j in g_drf. Rings: folds; diamond and line: mean and one standard deviation \
            (divisor n - 1). Block j sees 2 (2^j - 1) frames back.";
        blocks.push(Block::Text(text.to_owned()));
        blocks.push(Block::Figures(weights));
    }
    let maps: Vec<Figure> = shown(&all, |t| t.attention.is_some()).into_iter().filter_map(|(g, i)| map(g, i)).collect();
    if !maps.is_empty() {
        blocks.push(Block::Heading("Attention over time".to_owned()));
        let text = "How open each block's gate is at each frame of one test utterance of the first fold: the mean of the sigmoid over channels and \
            directions, 0.5 (closed) to 1; the stronger the colour, the more open. One utterance a corpus and network.";
        blocks.push(Block::Text(text.to_owned()));
        blocks.push(Block::Figures(maps));
    }
    blocks
}

fn fusion(group: &Trainings) -> Option<Figure> {
    let folds: Vec<&Vec<f64>> = group.members.iter().flat_map(|(_, t)| &t.fusion).collect();
    let blocks = folds.first()?.len();
    let row = |j: usize| {
        let values: Vec<f64> = folds.iter().filter_map(|w| w.get(j)).copied().collect();
        let (value, std) = mean_and_std(values.iter().copied());
        let std = std.unwrap_or(0.0);
        Row { name: format!("w{}", subscript(j + 1)), dot: Dot { value, low: value - std, high: value + std }, values }
    };
    let rows: Vec<Row> = (0..blocks).map(row).collect();
    let title = group.title();
    let marks = group.unselected();
    Some(Figure {
        id: format!("fusion-{}", slug(&group.name.stem())),
        caption: format!("{title}: {} folds ({}).", folds.len(), group.origin()),
        svg: dots(&format!("Fusion weights, {title}"), "weight", &rows, 0.0, &marks),
        marks,
    })
}

/// 10 in subscript digits.
fn subscript(n: usize) -> String {
    let digit = |c: char| char::from_u32(0x2080 + c.to_digit(10).unwrap_or(0)).unwrap_or(c);
    n.to_string().chars().map(digit).collect()
}

fn map(group: &Trainings, i: usize) -> Option<Figure> {
    let (run, training) = group.members[i];
    let found = training.attention.as_ref()?;
    let title = group.title();
    let marks = group.unselected();
    Some(Figure {
        id: format!("attention-{}", slug(&training.name.to_string())),
        caption: format!(
            "{title}: utterance {}, {} taken for {} ({}, {}).",
            found.id, found.label, found.predicted, training.name, run.name
        ),
        svg: attention(&format!("Attention, {title}, {}", found.id), &found.attention, found.hop_seconds, &marks),
        marks,
    })
}

/// How probabilities compare with what is right, over all predictions of one protocol.
#[derive(Debug)]
struct Judged {
    title: String,
    slug: String,
    n: usize,
    confidence: f64,
    accuracy: f64,
    calibration: Calibration,
    brier: f64,
    log_loss: f64,
    marks: Vec<Mark>,
    origin: String,
    commands: Vec<String>,
    /// TIM-Net first, then by protocol.
    place: (bool, Protocol),
}

pub fn calibration(context: &Context, absent: &mut Absent) -> Vec<Block> {
    let all = trainings(context);
    let members = || all.iter().flat_map(|g| &g.members);
    let have = members().filter(|(_, t)| !t.predictions.is_empty()).count();
    note_absent(absent, "Calibration and speakers", "PROTOCOL/predictions.csv", have, members().count());
    let mut judged = Vec::new();
    for group in &all {
        let mut protocols: BTreeMap<Protocol, Vec<&Tested>> = BTreeMap::new();
        for (protocol, parts) in group.members.iter().flat_map(|(_, t)| &t.predictions) {
            protocols.entry(*protocol).or_default().extend(parts);
        }
        for (protocol, parts) in protocols {
            match judge(group, protocol, &parts) {
                Ok(found) => judged.push(found),
                Err(e) => absent.push(format!("Calibration of {}, {protocol}: {e}.", group.title())),
            }
        }
    }
    if judged.is_empty() {
        return Vec::new();
    }
    judged.sort_by_key(|j| j.place);
    let text = "How far the largest probability of a prediction can be believed. ECE: expected calibration error (Guo et al. 2017), the mean \
        over utterances of |accuracy - confidence| of their bin, 15 bins of equal width; MCE: the largest of a bin. Bars: the \
        part of a bin that is right; triangles: the same at its mean confidence; dashed: perfect calibration; below: utterances in each \
        bin. Label smoothing in training pushes confidences down.";
    let figures = judged.iter().map(diagram).collect();
    vec![
        Block::Text(text.to_owned()),
        Block::Table(table(&judged)),
        Block::Table(bins(&judged)),
        Block::Figures(figures),
    ]
}

fn judge(group: &Trainings, protocol: Protocol, parts: &[&Tested]) -> Result<Judged, MetricError> {
    let rows = || parts.iter().flat_map(|p| &p.predictions.rows);
    let classes = parts.iter().map(|p| p.predictions.labels.len()).max().unwrap_or(0);
    let confidence: Vec<f64> = rows().map(|r| r.probabilities.iter().copied().fold(0.0, f64::max)).collect();
    let right: Vec<bool> = rows().map(|r| r.truth == r.predicted).collect();
    let truth: Vec<usize> = rows().map(|r| r.truth).collect();
    let probabilities: Vec<f64> = rows().flat_map(|r| r.probabilities.iter().copied()).collect();
    let title = format!("{}, {protocol}", group.title());
    Ok(Judged {
        n: truth.len(),
        confidence: mean_and_std(confidence.iter().copied()).0,
        accuracy: right.iter().filter(|r| **r).count() as f64 / right.len().max(1) as f64,
        calibration: Calibration::of(&confidence, &right, BINS)?,
        brier: brier_score(&truth, &probabilities, classes)?,
        log_loss: log_loss(&truth, &probabilities, classes)?,
        marks: group.marks(protocol),
        slug: slug(&format!("{} {protocol}", group.name.stem())),
        title,
        origin: group.origin(),
        commands: group.commands(),
        place: (names::training_order(group.name).0, protocol),
    })
}

fn diagram(judged: &Judged) -> Figure {
    Figure {
        id: format!("calibration-{}", judged.slug),
        caption: format!("{}: {} predictions ({}).", judged.title, judged.n, judged.origin),
        svg: reliability(&format!("Reliability diagram, {}", judged.title), &judged.calibration, &judged.marks),
        marks: judged.marks.clone(),
    }
}

/// The bins that ECE and MCE are made of.
fn bins(judged: &[Judged]) -> Table {
    let row = |j: &Judged, bin: &ReliabilityBin| {
        let share = |v: f64| if bin.count > 0 { Entry::percent(v, &j.marks) } else { Entry::none() };
        vec![
            Entry::text(&j.title),
            Entry::text(format!("{:.4} to {:.4}", bin.low, bin.high)),
            Entry::number(bin.count.to_string(), bin.count, &[]),
            share(bin.confidence),
            share(bin.accuracy),
        ]
    };
    Table {
        id: "calibration-bins".to_owned(),
        title: format!("The {BINS} bins of equal width"),
        note: "A bin holds confidences above its lower and up to its upper edge. Percent; an empty bin has none."
            .to_owned(),
        columns: columns(&["figure", "confidences", "#n", "#mean confidence", "#accuracy"]),
        rows: judged.iter().flat_map(|j| j.calibration.bins.iter().map(|b| row(j, b))).collect(),
    }
}

fn table(judged: &[Judged]) -> Table {
    let row = |j: &Judged| {
        vec![
            Entry::text(&j.title),
            Entry::number(j.n.to_string(), j.n, &[]),
            Entry::percent(j.accuracy, &j.marks),
            Entry::percent(j.confidence, &j.marks),
            Entry::percent(j.calibration.ece, &j.marks),
            Entry::percent(j.calibration.mce, &j.marks),
            Entry::number(format!("{:.4}", j.brier), j.brier, &j.marks),
            Entry::number(format!("{:.4}", j.log_loss), j.log_loss, &j.marks),
            Entry::runs(&j.origin, &j.commands),
        ]
    };
    Table {
        id: "calibration".to_owned(),
        title: "Calibration, over all predictions of a protocol".to_owned(),
        note: "Percent; Brier score (0 to 2) and log loss (nats) as numbers.".to_owned(),
        columns: columns(&[
            "figure",
            "#n",
            "#accuracy",
            "#mean confidence",
            "#ECE",
            "#MCE",
            "#Brier score",
            "#log loss",
            "run",
        ]),
        rows: judged.iter().map(row).collect(),
    }
}
