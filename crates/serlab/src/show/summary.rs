//! From cells to what stands below a table: over seeds, over runs, over corpora, and networks compared in pairs.

use std::collections::{BTreeMap, BTreeSet};

use sercorpus::CorpusName;
use sermetrics::{Spread, paired_difference};
use serrun::{Cell, Comparison, Division, Mark, Paired, Summary, SummaryOver, System, table2_pairs};

use crate::{
    config::Published,
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

/// What was trained on the same folds: the seed that draws them, if one does.
fn folds_of(cell: &Cell) -> Option<u64> {
    cell.division.is_drawn().then_some(cell.seed)
}

/// All summaries that the cells have enough for.
///
/// # Errors
/// A figure that is no number.
pub fn summaries(cells: &[Cell], published: &Published) -> Result<Vec<Summary>> {
    let mut out = Vec::new();
    let own = |c: &Cell| c.target.is_none();
    let by_corpus = group(cells, own, |c| (c.corpus.clone(), c.variant.clone(), c.protocol, c.division));
    for group in by_corpus.values() {
        let corpus = Some(group[0].corpus.clone());
        let by_folds = by_folds(group);
        for trainings in by_folds.values().filter(|trainings| trainings.len() > 1) {
            let summary = over(SummaryOver::Trainings, trainings, &means(trainings))?;
            out.push(Summary { corpus: corpus.clone(), ..summary });
        }
        if by_folds.len() > 1 {
            out.push(Summary { corpus, ..over(SummaryOver::Seeds, group, &each_mean(&by_folds))? });
        }
    }
    for group in group(cells, |c| c.target.is_some(), |c| (c.variant.clone(), c.protocol)).values() {
        let mut runs: BTreeMap<(u64, Option<u64>), Vec<&Cell>> = BTreeMap::new();
        group.iter().for_each(|c| runs.entry((c.seed, c.training_seed)).or_default().push(c));
        let mut pairs: Vec<String> =
            group.iter().filter_map(|c| Some(format!("{} -> {}", c.corpus, c.target.as_ref()?))).collect();
        pairs.sort();
        pairs.dedup();
        let whole = runs.values().all(|cells| cells.len() == pairs.len());
        let row = published.table2(group[0].variant.as_str()).filter(|_| whole && pairs == table2_pairs());
        out.push(Summary {
            published: row.map(|[mean, _]| mean),
            corpora: pairs,
            ..over(SummaryOver::Runs, group, &each_mean(&runs))?
        });
    }
    let folds = |c: &Cell| own(c) && c.division != Division::HoldOut;
    for group in group(cells, folds, |c| (c.variant.clone(), c.protocol, c.division)).values() {
        let mut corpora: BTreeMap<CorpusName, Vec<&Cell>> = BTreeMap::new();
        group.iter().for_each(|c| corpora.entry(c.corpus.clone()).or_default().push(c));
        if corpora.len() < 2 {
            continue;
        }
        let values: Vec<[f64; 2]> = corpora.values().map(|cells| mean(&each_mean(&by_folds(cells)))).collect();
        let names: Vec<CorpusName> = corpora.into_keys().collect();
        let first = group[0];
        let published = published.mean(&first.variant, first.protocol, &names);
        out.push(Summary {
            published: published.filter(|_| first.division == Division::Random),
            corpora: names.into_iter().map(|name| name.to_string()).collect(),
            seeds: Vec::new(),
            training_seeds: Vec::new(),
            ..over(SummaryOver::Corpora, group, &values)?
        });
    }
    Ok(out)
}

/// The trainings of the same folds together.
fn by_folds<'a>(cells: &[&'a Cell]) -> Groups<'a, Option<u64>> {
    let mut out = Groups::new();
    cells.iter().for_each(|&cell| out.entry(folds_of(cell)).or_default().push(cell));
    out
}

/// [UAR, WAR] of each.
fn means(cells: &[&Cell]) -> Vec<[f64; 2]> {
    cells.iter().map(|c| [c.uar.mean, c.war.mean]).collect()
}

fn mean(values: &[[f64; 2]]) -> [f64; 2] {
    [0, 1].map(|i| values.iter().map(|v| v[i]).sum::<f64>() / values.len() as f64)
}

/// The mean [UAR, WAR] of each group.
fn each_mean<K>(groups: &Groups<K>) -> Vec<[f64; 2]> {
    groups.values().map(|cells| mean(&means(cells))).collect()
}

fn over(over: SummaryOver, group: &[&Cell], values: &[[f64; 2]]) -> Result<Summary> {
    let spread = |i: usize| Spread::of(&values.iter().map(|v| v[i]).collect::<Vec<_>>()).map_err(LabError::work);
    let first = group[0];
    let (seeds, training_seeds) = seeds(group);
    Ok(Summary {
        over,
        corpus: None,
        variant: first.variant.clone(),
        protocol: first.protocol,
        division: first.division,
        seeds,
        training_seeds,
        corpora: Vec::new(),
        marks: Mark::sorted(group.iter().flat_map(|c| c.marks.iter().copied())),
        uar: spread(0)?,
        war: spread(1)?,
        published: None,
    })
}

