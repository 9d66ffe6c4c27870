//! One frame: cut, windowed, as bands, as coefficients.

use super::*;

impl<F: Float> Plan<F> {
    /// The spectrum of a frame raised to `power`, and its energy where one is asked for.
    pub(super) fn power_frame(&self, signal: Signal<'_>, frame: usize, scratch: &mut Scratch<F>) -> F {
        let mut energy = 0.0;
        if self.plain {
            widest(Cut { plan: self, signal, frame, out: &mut scratch.spectrum.frame });
        } else {
            energy = self.prepare_frame(signal, frame, scratch);
        }
        let Scratch { spectrum, power, .. } = scratch;
        self.spectrum.transform(spectrum);
        widest(Power { spectrum: &self.spectrum, buffers: spectrum, power });
        if self.front_end.power != 2.0 {
            self.raise(power);
        }
        if self.front_end.c0 == C0::Kept { F::default() } else { self.energy(energy, power) }
    }

    // Out of line, as the two below, so that the loop of plain frames stays small.
    #[inline(never)]
    pub(super) fn prepare_frame(&self, signal: Signal<'_>, frame: usize, scratch: &mut Scratch<F>) -> f64 {
        let Scratch { spectrum, samples, .. } = scratch;
        widest(Prepare { plan: self, signal, frame, samples, out: &mut spectrum.frame })
    }

    /// From squared magnitudes to magnitudes raised to `power`.
    #[inline(never)]
    pub(super) fn raise(&self, power: &mut [F]) {
        if self.front_end.power == 1.0 {
            power.iter_mut().for_each(|power| *power = power.root());
        } else {
            power.iter_mut().for_each(|power| *power = power.power(self.exponent).at_most(F::MAX));
        }
    }

    /// The energy that stands in the place of c0, `of_samples` being that of the samples.
    #[inline(never)]
    pub(super) fn energy(&self, of_samples: f64, power: &[F]) -> F {
        match self.front_end.c0 {
            C0::SpectralEnergy => self.log_energy(sum(&power[..self.front_end.bins()], |power| power.double())),
            _ => self.log_energy(of_samples),
        }
    }

    pub(super) fn log_energy(&self, energy: f64) -> F {
        let FrontEnd { amin, energy_floor, .. } = self.front_end;
        let energy = match self.front_end.amin_rule {
            AminRule::Max => energy.max(amin),
            AminRule::ReplaceZero if energy > 0.0 => energy,
            AminRule::ReplaceZero => amin,
            AminRule::Add => energy + amin,
        };
        F::of(energy.max(energy_floor).ln())
    }

    pub(super) fn mel_frame(
        &self,
        signal: Signal<'_>,
        frame: usize,
        buffers: &mut Scratch<F>,
        out: &mut [F],
        log: bool,
    ) -> F {
        let energy = self.power_frame(signal, frame, buffers);
        widest(Bands { plan: self, power: &buffers.power, out, log });
        energy
    }

    pub(super) fn cepstrum_frame(&self, log_mel: &[F], energy: F, out: &mut [F]) {
        widest(Transform { cepstrum: &self.cepstrum, log_mel, out });
        let FrontEnd { c0, c0_last, clip, .. } = self.front_end;
        if c0 != C0::Kept {
            out[0] = energy;
        }
        if c0_last {
            out.rotate_left(1);
        }
        if clip > 0.0 {
            let clip = F::of(clip);
            out.iter_mut().for_each(|value| *value = value.at_most(clip).at_least(-clip));
        }
    }

    /// Floor, gain and offset of log-mel bands.
    pub(super) fn floor(&self, bands: &mut [F]) {
        let FrontEnd { top_db, log_gain, log_offset, .. } = self.front_end;
        match top_db {
            Floor::None => {}
            Floor::Fixed(floor) => widest(Raise(bands, F::of(floor))),
            Floor::BelowMaximum(range) => {
                let floor = widest(Maximum(bands)) - F::of(range);
                widest(Raise(bands, floor));
            }
        }
        if (log_gain, log_offset) != (1.0, 0.0) {
            let (gain, offset) = (F::of(log_gain), F::of(log_offset));
            bands.iter_mut().for_each(|value| *value = *value * gain + offset);
        }
    }

