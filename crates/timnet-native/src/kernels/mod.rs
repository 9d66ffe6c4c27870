//! All of the crate's unsafe code: loops over rows of `p` columns, in the widest instructions that the CPU has.
//!
//! Layout. A tile is [frames, p] f32, p the number of channels rounded up to a multiple of 8; columns past the channels stay zero.
//! One layout serves every product of the network: dilation is an offset of rows, so no frame is padded or
//! copied, and 39 channels fill 40 columns (two 512-bit registers and a 256-bit one), of which one is idle.
//!
//! Safety. The public functions check every slice's length against the pointers that `body` will form from it, and a
//! [`Simd`] other than portable exists only where the CPU was found to have the instructions.
#![allow(unsafe_code)]

mod body;
mod lanes;

use body::{Affine, Factor, Sums, Tile};
use lanes::{Lanes, Portable};

/// The instructions to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Simd(Level);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Simd {
    /// Every level this CPU has, slowest first. AVX2 and AVX-512 give the same bytes, the portable level differs in the last bits.
    pub fn available() -> Vec<Self> {
        #[allow(unused_mut)]
        let mut levels = vec![Self(Level::Portable)];
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            levels.push(Self(Level::Avx2));
            if is_x86_feature_detected!("avx512f") {
                levels.push(Self(Level::Avx512));
            }
        }
        levels
    }

    /// The widest level this CPU has.
    pub fn detect() -> Self {
        Self::available().pop().unwrap_or(Self(Level::Portable))
    }

    /// `portable`, `avx2` or `avx512`.
    pub fn name(self) -> &'static str {
        match self.0 {
            Level::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => "avx512",
        }
    }

    fn run(self, p: usize, op: impl Op) {
        assert!(p.is_multiple_of(8));
        // SAFETY: the level was detected; every `Op` below was built from checked slices.
        unsafe {
            match self.0 {
                Level::Portable => portable(p, op),
                #[cfg(target_arch = "x86_64")]
                Level::Avx2 => avx2(p, op),
                #[cfg(target_arch = "x86_64")]
                Level::Avx512 => avx512(p, op),
            }
        }
    }
}

/// A kernel with its arguments: runs on the columns from `at`, `M` rows at a time where it blocks rows.
trait Op: Copy {
    unsafe fn run<L: Lanes, const M: usize>(self, at: usize);
}

unsafe fn portable(p: usize, op: impl Op) {
    for at in (0..p).step_by(8) {
        // SAFETY: as in `Simd::run`.
        unsafe { op.run::<Portable, 4>(at) }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2(p: usize, op: impl Op) {
    use lanes::x86::Ymm;
    let mut at = 0;
    // SAFETY: as in `Simd::run`.
    unsafe {
        while p - at >= 24 {
            op.run::<((Ymm, Ymm), Ymm), 4>(at);
            at += 24;
        }
        while p - at >= 16 {
            op.run::<(Ymm, Ymm), 4>(at);
            at += 16;
        }
        while p - at >= 8 {
            op.run::<Ymm, 8>(at);
            at += 8;
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2,fma")]
unsafe fn avx512(p: usize, op: impl Op) {
    use lanes::x86::{Ymm, Zmm};
    let mut at = 0;
    // SAFETY: as in `Simd::run`.
    unsafe {
        while p - at >= 40 {
            op.run::<((Zmm, Zmm), Ymm), 8>(at);
            at += 40;
        }
        while p - at >= 16 {
            op.run::<Zmm, 8>(at);
            at += 16;
        }
        while p - at >= 8 {
            op.run::<Ymm, 8>(at);
            at += 8;
        }
    }
}

/// The same offset into several pointers.
macro_rules! at {
    ($at:ident, $($pointer:expr),+) => { ($($pointer.wrapping_add($at)),+) };
}

impl Affine {
    fn at(self, at: usize) -> Self {
        let (scale, offset, mask) = at!(at, self.scale, self.offset, self.mask);
        Self { scale, offset, mask }
    }
}

impl Sums {
    fn at(self, at: usize) -> Self {
        Self { mean: self.mean.wrapping_add(at), dz: self.dz.wrapping_add(at), dz_y: self.dz_y.wrapping_add(at) }
    }
}

/// z = y scale + offset, h = relu(z) mask; [p] each.
#[derive(Clone, Copy)]
pub(crate) struct SubBlock<'a> {
    pub scale: &'a [f32],
    pub offset: &'a [f32],
    pub mask: &'a [f32],
}

impl SubBlock<'_> {
    fn check(&self, p: usize) -> Affine {
        assert!([self.scale, self.offset, self.mask].iter().all(|v| v.len() == p));
        Affine { scale: self.scale.as_ptr(), offset: self.offset.as_ptr(), mask: self.mask.as_ptr() }
    }
}

/// Sums over rows that BatchNorm's gradient needs; [p] each.
pub(crate) struct NormSums<'a> {
    /// The batch's mean of y.
    pub mean: &'a [f32],
    /// Gains sum dz.
    pub dz: &'a mut [f32],
    /// Gains sum dz (y - mean).
    pub dz_y: &'a mut [f32],
}

impl NormSums<'_> {
    fn check(&mut self, p: usize) -> Sums {
        assert!(self.mean.len() == p && self.dz.len() == p && self.dz_y.len() == p);
        Sums { mean: self.mean.as_ptr(), dz: self.dz.as_mut_ptr(), dz_y: self.dz_y.as_mut_ptr() }
    }
}

/// Rows of `p` columns, `channels` of them in use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub simd: Simd,
    pub channels: usize,
    pub p: usize,
}

