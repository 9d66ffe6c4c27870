//! The tables on the terminal.

use std::collections::{BTreeMap, BTreeSet};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use sercorpus::CorpusKind;

use crate::{
    plan::Division,
    results::{Cell, Metrics},
    summary::{Over, Paired, Summary},
};

/// Ours beside the published figures, UAR / WAR in percent.
pub fn render(metrics: &Metrics) -> String {
    let mut text = String::new();
    let own: Vec<&Cell> = metrics.cells.iter().filter(|c| c.target.is_none()).collect();
    if !own.is_empty() {
        let header =
            ["corpus", "network", "protocol", "seed", "UAR / WAR", "std over folds", "pooled UAR [95 %]", "published"];
        text.push_str(&table(&header, 3, own.iter().map(|c| row(c, metrics))));
        text.push_str(
            "UAR / WAR: mean over folds, in percent; std with divisor n; pooled: all folds' predictions together.\n",
        );
    }
    let across: BTreeSet<_> = metrics.cells.iter().filter(|c| c.target.is_some()).map(|c| c.variant).collect();
    for variant in across {
        let cells = metrics.cells.iter().filter(|c| c.variant == variant);
        text.push_str(&format!("\n{}: trained on the row, scored on the column, mean over runs\n", variant.title()));
        text.push_str(&pairs(cells));
    }
    if !metrics.summaries.is_empty() {
        let header = ["mean over", "network", "protocol", "UAR / WAR", "std", "published"];
        text.push('\n');
        text.push_str(&table(&header, 3, metrics.summaries.iter().map(|s| summary(s, metrics.synthetic))));
    }
    if !metrics.paired.is_empty() {
        let header = ["corpus", "network - TIM-Net", "protocol", "pairs", "UAR [95 %]", "WAR [95 %]"];
        text.push('\n');
        text.push_str(&table(&header, 3, metrics.paired.iter().map(paired)));
        text.push_str(
            "Points between the means over the same folds and seeds, with Student's t interval; the folds of one \
             cross-validation share training data, so it is too narrow.\n",
        );
    }
    for caveat in caveats(metrics) {
        text.push_str(&caveat);
        text.push('\n');
    }
    text
}

fn plain() -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Disabled);
    table
}

/// A table with its columns from `right` on aligned to the right.
fn table<const N: usize>(header: &[&str; N], right: usize, rows: impl Iterator<Item = [String; N]>) -> String {
    let mut table = plain();
    table.set_header(header);
    rows.for_each(|row| {
        table.add_row(row);
    });
    for column in right..N {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    format!("{table}\n")
}

fn percent(v: f64) -> String {
    format!("{:.2}", 100.0 * v)
}

fn both(uar: f64, war: f64) -> String {
    format!("{} / {}", percent(uar), percent(war))
}

fn published(figures: Option<[f64; 2]>, synthetic: bool) -> String {
    match figures {
        _ if synthetic => "does not apply".to_owned(),
        Some([uar, war]) => both(uar, war),
        None => "none".to_owned(),
    }
}

fn protocol(name: impl std::fmt::Display, division: Division, caveat: bool) -> String {
    let division = if division == Division::HoldOut { ", 8:2" } else { "" };
    format!("{name}{division}{}", if caveat { " (!)" } else { "" })
}

fn row(cell: &Cell, metrics: &Metrics) -> [String; 8] {
    let mut corpus = cell.corpus.to_string();
    if metrics.synthetic {
        corpus.push_str(" (synthetic)");
    }
    if let Some(missing) = metrics.missing.get(&cell.training()) {
        corpus.push_str(&format!(" ({} of {} folds)", cell.folds.len(), cell.folds.len() + missing.len()));
    }
    [
        corpus,
        cell.variant.title().to_owned(),
        protocol(cell.protocol, cell.division, cell.caveat.is_some()),
        cell.seed.to_string(),
        both(cell.uar.mean, cell.war.mean),
        both(cell.uar.population_std, cell.war.population_std),
        format!(
            "{} [{}, {}]",
            percent(cell.pooled_uar.estimate),
            percent(cell.pooled_uar.low),
            percent(cell.pooled_uar.high)
        ),
        published(cell.published, metrics.synthetic),
    ]
}

/// Source by target.
fn pairs<'a>(cells: impl Iterator<Item = &'a Cell>) -> String {
    let mut sums: BTreeMap<(CorpusKind, CorpusKind), (f64, f64, f64)> = BTreeMap::new();
    for (cell, target) in cells.filter_map(|c| Some((c, c.target?))) {
        let sum = sums.entry((cell.corpus, target)).or_default();
        *sum = (sum.0 + cell.uar.mean, sum.1 + cell.war.mean, sum.2 + 1.0);
    }
    let kinds: BTreeSet<CorpusKind> = sums.keys().flat_map(|&(a, b)| [a, b]).collect();
    let mut table = plain();
    table.set_header(std::iter::once("UAR / WAR".to_owned()).chain(kinds.iter().map(|k| k.to_string())));
    for &source in &kinds {
        let figure = |&target: &CorpusKind| {
            sums.get(&(source, target)).map_or_else(String::new, |(uar, war, n)| both(uar / n, war / n))
        };
        table.add_row(std::iter::once(source.to_string()).chain(kinds.iter().map(figure)));
    }
    format!("{table}\n")
}

fn summary(s: &Summary, synthetic: bool) -> [String; 6] {
    let over = match (s.over, s.corpus) {
        (Over::Seeds, Some(corpus)) => format!("{} seeds of {corpus}", s.seeds.len()),
        (Over::Seeds, None) => format!("{} seeds", s.seeds.len()),
        (Over::Runs, _) => format!("{} runs over {} pairs", s.seeds.len(), s.corpora.len()),
        (Over::Corpora, _) => format!("{} corpora", s.corpora.len()),
    };
    [
        over,
        s.variant.title().to_owned(),
        protocol(s.protocol, s.division, s.caveat.is_some()),
        both(s.uar.mean, s.war.mean),
        both(s.uar.population_std, s.war.population_std),
        published(s.published, synthetic),
    ]
}

fn paired(p: &Paired) -> [String; 6] {
    let difference =
        |d: f64, [low, high]: [f64; 2]| format!("{:+.2} [{:+.2}, {:+.2}]", 100.0 * d, 100.0 * low, 100.0 * high);
    [
        p.corpus.to_string(),
        p.variant.title().to_owned(),
        protocol(p.protocol, Division::Random, p.caveat.is_some()),
        p.n.to_string(),
        difference(p.uar_difference, p.uar_interval),
        difference(p.war_difference, p.war_interval),
    ]
}

fn caveats(metrics: &Metrics) -> Vec<String> {
    let mut out: Vec<String> =
        metrics.cells.iter().filter_map(|c| Some(format!("(!) {}: {}", c.protocol, c.caveat.as_ref()?))).collect();
    out.sort();
    out.dedup();
    if !metrics.missing.is_empty() {
        let folds: usize = metrics.missing.values().map(Vec::len).sum();
        out.push(format!("INCOMPLETE: {folds} folds of {} trainings are missing.", metrics.missing.len()));
    }
    if metrics.synthetic {
        out.push(
            "SYNTHETIC: no corpus is configured, so these recordings were made by this program; the figures show that \
             the pipeline runs and say nothing about any corpus. Give --data CORPUS=PATH, SER_DATA or `path` in \
             configs/corpora/*.toml."
                .to_owned(),
        );
    }
    out
}
