//! Frames out as samples come in.

use crate::delta::Rows;
use crate::extractor::{Extractor, Scratch, Signal};
use crate::front_end::{Floor, PadMode, PreEmphasis};
use crate::{FeatureError, Float, FrontEndError, Output};

/// Any output of a signal that arrives in pieces of any size, in constant memory. [`Extractor::stream`] makes one.
///
/// Equal to the batch result to the last bit, for any way of cutting the signal up. Log-mel bands, and what is made of them, must not
/// depend on the utterance: `top_db` has to be [`Floor::None`] or [`Floor::Fixed`].
///
/// Latency: a frame comes out with the last sample under it. librosa's centred frames come `n_fft / 2` samples (46 ms at 22,050 Hz and
/// 2048) after their centre, differences as many frames later as they look ahead; what reaches over the end comes at [`Stream::finish`],
/// when it is known what lies beyond.
#[derive(Debug)]
pub struct Stream<F: Float = f32> {
    extractor: Extractor<F>,
    output: Output,
    scratch: Scratch<F>,
    /// Samples still needed, and the index of the first.
    buffer: Vec<f32>,
    base: usize,
    next_frame: usize,
    row: Vec<F>,
    deltas: Option<Later<F>>,
    finished: bool,
}

/// Coefficients that differences are still to be made of.
#[derive(Debug)]
struct Later<F> {
    /// [frames, coefficients], and the index of the first frame.
    rows: Vec<F>,
    base: usize,
    next_frame: usize,
    row: Vec<F>,
}

impl<F: Float> Stream<F> {
    pub(crate) fn new(extractor: &Extractor<F>, output: Output) -> Result<Self, FrontEndError> {
        let floored = !matches!(output, Output::Power | Output::Mel);
        if let (Floor::BelowMaximum(range), true) = (extractor.front_end().top_db, floored) {
            return Err(FrontEndError::StreamFloor { range });
        }
        let row = |output| vec![F::default(); extractor.width(output)];
        let later = || Later { rows: Vec::new(), base: 0, next_frame: 0, row: row(Output::Deltas) };
        Ok(Stream {
            scratch: extractor.buffers(),
            row: row(if output == Output::Deltas { Output::Mfcc } else { output }),
            deltas: (output == Output::Deltas).then(later),
            extractor: extractor.clone(),
            output,
            buffer: Vec::new(),
            base: 0,
            next_frame: 0,
            finished: false,
        })
    }

    /// The extractor.
    pub fn extractor(&self) -> &Extractor<F> {
        &self.extractor
    }

    /// Values per frame.
    pub fn width(&self) -> usize {
        self.extractor.width(self.output)
    }

    /// Takes samples and hands every frame that is complete to `sink`, as [`Stream::width`] values. Returns their number.
    ///
    /// # Errors
    /// [`FeatureError::NotFinite`] or [`FeatureError::OutOfRange`], with the sample's index in the whole signal; none of
    /// the samples is taken then. [`FeatureError::Finished`] after [`Stream::finish`].
    pub fn push(&mut self, samples: &[f32], mut sink: impl FnMut(&[F])) -> Result<usize, FeatureError> {
        if self.finished {
            return Err(FeatureError::Finished);
        }
        self.extractor.check_samples(samples, self.received())?;
        self.buffer.extend_from_slice(samples);
        let mut given = 0;
        while self.is_complete(self.next_frame) {
            given += self.emit(&mut sink);
        }
        self.forget();
        Ok(given)
    }

    /// Ends the signal and hands out the frames that reach over its end. Returns their number. Only [`Stream::reset`] goes on from here.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`] where the whole signal gives no frame, [`FeatureError::Delta`] where it has too few for librosa's
    /// differences, [`FeatureError::Finished`] the second time.
    pub fn finish(&mut self, mut sink: impl FnMut(&[F])) -> Result<usize, FeatureError> {
        if self.finished {
            return Err(FeatureError::Finished);
        }
        self.finished = true;
        let front_end = self.extractor.front_end();
        let (samples, needed) = (self.received(), front_end.shortest());
        let frames = front_end.frames(samples);
        if frames == 0 {
            return Err(FeatureError::TooShort { samples, needed });
        }
        if self.deltas.is_some() {
            self.extractor.deltas().check(frames)?;
        }
        let mut given = 0;
        while self.next_frame < frames {
            given += self.emit(&mut sink);
        }
        if let Some(later) = &mut self.deltas {
            while later.next_frame < frames {
                later.emit(&self.extractor, frames - 1, &mut sink);
                given += 1;
            }
        }
        Ok(given)
    }

