//! Figures as drawings. Each function draws what it is given and knows no run folder.

mod attention;
mod confusion;
mod curves;
mod dots;
mod heat;
mod plot;
mod reliability;
mod scatter;

pub use attention::attention;
pub use confusion::confusion;
pub use curves::{Curve, curves};
pub use dots::{Dot, Row, dots};
pub use heat::{Field, Heat, heat};
pub use reliability::reliability;
pub use scatter::{Point, scatter};

use serrun::Mark;

use crate::{
    document::words,
    svg::{Anchor, Svg},
};

/// Writes what has to be said of a figure into it, at its upper right, so that it stays with a copied file.
fn stamp(svg: &mut Svg, width: f64, marks: &[Mark]) {
    if !marks.is_empty() {
        svg.text("warn", (width - 4.0, 10.0), Anchor::End, &words(marks).to_uppercase());
    }
}
