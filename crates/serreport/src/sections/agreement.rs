//! What agrees with the paper and what does not: computed, never written by hand.

use sermetrics::{Equivalence, FEWEST_TRAININGS, Verdict, equivalence};

use sercorpus::CorpusName;
use serrun::{Comparison, Division, FoldScore, Mark, Protocol};

use super::{
    Context, table1, table2,
    table3::{self, Compared},
};
use crate::{
    document::{Block, Entry, Section, Table, columns, percent, signed, words},
    group::{self, Group},
    names, published,
};

/// The rule in words; `sermetrics::equivalence` is the rule.
fn rule(margin: f64) -> String {
    format!(
        "Rule. The paper gives a mean over folds and no spread, so at the published seed, which draws the paper's folds, the spread is that of our \
         own trainings of the same folds: at least {FEWEST_TRAININGS}, averaged over the variances of the folds. Ours agrees where the 90 % interval of our mean lies within \
         {} points of the published figure (two one-sided tests). It differs where the published figure is further away than one more \
         training would be (95 %), and further than the margin. Otherwise it is not resolved; a noisier run never agrees more easily. Figures of Table 2 are \
         judged over runs. Nothing is judged that was not made as in the paper: front end, length, blocks, epochs, folds, batch, \
         optimiser, smoothing, dropout, number of utterances; the first thing that differs is named.",
        percent(margin)
    )
}

