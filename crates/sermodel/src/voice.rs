//! Where somebody speaks, by the detector of the crate `earshot`: a small network on 16 ms frames at 16 kHz.

use std::collections::VecDeque;

use earshot::Detector;
use seraudio::{AudioError, ResampleStream, Resampler};

const RATE: u32 = 16_000;
const FRAME: usize = 256;
const SECONDS: f64 = FRAME as f64 / RATE as f64;
/// The detector's own recommendation.
const THRESHOLD: f32 = 0.5;

/// Voice activity of a stream, kept from the window that still asks for it on.
pub(crate) struct Voice {
    rate: u32,
    resample: ResampleStream,
    pending: Vec<f32>,
    detector: Box<Detector>,
    frames: VecDeque<bool>,
    /// Index of the first frame kept.
    base: usize,
}

impl Voice {
    pub(crate) fn new(rate: u32) -> Result<Self, AudioError> {
        Ok(Self {
            rate,
            resample: ResampleStream::new(rate, RATE, Resampler::KaiserBest02)?,
            pending: Vec::new(),
            detector: Detector::default_boxed(),
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
            self.frames.push_back(self.detector.predict_f32(frame) >= THRESHOLD);
        }
        let rest = rest.len();
        self.pending.drain(..self.pending.len() - rest);
    }

    /// Ends the recording: silence pushes out what resampler and frames still hold.
    pub(crate) fn finish(&mut self) {
        self.push(&vec![0.0; self.rate.div_ceil(20) as usize]);
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
