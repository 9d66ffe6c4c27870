//! Groups of columns that a kernel holds in registers.
//!
//! Unsafe throughout: pointers are the callers' promise, and a method may only run where its instruction set exists.
//! Every method is inlined into the one function of `super` that enables that instruction set.

/// `WIDTH` neighbouring f32 columns.
pub(super) trait Lanes: Copy {
    const WIDTH: usize;
    unsafe fn splat(v: f32) -> Self;
    unsafe fn load(p: *const f32) -> Self;
    unsafe fn store(self, p: *mut f32);
    unsafe fn add(self, o: Self) -> Self;
    unsafe fn sub(self, o: Self) -> Self;
    unsafe fn mul(self, o: Self) -> Self;
    unsafe fn div(self, o: Self) -> Self;
    /// The larger; `o` where either is NaN.
    unsafe fn max(self, o: Self) -> Self;
    /// The smaller; `o` where either is NaN.
    unsafe fn min(self, o: Self) -> Self;
    /// self * b + c
    unsafe fn fma(self, b: Self, c: Self) -> Self;
    /// self where `c` is above zero or NaN, otherwise +0: NaN must never become a number.
    unsafe fn where_positive(self, c: Self) -> Self;
    /// 2^k where self = [`MAGIC`] + k with a whole k.
    unsafe fn exp2_of_magic(self) -> Self;
}

/// Adding it to a small number rounds that number to a whole one, which then stands in the low bits.
pub(super) const MAGIC: f32 = 12_582_912.0;

/// 1 / (1 + e^-x), NaN of NaN. The exponential is reduced by powers of two, then a polynomial of degree 6 (relative error 1e-7).
#[inline(always)]
pub(super) unsafe fn sigmoid<L: Lanes>(x: L) -> L {
    unsafe {
        let c = |v: f32| L::splat(v);
        let x = c(-87.0).max(c(87.0).min(c(0.0).sub(x)));
        let shifted = x.fma(c(std::f32::consts::LOG2_E), c(MAGIC));
        let k = shifted.sub(c(MAGIC));
        let r = k.fma(c(-0.693_359_4), x);
        let r = k.fma(c(2.121_944_4e-4), r);
        let mut p = c(1.0 / 720.0);
        for factor in [1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
            p = p.fma(r, c(factor));
        }
        c(1.0).div(p.fma(shifted.exp2_of_magic(), c(1.0)))
    }
}

