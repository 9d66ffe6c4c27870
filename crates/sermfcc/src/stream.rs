//! Frames out as samples come in.

use crate::extractor::{Extractor, Signal, Workspace};
use crate::front_end::{Floor, PadMode};
use crate::{FeatureError, Float, FrontEndError, Output};

/// MFCCs of a signal that arrives in pieces of any size, in constant memory.
///
/// Equal to the batch result to the last bit, for any way of cutting the signal up. The floor must not depend on the
/// utterance ([`Floor::None`] or [`Floor::Fixed`]).
///
/// Latency: a frame comes out with the last sample under it, that is `n_fft` samples after its first. Centred frames come
/// `n_fft / 2` samples (46 ms at 22,050 Hz and 2048) after their centre; the last ones come at [`Stream::finish`], when it is
/// known what lies beyond the end.
#[derive(Debug)]
pub struct Stream<F: Float = f32> {
    extractor: Extractor<F>,
    workspace: Workspace<F>,
    /// Samples still needed, and the index of the first.
    buffer: Vec<f32>,
    base: usize,
    next_frame: usize,
    row: Vec<F>,
    finished: bool,
}

impl<F: Float> Stream<F> {
    /// A stream at its beginning.
    ///
    /// # Errors
    /// [`FrontEndError::StreamFloor`] where the floor depends on the whole utterance.
    pub fn new(extractor: &Extractor<F>) -> Result<Self, FrontEndError> {
        if let Floor::BelowMaximum(_) = extractor.front_end().top_db {
            return Err(FrontEndError::StreamFloor);
        }
        Ok(Stream {
            workspace: extractor.workspace(),
            row: vec![F::default(); extractor.width(Output::Mfcc)],
            extractor: extractor.clone(),
            buffer: Vec::new(),
            base: 0,
            next_frame: 0,
            finished: false,
        })
    }

    /// Takes samples and hands every frame that is complete to `sink`, as `[coefficients]`. Returns their number.
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
        let first = self.next_frame;
        while self.is_complete(self.next_frame) {
            self.emit(&mut sink);
        }
        self.forget();
        Ok(self.next_frame - first)
    }

    /// Ends the signal and hands out the frames that reach over its end. Returns their number.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`] where the whole signal gives no frame, [`FeatureError::Finished`] the second time.
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
        let first = self.next_frame;
        while self.next_frame < frames {
            self.emit(&mut sink);
        }
        Ok(self.next_frame - first)
    }

    /// Samples taken so far.
    pub fn received(&self) -> usize {
        self.base + self.buffer.len()
    }

    fn emit(&mut self, sink: &mut impl FnMut(&[F])) {
        let signal = Signal { samples: &self.buffer, base: self.base, length: self.received() };
        self.extractor.mfcc_frame(signal, self.next_frame, &mut self.workspace, &mut self.row);
        self.next_frame += 1;
        sink(&self.row);
    }

    /// Whether no later sample can change a frame.
    fn is_complete(&self, frame: usize) -> bool {
        let front_end = self.extractor.front_end();
        let padding = front_end.padding();
        let end = (frame * front_end.hop_length + front_end.n_fft).saturating_sub(padding);
        // A frame over the mirrored beginning needs the samples that are mirrored, too.
        let mirrored = if front_end.pad_mode == PadMode::Reflect { padding + 1 } else { 1 };
        self.received() >= end.max(mirrored)
    }

    /// Drops samples that neither the next frame nor a mirrored end can reach, once that is worth moving the rest.
    fn forget(&mut self) {
        let front_end = self.extractor.front_end();
        let padding = front_end.padding();
        let next = (self.next_frame * front_end.hop_length).saturating_sub(padding);
        let keep_from = next.min(self.received().saturating_sub(padding + 1));
        let unneeded = keep_from.saturating_sub(self.base).min(self.buffer.len());
        if unneeded > self.buffer.len() / 2 {
            self.buffer.drain(..unneeded);
            self.base += unneeded;
        }
    }
}
