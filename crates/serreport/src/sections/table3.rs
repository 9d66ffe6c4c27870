//! Table 3: what each part of the network is worth.

use std::collections::BTreeSet;

use super::{Absent, Context, details::details};
use crate::{
    document::{Block, Entry, Figure, Table, columns, signed},
    figures::{Dot, Row, dots},
    group::{self, Group, mean_and_std, slug},
    names, published,
    run::{Paired, Run},
};

/// The networks compared under one protocol, over the corpora that all of them have.
#[derive(Debug)]
pub struct Ablation<'a> {
    pub protocol: &'a str,
    pub corpora: BTreeSet<&'a str>,
    /// In the table's order, a group a corpus.
    pub networks: Vec<(&'a str, Vec<&'a Group<'a>>)>,
}

pub fn blocks(context: &Context, absent: &mut Absent) -> Vec<Block> {
    let ablations = ablations(context);
    let paired: Vec<(&Run, &Paired)> =
        context.runs.iter().flat_map(|r| r.metrics.paired.iter().map(move |p| (r, p))).collect();
    let mut blocks = Vec::new();
    if ablations.is_empty() && paired.is_empty() {
        absent.push("Table 3: no run compares several networks on one corpus.".to_owned());
        return blocks;
    }
    if !ablations.is_empty() {
        blocks.push(Block::Table(summary(context, &ablations)));
    }
    if paired.is_empty() {
        absent.push("Table 3: no run has paired differences.".to_owned());
    } else {
        blocks.push(Block::Table(differences(context, &paired)));
        blocks.push(Block::Figures(forests(&paired)));
    }
    let all: Vec<&Group> = ablations.iter().flat_map(|a| &a.networks).flat_map(|n| n.1.iter().copied()).collect();
    if !all.is_empty() {
        blocks.push(Block::Table(details("table3-figures", "Every corpus and seed", &all)));
    }
    blocks
}

/// Protocols, settings and kinds of data with several networks.
pub fn ablations<'a>(context: &'a Context) -> Vec<Ablation<'a>> {
    let mut keyed: Vec<(String, Vec<&Group>)> = Vec::new();
    for group in context.groups.iter().filter(|g| g.first().target.is_none() && g.folds() > 1) {
        let (run, cell) = group.cells[0];
        let place = names::protocol_rank(&cell.protocol);
        let (protocol, synthetic, setting) = (&cell.protocol, run.metrics.synthetic, run.setting());
        let key = format!("{place}|{protocol}|{synthetic}|{}|{}|{setting}", cell.epochs, cell.division);
        match keyed.iter_mut().find(|(k, _)| *k == key) {
            Some((_, members)) => members.push(group),
            None => keyed.push((key, vec![group])),
        }
    }
    keyed.sort_by(|a, b| a.0.cmp(&b.0));
    keyed.into_iter().filter_map(|(_, members)| ablation(members)).collect()
}

fn ablation<'a>(members: Vec<&'a Group<'a>>) -> Option<Ablation<'a>> {
    let mut variants: Vec<&str> = members.iter().map(|g| g.first().variant.as_str()).collect();
    variants.sort_by_key(|v| (names::variant_rank(v), *v));
    variants.dedup();
    let of = |variant: &str| -> BTreeSet<&str> {
        members.iter().filter(|g| g.first().variant == variant).map(|g| g.first().corpus.as_str()).collect()
    };
    let corpora = variants.iter().map(|v| of(v)).reduce(|a, b| &a & &b)?;
    if variants.len() < 2 || corpora.is_empty() {
        return None;
    }
    let network = |variant: &&'a str| {
        let fits = |g: &&&Group| g.first().variant == *variant && corpora.contains(g.first().corpus.as_str());
        (*variant, members.iter().filter(fits).copied().collect())
    };
    let networks = variants.iter().map(network).collect();
    Some(Ablation { protocol: &members[0].first().protocol, corpora, networks })
}

/// UAR and WAR: mean over corpora of the mean over folds and seeds.
pub fn means(groups: &[&Group]) -> [f64; 2] {
    [0, 1].map(|i| mean_and_std(groups.iter().map(|g| g.figures()[i].mean)).0)
}

