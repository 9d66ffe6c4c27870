//! From samples to features.

use std::sync::Arc;

use ndarray::{Array2, ArrayViewMut2};
use realfft::RealToComplex;
use realfft::num_complex::Complex;

use crate::cepstrum::Cepstrum;
use crate::float::Float;
use crate::frames::resolve;
use crate::front_end::{Floor, FrontEnd, LogScale};
use crate::mel::FilterBank;
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
    /// The window and where it starts in the frame.
    window: Vec<F>,
    window_start: usize,
    fft: Arc<dyn RealToComplex<F>>,
    bank: FilterBank<F>,
    cepstrum: Cepstrum<F>,
    least: F,
    /// Factor from natural logarithm to the scale.
    log_factor: F,
    exponent: F,
}

/// Buffers of one thread's computation; reuse one for many signals.
#[derive(Debug)]
pub struct Workspace<F> {
    frame: Vec<F>,
    spectrum: Vec<Complex<F>>,
    scratch: Vec<Complex<F>>,
    power: Vec<F>,
    /// [frames, bands], grown to the longest signal seen.
    log_mel: Vec<F>,
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
        let window: Vec<F> = window::window(&front_end.window).into_iter().map(F::of).collect();
        let plan = Plan {
            window_start: (front_end.n_fft - window.len()) / 2,
            window,
            fft: realfft::RealFftPlanner::new().plan_fft_forward(front_end.n_fft),
            bank: FilterBank::new(front_end),
            cepstrum: Cepstrum::new(front_end),
            least: F::of(front_end.log.least),
            log_factor: F::of(match front_end.log.scale {
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
            Output::Mel | Output::LogMel => self.plan.front_end.mel.bands,
            Output::Mfcc => self.plan.front_end.coefficients,
        }
    }

    /// Buffers for [`Extractor::compute_into`].
    pub fn workspace(&self) -> Workspace<F> {
        let fft = &self.plan.fft;
        Workspace {
            frame: fft.make_input_vec(),
            spectrum: fft.make_output_vec(),
            scratch: fft.make_scratch_vec(),
            power: vec![F::default(); self.plan.front_end.bins()],
            log_mel: Vec::new(),
        }
    }

    /// Cepstral coefficients, [frames, coefficients].
    ///
    /// # Errors
    /// [`FeatureError`]: too few samples for a frame, or a sample that is not finite or out of range.
    pub fn mfcc(&self, samples: &[f32]) -> Result<Array2<F>, FeatureError> {
        self.compute(Output::Mfcc, samples)
    }

    /// Any output, [frames, width].
    ///
    /// # Errors
    /// As [`Extractor::mfcc`].
    pub fn compute(&self, output: Output, samples: &[f32]) -> Result<Array2<F>, FeatureError> {
        let shape = (self.front_end().frames(samples.len()), self.width(output));
        let mut out = Array2::from_elem(shape, F::default());
        self.compute_into(output, samples, out.view_mut(), &mut self.workspace())?;
        Ok(out)
    }

    /// Any output, into the caller's buffer of [frames, width]. Allocates nothing once the workspace has seen a signal
    /// as long.
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
        let frames = plan.front_end.frames(samples.len());
        if frames == 0 {
            return Err(FeatureError::TooShort { samples: samples.len(), needed: plan.front_end.shortest() });
        }
        let expected = (frames, self.width(output));
        if out.dim() != expected {
            return Err(FeatureError::Shape { expected, found: out.dim() });
        }
        check_samples::<F>(samples, 0)?;
        let signal = Signal { samples, base: 0, length: samples.len() };
        if output == Output::Power {
            for (frame, mut row) in out.outer_iter_mut().enumerate() {
                self.power_frame(signal, frame, workspace);
                row.iter_mut().zip(&workspace.power).for_each(|(out, &power)| *out = power);
            }
            return Ok(());
        }
        let bands = plan.front_end.mel.bands;
        let mut bands_all = std::mem::take(&mut workspace.log_mel);
        bands_all.resize(frames * bands, F::default());
        for (frame, row) in bands_all.chunks_exact_mut(bands).enumerate() {
            self.mel_frame(signal, frame, workspace, row);
            if output != Output::Mel {
                plan.log(row);
            }
        }
        if output != Output::Mel {
            plan.floor(&mut bands_all);
        }
        let rows = bands_all.chunks_exact(bands).zip(out.outer_iter_mut());
        if output == Output::Mfcc {
            let mut coefficients = vec![F::default(); plan.front_end.coefficients];
            for (log_mel, mut row) in rows {
                plan.cepstrum.apply(log_mel, &mut coefficients);
                row.iter_mut().zip(&coefficients).for_each(|(out, &value)| *out = value);
            }
        } else {
            for (values, mut row) in rows {
                row.iter_mut().zip(values).for_each(|(out, &value)| *out = value);
            }
        }
        workspace.log_mel = bands_all;
        Ok(())
    }

