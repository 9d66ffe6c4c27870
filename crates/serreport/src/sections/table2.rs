//! Table 2: trained on one corpus, tested on another.

use std::collections::BTreeMap;

use sercorpus::CorpusName;
use serrun::{Mark, Protocol, System};

use super::{Absent, Context, details::details};
use crate::{
    document::{Block, Entry, Figure, Table, columns, percent},
    figures::{Field, Heat, heat},
    group::{self, Group, mean_and_std, slug, with_apart},
    names, published,
};

/// A network's groups over all pairs.
#[derive(Debug)]
pub struct Network<'a> {
    pub system: &'a System,
    pub protocol: Protocol,
    pub pairs: Vec<&'a Group<'a>>,
}

pub fn blocks(context: &Context, absent: &mut Absent) -> Vec<Block> {
    let networks = networks(context);
    if networks.is_empty() {
        absent.push("Table 2: no run trained on one corpus and tested on another.".to_owned());
        return Vec::new();
    }
    let means = networks.iter().flat_map(|n| &n.pairs).map(|g| g.figures()[0].mean);
    let largest = means.fold(f64::MIN_POSITIVE, f64::max);
    let all: Vec<&Group> = networks.iter().flat_map(|n| n.pairs.iter().copied()).collect();
    vec![
        Block::Table(summary(context, &networks)),
        Block::Figures(networks.iter().map(|n| matrix(n, largest)).collect()),
        Block::Table(details("table2-figures", "Every pair and seed", &all)),
    ]
}

/// By network, protocol and setting.
pub fn networks<'a>(context: &'a Context) -> Vec<Network<'a>> {
    let mut out: BTreeMap<_, Network> = BTreeMap::new();
    for group in context.groups.iter().filter(|g| g.first().target.is_some()) {
        let cell = group.first();
        let network = out.entry(group.system()).or_insert_with(|| Network {
            system: &cell.variant,
            protocol: cell.protocol,
            pairs: Vec::new(),
        });
        network.pairs.push(group);
    }
    out.into_values().collect()
}

impl Network<'_> {
    /// Each run's mean over pairs, for the runs that have every pair: UARs and WARs. A run is one pair of seeds.
    pub fn runs(&self) -> [Vec<f64>; 2] {
        let mut sums: BTreeMap<(u64, Option<u64>), (usize, [f64; 2])> = BTreeMap::new();
        for (_, cell) in self.pairs.iter().flat_map(|g| &g.cells) {
            let (n, sum) = sums.entry((cell.seed, cell.training_seed)).or_default();
            *n += 1;
            sum[0] += cell.uar.mean;
            sum[1] += cell.war.mean;
        }
        let whole = || sums.values().filter(|(n, _)| *n == self.pairs.len());
        [0, 1].map(|i| whole().map(|(n, sum)| sum[i] / *n as f64).collect())
    }

    pub fn marks(&self) -> Vec<Mark> {
        group::marks(&self.pairs)
    }

    /// Whether it covers what the paper's mean is over.
    pub fn is_whole(&self) -> bool {
        self.pairs.len() == published::PAIRS
    }

    /// "TIM-Net", with what sets it apart.
    pub fn title(&self) -> String {
        with_apart(self.system.title(), &group::aparts(&self.pairs))
    }
}

