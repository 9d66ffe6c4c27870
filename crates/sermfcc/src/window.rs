//! Windows.

use std::f64::consts::TAU;

use crate::front_end::{FrontEnd, Window};

/// The samples of a window.
pub(crate) fn window(front_end: &FrontEnd) -> Vec<f64> {
    let length = front_end.window_length();
    let denominator = if front_end.periodic { length } else { (length - 1).max(1) } as f64;
    let value = |n: usize| {
        let angle = TAU * n as f64 / denominator;
        match front_end.window {
            _ if length == 1 => 1.0,
            Window::Hann => 0.5 - 0.5 * angle.cos(),
            Window::Hamming => 0.54 - 0.46 * angle.cos(),
            Window::Blackman => 0.42 - 0.5 * angle.cos() + 0.08 * (2.0 * angle).cos(),
            Window::Povey => (0.5 - 0.5 * angle.cos()).powf(0.85),
            Window::Rectangular => 1.0,
        }
    };
    (0..length).map(value).collect()
}
