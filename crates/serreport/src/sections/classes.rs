//! Confusion matrices.

use super::{Absent, Context};
use crate::{
    document::{Block, Figure},
    figures::confusion,
    group::{Group, origin},
};

pub fn blocks(context: &Context, absent: &mut Absent) -> Vec<Block> {
    let mut within: Vec<&Group> = context.groups.iter().filter(|g| g.first().target.is_none()).collect();
    within.sort_by_key(|g| (!g.first().variant.is_tim_net(), g.first().protocol));
    let figures: Vec<Figure> = within.iter().filter_map(|g| figure(g)).collect();
    if figures.len() < within.len() {
        absent.push(format!(
            "Confusion matrices: {} of {} cells have none.",
            within.len() - figures.len(),
            within.len()
        ));
    }
    if figures.is_empty() {
        return Vec::new();
    }
    let text = "Predictions of all folds (and seeds) together: the number of utterances, and below it the part of the row, which is the \
        recall on the diagonal. Pairs of corpora (Table 2) are not drawn.";
    vec![Block::Text(text.to_owned()), Block::Figures(figures)]
}

fn figure(group: &Group) -> Option<Figure> {
    let counts = group.confusion()?;
    let marks = group.marks();
    let title = group.title();
    let mut seeds: Vec<String> = group.cells.iter().map(|(_, c)| c.seed.to_string()).collect();
    seeds.dedup();
    let plural = if seeds.len() == 1 { "" } else { "s" };
    Some(Figure {
        id: format!("confusion-{}", group.slug()),
        caption: format!(
            "{title}: {} predictions, {} folds, seed{plural} {} ({}).",
            counts.total(),
            group.folds(),
            seeds.join(", "),
            origin(&[group]).text
        ),
        svg: confusion(&format!("Confusion matrix, {title}"), &group.labels(), &counts, &marks),
        marks,
    })
}
