//! From samples to features.

use std::f64::consts::LN_10;
use std::ops::{Add, AddAssign};
use std::sync::Arc;

use ndarray::{Array2, ArrayViewMut2};
use rustfft::num_complex::Complex;

use crate::cepstrum::{Cepstrum, Transform};
use crate::delta::{Deltas, Rows};
use crate::float::{Float, LANES, Maximum, Raise};
use crate::frames::resolve;
use crate::front_end::{AminRule, C0, Floor, Framing, FrontEnd, LogScale, PreEmphasis};
use crate::mel::FilterBank;
use crate::spectrum::{Buffers, Power, Spectrum};
use crate::vector::{Work, chunks, widest};
use crate::{FeatureError, FrontEndError, Stream, window};

mod frame;

use frame::{AnyBeyond, sample_limit};

/// What is to be computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output {
    /// The spectrum raised to `power`: [frames, n_fft / 2 + 1].
    Power,
    /// Mel band energies: [frames, bands].
    Mel,
    /// Their logarithm, floors, gain and offset applied: [frames, bands].
    LogMel,
    /// Cepstral coefficients: [frames, coefficients].
    Mfcc,
    /// Cepstral coefficients, then their differences of each order up to `delta_order`: [frames, coefficients * (1 + orders)].
    Deltas,
}

/// A front end made ready: tables built, transform planned. Cheap to clone, usable from many threads.
#[derive(Clone)]
pub struct Extractor<F: Float = f32> {
    plan: Arc<Plan<F>>,
}

struct Plan<F: Float> {
    front_end: FrontEnd,
    /// Samples that frame 0 begins before the signal, and samples under a frame.
    lead: isize,
    span: usize,
    /// [n_fft], zeros around or behind a shorter window, and scaled by what scales samples and spectrum.
    window: Vec<F>,
    /// Whether a frame is its samples times the window and nothing else.
    plain: bool,
    /// Pre-emphasis over the frame and over the signal; 0 for none.
    emphasis: (F, F),
    /// From the sum of squares of a frame's samples, and of its windowed ones, to an energy.
    energy_scale: (f64, f64),
    spectrum: Spectrum<F>,
    bank: FilterBank<F>,
    cepstrum: Cepstrum<F>,
    deltas: Deltas<F>,
    least: F,
    /// Factor from natural logarithm to the scale.
    log_factor: F,
    exponent: F,
    /// The largest sample magnitude that cannot overflow anything.
    limit: f32,
}

/// The most values that one call holds at once, 4 GiB of f32: settings and a signal from outside ask for no more.
const MOST_VALUES: usize = 1 << 30;

/// An extractor with the buffers of one thread's computation, to be used for many signals.
#[derive(Debug)]
pub struct Workspace<F: Float = f32> {
    extractor: Extractor<F>,
    buffers: Scratch<F>,
}

