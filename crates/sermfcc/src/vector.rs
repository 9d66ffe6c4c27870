//! The one place with unsafe code: running a function with wider vectors where the processor has them.
//!
//! The functions called are ordinary safe Rust, marked `#[inline(always)]` so that they are compiled twice: for the build's own
//! target, and for AVX2. They are named functions with their arguments as one tuple, because a closure cannot be marked. No
//! operation is fused or reordered, so both give the same bits.

#![allow(unsafe_code)]

/// Runs `work` on its arguments, compiled for AVX2 where this processor has it.
#[inline(always)]
pub(crate) fn widest<A, R>(arguments: A, work: impl FnOnce(A) -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2")]
        fn avx2<A, R>(arguments: A, work: impl FnOnce(A) -> R) -> R {
            work(arguments)
        }
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has AVX2, which is all that the function requires.
            return unsafe { avx2(arguments, work) };
        }
    }
    work(arguments)
}
