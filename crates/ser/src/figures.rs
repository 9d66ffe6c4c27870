//! What a model is worth on labelled recordings, as numbers and as tables.

use std::collections::BTreeMap;

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;
use sermetrics::{Bootstrap, Calibration, Confusion, FEWEST_GROUPS, Interval, MetricError, ReliabilityBin};

use crate::{
    calibrate::{self, Answer, Point},
    output,
};

/// Bins of the expected calibration error, of equal width.
const BINS: usize = 15;

/// What was said of each utterance, and what is true.
pub struct Scores<'a> {
    /// Classes.
    pub truth: &'a [usize],
    /// The answer to each utterance.
    pub answers: &'a [Answer],
    /// Who speaks, where it is known of all.
    pub speakers: Option<&'a [String]>,
}

/// Where the temperature and threshold of the answers come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Calibrated {
    /// From the model's card.
    Model,
    /// For each fold they are fitted on the other folds.
    CrossFitted,
}

/// Counts and figures without intervals.
pub struct Summary {
    /// Counts, [truth][predicted].
    pub confusion: Confusion,
    /// Expected calibration error and its bins.
    pub calibration: Calibration,
    /// Number of answers given, the others being "unknown".
    pub answered: usize,
    /// How many of these are right.
    pub right: usize,
}

impl Summary {
    /// Counts the answers.
    ///
    /// # Errors
    /// No utterance; numbers that are no probabilities.
    pub fn of(scores: &Scores, classes: usize) -> Result<Self, MetricError> {
        let Scores { truth, answers, .. } = scores;
        let everything: Vec<usize> = (0..answers.len()).collect();
        let right = (0..answers.len()).filter(|&i| answers[i].given && answers[i].label == truth[i]).count();
        Ok(Self {
            confusion: sermetrics::confusion(truth, &predicted(answers), classes)?,
            calibration: calibration(scores, &everything)?,
            answered: answers.iter().filter(|a| a.given).count(),
            right,
        })
    }
}

/// A number for each speaker, in the order of appearance.
pub fn numbered(speakers: &[String], numbers: &mut BTreeMap<String, usize>) -> Vec<usize> {
    let number = |s: &String| {
        let next = numbers.len();
        *numbers.entry(s.clone()).or_insert(next)
    };
    speakers.iter().map(number).collect()
}

fn predicted(answers: &[Answer]) -> Vec<usize> {
    answers.iter().map(|a| a.label).collect()
}

/// Of the utterances with these indices.
fn calibration(scores: &Scores, indices: &[usize]) -> Result<Calibration, MetricError> {
    let confidence: Vec<f64> = indices.iter().map(|&i| scores.answers[i].confidence).collect();
    let correct: Vec<bool> = indices.iter().map(|&i| scores.answers[i].label == scores.truth[i]).collect();
    Calibration::of(&confidence, &correct, BINS)
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

/// What comes of answering only where the threshold is reached.
#[derive(Clone, Debug, Serialize)]
pub struct Given {
    /// Number of answers given.
    pub answered: usize,
    /// How many of these are right.
    pub right: usize,
    /// Share of utterances that get an answer.
    pub coverage: f64,
    /// Its interval; none for fewer than five speakers.
    pub coverage_interval: Option<Interval>,
    /// Share of the answers given that are right; none where none is given.
    pub accuracy: Option<f64>,
    /// Its interval; none for fewer than five speakers.
    pub accuracy_interval: Option<Interval>,
}

/// All figures of one evaluation.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// The recordings that they hold for.
    pub data: String,
    /// How many utterances.
    pub utterances: usize,
    /// Mean over classes of recall, with its interval.
    pub uar: Interval,
    /// Accuracy, with its interval.
    pub war: Interval,
    /// `speakers` or `utterances`: what the bootstrap drew for the intervals. Utterances where the speakers are unknown or
    /// fewer than five.
    pub intervals_over: &'static str,
    /// Number of speakers, where they are known.
    pub number_of_speakers: Option<usize>,
    /// Counts, [truth][predicted].
    pub confusion: Vec<Vec<u64>>,
    /// Recall of each class; none of a class that no utterance is of.
    pub recall: Vec<Option<f64>>,
    /// By speaker, where they are known.
    pub speakers: Vec<Speaker>,
    /// Where temperature and threshold come from.
    pub calibrated: Calibrated,
    /// Expected calibration error: mean distance between confidence and accuracy.
    pub ece: f64,
    /// Its interval; none for fewer than five speakers.
    pub ece_interval: Option<Interval>,
    /// The bins of the expected calibration error, with their counts.
    pub bins: Vec<ReliabilityBin>,
    /// What comes of the threshold.
    pub answers: Given,
    /// From the surest answer to all answers.
    #[serde(serialize_with = "tenths")]
    pub abstain: Vec<Point>,
}

