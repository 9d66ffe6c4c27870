//! All that training changes.

use crate::weights::{Weights, WeightsError, check_values};

/// All that training changes; what a checkpoint holds.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainState {
    /// Parameters and running statistics.
    pub weights: Weights,
    /// Adam's first moment, laid out as the parameters.
    pub first_moment: Vec<f32>,
    /// Adam's second moment.
    pub second_moment: Vec<f32>,
    /// Optimiser steps taken.
    pub steps: u64,
}

impl TrainState {
    /// Before the first step.
    pub fn start(weights: Weights) -> Self {
        let zeros = vec![0.0; weights.parameters.len()];
        Self { weights, first_moment: zeros.clone(), second_moment: zeros, steps: 0 }
    }

    /// # Errors
    /// As [`Weights::check`]; moments of another length than the parameters', or which are NaN, infinite or (the second) negative, by
    /// the tensor that they belong to.
    pub fn check(&self) -> Result<(), WeightsError> {
        self.weights.check()?;
        let expected = self.weights.parameters.len();
        let found = (self.first_moment.len(), self.second_moment.len());
        if found != (expected, expected) {
            return Err(WeightsError::Moments { found, expected });
        }
        let tensors = self.weights.layout.tensors();
        check_values("first moment of ", tensors, &self.first_moment, |_| false)?;
        check_values("second moment of ", tensors, &self.second_moment, |_| true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        layout::toy::TOY,
        streams::{Key, initial},
    };

    #[test]
    fn moments_that_are_no_numbers_are_named() {
        let state = TrainState::start(initial(&TOY.made(), Key { seed: 1, fold: 0 }));
        let mut bad = state.clone();
        bad.first_moment[0] = f32::NAN;
        assert!(bad.check().unwrap_err().to_string().starts_with("first moment of `weight` has NaN"));
        let mut bad = state.clone();
        bad.second_moment[31] = -1.0;
        assert!(bad.check().unwrap_err().to_string().starts_with("second moment of `scale` has -1 at element 1"));
        let short = TrainState { first_moment: Vec::new(), ..state };
        assert!(matches!(short.check(), Err(WeightsError::Moments { .. })));
    }
}
