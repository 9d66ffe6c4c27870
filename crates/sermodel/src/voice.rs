//! Where somebody speaks: the detector of the crate `earshot`, a small network on 16 ms frames at 16 kHz, on frames brought to one
//! level, and what a spectrum that is no voice's says against it.
//!
//! The network alone misses shouts and speech below about -40 dB, and takes chords, hums and sweeps for voice. So each frame is scaled
//! by the level of the loudest frames around it ([`REFERENCE`]), a lower score is enough where the spectrum has strong partials, and a
//! frame counts only where the partials move as those of a voice do: they stand still in tones, chords and hums, and leap in sweeps.

use std::collections::VecDeque;
use std::sync::Arc;

use earshot::Detector;
use realfft::{RealFftPlanner, RealToComplex};
use seraudio::{AudioError, ResampleStream, Resampler};

const RATE: u32 = 16_000;
const FRAME: usize = 256;
const SECONDS: f64 = FRAME as f64 / RATE as f64;

/// Root mean square that the loudest frames are brought to: -20 dB.
const REFERENCE: f64 = 0.1;
/// Frames before and after a frame among which the loudest are looked for: 4 s and 1 s.
const BEFORE: usize = 250;
const AFTER: usize = 62;
/// How many of them are the loudest: 0.2 s.
const LOUDEST: usize = 12;
/// No recording is scaled by more: 1e-7 is less than half a step of 24 bits.
const SILENCE: f64 = 1e-7;

/// Score of voice, the detector's own recommendation.
const SCORE: f32 = 0.5;
/// Score of voice where the spectrum is [`TONAL`], as that of a shout is.
const TONAL_SCORE: f32 = 0.3;
/// Score of voice where the spectrum is as [`FLAT`] as that of noise.
const FLAT_SCORE: f32 = 0.9;
/// Share of the power in five neighbouring bins from which on a spectrum is tonal, and below which it is flat: of white noise it is
/// 0.05, of half of the voiced frames of EMODB 0.2 and more.
const TONAL: f32 = 0.15;
const FLAT: f32 = 0.1;
/// And from which on it is one tone, not a voice (99 of 100 voiced frames of EMODB and RAVDESS are below 0.84).
const ONE_TONE: f32 = 0.9;
/// Change of the spectrum in 64 ms, in dB, that a voice exceeds (99 of 100 voiced frames: 5.6), and one it stays below (17.4).
const STILL: f32 = 5.0;
const LEAP: f32 = 18.0;
/// Frames on each side over which the change is looked at, and the share of them that may be still: onsets of chords are short.
const AROUND: usize = 5;
const MAY_BE_STILL: f64 = 0.35;

/// Voice activity of a stream, kept from the window that still asks for it on.
pub(crate) struct Voice {
    rate: u32,
    resample: ResampleStream,
    pending: Vec<f32>,
    detector: Box<Detector>,
    spectra: Spectra,
    /// Frames that wait for those after them.
    waiting: VecDeque<Frame>,
    /// Mean square of the frames before the first that waits, of this one and all after it.
    powers: VecDeque<f64>,
    /// Changes of the spectrum of up to [`AROUND`] frames before the first that waits.
    past: VecDeque<f32>,
    frames: VecDeque<bool>,
    /// Index of the first frame kept.
    base: usize,
}

struct Frame {
    samples: [f32; FRAME],
    spectrum: Spectrum,
}

impl Voice {
    pub(crate) fn new(rate: u32) -> Result<Self, AudioError> {
        Ok(Self {
            rate,
            resample: ResampleStream::new(rate, RATE, Resampler::KaiserBest02)?,
            pending: Vec::new(),
            detector: Detector::default_boxed(),
            spectra: Spectra::new(),
            waiting: VecDeque::new(),
            powers: VecDeque::new(),
            past: VecDeque::new(),
            frames: VecDeque::new(),
            base: 0,
        })
    }

    pub(crate) fn push(&mut self, samples: &[f32]) {
        self.resample.push(samples, &mut self.pending);
        let (frames, rest) = self.pending.as_chunks_mut::<FRAME>();
        for frame in frames {
            // The detector has a memory, in which one sample that is no number would stay for good.
            frame.iter_mut().for_each(|v| *v = if v.is_finite() { v.clamp(-1.0, 1.0) } else { 0.0 });
            self.powers.push_back(frame.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / FRAME as f64);
            self.waiting.push_back(Frame { samples: *frame, spectrum: self.spectra.next(frame) });
        }
        let rest = rest.len();
        self.pending.drain(..self.pending.len() - rest);
        while self.waiting.len() > AFTER {
            self.decide();
        }
    }

    /// Ends the recording: silence pushes out what resampler and frames still hold.
    pub(crate) fn finish(&mut self) {
        self.push(&vec![0.0; self.rate.div_ceil(20) as usize]);
        while !self.waiting.is_empty() {
            self.decide();
        }
    }

