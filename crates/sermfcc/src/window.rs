//! Windows.

use std::f64::consts::TAU;

use crate::front_end::{Shape, Window};

/// The samples of a window.
pub(crate) fn window(window: &Window) -> Vec<f64> {
    let Window { shape, length, periodic } = *window;
    let denominator = if periodic { length } else { (length - 1).max(1) } as f64;
    let value = |n: usize| {
        let angle = TAU * n as f64 / denominator;
        match shape {
            _ if length == 1 => 1.0,
            Shape::Hann => 0.5 - 0.5 * angle.cos(),
            Shape::Hamming => 0.54 - 0.46 * angle.cos(),
            Shape::Blackman => 0.42 - 0.5 * angle.cos() + 0.08 * (2.0 * angle).cos(),
            Shape::Rectangular => 1.0,
        }
    };
    (0..length).map(value).collect()
}
