//! From samples to features.

use std::sync::Arc;

use ndarray::{Array2, ArrayViewMut2};
use rustfft::num_complex::Complex;

use crate::cepstrum::{Cepstrum, Transform};
use crate::float::{Float, LANES, Maximum, Raise};
use crate::frames::resolve;
use crate::front_end::{Floor, FrontEnd, LogScale};
use crate::mel::FilterBank;
use crate::spectrum::{Buffers, Power, Spectrum};
use crate::vector::{Work, widest};
use crate::{FeatureError, FrontEndError, window};

/// What is to be computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output {
    /// The spectrum raised to `power`: [frames, n_fft / 2 + 1].
    Power,
    /// Mel band energies: [frames, bands].
    Mel,
    /// Their logarithm, floors applied: [frames, bands].
    LogMel,
    /// Cepstral coefficients: [frames, coefficients].
    Mfcc,
}

/// A front end made ready: tables built, transform planned. Cheap to clone, usable from many threads.
#[derive(Clone)]
pub struct Extractor<F: Float = f32> {
    plan: Arc<Plan<F>>,
}

struct Plan<F: Float> {
    front_end: FrontEnd,
    /// [n_fft], zeros around a shorter window, and half as high where the spectrum wants it.
    window: Vec<F>,
    spectrum: Spectrum<F>,
    bank: FilterBank<F>,
    cepstrum: Cepstrum<F>,
    least: F,
    /// Factor from natural logarithm to the scale.
    log_factor: F,
    exponent: F,
    /// The largest sample magnitude that cannot overflow anything.
    limit: f32,
}

/// The most values that one call holds at once, 4 GiB of f32: settings and a signal from outside ask for no more.
const MOST_VALUES: usize = 1 << 30;

/// Buffers of one thread's computation; reuse one for many signals. Given to an extractor of other settings it is made anew.
#[derive(Debug)]
pub struct Workspace<F> {
    spectrum: Buffers<F>,
    /// [bins], and zeros that whole vectors of filter weights may reach over.
    power: Vec<F>,
    /// [frames, bands], grown to the longest signal seen.
    log_mel: Vec<F>,
    /// [coefficients], for a caller's buffer whose rows are not contiguous.
    row: Vec<F>,
}

impl<F: Float> std::fmt::Debug for Extractor<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Extractor").field("front_end", &self.plan.front_end).finish_non_exhaustive()
    }
}

/// Samples of which a frame is cut: the whole signal, or the part that a stream still holds.
#[derive(Clone, Copy)]
pub(crate) struct Signal<'a> {
    pub samples: &'a [f32],
    /// Index of `samples[0]` in the signal.
    pub base: usize,
    /// Length of the signal as far as it is known.
    pub length: usize,
}

impl<F: Float> Extractor<F> {
    /// Builds the tables and plans the transform.
    ///
    /// # Errors
    /// [`FrontEndError::Setting`] where a setting is not allowed.
    pub fn new(front_end: &FrontEnd) -> Result<Self, FrontEndError> {
        front_end.validate()?;
        let spectrum = Spectrum::new(front_end.n_fft);
        let height = if spectrum.is_packed() { 0.5 } else { 1.0 };
        let mut window = vec![F::default(); front_end.n_fft];
        let start = (front_end.n_fft - front_end.window_length()) / 2;
        for (out, value) in window[start..].iter_mut().zip(window::window(front_end)) {
            *out = F::of(height * value);
        }
        let bank = FilterBank::new(front_end);
        let plan = Plan {
            limit: sample_limit::<F>(front_end, bank.gain()),
            window,
            spectrum,
            bank,
            cepstrum: Cepstrum::new(front_end),
            least: F::of(front_end.amin),
            log_factor: F::of(match front_end.log_scale {
                LogScale::Decibel => 10.0 / std::f64::consts::LN_10,
                LogScale::Natural => 1.0,
            }),
            exponent: F::of(front_end.power / 2.0),
            front_end: front_end.clone(),
        };
        Ok(Extractor { plan: Arc::new(plan) })
    }

