//! The kernels for one group of columns. Pointers are to the group's first column of a tile whose rows are `p` apart;
//! `super` has checked every length.

use super::lanes::{Lanes, sigmoid};

/// What each kernel's arguments have in common.
#[derive(Clone, Copy)]
pub(super) struct Tile {
    /// Distance between rows, and the number of columns of all groups together.
    pub p: usize,
    /// Rows.
    pub frames: usize,
}

/// One operand of a matrix product: rows `x` against the [inner, p] matrix at `w`.
#[derive(Clone, Copy)]
pub(super) struct Factor {
    pub x: *const f32,
    pub w: *const f32,
}

#[inline(always)]
unsafe fn product<L: Lanes, const M: usize, const N: usize>(
    y: *mut f32,
    p: usize,
    inner: usize,
    factors: [Factor; N],
    start: Option<L>,
) {
    unsafe {
        let mut acc = [L::splat(0.0); M];
        for (m, acc) in acc.iter_mut().enumerate() {
            *acc = start.unwrap_or_else(|| L::load(y.add(m * p)));
        }
        for f in factors {
            for k in 0..inner {
                let w = L::load(f.w.add(k * p));
                for (m, acc) in acc.iter_mut().enumerate() {
                    *acc = L::splat(*f.x.add(m * p + k)).fma(w, *acc);
                }
            }
        }
        for (m, acc) in acc.into_iter().enumerate() {
            acc.store(y.add(m * p));
        }
    }
}

