//! A matrix of numbers as shades.

use serrun::Mark;

use super::stamp;
use crate::svg::{Anchor, Svg};

/// A matrix with names.
#[derive(Debug)]
pub struct Heat<'a> {
    pub rows: &'a [String],
    pub columns: &'a [String],
    pub row_title: &'a str,
    pub column_title: &'a str,
    /// `[rows][columns]`; None for an empty field.
    pub fields: Vec<Vec<Option<Field>>>,
}

/// A field of a matrix.
#[derive(Debug)]
pub struct Field {
    /// In 0 .. 1.
    pub shade: f64,
    /// One line or two.
    pub lines: Vec<String>,
}

/// Draws it; the darker the shade (on a light page), the larger.
pub fn heat(label: &str, heat: &Heat, marks: &[Mark]) -> Svg {
    let longest = |names: &[String]| names.iter().map(|n| n.chars().count()).max().unwrap_or(0) as f64;
    let left = (30.0 + 6.4 * longest(heat.rows)).min(165.0);
    let size = ((380.0 - left) / heat.columns.len().max(1) as f64).clamp(30.0, 56.0);
    let tall = if heat.fields.iter().flatten().flatten().any(|f| f.lines.len() > 1) { 30.0 } else { 24.0 };
    let slanted = heat.columns.iter().any(|c| 5.6 * c.chars().count() as f64 > size);
    let head = if slanted { 40.0 + 3.6 * longest(heat.columns) } else { 50.0 };
    let right = if slanted { 3.6 * longest(heat.columns).max(4.0) } else { 6.0 };
    let (width, height) = (left + size * heat.columns.len() as f64 + right, head + tall * heat.rows.len() as f64 + 6.0);
    let mut svg = Svg::new(width, height, label);
    stamp(&mut svg, width, marks);
    svg.text("", (left + size * heat.columns.len() as f64 / 2.0, 28.0), Anchor::Middle, heat.column_title);
    svg.turned("", (12.0, head + tall * heat.rows.len() as f64 / 2.0), Anchor::Middle, -90, heat.row_title);
    for (j, name) in heat.columns.iter().enumerate() {
        let x = left + size * (j as f64 + 0.5);
        match slanted {
            true => svg.turned("small", (x, head - 5.0), Anchor::Start, -35, name),
            false => svg.text("small", (x, head - 6.0), Anchor::Middle, name),
        }
    }
    for (i, (name, row)) in heat.rows.iter().zip(&heat.fields).enumerate() {
        let y = head + tall * i as f64;
        svg.text("small", (left - 5.0, y + tall / 2.0 + 3.3), Anchor::End, name);
        for (j, field) in row.iter().enumerate() {
            let x = left + size * j as f64;
            if let Some(Field { shade, lines }) = field {
                svg.rect("cell", (x, y), (size, tall), shade.clamp(0.0, 1.0));
                let on = if *shade > 0.55 { " on" } else { "" };
                for (k, line) in lines.iter().enumerate() {
                    let middle = y + tall / 2.0 + 3.4 + 10.5 * (k as f64 - (lines.len() - 1) as f64 / 2.0);
                    let class = if k == 0 { "small strong" } else { "tiny" };
                    svg.text(&format!("{class}{on}"), (x + size / 2.0, middle), Anchor::Middle, line);
                }
            }
            svg.rect("frame", (x, y), (size, tall), 1.0);
        }
    }
    svg
}