    /// The front end this was built from.
    pub fn front_end(&self) -> &FrontEnd {
        &self.plan.front_end
    }

    /// Bands without a frequency bin: too narrow for this `n_fft`, they hold nothing but the floor. librosa warns of
    /// them; here it is for the caller to ask.
    pub fn empty_bands(&self) -> Vec<usize> {
        self.plan.bank.empty_bands()
    }

    /// Values per frame of an output.
    pub fn width(&self, output: Output) -> usize {
        match output {
            Output::Power => self.plan.front_end.bins(),
            Output::Mel | Output::LogMel => self.plan.front_end.n_mels,
            Output::Mfcc => self.plan.front_end.n_mfcc,
        }
    }

    /// Buffers for [`Extractor::compute_into`].
    pub fn workspace(&self) -> Workspace<F> {
        Workspace {
            spectrum: self.plan.spectrum.buffers(),
            power: vec![F::default(); self.plan.front_end.bins() + LANES],
            log_mel: Vec::new(),
            row: vec![F::default(); self.plan.front_end.n_mfcc],
        }
    }

    /// [frames, width] of an output of `samples` samples, if there is a frame and memory for all.
    fn shape(&self, output: Output, samples: usize) -> Result<(usize, usize), FeatureError> {
        let front_end = &self.plan.front_end;
        let (frames, width) = (front_end.frames(samples), self.width(output));
        if frames == 0 {
            return Err(FeatureError::TooShort { samples, needed: front_end.shortest() });
        }
        let widest = width.max(front_end.n_mels);
        if frames.checked_mul(widest).is_none_or(|values| values > MOST_VALUES) {
            return Err(FeatureError::TooLarge { frames, width: widest, most: MOST_VALUES });
        }
        Ok((frames, width))
    }

    /// Cepstral coefficients, [frames, coefficients].
    ///
    /// # Errors
    /// [`FeatureError`]: too few samples for a frame, too many for memory, or a sample that is not finite or so large that
    /// something would overflow.
    pub fn mfcc(&self, samples: &[f32]) -> Result<Array2<F>, FeatureError> {
        self.compute(Output::Mfcc, samples)
    }

    /// Any output, [frames, width].
    ///
    /// # Errors
    /// As [`Extractor::mfcc`].
    pub fn compute(&self, output: Output, samples: &[f32]) -> Result<Array2<F>, FeatureError> {
        let mut out = Array2::from_elem(self.shape(output, samples.len())?, F::default());
        self.compute_into(output, samples, out.view_mut(), &mut self.workspace())?;
        Ok(out)
    }

    /// Any output, into the caller's buffer of [frames, width]. Allocates nothing with a workspace of this extractor that has
    /// seen a signal as long.
    ///
    /// # Errors
    /// As [`Extractor::mfcc`], and [`FeatureError::Shape`] where the buffer does not fit.
    pub fn compute_into(
        &self,
        output: Output,
        samples: &[f32],
        mut out: ArrayViewMut2<'_, F>,
        workspace: &mut Workspace<F>,
    ) -> Result<(), FeatureError> {
        let plan = &*self.plan;
        let expected = self.shape(output, samples.len())?;
        let (frames, _) = expected;
        if out.dim() != expected {
            return Err(FeatureError::Shape { expected, found: out.dim() });
        }
        self.check_samples(samples, 0)?;
        if !plan.fits(workspace) {
            *workspace = self.workspace();
        }
        let signal = Signal { samples, base: 0, length: samples.len() };
        if output == Output::Power {
            for (frame, mut row) in out.outer_iter_mut().enumerate() {
                plan.power_frame(signal, frame, workspace);
                row.iter_mut().zip(&workspace.power).for_each(|(out, &power)| *out = power);
            }
            return Ok(());
        }
        let bands = plan.front_end.n_mels;
        let mut log_mel = std::mem::take(&mut workspace.log_mel);
        log_mel.resize(frames * bands, F::default());
        for (frame, row) in log_mel.chunks_exact_mut(bands).enumerate() {
            plan.mel_frame(signal, frame, workspace, row, output != Output::Mel);
        }
        if output != Output::Mel {
            plan.floor(&mut log_mel);
        }
        for (values, mut row) in log_mel.chunks_exact(bands).zip(out.outer_iter_mut()) {
            let values = match (output, row.as_slice_mut()) {
                (Output::Mfcc, Some(row)) => {
                    plan.cepstrum_frame(values, row);
                    continue;
                }
                (Output::Mfcc, None) => {
                    plan.cepstrum_frame(values, &mut workspace.row);
                    &workspace.row[..]
                }
                _ => values,
            };
            row.iter_mut().zip(values).for_each(|(out, &value)| *out = value);
        }
        workspace.log_mel = log_mel;
        Ok(())
    }

