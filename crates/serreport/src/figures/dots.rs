//! Values with their spread, one row or column each: fusion weights, paired differences, recall of speakers.

use serrun::Mark;

use super::{plot::Plot, plot::range, stamp};
use crate::svg::{Anchor, Svg};

/// A value and its interval.
#[derive(Debug, Clone, Copy)]
pub struct Dot {
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

/// A named row with the values that it summarises.
#[derive(Debug)]
pub struct Row {
    pub name: String,
    pub dot: Dot,
    /// Single values, drawn small.
    pub values: Vec<f64>,
}

/// Rows from top to bottom over one axis; a line at `reference`.
pub fn dots(label: &str, axis: &str, rows: &[Row], reference: f64, marks: &[Mark]) -> Svg {
    let longest = rows.iter().map(|r| r.name.chars().count()).max().unwrap_or(0) as f64;
    let left = (12.0 + 5.8 * longest).min(170.0);
    let (width, step, top) = (360.0, 20.0, 20.0);
    let height = top + step * rows.len() as f64 + 40.0;
    let mut svg = Svg::new(width, height, label);
    stamp(&mut svg, width, marks);
    let all = rows.iter().flat_map(|r| r.values.iter().copied().chain([r.dot.low, r.dot.high, reference]));
    let plot =
        Plot { left, top, width: width - left - 14.0, height: step * rows.len() as f64, x: range(all), y: (0.0, 1.0) };
    plot.x_axis(&mut svg, axis);
    let zero = plot.at(reference, 0.0).0;
    svg.line("dash", (zero, top), (zero, top + plot.height));
    for (i, row) in rows.iter().enumerate() {
        let y = top + step * (i as f64 + 0.5);
        svg.text("small", (left - 6.0, y + 3.3), Anchor::End, &row.name);
        svg.line("grid", (left, y), (left + plot.width, y));
        for v in &row.values {
            svg.point(0, (plot.at(*v, 0.0).0, y), 2.0, false);
        }
        let [low, high] = [row.dot.low, row.dot.high].map(|v| plot.at(v, 0.0).0);
        svg.path("curve c1", [(low, y), (high, y)], false);
        svg.point(3, (plot.at(row.dot.value, 0.0).0, y), 4.0, true);
    }
    svg
}
