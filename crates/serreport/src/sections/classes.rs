//! Confusion matrices, and what they say of each class.

use sermetrics::ClassScores;

use super::{Absent, Context};
use crate::{
    document::{Block, Entry, Figure, Table, columns},
    figures::confusion,
    group::{Group, origin},
};

pub fn blocks(context: &Context, absent: &mut Absent) -> Vec<Block> {
    let mut within: Vec<&Group> = context.groups.iter().filter(|g| g.first().target.is_none()).collect();
    within.sort_by_key(|g| (!g.first().variant.is_tim_net(), g.first().protocol));
    let figures: Vec<Figure> = within.iter().filter_map(|g| figure(g)).collect();
    if figures.len() < within.len() {
        absent.push(format!(
            "Confusion matrices: {} of {} cells have none.",
            within.len() - figures.len(),
            within.len()
        ));
    }
    if figures.is_empty() {
        return Vec::new();
    }
    let text = "Predictions of all folds (and seeds) together: the number of utterances, and below it the part of the row, which is the \
        recall on the diagonal. Pairs of corpora (Table 2) are not drawn.";
    vec![Block::Table(table(&within)), Block::Text(text.to_owned()), Block::Figures(figures)]
}

fn table(groups: &[&Group]) -> Table {
    Table {
        id: "classes".to_owned(),
        title: "Each class, in percent".to_owned(),
        note: "Of the predictions of all folds (and seeds) together. Support: utterances of the class; predicted: utterances taken for it. `-`: \
            nothing was taken for the class (no precision, no F1), or no utterance is of it (no recall, no F1)."
            .to_owned(),
        columns: columns(&["figure", "class", "#support", "#predicted", "#precision", "#recall", "#F1", "run"]),
        rows: groups.iter().flat_map(|g| rows(g)).collect(),
    }
}

fn rows(group: &Group) -> Vec<Vec<Entry>> {
    let Some(counts) = group.confusion() else { return Vec::new() };
    let (title, marks, run) = (group.title(), group.marks(), origin(&[group]));
    let row = |(label, c): (String, ClassScores)| {
        let share = |there: bool, v: f64| if there { Entry::percent(v, &marks) } else { Entry::none() };
        let (found, taken) = (c.support > 0, c.predicted > 0);
        vec![
            Entry::text(&title),
            Entry::text(label),
            Entry::number(c.support.to_string(), c.support, &[]),
            Entry::number(c.predicted.to_string(), c.predicted, &[]),
            share(taken, c.precision),
            share(found, c.recall),
            share(found && taken, c.f1),
            run.clone(),
        ]
    };
    group.labels().into_iter().zip(counts.per_class()).map(row).collect()
}

fn figure(group: &Group) -> Option<Figure> {
    let counts = group.confusion()?;
    let marks = group.marks();
    let title = group.title();
    let mut seeds: Vec<String> = group.cells.iter().map(|(_, c)| c.seed.to_string()).collect();
    seeds.dedup();
    let plural = if seeds.len() == 1 { "" } else { "s" };
    Some(Figure {
        id: format!("confusion-{}", group.slug()),
        caption: format!(
            "{title}: {} predictions, {} folds, seed{plural} {} ({}).",
            counts.total(),
            group.folds(),
            seeds.join(", "),
            origin(&[group]).text
        ),
        svg: confusion(&format!("Confusion matrix, {title}"), &group.labels(), &counts, &marks),
        marks,
    })
}