    /// First sample of a frame.
    #[inline(always)]
    pub(super) fn start(&self, frame: usize) -> isize {
        (frame * self.front_end.hop_length) as isize - self.lead
    }

    /// The sample at an index of the signal, or what stands beyond its edges.
    #[inline(always)]
    pub(super) fn sample(&self, signal: Signal<'_>, index: isize) -> F {
        // Most are in the signal; an index before it is a huge one here.
        if let Some(&sample) = signal.samples.get((index - signal.base as isize) as usize) {
            return F::of_sample(sample);
        }
        let sample = resolve(self.front_end.pad_mode, index, signal.length)
            .and_then(|index| signal.samples.get(index.checked_sub(signal.base)?));
        F::of_sample(sample.copied().unwrap_or(0.0))
    }

    /// The same of the pre-emphasised signal, whose first sample stays.
    pub(super) fn emphasised(&self, signal: Signal<'_>, index: isize) -> F {
        match resolve(self.front_end.pad_mode, index, signal.length) {
            Some(at) if at > 0 => {
                let at = at as isize;
                self.sample(signal, at) - self.emphasis.1 * self.sample(signal, at - 1)
            }
            _ => self.sample(signal, index),
        }
    }
}

/// The windowed samples of a plain frame, packed as the spectrum wants them.
pub(super) struct Cut<'a, F: Float> {
    pub(super) plan: &'a Plan<F>,
    pub(super) signal: Signal<'a>,
    pub(super) frame: usize,
    pub(super) out: &'a mut [Complex<F>],
}

impl<F: Float> Work for Cut<'_, F> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let Cut { plan, signal, frame, out } = self;
        let start = plan.start(frame);
        let end = start + plan.window.len() as isize;
        let packed = plan.spectrum.is_packed();
        if packed && start >= signal.base as isize && end <= signal.length as isize {
            let at = start as usize - signal.base;
            let (samples, _) = chunks::<_, 2>(&signal.samples[at..at + plan.window.len()]);
            let (window, _) = chunks::<_, 2>(&plan.window);
            for ((out, sample), window) in out.iter_mut().zip(samples).zip(window) {
                *out = Complex::new(F::of_sample(sample[0]) * window[0], F::of_sample(sample[1]) * window[1]);
            }
            return;
        }
        let value = |at: usize| plan.sample(signal, start + at as isize) * plan.window[at];
        for (at, out) in out.iter_mut().enumerate() {
            *out = if packed {
                Complex::new(value(2 * at), value(2 * at + 1))
            } else {
                Complex::new(value(at), F::default())
            };
        }
    }
}

/// A frame with its mean removed, pre-emphasised and windowed, packed as the spectrum wants it; the energy that is asked for,
/// or 0.
pub(super) struct Prepare<'a, F: Float> {
    pub(super) plan: &'a Plan<F>,
    pub(super) signal: Signal<'a>,
    pub(super) frame: usize,
    /// [1 + span]
    pub(super) samples: &'a mut [F],
    pub(super) out: &'a mut [Complex<F>],
}

