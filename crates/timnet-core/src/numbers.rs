//! Small sums that engines and training share.

/// Values looked at together: a block without a branch is read several values at a time.
const BLOCK: usize = 64;

/// Index of the first NaN or infinity; None if all values are finite.
pub fn first_not_finite(values: &[f32]) -> Option<usize> {
    let bad = |block: &[f32]| !block.iter().fold(true, |fine, v| fine & v.is_finite());
    let block = values.chunks(BLOCK).position(bad)?;
    values[block * BLOCK..].iter().position(|v| !v.is_finite()).map(|i| block * BLOCK + i)
}

/// Natural logarithm of the softmax of logits, `[classes]`, by log-sum-exp: no probability is too small for it, and a NaN or infinite
/// logit makes every value NaN.
pub fn log_softmax(logits: &[f32]) -> Vec<f64> {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let differences: Vec<f64> = logits.iter().map(|&v| f64::from(v - max)).collect();
    let log_sum = if logits.iter().all(|v| v.is_finite()) {
        differences.iter().map(|d| d.exp()).sum::<f64>().ln()
    } else {
        f64::NAN
    };
    differences.into_iter().map(|d| d - log_sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_that_is_not_finite_is_found() {
        for n in [1, 63, 64, 65, 200] {
            assert_eq!(first_not_finite(&vec![f32::MAX; n]), None);
            for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                for at in [0, n / 2, n - 1] {
                    let mut values = vec![1.0; n];
                    values[at..].fill(bad);
                    assert_eq!(first_not_finite(&values), Some(at));
                }
            }
        }
        assert_eq!(first_not_finite(&[]), None);
    }

    /// `scipy.special.log_softmax(np.array([1, -2, 0.5], "f4").astype("f8"))`, and of `[0, 2000, -1000]`.
    #[test]
    fn logarithms_are_scipys() {
        let near = |found: Vec<f64>, expected: [f64; 3]| {
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?} {expected:?}");
        };
        near(log_softmax(&[1.0, -2.0, 0.5]), [-0.5045969023422834, -3.5045969023422834, -1.0045969023422834]);
        near(log_softmax(&[0.0, 2000.0, -1000.0]), [-2000.0, 0.0, -3000.0]);
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert!(log_softmax(&[0.0, bad, 1.0]).iter().all(|v| v.is_nan()), "{bad}");
        }
    }
}
