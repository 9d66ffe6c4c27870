//! Small sums that engines and training share.

/// Values looked at together: a block without a branch is read several values at a time.
const BLOCK: usize = 64;

/// Index of the first NaN or infinity; None if all values are finite.
pub fn first_not_finite(values: &[f32]) -> Option<usize> {
    let bad = |block: &[f32]| !block.iter().fold(true, |fine, v| fine & v.is_finite());
    let block = values.chunks(BLOCK).position(bad)?;
    values[block * BLOCK..].iter().position(|v| !v.is_finite()).map(|i| block * BLOCK + i)
}

/// Index of the first maximum; 0 if empty.
pub fn argmax<T: PartialOrd>(values: &[T]) -> usize {
    (1..values.len()).fold(0, |best, i| if values[i] > values[best] { i } else { best })
}

/// Each value less the largest, divided by `temperature`; of f32 the difference is rounded to f32.
fn below_largest<T: Real>(logits: &[T], temperature: f64) -> Vec<f64> {
    let largest = logits.get(argmax(logits)).copied();
    let below = |(&v, largest): (&T, T)| -> f64 { (v - largest).into() };
    logits.iter().zip(largest.into_iter().cycle()).map(|pair| below(pair) / temperature).collect()
}

/// Softmax of logits / temperature. A NaN or an infinite logit makes every value NaN, but for -infinity beside a finite one, which is 0.
pub fn softmax<T: Real>(logits: &[T], temperature: f64) -> Vec<f64> {
    let exp: Vec<f64> = below_largest(logits, temperature).into_iter().map(f64::exp).collect();
    let sum: f64 = exp.iter().sum();
    exp.into_iter().map(|v| v / sum).collect()
}

/// Natural logarithm of the softmax of logits / temperature, by log-sum-exp: no probability is too small for it, and a NaN or infinite
/// logit makes every value NaN.
pub fn log_softmax<T: Real>(logits: &[T], temperature: f64) -> Vec<f64> {
    let differences = below_largest(logits, temperature);
    let log_sum = if logits.iter().all(|&v| Into::<f64>::into(v).is_finite()) {
        differences.iter().map(|d| d.exp()).sum::<f64>().ln()
    } else {
        f64::NAN
    };
    differences.into_iter().map(|d| d - log_sum).collect()
}

/// f32 or f64.
pub trait Real: Copy + PartialOrd + Into<f64> + std::ops::Sub<Output = Self> {}
impl Real for f32 {}
impl Real for f64 {}

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

    #[test]
    fn the_first_of_equal_maxima_counts() {
        assert_eq!(argmax(&[1.0f32, 3.0, 2.0, 3.0]), 1);
        assert_eq!(argmax::<f64>(&[]), 0);
    }

    /// `scipy.special.log_softmax(np.array([1, -2, 0.5], "f4").astype("f8"))`, `softmax` of the same, and of `[0, 2000, -1000]`.
    #[test]
    fn logarithms_are_scipys() {
        let near = |found: Vec<f64>, expected: [f64; 3]| {
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?} {expected:?}");
        };
        near(log_softmax(&[1.0f32, -2.0, 0.5], 1.0), [-0.5045969023422834, -3.5045969023422834, -1.0045969023422834]);
        near(log_softmax(&[2.0, -4.0, 1.0], 2.0), [-0.5045969023422834, -3.5045969023422834, -1.0045969023422834]);
        near(
            softmax(&[2.0f32, -4.0, 1.0], 2.0),
            [0.603_748_896_148_625_8, 0.030_058_887_569_574_023, 0.366_192_216_281_800_2],
        );
        near(log_softmax(&[0.0f32, 2000.0, -1000.0], 1.0), [-2000.0, 0.0, -3000.0]);
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert!(log_softmax(&[0.0, bad, 1.0], 1.0).iter().all(|v| v.is_nan()), "{bad}");
            assert!(softmax(&[0.0, bad, 1.0], 1.0).iter().all(|v| v.is_nan()) || bad == f32::NEG_INFINITY, "{bad}");
        }
    }
}