impl Figures {
    /// Scores against the truth, on the recordings that `data` names.
    ///
    /// # Errors
    /// No utterance; numbers that are no probabilities.
    pub fn of(scores: &Scores, classes: usize, data: String, calibrated: Calibrated) -> Result<Self, MetricError> {
        let Summary { confusion, calibration: Calibration { bins, ece, .. }, answered, right } =
            Summary::of(scores, classes)?;
        let Scores { truth, answers, .. } = *scores;
        let predicted = predicted(answers);
        let mut numbers = BTreeMap::new();
        let groups: Option<Vec<usize>> = scores.speakers.map(|all| numbered(all, &mut numbers));
        let bootstrap = Bootstrap::default();
        let interval = |metric: fn(&Confusion) -> f64| {
            let by_speaker = groups
                .as_ref()
                .map(|g| bootstrap.grouped_interval(truth, &predicted, g, classes, metric))
                .transpose()?;
            match by_speaker.flatten() {
                Some(interval) => Ok(interval),
                None => bootstrap.interval(truth, &predicted, classes, metric),
            }
        };
        let statistic = |of: &dyn Fn(&[usize]) -> f64| {
            let interval = match &groups {
                Some(groups) => bootstrap.grouped_statistic(groups, of)?,
                None => Some(bootstrap.statistic(truth.len(), of)?),
            };
            Ok::<_, MetricError>(interval.map(|i| Interval { low: i.low.max(0.0), high: i.high.min(1.0), ..i }))
        };
        let count = |indices: &[usize], is: &dyn Fn(usize) -> bool| indices.iter().filter(|&&i| is(i)).count() as f64;
        let given = |i: usize| answers[i].given;
        let given_right = |i: usize| answers[i].given && answers[i].label == truth[i];
        let right_of_given = |indices: &[usize]| count(indices, &given_right) / count(indices, &given);
        let confidence: Vec<f64> = answers.iter().map(|a| a.confidence).collect();
        let correct: Vec<bool> = truth.iter().zip(&predicted).map(|(t, p)| t == p).collect();
        Ok(Self {
            data,
            utterances: truth.len(),
            uar: interval(Confusion::uar)?,
            war: interval(Confusion::war)?,
            intervals_over: if numbers.len() < FEWEST_GROUPS { "utterances" } else { "speakers" },
            number_of_speakers: groups.is_some().then_some(numbers.len()),
            recall: confusion.per_class().iter().map(|c| (c.support > 0).then_some(c.recall)).collect(),
            confusion: confusion.matrix().to_vec(),
            speakers: numbers
                .keys()
                .map(|name| speaker(name, scores, &predicted, classes))
                .collect::<Result<_, _>>()?,
            calibrated,
            ece,
            ece_interval: statistic(&|indices| calibration(scores, indices).map_or(f64::NAN, |c| c.ece))?,
            bins,
            answers: Given {
                answered,
                right,
                coverage: answered as f64 / truth.len() as f64,
                coverage_interval: statistic(&|indices| count(indices, &given) / indices.len() as f64)?,
                accuracy: (answered > 0).then(|| right as f64 / answered as f64),
                accuracy_interval: if answered > 0 { statistic(&right_of_given)? } else { None },
            },
            abstain: calibrate::abstain_curve(&confidence, &correct),
        })
    }