    /// Back to the beginning, for another signal; buffers are kept.
    pub fn reset(&mut self) {
        self.buffer.clear();
        (self.base, self.next_frame, self.finished) = (0, 0, false);
        if let Some(later) = &mut self.deltas {
            later.rows.clear();
            (later.base, later.next_frame) = (0, 0);
        }
    }

    /// Samples taken so far.
    pub fn received(&self) -> usize {
        self.base + self.buffer.len()
    }

    /// Computes the next frame; returns how many frames went to `sink`.
    fn emit(&mut self, sink: &mut impl FnMut(&[F])) -> usize {
        let signal = Signal { samples: &self.buffer, base: self.base, length: self.received() };
        self.extractor.frame_into(self.output, signal, self.next_frame, &mut self.scratch, &mut self.row);
        self.next_frame += 1;
        let Some(later) = &mut self.deltas else {
            sink(&self.row);
            return 1;
        };
        later.rows.extend_from_slice(&self.row);
        let last = self.next_frame - 1;
        let mut given = 0;
        while self.extractor.deltas().ahead(later.next_frame) <= last {
            later.emit(&self.extractor, last, sink);
            given += 1;
        }
        later.forget(&self.extractor);
        given
    }

    /// Whether no later sample can change a frame, or whether there is one.
    fn is_complete(&self, frame: usize) -> bool {
        let front_end = self.extractor.front_end();
        let start = (frame * front_end.hop_length) as isize - front_end.lead();
        let end = start.saturating_add_unsigned(front_end.span());
        // A frame over the mirrored beginning needs the samples that are mirrored, too.
        let mirrored = match front_end.pad_mode {
            PadMode::Reflect | PadMode::Symmetric if start < 0 => 1 - start,
            _ => 1,
        };
        self.received() as isize >= end.max(mirrored) && frame < front_end.frames(self.received())
    }

    /// Drops samples that neither the next frame nor a mirrored end can reach, once that is worth moving the rest.
    fn forget(&mut self) {
        let front_end = self.extractor.front_end();
        let next = (self.next_frame * front_end.hop_length) as isize - front_end.lead();
        // Frames reach beyond the end by less than their length and a hop.
        let reach = if front_end.is_padded() { front_end.span() + front_end.hop_length } else { 0 };
        let before = usize::from(matches!(front_end.pre_emphasis, PreEmphasis::Signal(_))) + 1;
        let keep_from = (next.max(0) as usize).min(self.received().saturating_sub(reach)).saturating_sub(before);
        let unneeded = keep_from.saturating_sub(self.base).min(self.buffer.len());
        if unneeded > self.buffer.len() / 2 {
            self.buffer.drain(..unneeded);
            self.base += unneeded;
        }
    }
}

impl<F: Float> Later<F> {
    fn emit(&mut self, extractor: &Extractor<F>, last: usize, sink: &mut impl FnMut(&[F])) {
        let width = extractor.width(Output::Mfcc);
        let rows = Rows { values: &self.rows, base: self.base, width, last };
        extractor.deltas().write(rows, self.next_frame, &mut self.row);
        self.next_frame += 1;
        sink(&self.row);
    }

    fn forget(&mut self, extractor: &Extractor<F>) {
        let width = extractor.width(Output::Mfcc);
        let unneeded = self.next_frame.saturating_sub(extractor.deltas().behind() + self.base);
        if unneeded * width > self.rows.len() / 2 {
            self.rows.drain(..unneeded * width);
            self.base += unneeded;
        }
    }
}
