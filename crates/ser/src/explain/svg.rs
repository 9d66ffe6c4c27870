//! Shapes as SVG text. Colours are classes, so that one picture is legible on light and on dark ground.

use std::fmt::Write;

/// Colours on light ground, then on dark. Blue is for, orange against: told apart by every kind of eye.
const STYLE: &str = "<style>
svg{font-family:system-ui,sans-serif;font-size:12px}
.ground{fill:#fff}.ink{fill:#1f2328}.dim{fill:#59636e}.for{fill:#0969da}.against{fill:#bc4c00}
.axis{stroke:#8c959f;fill:none}.wave{stroke:#1f2328;fill:none;stroke-width:.7}.pad{fill:#8c959f;fill-opacity:.18}
@media (prefers-color-scheme:dark){
.ground{fill:#0d1117}.ink{fill:#e6edf3}.dim{fill:#9198a1}.for{fill:#58a6ff}.against{fill:#f0883e}
.axis{stroke:#6e7681}.wave{stroke:#e6edf3}}
</style>
";

/// A picture being drawn.
pub struct Svg {
    width: f64,
    height: f64,
    body: String,
}

/// Where text stands to its point.
#[derive(Clone, Copy)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

// Writing to a String cannot fail.
impl Svg {
    pub fn new(width: f64, height: f64) -> Self {
        Self { width, height, body: String::new() }
    }

    pub fn rect(&mut self, class: &str, (x, y): (f64, f64), (width, height): (f64, f64)) {
        let _ = writeln!(
            self.body,
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>"
        );
    }

    pub fn text(&mut self, class: &str, (x, y): (f64, f64), anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let _ = writeln!(
            self.body,
            "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"
        );
    }

    /// A path in SVG's own notation.
    pub fn path(&mut self, class: &str, data: &str, opacity: f64) {
        let _ = writeln!(
            self.body,
            "<path class=\"{class}\" d=\"{data}\" fill-opacity=\"{opacity:.2}\" shape-rendering=\"crispEdges\"/>"
        );
    }

    pub fn line(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        let _ = writeln!(self.body, "<path class=\"axis\" d=\"M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}\"/>");
    }

    /// A heat map of values in 0 to 1: `rows` rows from the top, each of `columns` cells. Cells of one of sixteen
    /// levels are one path, and neighbours one rectangle.
    pub fn heat(
        &mut self,
        (x, y): (f64, f64),
        (width, height): (f64, f64),
        (rows, columns): (usize, usize),
        value: impl Fn(usize, usize) -> f32,
    ) {
        const LEVELS: usize = 16;
        // Edges on whole pixels, so that no ground shines through between neighbours.
        let edge = |from: f64, size: f64, i: usize, n: usize| (from + size * i as f64 / n as f64).round();
        let mut paths = vec![String::new(); LEVELS + 1];
        let level = |row, column| (value(row, column).clamp(0.0, 1.0) * LEVELS as f32).round() as usize;
        for row in 0..rows {
            let mut column = 0;
            while column < columns {
                let (start, at) = (column, level(row, column));
                while column < columns && level(row, column) == at {
                    column += 1;
                }
                let [left, right] = [start, column].map(|i| edge(x, width, i, columns));
                let [top, bottom] = [row, row + 1].map(|i| edge(y, height, i, rows));
                let _ = write!(paths[at], "M{left} {top}H{right}V{bottom}H{left}z");
            }
        }
        for (at, path) in paths.iter().enumerate().skip(1).filter(|(_, path)| !path.is_empty()) {
            self.path("for", path, at as f64 / LEVELS as f64);
        }
    }

    pub fn finish(self) -> String {
        let Self { width, height, body } = self;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\">\n{STYLE}<rect class=\"ground\" width=\"{width}\" height=\"{height}\"/>\n\
             {body}</svg>\n"
        )
    }
}