pub fn section(context: &Context) -> Section {
    let mut blocks = Vec::new();
    if context.runs.iter().all(|r| r.metrics.synthetic) {
        let text = "Nothing can be compared with the paper: all recordings are synthetic.";
        blocks.push(Block::Text(text.to_owned()));
    } else {
        let findings = findings(context);
        let mut sentences: Vec<String> =
            findings.chunk_by(|a, b| a.what == b.what && a.origin.text == b.origin.text).map(sentence).collect();
        sentences.extend(context.comparisons.iter().filter(|c| !c.is_synthetic()).map(comparison));
        sentences.extend(protocol_gaps(context));
        if sentences.is_empty() {
            blocks.push(Block::Text("No figure here has a published counterpart.".to_owned()));
        } else {
            blocks.push(Block::Text(count(&findings)));
            blocks.push(Block::List(sentences));
        }
        if !findings.is_empty() {
            blocks.push(Block::Text(rule(context.margin)));
            blocks.push(Block::Table(table(&findings, context.margin)));
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
    judgement: Judgement,
    marks: Vec<Mark>,
    published_marks: Vec<Mark>,
    origin: Entry,
}

/// What can be said of ours beside the published figure.
#[derive(Debug)]
enum Judgement {
    /// It was not made as in the paper: the first thing that differs.
    Unlike(String),
    /// By the rule.
    Judged(Equivalence),
}

/// Figures by fold and training: those of one fold are trainings of the same division.
type Folds = Vec<Vec<f64>>;

fn findings(context: &Context) -> Vec<Finding> {
    let mut out = Vec::new();
    // The paper has no figure on folds of another kind.
    let on_its_folds = |division: Division| division.beside_protocol().is_none();
    let groups = table1::groups(context).into_iter();
    for group in groups.filter(|g| !g.synthetic() && on_its_folds(g.first().division)) {
        let cell = group.first();
        let published = context.published.table1(&cell.variant, cell.protocol, &cell.corpus);
        for (i, published) in published.into_iter().flatten().enumerate() {
            out.push(Finding {
                what: group.title(),
                metric: METRICS[i],
                ours: group.figures()[i].mean,
                published,
                judgement: judge(context, unlike(context, group), || folds(context, group, i), published),
                marks: group.marks(),
                published_marks: published::marks(Some(cell.protocol)),
                origin: group::origin(&[group]),
            });
        }
    }
    for network in table2::networks(context).iter().filter(|n| n.is_whole() && !n.pairs[0].synthetic()) {
        let Some([paper, _]) = context.published.table2(network.system.as_str()) else { continue };
        for (i, runs) in network.runs().into_iter().enumerate().filter(|(_, runs)| !runs.is_empty()) {
            let obstacle = network.pairs.iter().find_map(|g| unlike(context, g));
            out.push(Finding {
                what: format!("Across corpora, {}, {}", network.title(), network.protocol),
                metric: METRICS[i],
                ours: group::mean_and_std(runs.iter().copied()).0,
                published: paper[i],
                judgement: judge(context, obstacle, || Ok(vec![runs]), paper[i]),
                marks: network.marks(),
                published_marks: published::marks_across(network.system.as_str()),
                origin: group::origin(&network.pairs),
            });
        }
    }
    for ablation in table3::ablations(context).into_iter().filter(|a| on_its_folds(a.division)) {
        let corpora: Vec<CorpusName> = ablation.corpora.iter().map(|&c| c.clone()).collect();
        // TIM-Net's figures of single corpora stand above.
        let networks =
            ablation.networks.iter().filter(|(system, groups)| !system.is_tim_net() && !groups[0].synthetic());
        for (system, groups) in networks {
            let Some(published) = context.published.mean(system, ablation.protocol, &corpora) else { continue };
            for (i, published) in published.into_iter().enumerate() {
                let obstacle = groups.iter().find_map(|g| unlike(context, g));
                let all = || Ok(groups.iter().map(|g| folds(context, g, i)).collect::<Result<Vec<_>, _>>()?.concat());
                out.push(Finding {
                    what: format!("Mean over six corpora, {}, {}", system.title(), ablation.protocol),
                    metric: METRICS[i],
                    ours: table3::means(groups)[i],
                    published,
                    judgement: judge(context, obstacle, all, published),
                    marks: group::marks(groups),
                    published_marks: published::marks(Some(ablation.protocol)),
                    origin: group::origin(groups),
                });
            }
        }
    }
    out
}

const METRICS: [&str; 2] = ["UAR", "WAR"];

/// What of a group's setting is not the paper's, if anything.
fn unlike(context: &Context, group: &Group) -> Option<String> {
    let cell = group.first();
    let Some(paper) = context.published.setting() else {
        return Some("published.json does not say what the paper's figures were made with".to_owned());
    };
    if let Some(folds) = cell.division.beside_protocol() {
        return Some(format!("{folds}, the paper random folds"));
    }
    let missing = group.setting.get(&format!("corpora.{}.missing folds", cell.corpus));
    group
        .setting
        .first_unlike(&paper.of_division(cell.division), cell)
        .or_else(|| missing.map(|folds| format!("the folds {folds} are missing")))
}

/// A group's figures on the paper's folds: its cells at the published seed, which draws the folds.
///
/// # Errors
/// In words: no such cell.
fn folds(context: &Context, group: &Group, metric: usize) -> Result<Folds, String> {
    let cell = group.first();
    let seed = context.published.seed(&cell.corpus);
    let value = |f: &FoldScore| [f.uar, f.war][metric];
    let mut out: Folds = Vec::new();
    for (_, cell) in group.cells.iter().filter(|(_, c)| Some(c.seed) == seed) {
        out.resize(cell.folds.len(), Vec::new());
        out.iter_mut().zip(&cell.folds).for_each(|(all, fold)| all.push(value(fold)));
    }
    if out.is_empty() {
        let ours: Vec<String> = group.cells.iter().map(|(_, c)| c.seed.to_string()).collect();
        let paper = seed.map_or_else(|| "unknown".to_owned(), |s| s.to_string());
        return Err(format!("seed of the folds {}, the paper {paper}", ours.join(", ")));
    }
    Ok(out)
}

fn judge(
    context: &Context,
    obstacle: Option<String>,
    folds: impl FnOnce() -> Result<Folds, String>,
    published: f64,
) -> Judgement {
    let judged = match obstacle {
        Some(obstacle) => Err(obstacle),
        None => folds().and_then(|f| equivalence(&f, published, context.margin).map_err(|e| e.to_string())),
    };
    judged.map_or_else(Judgement::Unlike, Judgement::Judged)
}

impl Judgement {
    /// In few words.
    fn verdict(&self) -> String {
        match self {
            Self::Unlike(what) => format!("not made as in the paper: {what}"),
            Self::Judged(e) => match e.verdict {
                Verdict::Agrees => format!("agrees within {} points", percent(e.margin)),
                Verdict::Differs if e.difference > 0.0 => "higher than the paper".to_owned(),
                Verdict::Differs => "lower than the paper".to_owned(),
                Verdict::NotResolved => "not resolved".to_owned(),
            },
        }
    }

    /// What the verdict rests on; empty where there is none.
    fn ground(&self) -> String {
        let Self::Judged(e) = self else { return String::new() };
        let on = "on the paper's folds";
        let plural = if e.trainings == 1 { "" } else { "s" };
        let trainings = format!("{} training{plural} {on}", e.trainings);
        let mean = percent(e.mean);
        match e.interval {
            _ if e.trainings < FEWEST_TRAININGS => {
                let resolution =
                    e.resolution().map_or_else(String::new, |r| format!(", 90 % interval ± {}", percent(r)));
                format!("{mean} in {trainings}{resolution}; at least {FEWEST_TRAININGS} are needed")
            }
            Some(i) => {
                let interval = format!("[{}, {}]", percent(i.low), percent(i.high));
                format!("{mean}, 90 % interval {interval}, ± {} points, {trainings}", percent(i.half()))
            }
            None => trainings,
        }
    }
}

impl Finding {
    /// "UAR 87.14 against 89.19 published (-2.05 points): not resolved (87.14 in 1 training on the paper's folds; at least 3 are needed)".
    fn clause(&self) -> String {
        let ground = self.judgement.ground();
        let ground = if ground.is_empty() { ground } else { format!(" ({ground})") };
        format!(
            "{} {}{} against {}{} published ({} points): {}{ground}",
            self.metric,
            percent(self.ours),
            said(&self.marks),
            percent(self.published),
            said(&self.published_marks),
            signed(self.ours - self.published),
            self.judgement.verdict()
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
    let of = |wanted: fn(&Judgement) -> bool| findings.iter().filter(|f| wanted(&f.judgement)).count();
    let judged = |judgement: &Judgement, verdict: Verdict| match judgement {
        Judgement::Judged(e) => e.verdict == verdict,
        Judgement::Unlike(_) => false,
    };
    let verdicts = [Verdict::Agrees, Verdict::Differs, Verdict::NotResolved]
        .map(|v| findings.iter().filter(|f| judged(&f.judgement, v)).count());
    format!(
        "Of {} figures with a published counterpart, {} agree, {} differ, {} are not resolved and {} were not made as in the paper and are not judged.",
        findings.len(),
        verdicts[0],
        verdicts[1],
        verdicts[2],
        of(|j| matches!(j, Judgement::Unlike(_)))
    )
}

/// " (optimistic)" or nothing.
fn said(marks: &[Mark]) -> String {
    if marks.is_empty() { String::new() } else { format!(" ({})", words(marks)) }
}

fn table(findings: &[Finding], margin: f64) -> Table {
    let row = |f: &Finding| {
        let difference = f.ours - f.published;
        let resolution = match &f.judgement {
            Judgement::Judged(e) => e.resolution(),
            Judgement::Unlike(_) => None,
        };
        let trainings = match &f.judgement {
            Judgement::Judged(e) => Entry::number(e.trainings.to_string(), e.trainings, &[]),
            Judgement::Unlike(_) => Entry::none(),
        };
        vec![
            Entry::text(&f.what),
            Entry::text(f.metric),
            Entry::percent(f.ours, &f.marks),
            Entry::percent(f.published, &f.published_marks),
            Entry::number(signed(difference), 100.0 * difference, &f.marks),
            trainings,
            resolution.map_or_else(Entry::none, |r| Entry::percent(r, &f.marks)),
            Entry::text(f.judgement.verdict()),
            f.origin.clone(),
        ]
    };
    Table {
        id: "agreement".to_owned(),
        title: "Ours against the paper".to_owned(),
        note: format!(
            "Percent and points. Trainings: of the paper's folds. Resolution: half of the 90 % interval of our mean on these folds; the margin is {} points.",
            percent(margin)
        ),
        columns: columns(&[
            "figure",
            "metric",
            "#ours",
            "#paper",
            "#difference",
            "#trainings",
            "#resolution",
            "verdict",
            "run",
        ]),
        rows: findings.iter().map(row).collect(),
    }
}

impl Compared<'_> {
    fn is_synthetic(&self) -> bool {
        self.paired.marks.contains(&Mark::Synthetic)
    }
}

/// Whether a part of the network is worth something on a corpus.
fn comparison(compared: &Compared) -> String {
    let clause = |metric: &str, c: &Comparison| {
        let i = &c.interval;
        format!(
            "{metric} {} points [{}, {}], p {:.4}, adjusted {:.4}: {}",
            signed(i.estimate),
            signed(i.low),
            signed(i.high),
            c.p,
            c.adjusted_p,
            c.verdict()
        )
    };
    let p = &compared.paired;
    format!(
        "{}, {} against {}, {}{}, over {}: {}; {}. Intervals are not adjusted; p values are, by Holm over {} comparison{} ({}).",
        compared.corpus,
        p.variant.title(),
        p.against.title(),
        p.protocol,
        said(&p.marks),
        compared.over(),
        clause("UAR", &p.uar),
        clause("WAR", &p.war),
        compared.family,
        if compared.family == 1 { "" } else { "s" },
        compared.origin()
    )
}

/// What the protocol alone changes, over the seeds of one setting.
fn protocol_gaps(context: &Context) -> Vec<String> {
    let groups: Vec<&Group> = table1::groups(context).into_iter().filter(|g| !g.synthetic()).collect();
    let seeds = |g: &Group| g.cells.iter().map(|(_, c)| (c.seed, c.training_seed)).collect::<Vec<_>>();
    let mut out = Vec::new();
    for last in groups.iter().filter(|g| g.first().protocol == Protocol::LastEpoch) {
        let cell = last.first();
        let partners = groups.iter().filter(|g| {
            let other = g.first();
            let alike = g.setting.without_folds() == last.setting.without_folds() && seeds(g) == seeds(last);
            alike && (&other.corpus, &other.variant) == (&cell.corpus, &cell.variant)
        });
        for other in partners.filter(|g| g.first().protocol != Protocol::LastEpoch) {
            let protocol = other.first().protocol;
            let gap = other.figures()[0].mean - last.figures()[0].mean;
            let paper =
                |protocol: Protocol| context.published.table1(&cell.variant, protocol, &cell.corpus).map(|p| p[0]);
            let published = match (unlike(context, last), paper(protocol).zip(paper(Protocol::LastEpoch))) {
                (Some(what), _) => format!("; not made as in the paper: {what}"),
                (None, Some((a, b))) => {
                    format!("; in the paper {}{}", signed(a - b), said(&published::marks(Some(protocol))))
                }
                (None, None) => "; the paper has no such figure".to_owned(),
            };
            out.push(format!(
                "{}, {}: {} is {} points of UAR from last-epoch{}, mean of {}{published}.",
                last.corpus(),
                cell.variant.title(),
                names::protocol(protocol, other.first().division),
                signed(gap),
                said(&other.marks()),
                last.over()
            ));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// Ten folds of `trainings` trainings around `mean`, `noise` apart.
    fn finding(mean: f64, noise: f64, trainings: usize) -> Finding {
        // Deviations with mean 0 in every fold.
        let deviation = |fold: usize, t: usize| {
            let turn = (fold + t) % trainings;
            noise * (turn as f64 - (trainings - 1) as f64 / 2.0)
        };
        let folds: Folds = (0..10)
            .map(|f| (0..trainings).map(|t| mean + 0.01 * (f as f64 - 4.5) + deviation(f, t)).collect())
            .collect();
        Finding {
            what: "EMODB, TIM-Net, last-epoch".to_owned(),
            metric: "UAR",
            ours: mean,
            published: 0.8919,
            judgement: Judgement::Judged(equivalence(&folds, 0.8919, 0.02).unwrap()),
            marks: vec![Mark::TextsShared],
            published_marks: vec![Mark::TextsShared],
            origin: Entry::text("R1"),
        }
    }

    #[test]
    fn runs_agree_differ_or_are_not_resolved() {
        let agrees = sentence(&[finding(0.8950, 0.01, 3)]);
        assert_eq!(
            agrees,
            "EMODB, TIM-Net, last-epoch: UAR 89.50 (texts shared) against 89.19 (texts shared) published (+0.31 points): \
             agrees within 2.00 points (89.50, 90 % interval [89.19, 89.81], ± 0.31 points, 3 trainings on the paper's folds)."
        );
        let lower = sentence(&[finding(0.84, 0.01, 3)]);
        assert!(lower.contains("(-5.19 points): lower than the paper (84.00, 90 % interval ["), "{lower}");
        let higher = sentence(&[finding(0.93, 0.01, 3)]);
        assert!(higher.contains("(+3.81 points): higher than the paper"), "{higher}");
        // One training says nothing, however close; noise makes agreement harder, never easier.
        let alone = sentence(&[finding(0.8919, 0.0, 1)]);
        assert!(
            alone.ends_with(
                "(+0.00 points): not resolved (89.19 in 1 training on the paper's folds; at least 3 are needed)."
            ),
            "{alone}"
        );
        let two = sentence(&[finding(0.8919, 0.01, 2)]);
        assert!(two.contains("not resolved (89.19 in 2 trainings on the paper's folds, 90 % interval ± "), "{two}");
        let noisy = sentence(&[finding(0.8950, 0.1, 3)]);
        assert!(noisy.contains("(+0.31 points): not resolved (89.50, 90 % interval [86.3"), "{noisy}");
        let far_and_noisy = sentence(&[finding(0.86, 0.15, 3)]);
        assert!(far_and_noisy.contains("(-3.19 points): not resolved"), "{far_and_noisy}");
        let counted = count(&[finding(0.8950, 0.01, 3), finding(0.84, 0.01, 3), finding(0.8950, 0.1, 3)]);
        assert!(counted.contains("1 agree, 1 differ, 1 are not resolved and 0 were not made"), "{counted}");
    }
}
