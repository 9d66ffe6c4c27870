//! The sections of a report.

mod agreement;
mod classes;
mod curves;
mod details;
mod diagnostics;
mod embeddings;
mod reading;
mod runs;
mod speakers;
mod table1;
mod table2;
mod table3;

use crate::{
    document::{Block, Document, Section},
    group::Group,
    published::Published,
    run::Run,
    training::Training,
};

/// What every section is made from.
#[derive(Debug)]
pub struct Context<'a> {
    pub runs: &'a [Run],
    pub groups: Vec<Group<'a>>,
    pub published: Published,
}

/// Trainings that differ by their seed alone.
#[derive(Debug)]
pub struct Trainings<'a> {
    pub stem: &'a str,
    pub synthetic: bool,
    pub members: Vec<(&'a Run, &'a Training)>,
}

/// What a section could not show, and why.
pub type Absent = Vec<String>;

/// The report over all runs, and what is not in it.
pub fn document(runs: &[Run]) -> (Document, Absent) {
    let context = Context { runs, groups: Group::all(runs), published: Published::of(runs) };
    let mut absent = Vec::new();
    if runs.iter().all(|r| r.published.is_none()) {
        absent.push("Published figures: no run has published.json.".to_owned());
    }
    let mut sections = vec![runs::section(&context, &mut absent), agreement::section(&context)];
    let parts: [fn(&Context, &mut Absent) -> Vec<Block>; 9] = [
        table1::blocks,
        table2::blocks,
        table3::blocks,
        curves::blocks,
        embeddings::blocks,
        classes::blocks,
        diagnostics::network,
        diagnostics::calibration,
        speakers::blocks,
    ];
    let titles = [
        ("table-1", "Table 1: recognition within a corpus"),
        ("table-2", "Table 2: recognition across corpora"),
        ("table-3", "Table 3: ablation"),
        ("figure-2", "Figure 2: learning curves"),
        ("figure-3", "Figure 3: embeddings"),
        ("confusion", "Confusion matrices"),
        ("network", "Fusion weights and attention"),
        ("calibration", "Calibration"),
        ("speakers", "Speakers"),
    ];
    for ((id, title), part) in titles.into_iter().zip(parts) {
        let blocks = part(&context, &mut absent);
        if !blocks.is_empty() {
            sections.push(Section { id, title, blocks });
        }
    }
    sections.push(reading::section());
    if !absent.is_empty() {
        let blocks = vec![Block::List(absent.clone())];
        sections.push(Section { id: "absent", title: "What is not here", blocks });
    }
    let mut document = Document { title: title(runs), warnings: warnings(&context), sections };
    document.make_ids_unique();
    (document, absent)
}

fn title(runs: &[Run]) -> String {
    let mut experiments: Vec<&str> = runs.iter().map(|r| r.metrics.experiment.as_str()).collect();
    experiments.sort_unstable();
    experiments.dedup();
    format!("TIM-Net reproduced: {}", experiments.join(", "))
}

fn warnings(context: &Context) -> Vec<String> {
    let mut out = Vec::new();
    let synthetic: Vec<&str> = context.runs.iter().filter(|r| r.metrics.synthetic).map(|r| r.name.as_str()).collect();
    if synthetic.len() == context.runs.len() {
        out.push(
            "Synthetic data. A program made all recordings that this report is about; its figures show that the pipeline \
             runs and say nothing about any corpus."
                .to_owned(),
        );
    } else if !synthetic.is_empty() {
        out.push(format!(
            "Synthetic data. A program made the recordings of {}; those figures are marked and say nothing about any corpus.",
            synthetic.join(", ")
        ));
    }
    if context.groups.iter().any(|g| g.marks().contains(&crate::document::Mark::Optimistic)) {
        out.push(
            "Optimistic figures. The protocol best-epoch selects the epoch on the test fold; its figures are marked and \
             are no estimate for new data."
                .to_owned(),
        );
    }
    out
}

/// The trainings of all runs in groups, TIM-Net first.
fn trainings<'a>(runs: &'a [Run]) -> Vec<Trainings<'a>> {
    let mut out: Vec<(String, Trainings)> = Vec::new();
    for run in runs {
        let (setting, synthetic) = (run.setting(), run.metrics.synthetic);
        for training in &run.trainings {
            let stem = training.stem();
            match out.iter_mut().find(|(s, g)| *s == setting && g.stem == stem && g.synthetic == synthetic) {
                Some((_, group)) if group.members.iter().any(|(_, t)| t.name == training.name) => {}
                Some((_, group)) => group.members.push((run, training)),
                None => out.push((setting.clone(), Trainings { stem, synthetic, members: vec![(run, training)] })),
            }
        }
    }
    out.sort_by(|(_, a), (_, b)| crate::names::training_order(a.stem).cmp(&crate::names::training_order(b.stem)));
    out.into_iter().map(|(_, group)| group).collect()
}

impl Trainings<'_> {
    /// For captions: "seed 46" or "seeds 46, 47", and the runs.
    fn origin(&self) -> String {
        let seeds: Vec<String> = self
            .members
            .iter()
            .filter_map(|(_, t)| crate::names::split_seed(&t.name).1)
            .map(|s| s.to_string())
            .collect();
        let mut runs: Vec<&str> = self.members.iter().map(|(r, _)| r.name.as_str()).collect();
        runs.dedup();
        let seeds = match seeds.len() {
            0 => String::new(),
            1 => format!("seed {}, ", seeds[0]),
            _ => format!("seeds {}, ", seeds.join(", ")),
        };
        format!("{seeds}{}", runs.join(", "))
    }

    /// For data files.
    fn commands(&self) -> Vec<String> {
        let mut commands: Vec<String> = self.members.iter().map(|(r, _)| r.command()).collect();
        commands.dedup();
        commands
    }

    fn marks(&self, protocol: &str) -> Vec<crate::document::Mark> {
        crate::published::marks(protocol, self.synthetic)
    }
}

/// Notes files that some trainings have and others lack, or none has.
fn note_absent(absent: &mut Absent, what: &str, file: &str, have: usize, all: usize) {
    if have == 0 {
        absent.push(format!("{what}: no training folder has {file}."));
    } else if have < all {
        absent.push(format!("{what}: {have} of {all} training folders have {file}; the others are not shown."));
    }
}

/// One training for each corpus and network, of those that have what is asked for: the hold-out, else random folds, else
/// another; the first seed. As group and member.
fn shown<'a, 'b>(all: &'b [Trainings<'a>], has: impl Fn(&Training) -> bool) -> Vec<(&'b Trainings<'a>, usize)> {
    let mut out: Vec<(String, usize, &Trainings, usize)> = Vec::new();
    for group in all {
        let Some(member) = group.members.iter().position(|(_, t)| has(t)) else { continue };
        let rank = crate::names::division_rank(group.stem);
        let key = format!("{}, {}", crate::names::corpus_and_network(group.stem), group.synthetic);
        match out.iter_mut().find(|(k, ..)| *k == key) {
            Some(kept) if kept.1 <= rank => {}
            Some(kept) => *kept = (key, rank, group, member),
            None => out.push((key, rank, group, member)),
        }
    }
    out.into_iter().map(|(_, _, group, member)| (group, member)).collect()
}
