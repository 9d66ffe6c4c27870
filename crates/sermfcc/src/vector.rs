//! The one place with unsafe code: running a function with wider vectors where the processor has them.
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

        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
        fn avx512<W: Work>(work: W) -> W::Out {
            work.run()
        }
        #[target_feature(enable = "avx2")]
        fn avx2<W: Work>(work: W) -> W::Out {
            work.run()
        }
        if has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl") {
            // SAFETY: the processor has all four, which is what the function requires.
            return unsafe { avx512(work) };
        }
        if has!("avx2") {
            // SAFETY: the processor has AVX2, which is all that the function requires.
            return unsafe { avx2(work) };
        }
    }
    work.run()
}
