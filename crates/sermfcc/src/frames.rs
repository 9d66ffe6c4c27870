//! Frame counts, frame times, and the samples of a frame.

use crate::front_end::{FrontEnd, PadMode};

impl FrontEnd {
    /// Frames of a signal of `samples` samples: `1 + floor((samples + 2 padding - n_fft) / hop_length)`, which is
    /// `1 + floor(samples / hop_length)` where frames are centred and `n_fft` is even. 0 for an empty signal.
    pub fn frames(&self, samples: usize) -> usize {
        // n_fft - 2 padding, 0 or 1 where frames are centred: written so that no number of samples overflows.
        let beyond_padding = self.n_fft - 2 * self.padding();
        match samples.checked_sub(beyond_padding) {
            Some(rest) if samples > 0 => (rest / self.hop_length.max(1)).saturating_add(1),
            _ => 0,
        }
    }

    /// Samples of the shortest signal with a frame.
    pub fn shortest(&self) -> usize {
        self.n_fft.saturating_sub(2 * self.padding()).max(1)
    }

    /// The time of each frame's centre in seconds.
    pub fn frame_times(&self, frames: usize) -> Vec<f64> {
        let offset = if self.center { 0 } else { self.n_fft / 2 };
        let rate = f64::from(self.sample_rate);
        (0..frames).map(|t| (t as f64 * self.hop_length as f64 + offset as f64) / rate).collect()
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
    }
}
