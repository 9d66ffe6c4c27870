//! The sections of a report.

mod agreement;
mod classes;
mod curves;
mod details;
mod diagnostics;
mod embeddings;
mod leakage;
mod reading;
mod runs;
mod speakers;
mod systems;
mod table1;
mod table2;
mod table3;

use std::collections::BTreeMap;

use table3::Compared;

use serrun::{Mark, Protocol, TrainingName};

use crate::{
    document::{Block, Document, Section},
    error::Result,
    group::Group,
    names,
    published::Paper,
    run::Run,
    setting::Setting,
    training::Training,
};

/// What every section is made from.
#[derive(Debug)]
pub struct Context<'a> {
    pub runs: &'a [Run],
    pub groups: Vec<Group<'a>>,
    pub comparisons: Vec<Compared<'a>>,
    pub published: Paper<'a>,
    /// Share around a published figure within which ours agrees with it.
    pub margin: f64,
}

/// Trainings that differ by their seeds alone.
#[derive(Debug)]
pub struct Trainings<'a> {
    /// One of them.
    pub name: &'a TrainingName,
    pub synthetic: bool,
    pub members: Vec<(&'a Run, &'a Training)>,
    /// The runs that have a training of the same setting and seed, which counts in no figure.
    repeats: Vec<&'a Run>,
    /// Marks of the cells that the trainings gave, by protocol.
    marks: BTreeMap<Protocol, Vec<Mark>>,
    /// What sets them apart from others of this name.
    apart: String,
}

/// What a section could not show, and why.
pub type Absent = Vec<String>;

/// The report over all runs, and what is not in it.
///
/// # Errors
/// A run whose files contradict one another.
pub fn document(runs: &[Run], margin: f64) -> Result<(Document, Absent)> {
    let groups = Group::all(runs)?;
    let comparisons = table3::comparisons(runs, &groups)?;
    let context = Context { runs, groups, comparisons, published: Paper::of(runs), margin };
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
    if !absent.is_empty() {
        let blocks = vec![Block::List(absent.clone())];
        sections.push(Section { id: "absent", title: "What is not here", blocks });
    }
    let mut document = Document { title: title(runs), warnings: warnings(&context), sections };
    let reading = reading::section(&document.marks());
    let place = document.sections.iter().position(|s| s.id == "absent").unwrap_or(document.sections.len());
    document.sections.insert(place, reading);
    document.make_ids_unique();
    Ok((document, absent))
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
    let has = |mark: Mark| context.groups.iter().any(|g| g.marks().contains(&mark));
    if has(Mark::PartialCorpus) {
        out.push(
            "Partial corpora. Recordings of a corpus are missing; figures made from it are marked, and are compared with no \
             published figure."
                .to_owned(),
        );
    }
    if has(Mark::Optimistic) {
        out.push(
            "Optimistic figures. The protocol best-epoch selects the epoch on the test fold; its figures are marked and \
             are no estimate for new data."
                .to_owned(),
        );
    }
    out
}

/// The trainings of all runs in groups, TIM-Net first.
fn trainings<'a>(context: &'a Context<'a>) -> Vec<Trainings<'a>> {
    let mut out: Vec<(Option<&Setting>, Trainings)> = Vec::new();
    for run in context.runs {
        for training in &run.trainings {
            let of_it = |r: &Run, name: TrainingName| r.index == run.index && name == training.name;
            let of = context.groups.iter().find(|g| {
                g.cells.iter().any(|(r, c)| of_it(r, c.training()))
                    || g.repeats.iter().any(|repeat| of_it(repeat.run, repeat.cell.training()))
            });
            let setting = of.map(|g| &g.setting);
            let found =
                out.iter().position(|(s, t)| s.is_some() && *s == setting && t.name.stem() == training.name.stem());
            let place = found.unwrap_or_else(|| {
                let apart = of.map(Group::apart).unwrap_or_default();
                let (members, repeats, marks) = Default::default();
                let synthetic = run.metrics.synthetic;
                out.push((setting, Trainings { name: &training.name, synthetic, members, repeats, marks, apart }));
                out.len() - 1
            });
            let group = &mut out[place].1;
            if group.members.iter().any(|(_, t)| t.name == training.name) {
                group.repeats.push(run);
                continue;
            }
            group.members.push((run, training));
            for cell in run.metrics.cells.iter().filter(|c| c.training() == training.name) {
                let marks = group.marks.entry(cell.protocol).or_default();
                *marks = Mark::sorted(marks.iter().chain(&cell.marks).copied());
            }
        }
    }
    out.sort_by_key(|(_, trainings)| names::training_order(trainings.name));
    out.into_iter().map(|(_, group)| group).collect()
}

impl Trainings<'_> {
    /// "EMODB, TIM-Net, random folds", with what sets it apart.
    fn title(&self) -> String {
        crate::group::with_apart(&names::training(self.name), &self.apart)
    }

    /// For captions: "seed 46" or "seeds 46, 47", and the runs.
    fn origin(&self) -> String {
        let seed = |name: &TrainingName| {
            let training = name.training_seed.map_or_else(String::new, |t| format!(" training {t}"));
            format!("{}{training}", name.seed)
        };
        let seeds: Vec<String> = self.members.iter().map(|(_, t)| seed(&t.name)).collect();
        let distinct = |runs: &mut dyn Iterator<Item = &Run>| {
            let mut names: Vec<String> = runs.map(|r| r.name.clone()).collect();
            names.dedup();
            names.join(", ")
        };
        let seeds = match seeds.len() {
            1 => format!("seed {}, ", seeds[0]),
            _ => format!("seeds {}, ", seeds.join(", ")),
        };
        let again = match self.repeats.is_empty() {
            true => String::new(),
            false => format!("; again in {}, not counted", distinct(&mut self.repeats.iter().copied())),
        };
        format!("{seeds}{}{again}", distinct(&mut self.members.iter().map(|(r, _)| *r)))
    }

    /// For data files.
    fn commands(&self) -> Vec<String> {
        let mut commands: Vec<String> = self.members.iter().map(|(r, _)| r.command()).collect();
        commands.dedup();
        commands
    }

    /// What has to be said at figures of a protocol.
    fn marks(&self, protocol: Protocol) -> Vec<Mark> {
        self.marks.get(&protocol).cloned().unwrap_or_else(|| self.unselected())
    }

    /// What has to be said at figures that depend on no choice of an epoch.
    fn unselected(&self) -> Vec<Mark> {
        let own = self.marks.values().flatten().copied().filter(|m| *m != Mark::Optimistic);
        Mark::sorted(own.chain(self.synthetic.then_some(Mark::Synthetic)))
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
        let rank = names::division_rank(group.name.division);
        let (corpus, system) = (&group.name.corpus, &group.name.system);
        let key = format!("{corpus} {system}, {}, {}", group.synthetic, group.apart);
        match out.iter_mut().find(|(k, ..)| *k == key) {
            Some(kept) if kept.1 <= rank => {}
            Some(kept) => *kept = (key, rank, group, member),
            None => out.push((key, rank, group, member)),
        }
    }
    out.into_iter().map(|(_, _, group, member)| (group, member)).collect()
}