    /// MFCCs of many signals on all cores, in their order.
    #[cfg(feature = "rayon")]
    pub fn mfcc_batch<S: AsRef<[f32]> + Sync>(&self, signals: &[S]) -> Vec<Result<Array2<F>, FeatureError>> {
        use rayon::prelude::*;
        let each = |workspace: &mut Workspace<F>, signal: &S| {
            let samples = signal.as_ref();
            let mut out = Array2::from_elem(self.shape(Output::Mfcc, samples.len())?, F::default());
            self.compute_into(Output::Mfcc, samples, out.view_mut(), workspace).map(|()| out)
        };
        signals.par_iter().map_init(|| self.workspace(), each).collect()
    }

    /// The first sample that features cannot be made of, `offset` being the index of the first one given.
    pub(crate) fn check_samples(&self, samples: &[f32], offset: usize) -> Result<(), FeatureError> {
        let limit = self.plan.limit;
        // Looking for the first one stops early, which cannot be done in vectors; nearly always there is none.
        if !widest(AnyBeyond { samples, limit }) {
            return Ok(());
        }
        let beyond = |sample: &f32| sample.is_nan() || sample.abs() > limit;
        let Some(at) = samples.iter().position(beyond) else { return Ok(()) };
        let (index, value) = (offset + at, samples[at]);
        if value.is_finite() {
            Err(FeatureError::OutOfRange { index, value, limit })
        } else {
            Err(FeatureError::NotFinite { index, value })
        }
    }

    /// One frame of a stream: the same operations in the same order as the batch.
    pub(crate) fn mfcc_frame(&self, signal: Signal<'_>, frame: usize, workspace: &mut Workspace<F>, out: &mut [F]) {
        let mut log_mel = std::mem::take(&mut workspace.log_mel);
        log_mel.resize(self.plan.front_end.n_mels, F::default());
        self.plan.mel_frame(signal, frame, workspace, &mut log_mel, true);
        self.plan.floor(&mut log_mel);
        self.plan.cepstrum_frame(&log_mel, out);
        workspace.log_mel = log_mel;
    }
}

impl<F: Float> Plan<F> {
    /// Whether a workspace has the lengths of this plan. Extractors with equal lengths may share one.
    fn fits(&self, workspace: &Workspace<F>) -> bool {
        self.spectrum.fits(&workspace.spectrum)
            && workspace.power.len() == self.front_end.bins() + LANES
            && workspace.row.len() == self.front_end.n_mfcc
    }

    fn power_frame(&self, signal: Signal<'_>, frame: usize, workspace: &mut Workspace<F>) {
        let Workspace { spectrum, power, .. } = workspace;
        widest(Cut { plan: self, signal, frame, out: &mut spectrum.frame });
        self.spectrum.transform(spectrum);
        widest(Power { spectrum: &self.spectrum, buffers: spectrum, power });
        if self.front_end.power != 2.0 {
            power.iter_mut().for_each(|power| *power = power.power(self.exponent).at_most(F::MAX));
        }
    }