/// Which rows the taps of a convolution meet, by its dilation: the last tap the row itself, each before it the row so many frames ..
#[derive(Clone, Copy)]
pub(crate) enum Reach {
    /// .. earlier: the convolution.
    Earlier(usize),
    /// .. later: its transpose.
    Later(usize),
}

impl Shape {
    pub fn new(simd: Simd, channels: usize) -> Self {
        Self { simd, channels, p: channels.next_multiple_of(8) }
    }

    fn tile(&self, rows: &[f32]) -> Tile {
        assert!(rows.len().is_multiple_of(self.p));
        Tile { p: self.p, frames: rows.len() / self.p }
    }

    /// y = bias + sum over parts of x w over rows: a product whose input is wider than the channels. `x` is [parts][frames, p], `w`
    /// [parts][channels, p].
    pub fn pointwise(&self, y: &mut [f32], x: &[f32], w: &[f32], bias: &[f32]) {
        let mut start = Some(bias);
        for (x, w) in x.chunks_exact(y.len()).zip(w.chunks_exact(self.channels * self.p)) {
            self.rows(y, [(x, w)], start.take(), [&[]; 0]);
        }
    }

    /// y[t] = start + x[t] w_last + x[t -+ d] w_before + .., rows outside x counting as zero. `w` is [taps, channels, p]. The tiles
    /// `ahead` come into the cache meanwhile.
    pub fn convolve<const A: usize>(
        &self,
        y: &mut [f32],
        x: &[f32],
        w: &[f32],
        reach: Reach,
        bias: Option<&[f32]>,
        ahead: [&[f32]; A],
    ) {
        let one = self.channels * self.p;
        if w.len() == one {
            return self.rows(y, [(x, w)], bias, ahead);
        }
        let (further, w) = w.split_at(w.len() - 2 * one);
        let (w0, w1) = w.split_at(one);
        let dilation = match reach {
            Reach::Earlier(d) | Reach::Later(d) => d * self.p,
        };
        let d = dilation.min(y.len());
        let both = y.len() - d;
        match reach {
            Reach::Earlier(_) => {
                let (alone, two) = y.split_at_mut(d);
                self.rows(alone, [(&x[..d], w1)], bias, ahead.map(|a| a.split_at(d.min(a.len())).0));
                self.rows(two, [(&x[d..], w1), (&x[..both], w0)], bias, ahead.map(|a| a.split_at(d.min(a.len())).1));
            }
            Reach::Later(_) => {
                let (two, alone) = y.split_at_mut(both);
                self.rows(two, [(&x[..both], w1), (&x[d..], w0)], bias, ahead.map(|a| a.split_at(both.min(a.len())).0));
                self.rows(alone, [(&x[both..], w1)], bias, ahead.map(|a| a.split_at(both.min(a.len())).1));
            }
        }
        // The nearest first: two dilations away, three, ..
        for (i, w) in further.rchunks_exact(one).enumerate() {
            let d = ((i + 2) * dilation).min(y.len());
            let both = y.len() - d;
            match reach {
                Reach::Earlier(_) => self.rows(&mut y[d..], [(&x[..both], w)], None, [&[]; 0]),
                Reach::Later(_) => self.rows(&mut y[..both], [(&x[d..], w)], None, [&[]; 0]),
            }
        }
    }

