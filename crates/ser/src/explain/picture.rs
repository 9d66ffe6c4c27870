//! The picture of an explanation.

use std::fmt::Write;

use ndarray::Array2;

use super::{
    Explanation,
    svg::{Anchor, Svg},
};

const LEFT: f64 = 150.0;
const WIDTH: f64 = 700.0;
const RIGHT: f64 = LEFT + WIDTH;
const WAVE: f64 = 80.0;
const MEL: f64 = 128.0;
const GATE_ROW: f64 = 12.0;
const OCCLUSION: f64 = 90.0;
const BAR_ROW: f64 = 18.0;
const GAP: f64 = 42.0;

/// Draws it.
pub fn draw(e: &Explanation) -> String {
    let gates = e.attention.nrows() as f64 * GATE_ROW;
    let bars = e.contributions.len() as f64 * BAR_ROW;
    let gate_part = if gates > 0.0 { gates + GAP } else { 0.0 };
    let height = 78.0 + WAVE + MEL + OCCLUSION + gate_part + bars + 4.0 * GAP + 10.0;
    let mut picture = Picture { svg: Svg::new(RIGHT + 50.0, height), e, y: 78.0 };
    picture.head();
    picture.wave();
    picture.mel();
    if gates > 0.0 {
        picture.gates(gates);
    }
    picture.occlusion();
    picture.bars();
    picture.svg.finish()
}

fn range(values: &Array2<f32>) -> (f32, f32) {
    values.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &v| (low.min(v), high.max(v)))
}

struct Picture<'a> {
    svg: Svg,
    e: &'a Explanation,
    /// Top of the next panel.
    y: f64,
}