    /// How often the answers are right, on what, in one sentence.
    pub fn recognition(&self) -> String {
        let over = match (self.intervals_over, self.number_of_speakers) {
            ("speakers", Some(n)) => format!("{n} speakers"),
            (_, Some(n)) => {
                format!("{} utterances, not over the {n} speakers, who are fewer than {FEWEST_GROUPS}", self.utterances)
            }
            _ => format!("{} utterances", self.utterances),
        };
        let present = self.recall.iter().flatten().count();
        let classes = match self.recall.len() {
            all if present < all => format!(", {present} of the {all} classes"),
            _ => String::new(),
        };
        format!(
            "{} utterances of {}{classes}: UAR {}, WAR {} (95 % intervals over {over}; another training is not in them)",
            self.utterances,
            self.data,
            percent_in(self.uar.estimate, Some(&self.uar)),
            percent_in(self.war.estimate, Some(&self.war)),
        )
    }

    /// How far confidences and threshold can be trusted, on what, in one sentence.
    pub fn trust(&self) -> String {
        let Given { answered, right, coverage, accuracy, .. } = self.answers;
        let rightly = accuracy.map_or_else(String::new, |accuracy| {
            format!(", {right} of these right ({})", percent_in(accuracy, self.answers.accuracy_interval.as_ref()))
        });
        let (fitted, judged) = match self.calibrated {
            Calibrated::Model => ("with the model's temperature and threshold", ""),
            Calibrated::CrossFitted => (
                "with temperature and threshold fitted on all folds but one and judged on that one",
                "; this judges how the model was made, not the model itself, which learned from everything",
            ),
        };
        let few = if self.ece_interval.is_none() { "; too few speakers for intervals" } else { "" };
        format!(
            "confidences on {}, {fitted}: expected calibration error {} ({BINS} bins), {answered} of {} answered ({}){rightly}\
             {few}{judged}",
            self.data,
            percent_in(self.ece, self.ece_interval.as_ref()),
            self.utterances,
            percent_in(coverage, self.answers.coverage_interval.as_ref()),
        )
    }

    /// The sentences for a model card, with the count of each bin.
    pub fn note(&self) -> String {
        let counts: Vec<String> = self.bins.iter().map(|bin| bin.count.to_string()).collect();
        format!("{}; {}; utterances in the bins: {}", self.recognition(), self.trust(), counts.join(" "))
    }

    /// For people.
    pub fn table(&self, labels: &[String]) -> String {
        let mut out = format!("{}\n{}\n", self.recognition(), self.trust());
        let mut table = plain();
        let header = ["".to_owned()].into_iter().chain(labels.iter().cloned());
        table.set_header(header.chain(["recall %".to_owned()]));
        for ((label, row), recall) in labels.iter().zip(&self.confusion).zip(&self.recall) {
            let counts = row.iter().map(ToString::to_string);
            table.add_row([format!("is {label}")].into_iter().chain(counts).chain([optional(*recall)]));
        }
        out.push_str(&format!("{}\n", output::table(right(table))));
        if !self.speakers.is_empty() {
            let mut table = plain();
            table.set_header(["speaker", "utterances", "UAR %", "WAR %"]);
            for s in &self.speakers {
                table.add_row([s.speaker.clone(), s.utterances.to_string(), percent(s.uar), percent(s.war)]);
            }
            out.push_str(&format!("{}\n", output::table(right(table))));
        }
        let mut table = plain();
        table.set_header(["confidence", "utterances", "mean confidence %", "right %"]);
        for bin in self.bins.iter().filter(|bin| bin.count > 0) {
            let span = format!("{:.3} to {:.3}", bin.low, bin.high);
            table.add_row([span, bin.count.to_string(), percent(bin.confidence), percent(bin.accuracy)]);
        }
        out.push_str(&format!("{}\n", output::table(right(table))));
        let mut table = plain();
        table.set_header(["confidence at least", "answers", "answered %", "of which right %"]);
        for p in shown(&self.abstain) {
            table.add_row([
                format!("{:.3}", p.threshold),
                p.answers.to_string(),
                percent(p.coverage),
                percent(p.accuracy),
            ]);
        }
        out.push_str(&output::table(right(table)));
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

/// A share as percent with one decimal.
pub fn percent(share: f64) -> String {
    format!("{:.1}", 100.0 * share)
}

/// As [`percent`]; `-` where there is none.
pub fn optional(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), percent)
}

