//! From cells to what stands below a table: over seeds, over runs, over corpora, and networks compared in pairs.

use std::collections::{BTreeMap, BTreeSet};

use sercorpus::CorpusKind;
use sermetrics::{Spread, paired_difference};
use serreport::{Comparison, Mark};
use timnet_core::Variant;

use super::{
    metrics::{Cell, Over, Paired, Summary},
    published::{Published, TABLE2, shares},
};
use crate::{
    config::Division,
    error::{LabError, Result},
};

/// Cells that differ in what a summary is over alone. Enums order as the paper's tables do.
type Groups<'a, K> = BTreeMap<K, Vec<&'a Cell>>;

fn group<K: Ord>(cells: &[Cell], wanted: impl Fn(&Cell) -> bool, key: impl Fn(&Cell) -> K) -> Groups<'_, K> {
    let mut groups = Groups::new();
    for cell in cells.iter().filter(|c| wanted(c)) {
        groups.entry(key(cell)).or_default().push(cell);
    }
    groups
}

/// All summaries that the cells have enough for.
///
/// # Errors
/// A figure that is no number.
pub fn summaries(cells: &[Cell], published: &Published) -> Result<Vec<Summary>> {
    let mut out = Vec::new();
    let own = |c: &Cell| c.target.is_none();
    let by_corpus = group(cells, own, |c| (c.corpus, c.variant, c.protocol, c.division));
    for group in by_corpus.values().filter(|g| g.len() > 1) {
        let seeds = group.iter().map(|c| c.seed).collect();
        let corpus = Some(group[0].corpus);
        out.push(Summary { corpus, seeds, ..over(Over::Seeds, group, &means(group.iter().copied()))? });
    }
    for group in group(cells, |c| c.target.is_some(), |c| (c.variant, c.protocol)).values() {
        let mut runs: BTreeMap<u64, Vec<&Cell>> = BTreeMap::new();
        group.iter().for_each(|c| runs.entry(c.seed).or_default().push(c));
        let values: Vec<[f64; 2]> = runs.values().map(|pairs| mean(&means(pairs.iter().copied()))).collect();
        let mut pairs: Vec<String> =
            group.iter().filter_map(|c| Some(format!("{} -> {}", c.corpus, c.target?))).collect();
        pairs.sort();
        pairs.dedup();
        let whole = runs.values().all(|cells| cells.len() == pairs.len());
        let row = published.table2.get(group[0].variant.name()).filter(|_| whole && pairs == table2_pairs());
        out.push(Summary {
            seeds: runs.into_keys().collect(),
            published: row.map(|row| shares(row.mean)),
            corpora: pairs,
            ..over(Over::Runs, group, &values)?
        });
    }
    let folds = |c: &Cell| own(c) && c.division != Division::HoldOut;
    for group in group(cells, folds, |c| (c.variant, c.protocol, c.division)).values() {
        let mut corpora: BTreeMap<CorpusKind, Vec<&Cell>> = BTreeMap::new();
        group.iter().for_each(|c| corpora.entry(c.corpus).or_default().push(c));
        if corpora.len() < 2 {
            continue;
        }
        let values: Vec<[f64; 2]> = corpora.values().map(|seeds| mean(&means(seeds.iter().copied()))).collect();
        let kinds: Vec<CorpusKind> = corpora.into_keys().collect();
        let first = group[0];
        let published = published.mean(first.variant, first.protocol, &kinds);
        out.push(Summary {
            published: published.filter(|_| first.division == Division::Random).map(shares),
            corpora: kinds.into_iter().map(|k| k.to_string()).collect(),
            ..over(Over::Corpora, group, &values)?
        });
    }
    Ok(out)
}

/// [UAR, WAR] of each.
fn means<'a>(cells: impl Iterator<Item = &'a Cell>) -> Vec<[f64; 2]> {
    cells.map(|c| [c.uar.mean, c.war.mean]).collect()
}

fn mean(values: &[[f64; 2]]) -> [f64; 2] {
    [0, 1].map(|i| values.iter().map(|v| v[i]).sum::<f64>() / values.len() as f64)
}

