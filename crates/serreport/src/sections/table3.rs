//! Table 3: what each part of the network is worth.

use std::collections::{BTreeMap, BTreeSet};

use sercorpus::CorpusName;
use serrun::{Cell, Comparison, Division, Metrics, Paired, Protocol, RunError, System};

use super::{Absent, Context, details::details, systems, table1};
use crate::{
    document::{Block, Entry, Figure, Table, columns, signed},
    error::Result,
    figures::{Dot, Row, dots},
    group::{self, Group, mean_and_std, slug, with_apart},
    names, published,
    run::{Run, same_comparison},
};

/// The networks compared under one protocol and setting, over the corpora that all of them have.
#[derive(Debug)]
pub struct Ablation<'a> {
    pub protocol: Protocol,
    pub division: Division,
    pub corpora: BTreeSet<&'a CorpusName>,
    /// In the table's order: the network, and a group a corpus.
    pub networks: Vec<(&'a System, Vec<&'a Group<'a>>)>,
}

/// A network against another, as one or several runs have it.
#[derive(Debug)]
pub struct Compared<'a> {
    /// With p values adjusted over this report's comparisons of the corpus, protocol and measure.
    pub paired: Paired,
    /// Comparisons in that family.
    pub family: usize,
    /// The runs that have it, with equal values.
    pub runs: Vec<&'a Run>,
    /// The corpus, with what sets its setting apart.
    pub corpus: String,
}

pub fn blocks(context: &Context, absent: &mut Absent) -> Vec<Block> {
    let ablations = ablations(context);
    let compared = &context.comparisons;
    let mut blocks = Vec::new();
    if ablations.is_empty() && compared.is_empty() {
        absent.push("Table 3: no run compares several networks on one corpus.".to_owned());
    }
    if !ablations.is_empty() {
        blocks.push(Block::Table(summary(context, &ablations)));
    }
    if !compared.is_empty() {
        blocks.push(Block::Table(differences(compared)));
        blocks.push(Block::Figures(forests(compared)));
    } else if !ablations.is_empty() {
        absent.push("Table 3: no run has paired differences.".to_owned());
    }
    blocks.extend(systems::blocks(context, absent));
    let in_table1: Vec<*const Group> = table1::groups(context).into_iter().map(std::ptr::from_ref).collect();
    let compared = |g: &&Group| {
        ablations
            .iter()
            .flat_map(|a| &a.networks)
            .any(|(_, groups)| groups.iter().any(|other| std::ptr::eq(*other, *g)))
    };
    let shown = |g: &&Group| within(g) && (compared(g) || !in_table1.contains(&std::ptr::from_ref::<Group>(g)));
    let all: Vec<&Group> = context.groups.iter().filter(shown).collect();
    if !all.is_empty() {
        blocks.push(Block::Table(details("table3-figures", "Every corpus and seed", &all)));
    }
    blocks
}

/// Whether it is a cross-validation within a corpus.
fn within(group: &Group) -> bool {
    group.first().target.is_none() && group.folds() > 1
}

/// Protocols and settings with several networks.
pub fn ablations<'a>(context: &'a Context) -> Vec<Ablation<'a>> {
    let mut keyed: BTreeMap<_, Vec<&Group>> = BTreeMap::new();
    for group in context.groups.iter().filter(|g| within(g)) {
        keyed.entry(group.comparable()).or_default().push(group);
    }
    keyed.into_values().filter_map(ablation).collect()
}

fn ablation<'a>(members: Vec<&'a Group<'a>>) -> Option<Ablation<'a>> {
    let mut networks: BTreeMap<_, Vec<&Group>> = BTreeMap::new();
    for group in &members {
        networks.entry(group.system()).or_default().push(group);
    }
    let of =
        |groups: &Vec<&'a Group>| -> BTreeSet<&'a CorpusName> { groups.iter().map(|g| &g.first().corpus).collect() };
    let corpora = networks.values().map(of).reduce(|a, b| &a & &b)?;
    if networks.len() < 2 || corpora.is_empty() {
        return None;
    }
    let Cell { protocol, division, .. } = *members[0].first();
    let shared = |groups: Vec<&'a Group<'a>>| {
        let groups: Vec<&Group> = groups.into_iter().filter(|g| corpora.contains(&g.first().corpus)).collect();
        (&groups[0].first().variant, groups)
    };
    Some(Ablation { protocol, division, networks: networks.into_values().map(shared).collect(), corpora })
}

/// UAR and WAR: mean over corpora of the mean over folds and seeds.
pub fn means(groups: &[&Group]) -> [f64; 2] {
    [0, 1].map(|i| mean_and_std(groups.iter().map(|g| g.figures()[i].mean)).0)
}

