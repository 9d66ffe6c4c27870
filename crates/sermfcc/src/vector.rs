//! The one place with unsafe code: running a function with wider vectors where the processor has them.
//!
//! What runs is ordinary safe Rust, marked `#[inline(always)]` so that it is compiled twice: for the build's own target, and
//! for AVX2. It is a method of a type, because closures and function values cannot be marked. No operation is fused or
//! reordered, so both give the same bits.

#![allow(unsafe_code)]

/// A piece of arithmetic with its arguments. Implementations mark `run` with `#[inline(always)]`.
pub(crate) trait Work {
    type Out;
    fn run(self) -> Self::Out;
}

/// Runs `work`, compiled for AVX2 where this processor has it.
#[inline(always)]
pub(crate) fn widest<W: Work>(work: W) -> W::Out {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2")]
        fn avx2<W: Work>(work: W) -> W::Out {
            work.run()
        }
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has AVX2, which is all that the function requires.
            return unsafe { avx2(work) };
        }
    }
    work.run()
}