/// A share with its interval.
pub fn percent_in(share: f64, interval: Option<&Interval>) -> String {
    let interval = interval.map_or_else(String::new, |i| format!(" [{}, {}]", percent(i.low), percent(i.high)));
    format!("{} %{interval}", percent(share))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Two utterances of each of `speakers` speakers, the second of each wrong; the first half of the speakers get answers.
    fn figures(speakers: Option<usize>) -> Figures {
        let n = 2 * speakers.unwrap_or(6);
        let truth: Vec<usize> = (0..n).map(|i| i % 2).collect();
        let answers: Vec<Answer> = (0..n)
            .map(|i| Answer { label: 0, confidence: if i < n / 2 { 0.9 } else { 0.6 }, given: i < n / 2 })
            .collect();
        let names: Vec<String> = (0..n).map(|i| format!("s{}", i / 2)).collect();
        let scores = Scores { truth: &truth, answers: &answers, speakers: speakers.map(|_| &names[..]) };
        Figures::of(&scores, 3, "calls".to_owned(), Calibrated::Model).unwrap()
    }

    #[test]
    fn intervals_are_over_speakers_where_there_are_five() {
        let six = figures(Some(6));
        assert_eq!((six.intervals_over, six.number_of_speakers), ("speakers", Some(6)));
        // Every speaker has one of two right: no speakers could have given another figure.
        assert_eq!((six.war.low, six.war.estimate, six.war.high), (0.5, 0.5, 0.5));
        assert!(six.recognition().contains("over 6 speakers"), "{}", six.recognition());
        assert!(six.recognition().starts_with("12 utterances of calls, 2 of the 3 classes: UAR 50.0 %"));
        let unknown = figures(None);
        assert_eq!((unknown.intervals_over, unknown.number_of_speakers), ("utterances", None));
        assert!(unknown.war.low < 0.5 && unknown.war.high > 0.5, "{:?}", unknown.war);
        assert!(unknown.ece_interval.is_some() && unknown.recognition().contains("over 12 utterances; another"));
        let four = figures(Some(4));
        assert_eq!((four.intervals_over, four.number_of_speakers), ("utterances", Some(4)));
        assert!(four.recognition().contains("over 8 utterances, not over the 4 speakers"), "{}", four.recognition());
        assert!(four.ece_interval.is_none() && four.answers.coverage_interval.is_none());
        assert!(four.trust().contains("too few speakers"), "{}", four.trust());
    }

    #[test]
    fn counts_stand_beside_shares() {
        let six = figures(Some(6));
        assert_eq!((six.answers.answered, six.answers.right, six.answers.accuracy), (6, 3, Some(0.5)));
        // Bins of 1/15: 0.6 is 9/15 and lies in the ninth, 0.9 in the fourteenth.
        let counts: Vec<usize> = six.bins.iter().map(|bin| bin.count).collect();
        assert_eq!(counts, [0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 6, 0]);
        // (6 |0.5 - 0.6| + 6 |0.5 - 0.9|) / 12
        assert!((six.ece - 0.25).abs() < 1e-12, "{}", six.ece);
        assert!(six.trust().contains("6 of 12 answered (50.0 %"), "{}", six.trust());
        assert!(six.trust().contains("3 of these right (50.0 % [50.0, 50.0])"), "{}", six.trust());
        // A class that no utterance is of has no recall.
        assert_eq!(six.recall, [Some(1.0), Some(0.0), None]);
        assert!(six.note().ends_with("utterances in the bins: 0 0 0 0 0 0 0 0 6 0 0 0 0 6 0"), "{}", six.note());
    }

    #[test]
    fn a_model_that_always_abstains_has_no_share_of_right_answers() {
        let answers = [Answer { label: 0, confidence: 0.4, given: false }; 3];
        let scores = Scores { truth: &[0, 0, 1], answers: &answers, speakers: None };
        let figures = Figures::of(&scores, 2, "calls".to_owned(), Calibrated::Model).unwrap();
        assert_eq!((figures.answers.answered, figures.answers.accuracy), (0, None));
        assert!(figures.trust().contains("0 of 3 answered (0.0 % [0.0, 0.0])"), "{}", figures.trust());
    }
}
