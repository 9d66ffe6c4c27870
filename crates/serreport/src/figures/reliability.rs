//! Reliability diagrams.

use sermetrics::Calibration;

use serrun::Mark;

use super::{plot::Plot, stamp};
use crate::svg::{Anchor, Svg};

/// The part that is right against the confidence, bin by bin, and below it how many utterances each bin holds.
pub fn reliability(label: &str, calibration: &Calibration, marks: &[Mark]) -> Svg {
    let (width, height) = (300.0, 330.0);
    let mut svg = Svg::new(width, height, label);
    stamp(&mut svg, width, marks);
    let unit = (0.0, 1.0);
    let plot = Plot { left: 46.0, top: 22.0, width: 240.0, height: 190.0, x: unit, y: unit };
    let most = calibration.bins.iter().map(|b| b.count).max().unwrap_or(1).max(1);
    let counts = Plot { top: 232.0, height: 56.0, y: (0.0, most as f64), ..plot };
    for tick in [0.0, 0.2, 0.4, 0.6, 0.8, 1.0] {
        let y = plot.at(0.0, tick).1;
        svg.line("grid", (plot.left, y), (plot.left + plot.width, y));
        svg.text("small", (plot.left - 5.0, y + 3.3), Anchor::End, &super::plot::label(tick));
    }
    for bin in calibration.bins.iter().filter(|b| b.count > 0) {
        let bar = |svg: &mut Svg, plot: Plot, class: &str, value: f64| {
            let ((x, y), (right, base)) = (plot.at(bin.low, value), plot.at(bin.high, 0.0));
            svg.rect(class, (x + 0.75, y), (right - x - 1.5, base - y), 1.0);
        };
        bar(&mut svg, plot, "bar c0", bin.accuracy);
        bar(&mut svg, counts, "bar c0", bin.count as f64);
        svg.point(1, plot.at(bin.confidence, bin.accuracy), 2.6, true);
    }
    svg.line("dash", plot.at(0.0, 0.0), plot.at(1.0, 1.0));
    svg.line("axis", (plot.left, plot.top), (plot.left, plot.top + plot.height));
    svg.line("axis", (plot.left, plot.top + plot.height), (plot.left + plot.width, plot.top + plot.height));
    svg.turned("", (12.0, plot.top + plot.height / 2.0), Anchor::Middle, -90, "part that is right");
    svg.text(
        "strong",
        (plot.left + 8.0, plot.top + 14.0),
        Anchor::Start,
        &format!("ECE {:.2} %", 100.0 * calibration.ece),
    );
    counts.x_axis(&mut svg, "confidence (largest probability)");
    svg.text("small", (plot.left - 5.0, counts.top + 6.0), Anchor::End, &most.to_string());
    svg.turned("small", (12.0, counts.top + counts.height / 2.0), Anchor::Middle, -90, "utterances");
    svg
}
