//! What agrees with the paper and what does not: computed, never written by hand.

use super::{
    Context, table1,
    table2::{self, Network},
    table3,
};
use crate::{
    document::{Block, Entry, Mark, Section, Table, columns, percent, signed, words},
    group::{self, Figure, Group, mean_and_std},
    names, published,
    run::{Paired, Run},
};

/// The rule in words; [`verdict`] is the rule.
const RULE: &str = "Rule. A difference to the paper counts as one where it is more than twice the standard error of a difference of two means \
    of k folds, s √(2 / k), s being our standard deviation over folds (divisor k - 1); below that, another draw of folds alone \
    could make it. Figures of Table 2 are judged by the standard errors over runs of both sides. Nothing is judged that was \
    not made as in the paper: 500 epochs, 10 folds, real recordings, all corpora. In the table, the difference is also \
    given as a multiple of the std over folds and, from three seeds on, of the std over seeds.";

/// A standard deviation of fewer is no yardstick: two seeds may agree by chance.
const FEWEST_SEEDS: usize = 3;

pub fn section(context: &Context) -> Section {
    let mut blocks = Vec::new();
    if context.runs.iter().all(|r| r.metrics.synthetic) {
        let text = "Nothing can be compared with the paper: all recordings are synthetic.";
        blocks.push(Block::Text(text.to_owned()));
    } else {
        let findings = findings(context);
        let mut sentences: Vec<String> =
            findings.chunk_by(|a, b| a.what == b.what && a.origin.text == b.origin.text).map(sentence).collect();
        sentences.extend(ablation_sentences(context));
        sentences.extend(protocol_gaps(context));
        if sentences.is_empty() {
            blocks.push(Block::Text("No figure here has a published counterpart.".to_owned()));
        } else {
            blocks.push(Block::Text(count(&findings)));
            blocks.push(Block::List(sentences));
        }
        if !findings.is_empty() {
            blocks.push(Block::Text(RULE.to_owned()));
            blocks.push(Block::Table(table(&findings)));
        }
    }
    Section { id: "agreement", title: "What agrees with the paper, and what does not", blocks }
}

/// A figure of ours and its published counterpart, as shares.
#[derive(Debug)]
struct Finding {
    what: String,
    metric: &'static str,
    ours: f64,
    published: f64,
    fold_std: Option<f64>,
    seed_std: Option<f64>,
    /// Standard error of the difference.
    error: Option<f64>,
    /// Why it can't be judged.
    obstacle: Option<String>,
    marks: Vec<Mark>,
    origin: Entry,
}

fn findings(context: &Context) -> Vec<Finding> {
    let mut out = Vec::new();
    for group in table1::groups(context).into_iter().filter(|g| !g.synthetic()) {
        let cell = group.first();
        if let Some(published) = context.published.table1(&cell.variant, &cell.protocol, &cell.corpus) {
            let pairs = group.figures().into_iter().zip(published).zip(["UAR", "WAR"]);
            out.extend(pairs.map(|((ours, published), metric)| table1_finding(group, ours, published, metric)));
        }
    }
    for network in table2::networks(context).iter().filter(|n| !n.pairs[0].synthetic()) {
        let row = context.published.table2.get(network.variant);
        let pairs = row.into_iter().flat_map(|r| [0, 1].map(|i| [r.mean[i], r.std[i]]));
        let metrics = pairs.zip(["UAR", "WAR"]).zip(network.seeds());
        out.extend(
            metrics.filter_map(|((published, metric), seeds)| table2_finding(network, published, metric, &seeds)),
        );
    }
    for ablation in table3::ablations(context).iter().filter(|a| a.protocol == "best-epoch") {
        for (variant, groups) in ablation.networks.iter().filter(|n| !n.1[0].synthetic()) {
            if let Some(published) = context.published.table3.get(*variant) {
                out.extend((0..2).map(|i| table3_finding(groups, *published, i)));
            }
        }
    }
    out
}

/// Why a group is not made as in the paper.
fn obstacle(group: &Group) -> Option<String> {
    let (epochs, folds) = (group.first().epochs, group.folds());
    match () {
        () if epochs != published::EPOCHS => Some(format!("{epochs} epochs, the paper {}", published::EPOCHS)),
        () if folds != published::FOLDS => Some(format!("{folds} folds, the paper {}", published::FOLDS)),
        () => None,
    }
}

fn table1_finding(group: &Group, ours: Figure, published: f64, metric: &'static str) -> Finding {
    Finding {
        what: group.title(),
        metric,
        ours: ours.mean,
        published,
        fold_std: ours.fold_std,
        seed_std: ours.seed_std.filter(|_| group.cells.len() >= FEWEST_SEEDS),
        error: ours.fold_sample_std.map(|s| s * (2.0 / group.folds() as f64).sqrt()),
        obstacle: obstacle(group),
        marks: group.marks(),
        origin: group::origin(&[group]),
    }
}

