//! From finished folds to figures.

use std::{collections::BTreeMap, ops::Range};

use sercorpus::CorpusName;
use serengine::argmax;
use sermetrics::{Bootstrap, Confusion, Spread, confusion};
use serrun::{Cell, Division, FinishedFold, FoldScore, Mark, Over, Prediction, Protocol, Scored, Unit};

use crate::{
    config::Published,
    error::{LabError, Result},
    plan::{Material, Training},
    systems::published_epochs,
};

/// What was predicted of an utterance, and who speaks in it.
struct Row<'a> {
    speaker: Option<&'a str>,
    prediction: Prediction<f32>,
}

/// What a protocol reports of a fold.
///
/// # Errors
/// A fold without a validation part has no epoch chosen on one.
pub fn scored(fold: &FinishedFold, protocol: Protocol) -> Result<&Scored> {
    fold.scored(protocol).ok_or_else(|| LabError::Work("a fold without a validated epoch".into()))
}

/// A protocol's predictions for the utterances in `range`, fold by fold.
fn predictions<'a>(
    protocol: Protocol,
    training: &Training,
    material: &'a Material,
    range: &Range<usize>,
    folds: &[Option<FinishedFold>],
) -> Result<Vec<Row<'a>>> {
    let labels = material.roster.label_indices();
    let mut out = Vec::new();
    for (fold, (file, division)) in folds.iter().zip(&training.folds).enumerate() {
        let Some(file) = file else { continue };
        let scored = scored(file, protocol)?;
        if scored.probabilities.len() != division.test.len() {
            return Err(LabError::Work(format!(
                "{}, fold {fold}: {} predictions for {} test utterances; give another --run-dir",
                training.name,
                scored.probabilities.len(),
                division.test.len()
            )));
        }
        for (&i, probabilities) in division.test.iter().zip(&scored.probabilities) {
            if range.contains(&i) {
                let row = &material.roster.rows[i];
                let prediction = Prediction {
                    id: row.id.clone(),
                    fold,
                    truth: labels[i],
                    predicted: argmax(probabilities),
                    probabilities: probabilities.clone(),
                };
                out.push(Row { speaker: row.speaker.as_deref(), prediction });
            }
        }
    }
    Ok(out)
}

/// The figures of one protocol of one training, with the predictions they come from: one cell, or one a target where
/// other corpora are scored; none where no fold is there.
///
/// # Errors
/// Fold files that do not fit the plan.
pub fn cells(
    protocol: Protocol,
    training: &Training,
    material: &Material,
    folds: &[Option<FinishedFold>],
    (synthetic, sees_test_features): (bool, bool),
    published: &Published,
) -> Result<Vec<(Cell, Vec<Prediction<f32>>)>> {
    if folds.iter().all(Option::is_none) {
        return Ok(Vec::new());
    }
    let common = training.common(material);
    let all = 0..material.roster.rows.len();
    let targets: Vec<(Option<CorpusName>, Range<usize>)> = match &material.targets[..] {
        [] => vec![(None, all)],
        targets => targets.iter().map(|(name, range)| (Some(name.clone()), range.clone())).collect(),
    };
    let cell = |(target, range): (Option<CorpusName>, Range<usize>)| {
        let rows = predictions(protocol, training, material, &range, folds)?;
        let cell = cell(protocol, training, &material.roster.labels, folds, &rows, !common.speakers)?;
        let partial = material.partial(target.as_ref());
        let known = |said: bool, mark: Mark| said.then_some(mark);
        let of = published_epochs(training.system(), published.setting.training.epochs);
        let epochs = training.settings.epochs;
        let marks = Mark::sorted(
            [
                known(protocol.caveat().is_some(), Mark::Optimistic),
                known(partial.is_some(), Mark::PartialCorpus),
                known(synthetic, Mark::Synthetic),
                known(sees_test_features, Mark::UnlabelledTestData),
                known(!synthetic && epochs < of, Mark::Preview { epochs, of }),
                known(!synthetic && common.texts, Mark::TextsShared),
            ]
            .into_iter()
            .flatten(),
        );
        let random = training.division() == Division::Random;
        let published = published.table1(training.system(), protocol, training.corpus()).filter(|_| random);
        let predictions = rows.into_iter().map(|row| row.prediction).collect();
        Ok((Cell { target, published, marks, partial, ..cell }, predictions))
    };
    targets.into_iter().map(cell).collect()
}