impl Picture<'_> {
    fn x(&self, seconds: f64) -> f64 {
        LEFT + WIDTH * seconds / self.e.length
    }

    fn head(&mut self) {
        let (label, probability) = &self.e.classes[self.e.label];
        let title = format!("{label}, probability {probability:.2}: {}", self.e.title);
        self.svg.text("ink", (LEFT, 24.0), Anchor::Start, &title);
        let all: Vec<_> = self.e.classes.iter().map(|(label, p)| format!("{label} {p:.2}")).collect();
        self.svg.text("dim", (LEFT, 44.0), Anchor::Start, &all.join("   "));
    }

    /// Names a panel of `height` and moves on below it.
    fn panel(&mut self, height: f64, name: &str) -> f64 {
        let y = self.y;
        self.svg.text("dim", (LEFT, y - 6.0), Anchor::Start, name);
        self.y += height + GAP;
        y
    }

    /// Half-second ticks below a panel, in the recording's own time.
    fn time_axis(&mut self, y: f64) {
        self.svg.line((LEFT, y), (RIGHT, y));
        let (start, end) = self.e.heard;
        let first = (2.0 * (start - self.e.offset)).ceil() as i64;
        let last = (2.0 * (end - self.e.offset)).floor() as i64;
        for half_seconds in first..=last {
            let seconds = half_seconds as f64 / 2.0;
            let x = self.x(seconds + self.e.offset);
            self.svg.line((x, y), (x, y + 3.0));
            if half_seconds % 2 == 0 {
                self.svg.text("dim", (x, y + 14.0), Anchor::Middle, &format!("{seconds} s"));
            }
        }
    }

    fn wave(&mut self) {
        let y = self.panel(WAVE, "wave (grey: silence that fills the training length)");
        let (start, end) = self.e.heard;
        let (from, to) = (self.x(start), self.x(end));
        self.svg.rect("pad", (LEFT, y), (from - LEFT, WAVE));
        self.svg.rect("pad", (to, y), (RIGHT - to, WAVE));
        let peak = self.e.samples.iter().fold(1e-6f32, |peak, v| peak.max(v.abs()));
        let columns = WIDTH as usize;
        let mut path = String::new();
        for column in 0..columns {
            let at = |column: usize| column * self.e.samples.len() / columns;
            let samples = &self.e.samples[at(column)..at(column + 1)];
            let low = samples.iter().copied().fold(f32::INFINITY, f32::min).min(peak);
            let high = samples.iter().copied().fold(f32::NEG_INFINITY, f32::max).max(-peak);
            let place = |v: f32| y + WAVE / 2.0 * (1.0 - f64::from(v / peak));
            // Writing to a String cannot fail.
            let _ = write!(path, "M{:.1} {:.1}V{:.1}", LEFT + column as f64 + 0.5, place(high), place(low) + 0.5);
        }
        self.svg.path("wave", &path, 1.0);
        self.time_axis(y + WAVE);
    }

    fn mel(&mut self) {
        let y = self.panel(MEL, "log-mel energies, low bands below");
        let (frames, bands) = self.e.log_mel.dim();
        let rows = bands.min(64);
        let log_mel = &self.e.log_mel;
        let (low, high) = range(log_mel);
        self.svg.heat((LEFT, y), (WIDTH, MEL), (rows, frames), |row, frame| {
            let band = (rows - 1 - row) * bands / rows;
            (log_mel[[frame, band]] - low) / (high - low).max(1e-6)
        });
        self.time_axis(y + MEL);
    }

    fn gates(&mut self, height: f64) {
        let attention = &self.e.attention;
        let (low, high) = range(attention);
        let name = format!("attention: how open each block's gate is, {low:.2} (pale) to {high:.2}");
        let y = self.panel(height, &name);
        self.svg.heat((LEFT, y), (WIDTH, height), attention.dim(), |block, frame| {
            (attention[[block, frame]] - low) / (high - low).max(1e-6)
        });
        for block in 0..attention.nrows() {
            let place = (LEFT - 8.0, y + (block as f64 + 0.85) * GATE_ROW);
            self.svg.text("dim", place, Anchor::End, &format!("block {}", block + 1));
        }
        self.time_axis(y + height);
    }

    /// Bars up where silence in place of the stretch lowers the winning probability.
    fn occlusion(&mut self) {
        let y = self.panel(OCCLUSION, "what each stretch does for the probability (up: for, down: against)");
        let largest = self.e.occlusion.iter().fold(1e-6f32, |m, s| m.max(s.effect.abs()));
        let middle = y + OCCLUSION / 2.0;
        for span in &self.e.occlusion {
            let height = f64::from(span.effect / largest).abs() * OCCLUSION / 2.0;
            let (x, width) = (self.x(span.start), self.x(span.end) - self.x(span.start) - 1.0);
            if span.effect >= 0.0 {
                self.svg.rect("for", (x, middle - height), (width, height));
            } else {
                self.svg.rect("against", (x, middle), (width, height));
            }
        }
        self.svg.line((LEFT, middle), (RIGHT, middle));
        self.svg.text("dim", (LEFT - 8.0, y + 10.0), Anchor::End, &format!("+{largest:.2}"));
        self.svg.text("dim", (LEFT - 8.0, y + OCCLUSION), Anchor::End, &format!("-{largest:.2}"));
        self.time_axis(y + OCCLUSION);
    }

    fn bars(&mut self) {
        let parts = &self.e.contributions;
        let logit: f64 = parts.iter().map(|(_, part)| part).sum();
        let name = format!("what each time scale adds to the logit of {}, {logit:.2}", self.e.classes[self.e.label].0);
        let y = self.panel(parts.len() as f64 * BAR_ROW, &name);
        let largest = parts.iter().fold(1e-6f64, |m, (_, part)| m.max(part.abs()));
        let middle = LEFT + WIDTH / 2.0;
        for (i, (name, part)) in parts.iter().enumerate() {
            let top = y + i as f64 * BAR_ROW;
            let width = part.abs() / largest * (WIDTH / 2.0 - 60.0);
            let (class, x) = if *part >= 0.0 { ("for", middle) } else { ("against", middle - width) };
            self.svg.rect(class, (x, top + 2.0), (width, BAR_ROW - 5.0));
            self.svg.text("dim", (LEFT - 8.0, top + 13.0), Anchor::End, name);
            let (anchor, x) =
                if *part >= 0.0 { (Anchor::Start, middle + width + 5.0) } else { (Anchor::End, middle - width - 5.0) };
            self.svg.text("ink", (x, top + 13.0), anchor, &format!("{part:+.2}"));
        }
        self.svg.line((middle, y), (middle, y + parts.len() as f64 * BAR_ROW));
    }
}
