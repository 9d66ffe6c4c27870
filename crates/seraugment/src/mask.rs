//! SpecAugment (Park et al. 2019): stretches of time and bands of coefficients that the network does not see.

use crate::{
    Draw, Range,
    draw::{below, between},
};

/// What a mask hides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// Whole frames.
    Time,
    /// Whole coefficients (or mel bands).
    Coefficient,
}

/// A mask over `start..start + width` of an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mask {
    /// Which axis.
    pub axis: Axis,
    /// First frame or coefficient hidden.
    pub start: usize,
    /// How many are hidden.
    pub width: usize,
}

/// Masks of each axis.
const EACH: usize = 2;

/// Two masks of time and two of coefficients, each hiding a share of its axis drawn from `share`; of a share that is no number
/// nothing, of one above 1 everything.
pub fn masks(draw: Draw, frames: usize, coefficients: usize, share: Range) -> Vec<Mask> {
    let mut rng = draw.stream(b'm');
    [(Axis::Time, frames), (Axis::Coefficient, coefficients)]
        .into_iter()
        .flat_map(|axis| [axis; EACH])
        .map(|(axis, size)| {
            let width = ((between(&mut rng, share.low, share.high) * size as f64).round() as usize).min(size);
            Mask { axis, start: below(&mut rng, size - width + 1), width }
        })
        .collect()
}

impl Mask {
    /// Hides its part of `features`, row-major [frames, coefficients]: every value becomes the mean of its coefficient
    /// over all frames. (SpecAugment's zero is the mean of features that are normalised; these are not.)
    pub fn apply(&self, features: &mut [f32], coefficients: usize) {
        let frames = features.len() / coefficients.max(1);
        let hidden = self.start..self.start.saturating_add(self.width);
        for c in 0..coefficients {
            if self.axis == Axis::Coefficient && !hidden.contains(&c) {
                continue;
            }
            let sum: f64 = features.iter().skip(c).step_by(coefficients).map(|&x| f64::from(x)).sum();
            let mean = (sum / frames as f64) as f32;
            for (t, frame) in features.chunks_exact_mut(coefficients).enumerate() {
                if self.axis == Axis::Coefficient || hidden.contains(&t) {
                    frame[c] = mean;
                }
            }
        }
    }
}
