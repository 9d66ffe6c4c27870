//! Trained models of two systems on the same utterances: exact McNemar.

use std::collections::BTreeMap;

use sermetrics::{McNemar, holm, mcnemar};
use serrun::{Cell, Mark, Predictions, SIGNIFICANCE};

use super::{Absent, Context};
use crate::{
    document::{Block, Entry, Table, columns},
    group::{self, Group},
    run::Run,
};

/// Two systems on the test parts of one seed.
#[derive(Debug)]
struct Pair<'a> {
    groups: [&'a Group<'a>; 2],
    seed: u64,
    utterances: usize,
    test: McNemar,
    adjusted: f64,
}

pub fn blocks(context: &Context, absent: &mut Absent) -> Vec<Block> {
    let mut families: BTreeMap<_, Vec<&Group>> = BTreeMap::new();
    for group in context.groups.iter().filter(|g| g.first().target.is_none()) {
        families.entry((&group.first().corpus, group.comparable())).or_default().push(group);
    }
    let (mut rows, mut unlike) = (Vec::new(), Vec::new());
    for family in families.values() {
        let mut pairs: Vec<Pair> = Vec::new();
        for (i, &a) in family.iter().enumerate() {
            for &b in &family[i + 1..] {
                match pair([a, b]) {
                    Some(pair) => pairs.push(pair),
                    None => unlike.push(format!("{} and {}", a.title(), b.first().variant.title())),
                }
            }
        }
        let p: Vec<f64> = pairs.iter().map(|pair| pair.test.p).collect();
        for (pair, adjusted) in pairs.iter_mut().zip(holm(&p).unwrap_or_default()) {
            pair.adjusted = adjusted;
        }
        rows.extend(pairs.iter().map(|pair| pair.row(context)));
    }
    if rows.is_empty() {
        return Vec::new();
    }
    if !unlike.is_empty() {
        absent.push(format!(
            "Trained models side by side: no predictions.csv of the same utterances and folds for one seed of {}.",
            unlike.join("; ")
        ));
    }
    vec![Block::Table(table(rows))]
}

/// The first training that both have, with predictions of the same utterances in the same folds.
fn pair<'a>(groups: [&'a Group<'a>; 2]) -> Option<Pair<'a>> {
    groups[0].cells.iter().find_map(|&(run, cell)| {
        let &(other_run, other) =
            groups[1].cells.iter().find(|(_, c)| (c.seed, c.training_seed) == (cell.seed, cell.training_seed))?;
        let (a, b) = (predictions(run, cell)?, predictions(other_run, other)?);
        if a.labels != b.labels || a.rows.len() != b.rows.len() {
            return None;
        }
        let known: BTreeMap<&str, _> = b.rows.iter().map(|row| (row.id.as_str(), row)).collect();
        let (mut truth, mut first, mut second) = (Vec::new(), Vec::new(), Vec::new());
        for row in &a.rows {
            let same = known.get(row.id.as_str()).filter(|r| (r.fold, r.truth) == (row.fold, row.truth))?;
            truth.push(row.truth);
            first.push(row.predicted);
            second.push(same.predicted);
        }
        let test = mcnemar(&truth, &first, &second).ok()?;
        Some(Pair { groups, seed: cell.seed, utterances: truth.len(), test, adjusted: test.p })
    })
}

fn predictions<'a>(run: &'a Run, cell: &Cell) -> Option<&'a Predictions> {
    let training = run.trainings.iter().find(|t| t.name == cell.training())?;
    let tested = training.predictions.get(&cell.protocol)?.iter().find(|t| t.target.is_none())?;
    Some(&tested.predictions)
}

impl Pair<'_> {
    /// What the paired differences over folds allow one to say of the systems' WAR, where a run has them.
    fn over_folds(&self, context: &Context) -> String {
        let [a, b] = self.groups.map(Group::first);
        let found = context.comparisons.iter().find(|c| {
            let p = &c.paired;
            let systems = [&p.variant, &p.against];
            (systems == [&a.variant, &b.variant] || systems == [&b.variant, &a.variant])
                && (p.protocol, p.division) == (a.protocol, a.division)
                && self.groups.iter().any(|g| g.corpus() == c.corpus && g.first().variant == p.variant)
        });
        match found {
            Some(c) => {
                format!("{} against {}: {}", c.paired.variant.title(), c.paired.against.title(), c.paired.war.verdict())
            }
            None if self.groups.iter().any(|g| g.folds() < 2) => "a single fold: no interval".to_owned(),
            None => "not compared over folds in any run".to_owned(),
        }
    }

    fn row(&self, context: &Context) -> Vec<Entry> {
        let marks: Vec<Mark> = group::marks(&self.groups);
        let [a, b] = self.groups.map(|g| g.first().variant.title());
        let McNemar { only_a, only_b, p } = self.test;
        let said = match only_a.cmp(&only_b) {
            _ if self.adjusted >= SIGNIFICANCE => "cannot tell".to_owned(),
            std::cmp::Ordering::Greater => format!("{a} is right more often"),
            _ => format!("{b} is right more often"),
        };
        let count = |n: u64| Entry::number(n.to_string(), n, &marks);
        vec![
            Entry::text(self.groups[0].corpus()),
            Entry::text(self.groups[0].first().protocol.name()),
            Entry::text(format!("{a} and {b}")),
            Entry::text(self.seed.to_string()),
            Entry::number(self.utterances.to_string(), self.utterances, &[]),
            count(only_a),
            count(only_b),
            Entry::number(format!("{p:.4} ({:.4})", self.adjusted), vec![p, self.adjusted], &marks),
            Entry::text(said),
            Entry::text(self.over_folds(context)),
            group::origin(&self.groups),
        ]
    }
}

fn table(rows: Vec<Vec<Entry>>) -> Table {
    Table {
        id: "models".to_owned(),
        title: "Trained models on the same utterances: exact McNemar test of WAR".to_owned(),
        note: "Utterances that only one of two systems has right, over all folds of the first seed that both have. The test compares these trained models, not \
            the systems: of these, the column of the paired differences over folds (Table 3) speaks. p stands before (Holm's adjustment over the pairs of the \
            same corpus, protocol and setting in this table)."
            .to_owned(),
        columns: columns(&[
            "corpus",
            "protocol",
            "systems",
            "seed",
            "#n",
            "#only the first right",
            "#only the second right",
            "#p",
            "these models",
            "the systems, over folds",
            "run",
        ]),
        rows,
    }
}