    fn rows<const N: usize, const A: usize>(
        &self,
        y: &mut [f32],
        factors: [(&[f32], &[f32]); N],
        bias: Option<&[f32]>,
        ahead: [&[f32]; A],
    ) {
        #[derive(Clone, Copy)]
        struct Rows<'a, const N: usize>(*mut f32, Tile, usize, [Factor; N], *const f32, &'a [&'a [f32]]);
        impl<const N: usize> Op for Rows<'_, N> {
            #[inline(always)]
            unsafe fn run<L: Lanes, const M: usize>(self, at: usize) {
                let Self(y, tile, inner, factors, bias, ahead) = self;
                let ahead = if at == 0 { ahead } else { &[] };
                let factors = factors.map(|f| Factor { w: f.w.wrapping_add(at), ..f });
                let bias = if bias.is_null() { bias } else { bias.wrapping_add(at) };
                unsafe { body::rows::<L, M, N>(y.wrapping_add(at), tile, inner, factors, bias, ahead) }
            }
        }
        assert!(factors.iter().all(|(x, w)| x.len() == y.len() && w.len() == self.channels * self.p));
        assert!(bias.is_none_or(|b| b.len() == self.p));
        let tile = self.tile(y);
        let factors = factors.map(|(x, w)| Factor { x: x.as_ptr(), w: w.as_ptr() });
        let bias = bias.map_or(std::ptr::null(), <[f32]>::as_ptr);
        self.simd.run(self.p, Rows(y.as_mut_ptr(), tile, self.channels, factors, bias, &ahead));
    }

    /// dw[o][i] += sum over rows of dy[o] x[i]; `dw` is [p, p].
    pub fn outer(&self, dw: &mut [f32], dy: &[f32], x: &[f32]) {
        #[derive(Clone, Copy)]
        struct Outer(*mut f32, *const f32, *const f32, Tile);
        impl Op for Outer {
            #[inline(always)]
            unsafe fn run<L: Lanes, const M: usize>(self, at: usize) {
                let Self(dw, dy, x, tile) = self;
                for o in (0..tile.p).step_by(M) {
                    let dw = dw.wrapping_add(o * tile.p + at);
                    unsafe { body::outer::<L, M>(dw, dy.wrapping_add(o), x.wrapping_add(at), tile) }
                }
            }
        }
        assert!(dy.len() == x.len() && dw.len() == self.p * self.p);
        let tile = self.tile(x);
        self.simd.run(self.p, Outer(dw.as_mut_ptr(), dy.as_ptr(), x.as_ptr(), tile));
    }

    /// Adds sum(y - shift) and sum((y - shift)^2) over rows.
    pub fn moments(&self, y: &[f32], shift: &[f32], sums: &mut [f32], squares: &mut [f32]) {
        #[derive(Clone, Copy)]
        struct Moments(*const f32, Tile, *const f32, *mut f32, *mut f32);
        impl Op for Moments {
            #[inline(always)]
            unsafe fn run<L: Lanes, const M: usize>(self, at: usize) {
                let Self(y, tile, shift, sums, squares) = self;
                let (y, shift) = at!(at, y, shift);
                let (sums, squares) = at!(at, sums, squares);
                unsafe { body::moments::<L>(y, tile, shift, sums, squares) }
            }
        }
        assert!(shift.len() == self.p && sums.len() == self.p && squares.len() == self.p);
        let tile = self.tile(y);
        self.simd.run(self.p, Moments(y.as_ptr(), tile, shift.as_ptr(), sums.as_mut_ptr(), squares.as_mut_ptr()));
    }

    /// h = relu(BatchNorm(y)) mask
    pub fn activate(&self, h: &mut [f32], y: &[f32], sub: SubBlock) {
        #[derive(Clone, Copy)]
        struct Activate(*mut f32, *const f32, Tile, Affine);
        impl Op for Activate {
            #[inline(always)]
            unsafe fn run<L: Lanes, const M: usize>(self, at: usize) {
                let Self(h, y, tile, affine) = self;
                unsafe { body::activate::<L>(h.wrapping_add(at), y.wrapping_add(at), tile, affine.at(at)) }
            }
        }
        assert_eq!(h.len(), y.len());
        self.simd.run(self.p, Activate(h.as_mut_ptr(), y.as_ptr(), self.tile(y), sub.check(self.p)));
    }