/// Two groups side by side.
impl<A: Lanes, B: Lanes> Lanes for (A, B) {
    const WIDTH: usize = A::WIDTH + B::WIDTH;
    #[inline(always)]
    unsafe fn splat(v: f32) -> Self {
        unsafe { (A::splat(v), B::splat(v)) }
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self {
        unsafe { (A::load(p), B::load(p.add(A::WIDTH))) }
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32) {
        unsafe {
            self.0.store(p);
            self.1.store(p.add(A::WIDTH));
        }
    }
    #[inline(always)]
    unsafe fn add(self, o: Self) -> Self {
        unsafe { (self.0.add(o.0), self.1.add(o.1)) }
    }
    #[inline(always)]
    unsafe fn sub(self, o: Self) -> Self {
        unsafe { (self.0.sub(o.0), self.1.sub(o.1)) }
    }
    #[inline(always)]
    unsafe fn mul(self, o: Self) -> Self {
        unsafe { (self.0.mul(o.0), self.1.mul(o.1)) }
    }
    #[inline(always)]
    unsafe fn div(self, o: Self) -> Self {
        unsafe { (self.0.div(o.0), self.1.div(o.1)) }
    }
    #[inline(always)]
    unsafe fn max(self, o: Self) -> Self {
        unsafe { (self.0.max(o.0), self.1.max(o.1)) }
    }
    #[inline(always)]
    unsafe fn min(self, o: Self) -> Self {
        unsafe { (self.0.min(o.0), self.1.min(o.1)) }
    }
    #[inline(always)]
    unsafe fn fma(self, b: Self, c: Self) -> Self {
        unsafe { (self.0.fma(b.0, c.0), self.1.fma(b.1, c.1)) }
    }
    #[inline(always)]
    unsafe fn where_positive(self, c: Self) -> Self {
        unsafe { (self.0.where_positive(c.0), self.1.where_positive(c.1)) }
    }
    #[inline(always)]
    unsafe fn exp2_of_magic(self) -> Self {
        unsafe { (self.0.exp2_of_magic(), self.1.exp2_of_magic()) }
    }
}

/// Eight columns in whatever the compiler makes of an array.
#[derive(Clone, Copy)]
pub(super) struct Portable([f32; 8]);

impl Portable {
    #[inline(always)]
    fn zip(self, o: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        Self(std::array::from_fn(|i| f(self.0[i], o.0[i])))
    }
}

impl Lanes for Portable {
    const WIDTH: usize = 8;
    #[inline(always)]
    unsafe fn splat(v: f32) -> Self {
        Self([v; 8])
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self {
        Self(unsafe { p.cast::<[f32; 8]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32) {
        unsafe { p.cast::<[f32; 8]>().write_unaligned(self.0) }
    }
    #[inline(always)]
    unsafe fn add(self, o: Self) -> Self {
        self.zip(o, |a, b| a + b)
    }
    #[inline(always)]
    unsafe fn sub(self, o: Self) -> Self {
        self.zip(o, |a, b| a - b)
    }
    #[inline(always)]
    unsafe fn mul(self, o: Self) -> Self {
        self.zip(o, |a, b| a * b)
    }
    #[inline(always)]
    unsafe fn div(self, o: Self) -> Self {
        self.zip(o, |a, b| a / b)
    }
    #[inline(always)]
    unsafe fn max(self, o: Self) -> Self {
        self.zip(o, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    unsafe fn min(self, o: Self) -> Self {
        self.zip(o, |a, b| if a < b { a } else { b })
    }
    #[inline(always)]
    unsafe fn fma(self, b: Self, c: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] * b.0[i] + c.0[i]))
    }
    #[inline(always)]
    unsafe fn where_positive(self, c: Self) -> Self {
        self.zip(c, |a, c| if c <= 0.0 { 0.0 } else { a })
    }
    #[inline(always)]
    unsafe fn exp2_of_magic(self) -> Self {
        Self(self.0.map(|v| f32::from_bits((v.to_bits() << 23).wrapping_add(0x3f80_0000))))
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) mod x86 {
    use std::arch::x86_64::*;

    use super::Lanes;

    /// Eight columns; AVX2 and FMA.
    #[derive(Clone, Copy)]
    pub(in super::super) struct Ymm(__m256);

    /// Sixteen columns; AVX-512F.
    #[derive(Clone, Copy)]
    pub(in super::super) struct Zmm(__m512);

    impl Lanes for Ymm {
        const WIDTH: usize = 8;
        #[inline(always)]
        unsafe fn splat(v: f32) -> Self {
            Self(unsafe { _mm256_set1_ps(v) })
        }
        #[inline(always)]
        unsafe fn load(p: *const f32) -> Self {
            Self(unsafe { _mm256_loadu_ps(p) })
        }
        #[inline(always)]
        unsafe fn store(self, p: *mut f32) {
            unsafe { _mm256_storeu_ps(p, self.0) }
        }
        #[inline(always)]
        unsafe fn add(self, o: Self) -> Self {
            Self(unsafe { _mm256_add_ps(self.0, o.0) })
        }
        #[inline(always)]
        unsafe fn sub(self, o: Self) -> Self {
            Self(unsafe { _mm256_sub_ps(self.0, o.0) })
        }
        #[inline(always)]
        unsafe fn mul(self, o: Self) -> Self {
            Self(unsafe { _mm256_mul_ps(self.0, o.0) })
        }
        #[inline(always)]
        unsafe fn div(self, o: Self) -> Self {
            Self(unsafe { _mm256_div_ps(self.0, o.0) })
        }
        #[inline(always)]
        unsafe fn max(self, o: Self) -> Self {
            Self(unsafe { _mm256_max_ps(self.0, o.0) })
        }
        #[inline(always)]
        unsafe fn min(self, o: Self) -> Self {
            Self(unsafe { _mm256_min_ps(self.0, o.0) })
        }
        #[inline(always)]
        unsafe fn fma(self, b: Self, c: Self) -> Self {
            Self(unsafe { _mm256_fmadd_ps(self.0, b.0, c.0) })
        }
        #[inline(always)]
        unsafe fn where_positive(self, c: Self) -> Self {
            Self(unsafe { _mm256_and_ps(self.0, _mm256_cmp_ps::<_CMP_NLE_UQ>(c.0, _mm256_setzero_ps())) })
        }
        #[inline(always)]
        unsafe fn exp2_of_magic(self) -> Self {
            unsafe {
                let bits = _mm256_slli_epi32::<23>(_mm256_castps_si256(self.0));
                Self(_mm256_castsi256_ps(_mm256_add_epi32(bits, _mm256_set1_epi32(0x3f80_0000))))
            }
        }
    }

    impl Lanes for Zmm {
        const WIDTH: usize = 16;
        #[inline(always)]
        unsafe fn splat(v: f32) -> Self {
            Self(unsafe { _mm512_set1_ps(v) })
        }
        #[inline(always)]
        unsafe fn load(p: *const f32) -> Self {
            Self(unsafe { _mm512_loadu_ps(p) })
        }
        #[inline(always)]
        unsafe fn store(self, p: *mut f32) {
            unsafe { _mm512_storeu_ps(p, self.0) }
        }
        #[inline(always)]
        unsafe fn add(self, o: Self) -> Self {
            Self(unsafe { _mm512_add_ps(self.0, o.0) })
        }
        #[inline(always)]
        unsafe fn sub(self, o: Self) -> Self {
            Self(unsafe { _mm512_sub_ps(self.0, o.0) })
        }
        #[inline(always)]
        unsafe fn mul(self, o: Self) -> Self {
            Self(unsafe { _mm512_mul_ps(self.0, o.0) })
        }
        #[inline(always)]
        unsafe fn div(self, o: Self) -> Self {
            Self(unsafe { _mm512_div_ps(self.0, o.0) })
        }
        #[inline(always)]
        unsafe fn max(self, o: Self) -> Self {
            Self(unsafe { _mm512_max_ps(self.0, o.0) })
        }
        #[inline(always)]
        unsafe fn min(self, o: Self) -> Self {
            Self(unsafe { _mm512_min_ps(self.0, o.0) })
        }
        #[inline(always)]
        unsafe fn fma(self, b: Self, c: Self) -> Self {
            Self(unsafe { _mm512_fmadd_ps(self.0, b.0, c.0) })
        }
        #[inline(always)]
        unsafe fn where_positive(self, c: Self) -> Self {
            unsafe {
                let positive = _mm512_cmp_ps_mask::<_CMP_NLE_UQ>(c.0, _mm512_setzero_ps());
                Self(_mm512_maskz_mov_ps(positive, self.0))
            }
        }
        #[inline(always)]
        unsafe fn exp2_of_magic(self) -> Self {
            unsafe {
                let bits = _mm512_slli_epi32::<23>(_mm512_castps_si512(self.0));
                Self(_mm512_castsi512_ps(_mm512_add_epi32(bits, _mm512_set1_epi32(0x3f80_0000))))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each operation on NaN, infinities, zeros of both signs and numbers, against what one value at a time gives. The caller
    /// has the instructions.
    unsafe fn check<L: Lanes>() {
        let values = [
            f32::NAN,
            -f32::NAN,
            f32::INFINITY,
            f32::NEG_INFINITY,
            0.0,
            -0.0,
            f32::MIN_POSITIVE,
            1e-40,
            -1e-40,
            3.5,
            -3.5,
        ];
        let apply = |f: &dyn Fn(L) -> L, v: f32| {
            let mut out = vec![0.0; L::WIDTH];
            // SAFETY: the buffer holds a group.
            unsafe { f(L::splat(v)).store(out.as_mut_ptr()) };
            assert!(out.iter().all(|o| o.to_bits() == out[0].to_bits()));
            out[0]
        };
        for v in values {
            // SAFETY: as the caller's.
            let relu = apply(&|x| unsafe { x.where_positive(x) }, v);
            if v.is_nan() {
                assert!(relu.is_nan());
            } else {
                let expected = if v > 0.0 { v } else { 0.0 };
                assert_eq!(relu.to_bits(), expected.to_bits(), "{v}");
            }
            // SAFETY: as the caller's.
            let gate = apply(&|x| unsafe { sigmoid(x) }, v);
            let expected = 1.0 / (1.0 + (-f64::from(v)).exp());
            assert!(
                gate.is_nan() == v.is_nan() && (v.is_nan() || (f64::from(gate) - expected).abs() < 2e-7),
                "{v}: {gate}"
            );
        }
    }

    #[test]
    fn nan_stays_nan_and_no_number_changes() {
        // SAFETY: each group only where the CPU has its instructions.
        unsafe {
            check::<Portable>();
            check::<(Portable, Portable)>();
            #[cfg(target_arch = "x86_64")]
            {
                if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                    check::<x86::Ymm>();
                }
                if is_x86_feature_detected!("avx512f") {
                    check::<x86::Zmm>();
                }
            }
        }
    }
}
