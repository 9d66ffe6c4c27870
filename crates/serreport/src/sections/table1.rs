//! Table 1: published, re-run and ours side by side, then every figure of ours.

use std::collections::BTreeMap;

use sercorpus::CorpusName;
use serrun::Protocol;

use super::{Absent, Context, details::details};
use crate::{
    document::{Block, Column, Entry, Table, columns, percent},
    group::{Group, aparts, origin},
    names,
    published::{self, Paper},
};

pub fn blocks(context: &Context, absent: &mut Absent) -> Vec<Block> {
    let groups = groups(context);
    let holdouts: Vec<&Group> = context.groups.iter().filter(|g| g.first().target.is_none() && g.folds() < 2).collect();
    let mut blocks = Vec::new();
    if groups.is_empty() {
        absent.push("Table 1: no run has a cross-validation within a corpus.".to_owned());
    } else {
        blocks.push(Block::Table(side_by_side(context, &groups)));
        blocks.push(Block::Table(details("table1-figures", "Every figure of ours", &groups)));
    }
    if !holdouts.is_empty() {
        blocks.push(Block::Table(details(
            "holdout-figures",
            "Single divisions (hold-out), not comparable with Table 1",
            &holdouts,
        )));
    }
    blocks
}

/// Cross-validations within a corpus; of the networks of an ablation only TIM-Net.
pub fn groups<'a>(context: &'a Context) -> Vec<&'a Group<'a>> {
    let fits = |g: &&Group| {
        let own = g.cells.iter().any(|(run, _)| run.metrics.experiment == "table1");
        g.first().target.is_none() && g.folds() > 1 && (own || g.first().variant.is_tim_net())
    };
    context.groups.iter().filter(fits).collect()
}

/// A row of the table: where it stands, then its entries.
type Placed = ((Option<Protocol>, usize), Vec<Entry>);

fn side_by_side(context: &Context, groups: &[&Group]) -> Table {
    let mut corpora: Vec<&CorpusName> = groups.iter().map(|g| &g.first().corpus).collect();
    corpora.sort_unstable();
    corpora.dedup();
    let mut rows = published_rows(&context.published, &corpora);
    rows.extend(our_rows(groups, &corpora));
    // Figures under protocols of their own stand last.
    rows.sort_by_key(|(place, _)| (place.0.is_none(), *place));
    let mut titles = columns(&["system", "protocol", "from"]);
    titles.extend(corpora.iter().map(|c| Column { title: names::corpus(c), number: true }));
    Table {
        id: "table1".to_owned(),
        title: "Published, official code re-run, and ours: UAR / WAR in percent".to_owned(),
        note: "Mean over folds and seeds. From: the paper; a last-epoch run that the README of the official code reports for its \
            authors' earlier networks (it has none for TIM-Net); ours. \
            Other: figures that the paper takes from elsewhere, under protocols of their own."
            .to_owned(),
        columns: titles,
        rows: rows.into_iter().map(|r| r.1).collect(),
    }
}

/// A row for each of the paper's and the official README's systems that has one of the corpora.
fn published_rows(published: &Paper, corpora: &[&CorpusName]) -> Vec<Placed> {
    let own = published.tim_net().map(|(protocol, figures)| {
        let figure = |corpus: &CorpusName| figures(corpus).map_or([None; 2], |f| f.map(Some));
        published_row("TIM-Net", Some(protocol), "paper", corpora, figure)
    });
    let others = published.others().map(|o| {
        let figure = |corpus: &CorpusName| [&o.uar, &o.war].map(|of| of.get(corpus).map(|v| v / 100.0));
        published_row(&o.system, o.protocol, &o.source, corpora, figure)
    });
    own.chain(others).flatten().collect()
}

fn published_row(
    system: &str,
    protocol: Option<Protocol>,
    source: &str,
    corpora: &[&CorpusName],
    figure: impl Fn(&CorpusName) -> [Option<f64>; 2],
) -> Option<Placed> {
    let marks = published::marks(protocol);
    let figures: Vec<[Option<f64>; 2]> = corpora.iter().map(|c| figure(c)).collect();
    if figures.iter().flatten().all(Option::is_none) {
        return None;
    }
    let mut entries =
        vec![Entry::text(system), Entry::text(protocol.map_or("other", Protocol::name)), Entry::text(source)];
    entries.extend(figures.into_iter().map(|pair| match pair {
        [None, None] => Entry::none(),
        _ => {
            let text = pair.map(|v| v.map_or_else(|| "-".to_owned(), percent));
            Entry::number(text.join(" / "), pair.map(|v| v.map(|v| 100.0 * v)).to_vec(), &marks)
        }
    }));
    let place = if source == "paper" { 0 } else { 1 };
    Some(((protocol, place), entries))
}

/// A row for each network, protocol and setting.
fn our_rows(groups: &[&Group], corpora: &[&CorpusName]) -> Vec<Placed> {
    let mut rows: BTreeMap<_, Vec<&Group>> = BTreeMap::new();
    for group in groups {
        rows.entry(group.system()).or_default().push(group);
    }
    let row = |members: Vec<&Group>| {
        let cell = members[0].first();
        let mut entries = vec![
            Entry::text(cell.variant.title()),
            Entry::text(names::protocol(cell.protocol, cell.division)),
            from(&members),
        ];
        entries.extend(corpora.iter().map(|c| {
            let group = members.iter().find(|g| g.first().corpus == **c);
            group.map_or_else(Entry::none, |g| Entry::pair(g.figures().map(|f| f.mean), &g.marks()))
        }));
        // Behind those on the folds that the paper's figures are of.
        let place = if cell.division.beside_protocol().is_none() { 2 } else { 3 };
        ((Some(cell.protocol), place), entries)
    };
    rows.into_values().map(row).collect()
}

/// "ours (R1)" or "ours (R1; blocks 8)", with the commands of the runs in data files.
fn from(members: &[&Group]) -> Entry {
    let runs = origin(members);
    let apart = aparts(members);
    let apart = if apart.is_empty() { apart } else { format!("; {apart}") };
    Entry { text: format!("ours ({}{apart})", runs.text), ..runs }
}
