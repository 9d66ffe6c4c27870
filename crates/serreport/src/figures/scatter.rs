//! Figure 3: points of several classes in a plane without units.

use serrun::Mark;

use super::{plot::Plot, plot::range, stamp};
use crate::svg::{Anchor, SHAPES, Svg};

/// A point: which class it is of, where, and whether it was recognised.
#[derive(Debug, Clone, Copy)]
pub struct Point {
    pub class: usize,
    pub at: (f64, f64),
    pub right: bool,
}

/// Draws the points, filled where recognised and hollow where not, with a legend of the classes.
pub fn scatter(label: &str, classes: &[String], points: &[Point], marks: &[Mark]) -> Svg {
    let legend = classes.len().div_ceil(4) as f64;
    let (width, side) = (360.0, 332.0);
    let height = 24.0 + side + 10.0 + 17.0 * (legend + 1.0);
    let mut svg = Svg::new(width, height, label);
    stamp(&mut svg, width, marks);
    let (x, y) = (range(points.iter().map(|p| p.at.0)), range(points.iter().map(|p| p.at.1)));
    let plot = Plot { left: 14.0, top: 18.0, width: side, height: side, x, y };
    svg.rect("frame", (plot.left, plot.top), (plot.width, plot.height), 1.0);
    let r = if points.len() > 400 { 2.4 } else { 3.6 };
    for p in points {
        svg.point(p.class, plot.at(p.at.0, p.at.1), r, p.right);
    }
    let foot = plot.top + side + 18.0;
    for (i, name) in classes.iter().enumerate() {
        let at = (plot.left + 8.0 + 84.0 * (i % 4) as f64, foot + 17.0 * (i / 4) as f64);
        svg.point(i % SHAPES, (at.0, at.1 - 3.5), 4.0, true);
        svg.text("", (at.0 + 9.0, at.1), Anchor::Start, name);
    }
    let note = "filled: recognised; hollow: taken for another class";
    svg.text("small soft", (plot.left, foot + 17.0 * legend), Anchor::Start, note);
    svg
}
