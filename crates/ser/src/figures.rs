//! What a model is worth on labelled recordings, as numbers and as a table.

use std::collections::BTreeMap;

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;
use sermetrics::{Calibration, Confusion, Interval, MetricError, grouped_bootstrap_interval};

use crate::calibrate::{self, Point};

const RESAMPLES: usize = 1000;
const LEVEL: f64 = 0.95;
/// Bins of the expected calibration error.
const BINS: usize = 15;

/// What was said of each utterance, and what is true.
pub struct Scores<'a> {
    /// Classes.
    pub truth: &'a [usize],
    /// Calibrated class probabilities of each utterance.
    pub probabilities: Vec<Vec<f64>>,
    /// Who speaks, where it is known of all.
    pub speakers: Option<&'a [String]>,
}

/// The figures of one speaker.
#[derive(Clone, Debug, Serialize)]
pub struct Speaker {
    /// Who.
    pub speaker: String,
    /// How many utterances.
    pub utterances: u64,
    /// Mean over the classes this speaker has of recall.
    pub uar: f64,
    /// Accuracy.
    pub war: f64,
}

/// All figures of one evaluation.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// How many utterances.
    pub utterances: usize,
    /// Mean over classes of recall, with its bootstrap interval.
    pub uar: Interval,
    /// Accuracy, with its bootstrap interval.
    pub war: Interval,
    /// What the intervals were drawn over: speakers, or utterances where those are unknown.
    pub intervals_over: &'static str,
    /// Counts, [truth][predicted].
    pub confusion: Vec<Vec<u64>>,
    /// Recall of each class.
    pub recall: Vec<f64>,
    /// By speaker, where they are known.
    pub speakers: Vec<Speaker>,
    /// Expected calibration error: how far confidence and accuracy lie apart.
    pub ece: f64,
    /// What the model does at its threshold, where it has one.
    pub answers: Option<Point>,
    /// From the surest answer to all answers.
    #[serde(serialize_with = "tenths")]
    pub abstain: Vec<Point>,
}

impl Figures {
    /// Scores against the truth. `threshold` is the confidence below which the model abstains.
    ///
    /// # Errors
    /// No utterance; numbers that are no probabilities.
    pub fn of(scores: &Scores, classes: usize, threshold: Option<f64>) -> Result<Self, MetricError> {
        let rows = &scores.probabilities;
        let best = |row: &Vec<f64>| (1..row.len()).fold(0, |best, k| if row[k] > row[best] { k } else { best });
        let predicted: Vec<usize> = rows.iter().map(best).collect();
        let truth = scores.truth;
        let confusion = sermetrics::confusion(truth, &predicted, classes)?;
        let mut numbers = BTreeMap::new();
        let groups: Vec<usize> = match scores.speakers {
            None => (0..truth.len()).collect(),
            Some(all) => all
                .iter()
                .map(|s| {
                    let next = numbers.len();
                    *numbers.entry(s.as_str()).or_insert(next)
                })
                .collect(),
        };
        // One speaker alone cannot be resampled.
        let (groups, over) = match numbers.len() {
            0 | 1 => ((0..truth.len()).collect(), "utterances"),
            _ => (groups, "speakers"),
        };
        let interval = |metric: fn(&Confusion) -> f64| {
            grouped_bootstrap_interval(truth, &predicted, &groups, classes, metric, RESAMPLES, LEVEL, 0)
        };
        let speakers =
            numbers.keys().map(|&name| speaker(name, scores, &predicted, classes)).collect::<Result<_, _>>()?;
        let confidence: Vec<f64> = rows.iter().zip(&predicted).map(|(row, &p)| row[p].min(1.0)).collect();
        let correct: Vec<bool> = truth.iter().zip(&predicted).map(|(t, p)| t == p).collect();
        let abstain = calibrate::abstain_curve(&confidence, &correct);
        let answers = threshold.map(|threshold| {
            let last = abstain.iter().take_while(|p| p.threshold >= threshold).last().copied();
            let none = Point { threshold, coverage: 0.0, accuracy: 0.0 };
            last.map_or(none, |last| Point { threshold, ..last })
        });
        Ok(Self {
            utterances: truth.len(),
            uar: interval(Confusion::uar)?,
            war: interval(Confusion::war)?,
            intervals_over: over,
            recall: confusion.per_class().iter().map(|c| c.recall).collect(),
            confusion: confusion.matrix().to_vec(),
            speakers,
            ece: Calibration::of(&confidence, &correct, BINS)?.ece,
            answers,
            abstain,
        })
    }