fn summary(context: &Context, networks: &[Network]) -> Table {
    let spread = |mean: f64, std: Option<f64>, marks: &[Mark]| {
        let value = vec![Some(100.0 * mean), std.map(|s| 100.0 * s)];
        let text = std.map_or_else(|| percent(mean), |s| format!("{} ± {}", percent(mean), percent(s)));
        Entry::number(text, value, marks)
    };
    let mut rows: Vec<Vec<Entry>> = Vec::new();
    let comparable = networks.iter().any(Network::is_whole);
    for system in context.published.table2_systems().filter(|_| comparable) {
        let Some([mean, std]) = context.published.table2(system) else { continue };
        let marks = published::marks_across(system);
        let system = match system.parse::<System>() {
            Ok(known) if system != "caam" => known.title().to_owned(),
            _ => system.to_uppercase(),
        };
        let mut entries: Vec<Entry> = [&system, "last-epoch", "paper"].into_iter().map(Entry::text).collect();
        entries.extend([published::PAIRS, published::RUNS].map(|n| Entry::number(n.to_string(), n, &[])));
        entries.extend([0, 1].map(|i| spread(mean[i], Some(std[i]), &marks)));
        entries.push(Entry::text("published"));
        rows.push(entries);
    }
    for network in networks {
        let marks = network.marks();
        let [uar, war] = network.runs();
        let text = [network.title(), network.protocol.name().to_owned(), "ours".to_owned()];
        let mut entries: Vec<Entry> = text.into_iter().map(Entry::text).collect();
        entries.push(Entry::number(network.pairs.len().to_string(), network.pairs.len(), &marks));
        entries.push(Entry::number(uar.len().to_string(), uar.len(), &marks));
        for values in [uar, war] {
            let (mean, std) = mean_and_std(values.into_iter());
            entries.push(if mean.is_nan() { Entry::none() } else { spread(mean, std, &marks) });
        }
        entries.push(group::origin(&network.pairs));
        rows.push(entries);
    }
    Table {
        id: "table2".to_owned(),
        title: "Across corpora: UAR and WAR in percent, mean ± std over runs".to_owned(),
        note: format!(
            "A run's figure is the mean over the pairs of corpora; mean and std (divisor n - 1) are over the runs with all \
             pairs, one run a seed; a single run has no std. No utterance of the tested corpus is seen in training. {}",
            if comparable {
                "The paper does not name the epoch it scores; the last is assumed."
            } else {
                "The paper's means over 20 pairs are not shown: none of ours covers them."
            }
        ),
        columns: columns(&["system", "protocol", "from", "#pairs", "#runs", "#UAR", "#WAR", "run"]),
        rows,
    }
}

/// The pairs of a network; the `largest` UAR of all networks has the full shade.
fn matrix(network: &Network, largest: f64) -> Figure {
    let mut corpora: Vec<&CorpusName> =
        network.pairs.iter().flat_map(|g| std::iter::once(&g.first().corpus).chain(&g.first().target)).collect();
    corpora.sort_unstable();
    corpora.dedup();
    let names: Vec<String> = corpora.iter().map(|c| names::corpus(c)).collect();
    let field = |source: &CorpusName, target: &CorpusName| {
        let group =
            network.pairs.iter().find(|g| g.first().corpus == *source && g.first().target.as_ref() == Some(target))?;
        let [uar, _] = group.figures();
        let spread = uar.std.map(|s| format!("± {:.1}", 100.0 * s));
        let mean = format!("{:.1}", 100.0 * uar.mean);
        Some(Field { shade: uar.mean / largest, lines: std::iter::once(mean).chain(spread).collect() })
    };
    let fields = corpora.iter().map(|s| corpora.iter().map(|t| field(s, t)).collect()).collect();
    let title = format!("{}, {}", network.title(), network.protocol);
    let marks = network.marks();
    let drawing = Heat { rows: &names, columns: &names, row_title: "trained on", column_title: "tested on", fields };
    let seeds = network.runs()[0].len();
    let classes = Some(network.pairs[0].first().confusion.classes()).filter(|n| *n > 0);
    let chance = classes.map_or_else(String::new, |n| format!("; chance is {:.0} %", 100.0 / n as f64));
    Figure {
        id: format!("table2-{}", slug(&title)),
        caption: format!(
            "{title}: UAR in percent of each pair, mean over {seeds} seed{} and std below it{chance}.",
            if seeds == 1 { "" } else { "s" }
        ),
        svg: heat(&format!("Table 2, {title}"), &drawing, &marks),
        marks,
    }
}
