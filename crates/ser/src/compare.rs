//! `ser compare`: whether one trained model is better than another.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::Serialize;
use sermetrics::{Bootstrap, Confusion, FEWEST_GROUPS, Interval, McNemar, MetricError};
use sermodel::Model;
use serrun::SIGNIFICANCE;

use crate::{
    corpus,
    failure::{Failure, Result},
    figures::{self, percent_in},
    labelled::{self, Test},
    lookup, output, parts,
};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ser compare calls.safetensors builtin test-calls/ --map stressed=angry
  ser compare old.safetensors new.safetensors test.csv --json

Both models answer for the same recordings, those of the test where a list has a column `split`. Intervals are of resamples in
which both are scored on the same recordings, over speakers where five or more are known; McNemar's exact test looks at the recordings
that only one of them has right. It compares these two trained models, not two ways of training: another training of either is
another model.")]
pub struct Compare {
    /// A model file, or `builtin`.
    #[arg(value_name = "A")]
    a: PathBuf,
    /// Another.
    #[arg(value_name = "B")]
    b: PathBuf,
    #[command(flatten)]
    root: corpus::Root,
    #[command(flatten)]
    split: parts::Split,
    /// The recordings' label A is the models' label B; may be repeated.
    #[arg(long, value_name = "A=B", value_parser = corpus::pair)]
    map: Vec<(String, String)>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// What a model is worth, or by how much one exceeds the other.
#[derive(Clone, Copy, Debug, Serialize)]
struct Worth {
    uar: Interval,
    war: Interval,
}

#[derive(Debug, Serialize)]
struct Comparison {
    data: String,
    utterances: usize,
    /// `speakers` or `utterances`.
    intervals_over: &'static str,
    a: Worth,
    b: Worth,
    /// A less B.
    difference: Worth,
    mcnemar: McNemar,
}

/// Compares the models.
///
/// # Errors
/// A model or recordings that can't be used; a label that one of them does not know.
pub fn run(args: &Compare) -> Result<()> {
    let models = [lookup::load(&args.a)?, lookup::load(&args.b)?];
    let corpus = labelled::corpus_of(&args.root, &args.split)?;
    // The classes of both, by name.
    let mut classes: Vec<&String> = Vec::new();
    for label in models.iter().flat_map(Model::labels) {
        if !classes.contains(&label) {
            classes.push(label);
        }
    }
    let place =
        |model: &Model, class: usize| classes.iter().position(|c| **c == model.labels()[class]).unwrap_or_default();
    let mut said = Vec::new();
    let mut speakers = None;
    for (model, path) in models.iter().zip([&args.a, &args.b]) {
        let truth = labelled::truth(model, &corpus, &args.map);
        let truth = truth.map_err(|failure| match failure {
            Failure::Input(message) => Failure::Input(format!("{}: {message}", path.display())),
            other => other,
        })?;
        let test = Test { truth, model, corpus: &corpus };
        let answers = test.each(|samples, _, _| labelled::answer(model, samples))?;
        let named = |all: &mut dyn Iterator<Item = usize>| all.map(|class| place(model, class)).collect::<Vec<usize>>();
        said.push((named(&mut test.truth.iter().copied()), named(&mut answers.iter().map(|answer| answer.label))));
        speakers = test.speakers();
    }
    let [(truth, a), (other, b)] = [said.remove(0), said.remove(0)];
    if let Some(i) = (0..truth.len()).find(|&i| truth[i] != other[i]) {
        let (id, one, two) = (&corpus.utterances[i].id, classes[truth[i]], classes[other[i]]);
        return Err(Failure::Input(format!(
            "{id} is `{one}` to the first model and `{two}` to the second; write both labels the same"
        )));
    }
    let compared = compare(corpus.name.clone(), (&truth, &a, &b), classes.len(), speakers.as_deref());
    let compared = compared.map_err(Failure::work)?;
    if args.json { output::print_json(&compared) } else { output::print(&text(&compared, &args.a, &args.b)) }
}

fn compare(
    data: String,
    (truth, a, b): (&[usize], &[usize], &[usize]),
    classes: usize,
    speakers: Option<&[String]>,
) -> std::result::Result<Comparison, MetricError> {
    let bootstrap = Bootstrap::default();
    let mut numbers = BTreeMap::new();
    let groups = speakers.map(|all| figures::numbered(all, &mut numbers)).filter(|_| numbers.len() >= FEWEST_GROUPS);
    let worth = |of: &dyn Fn(fn(&Confusion) -> f64) -> std::result::Result<Interval, MetricError>| {
        Ok::<_, MetricError>(Worth { uar: of(Confusion::uar)?, war: of(Confusion::war)? })
    };
    let alone = |said: &[usize], metric: fn(&Confusion) -> f64| {
        let grouped =
            groups.as_ref().map(|g| bootstrap.grouped_interval(truth, said, g, classes, metric)).transpose()?;
        grouped.flatten().map_or_else(|| bootstrap.interval(truth, said, classes, metric), Ok)
    };
    let paired = |metric: fn(&Confusion) -> f64| {
        let grouped =
            groups.as_ref().map(|g| bootstrap.paired_grouped_interval(truth, a, b, g, classes, metric)).transpose()?;
        grouped.flatten().map_or_else(|| bootstrap.paired_interval(truth, a, b, classes, metric), Ok)
    };
    Ok(Comparison {
        data,
        utterances: truth.len(),
        intervals_over: if groups.is_some() { "speakers" } else { "utterances" },
        a: worth(&|metric| alone(a, metric))?,
        b: worth(&|metric| alone(b, metric))?,
        difference: worth(&paired)?,
        mcnemar: sermetrics::mcnemar(truth, a, b)?,
    })
}

fn text(compared: &Comparison, a: &Path, b: &Path) -> String {
    let mut table = figures::plain();
    table.set_header(["", "UAR", "WAR"]);
    let rows = [
        (format!("A: {}", a.display()), compared.a),
        (format!("B: {}", b.display()), compared.b),
        ("A - B".to_owned(), compared.difference),
    ];
    for (name, Worth { uar, war }) in rows {
        table.add_row([name, percent_in(uar.estimate, Some(&uar)), percent_in(war.estimate, Some(&war))]);
    }
    let McNemar { only_a, only_b, p } = compared.mcnemar;
    let verdict = match p {
        p if p >= SIGNIFICANCE => "chance alone would do that".to_owned(),
        _ => format!("{} is right more often than chance would have it", if only_a > only_b { "A" } else { "B" }),
    };
    format!(
        "{}\n{} utterances of {}, 95 % intervals over {}. Only A is right on {only_a}, only B on {only_b}: McNemar's exact test gives \
         p = {p:.3}, {verdict}. This compares two trained models, not two ways of training: another training of either may differ.",
        output::table(table),
        compared.utterances,
        compared.data,
        compared.intervals_over,
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// p = scipy.stats.binomtest(2, 12).pvalue
    #[test]
    fn two_models_on_the_same_recordings() {
        let truth: Vec<usize> = (0..40).map(|i| i % 2).collect();
        let wrong = |which: std::ops::Range<usize>| -> Vec<usize> {
            truth.iter().enumerate().map(|(i, t)| if which.contains(&i) { 1 - t } else { *t }).collect()
        };
        let (a, b) = (wrong(0..2), wrong(2..12));
        let compared = compare("x".into(), (&truth, &a, &b), 2, None).unwrap();
        let McNemar { only_a, only_b, p } = compared.mcnemar;
        assert!((only_a, only_b) == (10, 2) && (p - 0.038574218750000014).abs() < 1e-12, "{p}");
        assert!((compared.difference.war.estimate - 0.2).abs() < 1e-12);
        assert!(compared.difference.war.low > 0.0 && compared.difference.war.high < 0.4);
        let said = text(&compared, Path::new("a"), Path::new("b"));
        for part in
            ["Only A is right on 10, only B on 2", "p = 0.039, A is right more often", "compares two trained models"]
        {
            assert!(said.contains(part), "{said}");
        }
        let speakers: Vec<String> = (0..40).map(|i| format!("s{}", i % 8)).collect();
        assert_eq!(compare("x".into(), (&truth, &a, &b), 2, Some(&speakers)).unwrap().intervals_over, "speakers");
        let one = vec!["s".to_owned(); 40];
        assert_eq!(compare("x".into(), (&truth, &a, &b), 2, Some(&one)).unwrap().intervals_over, "utterances");
    }
}
