//! Table 1: published, re-run and ours side by side, then every figure of ours.

use super::{
    Absent, Context,
    details::{details, origin},
};
use crate::{
    document::{Block, Column, Entry, Table, columns},
    group::Group,
    names,
    published::{self, Row1, Source},
};

pub fn blocks(context: &Context, absent: &mut Absent) -> Vec<Block> {
    let groups = groups(context);
    let holdouts: Vec<&Group> =
        context.groups.iter().filter(|g| g.first().target.is_none() && g.folds() < 2).collect();
    let mut blocks = Vec::new();
    if groups.is_empty() {
        absent.push("Table 1: no run has a cross-validation within a corpus.".to_owned());
    } else {
        blocks.push(Block::Table(side_by_side(context, &groups)));
        blocks.push(Block::Table(details("table1-figures", "Every figure of ours", &groups)));
    }
    if !holdouts.is_empty() {
        blocks.push(Block::Table(details("holdout-figures", "Single divisions (hold-out), not comparable with Table 1", &holdouts)));
    }
    blocks
}

/// Cross-validations within a corpus; of the networks of an ablation only TIM-Net.
pub fn groups<'a>(context: &'a Context) -> Vec<&'a Group<'a>> {
    let fits = |g: &&Group| {
        let own = g.cells.iter().any(|(run, _)| run.metrics.experiment == "table1");
        g.first().target.is_none() && g.folds() > 1 && (own || g.first().variant == "tim-net")
    };
    context.groups.iter().filter(fits).collect()
}

/// A row of the table: where it stands, then its entries.
type Placed = ((usize, String, usize), Vec<Entry>);

fn side_by_side(context: &Context, groups: &[&Group]) -> Table {
    let mut corpora: Vec<&str> = groups.iter().map(|g| g.first().corpus.as_str()).collect();
    corpora.sort_unstable();
    corpora.dedup();
    let mut rows: Vec<Placed> = context.published.table1.iter().filter_map(|r| published_row(r, &corpora)).collect();
    rows.extend(our_rows(groups, &corpora));
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    let mut titles = columns(&["system", "protocol", "from"]);
    titles.extend(corpora.iter().map(|c| Column { title: names::corpus(c), number: true }));
    titles.extend(columns(&["run"]));
    Table {
        id: "table1".to_owned(),
        title: "Published, official code re-run, and ours: UAR / WAR in percent".to_owned(),
        note: "Mean over folds and seeds. From: the paper; a last-epoch run that the README of the official code reports for its \
            authors' earlier networks (it has none for TIM-Net; users who re-ran TIM-Net on EMODB report about 85 %); ours. \
            Other: figures that the paper takes from elsewhere, under protocols of their own."
            .to_owned(),
        columns: titles,
        rows: rows.into_iter().map(|r| r.1).collect(),
    }
}

fn published_row(row: &Row1, corpora: &[&str]) -> Option<Placed> {
    if !corpora.iter().any(|c| row.figures.contains_key(*c)) {
        return None;
    }
    let marks = published::marks(&row.protocol);
    let from = match row.source {
        Source::Paper => "paper",
        Source::ReRun => "official code, re-run",
    };
    let mut entries = vec![Entry::text(&row.system), Entry::text(&row.protocol), Entry::text(from)];
    entries.extend(corpora.iter().map(|c| match row.figures.get(*c) {
        Some([a, b]) if a.is_nan() || b.is_nan() => {
            let text = |v: f64| if v.is_nan() { "-".to_owned() } else { crate::document::percent(v) };
            let value: Vec<Option<f64>> = [*a, *b].map(|v| (!v.is_nan()).then_some(100.0 * v)).to_vec();
            Entry::number(format!("{} / {}", text(*a), text(*b)), value, &marks)
        }
        Some(figures) => Entry::pair(*figures, &marks),
        None => Entry::none(),
    }));
    entries.push(Entry::text("published"));
    let place = usize::from(row.source == Source::ReRun);
    Some(((names::protocol_rank(&row.protocol), row.protocol.clone(), place), entries))
}

/// A row for each network, protocol and setting.
fn our_rows(groups: &[&Group], corpora: &[&str]) -> Vec<Placed> {
    let mut rows: Vec<(String, Vec<&Group>)> = Vec::new();
    for group in groups {
        let (run, cell) = group.cells[0];
        let key = format!(
            "{}|{}|{}|{}|{}|{}",
            cell.variant,
            cell.protocol,
            cell.epochs,
            cell.division,
            run.metrics.synthetic,
            run.setting()
        );
        let corpus = |g: &Group| g.first().corpus.clone();
        match rows.iter_mut().find(|(k, members)| *k == key && members.iter().all(|m| corpus(m) != corpus(group))) {
            Some((_, members)) => members.push(group),
            None => rows.push((key, vec![group])),
        }
    }
    let row = |members: Vec<&Group>| {
        let cell = members[0].first();
        let mut entries = vec![Entry::text(names::variant(&cell.variant)), Entry::text(&cell.protocol), Entry::text("ours")];
        entries.extend(corpora.iter().map(|c| {
            let group = members.iter().find(|g| g.first().corpus == *c);
            group.map_or_else(Entry::none, |g| Entry::pair(g.figures().map(|f| f.mean), &g.marks()))
        }));
        let mut origins: Vec<Entry> = members.iter().map(|g| origin(g)).collect();
        origins.dedup_by(|a, b| a.text == b.text);
        let join = |of: fn(&Entry) -> String, by: &str| origins.iter().map(of).collect::<Vec<_>>().join(by);
        let long = join(|e| e.long.clone().unwrap_or_default(), "; ");
        entries.push(Entry { long: Some(long), ..Entry::text(join(|e| e.text.clone(), ", ")) });
        ((names::protocol_rank(&cell.protocol), cell.protocol.clone(), 2), entries)
    };
    rows.into_iter().map(|(_, members)| row(members)).collect()
}
