//! Confusion matrices.

use sermetrics::Confusion;

use super::{Field, Heat, heat};
use serrun::Mark;

use crate::svg::Svg;

/// Counts, and below them the part of the row in percent, which is the shade too.
pub fn confusion(label: &str, labels: &[String], counts: &Confusion, marks: &[Mark]) -> Svg {
    let field = |(&shade, count): (&f64, &u64)| {
        Some(Field { shade, lines: vec![count.to_string(), format!("{:.0} %", 100.0 * shade)] })
    };
    let rates = counts.normalised();
    let fields = rates.iter().zip(counts.matrix()).map(|(r, c)| r.iter().zip(c).map(field).collect()).collect();
    let matrix = Heat { rows: labels, columns: labels, row_title: "truth", column_title: "predicted", fields };
    heat(label, &matrix, marks)
}