    /// out = f sigmoid(h), or relu(f + h) where `residual`; adds out's sum over rows to `sums`.
    pub fn join(&self, out: &mut [f32], f: &[f32], y: &[f32], sub: SubBlock, residual: bool, sums: &mut [f32]) {
        #[derive(Clone, Copy)]
        struct Join(*mut f32, *const f32, *const f32, Tile, Affine, bool, *mut f32);
        impl Op for Join {
            #[inline(always)]
            unsafe fn run<L: Lanes, const M: usize>(self, at: usize) {
                let Self(out, f, y, tile, affine, residual, sums) = self;
                let (out, sums) = at!(at, out, sums);
                let (f, y) = at!(at, f, y);
                unsafe {
                    if residual {
                        body::join::<L, true>(out, f, y, tile, affine.at(at), sums);
                    } else {
                        body::join::<L, false>(out, f, y, tile, affine.at(at), sums);
                    }
                }
            }
        }
        assert!(out.len() == y.len() && f.len() == y.len() && sums.len() == self.p);
        let (tile, affine) = (self.tile(y), sub.check(self.p));
        let op = Join(out.as_mut_ptr(), f.as_ptr(), y.as_ptr(), tile, affine, residual, sums.as_mut_ptr());
        self.simd.run(self.p, op);
    }

    /// The gradient of [`Self::join`]: `grad` is that of out without `pooled`, then that of f past the sub-blocks; `dz`
    /// becomes that of z.
    #[allow(clippy::too_many_arguments)]
    pub fn join_back(
        &self,
        grad: &mut [f32],
        dz: &mut [f32],
        f: &[f32],
        y: &[f32],
        sub: SubBlock,
        residual: bool,
        pooled: &[f32],
        mut sums: NormSums,
    ) {
        #[derive(Clone, Copy)]
        struct Back(*mut f32, *mut f32, *const f32, *const f32, Tile, Affine, bool, *const f32, Sums);
        impl Op for Back {
            #[inline(always)]
            unsafe fn run<L: Lanes, const M: usize>(self, at: usize) {
                let Self(grad, dz, f, y, tile, affine, residual, pooled, sums) = self;
                let (grad, dz) = at!(at, grad, dz);
                let (f, y, pooled) = at!(at, f, y, pooled);
                unsafe {
                    if residual {
                        body::join_back::<L, true>(grad, dz, (f, y), tile, affine.at(at), pooled, sums.at(at));
                    } else {
                        body::join_back::<L, false>(grad, dz, (f, y), tile, affine.at(at), pooled, sums.at(at));
                    }
                }
            }
        }
        assert!([grad.len(), dz.len(), f.len()].iter().all(|&n| n == y.len()) && pooled.len() == self.p);
        let (tile, affine, sums) = (self.tile(y), sub.check(self.p), sums.check(self.p));
        let (grad, dz) = (grad.as_mut_ptr(), dz.as_mut_ptr());
        self.simd.run(self.p, Back(grad, dz, f.as_ptr(), y.as_ptr(), tile, affine, residual, pooled.as_ptr(), sums));
    }

    /// The gradient of [`Self::activate`]: `dz` is that of h, then that of z.
    pub fn activate_back(&self, dz: &mut [f32], y: &[f32], sub: SubBlock, mut sums: NormSums) {
        #[derive(Clone, Copy)]
        struct Back(*mut f32, *const f32, Tile, Affine, Sums);
        impl Op for Back {
            #[inline(always)]
            unsafe fn run<L: Lanes, const M: usize>(self, at: usize) {
                let Self(dz, y, tile, affine, sums) = self;
                unsafe {
                    body::activate_back::<L>(dz.wrapping_add(at), y.wrapping_add(at), tile, affine.at(at), sums.at(at));
                }
            }
        }
        assert_eq!(dz.len(), y.len());
        let (tile, affine, sums) = (self.tile(y), sub.check(self.p), sums.check(self.p));
        self.simd.run(self.p, Back(dz.as_mut_ptr(), y.as_ptr(), tile, affine, sums));
    }

    /// dy = a dz + b (y - mean) + c
    pub fn norm_back(&self, dy: &mut [f32], dz: &[f32], y: &[f32], vectors: [&[f32]; 4]) {
        #[derive(Clone, Copy)]
        struct Back(*mut f32, *const f32, *const f32, Tile, [*const f32; 4]);
        impl Op for Back {
            #[inline(always)]
            unsafe fn run<L: Lanes, const M: usize>(self, at: usize) {
                let Self(dy, dz, y, tile, vectors) = self;
                let (dz, y) = at!(at, dz, y);
                let vectors = vectors.map(|v| v.wrapping_add(at));
                unsafe { body::norm_back::<L>(dy.wrapping_add(at), (dz, y), tile, vectors) }
            }
        }
        assert!(dy.len() == y.len() && dz.len() == y.len() && vectors.iter().all(|v| v.len() == self.p));
        let tile = self.tile(y);
        self.simd.run(self.p, Back(dy.as_mut_ptr(), dz.as_ptr(), y.as_ptr(), tile, vectors.map(<[f32]>::as_ptr)));
    }
}