/// The seeds of the folds, and where a training seed is not that of the folds the training seeds; each once.
fn seeds(cells: &[&Cell]) -> (Vec<u64>, Vec<u64>) {
    let folds: BTreeSet<u64> = cells.iter().map(|c| c.seed).collect();
    let trainings: BTreeSet<u64> = match cells.iter().any(|c| c.training_seed.is_some()) {
        true => cells.iter().map(|c| c.training_seed.unwrap_or(c.seed)).collect(),
        false => BTreeSet::new(),
    };
    (folds.into_iter().collect(), trainings.into_iter().collect())
}

/// A fold's place among the differences: the seed that draws the folds, where one does, and the fold.
type FoldPlace = (Option<u64>, usize);

/// The seed of the folds and the training seed.
type Seeds = (u64, Option<u64>);

/// [UAR, WAR] of every fold and training that a network has.
type Scores = BTreeMap<FoldPlace, BTreeMap<Seeds, [f64; 2]>>;

fn scores(cells: &[&Cell]) -> Scores {
    let mut out = Scores::new();
    for cell in cells {
        for fold in &cell.folds {
            let scores = out.entry((folds_of(cell), fold.fold)).or_default();
            scores.insert((cell.seed, cell.training_seed), [fold.uar, fold.war]);
        }
    }
    out
}

/// All networks of a corpus, protocol and division in pairs, over the folds that both have: those with TIM-Net first, which is the
/// first of all networks. p values are adjusted over all pairs of one corpus, protocol, division and measure.
///
/// # Errors
/// A figure that is no number.
pub fn paired(cells: &[Cell]) -> Result<Vec<Paired>> {
    let own = |c: &Cell| c.target.is_none();
    let mut out = Vec::new();
    for together in group(cells, own, |c| (c.corpus.clone(), c.protocol, c.division)).into_values() {
        let mut networks: Groups<System> = Groups::new();
        together.into_iter().for_each(|cell| networks.entry(cell.variant.clone()).or_default().push(cell));
        let networks: Vec<Vec<&Cell>> = networks.into_values().collect();
        let mut family = Vec::new();
        for (i, reference) in networks.iter().enumerate() {
            for group in &networks[i + 1..] {
                family.extend(pair(group, reference)?);
            }
        }
        for measure in
            [|p: &mut Paired| &mut p.uar, |p: &mut Paired| &mut p.war] as [fn(&mut Paired) -> &mut Comparison; 2]
        {
            Comparison::adjust(&mut family.iter_mut().map(measure).collect::<Vec<_>>()).map_err(LabError::work)?;
        }
        out.extend(family);
    }
    Ok(out)
}

/// The cells of a network against those of another; None where they have fewer than two folds in common.
fn pair(group: &[&Cell], reference: &[&Cell]) -> Result<Option<Paired>> {
    let (ours, theirs) = (scores(group), scores(reference));
    let mut both_have = BTreeSet::new();
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for (place, ours) in &ours {
        let Some(theirs) = theirs.get(place) else { continue };
        // The trainings of a fold that both have, averaged.
        let both: Vec<Seeds> = ours.keys().copied().filter(|seeds| theirs.contains_key(seeds)).collect();
        if both.is_empty() {
            continue;
        }
        let values = |scores: &BTreeMap<Seeds, [f64; 2]>| mean(&both.iter().map(|s| scores[s]).collect::<Vec<_>>());
        a.push(values(ours));
        b.push(values(theirs));
        both_have.extend(both);
    }
    if a.len() < 2 {
        return Ok(None);
    }
    let ratios: Vec<f64> = reference
        .iter()
        .flat_map(|c| c.folds.iter().map(|f| f.utterances as f64 / f.trained_on.max(1) as f64))
        .collect();
    let test_to_train = ratios.iter().sum::<f64>() / ratios.len() as f64;
    let compare = |i: usize| -> Result<Comparison> {
        let of = |values: &[[f64; 2]]| values.iter().map(|v| v[i]).collect::<Vec<_>>();
        let difference = paired_difference(&of(&a), &of(&b), test_to_train, 0.95).map_err(LabError::work)?;
        Ok(Comparison::of(&difference))
    };
    let compared: Vec<&Cell> =
        group.iter().copied().filter(|c| both_have.contains(&(c.seed, c.training_seed))).collect();
    let (seeds, training_seeds) = seeds(&compared);
    let first = group[0];
    Ok(Some(Paired {
        corpus: first.corpus.clone(),
        variant: first.variant.clone(),
        against: reference[0].variant.clone(),
        protocol: first.protocol,
        division: first.division,
        seeds,
        training_seeds,
        n: a.len(),
        test_to_train,
        marks: Mark::sorted(group.iter().chain(reference).flat_map(|c| c.marks.iter().copied())),
        uar: compare(0)?,
        war: compare(1)?,
    }))
}