/// Buffers of one thread.
#[derive(Debug)]
pub(crate) struct Scratch<F> {
    spectrum: Buffers<F>,
    /// [1 + span], a frame behind its predecessor; empty where frames are plain.
    samples: Vec<F>,
    /// [bins], and zeros that whole vectors of filter weights may reach over.
    power: Vec<F>,
    /// [frames, bands], grown to the longest signal seen.
    log_mel: Vec<F>,
    /// [frames], where an energy stands in the place of c0.
    energies: Vec<F>,
    /// [frames, coefficients], where differences are asked for.
    cepstra: Vec<F>,
    /// One frame, for a caller's buffer whose rows are not contiguous.
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
        // Factors before a power are as good on the window.
        let spectrum_factor = front_end.spectrum_scale.powf(1.0 / front_end.power);
        let factor = front_end.sample_scale * spectrum_factor;
        let mut window = vec![F::default(); front_end.n_fft];
        let spare = front_end.n_fft - front_end.window_length();
        let start = if front_end.framing == Framing::Stft { spare / 2 } else { 0 };
        for (out, value) in window[start..].iter_mut().zip(window::window(front_end)) {
            *out = F::of(height * factor * value);
        }
        let (frame, signal) = match front_end.pre_emphasis {
            PreEmphasis::None => (0.0, 0.0),
            PreEmphasis::Frame(a) => (a, 0.0),
            PreEmphasis::Signal(a) => (0.0, a),
        };
        let gain = factor * (1.0 + frame + signal) * if front_end.remove_mean { 2.0 } else { 1.0 };
        let bank = FilterBank::new(front_end);
        let plan = Plan {
            lead: front_end.lead(),
            span: front_end.span(),
            limit: sample_limit::<F>(front_end, gain, bank.gain()),
            window,
            plain: front_end.framing == Framing::Stft
                && front_end.pre_emphasis == PreEmphasis::None
                && !front_end.remove_mean
                && matches!(front_end.c0, C0::Kept | C0::SpectralEnergy),
            emphasis: (F::of(frame), F::of(signal)),
            energy_scale: (front_end.sample_scale.powi(2), (height * spectrum_factor).powi(-2)),
            spectrum,
            bank,
            cepstrum: Cepstrum::new(front_end),
            deltas: Deltas::new(front_end),
            least: F::of(front_end.amin),
            log_factor: F::of(match front_end.log_scale {
                LogScale::Decibel => 10.0 / LN_10,
                LogScale::Natural => 1.0,
                LogScale::Log10 => 1.0 / LN_10,
                LogScale::DecibelAmplitude => 20.0 / LN_10,
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
            Output::Deltas => self.plan.front_end.with_deltas(),
        }
    }

    /// This extractor with buffers, for many signals one after another.
    pub fn workspace(&self) -> Workspace<F> {
        Workspace { extractor: self.clone(), buffers: self.buffers() }
    }

    /// A stream of an output, at its beginning.
    ///
    /// # Errors
    /// [`FrontEndError::StreamFloor`] where the output depends on the whole utterance.
    pub fn stream(&self, output: Output) -> Result<Stream<F>, FrontEndError> {
        Stream::new(self, output)
    }

    pub(crate) fn buffers(&self) -> Scratch<F> {
        let plan = &*self.plan;
        Scratch {
            spectrum: plan.spectrum.buffers(),
            samples: vec![F::default(); if plan.plain { 0 } else { 1 + plan.span }],
            power: vec![F::default(); plan.front_end.bins() + LANES],
            log_mel: Vec::new(),
            energies: Vec::new(),
            cepstra: Vec::new(),
            row: vec![F::default(); plan.front_end.with_deltas()],
        }
    }

    pub(crate) fn deltas(&self) -> &Deltas<F> {
        &self.plan.deltas
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
        if output == Output::Deltas {
            self.plan.deltas.check(frames)?;
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
    /// As [`Extractor::mfcc`], and [`FeatureError::Delta`] where librosa's differences are wider than the signal.
    pub fn compute(&self, output: Output, samples: &[f32]) -> Result<Array2<F>, FeatureError> {
        self.compute_with(output, samples, &mut self.buffers())
    }

    fn compute_with(
        &self,
        output: Output,
        samples: &[f32],
        buffers: &mut Scratch<F>,
    ) -> Result<Array2<F>, FeatureError> {
        let mut out = Array2::from_elem(self.shape(output, samples.len())?, F::default());
        self.compute_into(output, samples, out.view_mut(), buffers)?;
        Ok(out)
    }

    /// Any output of many signals on all cores, in their order.
    #[cfg(feature = "rayon")]
    pub fn batch<S: AsRef<[f32]> + Sync>(&self, output: Output, signals: &[S]) -> Vec<Result<Array2<F>, FeatureError>> {
        use rayon::prelude::*;
        let each = |buffers: &mut Scratch<F>, signal: &S| self.compute_with(output, signal.as_ref(), buffers);
        signals.par_iter().map_init(|| self.buffers(), each).collect()
    }

    fn compute_into(
        &self,
        output: Output,
        samples: &[f32],
        mut out: ArrayViewMut2<'_, F>,
        buffers: &mut Scratch<F>,
    ) -> Result<(), FeatureError> {
        let plan = &*self.plan;
        let expected = self.shape(output, samples.len())?;
        let (frames, _) = expected;
        if out.dim() != expected {
            return Err(FeatureError::Shape { expected, found: out.dim() });
        }
        self.check_samples(samples, 0)?;
        let signal = Signal { samples, base: 0, length: samples.len() };
        if output == Output::Power {
            for (frame, mut row) in out.outer_iter_mut().enumerate() {
                plan.power_frame(signal, frame, buffers);
                row.iter_mut().zip(&buffers.power).for_each(|(out, &power)| *out = power);
            }
            return Ok(());
        }
        let bands = plan.front_end.n_mels;
        let mut log_mel = std::mem::take(&mut buffers.log_mel);
        let mut energies = std::mem::take(&mut buffers.energies);
        log_mel.resize(frames * bands, F::default());
        energies.clear();
        for (frame, row) in log_mel.chunks_exact_mut(bands).enumerate() {
            let energy = plan.mel_frame(signal, frame, buffers, row, output != Output::Mel);
            if plan.front_end.c0 != C0::Kept {
                energies.push(energy);
            }
        }
        if output != Output::Mel {
            plan.floor(&mut log_mel);
        }
        let values = log_mel.chunks_exact(bands);
        // Where c0 is kept no energy is looked at.
        let energies_or_none = energies.iter().copied().chain(std::iter::repeat(F::default()));
        match output {
            Output::Mfcc => {
                for ((values, energy), mut row) in values.zip(energies_or_none).zip(out.outer_iter_mut()) {
                    match row.as_slice_mut() {
                        Some(row) => plan.cepstrum_frame(values, energy, row),
                        None => {
                            let whole = &mut buffers.row[..plan.front_end.n_mfcc];
                            plan.cepstrum_frame(values, energy, whole);
                            row.iter_mut().zip(whole).for_each(|(out, value)| *out = *value);
                        }
                    }
                }
            }
            Output::Deltas => {
                let width = plan.front_end.n_mfcc;
                buffers.cepstra.resize(frames * width, F::default());
                for ((values, energy), row) in values.zip(energies_or_none).zip(buffers.cepstra.chunks_exact_mut(width))
                {
                    plan.cepstrum_frame(values, energy, row);
                }
                let rows = Rows { values: &buffers.cepstra, base: 0, width, last: frames - 1 };
                for (t, mut row) in out.outer_iter_mut().enumerate() {
                    plan.deltas.write(rows, t, &mut buffers.row);
                    row.iter_mut().zip(&buffers.row).for_each(|(out, &value)| *out = value);
                }
            }
            _ => {
                for (values, mut row) in values.zip(out.outer_iter_mut()) {
                    row.iter_mut().zip(values).for_each(|(out, &value)| *out = value);
                }
            }
        }
        (buffers.log_mel, buffers.energies) = (log_mel, energies);
        Ok(())
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

    /// One frame of a stream, the same operations in the same order as the batch; of [`Output::Deltas`] the coefficients.
    pub(crate) fn frame_into(
        &self,
        output: Output,
        signal: Signal<'_>,
        frame: usize,
        buffers: &mut Scratch<F>,
        out: &mut [F],
    ) {
        let plan = &*self.plan;
        match output {
            Output::Power => {
                plan.power_frame(signal, frame, buffers);
                out.copy_from_slice(&buffers.power[..out.len()]);
            }
            Output::Mel | Output::LogMel => {
                plan.mel_frame(signal, frame, buffers, out, output == Output::LogMel);
                if output == Output::LogMel {
                    plan.floor(out);
                }
            }
            Output::Mfcc | Output::Deltas => {
                let mut log_mel = std::mem::take(&mut buffers.log_mel);
                log_mel.resize(plan.front_end.n_mels, F::default());
                let energy = plan.mel_frame(signal, frame, buffers, &mut log_mel, true);
                plan.floor(&mut log_mel);
                plan.cepstrum_frame(&log_mel, energy, out);
                buffers.log_mel = log_mel;
            }
        }
    }
}

impl<F: Float> Workspace<F> {
    /// The extractor.
    pub fn extractor(&self) -> &Extractor<F> {
        &self.extractor
    }

    /// Any output, into the caller's buffer of [frames, width]. Allocates nothing once a signal as long has been seen.
    ///
    /// # Errors
    /// As [`Extractor::compute`], and [`FeatureError::Shape`] where the buffer does not fit.
    pub fn compute_into(
        &mut self,
        output: Output,
        samples: &[f32],
        out: ArrayViewMut2<'_, F>,
    ) -> Result<(), FeatureError> {
        self.extractor.compute_into(output, samples, out, &mut self.buffers)
    }
}
