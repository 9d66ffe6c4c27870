//! Every figure with its n, its spreads, its interval and its command.

use sermetrics::Interval;

use crate::{
    document::{Entry, Mark, Table, columns, percent},
    group::{Group, origin},
    names,
    run::{Cell, Run},
};

/// What the columns mean.
const NOTE: &str = "UAR and WAR: mean over folds, in percent. Std over folds with divisor n; over seeds with divisor n - 1; in the rows \
    for several seeds the std over folds is the mean over seeds. Pooled: the predictions of all folds together, with the \
    percentile bootstrap interval over utterances.";

/// A row for each seed, and one for all seeds where there are several.
pub fn details(id: &str, title: &str, groups: &[&Group]) -> Table {
    let mut rows = Vec::new();
    for group in groups {
        for (run, cell) in &group.cells {
            rows.push(seed_row(group, run, cell));
        }
        if group.cells.len() > 1 {
            rows.push(all_row(group));
        }
    }
    let columns = columns(&[
        "corpus",
        "network",
        "protocol",
        "seed",
        "#utterances",
        "#folds",
        "#epochs",
        "#UAR",
        "#WAR",
        "#std over folds UAR / WAR",
        "#std over seeds UAR / WAR",
        "#pooled UAR [95 %]",
        "#pooled WAR [95 %]",
        "run",
    ]);
    Table { id: id.to_owned(), title: title.to_owned(), note: NOTE.to_owned() + &caveats(groups), columns, rows }
}

/// What the runs say beside their figures.
pub fn caveats(groups: &[&Group]) -> String {
    let mut texts: Vec<String> = groups
        .iter()
        .flat_map(|g| &g.cells)
        .filter_map(|(_, c)| Some(format!(" {}: {}.", c.protocol, c.caveat.as_ref()?)))
        .collect();
    texts.sort();
    texts.dedup();
    texts.concat()
}

fn start(group: &Group, seed: String) -> Vec<Entry> {
    let cell = group.first();
    let corpus = match &cell.target {
        Some(target) => format!("{} to {}", names::corpus(&cell.corpus), names::corpus(target)),
        None => names::corpus(&cell.corpus),
    };
    vec![
        Entry::text(corpus),
        Entry::text(names::variant(&cell.variant)),
        Entry::text(&cell.protocol),
        Entry::text(seed),
        Entry::number(cell.utterances.to_string(), cell.utterances, &[]),
        Entry::number(group.folds().to_string(), group.folds(), &[]),
        Entry::number(cell.epochs.to_string(), cell.epochs, &[]),
    ]
}

fn seed_row(group: &Group, run: &Run, cell: &Cell) -> Vec<Entry> {
    let marks = group.marks();
    let mut row = start(group, cell.seed.to_string());
    row.push(Entry::percent(cell.uar.mean, &marks));
    row.push(Entry::percent(cell.war.mean, &marks));
    row.push(match cell.uar.count {
        0 | 1 => Entry::none(),
        _ => Entry::pair([cell.uar.population_std, cell.war.population_std], &marks),
    });
    row.push(Entry::none());
    row.push(interval(cell.pooled_uar, &marks));
    row.push(interval(cell.pooled_war, &marks));
    row.push(Entry::runs(&run.name, &[run.command()]));
    row
}

fn all_row(group: &Group) -> Vec<Entry> {
    let marks = group.marks();
    let [uar, war] = group.figures();
    let optional = |a: Option<f64>, b: Option<f64>| match (a, b) {
        (Some(a), Some(b)) => Entry::pair([a, b], &marks),
        _ => Entry::none(),
    };
    let mut row = start(group, format!("mean of {}", group.cells.len()));
    row.push(Entry::percent(uar.mean, &marks));
    row.push(Entry::percent(war.mean, &marks));
    row.push(optional(uar.fold_std, war.fold_std));
    row.push(optional(uar.seed_std, war.seed_std));
    row.push(Entry::none());
    row.push(Entry::none());
    row.push(origin(&[group]));
    row
}

fn interval(interval: Option<Interval>, marks: &[Mark]) -> Entry {
    interval.map_or_else(Entry::none, |i| {
        let text = format!("{} [{}, {}]", percent(i.estimate), percent(i.low), percent(i.high));
        Entry::number(text, vec![100.0 * i.estimate, 100.0 * i.low, 100.0 * i.high], marks)
    })
}
