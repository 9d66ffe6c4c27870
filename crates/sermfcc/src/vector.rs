//! The one place with unsafe code: running a function with wider vectors where the processor has them, and slices as arrays, which
//! the standard library has from Rust 1.88 on.
//!
//! What runs is ordinary safe Rust, marked `#[inline(always)]` so that it is compiled three times: for the build's own target,
//! for AVX2 and for AVX-512. It is a method of a type, because closures and function values cannot be marked. No operation is
//! fused or reordered, so all give the same bits.

#![allow(unsafe_code)]

/// A piece of arithmetic with its arguments. Implementations mark `run` with `#[inline(always)]`.
pub(crate) trait Work {
    type Out;
    fn run(self) -> Self::Out;
}

/// Runs `work`, compiled for the widest vectors that this processor has.
#[inline(always)]
pub(crate) fn widest<W: Work>(work: W) -> W::Out {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::is_x86_feature_detected as has;

        // SAFETY: to be called where the processor has AVX2.
        #[target_feature(enable = "avx2")]
        unsafe fn avx2<W: Work>(work: W) -> W::Out {
            work.run()
        }
        #[cfg(avx512)]
        {
            // SAFETY: to be called where the processor has all four.
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
            unsafe fn avx512<W: Work>(work: W) -> W::Out {
                work.run()
            }
            if has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl") {
                // SAFETY: the processor has all four, which is what the function requires.
                return unsafe { avx512(work) };
            }
        }
        if has!("avx2") {
            // SAFETY: the processor has AVX2, which is all that the function requires.
            return unsafe { avx2(work) };
        }
    }
    work.run()
}

/// A slice as arrays of N, and what is left at its end.
#[inline(always)]
pub(crate) fn chunks<T, const N: usize>(slice: &[T]) -> (&[[T; N]], &[T]) {
    let (whole, rest) = slice.split_at(slice.len() / N * N);
    // SAFETY: `whole` is len / N times N elements of T, and [T; N] has the layout of N elements of T.
    (unsafe { std::slice::from_raw_parts(whole.as_ptr().cast(), whole.len() / N) }, rest)
}

/// A slice as arrays of N, and what is left at its end.
#[inline(always)]
pub(crate) fn chunks_mut<T, const N: usize>(slice: &mut [T]) -> (&mut [[T; N]], &mut [T]) {
    let (whole, rest) = slice.split_at_mut(slice.len() / N * N);
    // SAFETY: as in `chunks`; the arrays borrow `whole` alone, mutably, for as long as it is borrowed.
    (unsafe { std::slice::from_raw_parts_mut(whole.as_mut_ptr().cast(), whole.len() / N) }, rest)
}