/// Asks for `len` values from `from` on to be brought into the L2 cache; never faults.
#[inline(always)]
fn prefetch(from: *const f32, len: usize) {
    #[cfg(target_arch = "x86_64")]
    for line in (0..len).step_by(16) {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        // SAFETY: a hint about an address, valid or not; SSE is part of x86-64.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(from.wrapping_add(line).cast()) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (from, len);
}

/// y = start + sum over factors of x w, for `tile.frames` rows; start is a bias or what y holds. The tiles `ahead`, which
/// later kernels read, come into the cache meanwhile.
#[inline(always)]
pub(super) unsafe fn rows<L: Lanes, const M: usize, const N: usize>(
    mut y: *mut f32,
    tile: Tile,
    inner: usize,
    mut factors: [Factor; N],
    bias: *const f32,
    ahead: &[&[f32]],
) {
    unsafe {
        let start = if bias.is_null() { None } else { Some(L::load(bias)) };
        let mut left = tile.frames;
        macro_rules! tiles {
            ($m:ident) => {
                while left >= $m {
                    for tiles in ahead {
                        prefetch(tiles.as_ptr().wrapping_add((tile.frames - left) * tile.p), $m * tile.p);
                    }
                    product::<L, $m, N>(y, tile.p, inner, factors, start);
                    y = y.wrapping_add($m * tile.p);
                    factors = factors.map(|f| Factor { x: f.x.wrapping_add($m * tile.p), ..f });
                    left -= $m;
                }
            };
        }
        const FEW: usize = 4;
        const ONE: usize = 1;
        tiles!(M);
        tiles!(FEW);
        tiles!(ONE);
    }
}

/// dw[o][.] += sum over rows of dy[o] x[.], for `M` rows o.
#[inline(always)]
pub(super) unsafe fn outer<L: Lanes, const M: usize>(dw: *mut f32, dy: *const f32, x: *const f32, tile: Tile) {
    unsafe {
        let mut acc = [L::splat(0.0); M];
        for t in 0..tile.frames {
            let x = L::load(x.add(t * tile.p));
            for (m, acc) in acc.iter_mut().enumerate() {
                *acc = L::splat(*dy.add(t * tile.p + m)).fma(x, *acc);
            }
        }
        for (m, acc) in acc.into_iter().enumerate() {
            let to = dw.add(m * tile.p);
            L::load(to).add(acc).store(to);
        }
    }
}

/// Adds sum(y - shift) and sum((y - shift)^2) over rows to `sums` and `squares`.
#[inline(always)]
pub(super) unsafe fn moments<L: Lanes>(
    y: *const f32,
    tile: Tile,
    shift: *const f32,
    sums: *mut f32,
    squares: *mut f32,
) {
    unsafe {
        let shift = L::load(shift);
        let (mut sum, mut square) = (L::splat(0.0), L::splat(0.0));
        for t in 0..tile.frames {
            let v = L::load(y.add(t * tile.p)).sub(shift);
            sum = sum.add(v);
            square = v.fma(v, square);
        }
        L::load(sums).add(sum).store(sums);
        L::load(squares).add(square).store(squares);
    }
}

/// The vectors of one sub-block and sample: z = y scale + offset; h = relu(z) mask.
#[derive(Clone, Copy)]
pub(super) struct Affine {
    pub scale: *const f32,
    pub offset: *const f32,
    pub mask: *const f32,
}

impl Affine {
    #[inline(always)]
    unsafe fn load<L: Lanes>(self) -> (L, L, L) {
        unsafe { (L::load(self.scale), L::load(self.offset), L::load(self.mask)) }
    }
}

/// max(x, 0), and NaN of NaN.
#[inline(always)]
unsafe fn relu<L: Lanes>(x: L) -> L {
    unsafe { x.where_positive(x) }
}

/// h = relu(BatchNorm(y)) mask
#[inline(always)]
pub(super) unsafe fn activate<L: Lanes>(h: *mut f32, y: *const f32, tile: Tile, affine: Affine) {
    unsafe {
        let (scale, offset, mask) = affine.load::<L>();
        for t in 0..tile.frames {
            let z = L::load(y.add(t * tile.p)).fma(scale, offset);
            relu(z).mul(mask).store(h.add(t * tile.p));
        }
    }
}

/// out = f sigmoid(h), or relu(h + f) where `RESIDUAL`; adds the sum over rows to `sums`.
#[inline(always)]
pub(super) unsafe fn join<L: Lanes, const RESIDUAL: bool>(
    out: *mut f32,
    f: *const f32,
    y: *const f32,
    tile: Tile,
    affine: Affine,
    sums: *mut f32,
) {
    unsafe {
        let (scale, offset, mask) = affine.load::<L>();
        let mut sum = L::load(sums);
        for t in 0..tile.frames {
            let h = relu(L::load(y.add(t * tile.p)).fma(scale, offset)).mul(mask);
            let f = L::load(f.add(t * tile.p));
            let v = if RESIDUAL { relu(h.add(f)) } else { f.mul(sigmoid(h)) };
            v.store(out.add(t * tile.p));
            sum = sum.add(v);
        }
        sum.store(sums);
    }
}

/// Sums over rows of a sub-block's dz and dz (y - mean), which BatchNorm's gradient needs.
#[derive(Clone, Copy)]
pub(super) struct Sums {
    pub mean: *const f32,
    pub dz: *mut f32,
    pub dz_y: *mut f32,
}

/// The gradient of [`join`]. With g = `grad` + `pooled` the gradient of its output: `dz` = that of z, `grad` = that of f
/// through the product or sum alone.
#[inline(always)]
pub(super) unsafe fn join_back<L: Lanes, const RESIDUAL: bool>(
    grad: *mut f32,
    dz: *mut f32,
    (f, y): (*const f32, *const f32),
    tile: Tile,
    affine: Affine,
    pooled: *const f32,
    sums: Sums,
) {
    unsafe {
        let (scale, offset, mask) = affine.load::<L>();
        let (pooled, mean) = (L::load(pooled), L::load(sums.mean));
        let (mut sum, mut sum_y) = (L::load(sums.dz), L::load(sums.dz_y));
        for t in 0..tile.frames {
            let y = L::load(y.add(t * tile.p));
            let f = L::load(f.add(t * tile.p));
            let z = y.fma(scale, offset);
            let h = relu(z).mul(mask);
            let g = L::load(grad.add(t * tile.p)).add(pooled);
            let (df, dh) = if RESIDUAL {
                let g = g.where_positive(h.add(f));
                (g, g)
            } else {
                let s = sigmoid(h);
                let df = g.mul(s);
                (df, df.mul(f).mul(L::splat(1.0).sub(s)))
            };
            df.store(grad.add(t * tile.p));
            let d = dh.mul(mask).where_positive(z);
            d.store(dz.add(t * tile.p));
            sum = sum.add(d);
            sum_y = d.fma(y.sub(mean), sum_y);
        }
        sum.store(sums.dz);
        sum_y.store(sums.dz_y);
    }
}

/// The gradient of [`activate`] in place: `dz` holds that of h, then that of z.
#[inline(always)]
pub(super) unsafe fn activate_back<L: Lanes>(dz: *mut f32, y: *const f32, tile: Tile, affine: Affine, sums: Sums) {
    unsafe {
        let (scale, offset, mask) = affine.load::<L>();
        let mean = L::load(sums.mean);
        let (mut sum, mut sum_y) = (L::load(sums.dz), L::load(sums.dz_y));
        for t in 0..tile.frames {
            let y = L::load(y.add(t * tile.p));
            let d = L::load(dz.add(t * tile.p)).mul(mask).where_positive(y.fma(scale, offset));
            d.store(dz.add(t * tile.p));
            sum = sum.add(d);
            sum_y = d.fma(y.sub(mean), sum_y);
        }
        sum.store(sums.dz);
        sum_y.store(sums.dz_y);
    }
}

/// dy = a dz + b (y - mean) + c: the gradient of BatchNorm's input.
#[inline(always)]
pub(super) unsafe fn norm_back<L: Lanes>(
    dy: *mut f32,
    (dz, y): (*const f32, *const f32),
    tile: Tile,
    [a, b, c, mean]: [*const f32; 4],
) {
    unsafe {
        let (a, b, c, mean) = (L::load(a), L::load(b), L::load(c), L::load(mean));
        for t in 0..tile.frames {
            let y = L::load(y.add(t * tile.p)).sub(mean);
            L::load(dz.add(t * tile.p)).fma(a, y.fma(b, c)).store(dy.add(t * tile.p));
        }
    }
}
