//! Features of recordings of any length: normalised, then brought to one number of frames.

use std::collections::BTreeMap;

use ndarray::ArrayViewMut2;

/// A [frames, coefficients] matrix for each utterance, row-major; the numbers of frames differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrices {
    /// Coefficients of a frame.
    pub coefficients: usize,
    /// One for each utterance.
    pub each: Vec<Vec<f32>>,
}

impl Matrices {
    /// Frames of each utterance.
    pub fn frames(&self) -> impl Iterator<Item = usize> {
        self.each.iter().map(|m| m.len() / self.coefficients)
    }

    /// Mean 0 and variance 1 of each coefficient over all frames of a group (of the population, as NumPy's `std`); a coefficient that
    /// never changes in a group becomes 0. `groups` names the group of each utterance.
    pub fn normalise<G: Ord>(&mut self, groups: &[G]) {
        let mut members: BTreeMap<&G, Vec<usize>> = BTreeMap::new();
        groups.iter().enumerate().for_each(|(i, group)| members.entry(group).or_default().push(i));
        for members in members.values() {
            let mut all: Vec<f32> = members.iter().flat_map(|&i| self.each[i].iter().copied()).collect();
            let shape = (all.len() / self.coefficients, self.coefficients);
            // The shape is that of the values: each matrix has whole frames.
            let Ok(view) = ArrayViewMut2::from_shape(shape, &mut all) else { continue };
            sermfcc::normalise(view, true);
            let mut rest = &all[..];
            for &i in members {
                let (own, after) = rest.split_at(self.each[i].len());
                self.each[i].copy_from_slice(own);
                rest = after;
            }
        }
    }

    /// Utterance `i` with `frames` frames: zero frames before and behind it, the odd one behind, or cropped about its centre, as
    /// [`seraudio::fit_length`] does it with samples.
    pub fn fitted(&self, i: usize, frames: usize) -> Vec<f32> {
        let (matrix, c) = (&self.each[i], self.coefficients);
        let found = matrix.len() / c;
        if found >= frames {
            return matrix[(found - frames) / 2 * c..][..frames * c].to_vec();
        }
        let mut out = vec![0.0; frames * c];
        out[(frames - found) / 2 * c..][..matrix.len()].copy_from_slice(matrix);
        out
    }
}

/// The least number that is a multiple of `step` and at least as large as 95 % of `lengths`; `step` where there are none.
pub fn length_for(lengths: impl Iterator<Item = usize>, step: usize) -> usize {
    let mut all: Vec<usize> = lengths.collect();
    all.sort_unstable();
    let at = (all.len() * 95).div_ceil(100).saturating_sub(1);
    all.get(at).copied().unwrap_or(1).max(1).next_multiple_of(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrices() -> Matrices {
        let of = |frames: usize, seed: usize| -> Vec<f32> {
            (0..frames)
                .flat_map(|f| [((f * 7 + seed * 3) % 11) as f32, ((f * 5 + seed) % 13) as f32 - 4.0, 2.5])
                .collect()
        };
        Matrices { coefficients: 3, each: vec![of(4, 0), of(7, 1), of(5, 2)] }
    }

    /// ```python
    /// import numpy as np
    /// m = [np.array([[(f*7+s*3) % 11, (f*5+s) % 13 - 4, 2.5] for f in range(n)]) for n, s in ((4, 0), (7, 1), (5, 2))]
    /// for groups in ([[0], [1], [2]], [[0, 2], [1]], [[0, 1, 2]]):
    ///     out = [None] * 3
    ///     for g in groups:
    ///         a = np.concatenate([m[i] for i in g])
    ///         for i in g: out[i] = (m[i] - a.mean(0)) / np.where(a.std(0) > 0, a.std(0), 1)
    ///     print([o[1].round(6).tolist() for o in out])
    /// ```
    #[test]
    fn statistics_are_numpys() {
        for (groups, expected) in [
            (["a", "b", "c"], [[0.525226, 0.199117, 0.0], [1.526645, 0.317221, 0.0], [-0.905753, 0.056433, 0.0]]),
            (["a", "b", "a"], [[0.668153, -0.172774, 0.0], [1.526645, 0.317221, 0.0], [-0.835191, 0.345547, 0.0]]),
            (["a", "a", "a"], [[0.631009, -0.082886, 0.0], [1.548839, 0.182348, 0.0], [-0.898709, 0.447582, 0.0]]),
        ] {
            let mut m = matrices();
            m.normalise(&groups);
            for (matrix, expected) in m.each.iter().zip(expected) {
                for (found, expected) in matrix[3..6].iter().zip(expected) {
                    assert!((f64::from(*found) - expected).abs() < 2e-6, "{groups:?}: {found} {expected}");
                }
            }
        }
    }

    #[test]
    fn frames_are_fitted_about_the_centre_as_samples_are() {
        let m = Matrices { coefficients: 2, each: vec![(0..10).map(|i| i as f32).collect()] };
        for frames in 1..9 {
            let columns = [0, 1].map(|k| m.each[0].iter().skip(k).step_by(2).copied().collect::<Vec<f32>>());
            let expected = columns.map(|c| seraudio::fit_length(&c, frames));
            let found = m.fitted(0, frames);
            assert!((0..2).all(|k| found.iter().skip(k).step_by(2).eq(&expected[k])), "{frames}");
        }
    }

    #[test]
    fn a_length_holds_nineteen_of_twenty() {
        assert_eq!(length_for(1..=100, 1), 95);
        assert_eq!(length_for(1..=100, 10), 100);
        assert_eq!(length_for([7].into_iter(), 5), 10);
        assert_eq!(length_for([].into_iter(), 5), 5);
    }
}
