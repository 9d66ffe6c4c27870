//! The table on the terminal.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use crate::results::{Cell, Metrics};

/// Ours beside the published figures, UAR / WAR in percent.
pub fn render(metrics: &Metrics) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header([
        "corpus",
        "network",
        "protocol",
        "seed",
        "UAR",
        "WAR",
        "std over folds",
        "pooled UAR [95 %]",
        "published",
    ]);
    for cell in &metrics.cells {
        table.add_row(row(cell, metrics.synthetic));
    }
    for column in 3..9 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut text = format!("{table}\n");
    text.push_str(
        "UAR and WAR: mean over folds, in percent; std with divisor n; pooled: all folds' predictions together.\n",
    );
    for caveat in caveats(metrics) {
        text.push_str(&caveat);
        text.push('\n');
    }
    text
}

fn row(cell: &Cell, synthetic: bool) -> [String; 9] {
    let percent = |v: f64| format!("{:.2}", 100.0 * v);
    let corpus = if synthetic { format!("{} (synthetic)", cell.corpus) } else { cell.corpus.to_string() };
    let protocol = if cell.caveat.is_some() { format!("{} (!)", cell.protocol) } else { cell.protocol.to_string() };
    let published = match cell.published {
        _ if synthetic => "does not apply".to_owned(),
        Some([uar, war]) => format!("{} / {}", percent(uar), percent(war)),
        None => "none".to_owned(),
    };
    [
        corpus,
        cell.variant.title().to_owned(),
        protocol,
        cell.seed.to_string(),
        percent(cell.uar.mean),
        percent(cell.war.mean),
        format!("{} / {}", percent(cell.uar.population_std), percent(cell.war.population_std)),
        format!(
            "{} [{}, {}]",
            percent(cell.pooled_uar.estimate),
            percent(cell.pooled_uar.low),
            percent(cell.pooled_uar.high)
        ),
        published,
    ]
}

fn caveats(metrics: &Metrics) -> Vec<String> {
    let mut out: Vec<String> =
        metrics.cells.iter().filter_map(|c| Some(format!("(!) {}: {}", c.protocol, c.caveat.as_ref()?))).collect();
    out.sort();
    out.dedup();
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
