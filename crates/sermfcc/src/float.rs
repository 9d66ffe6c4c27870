//! The two precisions.

use std::fmt::{Debug, Display};
use std::iter::Sum;
use std::ops::{AddAssign, MulAssign, SubAssign};

/// `f32` or `f64`. Sealed.
pub trait Float:
    realfft::FftNum + Default + Display + Debug + PartialOrd + AddAssign + SubAssign + MulAssign + Sum + sealed::Sealed
{
    /// The largest finite value.
    const MAX: Self;
    /// The largest sample magnitude whose spectrum can be squared.
    const SAMPLE_LIMIT: f32;
    /// From double precision, rounded.
    fn of(value: f64) -> Self;
    /// From a sample.
    fn of_sample(value: f32) -> Self;
    /// To double precision.
    fn double(self) -> f64;
    /// Square root.
    fn root(self) -> Self;
    /// Power.
    fn power(self, exponent: Self) -> Self;
    /// The larger of two; `other` where `self` is not a number.
    fn at_least(self, other: Self) -> Self;
    /// The smaller of two; `other` where `self` is not a number.
    fn at_most(self, other: Self) -> Self;
    /// Natural logarithm.
    fn natural_log(self) -> Self;
}

macro_rules! float {
    ($type:ty, $limit:expr) => {
        impl sealed::Sealed for $type {}

        impl Float for $type {
            const MAX: Self = <$type>::MAX;
            const SAMPLE_LIMIT: f32 = $limit;

            fn of(value: f64) -> Self {
                value as $type
            }
            fn of_sample(value: f32) -> Self {
                value as $type
            }
            fn double(self) -> f64 {
                self as f64
            }
            fn root(self) -> Self {
                self.sqrt()
            }
            fn power(self, exponent: Self) -> Self {
                self.powf(exponent)
            }
            fn at_least(self, other: Self) -> Self {
                if self > other { self } else { other }
            }
            fn at_most(self, other: Self) -> Self {
                if self < other { self } else { other }
            }
            fn natural_log(self) -> Self {
                self.ln()
            }
        }
    };
}

float!(f32, 1e12);
float!(f64, f32::MAX);

mod sealed {
    pub trait Sealed {}
}

/// Lanes of the vector loops.
const LANES: usize = 8;

/// Dot product in lanes, which compilers turn into vector instructions. The order of the sum is fixed, so a frame
/// comes out the same from a batch and from a stream.
pub(crate) fn dot<F: Float>(a: &[F], b: &[F]) -> F {
    let (a_whole, a_rest) = a.as_chunks::<LANES>();
    let (b_whole, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [F::default(); LANES];
    for (a, b) in a_whole.iter().zip(b_whole) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: F = a_rest.iter().zip(b_rest).map(|(&a, &b)| a * b).sum();
    sums.into_iter().sum::<F>() + rest
}
