//! The two precisions.

use std::fmt::{Debug, Display};
use std::ops::{AddAssign, MulAssign, SubAssign};

use crate::vector::{Work, chunks};

/// Precision of a computation: `f32` or `f64`, and nothing else.
pub trait Float:
    Copy + Default + Debug + Display + PartialOrd + Send + Sync + Into<f64> + sealed::Arithmetic + 'static
{
}

impl Float for f32 {}
impl Float for f64 {}

/// What a precision can do; not to be named outside.
mod sealed {
    use super::{AddAssign, Debug, MulAssign, SubAssign};

    pub trait Arithmetic: rustfft::FftNum + Default + Debug + PartialOrd + AddAssign + SubAssign + MulAssign {
        /// The largest finite value.
        const MAX: Self;
        /// The smallest positive normal number.
        const LEAST: Self;
        /// The largest sample magnitude that is taken, whatever the settings: its spectrum can be squared.
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
        /// Natural logarithm of a positive normal number x, as arithmetic that compilers turn into vector instructions. Its error is
        /// at most 1.3e-7 max(1, |ln x|) for f32 (measured over every normal number) and 1e-15 max(1, |ln x|) for f64 (measured
        /// over 2e8 random ones).
        fn natural_log(self) -> Self;
    }
}

macro_rules! float {
    ($type:ty, $limit:expr, $mantissa_bits:expr, $bias:expr, $terms:expr) => {
        impl sealed::Arithmetic for $type {
            const MAX: Self = <$type>::MAX;
            const LEAST: Self = <$type>::MIN_POSITIVE;
            const SAMPLE_LIMIT: f32 = $limit;

            fn of(value: f64) -> Self {
                value as $type
            }
            #[inline(always)]
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
            #[inline(always)]
            fn at_least(self, other: Self) -> Self {
                if self > other { self } else { other }
            }
            #[inline(always)]
            fn at_most(self, other: Self) -> Self {
                if self < other { self } else { other }
            }
            #[inline(always)]
            fn natural_log(self) -> Self {
                // x = 2^e m with m in [sqrt(1/2), sqrt(2)), so that s below is at most 0.172.
                const ROOT: $type = std::f64::consts::FRAC_1_SQRT_2 as $type;
                let one: $type = 1.0;
                let bits = self.to_bits() + (one.to_bits() - ROOT.to_bits());
                let mantissa = (bits & ((1 << $mantissa_bits) - 1)) + ROOT.to_bits();
                // OR the exponent into the mantissa of 2^mantissa_bits: integer to float without a conversion
                // instruction.
                let base = (1u64 << $mantissa_bits) as $type;
                let exponent = <$type>::from_bits(base.to_bits() | (bits >> $mantissa_bits)) - base - $bias as $type;
                let m = <$type>::from_bits(mantissa);
                // ln m = 2 artanh s = 2 s (1 + s^2 / 3 + s^4 / 5 + ..)
                let s = (m - 1.0) / (m + 1.0);
                let square = s * s;
                let mut sum: $type = 0.0;
                for term in (0..$terms).rev() {
                    sum = sum * square + 1.0 / (2 * term + 1) as $type;
                }
                exponent * std::f64::consts::LN_2 as $type + 2.0 * s * sum
            }
        }
    };
}

float!(f32, 1e12, 23, 127, 6);
float!(f64, f32::MAX, 52, 1023, 9);

/// Lanes of the vector loops.
pub(crate) const LANES: usize = 8;

/// Products of whole vectors, summed in lanes, which compilers turn into vector instructions. The order of the sums is fixed,
/// so a frame comes out the same from a batch and from a stream.
#[inline(always)]
pub(crate) fn products<F: Float>(a: &[F], b: &[F]) -> [F; LANES] {
    let mut sums = [F::default(); LANES];
    for (a, b) in chunks::<_, LANES>(a).0.iter().zip(chunks::<_, LANES>(b).0) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums
}

/// The largest value.
pub(crate) struct Maximum<'a, F>(pub &'a [F]);

impl<F: Float> Work for Maximum<'_, F> {
    type Out = F;

    #[inline(always)]
    fn run(self) -> F {
        let (whole, rest) = chunks::<_, { 4 * LANES }>(self.0);
        let mut lanes = [-F::MAX; 4 * LANES];
        for values in whole {
            for (lane, value) in lanes.iter_mut().zip(values) {
                *lane = value.at_least(*lane);
            }
        }
        lanes.iter().chain(rest).fold(-F::MAX, |max, value| value.at_least(max))
    }
}

/// Raises values to a floor.
pub(crate) struct Raise<'a, F>(pub &'a mut [F], pub F);

impl<F: Float> Work for Raise<'_, F> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        for value in self.0 {
            *value = value.at_least(self.1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::sealed::Arithmetic;

    /// The documented bounds, against the standard library's double logarithm: every 499th normal f32 (all of them take 30 s,
    /// and the worst, 1.22e-7, is at 2.807915), and as many f64 with the same leading bits and with others.
    #[test]
    fn the_logarithm_is_as_accurate_as_documented() {
        for bits in (f32::MIN_POSITIVE.to_bits()..=f32::MAX.to_bits()).step_by(499).chain([2.807_915f32.to_bits()]) {
            let single = f32::from_bits(bits);
            let exact = f64::from(single).ln();
            let error = (f64::from(single.natural_log()) - exact).abs();
            assert!(error <= 1.3e-7 * exact.abs().max(1.0), "{single:e}: {error:e}");
            for x in [f64::from(single), f64::from(single) * (1.0 + f64::from(bits) * f64::EPSILON)] {
                assert!((x.natural_log() - x.ln()).abs() <= 1e-15 * x.ln().abs().max(1.0), "{x:e}");
            }
        }
        for step in -1000..1000 {
            let x = 1.0 + f64::from(step) * 1e-7;
            assert!((x.natural_log() - x.ln()).abs() <= 2e-15 * x.ln().abs(), "{x}");
        }
    }
}
