//! From cells to what stands below a table: over seeds, over runs, over corpora, and networks compared in pairs.

use std::collections::BTreeMap;

use sercorpus::CorpusKind;
use serde::Serialize;
use sermetrics::{Spread, paired_difference};
use sertrain::Protocol;
use timnet_core::Variant;

use crate::{
    error::{LabError, Result},
    plan::Division,
    published::{Published, shares},
    results::Cell,
};

/// What a summary is taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Over {
    /// The seeds of one corpus; a seed's figure is its mean over folds.
    Seeds,
    /// The runs of cross-corpus training; a run's figure is its mean over pairs.
    Runs,
    /// The corpora; a corpus' figure is the mean over its seeds.
    Corpora,
}

/// Mean and spread of one network and protocol. Shares, not percent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// What it is taken over.
    pub over: Over,
    /// Which corpus, if over seeds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corpus: Option<CorpusKind>,
    /// Which network.
    pub variant: Variant,
    /// Which protocol.
    pub protocol: Protocol,
    /// How the corpora were divided.
    pub division: Division,
    /// The seeds, if over seeds or runs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub seeds: Vec<u64>,
    /// The corpora, if over corpora; the pairs, if over runs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub corpora: Vec<String>,
    /// What has to be said beside the figure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caveat: Option<String>,
    /// UAR.
    pub uar: Spread,
    /// WAR.
    pub war: Spread,
    /// [UAR, WAR] in the paper, where it has this summary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<[f64; 2]>,
}

/// Another network against TIM-Net on the same folds with the same seeds: the mean of (its figure - TIM-Net's).
/// Shares, not percent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Paired {
    /// Which corpus.
    pub corpus: CorpusKind,
    /// Which network.
    pub variant: Variant,
    /// Which protocol.
    pub protocol: Protocol,
    /// Pairs: folds times seeds.
    pub n: usize,
    /// Mean difference of UAR.
    pub uar_difference: f64,
    /// Its 95 % t interval. The folds of one cross-validation share training data, so it is too narrow.
    pub uar_interval: [f64; 2],
    /// Mean difference of WAR.
    pub war_difference: f64,
    /// Its 95 % t interval.
    pub war_interval: [f64; 2],
    /// What has to be said beside the figure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caveat: Option<String>,
}

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
        let row = published.table2.get(group[0].variant.name());
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
        let row = published.table3.get(&group[0].variant);
        let fits = group[0].protocol == Protocol::BestEpoch;
        out.push(Summary {
            corpora: corpora.into_keys().map(|k| k.to_string()).collect(),
            published: row.filter(|_| fits).map(|row| shares(*row)),
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
        caveat: first.caveat.clone(),
        uar: spread(0)?,
        war: spread(1)?,
        published: None,
    })
}

/// Every other network against TIM-Net, corpus by corpus, over the folds that both have.
///
/// # Errors
/// A figure that is no number.
pub fn paired(cells: &[Cell]) -> Result<Vec<Paired>> {
    let own = |c: &Cell| c.target.is_none();
    let groups = group(cells, own, |c| (c.corpus, c.protocol, c.division, c.variant));
    let mut out = Vec::new();
    for (&(corpus, protocol, division, variant), group) in &groups {
        let Some(reference) = groups.get(&(corpus, protocol, division, Variant::TimNet)) else { continue };
        let scores = |cells: &[&Cell]| -> BTreeMap<(u64, usize), [f64; 2]> {
            cells.iter().flat_map(|c| c.folds.iter().map(|f| ((c.seed, f.fold), [f.uar, f.war]))).collect()
        };
        let (ours, reference) = (scores(group), scores(reference));
        let pairs: Vec<([f64; 2], [f64; 2])> =
            ours.iter().filter_map(|(place, score)| Some((*score, *reference.get(place)?))).collect();
        if variant == Variant::TimNet || pairs.len() < 2 {
            continue;
        }
        let difference = |i: usize| {
            let (a, b): (Vec<f64>, Vec<f64>) = pairs.iter().map(|(a, b)| (a[i], b[i])).unzip();
            paired_difference(&a, &b, 0.95).map(|d| d.interval).map_err(LabError::work)
        };
        let (uar, war) = (difference(0)?, difference(1)?);
        out.push(Paired {
            corpus,
            variant,
            protocol,
            n: pairs.len(),
            uar_difference: uar.estimate,
            uar_interval: [uar.low, uar.high],
            war_difference: war.estimate,
            war_interval: [war.low, war.high],
            caveat: protocol.caveat().map(str::to_owned),
        });
    }
    Ok(out)
}