fn summary(context: &Context, ablations: &[Ablation]) -> Table {
    let mut rows = Vec::new();
    let optimistic = published::marks("best-epoch", false);
    let mut published: Vec<(&String, &[f64; 2])> = context.published.table3.iter().collect();
    published.sort_by_key(|(variant, _)| names::variant_rank(variant));
    for (variant, figures) in published {
        let mut entries = vec![
            Entry::text(names::variant(variant)),
            Entry::text("best-epoch"),
            Entry::text("paper"),
            Entry::text("all six"),
            Entry::none(),
        ];
        entries.extend(figures.map(|v| Entry::percent(v, &optimistic)));
        entries.extend([Entry::none(), Entry::text("published")]);
        rows.push(entries);
    }
    for ablation in ablations {
        let corpora: Vec<String> = ablation.corpora.iter().map(|c| names::corpus(c)).collect();
        for (variant, groups) in &ablation.networks {
            let marks = group::marks(groups);
            let seeds: Vec<usize> = groups.iter().map(|g| g.cells.len()).collect();
            let folds = mean_and_std(groups.iter().filter_map(|g| g.figures()[0].fold_std)).0;
            let mut entries = vec![
                Entry::text(names::variant(variant)),
                Entry::text(ablation.protocol),
                Entry::text("ours"),
                Entry::text(corpora.join(", ")),
                Entry::text(range(&seeds)),
            ];
            entries.extend(means(groups).map(|v| Entry::percent(v, &marks)));
            entries.push(if folds.is_nan() { Entry::none() } else { Entry::percent(folds, &marks) });
            entries.push(group::origin(groups));
            rows.push(entries);
        }
    }
    Table {
        id: "table3".to_owned(),
        title: "Ablation: mean over corpora, in percent".to_owned(),
        note:
            "Mean over corpora of the mean over folds and seeds; a corpus counts only where every network has it. The \
            paper's figures are means over six corpora under best-epoch. Std over folds: mean over corpora and seeds."
                .to_owned(),
        columns: columns(&[
            "network",
            "protocol",
            "from",
            "corpora",
            "seeds",
            "#UAR",
            "#WAR",
            "#std over folds UAR",
            "run",
        ]),
        rows,
    }
}

fn range(counts: &[usize]) -> String {
    match (counts.iter().min(), counts.iter().max()) {
        (Some(a), Some(b)) if a == b => a.to_string(),
        (Some(a), Some(b)) => format!("{a} to {b}"),
        _ => "-".to_owned(),
    }
}

fn differences(context: &Context, paired: &[(&Run, &Paired)]) -> Table {
    let whole = context.published.table3.get("tim-net");
    let row = |(run, p): &(&Run, &Paired)| {
        let marks = published::marks(&p.protocol, run.metrics.synthetic);
        let entry = |value: f64, interval: Option<[f64; 2]>| match interval {
            Some([low, high]) => Entry::number(
                format!("{} [{}, {}]", signed(value), signed(low), signed(high)),
                vec![100.0 * value, 100.0 * low, 100.0 * high],
                &marks,
            ),
            None => Entry::number(signed(value), 100.0 * value, &marks),
        };
        let paper = context.published.table3.get(&p.variant).zip(whole);
        vec![
            Entry::text(names::corpus(&p.corpus)),
            Entry::text(names::variant(&p.variant)),
            Entry::text(&p.protocol),
            Entry::number(p.n.to_string(), p.n, &[]),
            entry(p.uar_difference, Some(p.uar_interval)),
            entry(p.war_difference, p.war_interval),
            paper.map_or_else(Entry::none, |(a, b)| {
                Entry::number(signed(a[0] - b[0]), 100.0 * (a[0] - b[0]), &published::marks("best-epoch", false))
            }),
            Entry::runs(&run.name, &[run.command()]),
        ]
    };
    Table {
        id: "table3-paired".to_owned(),
        title: "Paired differences: the network minus TIM-Net, in points".to_owned(),
        note: "Over the same folds and seeds, n pairs, with the 95 % interval of the mean difference. Folds of one \
            cross-validation share training data, so the intervals are somewhat too narrow. Paper: difference of the means \
            over six corpora, under best-epoch; it gives no interval."
            .to_owned(),
        columns: columns(&["corpus", "network", "protocol", "#n", "#UAR [95 %]", "#WAR [95 %]", "#paper, UAR", "run"]),
        rows: paired.iter().map(row).collect(),
    }
}

/// A figure for each run, protocol and corpus.
fn forests(paired: &[(&Run, &Paired)]) -> Vec<Figure> {
    let mut out = Vec::new();
    let same = |a: &(&Run, &Paired), b: &(&Run, &Paired)| {
        (&a.0.name, &a.1.corpus, &a.1.protocol) == (&b.0.name, &b.1.corpus, &b.1.protocol)
    };
    let mut sorted = paired.to_vec();
    let key = |(r, p): &(&Run, &Paired)| {
        (r.name.clone(), p.corpus.clone(), names::protocol_rank(&p.protocol), names::variant_rank(&p.variant))
    };
    sorted.sort_by_key(key);
    for members in sorted.chunk_by(same) {
        let (run, first) = members[0];
        let rows: Vec<Row> = members
            .iter()
            .map(|(_, p)| {
                let [low, high] = p.uar_interval.map(|v| 100.0 * v);
                let dot = Dot { value: 100.0 * p.uar_difference, low, high };
                Row { name: names::variant(&p.variant), dot, values: Vec::new() }
            })
            .collect();
        let title = format!("{}, {}", names::corpus(&first.corpus), first.protocol);
        let marks = published::marks(&first.protocol, run.metrics.synthetic);
        out.push(Figure {
            id: format!("table3-{}", slug(&title)),
            caption: format!(
                "{title}: UAR of each network minus that of TIM-Net, with the 95 % interval; {}.",
                run.name
            ),
            svg: dots(&format!("Table 3, {title}"), "difference of UAR (points)", &rows, 0.0, &marks),
            marks,
        });
    }
    out
}