    fn mel_frame(&self, signal: Signal<'_>, frame: usize, workspace: &mut Workspace<F>, out: &mut [F], log: bool) {
        self.power_frame(signal, frame, workspace);
        widest(Bands { plan: self, power: &workspace.power, out, log });
    }

    fn cepstrum_frame(&self, log_mel: &[F], out: &mut [F]) {
        widest(Transform { cepstrum: &self.cepstrum, log_mel, out });
    }

    fn floor(&self, bands: &mut [F]) {
        let floor = match self.front_end.top_db {
            Floor::None => return,
            Floor::Fixed(floor) => F::of(floor),
            Floor::BelowMaximum(range) => widest(Maximum(bands)) - F::of(range),
        };
        widest(Raise(bands, floor));
    }
}

/// The windowed samples of a frame, packed as the spectrum wants them.
struct Cut<'a, F: Float> {
    plan: &'a Plan<F>,
    signal: Signal<'a>,
    frame: usize,
    out: &'a mut [Complex<F>],
}

impl<F: Float> Work for Cut<'_, F> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let Cut { plan, signal, frame, out } = self;
        let start = (frame * plan.front_end.hop_length) as isize - plan.front_end.padding() as isize;
        let end = start + plan.window.len() as isize;
        let packed = plan.spectrum.is_packed();
        if packed && start >= signal.base as isize && end <= signal.length as isize {
            let at = start as usize - signal.base;
            let (samples, _) = signal.samples[at..at + plan.window.len()].as_chunks::<2>();
            let (window, _) = plan.window.as_chunks::<2>();
            for ((out, sample), window) in out.iter_mut().zip(samples).zip(window) {
                *out = Complex::new(F::of_sample(sample[0]) * window[0], F::of_sample(sample[1]) * window[1]);
            }
            return;
        }
        let value = |at: usize| {
            let sample = resolve(plan.front_end.pad_mode, start + at as isize, signal.length)
                .and_then(|index| signal.samples.get(index.checked_sub(signal.base)?));
            F::of_sample(sample.copied().unwrap_or(0.0)) * plan.window[at]
        };
        for (at, out) in out.iter_mut().enumerate() {
            *out = if packed {
                Complex::new(value(2 * at), value(2 * at + 1))
            } else {
                Complex::new(value(at), F::default())
            };
        }
    }
}

/// Bands of a power spectrum, and their logarithm.
struct Bands<'a, F: Float> {
    plan: &'a Plan<F>,
    power: &'a [F],
    out: &'a mut [F],
    log: bool,
}

impl<F: Float> Work for Bands<'_, F> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        self.plan.bank.apply(self.power, self.out);
        if self.log {
            for value in self.out {
                *value = value.at_least(self.plan.least).natural_log() * self.plan.log_factor;
            }
        }
    }
}

/// The largest sample magnitude with which no band can overflow: with |x| <= L a spectrum is at most L times the window's sum,
/// which is at most `n_fft`, and a band at most that to the power, times its weights' sum (`gain`, of the widest band).
fn sample_limit<F: Float>(front_end: &FrontEnd, gain: f64) -> f32 {
    // A packed spectrum is 4 times as large on its way.
    let most = (F::MAX.double() / 8.0 / gain.max(1.0)).powf(1.0 / front_end.power.max(2.0));
    ((most / front_end.n_fft as f64) as f32).min(F::SAMPLE_LIMIT)
}

/// Whether any sample is not a number or beyond the limit.
struct AnyBeyond<'a> {
    samples: &'a [f32],
    limit: f32,
}

impl Work for AnyBeyond<'_> {
    type Out = bool;

    #[inline(always)]
    fn run(self) -> bool {
        self.samples.iter().fold(false, |any, sample| any | sample.is_nan() | (sample.abs() > self.limit))
    }
}
