//! The power spectrum of a real frame.
//!
//! An even frame of N samples is packed into N / 2 complex numbers z[j] = x[2j] + i x[2j + 1]. With Z their transform,
//! M = N / 2 and W = exp(-2 pi i / N), the spectrum is X[k] = E + W^k O and X[M - k] = conj(E - W^k O), where
//! 2 E = Z[k] + conj(Z[M - k]) and 2 O = -i (Z[k] - conj(Z[M - k])). Going from Z to |X|^2 directly saves writing X.

use std::array::from_fn;
use std::f64::consts::TAU;
use std::sync::Arc;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

use crate::float::{Float, LANES};
use crate::vector::{Work, chunks, chunks_mut};

/// A transform made ready.
pub(crate) struct Spectrum<F: Float> {
    fft: Arc<dyn Fft<F>>,
    n_fft: usize,
    /// W^k for k from 1, below N / 4; empty for an odd length, which is not packed.
    twiddles: Vec<Complex<F>>,
}

/// Its buffers.
#[derive(Debug)]
pub(crate) struct Buffers<F> {
    /// The frame, windowed and packed; then its transform.
    pub frame: Vec<Complex<F>>,
    scratch: Vec<Complex<F>>,
}

impl<F: Float> Spectrum<F> {
    pub(crate) fn new(n_fft: usize) -> Self {
        let packed = n_fft % 2 == 0;
        let count = if packed { n_fft / 4 } else { 0 };
        let angle = |k: usize| -TAU * (k + 1) as f64 / n_fft as f64;
        Spectrum {
            fft: FftPlanner::new().plan_fft_forward(if packed { n_fft / 2 } else { n_fft }),
            n_fft,
            twiddles: (0..count).map(|k| Complex::new(F::of(angle(k).cos()), F::of(angle(k).sin()))).collect(),
        }
    }

    pub(crate) fn buffers(&self) -> Buffers<F> {
        let zero = Complex::new(F::default(), F::default());
        Buffers { frame: vec![zero; self.fft.len()], scratch: vec![zero; self.fft.get_inplace_scratch_len()] }
    }

    /// Whether two samples share one complex number.
    pub(crate) fn is_packed(&self) -> bool {
        self.n_fft % 2 == 0
    }

    /// Transforms the frame in place. [`Power`] of a packed frame is 4 times too large; a window of half the height makes up
    /// for that, exactly.
    pub(crate) fn transform(&self, buffers: &mut Buffers<F>) {
        self.fft.process_with_scratch(&mut buffers.frame, &mut buffers.scratch);
    }
}

/// From the transform of a packed frame to 4 |X|^2, of one that is not packed to |X|^2. Shape: power [n_fft / 2 + 1], or more.
pub(crate) struct Power<'a, F: Float> {
    pub spectrum: &'a Spectrum<F>,
    pub buffers: &'a mut Buffers<F>,
    pub power: &'a mut [F],
}

impl<F: Float> Work for Power<'_, F> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let Power { spectrum, buffers, power } = self;
        let z = &buffers.frame;
        if !spectrum.is_packed() {
            for (power, x) in power.iter_mut().zip(z.iter()) {
                *power = x.re * x.re + x.im * x.im;
            }
            return;
        }
        let m = z.len();
        let (zero, rest) = (z[0], &z[1..]);
        let two = F::of(2.0);
        let (sum, difference) = (two * (zero.re + zero.im), two * (zero.re - zero.im));
        power[0] = sum * sum;
        power[m] = difference * difference;
        let inner = &mut power[1..m];
        let pairs = inner.len() / 2;
        let (low, high) = inner.split_at_mut(inner.len() - pairs);
        if low.len() > pairs {
            // k = M / 2, its own mirror: |X| = |Z|.
            let middle = rest[pairs];
            low[pairs] = F::of(4.0) * (middle.re * middle.re + middle.im * middle.im);
        }
        let mirrored = &rest[rest.len() - pairs..];
        let (z, z_tail) = chunks::<_, LANES>(&rest[..pairs]);
        // What belongs to M - k has its odd end in front.
        let (mirrored_tail, mirrored) = mirrored.split_at(pairs % LANES);
        let (twiddles, twiddles_tail) = chunks::<_, LANES>(&spectrum.twiddles[..pairs]);
        let (low, low_tail) = chunks_mut::<_, LANES>(&mut low[..pairs]);
        let (high_tail, high) = high.split_at_mut(pairs % LANES);
        along(z, chunks(mirrored).0, twiddles, low, chunks_mut(high).0);
        along::<_, 1>(
            chunks(z_tail).0,
            chunks(mirrored_tail).0,
            chunks(twiddles_tail).0,
            chunks_mut(low_tail).0,
            chunks_mut(high_tail).0,
        );
    }
}

/// [`butterflies`] all along; what belongs to M - k runs backwards.
#[inline(always)]
fn along<F: Float, const N: usize>(
    z: &[[Complex<F>; N]],
    mirrored: &[[Complex<F>; N]],
    twiddles: &[[Complex<F>; N]],
    low: &mut [[F; N]],
    high: &mut [[F; N]],
) {
    let turned = mirrored.iter().zip(high).rev();
    for (((z, twiddles), low), (mirrored, high)) in z.iter().zip(twiddles).zip(low).zip(turned) {
        butterflies(z, mirrored, twiddles, low, high);
    }
}

/// 4 |X[k]|^2 and 4 |X[M - k]|^2 from Z[k] and Z[M - k] for N successive k. What belongs to M - k stands in memory's order,
/// so backwards; lanes are turned around in registers.
#[inline(always)]
fn butterflies<F: Float, const N: usize>(
    z: &[Complex<F>; N],
    mirrored: &[Complex<F>; N],
    twiddles: &[Complex<F>; N],
    low: &mut [F; N],
    high: &mut [F; N],
) {
    let (re, im): ([F; N], [F; N]) = (from_fn(|k| z[k].re), from_fn(|k| z[k].im));
    let (wr, wi): ([F; N], [F; N]) = (from_fn(|k| twiddles[k].re), from_fn(|k| twiddles[k].im));
    let (mirrored_re, mirrored_im): ([F; N], [F; N]) =
        (from_fn(|k| mirrored[N - 1 - k].re), from_fn(|k| mirrored[N - 1 - k].im));
    let mut turned = [F::default(); N];
    for k in 0..N {
        let (er, ei) = (re[k] + mirrored_re[k], im[k] - mirrored_im[k]);
        let (or, oi) = (im[k] + mirrored_im[k], mirrored_re[k] - re[k]);
        let (tr, ti) = (wr[k] * or - wi[k] * oi, wr[k] * oi + wi[k] * or);
        let (ar, ai, br, bi) = (er + tr, ei + ti, er - tr, ei - ti);
        low[k] = ar * ar + ai * ai;
        turned[N - 1 - k] = br * br + bi * bi;
    }
    *high = turned;
}
