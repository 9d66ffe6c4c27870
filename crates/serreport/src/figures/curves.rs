//! Figure 2: a figure of merit against the epoch, mean and spread over folds.

use serrun::Mark;

use super::{plot::Plot, plot::range, stamp};
use crate::svg::{Anchor, Svg};

/// One line: its name, then (epoch, mean, standard deviation over folds).
#[derive(Debug)]
pub struct Curve {
    pub name: &'static str,
    pub points: Vec<(f64, f64, f64)>,
}

/// Lines with bands of one standard deviation; `top` is the upper end of the axis where it is known.
pub fn curves(title: &str, y_title: &str, curves: &[Curve], top: Option<f64>, marks: &[Mark]) -> Svg {
    let (width, height) = (360.0, 250.0);
    let all = || curves.iter().flat_map(|c| c.points.iter());
    let (_, high) = range(all().flat_map(|(_, m, s)| [m - s, m + s]));
    let (low_x, high_x) = all().fold((f64::INFINITY, 1.0f64), |(l, h), p| (l.min(p.0), h.max(p.0)));
    let y = (0.0, top.unwrap_or(high).max(0.0));
    let plot = Plot { left: 46.0, top: 34.0, width: 302.0, height: 172.0, x: (low_x.min(high_x - 1.0), high_x), y };
    let mut svg = Svg::new(width, height, format!("{title}: {y_title} against the epoch"));
    stamp(&mut svg, width, marks);
    plot.axes(&mut svg, "epoch", y_title);
    let clamp = |v: f64| v.clamp(y.0, y.1);
    for (i, curve) in curves.iter().enumerate() {
        let upper = curve.points.iter().map(|(x, m, s)| plot.at(*x, clamp(m + s)));
        let lower = curve.points.iter().rev().map(|(x, m, s)| plot.at(*x, clamp(m - s)));
        svg.path(&format!("band c{i}"), upper.chain(lower), true);
    }
    for (i, curve) in curves.iter().enumerate() {
        let broken = if i == 0 { " broken" } else { "" };
        if let [(x, m, _)] = curve.points[..] {
            svg.point(i, plot.at(x, clamp(m)), 3.0, true);
        }
        svg.path(&format!("curve c{i}{broken}"), curve.points.iter().map(|(x, m, _)| plot.at(*x, clamp(*m))), false);
        let x = plot.left + 8.0 + 86.0 * i as f64;
        svg.path(&format!("curve c{i}{broken}"), [(x, 22.0), (x + 22.0, 22.0)], false);
        svg.text("", (x + 27.0, 25.5), Anchor::Start, curve.name);
    }
    svg
}