fn table2_finding(network: &Network, published: [f64; 2], metric: &'static str, seeds: &[f64]) -> Option<Finding> {
    let (ours, seed_std) = mean_and_std(seeds.iter().copied());
    let pairs = network.pairs.len();
    let epochs = network.pairs[0].first().epochs;
    let obstacle = match () {
        () if pairs != published::PAIRS => Some(format!("{pairs} pairs, the paper {}", published::PAIRS)),
        () if epochs != published::EPOCHS => Some(format!("{epochs} epochs, the paper {}", published::EPOCHS)),
        () => None,
    };
    let square = |s: f64, n: usize| s.powi(2) / n as f64;
    (!seeds.is_empty()).then(|| Finding {
        what: format!("Across corpora, {}, {}", names::variant(network.variant), network.protocol),
        metric,
        ours,
        published: published[0],
        fold_std: None,
        seed_std,
        error: seed_std.map(|s| (square(s, seeds.len()) + square(published[1], published::RUNS)).sqrt()),
        obstacle,
        marks: network.marks(),
        origin: group::origin(&network.pairs),
    })
}

fn table3_finding(groups: &[&Group], published: [f64; 2], i: usize) -> Finding {
    let figures: Vec<Figure> = groups.iter().map(|g| g.figures()[i]).collect();
    let errors: Option<Vec<f64>> =
        figures.iter().zip(groups).map(|(f, g)| Some(f.fold_sample_std? * (2.0 / g.folds() as f64).sqrt())).collect();
    let n = groups.len();
    let few = (n != published::CORPORA).then(|| format!("{n} of the paper's {} corpora", published::CORPORA));
    let first = groups[0].first();
    Finding {
        what: format!("Table 3, {}, {}", names::variant(&first.variant), first.protocol),
        metric: ["UAR", "WAR"][i],
        ours: table3::means(groups)[i],
        published: published[i],
        fold_std: figures.iter().map(|f| f.fold_std).sum::<Option<f64>>().map(|s| s / n as f64),
        seed_std: None,
        error: errors.map(|e| e.iter().map(|e| e.powi(2)).sum::<f64>().sqrt() / n as f64),
        obstacle: few.or_else(|| groups.iter().find_map(|g| obstacle(g))),
        marks: group::marks(groups),
        origin: group::origin(groups),
    }
}

impl Finding {
    fn verdict(&self) -> String {
        let difference = self.ours - self.published;
        match (&self.obstacle, self.error) {
            (Some(why), _) => format!("not judged: {why}"),
            (None, None) => "not judged: no spread".to_owned(),
            (None, Some(error)) if difference.abs() <= 2.0 * error => "agrees".to_owned(),
            (None, Some(_)) if difference > 0.0 => "higher than the paper".to_owned(),
            (None, Some(_)) => "lower than the paper".to_owned(),
        }
    }

    fn times(&self, std: Option<f64>) -> Option<f64> {
        std.filter(|s| *s > 0.0).map(|s| (self.ours - self.published).abs() / s)
    }

    /// "UAR 87.14 against 89.19 published (-2.05 points, 0.8 std over folds): agrees".
    fn clause(&self) -> String {
        let folds = self.times(self.fold_std).map(|t| format!(", {t:.1} std over folds"));
        let seeds = self.times(self.seed_std).map(|t| format!(", {t:.1} std over seeds"));
        format!(
            "{} {}{} against {}{} published ({} points{}{}): {}",
            self.metric,
            percent(self.ours),
            said(&self.marks),
            percent(self.published),
            said(&self.marks),
            signed(self.ours - self.published),
            folds.unwrap_or_default(),
            seeds.unwrap_or_default(),
            self.verdict()
        )
    }
}

/// UAR and WAR of one figure.
fn sentence(findings: &[Finding]) -> String {
    let clauses: Vec<String> = findings.iter().map(Finding::clause).collect();
    format!("{}: {}.", findings[0].what, clauses.join("; "))
}

/// How many figures got which verdict.
fn count(findings: &[Finding]) -> String {
    let verdicts: Vec<String> = findings.iter().map(Finding::verdict).collect();
    let of = |start: &str| verdicts.iter().filter(|v| v.starts_with(start)).count();
    format!(
        "Of {} figures with a published counterpart, {} agree, {} are lower, {} are higher and {} were not made as in the paper \
         and are not judged.",
        findings.len(),
        of("agrees"),
        of("lower"),
        of("higher"),
        of("not judged")
    )
}

/// " (optimistic)" or nothing.
fn said(marks: &[Mark]) -> String {
    if marks.is_empty() { String::new() } else { format!(" ({})", words(marks)) }
}

fn table(findings: &[Finding]) -> Table {
    let row = |f: &Finding| {
        let times =
            |std: Option<f64>| f.times(std).map_or_else(Entry::none, |t| Entry::number(format!("{t:.1}"), t, &f.marks));
        let difference = f.ours - f.published;
        vec![
            Entry::text(&f.what),
            Entry::text(f.metric),
            Entry::percent(f.ours, &f.marks),
            Entry::percent(f.published, &f.marks),
            Entry::number(signed(difference), 100.0 * difference, &f.marks),
            f.error.map_or_else(Entry::none, |e| Entry::percent(e, &f.marks)),
            times(f.fold_std),
            times(f.seed_std),
            Entry::text(f.verdict()),
            f.origin.clone(),
        ]
    };
    Table {
        id: "agreement".to_owned(),
        title: "Ours against the paper".to_owned(),
        note: "Percent and points. Error: standard error of the difference, by the rule above.".to_owned(),
        columns: columns(&[
            "figure",
            "metric",
            "#ours",
            "#paper",
            "#difference",
            "#error",
            "#in std over folds",
            "#in std over seeds",
            "verdict",
            "run",
        ]),
        rows: findings.iter().map(row).collect(),
    }
}