    /// MFCCs of many signals on all cores, in their order.
    #[cfg(feature = "rayon")]
    pub fn mfcc_batch<S: AsRef<[f32]> + Sync>(&self, signals: &[S]) -> Vec<Result<Array2<F>, FeatureError>> {
        use rayon::prelude::*;
        let each = |workspace: &mut Workspace<F>, signal: &S| {
            let samples = signal.as_ref();
            let shape = (self.front_end().frames(samples.len()), self.width(Output::Mfcc));
            let mut out = Array2::from_elem(shape, F::default());
            self.compute_into(Output::Mfcc, samples, out.view_mut(), workspace).map(|()| out)
        };
        signals.par_iter().map_init(|| self.workspace(), each).collect()
    }

    /// One frame of a stream: the same operations in the same order as the batch.
    pub(crate) fn mfcc_frame(&self, signal: Signal<'_>, frame: usize, workspace: &mut Workspace<F>, out: &mut [F]) {
        let mut log_mel = std::mem::take(&mut workspace.log_mel);
        log_mel.resize(self.plan.front_end.mel.bands, F::default());
        self.mel_frame(signal, frame, workspace, &mut log_mel);
        self.plan.log(&mut log_mel);
        self.plan.floor(&mut log_mel);
        self.plan.cepstrum.apply(&log_mel, out);
        workspace.log_mel = log_mel;
    }

    fn mel_frame(&self, signal: Signal<'_>, frame: usize, workspace: &mut Workspace<F>, out: &mut [F]) {
        self.power_frame(signal, frame, workspace);
        self.plan.bank.apply(&workspace.power, out);
    }

    fn power_frame(&self, signal: Signal<'_>, frame: usize, workspace: &mut Workspace<F>) {
        let plan = &*self.plan;
        plan.cut(signal, frame, &mut workspace.frame);
        let Workspace { frame, spectrum, scratch, power, .. } = workspace;
        let done = plan.fft.process_with_scratch(frame, spectrum, scratch);
        debug_assert!(done.is_ok(), "buffers come from the plan");
        for (power, bin) in power.iter_mut().zip(spectrum.iter()) {
            *power = bin.re * bin.re + bin.im * bin.im;
        }
        if plan.front_end.power != 2.0 {
            power.iter_mut().for_each(|power| *power = power.power(plan.exponent).at_most(F::MAX));
        }
    }
}

impl<F: Float> Plan<F> {
    /// Windowed samples of a frame, zeros around the window.
    fn cut(&self, signal: Signal<'_>, frame: usize, out: &mut [F]) {
        let start = (frame * self.front_end.hop + self.window_start) as isize - self.front_end.padding() as isize;
        let end = start + self.window.len() as isize;
        let (before, rest) = out.split_at_mut(self.window_start);
        let (inside, after) = rest.split_at_mut(self.window.len());
        before.fill(F::default());
        after.fill(F::default());
        let windowed = inside.iter_mut().zip(&self.window);
        if start >= signal.base as isize && end <= signal.length as isize {
            let at = start as usize - signal.base;
            for ((out, &window), &sample) in windowed.zip(&signal.samples[at..at + self.window.len()]) {
                *out = F::of_sample(sample) * window;
            }
        } else {
            for ((out, &window), index) in windowed.zip(start..) {
                let sample = resolve(self.front_end.centre, index, signal.length)
                    .and_then(|index| signal.samples.get(index.checked_sub(signal.base)?));
                *out = F::of_sample(sample.copied().unwrap_or(0.0)) * window;
            }
        }
    }

    fn log(&self, bands: &mut [F]) {
        for value in bands {
            *value = value.at_least(self.least).natural_log() * self.log_factor;
        }
    }

    fn floor(&self, bands: &mut [F]) {
        let floor = match self.front_end.log.floor {
            Floor::None => return,
            Floor::Fixed(floor) => F::of(floor),
            Floor::BelowMaximum(range) => bands.iter().fold(-F::MAX, |max, &x| x.at_least(max)) - F::of(range),
        };
        bands.iter_mut().for_each(|value| *value = value.at_least(floor));
    }
}

/// The first sample that features cannot be made of, `offset` being the index of the first one given.
pub(crate) fn check_samples<F: Float>(samples: &[f32], offset: usize) -> Result<(), FeatureError> {
    let limit = F::SAMPLE_LIMIT;
    let Some(at) = samples.iter().position(|sample| sample.is_nan() || sample.abs() > limit) else { return Ok(()) };
    let (index, value) = (offset + at, samples[at]);
    if value.is_finite() {
        Err(FeatureError::OutOfRange { index, value, limit })
    } else {
        Err(FeatureError::NotFinite { index, value })
    }
}
