//! Every figure with its n, its spreads, its interval and its command.

use sermetrics::Interval;

use serrun::{Cell, Mark};

use crate::{
    document::{Entry, Table, columns, percent},
    group::{Group, origin},
    names,
    run::Run,
};

/// What the columns mean.
const NOTE: &str = "UAR and WAR: mean over folds, in percent. Standard deviations have divisor n - 1, over the folds and seeds of the row; a single \
    value has none (-); in the rows for several trainings the std over folds is the mean over them, and the other one is over \
    what the row says: seeds of the folds, or trainings of the same folds. Pooled: the predictions of all folds together, \
    with a 95 % bootstrap interval over what the column says: over utterances where the speakers were trained on (percentile), over speakers where \
    they were not (Student's t with the bootstrap's standard error; none over fewer than five). Intervals hold for these trained models; \
    retraining is not in them.";

/// A row for each training, and one for all where there are several; then what is there a second time.
pub fn details(id: &str, title: &str, groups: &[&Group]) -> Table {
    let mut rows = Vec::new();
    for group in groups {
        for (run, cell) in &group.cells {
            rows.push(seed_row(group, seed(cell), run, cell));
        }
        if group.cells.len() > 1 {
            rows.push(all_row(group));
        }
        for repeat in &group.repeats {
            let what = if repeat.same { "the same as" } else { "other figures than" };
            let seed = format!("{}: {what} {}, not counted", seed(repeat.cell), repeat.of.name);
            rows.push(seed_row(group, seed, repeat.run, repeat.cell));
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
        "#std over seeds or trainings UAR / WAR",
        "#pooled UAR [95 %]",
        "#pooled WAR [95 %]",
        "interval over",
        "run",
    ]);
    Table { id: id.to_owned(), title: title.to_owned(), note: NOTE.to_owned(), columns, rows }
}

/// "46", or "46, training 7" where the training seed is another.
fn seed(cell: &Cell) -> String {
    cell.training_seed.map_or_else(|| cell.seed.to_string(), |t| format!("{}, training {t}", cell.seed))
}

fn start(group: &Group, cell: &Cell, seed: String) -> Vec<Entry> {
    let utterances = match cell.partial {
        Some([found, expected]) => format!("{} (corpus: {found} of {expected})", cell.utterances),
        None => cell.utterances.to_string(),
    };
    vec![
        Entry::text(group.corpus()),
        Entry::text(cell.variant.title()),
        Entry::text(names::protocol(cell.protocol, cell.division)),
        Entry::text(seed),
        Entry::number(utterances, cell.utterances, &[]),
        Entry::number(group.folds().to_string(), group.folds(), &[]),
        Entry::number(cell.epochs.to_string(), cell.epochs, &[]),
    ]
}

fn seed_row(group: &Group, seed: String, run: &Run, cell: &Cell) -> Vec<Entry> {
    let marks = &cell.marks;
    let mut row = start(group, cell, seed);
    row.push(Entry::percent(cell.uar.mean, marks));
    row.push(Entry::percent(cell.war.mean, marks));
    row.push(stds(cell.uar.std, cell.war.std, marks));
    row.push(Entry::none());
    row.push(interval(cell.pooled_uar, marks));
    row.push(interval(cell.pooled_war, marks));
    row.push(cell.interval_over.map_or_else(Entry::none, |over| Entry::text(over.to_string())));
    row.push(Entry::runs(&run.name, &[run.command()]));
    row
}

fn all_row(group: &Group) -> Vec<Entry> {
    let marks = group.marks();
    let [uar, war] = group.figures();
    let mut row = start(group, group.first(), format!("mean of {}", group.over()));
    row.push(Entry::percent(uar.mean, &marks));
    row.push(Entry::percent(war.mean, &marks));
    row.push(stds(uar.fold_std, war.fold_std, &marks));
    row.push(stds(uar.std, war.std, &marks));
    row.extend([Entry::none(), Entry::none(), Entry::none()]);
    row.push(origin(&[group]));
    row
}

fn stds(uar: Option<f64>, war: Option<f64>, marks: &[Mark]) -> Entry {
    uar.zip(war).map_or_else(Entry::none, |(uar, war)| Entry::pair([uar, war], marks))
}

fn interval(interval: Option<Interval>, marks: &[Mark]) -> Entry {
    interval.map_or_else(Entry::none, |i| {
        let text = format!("{} [{}, {}]", percent(i.estimate), percent(i.low), percent(i.high));
        Entry::number(text, vec![100.0 * i.estimate, 100.0 * i.low, 100.0 * i.high], marks)
    })
}