fn summary(context: &Context, ablations: &[Ablation]) -> Table {
    let mut rows = Vec::new();
    for ablation in ablations {
        let names: Vec<String> = ablation.corpora.iter().map(|c| names::corpus(c)).collect();
        let corpora: Vec<CorpusName> = ablation.corpora.iter().map(|&c| c.clone()).collect();
        for (system, groups) in &ablation.networks {
            let marks = group::marks(groups);
            let seeds: Vec<usize> = groups.iter().map(|g| g.cells.len()).collect();
            let stds: Option<Vec<f64>> = groups.iter().map(|g| g.figures()[0].fold_std).collect();
            let paper = context.published.mean(system, ablation.protocol, &corpora);
            let paper = paper.filter(|_| !groups[0].synthetic() && ablation.division.beside_protocol().is_none());
            let mut entries = vec![
                Entry::text(with_apart(system.title(), &group::aparts(groups))),
                Entry::text(names::protocol(ablation.protocol, ablation.division)),
                Entry::text(names.join(", ")),
                Entry::text(range(&seeds)),
            ];
            entries.extend(means(groups).map(|v| Entry::percent(v, &marks)));
            entries.push(Entry::std(stds.map(|s| mean_and_std(s.into_iter()).0), &marks));
            entries
                .push(paper.map_or_else(Entry::none, |p| Entry::pair(p, &published::marks(Some(ablation.protocol)))));
            entries.push(group::origin(groups));
            rows.push(entries);
        }
    }
    Table {
        id: "table3".to_owned(),
        title: "Ablation: mean over corpora, in percent".to_owned(),
        note: "Mean over corpora of the mean over folds and seeds; a corpus counts only where every network has it. Std over folds: divisor n - 1, \
            mean over corpora and seeds. Paper: the published mean over exactly these corpora; of the compared networks it has only the mean over \
            all six."
            .to_owned(),
        columns: columns(&[
            "network",
            "protocol",
            "corpora",
            "seeds",
            "#UAR",
            "#WAR",
            "#std over folds UAR",
            "#paper UAR / WAR",
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

/// All comparisons of all runs, equal ones once, with p values adjusted over those of one corpus, protocol, division and measure.
///
/// # Errors
/// A p value that is none.
pub fn comparisons<'a>(runs: &'a [Run], groups: &[Group]) -> Result<Vec<Compared<'a>>> {
    let mut out: Vec<(Option<&Group>, Compared)> = Vec::new();
    for run in runs {
        for paired in &run.metrics.paired {
            let of = |r: &Run, c: &Cell| {
                r.index == run.index
                    && c.target.is_none()
                    && (&c.corpus, &c.variant, &c.protocol, &c.division)
                        == (&paired.corpus, &paired.variant, &paired.protocol, &paired.division)
            };
            let group = groups.iter().find(|g| {
                g.cells.iter().any(|(r, c)| of(r, c)) || g.repeats.iter().any(|again| of(again.run, again.cell))
            });
            let same = |(g, c): &&mut (Option<&Group>, Compared)| {
                g.is_some() && g.map(|g| &g.setting) == group.map(|g| &g.setting) && same_comparison(&c.paired, paired)
            };
            match out.iter_mut().find(same) {
                Some((_, known)) => known.runs.push(run),
                None => {
                    let corpus = group.map_or_else(|| names::corpus(&paired.corpus), Group::corpus);
                    out.push((group, Compared { paired: paired.clone(), family: 1, runs: vec![run], corpus }));
                }
            }
        }
    }
    let mut out: Vec<Compared> = out.into_iter().map(|(_, c)| c).collect();
    let key = |c: &Compared| {
        let p = &c.paired;
        (p.corpus.clone(), p.protocol, p.division.name())
    };
    out.sort_by_key(|c| (key(c), c.paired.against.clone(), names::system_rank(&c.paired.variant)));
    for family in out.chunk_by_mut(|a, b| key(a) == key(b)) {
        let size = family.len();
        family.iter_mut().for_each(|c| c.family = size);
        for of in [|p: &mut Paired| &mut p.uar, |p: &mut Paired| &mut p.war] as [fn(&mut Paired) -> &mut Comparison; 2]
        {
            let mut members: Vec<&mut Comparison> = family.iter_mut().map(|c| of(&mut c.paired)).collect();
            Comparison::adjust(&mut members)
                .map_err(|e| RunError::malformed(&Metrics::file(&family[0].runs[0].path), format!("paired: {e}")))?;
        }
    }
    Ok(out)
}

impl Compared<'_> {
    /// "10 random folds, seed 46" and the like: what the differences are over.
    pub fn over(&self) -> String {
        let Paired { division, n, seeds, training_seeds, .. } = &self.paired;
        let what = match division {
            Division::SpeakerOut => "speakers left out",
            Division::HoldOut => "hold-outs of a fifth",
            Division::Other { .. } => &format!("folds, {}", division.title()),
            other => &other.title(),
        };
        let list = |what: &str, seeds: &[u64]| {
            let all: Vec<String> = seeds.iter().map(u64::to_string).collect();
            format!(", {what}{} {}", if seeds.len() == 1 { "" } else { "s" }, all.join(", "))
        };
        let trainings = if training_seeds.is_empty() { String::new() } else { list("training seed", training_seeds) };
        format!("{n} {what}{}{trainings}", list("seed", seeds))
    }

    /// The runs that have it.
    pub fn origin(&self) -> String {
        self.runs.iter().map(|r| r.name.as_str()).collect::<Vec<_>>().join(", ")
    }
}

fn differences(compared: &[Compared]) -> Table {
    let row = |c: &Compared| {
        let marks = &c.paired.marks;
        let mut entries = vec![
            Entry::text(&c.corpus),
            Entry::text(c.paired.variant.title()),
            Entry::text(c.paired.against.title()),
            Entry::text(names::protocol(c.paired.protocol, c.paired.division)),
            Entry::text(c.over()),
        ];
        for comparison in [&c.paired.uar, &c.paired.war] {
            let i = &comparison.interval;
            entries.push(Entry::number(
                format!("{} [{}, {}]", signed(i.estimate), signed(i.low), signed(i.high)),
                [i.estimate, i.low, i.high].map(|v| 100.0 * v).to_vec(),
                marks,
            ));
            entries.push(Entry::number(
                format!("{:.4} ({:.4})", comparison.p, comparison.adjusted_p),
                vec![comparison.p, comparison.adjusted_p],
                marks,
            ));
            entries.push(Entry::text(comparison.verdict()));
        }
        let commands: Vec<String> = c.runs.iter().map(|r| r.command()).collect();
        entries.push(Entry::runs(c.origin(), &commands));
        entries
    };
    Table {
        id: "table3-paired".to_owned(),
        title: "Paired differences: the network minus the other, in points".to_owned(),
        note: "Over the same folds; the trainings of a fold are averaged first. The folds share training data, so the variance of a mean of J differences is \
            s² (1 / J + test / training utterances) (Nadeau and Bengio 2003), with Student's t of J - 1 degrees of freedom. The interval is not adjusted; \
            p stands before (Holm's adjustment over the pairs of the same corpus, protocol and measure in this table). Better or worse is said where the adjusted p is below \
            0.05; otherwise this run cannot tell, and the difference stands that it would have found four times in five. Networks of one \
            run are compared; `merge` puts runs together."
            .to_owned(),
        columns: columns(&[
            "corpus",
            "network",
            "other",
            "protocol",
            "over",
            "#UAR [95 %]",
            "#p of UAR",
            "UAR",
            "#WAR [95 %]",
            "#p of WAR",
            "WAR",
            "run",
        ]),
        rows: compared.iter().map(row).collect(),
    }
}

/// A figure for each set of runs, protocol and corpus, of the networks against TIM-Net; against each where no run has TIM-Net.
fn forests(compared: &[Compared]) -> Vec<Figure> {
    let any = compared.iter().any(|c| c.paired.against.is_tim_net());
    let mut keyed: BTreeMap<_, Vec<&Compared>> = BTreeMap::new();
    for c in compared.iter().filter(|c| !any || c.paired.against.is_tim_net()) {
        let p = &c.paired;
        let key = (&p.corpus, p.protocol, &c.corpus, &p.against, c.over(), c.origin());
        keyed.entry(key).or_default().push(c);
    }
    let figure = |members: Vec<&Compared>| {
        let row = |c: &&Compared| {
            let i = &c.paired.uar.interval;
            let dot = Dot { value: 100.0 * i.estimate, low: 100.0 * i.low, high: 100.0 * i.high };
            Row { name: c.paired.variant.title().to_owned(), dot, values: Vec::new() }
        };
        let rows: Vec<Row> = members.iter().map(row).collect();
        let first = members[0];
        let title = format!("{}, {}", first.corpus, first.paired.protocol);
        let (marks, against) = (&first.paired.marks, &first.paired.against);
        let mut id = format!("{} {}", first.paired.corpus, first.paired.protocol);
        if !against.is_tim_net() {
            id.push_str(&format!(" {against}"));
        }
        Figure {
            id: format!("table3-{}", slug(&id)),
            caption: format!(
                "{title}: UAR of each network minus that of {}, with the unadjusted 95 % interval; {} ({}).",
                against.title(),
                first.over(),
                first.origin()
            ),
            svg: dots(&format!("Table 3, {title}"), "difference of UAR (points)", &rows, 0.0, marks),
            marks: marks.clone(),
        }
    };
    keyed.into_values().map(figure).collect()
}
