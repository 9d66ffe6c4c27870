//! A recording of any length as windows that a model can answer for.

use std::fmt;

use seraudio::ResampleStream;

use crate::{Model, ModelError, voice::Voice};

/// The shortest window, hop or stretch, in seconds: a second of sound is then at most a hundred windows, each with a copy of its
/// samples.
pub(crate) const SHORTEST: f64 = 0.01;

/// How a recording is cut.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Windows {
    /// Length of a window in seconds.
    pub length: f64,
    /// From one window's start to the next one's, in seconds.
    pub hop: f64,
}

/// A piece of a recording.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// Where it starts, in seconds.
    pub start: f64,
    /// Where it ends, in seconds.
    pub end: f64,
    /// Seconds of voice in it; None where voice activity was not asked for.
    pub speech: Option<f64>,
    /// At the rate of the model's front end, for [`Model::predict`].
    pub samples: Vec<f32>,
}

impl Window {
    /// Less voice than this is no utterance, in seconds: half a word.
    pub const LEAST_SPEECH: f64 = 0.25;

    /// Whether there is voice enough in it to ask a model; true where voice activity was not asked for.
    pub fn is_speech(&self) -> bool {
        self.speech.is_none_or(|seconds| seconds >= Self::LEAST_SPEECH)
    }
}

/// Takes a recording piece by piece and gives windows, in memory that does not grow with the recording.
pub struct Listener {
    resample: ResampleStream,
    cut: Cut,
}

struct Cut {
    rate: u32,
    length: usize,
    hop: usize,
    /// From sample `base` on.
    buffer: Vec<f32>,
    base: usize,
    voice: Option<Voice>,
    /// Windows given so far.
    given: usize,
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").field("length", &self.cut.length).field("hop", &self.cut.hop).finish_non_exhaustive()
    }
}

impl Windows {
    /// The training length, half overlapping: a recording up to that length is one window.
    pub fn of(model: &Model) -> Self {
        let card = model.card();
        let length = card.length as f64 / f64::from(card.front_end.sample_rate);
        Self { length, hop: length / 2.0 }
    }
}

impl Listener {
    /// For a recording at `rate` Hz. With `voice`, voice activity is looked for.
    ///
    /// # Errors
    /// A rate that cannot be changed to the model's; windows or hops below 10 ms (or below half of the training length, where
    /// that is less), hops longer than the window, windows longer than the model's training utterances, of which it would hear only
    /// the middle.
    pub fn new(model: &Model, rate: u32, windows: Windows, voice: bool) -> Result<Self, ModelError> {
        let Windows { length, hop } = windows;
        let longest = Windows::of(model).length;
        // Half of the training length, as `Windows::of` has it, is always allowed.
        let least = SHORTEST.min(longest / 2.0);
        if !(length >= least && length <= longest + 1e-9) {
            return Err(ModelError::Window { what: "window", seconds: length, least, longest });
        }
        if !(hop >= least && hop <= length) {
            return Err(ModelError::Window { what: "hop", seconds: hop, least, longest: length });
        }
        let to = model.card().front_end.sample_rate;
        let samples = |seconds: f64| ((seconds * f64::from(to)).round() as usize).max(1);
        Ok(Self {
            resample: ResampleStream::new(rate, to, model.resampler())?,
            cut: Cut {
                rate: to,
                length: samples(length),
                hop: samples(hop),
                buffer: Vec::new(),
                base: 0,
                voice: voice.then(|| Voice::new(rate)).transpose()?,
                given: 0,
            },
        })
    }

    /// Takes samples and gives the windows that are complete. A sample that is not finite is no voice; a window that holds it is
    /// given, and [`Model::predict`] refuses it.
    pub fn push(&mut self, samples: &[f32]) -> Vec<Window> {
        let Self { resample, cut } = self;
        resample.push(samples, &mut cut.buffer);
        if let Some(voice) = &mut cut.voice {
            voice.push(samples);
        }
        let known = cut.voice.as_ref().map_or(f64::INFINITY, Voice::known);
        let windows = cut.complete(known);
        cut.forget();
        windows
    }

    /// Ends the recording and gives the windows that are left. The last one ends with the recording, and starts a hop
    /// or less after the one before; a recording shorter than a window is one window.
    pub fn finish(self) -> Vec<Window> {
        let Self { resample, mut cut } = self;
        resample.finish(&mut cut.buffer);
        if let Some(voice) = &mut cut.voice {
            voice.finish();
        }
        let mut windows = cut.complete(f64::INFINITY);
        let total = cut.base + cut.buffer.len();
        let covered = if cut.given == 0 { 0 } else { cut.last_start() + cut.length };
        if total > covered {
            windows.push(cut.window(total.saturating_sub(cut.length), total));
        }
        windows
    }
}

impl Cut {
    /// The windows that are complete, given that voice is known up to a time.
    fn complete(&mut self, known: f64) -> Vec<Window> {
        let mut windows = Vec::new();
        loop {
            let start = self.given * self.hop;
            let end = start + self.length;
            if self.base + self.buffer.len() < end || known < end as f64 / f64::from(self.rate) {
                return windows;
            }
            windows.push(self.window(start, end));
        }
    }

    fn last_start(&self) -> usize {
        self.given.saturating_sub(1) * self.hop
    }

    /// Drops what no window needs: the very last one may start anywhere after the last given one's start.
    fn forget(&mut self) {
        let used = self.last_start() - self.base;
        self.buffer.drain(..used);
        self.base += used;
    }

    fn window(&mut self, start: usize, end: usize) -> Window {
        self.given += 1;
        let samples = self.buffer[start - self.base..end - self.base].to_vec();
        let [start, end] = [start, end].map(|at| at as f64 / f64::from(self.rate));
        let speech = self.voice.as_mut().map(|voice| voice.between(start, end));
        Window { start, end, speech, samples }
    }
}