fn over(over: Over, group: &[&Cell], values: &[[f64; 2]]) -> Result<Summary> {
    let spread = |i: usize| Spread::of(&values.iter().map(|v| v[i]).collect::<Vec<_>>()).map_err(LabError::work);
    let first = group[0];
    Ok(Summary {
        over,
        corpus: None,
        variant: first.variant,
        protocol: first.protocol,
        division: first.division,
        seeds: Vec::new(),
        corpora: Vec::new(),
        marks: Mark::sorted(group.iter().flat_map(|c| c.marks.iter().copied())),
        uar: spread(0)?,
        war: spread(1)?,
        published: None,
    })
}

/// The ordered pairs of the paper's Table 2, sorted.
fn table2_pairs() -> Vec<String> {
    let pair = |a: CorpusKind, b: CorpusKind| (a != b).then(|| format!("{a} -> {b}"));
    let mut pairs: Vec<String> = TABLE2.iter().flat_map(|&a| TABLE2.iter().filter_map(move |&b| pair(a, b))).collect();
    pairs.sort();
    pairs
}

/// A fold's place among the differences: the seed that draws the folds, where one does, and the fold.
type FoldPlace = (Option<u64>, usize);

/// [UAR, WAR] of every fold and seed that a network has.
type Scores = BTreeMap<FoldPlace, BTreeMap<u64, [f64; 2]>>;

fn scores(cells: &[&Cell]) -> Scores {
    let mut out = Scores::new();
    for cell in cells {
        let drawn = cell.division.is_drawn().then_some(cell.seed);
        for fold in &cell.folds {
            out.entry((drawn, fold.fold)).or_default().insert(cell.seed, [fold.uar, fold.war]);
        }
    }
    out
}

/// Every other network against TIM-Net, corpus by corpus, over the folds that both have; p values are adjusted over the networks of
/// one corpus, protocol, division and measure.
///
/// # Errors
/// A figure that is no number.
pub fn paired(cells: &[Cell]) -> Result<Vec<Paired>> {
    let own = |c: &Cell| c.target.is_none();
    let groups = group(cells, own, |c| (c.corpus, c.protocol, c.division, c.variant));
    let mut out = Vec::new();
    for (&(corpus, protocol, division, variant), group) in &groups {
        let Some(reference) = groups.get(&(corpus, protocol, division, Variant::TimNet)) else { continue };
        if variant == Variant::TimNet {
            continue;
        }
        let (ours, theirs) = (scores(group), scores(reference));
        let mut seeds = BTreeSet::new();
        let (mut a, mut b) = (Vec::new(), Vec::new());
        for (place, ours) in &ours {
            let Some(theirs) = theirs.get(place) else { continue };
            // The trainings of a fold that both have, averaged.
            let both: Vec<u64> = ours.keys().copied().filter(|seed| theirs.contains_key(seed)).collect();
            if both.is_empty() {
                continue;
            }
            let values = |scores: &BTreeMap<u64, [f64; 2]>| mean(&both.iter().map(|s| scores[s]).collect::<Vec<_>>());
            a.push(values(ours));
            b.push(values(theirs));
            seeds.extend(both);
        }
        if a.len() < 2 {
            continue;
        }
        let ratios: Vec<f64> = reference
            .iter()
            .flat_map(|c| c.folds.iter().map(|f| f.utterances as f64 / f.trained_on.max(1) as f64))
            .collect();
        let test_to_train = ratios.iter().sum::<f64>() / ratios.len() as f64;
        let compare = |i: usize| {
            let of = |values: &[[f64; 2]]| values.iter().map(|v| v[i]).collect::<Vec<_>>();
            let difference = paired_difference(&of(&a), &of(&b), test_to_train, 0.95).map_err(LabError::work)?;
            Ok(Comparison::of(&difference))
        };
        out.push(Paired {
            corpus,
            variant,
            protocol,
            division,
            seeds: seeds.into_iter().collect(),
            n: a.len(),
            test_to_train,
            marks: Mark::sorted(group.iter().chain(reference).flat_map(|c| c.marks.iter().copied())),
            uar: compare(0)?,
            war: compare(1)?,
        });
    }
    // Groups come in order, so that a family is in one piece.
    for family in out.chunk_by_mut(|a, b| (a.corpus, a.protocol, a.division) == (b.corpus, b.protocol, b.division)) {
        Comparison::adjust(&mut family.iter_mut().map(|p| &mut p.uar).collect::<Vec<_>>()).map_err(LabError::work)?;
        Comparison::adjust(&mut family.iter_mut().map(|p| &mut p.war).collect::<Vec<_>>()).map_err(LabError::work)?;
    }
    Ok(out)
}