impl<F: Float> Work for Prepare<'_, F> {
    type Out = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let Prepare { plan, signal, frame, samples, out } = self;
        let span = plan.span;
        let start = plan.start(frame);
        let values = &mut samples[1..=span];
        let (over_frame, over_signal) = plan.emphasis;
        // From the second sample on, so that there is one before it for pre-emphasis over the signal.
        if start > signal.base as isize && start + span as isize <= signal.length as isize {
            let at = start as usize - signal.base;
            let before = &signal.samples[at - 1..at - 1 + span];
            for ((value, &sample), &before) in values.iter_mut().zip(&signal.samples[at..at + span]).zip(before) {
                *value = F::of_sample(sample) - over_signal * F::of_sample(before);
            }
        } else {
            for (at, value) in values.iter_mut().enumerate() {
                *value = plan.emphasised(signal, start + at as isize);
            }
        }
        if plan.front_end.remove_mean {
            let mean = sum(values, |value| value) / F::of(span as f64);
            values.iter_mut().for_each(|value| *value -= mean);
        }
        let mut energy = 0.0;
        if plan.front_end.c0 == C0::RawEnergy {
            energy = sum(values, |value| value.double() * value.double()) * plan.energy_scale.0;
        }
        samples[0] = samples[1];
        // Of a frame, which is no shorter than its window and may be shorter than the transform, the rest is zeros.
        out.fill(Complex::new(F::default(), F::default()));
        let filtered = samples.iter().zip(&samples[1..]).map(|(&before, &value)| value - over_frame * before);
        let mut windowed = filtered.zip(&plan.window).map(|(value, &window)| value * window);
        if plan.spectrum.is_packed() {
            for out in out.iter_mut() {
                let Some(re) = windowed.next() else { break };
                *out = Complex::new(re, windowed.next().unwrap_or_default());
            }
        } else {
            out.iter_mut().zip(windowed).for_each(|(out, re)| out.re = re);
        }
        if plan.front_end.c0 == C0::WindowedEnergy {
            let square =
                |value: Complex<F>| value.re.double() * value.re.double() + value.im.double() * value.im.double();
            energy = sum(out, square) * plan.energy_scale.1;
        }
        energy
    }
}

/// Sum of a function of values, in lanes and so in a fixed order.
#[inline(always)]
pub(super) fn sum<T: Copy, S: Copy + Default + AddAssign + Add<Output = S>>(values: &[T], of: impl Fn(T) -> S) -> S {
    let (whole, rest) = chunks::<_, LANES>(values);
    let mut lanes = [S::default(); LANES];
    for values in whole {
        for lane in 0..LANES {
            lanes[lane] += of(values[lane]);
        }
    }
    lanes.into_iter().chain(rest.iter().map(|&value| of(value))).fold(S::default(), |sum, value| sum + value)
}

/// Bands of a power spectrum, and their logarithm.
pub(super) struct Bands<'a, F: Float> {
    pub(super) plan: &'a Plan<F>,
    pub(super) power: &'a [F],
    pub(super) out: &'a mut [F],
    pub(super) log: bool,
}

impl<F: Float> Work for Bands<'_, F> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        self.plan.bank.apply(self.power, self.out);
        if !self.log {
            return;
        }
        let (least, factor) = (self.plan.least, self.plan.log_factor);
        match self.plan.front_end.amin_rule {
            AminRule::Max => {
                for value in self.out {
                    *value = value.at_least(least).natural_log() * factor;
                }
            }
            AminRule::Add => {
                for value in self.out {
                    *value = (*value + least).natural_log() * factor;
                }
            }
            AminRule::ReplaceZero => {
                for value in self.out {
                    let positive = *value > F::default();
                    *value = if positive { value.at_least(F::LEAST) } else { least }.natural_log() * factor;
                }
            }
        }
    }
}

/// The largest sample magnitude with which no band can overflow: with |x| <= L a windowed frame is at most L times `scale`, a spectrum
/// that times the window's sum, which is at most `n_fft`, and a band at most that to the power, times its weights' sum (`gain`, of the
/// widest band).
pub(super) fn sample_limit<F: Float>(front_end: &FrontEnd, scale: f64, gain: f64) -> f32 {
    // A packed spectrum is 4 times as large on its way.
    let most = (F::MAX.double() / 8.0 / gain.max(1.0)).powf(1.0 / front_end.power.max(2.0));
    ((most / front_end.n_fft as f64 / scale) as f32).min((f64::from(F::SAMPLE_LIMIT) / scale.max(1.0)) as f32)
}

/// Whether any sample is not a number or beyond the limit.
pub(super) struct AnyBeyond<'a> {
    pub(super) samples: &'a [f32],
    pub(super) limit: f32,
}

impl Work for AnyBeyond<'_> {
    type Out = bool;

    #[inline(always)]
    fn run(self) -> bool {
        self.samples.iter().fold(false, |any, sample| any | sample.is_nan() | (sample.abs() > self.limit))
    }
}
