//! The tables on the terminal.

use std::collections::{BTreeMap, BTreeSet};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use sercorpus::CorpusName;
use sermetrics::Spread;
use serrun::{Cell, Comparison, Division, Mark, Metrics, Paired, Summary, SummaryOver, Tell};

use crate::error::{LabError, Result};

/// The table, or metrics.json, on stdout.
///
/// # Errors
/// A stdout that can't be written.
pub fn show(metrics: &Metrics, json: bool) -> Result<()> {
    if json {
        return print(&serde_json::to_string_pretty(metrics).map_err(LabError::work)?);
    }
    print(render(metrics).trim_end())
}

/// A line of data to stdout.
///
/// # Errors
/// Those of stdout.
pub fn print(text: &str) -> Result<()> {
    sercli::print(text).map_err(LabError::work)
}

/// Ours beside the published figures, UAR / WAR in percent.
fn render(metrics: &Metrics) -> String {
    let mut text = String::new();
    let own: Vec<&Cell> = metrics.cells.iter().filter(|c| c.target.is_none()).collect();
    if !own.is_empty() {
        let header = [
            "corpus",
            "network",
            "protocol",
            "seed",
            "UAR / WAR",
            "std (folds)",
            "pooled UAR [95 %]",
            "over",
            "published",
        ];
        text.push_str(&table(&header, 3, own.iter().map(|c| row(c, metrics))));
        text.push_str(
            "UAR / WAR: mean over folds, in percent; std over that many folds, divisor n - 1; pooled: all folds' predictions together, with \
             the bootstrap\ninterval of these trained models, over utterances or, where the speakers are new, over speakers (five at least).\n",
        );
    }
    let across: BTreeSet<_> = metrics.cells.iter().filter(|c| c.target.is_some()).map(|c| &c.variant).collect();
    for variant in across {
        let cells = metrics.cells.iter().filter(|c| c.variant == *variant);
        text.push_str(&format!("\n{}: trained on the row, scored on the column, mean over runs\n", variant.title()));
        text.push_str(&pairs(cells));
    }
    if !metrics.summaries.is_empty() {
        let header = ["mean over", "network", "protocol", "UAR / WAR", "std (n)", "published"];
        text.push('\n');
        text.push_str(&table(&header, 3, metrics.summaries.iter().map(|s| summary(s, metrics.synthetic))));
    }
    if !metrics.paired.is_empty() {
        let header = ["corpus", "network - other", "protocol", "folds", "UAR [95 %]", "", "WAR [95 %]", ""];
        text.push('\n');
        text.push_str(&table(&header, 3, metrics.paired.iter().map(paired)));
        text.push_str(
            "Points between the means over the same folds, trainings of a fold averaged first, with Student's t interval corrected for the \
             training data\nthat folds share (Nadeau and Bengio 2003), not adjusted. Better or worse: p below 0.05 after Holm's adjustment over \
             the pairs of one corpus,\nprotocol and measure; otherwise this run cannot tell, and would have found the difference after < four times in five.\n",
        );
    }
    for note in notes(metrics) {
        text.push_str(&note);
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

/// `own`: nothing is published of a corpus of one's own.
fn published(figures: Option<[f64; 2]>, synthetic: bool, own: bool) -> String {
    match figures {
        _ if own => "-".to_owned(),
        _ if synthetic => "does not apply".to_owned(),
        Some([uar, war]) => both(uar, war),
        None => "none".to_owned(),
    }
}

/// "3.88 / 3.53 (10)": of UAR and WAR, over how many values; a single one has none.
fn stds(uar: &Spread, war: &Spread) -> String {
    uar.std.zip(war.std).map_or_else(|| "-".to_owned(), |(u, w)| format!("{} ({})", both(u, w), uar.count))
}

fn protocol(name: impl std::fmt::Display, division: Division, marks: &[Mark]) -> String {
    let beside = (division == Division::HoldOut).then(|| "8:2".to_owned()).or_else(|| division.beside_protocol());
    let division = beside.map_or_else(String::new, |folds| format!(", {folds}"));
    let marks = if marks.is_empty() { String::new() } else { format!(" ({})", Mark::shorts(marks)) };
    format!("{name}{division}{marks}")
}

fn row(cell: &Cell, metrics: &Metrics) -> [String; 9] {
    let mut corpus = cell.corpus.to_string();
    if metrics.synthetic {
        corpus.push_str(" (synthetic)");
    }
    if let Some(missing) = metrics.missing.get(&cell.training().to_string()) {
        corpus.push_str(&format!(" ({} of {} folds)", cell.folds.len(), cell.folds.len() + missing.len()));
    }
    [
        corpus,
        cell.variant.title().to_owned(),
        protocol(cell.protocol, cell.division, &cell.marks),
        cell.training_seed.map_or_else(|| cell.seed.to_string(), |t| format!("{}, training {t}", cell.seed)),
        both(cell.uar.mean, cell.war.mean),
        stds(&cell.uar, &cell.war),
        match cell.pooled_uar {
            Some(i) => format!("{} [{}, {}]", percent(i.estimate), percent(i.low), percent(i.high)),
            None => percent(cell.confusion.uar()),
        },
        cell.interval_over.map_or_else(|| "-".to_owned(), |over| over.to_string()),
        published(cell.published, metrics.synthetic, cell.corpus.kind().is_none()),
    ]
}

/// Source by target.
fn pairs<'a>(cells: impl Iterator<Item = &'a Cell>) -> String {
    let mut sums: BTreeMap<(&CorpusName, &CorpusName), (f64, f64, f64)> = BTreeMap::new();
    for (cell, target) in cells.filter_map(|c| Some((c, c.target.as_ref()?))) {
        let sum = sums.entry((&cell.corpus, target)).or_default();
        *sum = (sum.0 + cell.uar.mean, sum.1 + cell.war.mean, sum.2 + 1.0);
    }
    let kinds: BTreeSet<&CorpusName> = sums.keys().flat_map(|&(a, b)| [a, b]).collect();
    let mut table = plain();
    table.set_header(std::iter::once("UAR / WAR".to_owned()).chain(kinds.iter().map(|k| k.to_string())));
    for &source in &kinds {
        let figure = |&target: &&CorpusName| {
            sums.get(&(source, target)).map_or_else(String::new, |(uar, war, n)| both(uar / n, war / n))
        };
        table.add_row(std::iter::once(source.to_string()).chain(kinds.iter().map(figure)));
    }
    format!("{table}\n")
}

fn summary(s: &Summary, synthetic: bool) -> [String; 6] {
    let n = s.uar.count;
    let corpus = s.corpus.as_ref().map_or(String::new(), |corpus| format!(" of {corpus}"));
    let over = match s.over {
        SummaryOver::Trainings => match s.seeds[..] {
            [seed] => format!("{n} trainings on the same folds{corpus}, seed {seed}"),
            _ => format!("{n} trainings on the same folds{corpus}"),
        },
        SummaryOver::Seeds => format!("{n} seeds{corpus}"),
        SummaryOver::Runs => format!("{n} runs over {} pairs", s.corpora.len()),
        SummaryOver::Corpora => format!("{n} corpora"),
    };
    [
        over,
        s.variant.title().to_owned(),
        protocol(s.protocol, s.division, &s.marks),
        both(s.uar.mean, s.war.mean),
        stds(&s.uar, &s.war),
        published(s.published, synthetic, s.corpus.as_ref().is_some_and(|c| c.kind().is_none())),
    ]
}

fn paired(p: &Paired) -> [String; 8] {
    let difference = |c: &Comparison| {
        let i = &c.interval;
        format!("{:+.2} [{:+.2}, {:+.2}]", 100.0 * i.estimate, 100.0 * i.low, 100.0 * i.high)
    };
    let told = |c: &Comparison| match c.tell() {
        Tell::Better => "better".to_owned(),
        Tell::Worse => "worse".to_owned(),
        Tell::CannotTell => format!("cannot tell < {:.2}", 100.0 * c.interval.detectable()),
    };
    [
        p.corpus.to_string(),
        format!("{} - {}", p.variant.title(), p.against.title()),
        protocol(p.protocol, p.division, &p.marks),
        p.n.to_string(),
        difference(&p.uar),
        told(&p.uar),
        difference(&p.war),
        told(&p.war),
    ]
}

/// What the marks mean, what is missing, and that a corpus is synthetic.
fn notes(metrics: &Metrics) -> Vec<String> {
    let marks = Mark::sorted(metrics.cells.iter().flat_map(|c| c.marks.iter().copied()));
    let mut out: Vec<String> = marks.iter().map(|m| format!("({}) {}", m.short(), m.meaning())).collect();
    let mut partial: Vec<String> = metrics
        .cells
        .iter()
        .filter_map(|c| {
            let [found, expected] = c.partial?;
            Some(format!(
                "PARTIAL CORPUS: {found} of {expected} utterances of {}.",
                c.target.as_ref().unwrap_or(&c.corpus)
            ))
        })
        .collect();
    partial.sort();
    partial.dedup();
    out.extend(partial);
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
