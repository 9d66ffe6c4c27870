//! What each block lets through, over time.

use std::collections::BTreeMap;

use serrun::Mark;

use super::{plot::Plot, stamp};
use crate::svg::{Anchor, Rect, Svg};

/// Columns at most; longer utterances are averaged over neighbouring frames.
const COLUMNS: usize = 220;
/// Shades; neighbours of one shade are one rectangle.
const SHADES: f64 = 40.0;

/// `attention` is `[blocks][frames]`, shaded from its least to its largest value.
pub fn attention(label: &str, attention: &[Vec<f64>], hop_seconds: f64, marks: &[Mark]) -> Svg {
    let frames = attention.first().map_or(0, Vec::len);
    let (low, high) =
        attention.iter().flatten().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(*v), h.max(*v)));
    let (left, top, wide, tall) = (46.0, 40.0, 302.0, 16.0);
    let height = tall * attention.len() as f64;
    let mut svg = Svg::new(360.0, top + height + 36.0, label);
    stamp(&mut svg, 360.0, marks);
    let seconds = frames as f64 * hop_seconds;
    let plot = Plot { left, top, width: wide, height, x: (0.0, seconds), y: (0.0, 1.0) };
    // By shade: one element for all fields of one shade.
    let mut parts: BTreeMap<u32, Vec<Rect>> = BTreeMap::new();
    let group = frames.div_ceil(COLUMNS).max(1);
    for (i, block) in attention.iter().enumerate() {
        // The last block, which sees farthest, is at the top.
        let y = top + tall * (attention.len() - 1 - i) as f64;
        svg.text("small", (left - 5.0, y + tall / 2.0 + 3.3), Anchor::End, &(i + 1).to_string());
        let shade = |values: &[f64]| {
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            (SHADES * if high > low { (mean - low) / (high - low) } else { 0.5 }).round()
        };
        let shades: Vec<f64> = block.chunks(group).map(shade).collect();
        let mut start = 0;
        for run in shades.chunk_by(|a, b| a == b) {
            let end = start + run.len();
            let edge = |column: usize| plot.at((column * group).min(frames) as f64 * hop_seconds, 0.0).0;
            parts.entry(run[0] as u32).or_default().push(((edge(start), y), (edge(end) - edge(start), tall)));
            start = end;
        }
    }
    for (shade, rects) in parts {
        svg.rects("cell", &rects, f64::from(shade) / SHADES);
    }
    svg.rect("frame", (left, top), (wide, height), 1.0);
    plot.x_axis(&mut svg, "time (s)");
    svg.turned("", (12.0, top + height / 2.0), Anchor::Middle, -90, "block");
    for i in 0..40 {
        svg.rect("cell", (left + 34.0 + 2.0 * f64::from(i), 20.0), (2.0, 9.0), f64::from(i) / 39.0);
    }
    svg.text("small", (left + 30.0, 28.0), Anchor::End, &format!("{low:.2}"));
    svg.text("small", (left + 118.0, 28.0), Anchor::Start, &format!("{high:.2}"));
    svg
}