/// " (20 epochs, the paper 500)" or nothing.
fn unlike<'a>(mut groups: impl Iterator<Item = &'a Group<'a>>) -> String {
    groups.find_map(obstacle).map_or_else(String::new, |why| format!(" ({why})"))
}

/// Whether the parts of the network are worth what the paper says, by the signs of the paired differences: a sentence for
/// each network and protocol.
fn ablation_sentences(context: &Context) -> Vec<String> {
    let mut keyed: Vec<((usize, usize), &Run, &Paired)> = context
        .runs
        .iter()
        .filter(|r| !r.metrics.synthetic)
        .flat_map(|r| r.metrics.paired.iter().map(move |p| (r, p)))
        .map(|(r, p)| ((names::variant_rank(&p.variant), names::protocol_rank(&p.protocol)), r, p))
        .collect();
    keyed.sort_by_key(|k| k.0);
    keyed.chunk_by(|a, b| a.0 == b.0).filter_map(|members| ablation_sentence(context, members)).collect()
}

fn ablation_sentence(context: &Context, members: &[((usize, usize), &Run, &Paired)]) -> Option<String> {
    let (_, run, first) = members[0];
    let published = &context.published.table3;
    let paper = published.get(&first.variant)?[0] - published.get("tim-net")?[0];
    let holds_zero = |p: &Paired| p.uar_interval[0] <= 0.0 && p.uar_interval[1] >= 0.0;
    let same_sign = |p: &Paired| (p.uar_difference < 0.0) == (paper < 0.0);
    let count = |wanted: &dyn Fn(&Paired) -> bool| members.iter().filter(|m| wanted(m.2)).count();
    let difference = |(_, _, p): &((usize, usize), &Run, &Paired)| {
        let [low, high] = p.uar_interval.map(signed);
        format!("{} {} [{low}, {high}] over {} pairs", names::corpus(&p.corpus), signed(p.uar_difference), p.n)
    };
    let differences: Vec<String> = members.iter().map(difference).collect();
    let ours = |g: &&Group| {
        let cell = g.first();
        let same = (&cell.variant, &cell.protocol) == (&first.variant, &first.protocol);
        same && members.iter().any(|(_, r, p)| r.index == g.cells[0].0.index && p.corpus == cell.corpus)
    };
    let unlike = unlike(context.groups.iter().filter(ours));
    Some(format!(
        "{} minus TIM-Net, {}: points of UAR{}{unlike}: {}. The paper, over six corpora: {} (optimistic). In {} of {} the interval excludes 0 \
         and the sign is the paper's, in {} it excludes 0 and the sign is the other, in {} it holds 0 and tells nothing apart.",
        names::variant(&first.variant),
        first.protocol,
        said(&published::marks(&first.protocol, run.metrics.synthetic)),
        differences.join(", "),
        signed(paper),
        count(&|p| !holds_zero(p) && same_sign(p)),
        members.len(),
        count(&|p| !holds_zero(p) && !same_sign(p)),
        count(&holds_zero),
    ))
}

/// What the protocol alone changes.
fn protocol_gaps(context: &Context) -> Vec<String> {
    let groups: Vec<&Group> = table1::groups(context).into_iter().filter(|g| !g.synthetic()).collect();
    let mut out = Vec::new();
    for last in groups.iter().filter(|g| g.first().protocol == "last-epoch") {
        let cell = last.first();
        let partners = groups.iter().filter(|g| {
            let other = g.first();
            let same_run = g.cells[0].0.setting() == last.cells[0].0.setting();
            same_run && (&other.corpus, &other.variant, other.epochs) == (&cell.corpus, &cell.variant, cell.epochs)
        });
        for other in partners.filter(|g| g.first().protocol != "last-epoch") {
            let protocol = &other.first().protocol;
            let gap = other.figures()[0].mean - last.figures()[0].mean;
            let paper = |protocol: &str| context.published.table1(&cell.variant, protocol, &cell.corpus).map(|p| p[0]);
            let published = match paper(protocol).zip(paper("last-epoch")) {
                Some((a, b)) => format!("; in the paper {}{}", signed(a - b), said(&published::marks(protocol, false))),
                None => "; the paper has no such figure".to_owned(),
            };
            out.push(format!(
                "{}, {}: {protocol} is {} points of UAR from last-epoch{}{}{published}.",
                names::corpus(&cell.corpus),
                names::variant(&cell.variant),
                signed(gap),
                said(&other.marks()),
                unlike(std::iter::once(*last)),
            ));
        }
    }
    out
}
