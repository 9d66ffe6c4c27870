//! Axes.

use crate::svg::{Anchor, Svg};

/// A rectangle in which data are drawn.
#[derive(Debug, Clone, Copy)]
pub struct Plot {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
    /// Data at the left and right edge.
    pub x: (f64, f64),
    /// Data at the lower and upper edge.
    pub y: (f64, f64),
}

impl Plot {
    /// From data to the drawing.
    pub fn at(&self, x: f64, y: f64) -> (f64, f64) {
        let share = |v: f64, (low, high): (f64, f64)| if high > low { (v - low) / (high - low) } else { 0.5 };
        (self.left + self.width * share(x, self.x), self.top + self.height * (1.0 - share(y, self.y)))
    }

    /// Both axes with ticks, grid lines and titles.
    pub fn axes(&self, svg: &mut Svg, x_title: &str, y_title: &str) {
        let (right, bottom) = (self.left + self.width, self.top + self.height);
        for tick in ticks(self.y, 5) {
            let (_, y) = self.at(self.x.0, tick);
            svg.line("grid", (self.left, y), (right, y));
            svg.text("small", (self.left - 5.0, y + 3.3), Anchor::End, &label(tick));
        }
        svg.line("axis", (self.left, self.top), (self.left, bottom));
        svg.turned("", (12.0, self.top + self.height / 2.0), Anchor::Middle, -90, y_title);
        self.x_axis(svg, x_title);
    }

    /// The axis below, with ticks and a title.
    pub fn x_axis(&self, svg: &mut Svg, title: &str) {
        let (right, bottom) = (self.left + self.width, self.top + self.height);
        for tick in ticks(self.x, 6) {
            let (x, _) = self.at(tick, self.y.0);
            svg.line("axis", (x, bottom), (x, bottom + 3.0));
            svg.text("small", (x, bottom + 14.0), Anchor::Middle, &label(tick));
        }
        svg.line("axis", (self.left, bottom), (right, bottom));
        svg.text("", (self.left + self.width / 2.0, bottom + 29.0), Anchor::Middle, title);
    }
}

/// Round numbers, at most `most` + 1 of them, within a range.
pub fn ticks((low, high): (f64, f64), most: usize) -> Vec<f64> {
    let raw = (high - low) / most as f64;
    if !(raw > 0.0 && raw.is_normal()) {
        return vec![low];
    }
    let power = 10f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|f| f * power).find(|s| *s >= raw * 0.999).unwrap_or(10.0 * power);
    let slack = step * 1e-6;
    let first = ((low - slack) / step).ceil() as i64;
    let last = ((high + slack) / step).floor() as i64;
    (first..=last).map(|i| i as f64 * step).collect()
}

/// A tick's number without trailing zeros.
pub fn label(value: f64) -> String {
    let text = format!("{value:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// The smallest range that holds all values, with some room; (0, 1) for none.
pub fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    match high - low {
        span if span > 0.0 => (low - 0.04 * span, high + 0.04 * span),
        _ if low.is_finite() => (low - 0.5, low + 0.5),
        _ => (0.0, 1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!(ticks((0.0, 500.0), 6), [0.0, 100.0, 200.0, 300.0, 400.0, 500.0]);
        assert_eq!(
            ticks((0.0, 1.0), 5).iter().map(|t| label(*t)).collect::<Vec<_>>(),
            ["0", "0.2", "0.4", "0.6", "0.8", "1"]
        );
        assert_eq!(ticks((2.0, 2.0), 5), [2.0]);
        assert!((1..200).all(|n| ticks((-0.3, f64::from(n) * 0.37), 5).len() <= 6));
    }
}