fn cell(
    protocol: Protocol,
    training: &Training,
    labels: &[String],
    folds: &[Option<FinishedFold>],
    predictions: &[Row],
    new_speakers: bool,
) -> Result<Cell> {
    let columns = |of: &dyn Fn(&&Row) -> bool| -> (Vec<usize>, Vec<usize>) {
        predictions.iter().filter(of).map(|p| (p.prediction.truth, p.prediction.predicted)).unzip()
    };
    let mut scores = Vec::new();
    for (fold, file) in folds.iter().enumerate() {
        let Some(file) = file else { continue };
        let (truth, predicted) = columns(&|p| p.prediction.fold == fold);
        let c = confusion(&truth, &predicted, labels.len()).map_err(LabError::work)?;
        let epoch = scored(file, protocol)?.epoch;
        let trained_on = training.folds[fold].train.len();
        scores.push(FoldScore { fold, epoch, uar: c.uar(), war: c.war(), utterances: truth.len(), trained_on });
    }
    let (truth, predicted) = columns(&|_| true);
    let pooled = confusion(&truth, &predicted, labels.len()).map_err(LabError::work)?;
    let bootstrap = Bootstrap { seed: training.name.seed, ..Bootstrap::default() };
    let (unit, groups) = match new_speakers {
        true => (Unit::Speakers, Some(numbers(predictions.iter().map(|p| p.speaker)))),
        // Of an utterance that several folds test all predictions are drawn together.
        false => (Unit::Utterances, repeated(predictions).map(Some)),
    };
    let interval = |metric: fn(&Confusion) -> f64| match &groups {
        None => bootstrap.interval(&truth, &predicted, labels.len(), metric).map(Some),
        Some(Some(groups)) => bootstrap.grouped_interval(&truth, &predicted, groups, labels.len(), metric),
        Some(None) => Ok(None),
    };
    let [pooled_uar, pooled_war] = [interval(Confusion::uar), interval(Confusion::war)];
    let (pooled_uar, pooled_war) = (pooled_uar.map_err(LabError::work)?, pooled_war.map_err(LabError::work)?);
    let over = match &groups {
        None => Some(Over { unit, count: truth.len() }),
        Some(groups) => groups.as_ref().and_then(|g| g.iter().max()).map(|last| Over { unit, count: last + 1 }),
    };
    let spread =
        |of: fn(&FoldScore) -> f64| Spread::of(&scores.iter().map(of).collect::<Vec<_>>()).map_err(LabError::work);
    Ok(Cell {
        corpus: training.corpus().clone(),
        target: None,
        variant: training.system().clone(),
        protocol,
        seed: training.name.seed,
        training_seed: training.name.training_seed,
        division: training.division(),
        utterances: truth.len(),
        epochs: training.settings.epochs,
        partial: None,
        marks: Vec::new(),
        uar: spread(|s| s.uar)?,
        war: spread(|s| s.war)?,
        interval_over: over.filter(|_| pooled_uar.is_some()),
        pooled_uar,
        pooled_war,
        recall: labels.iter().cloned().zip(pooled.per_class().iter().map(|c| c.recall)).collect(),
        confusion: pooled,
        folds: scores,
        published: None,
    })
}

/// Each name as a number from 0; None where one is not known.
fn numbers<'a>(names: impl Iterator<Item = Option<&'a str>>) -> Option<Vec<usize>> {
    let mut numbers = BTreeMap::new();
    names
        .map(|name| {
            let next = numbers.len();
            Some(*numbers.entry(name?).or_insert(next))
        })
        .collect()
}

/// The utterance of each prediction as a number from 0; None where no utterance is there twice.
fn repeated(predictions: &[Row]) -> Option<Vec<usize>> {
    let utterances = numbers(predictions.iter().map(|p| Some(p.prediction.id.as_str())))?;
    (utterances.iter().max().is_some_and(|last| last + 1 < utterances.len())).then_some(utterances)
}
