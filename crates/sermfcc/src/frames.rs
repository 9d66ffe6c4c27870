//! Frame counts, frame times, and the samples of a frame.

use crate::front_end::{Framing, FrontEnd, PadMode};

impl FrontEnd {
    /// Samples that frame 0 begins before the signal; negative where it begins later.
    pub(crate) fn lead(&self) -> isize {
        let length = self.window_length();
        match self.framing {
            Framing::Stft if self.center => (self.n_fft / 2) as isize,
            Framing::Stft | Framing::Complete | Framing::Covering => 0,
            Framing::Rounded => (length / 2) as isize - (self.hop_length / 2) as isize,
            Framing::PastEnd => length.div_ceil(2) as isize,
        }
    }

    /// Samples under a frame.
    pub(crate) fn span(&self) -> usize {
        if self.framing == Framing::Stft { self.n_fft } else { self.window_length() }
    }

    /// Whether frames reach over the edges of the signal.
    pub(crate) fn is_padded(&self) -> bool {
        match self.framing {
            Framing::Stft => self.center,
            Framing::Complete => false,
            Framing::Rounded | Framing::Covering | Framing::PastEnd => true,
        }
    }

    /// Frames of a signal of `samples` samples, 0 for an empty one. With librosa's framing `1 + floor(samples / hop_length)` where
    /// frames are centred (and `n_fft` is even), `1 + floor((samples - n_fft) / hop_length)` otherwise; [`Framing`] has the others.
    /// One less with `drop_last_frame`.
    pub fn frames(&self, samples: usize) -> usize {
        if samples == 0 {
            return 0;
        }
        let hop = self.hop_length.max(1);
        // 1 + floor((samples - least) / hop), written so that no number of samples overflows.
        let from = |least: usize| match samples.checked_sub(least) {
            Some(rest) => (rest / hop).saturating_add(1),
            None => 0,
        };
        let frames = match self.framing {
            // n_fft - 2 floor(n_fft / 2), 0 or 1, where frames are centred.
            Framing::Stft if self.center => from(self.n_fft % 2),
            Framing::Stft => from(self.n_fft),
            Framing::Complete => from(self.window_length()),
            Framing::Rounded => from(hop.div_ceil(2)),
            Framing::Covering => samples.saturating_sub(self.window_length()).div_ceil(hop).saturating_add(1),
            Framing::PastEnd => samples.div_ceil(hop).saturating_add(1),
        };
        frames.saturating_sub(usize::from(self.drop_last_frame))
    }

    /// Samples of the shortest signal with a frame.
    pub fn shortest(&self) -> usize {
        let dropped = if self.drop_last_frame { self.hop_length } else { 0 };
        let least = match self.framing {
            Framing::Stft if self.center => (self.n_fft % 2).saturating_add(dropped),
            Framing::Stft => self.n_fft.saturating_add(dropped),
            Framing::Complete => self.window_length().saturating_add(dropped),
            Framing::Rounded => self.hop_length.div_ceil(2).saturating_add(dropped),
            Framing::Covering if self.drop_last_frame => self.window_length().saturating_add(1),
            Framing::Covering | Framing::PastEnd => 1,
        };
        least.max(1)
    }

    /// The time of each frame's centre in seconds.
    pub fn frame_times(&self, frames: usize) -> Vec<f64> {
        let offset = (self.span() / 2) as f64 - self.lead() as f64;
        let rate = f64::from(self.sample_rate);
        (0..frames).map(|t| (t as f64 * self.hop_length as f64 + offset) / rate).collect()
    }
}

/// The sample that stands at `index` of a signal of `length` samples, or `None` for a zero.
pub(crate) fn resolve(pad_mode: PadMode, index: isize, length: usize) -> Option<usize> {
    let last = length as isize - 1;
    if (0..=last).contains(&index) {
        return Some(index as usize);
    }
    match pad_mode {
        PadMode::Constant => None,
        PadMode::Edge => Some(index.clamp(0, last) as usize),
        PadMode::Reflect if last == 0 => Some(0),
        PadMode::Reflect => {
            let at = index.rem_euclid(2 * last);
            Some(at.min(2 * last - at) as usize)
        }
        PadMode::Symmetric => {
            let at = index.rem_euclid(2 * (last + 1));
            Some(at.min(2 * last + 1 - at) as usize)
        }
    }
}
