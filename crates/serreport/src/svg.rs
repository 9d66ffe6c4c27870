//! Drawings whose colours are CSS variables, so that one file serves light and dark pages.

use std::fmt::Write as _;

/// Palette and classes; also inlined once in the HTML report.
pub const STYLE: &str = include_str!("figure.css");

/// Points that a series can be drawn with, one shape each: colour alone is not enough.
pub const SHAPES: usize = 8;

/// A drawing in user units, about CSS pixels at full size.
#[derive(Debug)]
pub struct Svg {
    width: f64,
    height: f64,
    label: String,
    body: String,
}

/// Where a text stands relative to its point.
#[derive(Debug, Clone, Copy)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

/// Upper left corner, then width and height.
pub type Rect = ((f64, f64), (f64, f64));

impl Svg {
    /// An empty drawing; `label` says what it shows to those who can't see it.
    pub fn new(width: f64, height: f64, label: impl Into<String>) -> Self {
        Self { width, height, label: label.into(), body: String::new() }
    }

    /// A straight line.
    pub fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let [x1, y1, x2, y2] = [from.0, from.1, to.0, to.1].map(number);
        self.push(&format!(r#"<line class="{class}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>"#));
    }

    /// A line through points, closed where it bounds an area.
    pub fn path(&mut self, class: &str, points: impl IntoIterator<Item = (f64, f64)>, closed: bool) {
        let mut d = String::new();
        for (i, (x, y)) in points.into_iter().enumerate() {
            d.push(if i == 0 { 'M' } else { ' ' });
            d.push_str(&number(x));
            d.push(',');
            d.push_str(&number(y));
        }
        let end = if closed { "Z" } else { "" };
        self.push(&format!(r#"<path class="{class}" d="{d}{end}"/>"#));
    }

    /// A rectangle with an opacity of its fill.
    pub fn rect(&mut self, class: &str, (x, y): (f64, f64), (w, h): (f64, f64), opacity: f64) {
        let [x, y, w, h] = [x, y, w, h].map(number);
        let opacity = if opacity < 1.0 { format!(r#" fill-opacity="{opacity:.2}""#) } else { String::new() };
        self.push(&format!(r#"<rect class="{class}" x="{x}" y="{y}" width="{w}" height="{h}"{opacity}/>"#));
    }

    /// Rectangles of one opacity as one element.
    pub fn rects(&mut self, class: &str, rects: &[Rect], opacity: f64) {
        let corner = |((x, y), (w, h)): &Rect| {
            let [x, y, w, h] = [*x, *y, *w, *h].map(number);
            format!("M{x},{y}h{w}v{h}h-{w}z")
        };
        let d: String = rects.iter().map(corner).collect();
        self.push(&format!(r#"<path class="{class}" fill-opacity="{opacity:.2}" d="{d}"/>"#));
    }

    /// A line of text.
    pub fn text(&mut self, class: &str, (x, y): (f64, f64), anchor: Anchor, text: &str) {
        self.turned(class, (x, y), anchor, 0, text);
    }

    /// A line of text turned by some degrees about its point.
    pub fn turned(&mut self, class: &str, (x, y): (f64, f64), anchor: Anchor, degrees: i32, text: &str) {
        let [x, y] = [x, y].map(number);
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let turn = if degrees == 0 { String::new() } else { format!(r#" transform="rotate({degrees} {x} {y})""#) };
        let text = escape(text);
        self.push(&format!(r#"<text class="{class}" x="{x}" y="{y}" text-anchor="{anchor}"{turn}>{text}</text>"#));
    }

    /// A point of series `series`: filled or hollow, each series in a shape and a colour of its own.
    pub fn point(&mut self, series: usize, (x, y): (f64, f64), r: f64, filled: bool) {
        let class = format!("{} c{}", if filled { "dot" } else { "ring" }, series % SHAPES);
        let polygon = |angles: &[f64], radii: &[f64]| {
            let corner = |(i, a): (usize, &f64)| {
                let (r, a) = (r * radii[i % radii.len()], a.to_radians());
                (x + r * a.sin(), y - r * a.cos())
            };
            angles.iter().enumerate().map(corner).collect::<Vec<_>>()
        };
        let turns = |n: usize, start: f64| (0..n).map(|i| start + 360.0 * i as f64 / n as f64).collect::<Vec<_>>();
        let corners = match series % SHAPES {
            0 => {
                let [x, y, r] = [x, y, r].map(number);
                return self.push(&format!(r#"<circle class="{class}" cx="{x}" cy="{y}" r="{r}"/>"#));
            }
            1 => polygon(&turns(3, 0.0), &[1.25]),
            2 => polygon(&turns(4, 45.0), &[1.2]),
            3 => polygon(&turns(4, 0.0), &[1.3]),
            4 => polygon(&turns(3, 180.0), &[1.25]),
            5 => polygon(&turns(10, 0.0), &[1.45, 0.6]),
            6 => {
                let (a, b) = (1.35 * r, 0.42 * r);
                let half = [(b, a), (b, b), (a, b), (a, -b), (b, -b), (b, -a)];
                half.iter().copied().chain(half.map(|(dx, dy)| (-dx, -dy))).map(|(dx, dy)| (x + dx, y - dy)).collect()
            }
            _ => polygon(&turns(6, 0.0), &[1.2]),
        };
        self.path(&class, corners, true);
    }

    /// For a page that has [`STYLE`].
    pub fn inline(&self) -> String {
        self.render("", "")
    }

    /// A file of its own.
    pub fn standalone(&self) -> String {
        let style = format!("\n<style>\n{STYLE}svg.figure{{background:var(--page);color:var(--ink)}}\n</style>");
        self.render(r#" xmlns="http://www.w3.org/2000/svg""#, &style) + "\n"
    }

    fn render(&self, namespace: &str, style: &str) -> String {
        let [w, h] = [self.width, self.height].map(number);
        format!(
            "<svg{namespace} class=\"figure\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" role=\"img\" \
             aria-label=\"{}\">{style}\n{}</svg>",
            escape(&self.label),
            self.body
        )
    }

    fn push(&mut self, element: &str) {
        let _ = writeln!(self.body, "{element}");
    }
}

/// At most one decimal, none where it is zero.
fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// For XML and HTML, in text and in quoted attributes.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // No control character is allowed in XML 1.0 but tab and line ends.
            c if c.is_control() && !matches!(c, '\t' | '\n' | '\r') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