    /// The same with what the model does at its threshold.
    pub fn at(self, answers: Option<Point>) -> Self {
        Self { answers, ..self }
    }

    /// For people.
    pub fn table(&self, labels: &[String]) -> String {
        let percent = |x: f64| format!("{:.1}", 100.0 * x);
        let interval = |i: &Interval| format!("{} % [{}, {}]", percent(i.estimate), percent(i.low), percent(i.high));
        let mut out = format!(
            "{} utterances: UAR {}, WAR {} (95 % intervals over {}), expected calibration error {} %\n",
            self.utterances,
            interval(&self.uar),
            interval(&self.war),
            self.intervals_over,
            percent(self.ece)
        );
        if let Some(p) = self.answers {
            out.push_str(&format!(
                "with a confidence of at least {:.3} the model answers {} % of them, and {} % of these answers are right\n",
                p.threshold,
                percent(p.coverage),
                percent(p.accuracy)
            ));
        }
        let mut table = plain();
        let header = ["".to_owned()].into_iter().chain(labels.iter().cloned());
        table.set_header(header.chain(["recall %".to_owned()]));
        for ((label, row), recall) in labels.iter().zip(&self.confusion).zip(&self.recall) {
            let counts = row.iter().map(ToString::to_string);
            table.add_row([format!("is {label}")].into_iter().chain(counts).chain([percent(*recall)]));
        }
        out.push_str(&format!("{}\n", right(table)));
        if !self.speakers.is_empty() {
            let mut table = plain();
            table.set_header(["speaker", "utterances", "UAR %", "WAR %"]);
            for s in &self.speakers {
                table.add_row([s.speaker.clone(), s.utterances.to_string(), percent(s.uar), percent(s.war)]);
            }
            out.push_str(&format!("{}\n", right(table)));
        }
        let mut table = plain();
        table.set_header(["confidence at least", "answered %", "of which right %"]);
        for p in shown(&self.abstain) {
            table.add_row([format!("{:.3}", p.threshold), percent(p.coverage), percent(p.accuracy)]);
        }
        out.push_str(&right(table).to_string());
        out
    }
}

fn speaker(name: &str, scores: &Scores, predicted: &[usize], classes: usize) -> Result<Speaker, MetricError> {
    let of = |i: &usize| scores.speakers.is_some_and(|all| all[*i] == name);
    let own: Vec<usize> = (0..scores.truth.len()).filter(of).collect();
    let pick = |all: &[usize]| own.iter().map(|&i| all[i]).collect::<Vec<_>>();
    let confusion = sermetrics::confusion(&pick(scores.truth), &pick(predicted), classes)?;
    let (uar, war) = (confusion.uar(), confusion.war());
    Ok(Speaker { speaker: name.to_owned(), utterances: confusion.total(), uar, war })
}

/// The points nearest above 10, 20, .. 100 % of answers.
fn shown(curve: &[Point]) -> Vec<Point> {
    let mut points: Vec<Point> = (1..=10)
        .filter_map(|tenth| curve.iter().find(|p| p.coverage * 10.0 >= f64::from(tenth) - 1e-9).copied())
        .collect();
    points.dedup();
    points
}

fn tenths<S: serde::Serializer>(curve: &[Point], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(shown(curve))
}

/// A table that is one in Markdown too.
pub fn plain() -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table
}

/// All columns but the first to the right.
pub fn right(mut table: Table) -> Table {
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
