//! Recall of each speaker.

use std::collections::BTreeMap;

use sermetrics::{Confusion, confusion};

use serrun::{Mark, Protocol};

use super::{Absent, Context, Trainings, leakage, trainings};
use crate::{
    document::{Block, Entry, Figure, Table, columns, percent},
    figures::{Field, Heat, heat},
    group::{mean_and_std, slug},
    names,
};

/// The speakers of one training and protocol.
#[derive(Debug)]
struct Speakers {
    title: String,
    slug: String,
    labels: Vec<String>,
    /// Speaker to counts.
    counts: BTreeMap<String, Confusion>,
    marks: Vec<Mark>,
    origin: String,
    commands: Vec<String>,
    /// TIM-Net first, then by protocol.
    place: (bool, Protocol),
}

pub fn blocks(context: &Context, absent: &mut Absent) -> Vec<Block> {
    if context.runs.iter().all(|r| r.speakers.is_empty()) {
        absent.push("Speakers: no run has corpora/NAME.csv, so whose utterances they are is not known.".to_owned());
        return Vec::new();
    }
    let (mut found, mut unknown) = (Vec::new(), Vec::new());
    for group in trainings(context) {
        let own = group
            .members
            .iter()
            .flat_map(|(_, t)| &t.predictions)
            .filter(|(_, p)| p.iter().all(|p| p.target.is_none()));
        let mut protocols: Vec<Protocol> = own.map(|(protocol, _)| *protocol).collect();
        protocols.sort();
        protocols.dedup();
        for protocol in protocols {
            match speakers(&group, protocol) {
                Some(speakers) => found.push(speakers),
                None => unknown.push(format!("{} ({protocol})", group.title())),
            }
        }
    }
    if !unknown.is_empty() {
        absent.push(format!(
            "Speakers: the run's corpora/ does not name the speaker of some utterance of {}.",
            unknown.join("; ")
        ));
    }
    let mut blocks = leakage::blocks(context);
    if found.is_empty() {
        return blocks;
    }
    found.sort_by_key(|s| s.place);
    let text = "UAR and recall of each class for each speaker, over all folds (and seeds); a field without number: the speaker has no such \
        utterance. In random folds a speaker's other utterances were trained on; only speaker-independent tells of new voices.";
    let figures = found.iter().map(figure).collect();
    blocks.extend([Block::Text(text.to_owned()), Block::Table(table(&found)), Block::Figures(figures)]);
    blocks
}

fn speakers(group: &Trainings, protocol: Protocol) -> Option<Speakers> {
    let mut labels: Vec<String> = Vec::new();
    let mut pairs: BTreeMap<String, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for (run, training) in &group.members {
        let of = run.speakers.get(&training.name.corpus)?;
        for tested in training.predictions.get(&protocol).into_iter().flatten() {
            labels.clone_from(&tested.predictions.labels);
            for row in &tested.predictions.rows {
                let (truth, predicted) = pairs.entry(of.get(&row.id)?.clone()).or_default();
                truth.push(row.truth);
                predicted.push(row.predicted);
            }
        }
    }
    let counts = pairs
        .into_iter()
        .map(|(speaker, (truth, predicted))| Some((speaker, confusion(&truth, &predicted, labels.len()).ok()?)))
        .collect::<Option<_>>()?;
    Some(Speakers {
        title: format!("{}, {protocol}", group.title()),
        slug: slug(&format!("{} {protocol}", group.name.stem())),
        labels,
        counts,
        marks: group.marks(protocol),
        origin: group.origin(),
        commands: group.commands(),
        place: (names::training_order(group.name).0, protocol),
    })
}

fn figure(speakers: &Speakers) -> Figure {
    let names: Vec<String> = speakers.counts.keys().cloned().collect();
    let mut columns = vec!["UAR".to_owned()];
    columns.extend(speakers.labels.iter().cloned());
    let field = |shade: f64| Field { shade, lines: vec![format!("{:.0}", 100.0 * shade)] };
    let row = |counts: &Confusion| {
        let recalls = counts.per_class().into_iter().map(|c| (c.support > 0).then(|| field(c.recall)));
        std::iter::once(Some(field(counts.uar()))).chain(recalls).collect()
    };
    let fields = speakers.counts.values().map(row).collect();
    let drawing = Heat { rows: &names, columns: &columns, row_title: "speaker", column_title: "recall (%)", fields };
    Figure {
        id: format!("speakers-{}", speakers.slug),
        caption: format!("{} ({}).", speakers.title, speakers.origin),
        svg: heat(&format!("Recall of each speaker, {}", speakers.title), &drawing, &speakers.marks),
        marks: speakers.marks.clone(),
    }
}

fn table(found: &[Speakers]) -> Table {
    let row = |s: &Speakers| {
        let uars = || s.counts.iter().map(|(name, c)| (name, c.uar()));
        let ends = |order: std::cmp::Ordering| {
            uars()
                .reduce(|a, b| if b.1.total_cmp(&a.1) == order { b } else { a })
                .map_or_else(Entry::none, |(name, uar)| {
                    Entry::number(format!("{} ({name})", percent(uar)), 100.0 * uar, &s.marks)
                })
        };
        let (mean, std) = mean_and_std(uars().map(|u| u.1));
        let total: u64 = s.counts.values().map(Confusion::total).sum();
        vec![
            Entry::text(&s.title),
            Entry::number(s.counts.len().to_string(), s.counts.len(), &[]),
            Entry::number(total.to_string(), total, &[]),
            Entry::percent(mean, &s.marks),
            std.map_or_else(Entry::none, |v| Entry::percent(v, &s.marks)),
            ends(std::cmp::Ordering::Less),
            ends(std::cmp::Ordering::Greater),
            Entry::runs(&s.origin, &s.commands),
        ]
    };
    Table {
        id: "speakers".to_owned(),
        title: "UAR over speakers, in percent".to_owned(),
        note: "Mean over speakers and std (divisor n - 1) of the UAR of each speaker's utterances.".to_owned(),
        columns: columns(&["figure", "#speakers", "#n", "#mean UAR", "#std", "#lowest", "#highest", "run"]),
        rows: found.iter().map(row).collect(),
    }
}
