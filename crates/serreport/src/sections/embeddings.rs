//! Figure 3: embeddings of test utterances in the plane.

use serrun::Embedding;

use super::{Absent, Context, Trainings, note_absent, shown, trainings};
use crate::{
    document::{Block, Figure},
    figures::{Point, scatter},
    group::slug,
    tsne::{FEWEST, Settings, tsne},
};

pub fn blocks(context: &Context, absent: &mut Absent) -> Vec<Block> {
    let all = trainings(context);
    let total: usize = all.iter().map(|g| g.members.len()).sum();
    let have = all.iter().flat_map(|g| &g.members).filter(|(_, t)| !t.embeddings.is_empty()).count();
    note_absent(absent, "Figure 3", "embeddings.csv", have, total);
    let mut figures = Vec::new();
    for (group, i) in shown(&all, |t| !t.embeddings.is_empty()) {
        match figure(group, i) {
            Some(figure) => figures.push(figure),
            None => absent.push(format!(
                "Figure 3: {} has fewer than {FEWEST} embeddings of one fold, or rows of different lengths.",
                group.members[i].1.name
            )),
        }
    }
    if figures.is_empty() {
        return Vec::new();
    }
    let Settings { perplexity, steps, .. } = Settings::default();
    let text = format!(
        "t-SNE of g_drf, the vector before the classifier, of test utterances (Barnes-Hut, angle 0.2, perplexity {perplexity} or a third of the \
         utterances where that is less, {steps} steps, seeded with the training's seed). Each fold has a network of its own and so \
         a space of its own; the first fold of one training a corpus and network is shown. Distances between far groups mean nothing in such a drawing. The paper \
         shows the test part of an 8:2 division of CASIA."
    );
    vec![Block::Text(text), Block::Figures(figures)]
}

fn figure(group: &Trainings, i: usize) -> Option<Figure> {
    let (run, training) = group.members[i];
    let fold = training.embeddings.iter().map(|e| e.fold).min()?;
    let shown: Vec<&Embedding> = training.embeddings.iter().filter(|e| e.fold == fold).collect();
    let mut classes: Vec<String> = training.embeddings.iter().map(|e| e.label.clone()).collect();
    classes.sort();
    classes.dedup();
    let rows: Vec<&[f64]> = shown.iter().map(|e| e.values.as_slice()).collect();
    let seed = training.name.seed;
    let settings = Settings { seed, ..Settings::default() };
    let points: Vec<Point> = tsne(&rows, settings)?
        .into_iter()
        .zip(&shown)
        .map(|([x, y], e)| Point {
            class: classes.iter().position(|c| *c == e.label).unwrap_or(0),
            at: (x, y),
            right: e.label == e.predicted,
        })
        .collect();
    let right = points.iter().filter(|p| p.right).count();
    let title = group.title();
    let marks = group.unselected();
    Some(Figure {
        id: format!("figure3-{}", slug(&training.name.to_string())),
        caption: format!(
            "{title}: {} test utterances of fold {fold}, {right} of them recognised; perplexity {} (seed {seed}, {}).",
            points.len(),
            settings.perplexity_of(points.len()),
            run.name
        ),
        svg: scatter(&format!("t-SNE of embeddings, {title}"), &classes, &points, &marks),
        marks,
    })
}