    /// Decides on the first frame that waits.
    fn decide(&mut self) {
        let loudest = self.loudest();
        let changes = self.waiting.iter().take(AROUND + 1).map(|frame| frame.spectrum.change);
        let mut changes: Vec<f32> = self.past.iter().copied().chain(changes).collect();
        let Some(Frame { mut samples, spectrum }) = self.waiting.pop_front() else { return };
        let gain = (REFERENCE / loudest.sqrt().max(SILENCE)) as f32;
        samples.iter_mut().for_each(|v| *v = (*v * gain).clamp(-1.0, 1.0));
        let score = self.detector.predict_f32(&samples);
        changes.sort_by(f32::total_cmp);
        let moves = changes[((changes.len() as f64 * MAY_BE_STILL) as usize).min(changes.len() - 1)] > STILL;
        let least = match spectrum.concentration {
            share if share > TONAL => TONAL_SCORE,
            share if share > FLAT => SCORE,
            _ => FLAT_SCORE,
        };
        let fits = moves && spectrum.change < LEAP && spectrum.concentration < ONE_TONE;
        self.frames.push_back(score >= least && fits);

        self.past.push_back(spectrum.change);
        if self.past.len() > AROUND {
            self.past.pop_front();
        }
        if self.powers.len() > BEFORE + self.waiting.len() {
            self.powers.pop_front();
        }
    }

    /// Mean square of the loudest frames around the first that waits.
    fn loudest(&self) -> f64 {
        let before = self.powers.len() - self.waiting.len();
        let mut around: Vec<f64> = self.powers.iter().take(before + 1 + AFTER).copied().collect();
        let count = LOUDEST.min(around.len());
        around.select_nth_unstable_by(count - 1, |a, b| b.total_cmp(a));
        around[..count].iter().sum::<f64>() / count as f64
    }

    /// Up to where it is known, in seconds.
    pub(crate) fn known(&self) -> f64 {
        (self.base + self.frames.len()) as f64 * SECONDS
    }

    /// Seconds of voice between two times. Frames before `start` are forgotten.
    pub(crate) fn between(&mut self, start: f64, end: f64) -> f64 {
        let frame = |time: f64| (time / SECONDS).round() as usize;
        let forget = frame(start).saturating_sub(self.base).min(self.frames.len());
        self.frames.drain(..forget);
        self.base += forget;
        let within = frame(end).saturating_sub(self.base);
        self.frames.iter().take(within).filter(|&&voiced| voiced).count() as f64 * SECONDS
    }
}

/// What a spectrum says of a frame.
#[derive(Clone, Copy)]
struct Spectrum {
    /// The largest share of the power in five neighbouring bins, in 0..=1; 0 of silence.
    concentration: f32,
    /// Mean change of the strong bins against those 64 ms before, the change of level taken away, in dB.
    change: f32,
}

/// Spectra of 64 ms that end with each frame, pre-emphasised.
struct Spectra {
    fft: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    /// The last samples, pre-emphasised.
    samples: VecDeque<f32>,
    last: f32,
    /// Levels of the last frames in dB below their strongest bin.
    levels: VecDeque<Vec<f32>>,
}

/// Samples of a spectrum, and frames in them.
const LENGTH: usize = 4 * FRAME;
const LAG: usize = 4;
/// Bins whose changes are looked at: 62 Hz to 4 kHz.
const BINS: std::ops::Range<usize> = 4..256;
/// Levels below the strongest bin, in dB: the lowest that is told apart, and one from which on a bin is strong.
const FLOOR: f32 = -40.0;
const STRONG: f32 = -25.0;

impl Spectra {
    fn new() -> Self {
        let hann = |i: usize| 0.5 - 0.5 * (std::f32::consts::TAU * i as f32 / LENGTH as f32).cos();
        Self {
            fft: RealFftPlanner::new().plan_fft_forward(LENGTH),
            window: (0..LENGTH).map(hann).collect(),
            samples: VecDeque::from(vec![0.0; LENGTH]),
            last: 0.0,
            levels: VecDeque::new(),
        }
    }

    fn next(&mut self, frame: &[f32; FRAME]) -> Spectrum {
        self.samples.drain(..FRAME);
        for &sample in frame {
            self.samples.push_back(sample - 0.97 * self.last);
            self.last = sample;
        }
        let mut windowed: Vec<f32> = self.samples.iter().zip(&self.window).map(|(v, w)| v * w).collect();
        let mut bins = self.fft.make_output_vec();
        // The lengths are those of the plan.
        let _ = self.fft.process(&mut windowed, &mut bins);
        let powers: Vec<f32> = bins.iter().map(|bin| bin.norm_sqr()).collect();
        let total: f32 = powers.iter().sum();
        let largest = powers.windows(5).map(|five| five.iter().sum::<f32>()).fold(0.0, f32::max);
        let concentration = if total > 0.0 { largest / total } else { 0.0 };

        let strongest = powers[BINS].iter().copied().fold(f32::MIN_POSITIVE, f32::max);
        let level = |power: &f32| (10.0 * (power / strongest).log10()).max(FLOOR);
        let levels: Vec<f32> = powers[BINS].iter().map(level).collect();
        let change =
            self.levels.front().filter(|_| self.levels.len() == LAG).map_or(0.0, |before| change(before, &levels));
        self.levels.push_back(levels);
        if self.levels.len() > LAG {
            self.levels.pop_front();
        }
        Spectrum { concentration, change }
    }
}

/// Mean of the differences of strong bins, less their mean, weighted by how strong they are.
fn change(before: &[f32], now: &[f32]) -> f32 {
    let strong = before.iter().zip(now).filter_map(|(a, b)| {
        let level = a.max(*b);
        (level > STRONG).then_some((level - FLOOR, b - a))
    });
    let strong: Vec<(f32, f32)> = strong.collect();
    let weights: f32 = strong.iter().map(|(weight, _)| weight).sum();
    if weights == 0.0 {
        return 0.0;
    }
    let mean = strong.iter().map(|(weight, change)| weight * change).sum::<f32>() / weights;
    strong.iter().map(|(weight, change)| weight * (change - mean).abs()).sum::<f32>() / weights
}
